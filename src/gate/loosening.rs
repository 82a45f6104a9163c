//! What loosens the gate, and whose approval that takes. PURE.
//!
//! In: the facts as recorded and as wanted. Out: a requirement for each recorded fact that the
//! change would make less strict, answered by those who are recorded, never by those whom the
//! change brings. Making a fact stricter is free, and so is taking a declaration away: what was
//! asked of it stays recorded, and counts if its label comes back.
//!
//! It compares keys, not labels, where people are concerned: an owner under a new label with the
//! same keys is the same people.

use std::collections::BTreeSet;

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Risk, Tier};

use super::Requirement;
use super::requirements::{Sides, risk_word, tier_word};
use crate::state::Facts;
use crate::state::facts::ScopeFacts;

/// A requirement for each fact that is loosened. None as long as no approver is recorded: there
/// is nobody to ask.
pub(super) fn loosened(sides: Sides<'_>) -> Vec<Requirement> {
    let Some(known) = sides.known() else {
        return Vec::new();
    };
    let loosening = Loosening { sides, known };
    let mut all = Vec::new();
    loosening.owners(&mut all);
    loosening.agents(&mut all);
    loosening.identities(&mut all);
    loosening.scopes(&mut all);
    loosening.labels(&mut all);
    loosening.environments(&mut all);
    loosening.exceptions(&mut all);
    all
}

struct Loosening<'a> {
    sides: Sides<'a>,
    known: &'a Facts,
}

impl Loosening<'_> {
    /// A requirement, of the approvers of these owners; by everybody recorded where these have
    /// none. Those whom the change takes away count where the others are too few: it doesn't choose
    /// how many must agree. Where even so there are fewer, all of them must: else a mistake could
    /// never be mended.
    fn ask<'b>(
        &self,
        why: String,
        required: u32,
        owners: impl IntoIterator<Item = &'b DeclarationAddress> + Clone,
    ) -> Requirement {
        let people = |keys: &BTreeSet<String>| u32::try_from(keys.len()).unwrap_or(u32::MAX);
        let mut approvers = self.sides.counting_of(owners.clone());
        if people(&approvers) < required {
            let recorded = owners.into_iter().flat_map(|one| self.recorded_keys(one));
            approvers.extend(recorded);
        }
        if approvers.is_empty() {
            approvers = self.sides.every_key();
        }
        Requirement {
            why,
            required: required.min(people(&approvers)),
            approvers: approvers.into_iter().collect(),
        }
    }

    /// How many of an owner's approvers must agree to something, at most.
    fn most_asked(&self, owner: &DeclarationAddress) -> u32 {
        let of = |(scope, facts): (&DeclarationAddress, &ScopeFacts)| {
            let (required, owners) = self.of_scope(scope, facts);
            let is_asked = facts.approval.is_some() || facts.risk >= Risk::High;
            (is_asked && owners.contains(owner)).then_some(required)
        };
        self.known.scopes.iter().filter_map(of).max().unwrap_or(1)
    }

    fn recorded_keys(&self, owner: &DeclarationAddress) -> BTreeSet<String> {
        self.known.owners.get(owner).cloned().unwrap_or_default()
    }

    fn wanted_keys(&self, owner: &DeclarationAddress) -> BTreeSet<String> {
        let owners = &self.sides.wanted.owners;
        owners.get(owner).cloned().unwrap_or_default()
    }

    /// Approvers come in by approvers: of their owner, or where that has none, of any.
    fn owners(&self, all: &mut Vec<Requirement>) {
        let every = self.sides.every_key();
        for (owner, wanted) in &self.sides.wanted.owners {
            let recorded = self.recorded_keys(owner);
            let trusted = if recorded.is_empty() {
                &every
            } else {
                &recorded
            };
            let new = wanted.difference(trusted).count();
            if new > 0 {
                let why = format!("{owner} gets {new} approvers that it didn't have");
                let why = why.replace("gets 1 approvers that", "gets 1 approver that");
                all.push(self.ask(why, 1, [owner]));
            }
            let needed = self.most_asked(owner);
            let is_few = u32::try_from(wanted.len()).is_ok_and(|left| left < needed);
            if wanted.len() < recorded.len() && is_few {
                let why = if wanted.is_empty() {
                    format!("{owner} loses all of its approvers")
                } else {
                    let left = wanted.len();
                    format!("{owner} keeps {left} of the {needed} approvers that must agree")
                };
                all.push(self.ask(why, needed, [owner]));
            }
        }
    }

    /// An agent doesn't choose who answers for it.
    fn agents(&self, all: &mut Vec<Requirement>) {
        for (agent, wanted) in &self.sides.wanted.agents {
            let Some(recorded) = self.known.agents.get(agent) else {
                continue;
            };
            if self.are_others(recorded, wanted) {
                let why =
                    format!("{agent} goes from {recorded} to {wanted}, whose approvers are others");
                all.push(self.ask(why, 1, [recorded]));
            }
        }
    }

    /// Nor does an identity, by the agent that it is of.
    fn identities(&self, all: &mut Vec<Requirement>) {
        for (identity, wanted) in &self.sides.wanted.identities {
            let Some(recorded) = self.known.identities.get(identity) else {
                continue;
            };
            let owner = |agent| self.sides.owner(agent);
            let (Some(before), Some(after)) = (owner(&recorded.agent), owner(&wanted.agent)) else {
                continue;
            };
            if self.are_others(before, after) {
                let (from, to) = (&recorded.agent, &wanted.agent);
                let why =
                    format!("{identity} goes from {from} to {to}, whose approvers are others");
                all.push(self.ask(why, 1, [before]));
            }
        }
    }

    /// Whether those who would approve are others than those recorded.
    fn are_others(&self, recorded: &DeclarationAddress, wanted: &DeclarationAddress) -> bool {
        let (before, after) = (self.recorded_keys(recorded), self.wanted_keys(wanted));
        let is_same_people = !after.is_empty() && after.is_subset(&before);
        wanted != recorded && !before.is_empty() && !is_same_people
    }

    fn scopes(&self, all: &mut Vec<Requirement>) {
        for (scope, wanted) in &self.sides.wanted.scopes {
            if let Some(recorded) = self.known.scopes.get(scope) {
                for what in self.looser(scope, recorded, wanted) {
                    let why = format!("{scope} {what}");
                    let (required, owners) = self.of_scope(scope, recorded);
                    all.push(self.ask(why, required, &owners));
                }
            }
        }
    }

    /// How a scope asks for less than before, or others, in words.
    fn looser(
        &self,
        scope: &DeclarationAddress,
        before: &ScopeFacts,
        after: &ScopeFacts,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if after.risk < before.risk {
            let (from, to) = (risk_word(before.risk), risk_word(after.risk));
            found.push(format!("is called {to}, and its risk was {from}"));
        }
        let keys = |owners: &BTreeSet<DeclarationAddress>, of: &dyn Fn(&_) -> _| {
            owners.iter().flat_map(of).collect::<BTreeSet<String>>()
        };
        match (&before.approval, &after.approval) {
            (None, None) => {}
            // Its holders' owners are asked for what it gives in production.
            (None, Some(after)) => {
                let now = keys(&after.from, &|owner| self.wanted_keys(owner));
                let (_, then) = self.of_scope(scope, before);
                let then = keys(&then, &|owner| self.recorded_keys(owner));
                if before.risk >= Risk::High && !now.is_subset(&then) {
                    found.push("lets others approve".to_owned());
                }
            }
            (Some(before), None) => found.push(format!(
                "no longer asks for approval, and it took {}",
                before.required
            )),
            (Some(before), Some(after)) => {
                if after.required < before.required {
                    let (now, then) = (after.required, before.required);
                    found.push(format!("asks for {now} of the {then} approvals it took"));
                }
                let then = keys(&before.from, &|owner| self.recorded_keys(owner));
                let now = keys(&after.from, &|owner| self.wanted_keys(owner));
                if before.from != after.from && !now.is_subset(&then) {
                    found.push("lets others approve".to_owned());
                }
            }
        }
        found
    }

    /// How many must agree, and of which owners, before a scope asks for less.
    fn of_scope(
        &self,
        scope: &DeclarationAddress,
        recorded: &ScopeFacts,
    ) -> (u32, BTreeSet<DeclarationAddress>) {
        let least = if recorded.risk == Risk::Critical {
            2
        } else {
            1
        };
        if let Some(approval) = &recorded.approval {
            return (approval.required.max(least), approval.from.clone());
        }
        let owners = self
            .sides
            .owners_of(|identity| identity.scopes.contains(scope));
        (least, owners.into_iter().cloned().collect())
    }

    /// A scope under another label: the old one is gone and new ones are there that ask for less.
    fn labels(&self, all: &mut Vec<Requirement>) {
        let wanted = &self.sides.wanted.scopes;
        let held = |scope: &DeclarationAddress| {
            let mut identities = self.known.identities.values();
            identities.any(|identity| identity.scopes.contains(scope))
        };
        let gone = self.known.scopes.iter().filter(|(scope, facts)| {
            let asks = facts.approval.is_some() || facts.risk >= Risk::High;
            asks && !wanted.contains_key(*scope) && held(scope)
        });
        let new: Vec<_> = wanted
            .iter()
            .filter(|(scope, _)| !self.known.scopes.contains_key(*scope))
            .collect();
        for (old, before) in gone {
            for (scope, after) in &new {
                if self.looser(old, before, after).is_empty() {
                    continue;
                }
                let why =
                    format!("{scope} is new while {old} goes, and asks for less than that did");
                let (required, owners) = self.of_scope(old, before);
                all.push(self.ask(why, required, &owners));
            }
        }
    }

    fn environments(&self, all: &mut Vec<Requirement>) {
        // As many as what may be gained there could take.
        let critical = |facts: &ScopeFacts| facts.risk == Risk::Critical;
        let required = if self.known.scopes.values().any(critical) {
            2
        } else {
            1
        };
        for (environment, wanted) in &self.sides.wanted.environments {
            let within = |other: &DeclarationAddress| {
                self.sides
                    .owners_of(|identity| identity.environment == *other)
            };
            let recorded = self.known.environments.get(environment);
            if let Some(before) = recorded.map(|facts| facts.tier)
                && wanted.tier < before
            {
                let (to, from) = (tier_word(wanted.tier), tier_word(before));
                let why = format!("{environment} is called {to}, and its tier was {from}");
                let required = if before == Tier::Production {
                    required
                } else {
                    1
                };
                all.push(self.ask(why, required, within(environment)));
            }
            if let Some(production) = newly_beside(self.sides, environment) {
                let tier = tier_word(wanted.tier);
                let why = format!(
                    "{environment}, of tier {tier}, is new in a target where {production} lives, which \
                     is production"
                );
                all.push(self.ask(why, required, within(production)));
            }
        }
    }

    fn exceptions(&self, all: &mut Vec<Requirement>) {
        for (address, wanted) in &self.sides.wanted.exceptions {
            if self.known.exceptions.get(address) == Some(wanted) {
                continue;
            }
            let why = format!("{address} is a new exception: {}", wanted.what);
            all.push(self.ask(why, 1, &wanted.owners));
        }
    }
}

/// The recorded production environment in whose target an environment of a lower tier is new. As
/// long as no approver is recorded it may be: nobody could be asked.
pub(super) fn newly_beside<'a>(
    sides: Sides<'a>,
    environment: &DeclarationAddress,
) -> Option<&'a DeclarationAddress> {
    let recorded = sides.known()?;
    let wanted = sides.wanted.environments.get(environment)?;
    if wanted.tier == Tier::Production {
        return None;
    }
    let before = recorded.environments.get(environment);
    let is_new = |target: &&String| before.is_none_or(|facts| !facts.targets.contains(*target));
    let new: BTreeSet<&String> = wanted.targets.iter().filter(is_new).collect();
    recorded
        .environments
        .iter()
        .filter(|(other, facts)| *other != environment && facts.tier == Tier::Production)
        .find(|(_, facts)| facts.targets.iter().any(|target| new.contains(target)))
        .map(|(other, _)| other)
}
