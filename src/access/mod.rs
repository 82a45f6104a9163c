//! What each identity can do before and after a plan. PURE.
//!
//! In: what is recorded, live and wanted, as worlds, and the providers' evaluators of policies.
//! Out: for each subject what it gains and loses in effect, with the scope it comes from, and what
//! somebody gave it behind remit's back.

mod compare;
mod moments;

use std::collections::BTreeSet;

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Excess, Subject};
use serde::{Deserialize, Serialize};

pub use compare::{Evaluators, Moments, Reached, changes, evaluator, scopes};
pub use moments::{Around, Moment};

/// What changes for one subject in one provider instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessChange {
    /// The declaration it belongs to: an identity, or a resource that carries permissions itself.
    pub identity: DeclarationAddress,
    /// The provider instance.
    pub instance: String,
    /// The object that carries the permissions.
    pub subject: Subject,
    /// Whether it wasn't there before.
    pub is_new: bool,
    /// What it may do after and not before.
    pub gained: Vec<Attributed>,
    /// What it could do before and not after.
    pub lost: Vec<Attributed>,
    /// What it can do now beyond what was recorded: somebody changed that outside remit.
    pub drifted: Vec<Attributed>,
}

/// Something allowed, with the scopes it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attributed {
    /// What is allowed, and how sure that is.
    pub excess: Excess,
    /// The scopes that grant it; empty where it comes from elsewhere.
    pub scopes: BTreeSet<DeclarationAddress>,
}

impl AccessChange {
    /// Whether access grows.
    pub fn widens(&self) -> bool {
        !self.gained.is_empty()
    }

    /// Whether access shrinks.
    pub fn narrows(&self) -> bool {
        !self.lost.is_empty()
    }
}
