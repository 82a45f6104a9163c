//! The steps that changes become, with when each runs.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{Expected, Reading};
use remit_sdk::schema::Role;
use remit_sdk::{DeclarationAddress, Kind, ObjectAddress, Value};

use super::order::{self, Edge};
use super::{Phase, Precondition, Step, StepOperation, StepRecord};
use crate::diff::{Action, Change, Differences, MARK};
use crate::lower::{Catalog, Desired};
use crate::observe::Observed;
use crate::state::Operation;

/// The steps of `differences`, in an order in which they could run one by one.
pub fn steps(
    differences: &Differences,
    desired: &Desired,
    observed: &Observed,
    catalog: &Catalog<'_>,
) -> Vec<Step> {
    let mut builder = Builder {
        catalog,
        steps: Vec::new(),
        made: BTreeMap::new(),
    };
    for change in differences.changes.values() {
        if let Some(kind) = catalog.kind(&change.kind) {
            builder.change(change, kind);
        }
    }
    builder.detach(differences, desired, observed);
    builder.take_out(differences, desired, observed);
    let edges = order::edges(&builder.steps, &builder.made, differences, catalog);
    order::sort(builder.steps, edges)
}

/// The steps that one change became, by their place in the list.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Made {
    /// The removal.
    pub(super) delete: Option<usize>,
    /// The first of two updates: takes away, before anything else.
    pub(super) detach: Option<usize>,
    /// What makes or changes it in the end.
    pub(super) last: Option<usize>,
    /// What gives its record another address, before all of these.
    pub(super) moved: Option<usize>,
}

pub(super) struct Builder<'a> {
    pub(super) catalog: &'a Catalog<'a>,
    pub(super) steps: Vec<Step>,
    pub(super) made: BTreeMap<ObjectAddress, Made>,
}

impl Builder<'_> {
    fn change(&mut self, change: &Change, kind: &Kind) {
        let mut made = Made::default();
        let live = || Precondition::Live(change.expected.clone());
        let write = StepOperation::Write;
        if change.moved_from.is_some() {
            made.moved = Some(self.push(change, StepOperation::Move, Phase::Narrow, live()));
        }
        match change.action {
            Action::Keep => return,
            Action::Create => {
                let absent = Precondition::Live(Expected::Absent);
                made.last =
                    Some(self.push(change, write(Operation::Create), made_phase(kind), absent));
            }
            Action::Adopt if change.differences.is_empty() => {
                made.last = Some(self.push(change, StepOperation::Record, Phase::Neutral, live()));
            }
            Action::Update | Action::Adopt => {
                let phase = self.update_phase(change, kind);
                made.last = Some(self.push(change, write(Operation::Update), phase, live()));
            }
            Action::Replace => {
                let phase = match kind.role {
                    Role::Grant | Role::Binding => Phase::Narrow,
                    Role::Container | Role::Config | Role::Subject => Phase::Neutral,
                };
                let expected = match &change.old {
                    Some(old) => old.expected.clone(),
                    None => Some(change.expected.clone()),
                };
                made.delete = expected.map(|expected| {
                    let precondition = Precondition::Live(expected);
                    let delete = self.push(change, write(Operation::Delete), phase, precondition);
                    if let (Some(step), Some(old)) = (self.steps.get_mut(delete), &change.old) {
                        step.instance.clone_from(&old.instance);
                        step.key.clone_from(&old.key);
                    }
                    delete
                });
                let absent = Precondition::Live(Expected::Absent);
                made.last =
                    Some(self.push(change, write(Operation::Create), made_phase(kind), absent));
            }
            Action::Delete => {
                let phase = match kind.role {
                    Role::Grant | Role::Binding | Role::Subject => Phase::Narrow,
                    Role::Container | Role::Config => Phase::CleanUp,
                };
                made.delete = Some(self.push(change, write(Operation::Delete), phase, live()));
            }
            Action::Refresh => {
                made.last = Some(self.push(change, StepOperation::Record, Phase::Neutral, live()));
            }
            Action::Forget => {
                made.last = Some(self.push(change, StepOperation::Forget, Phase::Neutral, live()));
            }
        }
        self.made.insert(change.address.clone(), made);
    }

    fn push(
        &mut self,
        change: &Change,
        operation: StepOperation,
        phase: Phase,
        precondition: Precondition,
    ) -> usize {
        let details = &change.details;
        let removes = matches!(
            operation,
            StepOperation::Write(Operation::Delete) | StepOperation::Forget
        );
        let changed = match operation {
            StepOperation::Write(Operation::Update) => change
                .differences
                .iter()
                .filter(|difference| difference.managed && difference.name != MARK)
                .map(|difference| difference.name.clone())
                .collect(),
            _ => BTreeSet::new(),
        };
        self.steps.push(Step {
            id: 0,
            waits_for: BTreeSet::new(),
            follows: BTreeSet::new(),
            phase,
            operation,
            address: change.address.clone(),
            instance: change.instance.clone(),
            kind: change.kind.clone(),
            key: change.key.clone(),
            moved_from: change.moved_from.clone(),
            precondition,
            attributes: if removes {
                BTreeMap::new()
            } else {
                details.attributes.clone()
            },
            changed,
            unset: details.unset.clone(),
            record: StepRecord {
                set: details.set.clone(),
                depends_on: details.depends_on.clone(),
                holders: details.holders.clone(),
                prevent_destroy: details.prevent_destroy,
            },
        });
        self.steps.len() - 1
    }

    /// When an update runs: before everything if it only takes away, last if it gives.
    pub(super) fn update_phase(&self, change: &Change, kind: &Kind) -> Phase {
        let provider = self.catalog.provider_of_kind(kind.name);
        let managed = || {
            change
                .differences
                .iter()
                .filter(|one| one.managed && one.name != MARK)
        };
        match kind.role {
            Role::Container | Role::Config => Phase::Neutral,
            Role::Binding => Phase::Bind,
            Role::Grant => {
                let narrows = managed().all(|difference| {
                    match (provider, &difference.before, &difference.after) {
                        (Some(provider), Some(before), Some(after)) => {
                            provider.narrows(kind, &difference.name, before, after)
                        }
                        _ => false,
                    }
                });
                if narrows { Phase::Narrow } else { Phase::Widen }
            }
            Role::Subject => {
                let mut phase = Phase::Neutral;
                for difference in managed() {
                    if kind
                        .attribute(&difference.name)
                        .is_some_and(|attribute| attribute.grants)
                    {
                        let before = members(difference.before.as_ref());
                        let after = members(difference.after.as_ref());
                        phase = if after.is_subset(&before) {
                            Phase::Narrow
                        } else {
                            Phase::Widen
                        };
                    }
                }
                phase
            }
        }
    }

    /// Splits a change of who holds what in two where giving must wait: for the taking away, or
    /// for a binding that changes at the same time. Until the binding is done, nobody may hold a
    /// grant that the old and the new configuration don't both give.
    fn detach(&mut self, differences: &Differences, desired: &Desired, observed: &Observed) {
        let mut bindings: BTreeSet<&DeclarationAddress> = BTreeSet::new();
        let mut grants: BTreeMap<&DeclarationAddress, BTreeSet<&str>> = BTreeMap::new();
        for change in differences.changes.values() {
            let Some(kind) = self.catalog.kind(&change.kind) else {
                continue;
            };
            let made_or_changed = matches!(
                change.action,
                Action::Create | Action::Update | Action::Replace | Action::Adopt
            );
            if !made_or_changed {
                continue;
            }
            if kind.role == Role::Binding && admits(change, kind) {
                bindings.extend(&change.details.holders);
            }
            if kind.role == Role::Grant {
                for holder in &change.details.holders {
                    grants.entry(holder).or_default().insert(&change.key);
                }
            }
        }
        let subjects = desired
            .objects
            .values()
            .filter(|wanted| wanted.kind.role == Role::Subject);
        for wanted in subjects {
            let rebinding = wanted
                .holders
                .iter()
                .any(|holder| bindings.contains(holder));
            let changing: BTreeSet<&str> = if rebinding {
                wanted
                    .holders
                    .iter()
                    .filter_map(|holder| grants.get(holder))
                    .flatten()
                    .copied()
                    .collect()
            } else {
                BTreeSet::new()
            };
            self.split(wanted, rebinding, &changing, differences, observed);
        }
    }

    fn split(
        &mut self,
        wanted: &Wanted,
        rebinding: bool,
        changing: &BTreeSet<&str>,
        differences: &Differences,
        observed: &Observed,
    ) {
        let Some(attribute) = wanted
            .kind
            .attributes
            .iter()
            .find(|attribute| attribute.grants)
        else {
            return;
        };
        let ignored = &wanted.lifecycle.ignore_changes;
        if ignored.contains(attribute.name) || ignored.contains("*") {
            return;
        }
        let is_written = match differences.changes.get(&wanted.address) {
            // Made anew, it has no grants yet that could be misused; only recorded, it is not written.
            Some(change) => matches!(change.action, Action::Update | Action::Adopt),
            // Else it was left out, is not ours, or nothing is to be written at all.
            None => rebinding && differences.kept.contains(&wanted.address),
        };
        if !is_written {
            return;
        }
        let reading = observed.reading(&wanted.instance, wanted.kind.name, &wanted.key);
        let Reading::Present(object) = reading else {
            return;
        };
        let live = members(object.attributes.get(attribute.name));
        let after = members(wanted.attributes.get(attribute.name));
        let kept: BTreeSet<&str> = live
            .intersection(&after)
            .filter(|name| !changing.contains(*name))
            .copied()
            .collect();
        let gives = kept.len() < after.len();
        if kept == live || !gives || (!rebinding && live.is_subset(&after)) {
            return; // one update says it all
        }
        let made = self.made.get(&wanted.address).copied().unwrap_or_default();
        let last = match made.last {
            Some(last) => last,
            None => self.rewrite(wanted, differences),
        };
        let Some(template) = self.steps.get_mut(last) else {
            return;
        };
        let mut detach = template.clone();
        detach.phase = Phase::Narrow;
        detach.changed = [attribute.name.to_owned()].into();
        detach.unset = BTreeSet::new();
        // Everything else stays as it is until the last of the two.
        for (name, value) in &mut detach.attributes {
            if let Some(live) = object.attributes.get(name) {
                value.clone_from(live);
            }
        }
        detach
            .attributes
            .insert(attribute.name.to_owned(), Value::strings(kept));
        detach.precondition = Precondition::Live(Expected::Present {
            id: object.id,
            version: object.version,
            fingerprint: object.fingerprint,
        });
        template.phase = Phase::Widen;
        template.changed.insert(attribute.name.to_owned());
        let index = self.steps.len();
        if let Some(template) = self.steps.get_mut(last) {
            // Numbered anew when the order is settled.
            template.precondition = Precondition::After(index);
        }
        self.steps.push(detach);
        let made = Made {
            detach: Some(index),
            last: Some(last),
            ..made
        };
        self.made.insert(wanted.address.clone(), made);
    }

    /// A writing of an object that has no change of its own: what it gives is taken and given back.
    pub(super) fn rewrite(&mut self, wanted: &Wanted, differences: &Differences) -> usize {
        let look_up = |address: &ObjectAddress, name: &str| {
            differences.known.get(address)?.get(name).cloned()
        };
        let attributes: BTreeMap<String, Value> = wanted
            .attributes
            .iter()
            .filter(|(_, value)| **value != Value::Null)
            .map(|(name, value)| (name.clone(), value.resolve(&look_up)))
            .collect();
        self.steps.push(Step {
            id: 0,
            waits_for: BTreeSet::new(),
            follows: BTreeSet::new(),
            phase: Phase::Widen,
            operation: StepOperation::Write(Operation::Update),
            address: wanted.address.clone(),
            instance: wanted.instance.clone(),
            kind: wanted.kind.name.to_owned(),
            key: wanted.key.clone(),
            moved_from: None,
            precondition: Precondition::Live(Expected::Absent),
            record: StepRecord {
                set: attributes.keys().cloned().collect(),
                depends_on: wanted.depends_on.clone(),
                holders: wanted.holders.clone(),
                prevent_destroy: wanted.lifecycle.prevent_destroy,
            },
            attributes,
            changed: BTreeSet::new(),
            unset: BTreeSet::new(),
        });
        self.steps.len() - 1
    }
}

/// When an object that is made gets made.
fn made_phase(kind: &Kind) -> Phase {
    match kind.role {
        Role::Container | Role::Config | Role::Subject => Phase::Neutral,
        Role::Binding => Phase::Bind,
        Role::Grant => Phase::Widen,
    }
}

/// Whether a change of a binding changes who is let in.
fn admits(change: &Change, kind: &Kind) -> bool {
    matches!(change.action, Action::Create | Action::Replace)
        || change.differences.iter().any(|one| {
            kind.attribute(&one.name)
                .is_some_and(|attribute| attribute.admits)
        })
}

/// The texts in a set or list.
fn members(value: Option<&Value>) -> BTreeSet<&str> {
    match value {
        Some(Value::Set(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::List(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// Edges are between places in the list of steps.
pub(super) type Edges = BTreeSet<Edge>;
