//! Grants that live in a binding, as an inline policy lives in a role: nothing but the grant
//! itself can be taken away from it.
//!
//! Where who is let in changes together with what is given, or what is given together with what
//! can be given at most, no order of updates keeps to what the old or the new configuration
//! allows. So such grants are taken out first and put back last.

use std::collections::BTreeSet;

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{Expected, Reading};
use remit_sdk::schema::Role;
use remit_sdk::{DeclarationAddress, Kind, ObjectAddress};

use super::steps::{Builder, Made};
use super::{Phase, Precondition, StepOperation};
use crate::diff::{Action, Change, Differences};
use crate::lower::{Catalog, Desired};
use crate::observe::Observed;
use crate::state::Operation;

/// What changes around the grants of identities.
#[derive(Default)]
struct Around<'a> {
    /// Who is let in.
    rebound: BTreeSet<&'a DeclarationAddress>,
    /// What can be given at most, or what is given from outside the binding.
    bounded: BTreeSet<&'a DeclarationAddress>,
}

impl Around<'_> {
    /// Whether a grant of these holders must be out while all this changes: one that gives more
    /// than before, if anything else changes; any, if everything does.
    fn concerns(&self, holders: &BTreeSet<DeclarationAddress>, gives: bool) -> bool {
        holders.iter().any(|holder| {
            let (rebound, bounded) = (self.rebound.contains(holder), self.bounded.contains(holder));
            if gives {
                rebound || bounded
            } else {
                rebound && bounded
            }
        })
    }
}

/// Whether objects of this kind are grants that live in a binding.
pub(super) fn is_contained(kind: &Kind, catalog: &Catalog<'_>) -> bool {
    let container = kind.container.as_ref();
    kind.role == Role::Grant
        && container
            .and_then(|container| catalog.kind(container.kind))
            .is_some_and(|container| container.role == Role::Binding)
}

impl Builder<'_> {
    /// Makes two steps of each such grant: a removal before everything else, and a making after.
    pub(super) fn take_out(
        &mut self,
        differences: &Differences,
        desired: &Desired,
        observed: &Observed,
    ) {
        let around = self.around(differences);
        if around.rebound.is_empty() && around.bounded.is_empty() {
            return;
        }
        for (address, wanted) in &desired.objects {
            if !is_contained(wanted.kind, self.catalog) {
                continue;
            }
            let gives = match differences.changes.get(address) {
                Some(change) if change.action == Action::Update => self.gives(change, wanted.kind),
                None if differences.kept.contains(address) => false,
                _ => continue,
            };
            if around.concerns(&wanted.holders, gives) {
                self.take_out_one(address, wanted, differences, observed);
            }
        }
    }

    fn around<'d>(&self, differences: &'d Differences) -> Around<'d> {
        let mut around = Around::default();
        for change in differences.changes.values() {
            let Some(kind) = self.catalog.kind(&change.kind) else {
                continue;
            };
            let is_written = matches!(change.action, Action::Update | Action::Adopt);
            if !is_written || change.details.holders.is_empty() {
                continue;
            }
            match kind.role {
                Role::Binding => {
                    let differs = |which: fn(&remit_sdk::Attribute) -> bool| {
                        change
                            .differences
                            .iter()
                            .filter(|one| one.managed)
                            .filter_map(|one| kind.attribute(&one.name))
                            .any(which)
                    };
                    if differs(|attribute| attribute.admits) {
                        around.rebound.extend(&change.details.holders);
                    }
                    if differs(|attribute| attribute.grants) {
                        around.bounded.extend(&change.details.holders);
                    }
                }
                Role::Grant if !is_contained(kind, self.catalog) && self.gives(change, kind) => {
                    around.bounded.extend(&change.details.holders);
                }
                _ => {}
            }
        }
        around
    }

    fn gives(&self, change: &Change, kind: &Kind) -> bool {
        self.update_phase(change, kind) != Phase::Narrow
    }

    fn take_out_one(
        &mut self,
        address: &ObjectAddress,
        wanted: &Wanted,
        differences: &Differences,
        observed: &Observed,
    ) {
        let reading = observed.reading(&wanted.instance, wanted.kind.name, &wanted.key);
        let Reading::Present(object) = reading else {
            return;
        };
        let made = self.made.get(address).copied().unwrap_or_default();
        let last = match made.last {
            Some(last) => last,
            None => self.rewrite(wanted, differences),
        };
        let Some(made_again) = self.steps.get_mut(last) else {
            return;
        };
        let mut removal = made_again.clone();
        removal.phase = Phase::Narrow;
        removal.operation = StepOperation::Write(Operation::Delete);
        removal.attributes.clear();
        removal.changed.clear();
        removal.unset.clear();
        removal.precondition = Precondition::Live(Expected::Present {
            id: object.id,
            version: object.version,
            fingerprint: object.fingerprint,
        });
        made_again.phase = Phase::Widen;
        made_again.operation = StepOperation::Write(Operation::Create);
        made_again.precondition = Precondition::Live(Expected::Absent);
        made_again.changed.clear();
        made_again.unset.clear();
        self.steps.push(removal);
        let made = Made {
            delete: Some(self.steps.len() - 1),
            last: Some(last),
            ..made
        };
        self.made.insert(address.clone(), made);
    }
}
