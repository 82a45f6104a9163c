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
use super::requirements::Sides;
use crate::state::Facts;
use crate::state::facts::{IdentityFacts, ScopeFacts};

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
    loosening.ceilings(&mut all);
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
        let mut approvers = self.sides.counting_of(owners.clone());
        if people(approvers.len()) < required {
            let recorded = owners.into_iter().flat_map(|one| self.recorded_keys(one));
            approvers.extend(recorded);
        }
        if approvers.is_empty() {
            approvers = self.sides.every_key();
        }
        Requirement {
            why,
            loosens: true,
            required: required.min(people(approvers.len())),
            approvers: approvers.into_iter().collect(),
        }
    }

    /// How many of an owner's approvers must agree to something, at most.
    fn most_asked(&self, owner: &DeclarationAddress) -> u32 {
        let of = |(scope, facts): (&DeclarationAddress, &ScopeFacts)| {
            let (required, groups) = self.of_scope(scope, facts);
            // The same people under another label are the same people.
            let keys = self.recorded_keys(owner);
            let is_it = |other: &DeclarationAddress| {
                other == owner || !self.recorded_keys(other).is_disjoint(&keys)
            };
            let mut asked = groups.iter().flatten();
            let is_asked = facts.takes_approval() && asked.any(is_it);
            is_asked.then_some(required)
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

    /// Approvers come in by approvers, by as many as must agree to something: of their owner, or
    /// where that has none, of any. Who may bring in others alone is all of them.
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
            let kept = recorded.intersection(wanted).count();
            if new == 0 && kept == recorded.len() {
                continue;
            }
            let needed = self.most_asked(owner);
            if wanted.is_empty() {
                let why = format!("{owner} loses all of its approvers");
                all.push(self.ask(why, needed, [owner]));
            } else if new > 0 {
                let why = format!("{owner} gets {new} approvers that it didn't have");
                let why = why.replace("gets 1 approvers that", "gets 1 approver that");
                all.push(self.ask(why, needed, [owner]));
            } else if people(kept) < needed {
                let why = format!("{owner} keeps {kept} of the {needed} approvers that must agree");
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
            let why = || format!("{agent} goes from {recorded} to {wanted}");
            all.extend(self.handed_over(why, recorded, wanted));
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
            let (from, to) = (&recorded.agent, &wanted.agent);
            let why = || format!("{identity} goes from {from} to {to}");
            all.extend(self.handed_over(why, before, after));
        }
    }

    /// What it takes that something goes from one owner to another.
    fn handed_over(
        &self,
        why: impl FnOnce() -> String,
        from: &DeclarationAddress,
        to: &DeclarationAddress,
    ) -> Option<Requirement> {
        if from == to {
            return None;
        }
        let (before, after) = (self.recorded_keys(from), self.wanted_keys(to));
        if before.is_empty() {
            return None;
        }
        let needed = self.most_asked(from);
        let how = weaker(&before, &after, needed)?;
        let why = format!("{}, whose approvers are {how}", why());
        Some(self.ask(why, needed, [from]))
    }

    /// A ceiling is raised by those who answer for the agent; for an identity also by another agent.
    fn ceilings(&self, all: &mut Vec<Requirement>) {
        let ask = |why: Option<String>, agent| {
            let owner = self.known.agents.get(agent)?;
            Some(self.ask(why?, 1, [owner]))
        };
        for agent in self.sides.wanted.agents.keys() {
            all.extend(ask(self.raised(agent, agent, agent), agent));
        }
        for (identity, wanted) in &self.sides.wanted.identities {
            if let Some(recorded) = self.known.identities.get(identity)
                && recorded.agent != wanted.agent
            {
                let why = self.raised(identity, &recorded.agent, &wanted.agent);
                all.extend(ask(why, &recorded.agent));
            }
        }
    }

    /// How the ceiling of something is raised that was of one agent and will be of another.
    fn raised(
        &self,
        what: &DeclarationAddress,
        from: &DeclarationAddress,
        to: &DeclarationAddress,
    ) -> Option<String> {
        let before = self.known.ceilings.get(from)?;
        let Some(after) = self.sides.wanted.ceilings.get(to) else {
            return Some(format!("{what} loses its ceiling"));
        };
        let new: Vec<String> = after.difference(before).map(ToString::to_string).collect();
        (!new.is_empty()).then(|| format!("the ceiling of {what} is raised by {}", new.join(", ")))
    }

    fn scopes(&self, all: &mut Vec<Requirement>) {
        for (scope, wanted) in &self.sides.wanted.scopes {
            let recorded = self.known.scopes.get(scope);
            if let Some(recorded) = recorded.filter(|recorded| *recorded != wanted) {
                let (required, groups) = self.of_scope(scope, recorded);
                for owners in &groups {
                    for what in self.looser(required, owners, recorded, wanted) {
                        all.push(self.ask(format!("{scope} {what}"), required, owners));
                    }
                }
            }
        }
    }

    /// How a scope asks for less than before, or others, in words: as these owners see it, of whom
    /// so many had to agree.
    fn looser(
        &self,
        required: u32,
        owners: &BTreeSet<DeclarationAddress>,
        before: &ScopeFacts,
        after: &ScopeFacts,
    ) -> Vec<String> {
        let mut found = Vec::new();
        if after.risk < before.risk {
            let (from, to) = (before.risk.name(), after.risk.name());
            found.push(format!("is called {to}, and its risk was {from}"));
        }
        let Some(wanted) = &after.approval else {
            if let Some(before) = &before.approval {
                found.push(format!(
                    "no longer asks for approval, and it took {}",
                    before.required
                ));
            }
            return found;
        };
        let is_same = match &before.approval {
            // Its holders' owners are asked for what it gives in production.
            None => before.risk < Risk::High,
            Some(before) => {
                if wanted.required < before.required {
                    let (now, then) = (wanted.required, before.required);
                    found.push(format!("asks for {now} of the {then} approvals it took"));
                }
                before.from == wanted.from
            }
        };
        let then = owners.iter().flat_map(|one| self.recorded_keys(one));
        let now = wanted.from.iter().flat_map(|one| self.wanted_keys(one));
        if !is_same && let Some(how) = weaker(&then.collect(), &now.collect(), required) {
            found.push(format!("lets {how} approve"));
        }
        found
    }

    /// How many must agree before a scope asks for less, and of which owners: of those it names
    /// together, else of its holders' each, since none of them speaks for another.
    fn of_scope(
        &self,
        scope: &DeclarationAddress,
        recorded: &ScopeFacts,
    ) -> (u32, Vec<BTreeSet<DeclarationAddress>>) {
        let least = if recorded.risk == Risk::Critical {
            2
        } else {
            1
        };
        if let Some(approval) = &recorded.approval {
            return (approval.required.max(least), vec![approval.from.clone()]);
        }
        let owners = self
            .sides
            .owners_of(|identity| identity.scopes.contains(scope));
        (least, each(self.and_formerly(scope, owners)))
    }

    /// With the owners whom a scope or an environment concerned before: taking access away is free,
    /// and would else take away who is asked. A team that wasn't declared any more before, under any label,
    /// isn't asked: it couldn't answer.
    fn and_formerly<'b>(
        &'b self,
        what: &DeclarationAddress,
        mut owners: BTreeSet<&'b DeclarationAddress>,
    ) -> BTreeSet<&'b DeclarationAddress> {
        let is_gone = |owner: &DeclarationAddress| self.known.gone.contains(owner);
        let is_there = |owner: &&DeclarationAddress| {
            let keys = self.recorded_keys(owner);
            let recorded = self.known.owners.iter();
            let declared = recorded.filter(|(other, _)| !is_gone(other));
            let wanted = self.sides.wanted.owners.iter();
            let mut all = declared.chain(wanted);
            all.any(|(other, theirs)| other == *owner || !theirs.is_disjoint(&keys))
        };
        let formerly = self.known.concerned.get(what).into_iter().flatten();
        owners.extend(formerly.filter(is_there));
        owners
    }

    /// A scope under another label: the old one is gone and new ones are there that ask for less.
    fn labels(&self, all: &mut Vec<Requirement>) {
        let wanted = &self.sides.wanted.scopes;
        let held = |scope: &DeclarationAddress| {
            let mut identities = self.known.identities.values();
            identities.any(|identity| identity.scopes.contains(scope))
        };
        let gone = self.known.scopes.iter().filter(|(scope, facts)| {
            facts.takes_approval() && !wanted.contains_key(*scope) && held(scope)
        });
        let new: Vec<_> = wanted
            .iter()
            .filter(|(scope, _)| !self.known.scopes.contains_key(*scope))
            .collect();
        for (old, before) in gone {
            let (required, groups) = self.of_scope(old, before);
            for (scope, after) in &new {
                for owners in &groups {
                    if self.looser(required, owners, before, after).is_empty() {
                        continue;
                    }
                    let why =
                        format!("{scope} is new while {old} goes, and asks for less than that did");
                    all.push(self.ask(why, required, owners));
                }
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
            let recorded = self.known.environments.get(environment);
            if let Some(before) = recorded.map(|facts| facts.tier)
                && wanted.tier < before
            {
                let (to, from) = (wanted.tier.name(), before.name());
                let why = format!("{environment} is called {to}, and its tier was {from}");
                let required = if before == Tier::Production {
                    required
                } else {
                    1
                };
                let mut there = BTreeSet::from([environment]);
                if before == Tier::Production {
                    // What may be done there without asking reaches who lives beside it.
                    let targets = recorded.into_iter().flat_map(|facts| &facts.targets);
                    let targets = targets.chain(&wanted.targets).collect();
                    there.extend(productions_in(self.known, environment, &targets));
                }
                self.ask_those_within(&there, &why, required, all);
            }
            let beside = newly_beside(self.sides, environment);
            if !beside.is_empty() {
                let tier = wanted.tier.name();
                let names: Vec<String> = beside.iter().map(ToString::to_string).collect();
                let why = format!(
                    "{environment}, of tier {tier}, is new in a target of production: {}",
                    names.join(", ")
                );
                self.ask_those_within(&beside, &why, required, all);
            }
        }
    }

    /// Asks who is in these environments: each of the owners whose identities there hold what takes
    /// approval, since none of them speaks for another; where none does, any of the others.
    fn ask_those_within(
        &self,
        environments: &BTreeSet<&DeclarationAddress>,
        why: &str,
        required: u32,
        all: &mut Vec<Requirement>,
    ) {
        let is_gated = |scope: &DeclarationAddress| {
            let scope = self.known.scopes.get(scope);
            scope.is_some_and(ScopeFacts::takes_approval)
        };
        let is_there = |identity: &IdentityFacts| environments.contains(&identity.environment);
        let mut gated = self
            .sides
            .owners_of(|identity| is_there(identity) && identity.scopes.iter().any(is_gated));
        for environment in environments {
            gated = self.and_formerly(environment, gated);
        }
        let groups = if gated.is_empty() {
            let owners = self.sides.owners_of(is_there);
            vec![owners.into_iter().cloned().collect()]
        } else {
            each(gated)
        };
        for owners in &groups {
            all.push(self.ask(why.to_owned(), required, owners));
        }
    }

    fn exceptions(&self, all: &mut Vec<Requirement>) {
        for (address, wanted) in &self.sides.wanted.exceptions {
            let known = self.known.exceptions.get(address);
            // Who else comes to be concerned, or is no longer, makes it no other.
            if known.is_some_and(|known| known.what == wanted.what) {
                continue;
            }
            let why = match known {
                None => format!("{address} is a new exception: {}", wanted.what),
                Some(known) => format!(
                    "{address} is another exception: {}, and was {}",
                    wanted.what, known.what
                ),
            };
            all.push(self.ask(why, 1, &wanted.owners));
        }
    }
}

fn people(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Each owner by itself; nobody's is one group too.
fn each(owners: BTreeSet<&DeclarationAddress>) -> Vec<BTreeSet<DeclarationAddress>> {
    if owners.is_empty() {
        return vec![BTreeSet::new()];
    }
    owners
        .into_iter()
        .map(|owner| BTreeSet::from([owner.clone()]))
        .collect()
}

/// How those who approve `now` are less than those who did `then`, of whom so many had to agree:
/// whoever is left over could bring in others.
fn weaker(then: &BTreeSet<String>, now: &BTreeSet<String>, required: u32) -> Option<&'static str> {
    if now.is_empty() {
        Some("none")
    } else if !now.is_subset(then) {
        Some("others")
    } else if now.len() < then.len() && people(now.len()) < required {
        Some("too few")
    } else {
        None
    }
}

/// The recorded production environments in whose targets an environment of a lower tier is new. As
/// long as no approver is recorded it may be: nobody could be asked.
pub(super) fn newly_beside<'a>(
    sides: Sides<'a>,
    environment: &DeclarationAddress,
) -> BTreeSet<&'a DeclarationAddress> {
    let (Some(recorded), Some(wanted)) =
        (sides.known(), sides.wanted.environments.get(environment))
    else {
        return BTreeSet::new();
    };
    if wanted.tier == Tier::Production {
        return BTreeSet::new();
    }
    let before = recorded.environments.get(environment);
    let is_new = |target: &&String| before.is_none_or(|facts| !facts.targets.contains(*target));
    let new: BTreeSet<&String> = wanted.targets.iter().filter(is_new).collect();
    productions_in(recorded, environment, &new)
}

/// The production environments that live in one of these targets, but for this one.
fn productions_in<'a>(
    recorded: &'a Facts,
    environment: &DeclarationAddress,
    targets: &BTreeSet<&String>,
) -> BTreeSet<&'a DeclarationAddress> {
    let all = recorded.environments.iter();
    all.filter(|(other, facts)| *other != environment && facts.tier == Tier::Production)
        .filter(|(_, facts)| facts.targets.iter().any(|one| targets.contains(one)))
        .map(|(other, _)| other)
        .collect()
}
