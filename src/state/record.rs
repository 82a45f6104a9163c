//! What was recorded, and the entries that change it. Pure: folding entries into a
//! [`Recorded`] is all that happens here.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::provider::{Expected, Target};
use remit_sdk::{DeclarationAddress, Fingerprint, ObjectAddress, Value};
use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// Everything that is recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// The random id of this state; `None` before the first apply.
    pub lineage: Option<String>,
    /// Raised by every entry that begins a run, so that a plan made before it is stale.
    pub serial: u64,
    /// The targets that the instances had when they were last used.
    pub targets: BTreeMap<String, Target>,
    /// The objects.
    pub objects: BTreeMap<ObjectAddress, Record>,
    /// The outputs.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// Intents without an outcome: what a crash left undecided.
    pub open: BTreeMap<u64, Intent>,
    /// What the gate holds a change against; `None` until a run recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Facts>,
}

/// One object that is ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The provider instance.
    pub instance: String,
    /// The id of the target it lives in.
    pub target: String,
    /// Its kind.
    pub kind: String,
    /// The version of the kind's schema when it was recorded.
    pub schema_version: u32,
    /// Its key.
    pub key: String,
    /// Its live id, where the server gives one.
    pub id: Option<String>,
    /// Every readable attribute as it was after the last write or import, and for each
    /// write-only one its reference and version. Never a secret.
    pub attributes: BTreeMap<String, Value>,
    /// The attributes that remit set.
    pub set: BTreeSet<String>,
    /// Its fingerprint after the last write or import.
    pub fingerprint: Fingerprint,
    /// What it was made after; it is removed before them.
    pub depends_on: BTreeSet<ObjectAddress>,
    /// The identities whose access it is.
    pub holders: BTreeSet<DeclarationAddress>,
    /// A plan that deletes it is refused.
    pub prevent_destroy: bool,
}

/// An output as it was after the last apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Its value.
    pub value: Value,
    /// Shown as `(sensitive)`.
    pub sensitive: bool,
}

/// What a call is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Make it.
    Create,
    /// Change it.
    Update,
    /// Remove it.
    Delete,
}

/// Written, and on disk, before the call it announces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The object.
    pub address: ObjectAddress,
    /// What is about to happen to it.
    pub operation: Operation,
    /// What the call must find.
    pub before: Expected,
    /// What will be recorded if it happens, its live id and unread attributes apart: `attributes`
    /// holds what is wanted. For a delete, what is recorded now.
    pub record: Record,
}

/// What became of an intent.
#[allow(clippy::large_enum_variant)] // nearly all of them are the large one
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened; for a create or update, what is now recorded.
    Done(Option<Record>),
    /// It surely didn't happen.
    NotDone(String),
    /// Nobody knows: the intent stays open for the next run to decide.
    Unknown(String),
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A run begins: raises the serial.
    Begin {
        /// The lineage; minted by the first run.
        lineage: String,
        /// What the run is (`apply`, `import`, …) and the digest of its plan.
        run: String,
        /// The version of remit.
        version: String,
        /// The targets it works on.
        targets: BTreeMap<String, Target>,
        /// The fingerprints of the keys that approved its plan: evidence.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        approved_by: BTreeSet<String>,
    },
    /// A call is about to be made.
    Intent {
        /// Its number, unique in the journal: never used again.
        number: u64,
        /// The call.
        intent: Intent,
    },
    /// What became of it.
    Outcome {
        /// The intent's number.
        number: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// An object is recorded without a call: import, or adoption of what is ours already.
    Record {
        /// The object.
        address: ObjectAddress,
        /// What is recorded.
        record: Record,
    },
    /// An object has another address from now on.
    Move {
        /// The old one, which is recorded.
        from: ObjectAddress,
        /// The new one, which is not.
        to: ObjectAddress,
    },
    /// An object is no longer recorded, without a call.
    Forget {
        /// The object.
        address: ObjectAddress,
    },
    /// What the gate holds later changes against, all of it.
    Gate {
        /// The facts.
        facts: Facts,
    },
    /// The outputs, all of them.
    Outputs {
        /// By name.
        outputs: BTreeMap<String, OutputRecord>,
    },
    /// A run ended: with or without failures.
    End {
        /// How, for people.
        summary: String,
    },
}
