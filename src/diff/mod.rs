//! What is wanted, recorded and live, compared. PURE.
//!
//! In: the three snapshots. Out: one [`Change`] for every object that any of them knows, with
//! its reason, and diagnostics for what can't be decided or may not be done. It reads nothing,
//! writes nothing, and gives the same result for the same input.
//!
//! | wanted | recorded | live | outcome |
//! |---|---|---|---|
//! | yes | – | – | create |
//! | yes | – | ours | adopt, and update where it differs |
//! | yes | – | foreign | refused; `import` is named |
//! | yes | elsewhere, where nothing is wanted | ours | the record moves, then as if it were recorded here |
//! | yes | yes | – | create again: gone |
//! | yes | yes | yes | compare wanted with live; live differing from recorded is drift |
//! | – | yes | yes | delete; forget it if it isn't ours any more |
//! | – | yes | – | forget |
//! | any | any | unreadable | blocked, with everything that depends on it |

pub mod change;
mod compare;
mod ownership;
pub mod recover;
mod refusal;
mod removal;
mod selection;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::{Address, DeclarationAddress, Diagnostic, ObjectAddress, Value};

pub use change::{Action, Change, Details, Difference, MARK, OldObject, Reason};
pub use compare::same_value;
pub use selection::Guard;

use crate::lower::Desired;
use crate::observe::{Observed, Place};
use crate::state::Recorded;

/// What the comparison is asked for.
#[derive(Default)]
pub struct Options {
    /// Remove everything that is recorded.
    pub destroy: bool,
    /// Change records only, to what is live.
    pub refresh_only: bool,
    /// Only these, and what they depend on; empty means everything.
    pub targets: Vec<Address>,
    /// Not these, nor what depends on them.
    pub excludes: Vec<Address>,
    /// Make these anew.
    pub replace: Vec<Address>,
    /// How many deletions are allowed.
    pub guard: Guard,
    /// What may not be removed by what is declared, whether or not that is recorded yet.
    pub protected: BTreeSet<ObjectAddress>,
}

/// The result of the comparison.
#[derive(Debug, Default)]
pub struct Differences {
    /// One change for each object, those that are kept left out.
    pub changes: BTreeMap<ObjectAddress, Change>,
    /// Drift, whether or not it is put back: the object and what differs from the record.
    pub drift: BTreeMap<ObjectAddress, Vec<Difference>>,
    /// What is known of each object that is neither made nor replaced: its attributes, `id` too.
    pub known: BTreeMap<ObjectAddress, BTreeMap<String, Value>>,
    /// What can't be decided or may not be done.
    pub diagnostics: Vec<Diagnostic>,
    /// What is as it should be, and asked for.
    pub kept: BTreeSet<ObjectAddress>,
    /// What is replaced, by where it lives: it takes along what it holds.
    replaced: BTreeMap<Place, ObjectAddress>,
    /// Addresses whose objects are declared elsewhere now.
    moved: BTreeSet<ObjectAddress>,
}

impl Differences {
    /// The container that is replaced and takes this object along.
    fn replaced_container(&self, wanted: &Wanted) -> Option<&ObjectAddress> {
        let container = wanted.kind.container.as_ref()?;
        let key = wanted.attributes.get(container.attribute)?.as_str()?;
        let place = (
            wanted.instance.clone(),
            container.kind.to_owned(),
            key.to_owned(),
        );
        self.replaced.get(&place)
    }
}

/// Everything the comparison looks at.
pub(crate) struct Snapshots<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) recorded: &'a Recorded,
    pub(crate) observed: &'a Observed,
    pub(crate) options: &'a Options,
    /// Which address records the object that lives at a place.
    pub(crate) claims: BTreeMap<(&'a str, &'a str, &'a str), &'a ObjectAddress>,
}

impl<'a> Snapshots<'a> {
    /// The address that records what lives where `wanted` is to live.
    pub(crate) fn claim(&self, wanted: &'a Wanted) -> Option<&'a ObjectAddress> {
        let place = (
            wanted.instance.as_str(),
            wanted.kind.name,
            wanted.key.as_str(),
        );
        self.claims.get(&place).copied()
    }
}

/// Compares the three snapshots.
pub fn diff(
    desired: &Desired,
    recorded: &Recorded,
    observed: &Observed,
    options: &Options,
) -> Differences {
    let snapshots = Snapshots {
        desired,
        recorded,
        observed,
        options,
        claims: recorded
            .objects
            .iter()
            .map(|(address, record)| {
                let place = (
                    record.instance.as_str(),
                    record.kind.as_str(),
                    record.key.as_str(),
                );
                (place, address)
            })
            .collect(),
    };
    let mut result = Differences::default();
    let mut blocked = BTreeSet::new();
    if !options.destroy {
        for address in in_order(desired) {
            wanted::decide(&snapshots, address, &mut result, &mut blocked);
        }
    }
    removal::decide(&snapshots, &mut result, &mut blocked);
    selection::select(&snapshots, &mut result);
    removal::protect(&snapshots, &mut result);
    selection::guard(&snapshots, &mut result);
    result
}

/// The wanted objects, each after what it depends on. Lowering has refused circles.
fn in_order(desired: &Desired) -> Vec<&ObjectAddress> {
    let mut waiting: BTreeMap<&ObjectAddress, usize> = BTreeMap::new();
    let mut dependents: BTreeMap<&ObjectAddress, Vec<&ObjectAddress>> = BTreeMap::new();
    for (address, wanted) in &desired.objects {
        waiting.insert(address, wanted.depends_on.len());
        for other in &wanted.depends_on {
            dependents.entry(other).or_default().push(address);
        }
    }
    let mut ready: BTreeSet<&ObjectAddress> = waiting
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(address, _)| *address)
        .collect();
    let mut order = Vec::with_capacity(desired.objects.len());
    while let Some(address) = ready.pop_first() {
        order.push(address);
        for dependent in dependents.get(address).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(dependent);
                }
            }
        }
    }
    order
}

/// Whether `declaration` is `named` or an instance of it.
pub(crate) fn is_instance(named: &DeclarationAddress, declaration: &DeclarationAddress) -> bool {
    named == declaration || (named.key.is_none() && *named == declaration.block())
}
