//! What a plan means and what it takes: access, findings and approvals, put together.
//!
//! In: a plan and what it was made from. Out: a [`Review`]. What subjects hold of others is read
//! first, since a plan that doesn't know it can't say what they can do.

use std::collections::BTreeMap;

use remit_sdk::provider::{Reading, Target};
use remit_sdk::{Diagnostic, Kind};

use crate::access::{self, AccessChange, Around, Moment, Moments, Reached};
use crate::gate::{self, Requirement, Review};
use crate::lower::{Catalog, Desired};
use crate::model::Model;
use crate::observe::{self, Observed, Place, Readers};
use crate::plan::{Mode, Plan};
use crate::state::{Facts, Recorded};

/// Policies of others that are read to know what somebody can do. An entity holds a handful; more
/// than this is somebody's mistake, and isn't worth waiting for.
const HELD_MAX: usize = 500;

/// What a review is made from beside the plan.
pub(super) struct Material<'a> {
    pub(super) model: &'a Model,
    pub(super) wanted: &'a Desired,
    pub(super) recorded: &'a Recorded,
    pub(super) observed: &'a Observed,
    pub(super) catalog: &'a Catalog<'a>,
}

/// Reads what subjects hold that is neither recorded nor wanted, one by one. What can't be read
/// stays unknown, and is told as that.
pub(super) async fn read_held(
    observed: &mut Observed,
    wanted: &Desired,
    recorded: &Recorded,
    (model, catalog): (&Model, &Catalog<'_>),
    readers: &Readers<'_>,
) {
    for (place, kind) in held(observed, wanted, recorded, (model, catalog)) {
        let Some(reader) = readers.get(&place.0) else {
            continue;
        };
        let reading = reader.read(kind, &place.2).await;
        if let Reading::Present(_) = reading {
            observed.readings.insert(place, reading);
        }
    }
}

fn held(
    observed: &Observed,
    wanted: &Desired,
    recorded: &Recorded,
    (model, catalog): (&Model, &Catalog<'_>),
) -> Vec<(Place, &'static Kind)> {
    let around = Around {
        model,
        targets: &observed.targets,
    };
    let live = Moment::live(recorded, wanted, observed, catalog);
    let planned = Moment::wanted(wanted);
    let mut found = BTreeMap::new();
    for moment in [&live, &planned] {
        for instance in moment.instances() {
            let Some(evaluator) = catalog.evaluator_of_instance(instance) else {
                continue;
            };
            for (kind, key) in evaluator.missing(&moment.world(instance, around)) {
                let place = (instance.to_owned(), kind.to_owned(), key);
                if let Some(kind) = catalog.kind(kind)
                    && !observed.readings.contains_key(&place)
                {
                    found.insert(place, kind);
                }
            }
        }
    }
    found.into_iter().take(HELD_MAX).collect()
}

/// Says what a plan means and what it takes. The one place where access, findings and the
/// approvals they ask for are put together.
pub(super) fn review(mut plan: Plan, material: &Material<'_>) -> Review {
    let Material {
        model, recorded, ..
    } = material;
    let access = access(&plan, material);
    plan.gate = facts(&plan, model, recorded);
    Review {
        approvals: approvals(&plan, &access, model, recorded),
        plan,
        access,
        findings: Vec::new(),
        skipped: Vec::new(),
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
    (recorded.gate.as_ref() != Some(&next)).then_some(next)
}

fn targets(plan: &Plan, recorded: &Recorded) -> BTreeMap<String, Target> {
    let mut all = recorded.targets.clone();
    all.extend(plan.targets.clone());
    all
}

/// Reads everything that `remit access` looks at: what is wanted, recorded, and held of others.
pub async fn look(
    model: &Model,
    desired: &Desired,
    recorded: &Recorded,
    catalog: &Catalog<'_>,
    readers: &Readers<'_>,
    parallelism: usize,
) -> Result<(Observed, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (mut observed, diagnostics) =
        observe::observe(desired, recorded, catalog, readers, parallelism).await?;
    read_held(&mut observed, desired, recorded, (model, catalog), readers).await;
    Ok((observed, diagnostics))
}

fn access(plan: &Plan, material: &Material<'_>) -> Vec<AccessChange> {
    let Material {
        model,
        wanted,
        recorded,
        observed,
        catalog,
    } = *material;
    let around = Around {
        model,
        targets: &observed.targets,
    };
    let mut reached = Reached::by(&plan.changes);
    reached.add(plan.drift.keys().filter_map(|address| {
        let record = recorded.objects.get(address)?;
        Some((address, &record.holders))
    }));
    if reached.is_nobody() {
        return Vec::new();
    }
    let was = Moment::recorded(recorded, catalog);
    let live = Moment::live(recorded, wanted, observed, catalog);
    let planned = live.after(&plan.changes, catalog);
    let moments = Moments {
        recorded: &was,
        live: &live,
        planned: &planned,
    };
    access::changes(moments, catalog, around, &reached)
}
