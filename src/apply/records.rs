//! Steps that change the state alone: nothing is written to a target, and what is recorded or
//! dropped is looked at first.

use remit_sdk::provider::{Expected, Reading};
use remit_sdk::{ErrorKind, Kind};

use super::report::StepResult;
use super::step::{Ended, changed, failed, intended, is_expected, journal};
use super::walk::{Outcomes, Walk};
use crate::diff::recover;
use crate::plan::{Precondition, Step};
use crate::state::Entry;

/// Drops a record, if what it is about still is gone, or somebody else's.
pub(super) async fn forget(walk: &Walk<'_>, step: &Step, kind: &'static Kind) -> Ended {
    if let Some(reader) = walk.readers.get(&step.instance) {
        match reader.read(kind, &step.key).await {
            Reading::Absent => {}
            Reading::Present(object) => {
                let record = walk.recorded.objects.get(&step.address);
                let is_recorded = record.is_some_and(|record| {
                    record.id == object.id && record.fingerprint == object.fingerprint
                });
                let marked = object
                    .mark
                    .as_ref()
                    .is_some_and(|mark| mark.lineage == walk.lineage);
                if marked || (object.mark.is_none() && is_recorded) {
                    return Ok(StepResult::Failed(changed()));
                }
            }
            Reading::Unreadable(error) => return Ok(StepResult::Failed(error.into())),
        }
    }
    let address = step.address.clone();
    journal(walk, Entry::Forget { address }).await?;
    Ok(StepResult::Done {
        warnings: Vec::new(),
    })
}

/// Records what is live, if it still is what the plan saw.
pub(super) async fn record_live(
    walk: &Walk<'_>,
    step: &Step,
    kind: &'static Kind,
    outcomes: &Outcomes,
) -> Ended {
    let Some(reader) = walk.readers.get(&step.instance) else {
        return Ok(failed(
            ErrorKind::Bug,
            format!("{} was not connected", step.instance),
        ));
    };
    let expected = match &step.precondition {
        Precondition::Live(expected) => expected.clone(),
        Precondition::After(_) => Expected::Absent,
    };
    match reader.read(kind, &step.key).await {
        Reading::Present(object) if is_expected(&expected, &object) => {
            let intended = intended(walk, step, kind, &step.attributes);
            let record = recover::recorded_as(&intended, kind, &object);
            outcomes.done(step, Some(&object));
            journal(
                walk,
                Entry::Record {
                    address: step.address.clone(),
                    record,
                },
            )
            .await?;
            Ok(StepResult::Done {
                warnings: Vec::new(),
            })
        }
        Reading::Unreadable(error) => Ok(StepResult::Failed(error.into())),
        Reading::Present(_) | Reading::Absent => Ok(StepResult::Failed(changed())),
    }
}
