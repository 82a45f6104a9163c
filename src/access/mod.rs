//! What each identity can do before and after a plan. PURE.
//!
//! In: what is recorded, live and wanted, as worlds, and the providers' evaluators of policies.
//! Out: for each subject what it gains and loses in effect, with the scope it comes from, and what
//! somebody gave it behind remit's back.

mod ceiling;
mod compare;
mod moments;
#[cfg(test)]
mod tests;
mod who;

use std::collections::BTreeSet;

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Excess, Subject};
use serde::{Deserialize, Serialize};

pub use ceiling::{Exceeding, exceeding};
pub use compare::{Moments, Reached, changes, is_self, scope_of, scopes};
pub use moments::{Around, Moment};
pub use who::{Can, answers, can};

/// What changes for one subject in one provider instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessChange {
    /// The declaration it belongs to: an identity, or a resource that carries permissions itself.
    pub identity: DeclarationAddress,
    /// Whose it is, where it is declared as an identity.
    pub whose: Option<Whose>,
    /// The provider instance.
    pub instance: String,
    /// The object that carries the permissions.
    pub subject: Subject,
    /// Whether it wasn't there before.
    pub is_new: bool,
    /// Whether it won't be there afterwards.
    #[serde(default)]
    pub is_gone: bool,
    /// What it may do after and not before.
    pub gained: Vec<Attributed>,
    /// What it could do before and not after.
    pub lost: Vec<Attributed>,
    /// What it can do now beyond what was recorded: somebody changed that outside remit.
    pub drifted: Vec<Attributed>,
}

/// Whose an identity is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// The agent.
    pub agent: DeclarationAddress,
    /// Who answers for it.
    pub owner: Option<DeclarationAddress>,
    /// The environment's name.
    pub environment: String,
    /// `production`, `staging`, `development`.
    pub tier: Option<String>,
}

/// Something allowed, with the scopes it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attributed {
    /// What is allowed, and how sure that is.
    pub excess: Excess,
    /// The scopes that grant it; empty where it comes from elsewhere.
    pub scopes: BTreeSet<DeclarationAddress>,
    /// The highest risk of those: `low`, `medium`, `high`, `critical`.
    pub risk: Option<String>,
}

impl AccessChange {
    /// Whether access grows.
    pub fn widens(&self) -> bool {
        !self.gained.is_empty()
    }

    /// Whether the plan takes back all of something that was given outside remit.
    pub fn takes_back(&self, drifted: &Attributed) -> bool {
        let drifted = &drifted.excess.permission;
        let holds = |lost: &Attributed| {
            let lost = &lost.excess.permission;
            lost.resources == drifted.resources && lost.actions.is_superset(&drifted.actions)
        };
        self.is_gone || self.lost.iter().any(holds)
    }

    /// Whether access shrinks.
    pub fn narrows(&self) -> bool {
        !self.lost.is_empty()
    }
}
