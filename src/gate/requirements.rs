//! Whose approval a plan takes. PURE.
//!
//! In: what changes in access, the facts of the gate as recorded and as wanted. Out: every
//! [`Requirement`], in one order, none twice. A change can't be trusted to say who must agree to
//! it, so each fact counts as the stricter of what is recorded and what is wanted.
//!
//! # Whose signature counts
//!
//! As long as no approver is recorded at all, those whom the configuration names: the first apply,
//! and a state from before there was a gate. From then on, for an owner
//!
//! * with approvers recorded: those of them that are still wanted, or all of them where none is;
//! * without: those it names that are recorded for some other owner.
//!
//! A key counts once, whatever its comment and however many owners name it.
//!
//! # What takes approval
//!
//! * An identity, new or not, gains access by a scope: what the scope's `approval` asks, wanted
//!   and recorded, each on its own.
//! * In production, by a scope of risk `high` one approval at least, `critical` two, by the
//!   approvers of the agent's owner if the scope names nobody, or named nobody before. An identity is in production if its
//!   environment is, or was recorded as such, or the identity was ever recorded in one that is; and
//!   if its environment is new in a target where a recorded production environment lives (once an
//!   approver is recorded).
//! * Somebody new may be an identity that is there already: what it holds is given to them, so it
//!   takes what it would take if the identity gained each of its scopes.
//! * An identity becomes production, by its environment or by the environment's tier: what the
//!   scopes of risk `high` and `critical` that it holds, declared or in effect, would take if they
//!   were gained there.
//! * Loosening a recorded fact; see [`super::loosening`].
//!
//! Removing everything takes none, and leaves the facts as they are recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remit_sdk::DeclarationAddress;
use remit_sdk::access::Login;
use remit_sdk::declaration::{Risk, Tier};

use super::{Requirement, loosening};
use crate::access::AccessChange;
use crate::state::Facts;
use crate::state::facts::IdentityFacts;

/// What is recorded and what is wanted, side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    /// What is recorded; `None` before the first apply with a gate.
    pub(super) recorded: Option<&'a Facts>,
    /// What the configuration says.
    pub(super) wanted: &'a Facts,
}

/// The scopes by which each identity has something in effect.
pub type Held = BTreeMap<DeclarationAddress, BTreeSet<DeclarationAddress>>;

/// Whose approval a plan takes. `held` is what identities hold once it is applied.
pub fn requirements(
    access: &[AccessChange],
    held: &Held,
    recorded: Option<&Facts>,
    wanted: &Facts,
) -> Vec<Requirement> {
    let sides = Sides { recorded, wanted };
    let mut all: BTreeSet<Requirement> = BTreeSet::new();
    let mut gained = BTreeSet::new();
    for change in access {
        let identity = &change.identity;
        for (scope, what) in gains(change) {
            let why = format!("{identity} gains {what} by {scope}");
            all.extend(sides.widening(identity, scope, why));
            gained.insert((identity, scope));
        }
        // Who may be a new identity is part of what it gains.
        let opened: Vec<&Login> = change.lets_in.iter().chain(&change.adopted_in).collect();
        if change.is_new || opened.is_empty() {
            continue;
        }
        let ways = ways(&opened);
        for scope in &change.held {
            let why = format!("{identity} can be used by {ways}, with {scope}");
            all.extend(sides.widening(identity, scope, why));
        }
    }
    for (identity, scope) in sides.promoted(held) {
        if !gained.contains(&(identity, scope)) {
            let why = format!("{identity} begins to hold {scope}");
            all.extend(sides.widening(identity, scope, why));
        }
    }
    all.extend(loosening::loosened(sides));
    all.into_iter().collect()
}

/// What an identity gains by each scope, in words.
fn gains(change: &AccessChange) -> BTreeMap<&DeclarationAddress, String> {
    let mut found: BTreeMap<&DeclarationAddress, Vec<&BTreeSet<String>>> = BTreeMap::new();
    // What was given outside and becomes ours is gained by this plan, whoever gave it.
    for gained in change.gained.iter().chain(&change.adopted) {
        for scope in &gained.scopes {
            let actions = &gained.excess.permission.actions;
            found.entry(scope).or_default().push(actions);
        }
    }
    found
        .into_iter()
        .map(|(scope, actions)| {
            let actions: BTreeSet<&str> =
                actions.into_iter().flatten().map(String::as_str).collect();
            let more = actions.len().saturating_sub(ACTIONS_SHOWN);
            let shown: Vec<&str> = actions.into_iter().take(ACTIONS_SHOWN).collect();
            let mut words = shown.join(", ");
            if more > 0 {
                let _ = write!(words, " and {more} more");
            }
            (scope, words)
        })
        .collect()
}

/// How many actions a reason names: the access itself is shown elsewhere.
const ACTIONS_SHOWN: usize = 3;

/// New ways in, in words: the first, and how many more.
fn ways(all: &[&Login]) -> String {
    let first = all.first().map(|way| way.headline()).unwrap_or_default();
    match all.len().saturating_sub(1) {
        0 => first,
        1 => format!("{first} and in 1 more way"),
        more => format!("{first} and in {more} more ways"),
    }
}

impl<'a> Sides<'a> {
    /// What is recorded, if any approver is: without one there is nobody to ask.
    pub(super) fn known(self) -> Option<&'a Facts> {
        self.recorded
            .filter(|facts| facts.owners.values().any(|keys| !keys.is_empty()))
    }

    /// Every key that is recorded.
    pub(super) fn every_key(self) -> BTreeSet<String> {
        self.known().map(Facts::keys).unwrap_or_default()
    }

    /// The keys whose signatures count for an owner.
    pub(super) fn counting(self, owner: &DeclarationAddress) -> BTreeSet<String> {
        let wanted = self.wanted.owners.get(owner).cloned().unwrap_or_default();
        let Some(known) = self.known() else {
            return wanted;
        };
        let own = known.owners.get(owner).filter(|keys| !keys.is_empty());
        let (basis, otherwise) = match own {
            Some(keys) => (keys.clone(), keys.clone()),
            None => (known.keys(), BTreeSet::new()),
        };
        let both: BTreeSet<String> = basis.intersection(&wanted).cloned().collect();
        if both.is_empty() { otherwise } else { both }
    }

    /// The same for several owners.
    pub(super) fn counting_of<'b>(
        self,
        owners: impl IntoIterator<Item = &'b DeclarationAddress>,
    ) -> BTreeSet<String> {
        owners
            .into_iter()
            .flat_map(|owner| self.counting(owner))
            .collect()
    }

    /// The owner of an agent: the recorded one where there is one.
    pub(super) fn owner(self, agent: &DeclarationAddress) -> Option<&'a DeclarationAddress> {
        self.known()
            .and_then(|known| known.agents.get(agent))
            .or_else(|| self.wanted.agents.get(agent))
    }

    /// The owners of the identities that `fits` picks: of those recorded, where there are any, for a
    /// change doesn't choose whom it concerns.
    pub(super) fn owners_of(
        self,
        fits: impl Fn(&IdentityFacts) -> bool,
    ) -> BTreeSet<&'a DeclarationAddress> {
        let of = |facts: &'a Facts| -> BTreeSet<&'a DeclarationAddress> {
            let identities = facts.identities.values().filter(|one| fits(one));
            identities
                .filter_map(|one| self.owner(&one.agent))
                .collect()
        };
        let recorded = self.known().map(of).filter(|found| !found.is_empty());
        recorded.unwrap_or_else(|| of(self.wanted))
    }

    /// The stricter risk of a scope.
    fn risk(self, scope: &DeclarationAddress) -> Option<Risk> {
        let of = |facts: &Facts| facts.scopes.get(scope).map(|scope| scope.risk);
        self.recorded.and_then(of).max(of(self.wanted))
    }

    /// The stricter tier of an environment.
    fn tier(self, environment: &DeclarationAddress) -> Option<Tier> {
        let of = |facts: &Facts| facts.environments.get(environment).map(|one| one.tier);
        let new_in_production = !loosening::newly_beside(self, environment).is_empty();
        self.recorded
            .and_then(of)
            .max(of(self.wanted))
            .max(new_in_production.then_some(Tier::Production))
    }

    fn is_in_production(self, identity: &DeclarationAddress) -> bool {
        let environment = |facts: &'a Facts| facts.identities.get(identity);
        let mut known = [
            self.recorded.and_then(environment),
            environment(self.wanted),
        ]
        .into_iter()
        .flatten()
        .peekable();
        if known.peek().is_none() {
            // A resource that holds permissions itself says no environment: it counts as the
            // highest there is.
            let all = [self.recorded, Some(self.wanted)].into_iter().flatten();
            return all
                .flat_map(|facts| facts.environments.values())
                .any(|environment| environment.tier == Tier::Production);
        }
        known
            .flat_map(IdentityFacts::environments)
            .any(|environment| self.tier(environment) == Some(Tier::Production))
    }

    /// What comes into production though it isn't gained: each scope of risk `high` or more of an
    /// identity that is in production now and wasn't as far as is recorded. One that isn't recorded
    /// under its label wasn't, unless it is new and gains what it holds.
    fn promoted<'b>(
        self,
        held: &'b Held,
    ) -> BTreeSet<(&'b DeclarationAddress, &'b DeclarationAddress)>
    where
        'a: 'b,
    {
        let Some(recorded) = self.recorded else {
            return BTreeSet::new();
        };
        let identities = self.wanted.identities.iter();
        identities
            .filter(|(identity, _)| self.wanted.is_in_production(identity))
            .filter(|(identity, _)| !recorded.is_in_production(identity))
            .flat_map(|(identity, facts)| {
                let in_effect = held.get(identity).into_iter().flatten();
                let scopes = facts.scopes.iter().chain(in_effect);
                scopes.map(move |scope| (identity, scope))
            })
            .filter(|(_, scope)| self.risk(scope) >= Some(Risk::High))
            .collect()
    }

    /// What it takes that `identity` gets something by `scope`, for a reason.
    fn widening(
        self,
        identity: &DeclarationAddress,
        scope: &DeclarationAddress,
        mut why: String,
    ) -> Vec<Requirement> {
        let risk = self.risk(scope);
        let least = match risk {
            Some(Risk::Critical) if self.is_in_production(identity) => 2,
            Some(Risk::High) if self.is_in_production(identity) => 1,
            _ => 0,
        };
        if least > 0 {
            let word = if least > 1 { "critical" } else { "high" };
            let _ = write!(why, ", of risk {word}, in production");
        }
        let require = |required: u32, approvers: BTreeSet<String>| Requirement {
            loosens: false,
            why: why.clone(),
            required,
            approvers: approvers.into_iter().collect(),
        };
        let owner = || {
            let facts = |facts: &'a Facts| facts.identities.get(identity);
            let agent = self.recorded.and_then(facts).or_else(|| facts(self.wanted));
            self.counting_of(agent.and_then(|facts| self.owner(&facts.agent)))
        };
        let of = |facts: &'a Facts| facts.scopes.get(scope);
        let (before, after) = (self.recorded.and_then(of), of(self.wanted));
        // The configuration can't put others in the place of those who were asked for.
        let named_nobody = match before {
            Some(before) => before.approval.is_none(),
            None => after.is_none_or(|after| after.approval.is_none()),
        };
        let asked = [before, after].into_iter().flatten();
        let asked = asked.filter_map(|facts| facts.approval.as_ref());
        asked
            .map(|one| require(one.required.max(least), self.counting_of(&one.from)))
            .chain((named_nobody && least > 0).then(|| require(least, owner())))
            .collect()
    }
}
