//! A change as plain data: what happens to one object, and why, apart.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::provider::Expected;
use remit_sdk::{DeclarationAddress, ObjectAddress, Value};
use serde::{Deserialize, Serialize};

/// What happens to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The object.
    pub address: ObjectAddress,
    /// The provider instance.
    pub instance: String,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What is live now; empty where nothing is.
    pub before: BTreeMap<String, Value>,
    /// What will be: wanted, kept and defaulted attributes; empty for a removal.
    pub after: BTreeMap<String, Value>,
    /// The attributes that differ, for a create all that are set.
    pub differences: Vec<Difference>,
    /// What the first write must find.
    pub expected: Expected,
    /// For a replace under another key: what is to be removed.
    pub old: Option<OldObject>,
    /// The address under which it is recorded, where that was another: the same live object is
    /// declared there no longer, and here now.
    pub moved_from: Option<ObjectAddress>,
    /// What apply needs and people don't look at.
    pub details: Details,
    /// `agents.remit.hcl:41`.
    pub place: Option<String>,
}

/// The old half of a replace under another key or in another instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OldObject {
    /// Its instance.
    pub instance: String,
    /// Its key.
    pub key: String,
    /// What the removal must find; `None`: it is gone already.
    pub expected: Option<Expected>,
}

/// What apply needs to write and record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// Everything to be sent, by name; may hold pending values and references to secrets.
    pub attributes: BTreeMap<String, Value>,
    /// The attributes that the configuration sets.
    pub set: BTreeSet<String>,
    /// Attributes to be reset.
    pub unset: BTreeSet<String>,
    /// Objects that must be done before.
    pub depends_on: BTreeSet<ObjectAddress>,
    /// Objects it stood on, by the record, and no longer does.
    pub former_needs: BTreeSet<ObjectAddress>,
    /// The identities whose access it is.
    pub holders: BTreeSet<DeclarationAddress>,
    /// The identities whose access it was, by the record, and no longer is.
    pub former_holders: BTreeSet<DeclarationAddress>,
    /// Recorded with it.
    pub prevent_destroy: bool,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    Keep,
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is removed and made again.
    Replace,
    /// It is removed.
    Delete,
    /// It is ours already and gets recorded, and changed where it differs.
    Adopt,
    /// Only the record changes, to what is live.
    Refresh,
    /// Only the record goes: the object is gone, or no longer ours.
    Forget,
}

/// Why it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing differs.
    Same,
    /// It is declared and not recorded.
    New,
    /// It is recorded, and somebody removed it.
    Gone,
    /// The configuration changed.
    Configuration,
    /// Only what is live changed.
    Drift,
    /// `--replace` asked for it.
    Requested,
    /// These attributes can't be changed in place.
    Immutable(Vec<String>),
    /// What holds it is made anew.
    Container(ObjectAddress),
    /// `replace_on` names this.
    ReplaceOn(DeclarationAddress),
    /// It is recorded and no longer declared.
    Undeclared,
    /// Everything is to be removed.
    Destroy,
    /// It is declared at another address than it is recorded at.
    Moved,
    /// It carries our mark, or stands in what we made, but was not recorded.
    Unrecorded,
    /// It was replaced or taken over by somebody else.
    NotOurs,
}

/// One attribute that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The attribute; [`MARK`] for the ownership mark.
    pub name: String,
    /// What is live; `None` where nothing is known or there.
    pub before: Option<Value>,
    /// What will be; `None` where it is reset to what the server picks.
    pub after: Option<Value>,
    /// What was recorded, where what is live differs from it: somebody else changed it.
    pub drift: Option<Value>,
    /// Whether remit puts it back; a drifted attribute that nobody declared is left alone.
    pub managed: bool,
    /// Whether this makes the change a replace.
    pub replaces: bool,
    /// A policy document: shown as a line diff.
    pub document: bool,
    /// It may give what no comparison of access tells: neither says it who may do what, nor is it a
    /// shorter life.
    pub may_give: bool,
}

/// The name under which a missing or foreign ownership mark shows among the differences.
pub const MARK: &str = "ownership mark";
