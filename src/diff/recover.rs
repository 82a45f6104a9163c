//! What became of calls that were announced and never reported: done, not done, or a conflict.
//! PURE.
//!
//! In: the intents left open by a crash, and what is live now. Out: an outcome for each that can
//! be decided. Nothing is written to any target: `plan` folds the outcomes into its copy of the
//! state, `apply` records them under the lock; doing again is the next plan's business.

use remit_sdk::provider::{Expected, Reading};
use remit_sdk::{Kind, Object, Value};

use super::same_value;
use crate::lower::Catalog;
use crate::observe::Observed;
use crate::state::{Intent, Operation, Outcome, Record, Recorded};

/// The outcome of every open intent that can be decided, by its number. What can't be read
/// stays open.
pub fn recover(
    recorded: &Recorded,
    observed: &Observed,
    catalog: &Catalog<'_>,
) -> Vec<(u64, Outcome)> {
    recorded
        .open
        .iter()
        .filter_map(|(number, intent)| {
            let record = &intent.record;
            let kind = catalog.kind(&record.kind)?;
            let reading = observed.reading(&record.instance, &record.kind, &record.key);
            let lineage = recorded.lineage.as_deref();
            Some((*number, classify(intent, kind, &reading, lineage)?))
        })
        .collect()
}

/// What became of one intent; `None` where that can't be told.
pub fn classify(
    intent: &Intent,
    kind: &Kind,
    reading: &Reading,
    lineage: Option<&str>,
) -> Option<Outcome> {
    let object = match reading {
        Reading::Unreadable(_) => return None,
        Reading::Absent => None,
        Reading::Present(object) => Some(object),
    };
    let not_done = |why: &str| Some(Outcome::NotDone(why.to_owned()));
    match (intent.operation, object) {
        (Operation::Delete, None) => Some(Outcome::Done(None)),
        (Operation::Delete, Some(object)) if intent.record.id != object.id => {
            Some(Outcome::Done(None))
        }
        (Operation::Delete, Some(_)) => not_done("it is still there"),
        (Operation::Create | Operation::Update, None) => not_done("it is not there"),
        (Operation::Create, Some(object)) => {
            let foreign = object
                .mark
                .as_ref()
                .is_some_and(|mark| Some(&*mark.lineage) != lineage);
            let marked = object.mark.is_some() && !foreign;
            if foreign || (!marked && kind.mark.is_some()) {
                not_done("somebody else made it")
            } else if marked || half_made(&intent.record, kind, object) {
                Some(Outcome::Done(Some(recorded_as(
                    &intent.record,
                    kind,
                    object,
                ))))
            } else {
                not_done("somebody else made it, or changed it since")
            }
        }
        (Operation::Update, Some(object)) => {
            let unchanged = matches!(&intent.before, Expected::Present { fingerprint, .. }
                if *fingerprint == object.fingerprint);
            if unchanged {
                not_done("it is as it was")
            } else if as_wanted(&intent.record, kind, object) {
                Some(Outcome::Done(Some(recorded_as(
                    &intent.record,
                    kind,
                    object,
                ))))
            } else {
                not_done("it is neither as it was nor as wanted")
            }
        }
    }
}

/// Whether everything that was to be written and can be read back is there.
fn as_wanted(record: &Record, kind: &Kind, object: &Object) -> bool {
    readable(record, kind).all(|(name, value)| {
        kind.attribute(name)
            .is_some_and(|one| same_value(one, Some(value), object.attributes.get(name)))
    })
}

/// Whether every attribute is as wanted, or still what the server starts with: some kinds take
/// more than one call to make. Only for kinds that hold no mark.
fn half_made(record: &Record, kind: &Kind, object: &Object) -> bool {
    readable(record, kind).all(|(name, value)| {
        let Some(attribute) = kind.attribute(name) else {
            return true;
        };
        let zero = attribute.shape.zero();
        let live = object.attributes.get(name).unwrap_or(&zero);
        same_value(attribute, Some(value), Some(live))
            || *live == zero
            || Some(live) == attribute.default.value().as_ref()
    })
}

fn readable<'a>(
    record: &'a Record,
    kind: &'a Kind,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    record.attributes.iter().filter(|(name, _)| {
        kind.attribute(name).is_some_and(|attribute| {
            !attribute.write_only && attribute.unverifiable.is_none() && !attribute.volatile
        })
    })
}

/// The record of an object as it is live, with the references that can't be read back taken
/// from what was intended.
pub fn recorded_as(intended: &Record, kind: &Kind, object: &Object) -> Record {
    let mut attributes = object.attributes.clone();
    for (name, value) in &intended.attributes {
        let unread = kind
            .attribute(name)
            .is_none_or(|attribute| attribute.write_only || attribute.unverifiable.is_some());
        if unread {
            attributes.insert(name.clone(), value.clone());
        }
    }
    Record {
        id: object.id.clone(),
        attributes,
        fingerprint: object.fingerprint.clone(),
        ..intended.clone()
    }
}
