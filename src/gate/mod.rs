//! What may be applied, and with whose approval. PURE.
//!
//! In: a plan, what access it changes, the findings of rules, what is recorded. Out: a [`Review`],
//! which is what is saved, shown and signed.

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

pub use requirements::{Held, requirements};
pub use verify::{Missing, Signatures, diagnostics, missing, shown, unmeetable_warnings, verify};

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
        }
    }

    /// Whether a finding stops it from being applied: a policy's of the organisation always, a
    /// rule's unless the plan only takes away. Taking access away must be possible whatever else is
    /// wrong. What changes nothing but who approves what takes nothing away, and what takes approval
    /// gives something, whatever else the plan does.
    pub fn stops(&self) -> bool {
        let is_given = |change: &AccessChange| {
            change.widens() || !change.adopted.is_empty() || !change.adopted_in.is_empty()
        };
        let mut actions = self.plan.changes.values().map(|change| change.action);
        let is_of_facts = self.plan.is_gated()
            && actions.all(|one| matches!(one, Action::Keep | Action::Refresh));
        let gives = is_of_facts
            || !self.approvals.is_empty()
            || self.plan.changes.values().any(may_give)
            || self.access.iter().any(is_given);
        self.findings
            .iter()
            .any(|finding| finding.stops() && (gives || finding.rule == ORGANISATION))
    }
}

/// Whether a change may do more than take away, as far as access doesn't tell: it makes something,
/// or changes what says nothing of access, as for how long a login lasts.
fn may_give(change: &Change) -> bool {
    match change.action {
        Action::Create | Action::Replace | Action::Adopt => true,
        Action::Update => change.differences.iter().any(|one| !one.is_access),
        Action::Delete | Action::Keep | Action::Refresh | Action::Forget => false,
    }
}

/// An approval that a review takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Requirement {
    /// Why, for people: `identity.x gains s3:GetObject by scope.y`.
    pub why: String,
    /// How many different people.
    pub required: u32,
    /// SSH public keys of those who may: the type and the key, without a comment.
    pub approvers: Vec<String>,
}
