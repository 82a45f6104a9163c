//! The walk over the steps of a plan: which may run now, how many at a time, when to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use remit_sdk::provider::Expected;
use remit_sdk::{Object, ObjectAddress, ProviderError, Read, Secret, SecretRef, Value, Write};
use tokio::sync::watch;

use super::report::{Progress, Report, StepResult};
use super::{secrets, step};
use crate::lower::Catalog;
use crate::plan::{Phase, Plan, Step};
use crate::state::{Recorded, Run};

/// Everything a walk works with.
pub struct Walk<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// The lineage to mark objects with.
    pub lineage: String,
    /// The locked state.
    pub run: &'a Run,
    /// What is recorded now, recovered intents included.
    pub recorded: &'a Recorded,
    /// All kinds.
    pub catalog: Catalog<'a>,
    /// The reading halves, by instance.
    pub readers: BTreeMap<String, &'a dyn Read>,
    /// The writing halves, by instance.
    pub writers: BTreeMap<String, &'a dyn Write>,
    /// Gives the secrets that don't live in a target.
    pub secrets: &'a (dyn Fn(&SecretRef) -> Result<Secret, ProviderError> + Sync),
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Becomes true at the first interrupt.
    pub interrupt: watch::Receiver<bool>,
    /// How many steps run at a time.
    pub parallelism: usize,
}

/// What steps left behind, for the steps after them.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    inner: Mutex<Left>,
}

#[derive(Debug, Default)]
struct Left {
    values: BTreeMap<ObjectAddress, BTreeMap<String, Value>>,
    expected: BTreeMap<usize, Expected>,
}

impl Outcomes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Left> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what a step left.
    pub(super) fn done(&self, step: &Step, object: Option<&Object>) {
        let mut left = self.lock();
        let expected = match object {
            None => Expected::Absent,
            Some(object) => {
                let mut values = object.attributes.clone();
                if let Some(id) = &object.id {
                    values
                        .entry("id".to_owned())
                        .or_insert_with(|| Value::string(id.clone()));
                }
                left.values.insert(step.address.clone(), values);
                Expected::Present {
                    id: object.id.clone(),
                    version: object.version,
                    fingerprint: object.fingerprint.clone(),
                }
            }
        };
        left.expected.insert(step.id, expected);
    }

    /// What the step of this number left, if it is done.
    pub(super) fn left_by(&self, step: usize) -> Option<Expected> {
        self.lock().expected.get(&step).cloned()
    }

    /// An attribute of an object that a step made or changed.
    pub(super) fn value(&self, address: &ObjectAddress, attribute: &str) -> Option<Value> {
        self.lock().values.get(address)?.get(attribute).cloned()
    }
}

/// Where the walk stands.
struct Standing<'a> {
    plan: &'a Plan,
    results: BTreeMap<usize, StepResult>,
    waiting: BTreeMap<usize, BTreeSet<usize>>,
    dependents: BTreeMap<usize, Vec<usize>>,
    ready: BTreeSet<(Phase, usize)>,
    unfinished: BTreeMap<Phase, usize>,
}

impl<'a> Standing<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut standing = Self {
            plan,
            results: BTreeMap::new(),
            waiting: BTreeMap::new(),
            dependents: BTreeMap::new(),
            ready: BTreeSet::new(),
            unfinished: BTreeMap::new(),
        };
        for step in &plan.steps {
            *standing.unfinished.entry(step.phase).or_default() += 1;
            let before: BTreeSet<usize> = &step.waits_for | &step.follows;
            if before.is_empty() {
                standing.ready.insert((step.phase, step.id));
            }
            for before in &before {
                standing
                    .dependents
                    .entry(*before)
                    .or_default()
                    .push(step.id);
            }
            standing.waiting.insert(step.id, before);
        }
        standing
    }

    fn step(&self, id: usize) -> Option<&'a Step> {
        self.plan.steps.get(id.checked_sub(1)?)
    }

    /// The next step that may run: no step of an earlier phase is unfinished.
    fn next(&mut self) -> Option<&'a Step> {
        let (phase, id) = *self.ready.first()?;
        if self.unfinished.range(..phase).any(|(_, count)| *count > 0) {
            return None;
        }
        self.ready.pop_first();
        self.step(id)
    }

    /// Writes a result down; what depends on it becomes ready, or is skipped. Returns the skipped.
    fn finish(&mut self, id: usize, result: StepResult) -> Vec<usize> {
        let mut skipped = Vec::new();
        let mut open = vec![(id, result)];
        while let Some((id, result)) = open.pop() {
            if self.results.contains_key(&id) {
                continue;
            }
            let done = result.is_done();
            if matches!(result, StepResult::Skipped(_)) {
                skipped.push(id);
            }
            self.results.insert(id, result);
            let phase = self.step(id).map(|step| step.phase);
            if let Some(count) = phase.and_then(|phase| self.unfinished.get_mut(&phase)) {
                *count = count.saturating_sub(1);
            }
            for dependent in self.dependents.get(&id).cloned().unwrap_or_default() {
                let needs = self
                    .step(dependent)
                    .is_some_and(|step| step.waits_for.contains(&id));
                if needs && !done {
                    open.push((dependent, StepResult::Skipped(id)));
                    continue;
                }
                let Some(waiting) = self.waiting.get_mut(&dependent) else {
                    continue;
                };
                waiting.remove(&id);
                if waiting.is_empty()
                    && !self.results.contains_key(&dependent)
                    && let Some(step) = self.plan.steps.get(dependent - 1)
                {
                    self.ready.insert((step.phase, dependent));
                }
            }
        }
        skipped
    }
}

/// Secrets that steps will need and that can't be fetched, as diagnostics.
pub fn missing_secrets(walk: &Walk<'_>) -> Vec<remit_sdk::Diagnostic> {
    secrets::missing(walk)
}

/// Walks all steps.
pub async fn walk(walk: &Walk<'_>) -> Report {
    let outcomes = Outcomes::default();
    let mut standing = Standing::new(walk.plan);
    let mut report = Report::default();
    let mut running = FuturesUnordered::new();
    let mut interrupt = walk.interrupt.clone();
    loop {
        let stopped = report.interrupted || report.stopped.is_some();
        while !stopped && running.len() < walk.parallelism.max(1) {
            let Some(step) = standing.next() else { break };
            walk.progress.started(step);
            let outcomes = &outcomes;
            running.push(async move { (step, step::run(walk, step, outcomes).await) });
        }
        if running.is_empty() {
            break;
        }
        let finished = tokio::select! {
            finished = running.next() => finished,
            () = interrupted(&mut interrupt), if !report.interrupted => {
                report.interrupted = true;
                walk.progress.interrupted(running.len());
                continue;
            }
        };
        let Some((step, ended)) = finished else { break };
        let result = match ended {
            Ok(result) => result,
            Err(step::Stop(failure)) => {
                report.stopped.get_or_insert_with(|| failure.clone());
                StepResult::Unknown(failure)
            }
        };
        walk.progress.finished(step, &result);
        for id in standing.finish(step.id, result) {
            if let (Some(step), Some(result)) = (standing.step(id), standing.results.get(&id)) {
                walk.progress.finished(step, result);
            }
        }
    }
    report.results = standing.results;
    for step in &walk.plan.steps {
        report
            .results
            .entry(step.id)
            .or_insert(StepResult::NotStarted);
    }
    report.outputs = outputs(walk, &outcomes);
    report
}

/// Ends at the interrupt; never, if none can come any more.
async fn interrupted(interrupt: &mut watch::Receiver<bool>) {
    if interrupt
        .wait_for(|interrupted| *interrupted)
        .await
        .is_err()
    {
        std::future::pending::<()>().await;
    }
}

/// The outputs as they are now; one whose object wasn't made keeps what it was.
fn outputs(walk: &Walk<'_>, outcomes: &Outcomes) -> BTreeMap<String, crate::state::OutputRecord> {
    let mut outputs = walk.recorded.outputs.clone();
    for (name, change) in &walk.plan.outputs {
        let Some(after) = &change.after else {
            outputs.remove(name);
            continue;
        };
        let value = after.resolve(&|address, attribute| outcomes.value(address, attribute));
        if !value.has_pending() {
            let sensitive = change.sensitive;
            outputs.insert(
                name.clone(),
                crate::state::OutputRecord { value, sensitive },
            );
        }
    }
    outputs
}
