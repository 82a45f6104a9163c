//! What waits for what, and the order that follows.
//!
//! Edges come from the graph (an object after what it depends on, a removal before it), from
//! containers, and from the promise that access never exceeds what the old or the new
//! configuration allows: for one identity, what takes away comes before what lets in, and that
//! before what gives. The last sort gives way where the configuration asks for the opposite
//! with `depends_on`.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::schema::Role;
use remit_sdk::{DeclarationAddress, Kind, ObjectAddress};

use super::contained::is_contained;
use super::steps::{Edges, Made};
use super::{Phase, Precondition, Step, StepOperation};
use crate::diff::change::Reason;
use crate::diff::{Action, Differences};
use crate::lower::Catalog;
use crate::state::Operation;

/// `before` ends before `after` starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    before: usize,
    after: usize,
    /// Gives way where it would close a circle.
    yields: bool,
    /// `after` needs `before` to have ended, and not to be done.
    only_order: bool,
}

/// Everything that waits for something.
pub(super) fn edges(
    steps: &[Step],
    made: &BTreeMap<ObjectAddress, Made>,
    differences: &Differences,
    catalog: &Catalog<'_>,
) -> Edges {
    let mut edges = Edges::new();
    let mut add = |before: Option<usize>, after: Option<usize>, yields: bool| {
        if let (Some(before), Some(after)) = (before, after)
            && before != after
        {
            edges.insert(Edge {
                before,
                after,
                yields,
                only_order: false,
            });
        }
    };
    for (address, one) in made {
        add(one.delete, one.last, false);
        add(one.detach, one.last, false);
        for step in [one.delete, one.detach, one.last] {
            add(one.moved, step, false);
        }
        let Some(change) = differences.changes.get(address) else {
            continue;
        };
        for needed in &change.details.depends_on {
            let Some(other) = made.get(needed) else {
                continue;
            };
            let removed = |address| {
                differences
                    .changes
                    .get(address)
                    .is_some_and(|change| matches!(change.action, Action::Delete | Action::Forget))
            };
            // A subject that is there already is enough to bind to: what it is given comes last.
            // And what takes away waits for no change of what it stands on.
            let first = if gives_later(steps, other, catalog) || takes_away(steps, one, other) {
                other.detach
            } else {
                other.last
            };
            if !removed(address) && !removed(needed) {
                add(first, one.last, false);
            }
            if !gives_to(address, needed, catalog) {
                add(one.delete, other.delete, false);
            }
        }
        // What it stood on goes when it no longer does.
        for former in &change.details.former_needs {
            let removal = made.get(former).and_then(|other| other.delete);
            add(one.detach.or(one.last), removal, true);
        }
        if let Reason::Container(container) = &change.reason {
            add(
                made.get(container).and_then(|container| container.last),
                one.last,
                false,
            );
        }
    }
    let by_holder = by_holder(steps, differences, catalog);
    edges.extend(
        by_holder
            .into_iter()
            .filter(|edge| edge.before != edge.after),
    );
    edges
}

/// Whether one is a subject and the other a grant that it carries: what is given goes before who
/// it was given to, which is sorted by holder.
fn gives_to(subject: &ObjectAddress, grant: &ObjectAddress, catalog: &Catalog<'_>) -> bool {
    let is = |address: &ObjectAddress, role| {
        catalog
            .kind(&address.kind)
            .is_some_and(|kind| kind.role == role)
    };
    is(subject, Role::Subject) && is(grant, Role::Grant)
}

/// Whether these steps change a subject that exists.
fn gives_later(steps: &[Step], made: &Made, catalog: &Catalog<'_>) -> bool {
    made.last
        .and_then(|last| steps.get(last))
        .is_some_and(|step| {
            step.operation == StepOperation::Write(Operation::Update)
                && catalog
                    .kind(&step.kind)
                    .is_some_and(|kind| kind.role == Role::Subject)
        })
}

/// Whether the last of these steps takes access away, while `other` is only changed.
fn takes_away(steps: &[Step], one: &Made, other: &Made) -> bool {
    let step = |made: &Made| made.last.and_then(|last| steps.get(last));
    step(one).is_some_and(|step| step.phase == Phase::Narrow)
        && step(other).is_some_and(|step| step.operation == StepOperation::Write(Operation::Update))
}

/// For each identity: what takes away, what lets in, what gives, in this order.
fn by_holder(steps: &[Step], differences: &Differences, catalog: &Catalog<'_>) -> Vec<Edge> {
    #[derive(Default)]
    struct Access {
        narrowing: Vec<usize>,
        grant_removals: Vec<usize>,
        other_removals: Vec<usize>,
        binding: Vec<usize>,
        giving: Vec<usize>,
        /// Grants that are made or changed, of a subject that is made in this plan.
        before_binding: Vec<usize>,
        /// Texts of grants that it holds no longer.
        of_others: Vec<usize>,
    }
    let made: BTreeSet<&DeclarationAddress> = steps
        .iter()
        .filter(|step| step.operation == StepOperation::Write(Operation::Create))
        .filter(|step| {
            catalog
                .kind(&step.kind)
                .is_some_and(|kind| kind.role == Role::Subject)
        })
        .flat_map(|step| &step.record.holders)
        .collect();
    let mut holders: BTreeMap<&DeclarationAddress, Access> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let Some(kind) = catalog.kind(&step.kind) else {
            continue;
        };
        let removal = step.operation == StepOperation::Write(Operation::Delete);
        let change = differences.changes.get(&step.address);
        if kind.role == Role::Grant && step.phase == Phase::Widen {
            for holder in change.iter().flat_map(|one| &one.details.former_holders) {
                holders.entry(holder).or_default().of_others.push(index);
            }
        }
        for holder in &step.record.holders {
            let access = holders.entry(holder).or_default();
            match (kind.role, step.phase) {
                (Role::Grant, _) if removal => access.grant_removals.push(index),
                (Role::Binding | Role::Subject, _) if removal => access.other_removals.push(index),
                (Role::Grant | Role::Subject, Phase::Narrow) => access.narrowing.push(index),
                (Role::Binding, _) => access.binding.push(index),
                // Whoever is new must not be let in while an old text still stands, or somebody
                // else's under the same name.
                (Role::Grant, Phase::Widen) if made.contains(holder) => {
                    access.before_binding.push(index);
                }
                (Role::Grant | Role::Subject, Phase::Widen) => access.giving.push(index),
                _ => {}
            }
        }
    }
    // A binding that isn't made lets nobody in: what gives access to its holder need not be
    // withheld from others who hold the same.
    let lets_nobody_in = |index: usize| {
        steps.get(index).is_some_and(|step| {
            step.operation == StepOperation::Write(Operation::Create)
                && catalog
                    .kind(&step.kind)
                    .is_some_and(|kind| kind.role == Role::Binding)
        })
    };
    // A binding comes after the bound it names, whatever else would be better.
    let stands_on = |index: usize, other: usize| match (steps.get(index), steps.get(other)) {
        (Some(step), Some(other)) => {
            step.record.depends_on.contains(&other.address)
                && catalog
                    .kind(&other.kind)
                    .is_some_and(|kind| kind.role == Role::Grant)
        }
        _ => false,
    };
    let mut edges = Vec::new();
    let mut all = |before: &[usize], after: &[usize]| {
        for before in before {
            let after = after.iter().filter(|after| !stands_on(*before, **after));
            edges.extend(after.map(|after| Edge {
                before: *before,
                after: *after,
                yields: true,
                only_order: lets_nobody_in(*before),
            }));
        }
    };
    for access in holders.values() {
        all(&access.grant_removals, &access.other_removals);
        all(&access.grant_removals, &access.binding);
        // Whoever holds it no longer must have lost it before it says something else.
        all(&access.narrowing, &access.of_others);
        all(&access.other_removals, &access.of_others);
        all(&access.narrowing, &access.binding);
        all(&access.before_binding, &access.binding);
        all(&access.narrowing, &access.giving);
        all(&access.binding, &access.giving);
    }
    // Texts of policies before the subject that carries them, so that its one update gives all.
    // What bounds a binding from outside changes while what lives in the binding is taken out.
    for access in holders.values() {
        let of = |all: &[usize], fits: &dyn Fn(&Kind) -> bool| -> Vec<usize> {
            all.iter()
                .copied()
                .filter(|index| {
                    steps
                        .get(*index)
                        .and_then(|step| catalog.kind(&step.kind))
                        .is_some_and(fits)
                })
                .collect()
        };
        let inside = |kind: &Kind| is_contained(kind, catalog);
        let outside = |kind: &Kind| kind.role == Role::Grant && !is_contained(kind, catalog);
        let texts = of(&access.giving, &outside);
        let subjects = of(&access.giving, &|kind| kind.role == Role::Subject);
        all(&texts, &subjects);
        all(&of(&access.grant_removals, &inside), &texts);
        all(&of(&access.narrowing, &inside), &texts);
        all(&texts, &of(&access.giving, &inside));
    }
    edges
}

/// Puts the steps in order, numbers them from 1 and writes down what each waits for.
pub(super) fn sort(steps: Vec<Step>, mut edges: Edges) -> Vec<Step> {
    let mut order = topological(&steps, &edges);
    if order.len() < steps.len() {
        let ordered: BTreeSet<usize> = order.iter().copied().collect();
        edges.retain(|edge| {
            !edge.yields || ordered.contains(&edge.before) || ordered.contains(&edge.after)
        });
        order = topological(&steps, &edges);
    }
    // By whether the edge is for the order only; where both are, one needs the other done.
    let mut before: BTreeMap<usize, BTreeMap<usize, bool>> = BTreeMap::new();
    for edge in &edges {
        before
            .entry(edge.after)
            .or_default()
            .entry(edge.before)
            .and_modify(|only_order| *only_order &= edge.only_order)
            .or_insert(edge.only_order);
    }
    // A step runs no earlier than what it waits for.
    let mut phases: BTreeMap<usize, Phase> = BTreeMap::new();
    for index in &order {
        let own = steps.get(*index).map_or(Phase::Neutral, |step| step.phase);
        let waited = before
            .get(index)
            .into_iter()
            .flatten()
            .filter_map(|(other, _)| phases.get(other));
        let phase = waited.copied().chain([own]).max().unwrap_or(own);
        phases.insert(*index, phase);
    }
    let place: BTreeMap<usize, usize> = order
        .iter()
        .enumerate()
        .map(|(place, index)| (*index, place))
        .collect();
    order.sort_by_key(|index| (phases.get(index).copied(), place.get(index).copied()));
    let numbers: BTreeMap<usize, usize> = order
        .iter()
        .enumerate()
        .map(|(place, index)| (*index, place + 1))
        .collect();
    let number = |index: &usize| numbers.get(index).copied().unwrap_or_default();
    let mut slots: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    order
        .iter()
        .filter_map(|index| {
            let mut step = slots.get_mut(*index)?.take()?;
            step.id = number(index);
            step.phase = phases.get(index).copied().unwrap_or(step.phase);
            for (other, only_order) in before.get(index).into_iter().flatten() {
                if *only_order {
                    step.follows.insert(number(other));
                } else {
                    step.waits_for.insert(number(other));
                }
            }
            if let Precondition::After(other) = &mut step.precondition {
                *other = number(other);
            }
            Some(step)
        })
        .collect()
}

/// As many steps as can be put in order; among those that could be next, the one of the earliest
/// phase and smallest address.
fn topological(steps: &[Step], edges: &Edges) -> Vec<usize> {
    let mut waiting = vec![0usize; steps.len()];
    let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for edge in edges {
        if let Some(count) = waiting.get_mut(edge.after) {
            *count += 1;
        }
        after.entry(edge.before).or_default().push(edge.after);
    }
    let rank = |index: usize| {
        steps
            .get(index)
            .map(|step| (step.phase, &step.address, index))
    };
    let mut ready: BTreeSet<_> = waiting
        .iter()
        .enumerate()
        .filter(|(_, n)| **n == 0)
        .filter_map(|(i, _)| rank(i))
        .collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some((_, _, index)) = ready.pop_first() {
        order.push(index);
        for next in after.get(&index).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*next) {
                *count -= 1;
                if *count == 0 {
                    ready.extend(rank(*next));
                }
            }
        }
    }
    order
}
