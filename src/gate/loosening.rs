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
    /// A requirement; by everybody recorded where nobody in particular is concerned. Where there
    /// are fewer than should agree, all of them must: else a mistake could never be mended.
    fn ask(&self, why: String, required: u32, approvers: BTreeSet<String>) -> Requirement {
        let approvers = if approvers.is_empty() {
            self.sides.every_key()
        } else {
            approvers
        };
        let people = u32::try_from(approvers.len()).unwrap_or(u32::MAX);
        Requirement {
            why,
            required: required.min(people),
            approvers: approvers.into_iter().collect(),
        }
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
            let approvers = || self.sides.counting(owner);
            if new > 0 {
                let why = format!("{owner} gets {new} approvers that it didn't have");
                let why = why.replace("gets 1 approvers that", "gets 1 approver that");
                all.push(self.ask(why, 1, approvers()));
            }
            if wanted.is_empty() && !recorded.is_empty() {
                let why = format!("{owner} loses all of its approvers");
                all.push(self.ask(why, 1, approvers()));
            }
        }
    }

    /// An agent doesn't choose who answers for it.
    fn agents(&self, all: &mut Vec<Requirement>) {
        for (agent, wanted) in &self.sides.wanted.agents {
            let Some(recorded) = self.known.agents.get(agent) else {
                continue;
            };
            let before = self.recorded_keys(recorded);
            let after = self.wanted_keys(wanted);
            let is_same_people = !after.is_empty() && after.is_subset(&before);
            if wanted == recorded || before.is_empty() || is_same_people {
                continue;
            }
            let why =
                format!("{agent} goes from {recorded} to {wanted}, whose approvers are others");
            all.push(self.ask(why, 1, self.sides.counting(recorded)));
        }
    }

    fn scopes(&self, all: &mut Vec<Requirement>) {
        for (scope, wanted) in &self.sides.wanted.scopes {
            if let Some(recorded) = self.known.scopes.get(scope) {
                for what in self.looser(scope, recorded, wanted) {
                    let why = format!("{scope} {what}");
                    let (required, approvers) = self.of_scope(scope, recorded);
                    all.push(self.ask(why, required, approvers));
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

    /// How many must agree, and who, before a scope asks for less.
    fn of_scope(
        &self,
        scope: &DeclarationAddress,
        recorded: &ScopeFacts,
    ) -> (u32, BTreeSet<String>) {
        let least = if recorded.risk == Risk::Critical {
            2
        } else {
            1
        };
        if let Some(approval) = &recorded.approval {
            let approvers = self.sides.counting_of(&approval.from);
            return (approval.required.max(least), approvers);
        }
        let owners = self
            .sides
            .owners_of(|identity| identity.scopes.contains(scope));
        (least, self.sides.counting_of(owners))
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
                let (required, approvers) = self.of_scope(old, before);
                all.push(self.ask(why, required, approvers));
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
                let owners = self
                    .sides
                    .owners_of(|identity| identity.environment == *other);
                self.sides.counting_of(owners)
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
            all.push(self.ask(why, 1, self.sides.counting_of(&wanted.owners)));
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
