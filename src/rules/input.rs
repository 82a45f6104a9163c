//! What rules look at: everything is handed in, the clock included.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Escalation, Excess, Permission, Subject};
use remit_sdk::{DeclarationAddress, Span};

use crate::access::AccessChange;
use crate::config::literals::Literal;
use crate::model::Model;
use crate::observe::Observed;
use crate::plan::Plan;

/// What rules look at. `None` is an input that isn't there: what needs it is listed as skipped.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// What is declared.
    pub model: &'a Model,
    /// The texts that are written in the configuration.
    pub literals: Option<&'a [Literal]>,
    /// What would change.
    pub plan: Option<&'a Plan>,
    /// What everybody can do once the plan is applied.
    pub access: Option<&'a InEffect>,
    /// What each identity gains and loses by the plan.
    pub changes: Option<&'a [AccessChange]>,
    /// What is live.
    pub observed: Option<&'a Observed>,
    /// Now: RFC 3339.
    pub now: &'a str,
    /// Where a span is, for people: `agents.remit.hcl:41`.
    pub place: &'a dyn Fn(Span) -> Option<String>,
}

/// What everybody can do once the plan is applied, of every provider instance together: the
/// world that the plan leaves, as the providers' evaluators see it. A subject whose declaration
/// goes with the plan isn't in it.
#[derive(Debug, Clone, Default)]
pub struct InEffect {
    /// Every permission of every subject.
    pub permissions: Vec<Effective>,
    /// What gives something and can't be evaluated, in words: `all that the policy … allows`.
    pub unknown: BTreeSet<String>,
    /// What exceeds the ceiling of an agent that has one.
    pub excess: Vec<CeilingExcess>,
    /// Ways in which permissions add up to more.
    pub escalations: Vec<EscalationOf>,
    /// Whose access each subject is, by provider instance and subject: those that an escalation
    /// may lead to.
    pub subjects: BTreeMap<(String, Subject), DeclarationAddress>,
}

/// One permission of one subject.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The declaration it belongs to: an identity, or a resource that carries permissions itself.
    pub identity: DeclarationAddress,
    /// The provider instance.
    pub instance: String,
    /// What it may do.
    pub permission: Permission,
    /// The scopes that grant it; empty where it comes from elsewhere.
    pub scopes: BTreeSet<DeclarationAddress>,
    /// Why only administrators should have it, if that is so.
    pub administrative: Option<String>,
}

/// Something that the ceiling of an identity's agent doesn't hold.
#[derive(Debug, Clone)]
pub struct CeilingExcess {
    /// The identity.
    pub identity: DeclarationAddress,
    /// The provider instance.
    pub instance: String,
    /// What is beyond the ceiling.
    pub excess: Excess,
    /// The scopes that grant it.
    pub scopes: BTreeSet<DeclarationAddress>,
}

/// A way in which the permissions of one subject add up to more.
#[derive(Debug, Clone)]
pub struct EscalationOf {
    /// The declaration it belongs to.
    pub identity: DeclarationAddress,
    /// The provider instance.
    pub instance: String,
    /// Who can do it.
    pub subject: Subject,
    /// How, and where it leads.
    pub escalation: Escalation,
}
