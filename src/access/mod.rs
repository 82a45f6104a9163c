//! What each identity can do before and after a plan. PURE.
//!
//! In: what is recorded, live and wanted, as worlds, and the providers' evaluators of policies.
//! Out: for each subject what it gains and loses in effect, with the scope it comes from, and what
//! somebody gave it behind remit's back; and who may become it, in the same way.

mod ceiling;
#[cfg(test)]
mod ceiling_tests;
mod compare;
#[cfg(test)]
mod logins_tests;
mod moments;
#[cfg(test)]
mod moments_tests;
#[cfg(test)]
mod tests;
mod who;

use std::collections::BTreeSet;

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Excess, Login, Subject};
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
    pub is_gone: bool,
    /// What it may do after and not before.
    pub gained: Vec<Attributed>,
    /// What it could do before and not after.
    pub lost: Vec<Attributed>,
    /// What it can do now beyond what was recorded: somebody changed that outside remit.
    pub drifted: Vec<Attributed>,
    /// What was given outside remit and the plan makes its own: beyond what was recorded, and not
    /// gained by the plan.
    pub adopted: Vec<Attributed>,
    /// The ways in which somebody becomes it after and not before.
    pub lets_in: Vec<Login>,
    /// The ways in which somebody could become it before and not after.
    pub shuts_out: Vec<Login>,
    /// The ways there are now beyond what was recorded: somebody made them outside remit.
    pub drifted_in: Vec<Login>,
    /// The ways made outside remit that the plan makes its own: beyond what was recorded, and not
    /// opened by the plan.
    pub adopted_in: Vec<Login>,
    /// All ways there are after.
    pub logins: Vec<Login>,
    /// The scopes that what it may do after comes from.
    pub held: BTreeSet<DeclarationAddress>,
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

#[cfg(test)]
impl AccessChange {
    /// A subject of which nothing changes.
    pub(crate) fn nothing(identity: DeclarationAddress, subject: Subject) -> Self {
        Self {
            identity,
            whose: None,
            instance: "vault".into(),
            subject,
            is_new: false,
            is_gone: false,
            gained: Vec::new(),
            lost: Vec::new(),
            drifted: Vec::new(),
            adopted: Vec::new(),
            lets_in: Vec::new(),
            shuts_out: Vec::new(),
            drifted_in: Vec::new(),
            adopted_in: Vec::new(),
            logins: Vec::new(),
            held: BTreeSet::new(),
        }
    }
}

impl AccessChange {
    /// Whether access grows: it may do more, or others may be it. Who may be what wasn't there
    /// before is part of its being there.
    pub fn widens(&self) -> bool {
        !self.gained.is_empty() || (!self.is_new && !self.lets_in.is_empty())
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
        !self.lost.is_empty() || !self.shuts_out.is_empty()
    }

    /// Whether there is nothing to say of it.
    pub fn is_nothing(&self) -> bool {
        let drifted = !self.drifted.is_empty() || !self.drifted_in.is_empty();
        let adopted = !self.adopted.is_empty() || !self.adopted_in.is_empty();
        !self.widens() && !self.narrows() && !drifted && !adopted && self.lets_in.is_empty()
    }
}
