//! What may be applied, and with whose approval. PURE.
//!
//! In: a plan, what access it changes, the findings of rules, what is recorded. Out: a [`Review`],
//! which is what is saved, shown and signed.

mod changes;
#[cfg(test)]
mod changes_tests;
pub mod facts;
#[cfg(test)]
mod facts_tests;
pub mod file;
#[cfg(test)]
mod file_tests;
mod loosening;
#[cfg(test)]
mod loosening_tests;
#[cfg(test)]
mod narrowed_tests;
#[cfg(test)]
mod promoted_tests;
mod requirements;
#[cfg(test)]
mod requirements_tests;
#[cfg(test)]
mod review_tests;
pub mod signature;
#[cfg(test)]
mod signature_tests;
mod verify;
#[cfg(test)]
mod verify_tests;

pub use changes::{Fact, GateChange, People, Person, changes, people};
pub use requirements::{Held, requirements};
pub use verify::{
    Missing, Signatures, diagnostics, listed, missing, shown, unmeetable_warnings, verify,
};

use serde::{Deserialize, Serialize};

use crate::access::AccessChange;
use crate::diff::{Action, Change};
use crate::plan::Plan;
use crate::rules::{Finding, ORGANISATION};

/// A plan with what it means and what it takes to apply it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The plan.
    pub plan: Plan,
    /// What each identity gains and loses.
    pub access: Vec<AccessChange>,
    /// What the rules found.
    pub findings: Vec<Finding>,
    /// The rules that lacked an input, with what was lacking.
    pub skipped: Vec<(String, String)>,
    /// The approvals it takes.
    pub approvals: Vec<Requirement>,
    /// What it changes of the facts that later plans are held against.
    pub gate_changes: Vec<GateChange>,
    /// Whose the keys are that it names.
    pub people: People,
}

impl Review {
    /// A plan of which nothing is known yet.
    pub fn of(plan: Plan) -> Self {
        Self {
            plan,
            access: Vec::new(),
            findings: Vec::new(),
            skipped: Vec::new(),
            approvals: Vec::new(),
            gate_changes: Vec::new(),
            people: People::new(),
        }
    }

    /// Whether a finding stops it from being applied: a policy's of the organisation always, a
    /// rule's unless the plan only takes away. Taking access away must be possible whatever else is
    /// wrong.
    pub fn stops(&self) -> bool {
        let stopping = || self.findings.iter().filter(|finding| finding.stops());
        let is_denied = stopping().any(|finding| finding.rule == ORGANISATION);
        is_denied || (stopping().next().is_some() && self.gives().is_some())
    }

    /// What it does beside taking away, in words, or the first of it. What takes approval gives
    /// something, whatever else the plan does; what changes nothing but who approves what takes
    /// nothing away, unless that is all it does.
    pub fn gives(&self) -> Option<String> {
        if let Some(one) = self.approvals.first() {
            return Some(one.why.clone());
        }
        let is_given = |change: &&AccessChange| {
            change.widens() || !change.adopted.is_empty() || !change.adopted_in.is_empty()
        };
        if let Some(change) = self.access.iter().find(is_given) {
            return Some(format!("{} gains access", change.identity));
        }
        let changes = &self.plan.changes;
        if let Some(given) = changes.values().find_map(may_give) {
            return Some(given);
        }
        let mut actions = changes.values().map(|change| change.action);
        let is_of_facts = self.plan.is_gated()
            && actions.all(|one| matches!(one, Action::Keep | Action::Refresh));
        let facts = &self.gate_changes;
        let only_takes_away = !facts.is_empty() && facts.iter().all(GateChange::takes_away);
        let gives = facts.iter().any(GateChange::may_give) || (is_of_facts && !only_takes_away);
        gives.then(|| "who approves what changes".to_owned())
    }
}

/// How a change may do more than take away, as far as access doesn't tell: it makes something, or
/// changes what says nothing of access, as for how long a login lasts.
fn may_give(change: &Change) -> Option<String> {
    let address = &change.address;
    match change.action {
        Action::Create => Some(format!("{address} is made")),
        Action::Replace => Some(format!("{address} is made anew")),
        Action::Adopt => Some(format!("{address} is adopted")),
        Action::Update => {
            let mut differences = change.differences.iter();
            let given = differences.find(|one| one.may_give)?;
            Some(format!("{} of {address} changes", given.name))
        }
        Action::Delete | Action::Keep | Action::Refresh | Action::Forget => None,
    }
}

/// An approval that a review takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Requirement {
    /// Why, for people: `identity.x gains s3:GetObject by scope.y`.
    pub why: String,
    /// Whether it is for a fact of the gate that is loosened: such a reason is never left out.
    pub loosens: bool,
    /// How many different people.
    pub required: u32,
    /// SSH public keys of those who may: the type and the key, without a comment.
    pub approvers: Vec<String>,
}
