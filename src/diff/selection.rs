//! Which changes are asked for, and whether there are too many removals among them.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::{Address, Diagnostic, ObjectAddress};

use super::change::Action;
use super::{Differences, Snapshots};
use crate::diagnostic::nearest;

/// Below this many removals a plan is never taken for a mistake.
const DELETES_UNQUESTIONED: usize = 10;
/// A plan that removes more than one in this many recorded objects may be a lost file or the
/// wrong directory.
const DELETES_SHARE: usize = 5;

/// How many removals are allowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Guard {
    /// `--allow-deletes N`.
    pub allowed: Option<usize>,
}

/// Says that nothing has such an address, and which may have been meant.
fn unknown(snapshots: &Snapshots<'_>, named: &Address) -> Diagnostic {
    let wanted = snapshots.desired.objects.keys();
    let all = wanted.chain(snapshots.recorded.objects.keys());
    let names: BTreeSet<String> = all
        .flat_map(|address| [address.declaration.to_string(), address.to_string()])
        .collect();
    let near = nearest(&named.to_string(), names.iter().map(String::as_str));
    let near = near.map(|near| format!("did you mean `{near}`? "));
    Diagnostic::error(
        "no such object",
        format!("nothing wanted or recorded is called {named}"),
    )
    .help(format!(
        "{}`remit state list` and `remit graph` show the addresses",
        near.unwrap_or_default()
    ))
}

/// Narrows the changes to `--target` and `--exclude`.
pub(super) fn select(snapshots: &Snapshots<'_>, result: &mut Differences) {
    let options = snapshots.options;
    let named = options.targets.iter().chain(&options.excludes);
    for named in named.chain(&options.replace) {
        let known = snapshots
            .desired
            .objects
            .keys()
            .chain(snapshots.recorded.objects.keys());
        if !known.into_iter().any(|address| named.covers(address)) {
            result.diagnostics.push(unknown(snapshots, named));
        }
    }
    if options.targets.is_empty() && options.excludes.is_empty() {
        return;
    }
    let edges = Edges::of(snapshots, result);
    let mut selected: BTreeSet<ObjectAddress> = result.changes.keys().cloned().collect();
    if !options.targets.is_empty() {
        let named = |address: &ObjectAddress| options.targets.iter().any(|one| one.covers(address));
        let all = Edges::all(snapshots);
        selected = Edges::close(all.into_iter().filter(named), &edges.needs);
        result.kept.retain(|address| selected.contains(address));
    }
    if !options.excludes.is_empty() {
        let named =
            |address: &ObjectAddress| options.excludes.iter().any(|one| one.covers(address));
        let all = Edges::all(snapshots);
        let left_out = Edges::close(all.into_iter().filter(named), &edges.needed_by);
        selected.retain(|address| !left_out.contains(address));
        result.kept.retain(|address| !left_out.contains(address));
    }
    result
        .changes
        .retain(|address, _| selected.contains(address));
    // Trouble with an object that nobody asked about stops nobody.
    let asked = |address: &ObjectAddress| {
        selected.contains(address)
            || (options.targets.is_empty() || options.targets.iter().any(|one| one.covers(address)))
                && !options.excludes.iter().any(|one| one.covers(address))
    };
    result
        .diagnostics
        .retain(|diagnostic| match &diagnostic.address {
            Some(Address::Object(address)) => asked(address),
            Some(Address::Declaration(_)) | None => true,
        });
}

/// What must be changed together with what.
struct Edges {
    needs: BTreeMap<ObjectAddress, Vec<ObjectAddress>>,
    needed_by: BTreeMap<ObjectAddress, Vec<ObjectAddress>>,
}

impl Edges {
    fn of(snapshots: &Snapshots<'_>, result: &Differences) -> Self {
        let mut edges = Self {
            needs: BTreeMap::new(),
            needed_by: BTreeMap::new(),
        };
        for (address, wanted) in &snapshots.desired.objects {
            for other in &wanted.depends_on {
                edges.add(address, other);
            }
            // A container that is made anew takes along what it holds, changed or not.
            if let Some(container) = result.replaced_container(wanted) {
                edges.add(container, address);
            }
        }
        for (address, change) in &result.changes {
            let removed = matches!(change.action, Action::Delete | Action::Forget);
            for other in &change.details.depends_on {
                // What is removed waits for what stands on it.
                if removed {
                    edges.add(other, address);
                }
            }
            if let super::change::Reason::Container(container) = &change.reason {
                edges.add(container, address);
            }
        }
        edges
    }

    fn add(&mut self, address: &ObjectAddress, other: &ObjectAddress) {
        self.needs
            .entry(address.clone())
            .or_default()
            .push(other.clone());
        self.needed_by
            .entry(other.clone())
            .or_default()
            .push(address.clone());
    }

    fn all(snapshots: &Snapshots<'_>) -> BTreeSet<ObjectAddress> {
        snapshots
            .desired
            .objects
            .keys()
            .chain(snapshots.recorded.objects.keys())
            .cloned()
            .collect()
    }

    fn close(
        start: impl Iterator<Item = ObjectAddress>,
        edges: &BTreeMap<ObjectAddress, Vec<ObjectAddress>>,
    ) -> BTreeSet<ObjectAddress> {
        let mut open: Vec<ObjectAddress> = start.collect();
        let mut closed: BTreeSet<ObjectAddress> = open.iter().cloned().collect();
        while let Some(address) = open.pop() {
            for other in edges.get(&address).into_iter().flatten() {
                if closed.insert(other.clone()) {
                    open.push(other.clone());
                }
            }
        }
        closed
    }
}

/// Refuses a plan that removes suspiciously much.
pub(super) fn guard(snapshots: &Snapshots<'_>, result: &mut Differences) {
    if snapshots.options.destroy {
        return;
    }
    let deletes = result
        .changes
        .values()
        .filter(|change| change.action == Action::Delete)
        .count();
    let recorded = snapshots.recorded.objects.len();
    let many = deletes > DELETES_UNQUESTIONED && deletes * DELETES_SHARE > recorded;
    if many
        && snapshots
            .options
            .guard
            .allowed
            .is_none_or(|allowed| allowed < deletes)
    {
        result.diagnostics.push(
            Diagnostic::error(
                "many removals",
                format!(
                    "this plan removes {deletes} of {recorded} recorded objects; a lost file, the \
                     wrong directory or an empty `for_each` looks just like this"
                ),
            )
            .help(format!("if they are to go: --allow-deletes {deletes}")),
        );
    }
}
