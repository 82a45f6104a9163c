//! What holds in every state, numbered, in one place.
//!
//! | | |
//! |---|---|
//! | S1 | an intent's number is used once |
//! | S2 | an outcome has an open intent, and fits it |
//! | S3 | the serial only rises, and is zero only before the first run |
//! | S4 | the lineage never changes, and nothing is recorded without one |
//! | S5 | no two records are the same live object: target, kind and key |
//! | S6 | a record's kind is its address's, and it doesn't depend on itself |
//! | S7 | no two open intents are about the same object |
//! | S8 | only what is recorded moves, and only to an address of its kind that is free |
//! | S9 | what the gate recorded can be asked for: an approval takes one person at least, and every approver is a key |
//!
//! In: a [`Recorded`]. Out: every [`Violation`]. Used when a state is loaded and by tests;
//! S1 to S4 are also about steps, and folding refuses an entry that would break them. What
//! `depends_on` names may be gone: it says an order, not that something is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use remit_sdk::ObjectAddress;

use super::record::{Record, Recorded};

/// An invariant that doesn't hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Its number: `S5`.
    pub invariant: &'static str,
    /// What is wrong.
    pub what: String,
}

impl Violation {
    pub(super) fn new(invariant: &'static str, what: impl Into<String>) -> Self {
        Self {
            invariant,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.invariant)
    }
}

impl std::error::Error for Violation {}

/// What is live under one name at most once: target, kind, key.
pub(super) type LiveKey = (String, String, String);

pub(super) fn live_key(record: &Record) -> LiveKey {
    (
        record.target.clone(),
        record.kind.clone(),
        record.key.clone(),
    )
}

/// S6, for one record.
pub(super) fn check_record(address: &ObjectAddress, record: &Record) -> Result<(), Violation> {
    if record.kind != address.kind {
        return Err(Violation::new(
            "S6",
            format!("{address} is recorded as a `{}`", record.kind),
        ));
    }
    if record.depends_on.contains(address) {
        return Err(Violation::new("S6", format!("{address} depends on itself")));
    }
    Ok(())
}

/// Everything that doesn't hold in `recorded`.
pub fn check(recorded: &Recorded) -> Vec<Violation> {
    let mut found = Vec::new();
    let empty = recorded.objects.is_empty()
        && recorded.outputs.is_empty()
        && recorded.open.is_empty()
        && recorded.targets.is_empty()
        && recorded.gate.is_none();
    match (&recorded.lineage, recorded.serial) {
        (None, 0) if empty => {}
        (None, 0) => found.push(Violation::new(
            "S4",
            "a state without lineage holds records",
        )),
        (None, serial) => found.push(Violation::new(
            "S3",
            format!("a state without lineage has serial {serial}"),
        )),
        (Some(_), 0) => found.push(Violation::new("S3", "a state with a lineage has serial 0")),
        (Some(lineage), _) if lineage.is_empty() => {
            found.push(Violation::new("S4", "the lineage is empty"));
        }
        (Some(_), _) => {}
    }
    let mut keys: BTreeMap<LiveKey, &ObjectAddress> = BTreeMap::new();
    for (address, record) in &recorded.objects {
        found.extend(check_record(address, record).err());
        if let Some(other) = keys.insert(live_key(record), address) {
            found.push(same_object(address, other, record));
        }
    }
    let facts = recorded.gate.as_ref();
    found.extend(facts.and_then(|facts| facts.check().err()));
    let mut about = BTreeSet::new();
    for (number, intent) in &recorded.open {
        found.extend(check_record(&intent.address, &intent.record).err());
        if !about.insert(&intent.address) {
            found.push(two_intents(*number, &intent.address));
        }
    }
    found
}

pub(super) fn same_object(a: &ObjectAddress, b: &ObjectAddress, record: &Record) -> Violation {
    Violation::new(
        "S5",
        format!("{a} and {b} are both the {} `{}`", record.kind, record.key),
    )
}

pub(super) fn two_intents(number: u64, address: &ObjectAddress) -> Violation {
    Violation::new(
        "S7",
        format!("intent {number} is about {address}, and so is another that is still open"),
    )
}
