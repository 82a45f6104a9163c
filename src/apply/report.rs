//! What became of each step, and who is told while it happens.

use std::collections::BTreeMap;

use remit_sdk::{ErrorKind, Value};

use crate::plan::{Plan, Step};
use crate::state::OutputRecord;

/// What became of one step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepResult {
    /// It is done, read back and recorded.
    Done {
        /// What the server warned of.
        warnings: Vec<String>,
    },
    /// It is surely not done, or it is done and the server kept something else than asked.
    Failed(Failure),
    /// A step it waits for is not done: that step's number.
    Skipped(usize),
    /// The answer was lost and the object can't tell; the next run decides.
    Unknown(Failure),
    /// The run was interrupted before it began.
    NotStarted,
}

impl StepResult {
    /// Whether what depends on it may run.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind of failure; decides nothing any more.
    pub kind: ErrorKind,
    /// What was tried and what came back; safe to show.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Attributes that the server did not keep as they were sent.
    pub mismatches: Vec<Mismatch>,
}

/// An attribute that the server did not keep as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The attribute.
    pub attribute: String,
    /// What was sent.
    pub wanted: Value,
    /// What is there.
    pub found: Option<Value>,
}

/// Who is told while steps run. Called from the task that walks the plan, in order.
pub trait Progress: Send + Sync {
    /// The call is about to be made.
    fn started(&self, step: &Step);
    /// It ended.
    fn finished(&self, step: &Step, result: &StepResult);
    /// An interrupt came: what is in flight is finished, nothing is begun.
    fn interrupted(&self, in_flight: usize);
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// By step number; every step of the plan is in it.
    pub results: BTreeMap<usize, StepResult>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// The outputs as they are now.
    pub outputs: BTreeMap<String, OutputRecord>,
    /// Why the run ended early, where it did: the lock was lost, or the journal can't be written.
    pub stopped: Option<Failure>,
}

impl Report {
    /// How many steps are done, failed, skipped, unknown, not started.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for result in self.results.values() {
            match result {
                StepResult::Done { .. } => tally.done += 1,
                StepResult::Failed(_) => tally.failed += 1,
                StepResult::Skipped(_) => tally.skipped += 1,
                StepResult::Unknown(_) => tally.unknown += 1,
                StepResult::NotStarted => tally.not_started += 1,
            }
        }
        tally
    }

    /// Whether everything in the plan was done.
    pub fn is_complete(&self, plan: &Plan) -> bool {
        self.tally().done == plan.steps.len() && self.stopped.is_none()
    }
}

/// How many steps ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Done.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped.
    pub skipped: usize,
    /// Unknown.
    pub unknown: usize,
    /// Not started.
    pub not_started: usize,
}
