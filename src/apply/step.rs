//! One step: intent, look again, call, read back, outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use remit_sdk::provider::{Expected, Reading, WriteRequest};
use remit_sdk::{ErrorKind, Kind, Mark, Object, ProviderError, Read, Secret, Value, Write};

use super::report::{Failure, Mismatch, StepResult};
use super::settling::Settling;
use super::walk::{Outcomes, Walk};
use super::{records, secrets};
use crate::diff::{recover, same_value};
use crate::failpoint::crash_point;
use crate::plan::{Precondition, Step, StepOperation};
use crate::state::{Entry, Intent, Operation, Outcome, Record};

/// How often a call whose answer was lost, and which surely had no effect, is made again.
const TRIES_MAX: usize = 3;

/// The journal can't be written or the lock is lost: nothing more may be done.
pub(super) struct Stop(pub(super) Failure);

/// A step's end: what became of it, and whether the whole run must stop.
pub(super) type Ended = Result<StepResult, Stop>;

/// Runs one step to its end. Never panics: a provider's panic is that step's failure.
pub(super) async fn run(walk: &Walk<'_>, step: &Step, outcomes: &Outcomes) -> Ended {
    match AssertUnwindSafe(run_inner(walk, step, outcomes))
        .catch_unwind()
        .await
    {
        Ok(ended) => ended,
        Err(_) => Ok(StepResult::Unknown(failure(
            ErrorKind::Bug,
            format!("remit made a mistake while working on {}", step.address),
        ))),
    }
}

async fn run_inner(walk: &Walk<'_>, step: &Step, outcomes: &Outcomes) -> Ended {
    let Some(kind) = walk.catalog.kind(&step.kind) else {
        return Ok(failed(
            ErrorKind::Bug,
            format!("`{}` is no kind this version knows", step.kind),
        ));
    };
    match step.operation {
        StepOperation::Forget => records::forget(walk, step, kind).await,
        StepOperation::Move => {
            if let Some(from) = step.moved_from.clone() {
                let to = step.address.clone();
                journal(walk, Entry::Move { from, to }).await?;
            }
            Ok(StepResult::Done {
                warnings: Vec::new(),
            })
        }
        StepOperation::Record => records::record_live(walk, step, kind, outcomes).await,
        StepOperation::Write(operation) => write(walk, step, kind, operation, outcomes).await,
    }
}

/// What one write works with.
struct Writing<'a> {
    walk: &'a Walk<'a>,
    step: &'a Step,
    kind: &'static Kind,
    operation: Operation,
    reader: &'a dyn Read,
    writer: &'a dyn Write,
    attributes: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Secret>,
    mark: Mark,
    intent: Intent,
}

async fn write(
    walk: &Walk<'_>,
    step: &Step,
    kind: &'static Kind,
    operation: Operation,
    outcomes: &Outcomes,
) -> Ended {
    let (Some(reader), Some(writer)) = (
        walk.readers.get(&step.instance),
        walk.writers.get(&step.instance),
    ) else {
        return Ok(failed(
            ErrorKind::Bug,
            format!("{} was not connected", step.instance),
        ));
    };
    let before = match &step.precondition {
        Precondition::Live(expected) => expected.clone(),
        Precondition::After(earlier) => match outcomes.left_by(*earlier) {
            Some(expected) => expected,
            None => return Ok(StepResult::Skipped(*earlier)),
        },
    };
    let resolved: BTreeMap<String, Value> = step
        .attributes
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                value.resolve(&|object, name| outcomes.value(object, name)),
            )
        })
        .collect();
    if let Some((name, _)) = resolved.iter().find(|(_, value)| value.has_pending()) {
        return Ok(failed(
            ErrorKind::Bug,
            format!("`{name}` of {} is still not known", step.address),
        ));
    }
    let secrets = match secrets::resolved(walk, step, kind, operation, &resolved).await {
        Ok(secrets) => secrets,
        Err(error) => return Ok(StepResult::Failed(error.into())),
    };
    let recorded = match operation {
        Operation::Delete => recorded(walk, step).cloned(),
        Operation::Create | Operation::Update => Some(intended(walk, step, kind, &resolved)),
    };
    let Some(record) = recorded else {
        return Ok(failed(
            ErrorKind::Bug,
            format!("{} is not recorded", step.address),
        ));
    };
    let attributes = resolved
        .into_iter()
        .filter(|(name, _)| {
            kind.attribute(name)
                .is_some_and(|attribute| !attribute.write_only)
        })
        .collect();
    let intent = Intent {
        address: step.address.clone(),
        operation,
        before: before.clone(),
        record,
    };
    let writing = Writing {
        walk,
        step,
        kind,
        operation,
        reader: *reader,
        writer: *writer,
        attributes,
        secrets,
        mark: Mark::new(&walk.lineage, &step.address),
        intent,
    };
    fence(walk)?;
    crash_point("before-intent");
    let number = walk.run.next_intent();
    journal(
        walk,
        Entry::Intent {
            number,
            intent: writing.intent.clone(),
        },
    )
    .await?;
    crash_point("after-intent");
    let (outcome, result, object) = writing.carry_out(&before).await?;
    crash_point("before-outcome");
    if result.is_done() || matches!(outcome, Outcome::Done(_)) {
        outcomes.done(step, object.as_ref());
    }
    journal(walk, Entry::Outcome { number, outcome }).await?;
    Ok(result)
}

impl Writing<'_> {
    /// Looks again, calls, and reads back, until it is clear what became of it.
    async fn carry_out(
        &self,
        before: &Expected,
    ) -> Result<(Outcome, StepResult, Option<Object>), Stop> {
        let mut unsure = false;
        for attempt in 1.. {
            let fresh = match self.look_again(before).await {
                Ok(fresh) => fresh,
                Err(LookedAgain::Gone) => {
                    let warnings = vec!["it was gone already".to_owned()];
                    return Ok((Outcome::Done(None), StepResult::Done { warnings }, None));
                }
                Err(LookedAgain::Refused(failure)) if unsure => {
                    return Ok(self.refused(failure, unsure).await);
                }
                Err(LookedAgain::Refused(failure)) => {
                    let why = failure.message.clone();
                    return Ok((Outcome::NotDone(why), StepResult::Failed(failure), None));
                }
            };
            fence(self.walk)?;
            let called = self.call(&fresh).await;
            crash_point("after-call");
            match called {
                Ok(written) => return Ok(self.read_back(written.warnings, before).await),
                Err(error) if matches!(error.kind, ErrorKind::Ambiguous | ErrorKind::Transient) => {
                    let reading = self.reader.read(self.kind, &self.step.key).await;
                    let lineage = Some(self.walk.lineage.as_str());
                    match recover::classify(&self.intent, self.kind, &reading, lineage) {
                        Some(Outcome::Done(_)) => {
                            if let (Operation::Create, Reading::Present(object)) =
                                (self.operation, &reading)
                            {
                                self.complete(object).await?;
                            }
                            return Ok(self.read_back(Vec::new(), before).await);
                        }
                        Some(Outcome::NotDone(_)) if attempt < TRIES_MAX => unsure = true,
                        Some(outcome) => {
                            return Ok((outcome, StepResult::Failed(error.into()), None));
                        }
                        None => {
                            let why = error.message.clone();
                            let result = StepResult::Unknown(error.into());
                            return Ok((Outcome::Unknown(why), result, None));
                        }
                    }
                }
                Err(error) => return Ok(self.refused(error.into(), unsure).await),
            }
        }
        Ok((
            Outcome::Unknown(String::new()),
            StepResult::NotStarted,
            None,
        ))
    }

    /// The server said no. Some kinds take several calls, so what is there now is looked at. Where
    /// an earlier call may have had its effect after all (`unsure`), the object is given its time
    /// to show.
    async fn refused(
        &self,
        failure: Failure,
        unsure: bool,
    ) -> (Outcome, StepResult, Option<Object>) {
        let why = failure.message.clone();
        let lineage = Some(self.walk.lineage.as_str());
        let mut settling = Settling::new(self.reader);
        loop {
            let reading = self.reader.read(self.kind, &self.step.key).await;
            let outcome = recover::classify(&self.intent, self.kind, &reading, lineage);
            let done = matches!(outcome, Some(Outcome::Done(_)));
            if unsure && !done && !settling.is_over() {
                settling.pause().await;
                continue;
            }
            let outcome = match outcome {
                Some(Outcome::NotDone(_)) => Outcome::NotDone(why),
                Some(outcome) => outcome,
                None => Outcome::Unknown(why),
            };
            let warnings = Vec::new();
            return match reading {
                Reading::Present(object) if unsure && done => {
                    (outcome, self.verify(&object, warnings), Some(object))
                }
                Reading::Absent if unsure && done => (outcome, StepResult::Done { warnings }, None),
                _ => (outcome, StepResult::Failed(failure), None),
            };
        }
    }

    /// Reads the object just before the call: what the call must find, with the newest version.
    async fn look_again(&self, before: &Expected) -> Result<Expected, LookedAgain> {
        match (self.reader.read(self.kind, &self.step.key).await, before) {
            (Reading::Unreadable(error), _) => Err(LookedAgain::Refused(error.into())),
            (Reading::Absent, Expected::Absent) => Ok(Expected::Absent),
            (Reading::Absent, Expected::Present { .. }) if self.operation == Operation::Delete => {
                Err(LookedAgain::Gone)
            }
            (Reading::Present(object), _) if self.is_foreign(&object) => {
                Err(LookedAgain::Refused(changed()))
            }
            (Reading::Present(object), expected) if is_expected(expected, &object) => {
                Ok(Expected::Present {
                    id: object.id,
                    version: object.version,
                    fingerprint: object.fingerprint,
                })
            }
            (Reading::Present(_), Expected::Absent) => Err(LookedAgain::Refused(Failure {
                help: Some(format!(
                    "plan again; to manage it here: remit import '{}' '{}'",
                    self.step.address,
                    remit_sdk::text::safe(&self.step.key)
                )),
                ..failure(
                    ErrorKind::Conflict,
                    "somebody made it since the plan was computed",
                )
            })),
            (Reading::Present(_) | Reading::Absent, _) => Err(LookedAgain::Refused(changed())),
        }
    }

    /// Whether the object carries another configuration's mark.
    fn is_foreign(&self, object: &Object) -> bool {
        let mark = object.mark.as_ref();
        mark.is_some_and(|mark| mark.lineage != self.mark.lineage)
    }

    async fn call(
        &self,
        expected: &Expected,
    ) -> Result<remit_sdk::provider::Written, ProviderError> {
        let request = || WriteRequest {
            kind: self.kind,
            key: &self.step.key,
            expected,
            attributes: &self.attributes,
            changed: &self.step.changed,
            unset: &self.step.unset,
            secrets: &self.secrets,
            mark: &self.mark,
        };
        match self.operation {
            Operation::Create => self.writer.create(request()).await,
            Operation::Update => self.writer.update(request()).await,
            Operation::Delete => {
                self.writer
                    .delete(self.kind, &self.step.key, expected)
                    .await
            }
        }
    }

    /// Reads the object back: what the server ignored or capped is a failure, and recorded as it is.
    async fn read_back(
        &self,
        warnings: Vec<String>,
        before: &Expected,
    ) -> (Outcome, StepResult, Option<Object>) {
        let mut settling = Settling::new(self.reader);
        loop {
            let last = settling.is_over();
            let reading = self.reader.read(self.kind, &self.step.key).await;
            match (self.operation, reading) {
                (Operation::Delete, Reading::Absent) => {
                    return (Outcome::Done(None), StepResult::Done { warnings }, None);
                }
                (Operation::Create | Operation::Update, Reading::Present(object)) => {
                    let result = self.verify(&object, warnings.clone());
                    // What was there before the call may be a stale answer; anything else isn't.
                    let stale = settling.in_parts || is_expected(before, &object);
                    if result.is_done() || last || !stale {
                        let record = recover::recorded_as(&self.intent.record, self.kind, &object);
                        return (Outcome::Done(Some(record)), result, Some(object));
                    }
                }
                (_, Reading::Unreadable(error)) if last => {
                    let why = format!("it can't be read back: {}", error.message);
                    let result = StepResult::Unknown(Failure {
                        message: why.clone(),
                        ..error.into()
                    });
                    return (Outcome::Unknown(why), result, None);
                }
                (Operation::Delete, Reading::Present(_)) if last => {
                    let why = "the server said it was removed, and it is still there";
                    let result = StepResult::Failed(failure(ErrorKind::Conflict, why));
                    return (Outcome::NotDone(why.to_owned()), result, None);
                }
                (_, Reading::Absent) if last => {
                    let why = "the server said it was written, and it is not there";
                    let result = StepResult::Failed(failure(ErrorKind::Conflict, why));
                    return (Outcome::NotDone(why.to_owned()), result, None);
                }
                _ => {}
            }
            settling.pause().await;
        }
    }

    /// Does the rest of a making that takes several calls and whose first answer was lost. What
    /// comes of it is told by reading back.
    async fn complete(&self, object: &Object) -> Result<(), Stop> {
        let lacking: BTreeSet<String> = self
            .mismatches(object)
            .into_iter()
            .map(|mismatch| mismatch.attribute)
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        fence(self.walk)?;
        let expected = Expected::Present {
            id: object.id.clone(),
            version: object.version,
            fingerprint: object.fingerprint.clone(),
        };
        let request = WriteRequest {
            kind: self.kind,
            key: &self.step.key,
            expected: &expected,
            attributes: &self.attributes,
            changed: &lacking,
            unset: &BTreeSet::new(),
            secrets: &self.secrets,
            mark: &self.mark,
        };
        drop(self.writer.update(request).await);
        Ok(())
    }

    /// What is there and isn't as wanted.
    fn mismatches(&self, object: &Object) -> Vec<Mismatch> {
        self.attributes
            .iter()
            .filter_map(|(name, wanted)| {
                let attribute = self.kind.attribute(name)?;
                let skipped = attribute.unverifiable.is_some() || attribute.volatile;
                let found = object.attributes.get(name);
                (!skipped && !same_value(attribute, Some(wanted), found)).then(|| Mismatch {
                    attribute: name.clone(),
                    wanted: wanted.clone(),
                    found: found.cloned(),
                })
            })
            .collect()
    }

    fn verify(&self, object: &Object, warnings: Vec<String>) -> StepResult {
        let mismatches = self.mismatches(object);
        let marked = self.kind.mark.is_none() || object.mark.as_ref() == Some(&self.mark);
        if mismatches.is_empty() && marked {
            return StepResult::Done { warnings };
        }
        let mut message = if marked {
            "the server did not keep what was written".to_owned()
        } else {
            "the object does not carry our mark after it was written: somebody else wrote it at \
             the same time"
                .to_owned()
        };
        if !warnings.is_empty() {
            message = format!("{message}; it said: {}", warnings.join("; "));
        }
        StepResult::Failed(Failure {
            help: Some("the target caps or ignores it: lower the value, or leave it out".into()),
            mismatches,
            ..failure(ErrorKind::Conflict, message)
        })
    }
}

/// Why a call is not made after all.
enum LookedAgain {
    /// It was to be removed, and it is gone.
    Gone,
    /// It isn't what the plan was computed from.
    Refused(Failure),
}

/// What was recorded of a step's object when the run began, under whichever address.
fn recorded<'a>(walk: &Walk<'a>, step: &Step) -> Option<&'a Record> {
    let objects = &walk.recorded.objects;
    let moved = || objects.get(step.moved_from.as_ref()?);
    objects.get(&step.address).or_else(moved)
}

/// What will be recorded if the step is done, as far as it is known before.
pub(super) fn intended(
    walk: &Walk<'_>,
    step: &Step,
    kind: &Kind,
    attributes: &BTreeMap<String, Value>,
) -> Record {
    let known = recorded(walk, step);
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    // References that this step doesn't send are recorded as they were.
    for (name, value) in known.into_iter().flat_map(|record| &record.attributes) {
        let write_only = kind
            .attribute(name)
            .is_some_and(|attribute| attribute.write_only);
        if write_only || kind.versioned(name).is_some() {
            all.insert(name.clone(), value.clone());
        }
    }
    all.extend(
        attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    all.retain(|name, _| {
        let owner = name.strip_suffix("_version").unwrap_or(name);
        let write_only = kind
            .attribute(owner)
            .is_some_and(|attribute| attribute.write_only);
        !write_only || step.record.set.contains(owner)
    });
    Record {
        instance: step.instance.clone(),
        target: walk
            .plan
            .targets
            .get(&step.instance)
            .map(|one| one.id.clone())
            .unwrap_or_default(),
        kind: step.kind.clone(),
        schema_version: kind.version,
        key: step.key.clone(),
        id: None,
        attributes: all,
        set: step.record.set.clone(),
        fingerprint: remit_sdk::Fingerprint::of(&serde_json::Value::Null),
        depends_on: step.record.depends_on.clone(),
        holders: step.record.holders.clone(),
        prevent_destroy: step.record.prevent_destroy,
    }
}

/// Whether a live object is what was expected; its version doesn't matter, its content does.
pub(super) fn is_expected(expected: &Expected, object: &Object) -> bool {
    match expected {
        Expected::Absent => false,
        Expected::Present {
            id, fingerprint, ..
        } => *id == object.id && *fingerprint == object.fingerprint,
    }
}

pub(super) async fn journal(walk: &Walk<'_>, entry: Entry) -> Result<(), Stop> {
    walk.run
        .append(entry)
        .await
        .map_err(|error| Stop(state_failure(&error)))
}

fn fence(walk: &Walk<'_>) -> Result<(), Stop> {
    walk.run
        .fence()
        .map_err(|error| Stop(state_failure(&error)))
}

/// A failure of the state as a step's or a run's failure.
pub(super) fn state_failure(error: &crate::state::StateError) -> Failure {
    Failure {
        help: Some(error.help()),
        ..failure(ErrorKind::Unavailable, error.to_string())
    }
}

pub(super) fn failed(kind: ErrorKind, message: String) -> StepResult {
    StepResult::Failed(failure(kind, message))
}

pub(super) fn changed() -> Failure {
    Failure {
        help: Some("somebody else changed it; plan again and look at what they did".to_owned()),
        ..failure(
            ErrorKind::Conflict,
            "it is not as it was when the plan was computed",
        )
    }
}

fn failure(kind: ErrorKind, message: impl Into<String>) -> Failure {
    Failure {
        kind,
        message: message.into(),
        help: None,
        mismatches: Vec::new(),
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self {
            help: error.help,
            ..failure(error.kind, error.message)
        }
    }
}
