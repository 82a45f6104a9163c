//! A plan to a review: what it means and what it takes.
//!
//! In: a plan and what it was made from. Out: a [`Review`]. The one place where access, findings
//! and the approvals they ask for are put together; nothing here looks at a clock or a server.

use std::collections::BTreeMap;

use remit_sdk::provider::Target;

use crate::access::AccessChange;
use crate::gate::{self, Requirement, Review};
use crate::lower::{Catalog, Desired};
use crate::model::Model;
use crate::observe::Observed;
use crate::plan::{Mode, Plan};
use crate::state::{Facts, Recorded};

/// What a review is made from beside the plan.
#[allow(dead_code)] // `wanted`, `observed` and `catalog` are for what computes access and findings
pub(super) struct Material<'a> {
    /// What is declared.
    pub(super) model: &'a Model,
    /// What it becomes; nothing, to destroy.
    pub(super) wanted: &'a Desired,
    /// What is recorded, with what a crash left undecided decided.
    pub(super) recorded: &'a Recorded,
    /// What is live.
    pub(super) observed: &'a Observed,
    /// All kinds.
    pub(super) catalog: &'a Catalog<'a>,
}

/// Says what a plan means and what it takes.
pub(super) fn review(mut plan: Plan, material: &Material<'_>) -> Review {
    let Material {
        model, recorded, ..
    } = material;
    plan.gate = facts(&plan, model, recorded);
    let access = Vec::new();
    let findings = Vec::new();
    let skipped = Vec::new();
    Review {
        approvals: approvals(&plan, &access, model, recorded),
        plan,
        access,
        findings,
        skipped,
    }
}

/// Whose approval a plan takes. Computed again when it is applied, since a file can be written by
/// anybody.
pub fn approvals(
    plan: &Plan,
    access: &[AccessChange],
    model: &Model,
    recorded: &Recorded,
) -> Vec<Requirement> {
    if plan.mode != Mode::Apply {
        return Vec::new();
    }
    let wanted = gate::facts::wanted(model, &targets(plan, recorded));
    gate::requirements(access, recorded.gate.as_ref(), &wanted)
}

/// What the gate is to hold later changes against, where that differs from what is recorded.
pub fn facts(plan: &Plan, model: &Model, recorded: &Recorded) -> Option<Facts> {
    if plan.mode != Mode::Apply {
        return None;
    }
    let wanted = gate::facts::wanted(model, &targets(plan, recorded));
    let next = gate::facts::next(recorded.gate.as_ref(), &wanted);
    // Nothing to say is nothing to record.
    let before = recorded.gate.clone().unwrap_or_default();
    (before != next).then_some(next)
}

fn targets(plan: &Plan, recorded: &Recorded) -> BTreeMap<String, Target> {
    let mut all = recorded.targets.clone();
    all.extend(plan.targets.clone());
    all
}
