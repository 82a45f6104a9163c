//! Whose a live object is.
//!
//! It is ours if it is recorded under this lineage with its live id, or carries our mark, or is
//! the child of a container that we created and marked. An object that carries another's mark is
//! theirs, whatever our record says.

use std::collections::BTreeMap;

use remit_sdk::provider::Reading;
use remit_sdk::{Kind, Object, Value};

use super::Snapshots;
use crate::state::Record;

/// Whether the object carries the mark of this lineage.
pub(super) fn marked(snapshots: &Snapshots<'_>, object: &Object) -> bool {
    match (&object.mark, &snapshots.recorded.lineage) {
        (Some(mark), Some(lineage)) => mark.lineage == *lineage,
        _ => false,
    }
}

/// Whether the object carries somebody else's mark.
pub(super) fn foreign_mark(snapshots: &Snapshots<'_>, object: &Object) -> bool {
    object.mark.is_some() && !marked(snapshots, object)
}

/// Whether the live object is the one that is recorded.
pub(super) fn recorded(snapshots: &Snapshots<'_>, record: &Record, object: &Object) -> bool {
    !foreign_mark(snapshots, object) && (record.id == object.id || marked(snapshots, object))
}

/// Whether an object without a record of its own is ours all the same.
pub(super) fn unrecorded(
    snapshots: &Snapshots<'_>,
    instance: &str,
    kind: &Kind,
    object: &Object,
) -> bool {
    if object.mark.is_some() {
        return marked(snapshots, object);
    }
    // A kind that holds marks and carries none was not made by us, wherever it stands.
    kind.mark.is_none() && in_our_container(snapshots, instance, kind, &object.attributes)
}

/// Whether the container that holds an object with these attributes is live and marked ours.
fn in_our_container(
    snapshots: &Snapshots<'_>,
    instance: &str,
    kind: &Kind,
    attributes: &BTreeMap<String, Value>,
) -> bool {
    let Some(container) = &kind.container else {
        return false;
    };
    let Some(key) = attributes.get(container.attribute).and_then(Value::as_str) else {
        return false;
    };
    match snapshots.observed.reading(instance, container.kind, key) {
        Reading::Present(object) => marked(snapshots, &object),
        Reading::Absent | Reading::Unreadable(_) => false,
    }
}
