//! What becomes of an object that is recorded and no longer wanted.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::provider::{Expected, Reading};
use remit_sdk::{Address, Diagnostic, ObjectAddress};

use super::change::{Action, Change, Details, Reason};
use super::{Differences, Snapshots, ownership};
use crate::diff::wanted::expected;
use crate::state::Record;

/// Decides every record that nothing wanted stands for.
pub(super) fn decide(
    snapshots: &Snapshots<'_>,
    result: &mut Differences,
    blocked: &mut BTreeSet<ObjectAddress>,
) {
    let leaving: Vec<(&ObjectAddress, &Record)> = snapshots
        .recorded
        .objects
        .iter()
        .filter(|(address, _)| {
            snapshots.options.destroy || !snapshots.desired.objects.contains_key(*address)
        })
        .filter(|(address, _)| !result.moved.contains(*address))
        .collect();
    for (address, record) in &leaving {
        let reading = snapshots
            .observed
            .reading(&record.instance, &record.kind, &record.key);
        if let Reading::Unreadable(error) = &reading {
            let mut diagnostic = Diagnostic::error(
                "object can't be read",
                format!(
                    "{address} is to be removed, and whether it still exists is unknown: {}",
                    error.message
                ),
            )
            .about(Address::Object((*address).clone()));
            diagnostic.help.clone_from(&error.help);
            result.diagnostics.push(diagnostic);
            blocked.insert((*address).clone());
        }
    }
    hold_back(snapshots, blocked, result);
    for (address, record) in leaving {
        if !blocked.contains(address) {
            result
                .changes
                .insert(address.clone(), removal(snapshots, address, record));
        }
    }
}

/// What a blocked object depends on stays too: removing a mount would take along what is in it.
fn hold_back(
    snapshots: &Snapshots<'_>,
    blocked: &mut BTreeSet<ObjectAddress>,
    result: &mut Differences,
) {
    let mut open: Vec<ObjectAddress> = blocked.iter().cloned().collect();
    while let Some(address) = open.pop() {
        let Some(record) = snapshots.recorded.objects.get(&address) else {
            continue;
        };
        for needed in &record.depends_on {
            let leaves = snapshots.recorded.objects.contains_key(needed)
                && (snapshots.options.destroy || !snapshots.desired.objects.contains_key(needed));
            if leaves && blocked.insert(needed.clone()) {
                result.diagnostics.push(
                    Diagnostic::warning(
                        "waits for a blocked object",
                        format!("{needed} is not removed, because {address} needs it and can't be decided"),
                    )
                    .about(Address::Object(needed.clone())),
                );
                open.push(needed.clone());
            }
        }
    }
}

fn removal(snapshots: &Snapshots<'_>, address: &ObjectAddress, record: &Record) -> Change {
    let why = if snapshots.options.destroy {
        Reason::Destroy
    } else {
        Reason::Undeclared
    };
    let reading = snapshots
        .observed
        .reading(&record.instance, &record.kind, &record.key);
    let (action, reason, before, expected) = match reading {
        Reading::Present(object) if ownership::recorded(snapshots, record, &object) => (
            Action::Delete,
            why,
            object.attributes.clone(),
            expected(&object),
        ),
        Reading::Present(_) => (
            Action::Forget,
            Reason::NotOurs,
            record.attributes.clone(),
            Expected::Absent,
        ),
        Reading::Absent | Reading::Unreadable(_) => (
            Action::Forget,
            Reason::Gone,
            record.attributes.clone(),
            Expected::Absent,
        ),
    };
    // Records only: a refresh removes nothing.
    let action = match action {
        Action::Delete if snapshots.options.refresh_only => Action::Keep,
        other => other,
    };
    Change {
        address: address.clone(),
        instance: record.instance.clone(),
        kind: record.kind.clone(),
        key: record.key.clone(),
        action,
        reason,
        before,
        after: BTreeMap::new(),
        differences: Vec::new(),
        expected,
        old: None,
        moved_from: None,
        details: Details {
            depends_on: record.depends_on.clone(),
            holders: record.holders.clone(),
            ..Details::default()
        },
        place: None,
    }
}

/// Refuses what `prevent_destroy` protects, and the removal of a container while something
/// wanted stands in it.
pub(super) fn protect(snapshots: &Snapshots<'_>, result: &mut Differences) {
    result
        .changes
        .retain(|_, change| change.action != Action::Keep);
    let mut found = Vec::new();
    let mut removed_containers = BTreeMap::new();
    for (address, change) in &result.changes {
        let removes = matches!(change.action, Action::Delete | Action::Replace)
            || matches!(change.reason, Reason::Container(_));
        if change.action == Action::Delete {
            let place = (
                change.instance.as_str(),
                change.kind.as_str(),
                change.key.as_str(),
            );
            removed_containers.insert(place, address);
        }
        if let Some(old) = change.old.as_ref().filter(|old| old.expected.is_some()) {
            let place = (
                old.instance.as_str(),
                change.kind.as_str(),
                old.key.as_str(),
            );
            removed_containers.insert(place, address);
        }
        let wanted = snapshots.desired.objects.get(address);
        let protected = snapshots
            .recorded
            .objects
            .get(address)
            .is_some_and(|one| one.prevent_destroy)
            || snapshots.options.protected.contains(address);
        if removes && protected {
            found.push(
                Diagnostic::error(
                    "protected object would be removed",
                    format!(
                        "{address} is declared with prevent_destroy, and this plan removes it{}",
                        if change.action == Action::Delete {
                            ""
                        } else {
                            " to make it anew"
                        }
                    ),
                )
                .help(
                    "if it is to go: set `lifecycle { prevent_destroy = false }`, apply that, then \
                     remove it",
                )
                .at(wanted.map(|wanted| wanted.span))
                .about(Address::Object(address.clone())),
            );
        }
    }
    if !snapshots.options.destroy {
        for (address, wanted) in &snapshots.desired.objects {
            let Some(container) = &wanted.kind.container else {
                continue;
            };
            let Some(key) = wanted
                .attributes
                .get(container.attribute)
                .and_then(|key| key.as_str())
            else {
                continue;
            };
            if let Some(holder) =
                removed_containers.get(&(wanted.instance.as_str(), container.kind, key))
            {
                found.push(
                    Diagnostic::error(
                        "removal takes a wanted object along",
                        format!("{holder} leaves `{key}`, and {address} is declared to live there"),
                    )
                    .help("remove both, or declare the first again as it was")
                    .at(wanted.span)
                    .about(Address::Object(address.clone())),
                );
            }
        }
    }
    result.diagnostics.extend(found);
}
