//! Changes to ordered steps. PURE.
//!
//! In: what the comparison gave. Out: a [`Plan`]: steps, each with what it waits for, what it
//! must find and what it writes. The only place where a replace becomes two steps and a
//! change of grants becomes taking away and giving. Apply walks the steps and decides nothing.

mod agreed;
mod contained;
mod order;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::provider::{Expected, Target};
use remit_sdk::{Address, DeclarationAddress, ObjectAddress, Value};
use serde::{Deserialize, Serialize};

pub use steps::steps;

use crate::diff::{Action, Change, Difference};
use crate::state::{Facts, Operation};

/// A plan: what will be done, and what it was computed from. Holds no secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The format of this document.
    pub format: u32,
    /// The version of remit that made it.
    pub remit_version: String,
    /// What it was asked for.
    pub mode: Mode,
    /// What of it, so that it can be made again.
    pub asked: Asked,
    /// The targets it was made for; it runs against no others.
    pub targets: BTreeMap<String, Target>,
    /// SHA-256 of the configuration and its variables.
    pub configuration: String,
    /// The state's lineage; `None` where nothing was recorded yet.
    pub lineage: Option<String>,
    /// The state's serial; the first thing an apply does is to raise it.
    pub serial: u64,
    /// The changes by address, for people.
    pub changes: BTreeMap<ObjectAddress, Change>,
    /// Drift, put back or not.
    pub drift: BTreeMap<ObjectAddress, Vec<Difference>>,
    /// The steps in an order in which they could run one by one.
    pub steps: Vec<Step>,
    /// Outputs that change.
    pub outputs: BTreeMap<String, OutputChange>,
    /// Objects under a managed prefix that nobody declared: instance, kind and key.
    pub unmanaged: BTreeSet<(String, String, String)>,
    /// Objects recorded before.
    pub recorded: usize,
    /// Calls that a run which was cut off had announced. They are decided by what is live; an
    /// apply records that.
    pub undecided: usize,
    /// What the gate is to hold later changes against, where that differs from what is recorded.
    pub gate: Option<Facts>,
}

/// What a plan was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To make what is live what is wanted.
    Apply,
    /// To remove everything recorded.
    Destroy,
    /// To record what is live.
    RefreshOnly,
}

/// What a plan was asked for beside its mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Only these, and what they depend on; empty means everything.
    pub targets: Vec<Address>,
    /// Not these, nor what depends on them.
    pub excludes: Vec<Address>,
    /// Make these anew.
    pub replace: Vec<Address>,
    /// How many removals aren't taken for a mistake.
    pub allow_deletes: Option<usize>,
    /// Whether recorded objects are read, or believed to be as recorded.
    pub refresh: bool,
}

impl Asked {
    /// Whether it is a part only: `--target`, `--exclude`.
    pub fn is_part(&self) -> bool {
        !(self.targets.is_empty() && self.excludes.is_empty())
    }
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            allow_deletes: None,
            refresh: true,
        }
    }
}

/// An output before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// As recorded.
    pub before: Option<Value>,
    /// As it will be; may be pending; `None` where it goes.
    pub after: Option<Value>,
    /// Shown as `(sensitive)`.
    pub sensitive: bool,
}

/// One call, or one change of the state alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number in the plan, from 1.
    pub id: usize,
    /// The steps that must be done before: where one of them is not, this one is skipped.
    pub waits_for: BTreeSet<usize>,
    /// The steps that must have ended before, whatever became of them.
    pub follows: BTreeSet<usize>,
    /// When it runs: no step starts before all steps of earlier phases have ended.
    pub phase: Phase,
    /// What it does.
    pub operation: StepOperation,
    /// The object.
    pub address: ObjectAddress,
    /// The provider instance.
    pub instance: String,
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// The address under which it was recorded when the plan was made, where that was another.
    pub moved_from: Option<ObjectAddress>,
    /// What it must find.
    pub precondition: Precondition,
    /// What is wanted; may hold pending values and references to secrets.
    pub attributes: BTreeMap<String, Value>,
    /// For an update: what differs.
    pub changed: BTreeSet<String>,
    /// What is reset.
    pub unset: BTreeSet<String>,
    /// What is recorded beside the attributes.
    pub record: StepRecord,
}

/// What a step records beside the attributes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The attributes that the configuration sets.
    pub set: BTreeSet<String>,
    /// Objects it was made after.
    pub depends_on: BTreeSet<ObjectAddress>,
    /// The identities whose access it is.
    pub holders: BTreeSet<DeclarationAddress>,
    /// A plan that deletes it is refused.
    pub prevent_destroy: bool,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOperation {
    /// One call that changes a target.
    Write(Operation),
    /// Records what is live.
    Record,
    /// Records that it is no longer ours or no longer there.
    Forget,
    /// Gives its record the address of the step; [`Step::moved_from`] is the old one.
    Move,
}

/// When a step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Takes access away.
    Narrow,
    /// Mounts, configurations, subjects.
    Neutral,
    /// Lets workloads in.
    Bind,
    /// Gives access.
    Widen,
    /// Removes what nothing uses any more.
    CleanUp,
}

/// What a step must find.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precondition {
    /// What the plan was computed from.
    Live(Expected),
    /// What an earlier step of this plan left.
    After(usize),
}

/// How many objects are made, changed, removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made; the second half of a replace too.
    pub create: usize,
    /// Changed.
    pub update: usize,
    /// Removed; the first half of a replace too.
    pub delete: usize,
    /// Adopted.
    pub adopt: usize,
    /// Recorded as they are.
    pub refresh: usize,
    /// Forgotten.
    pub forget: usize,
    /// Drifted attributes that are put back.
    pub drift_put_back: usize,
}

#[cfg(test)]
impl Plan {
    /// A plan that does nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            format: 1,
            remit_version: String::new(),
            mode: Mode::Apply,
            asked: Asked::default(),
            targets: BTreeMap::new(),
            configuration: String::new(),
            lineage: None,
            serial: 0,
            changes: BTreeMap::new(),
            drift: BTreeMap::new(),
            steps: Vec::new(),
            outputs: BTreeMap::new(),
            unmanaged: BTreeSet::new(),
            recorded: 0,
            undecided: 0,
            gate: None,
        }
    }
}

impl Plan {
    /// How many objects are made, changed, removed.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in self.changes.values() {
            match change.action {
                Action::Keep => {}
                Action::Create => counts.create += 1,
                Action::Update => counts.update += 1,
                Action::Delete => counts.delete += 1,
                Action::Adopt => counts.adopt += 1,
                Action::Refresh => counts.refresh += 1,
                Action::Forget => counts.forget += 1,
                Action::Replace => {
                    counts.create += 1;
                    counts.delete += 1;
                }
            }
            if change.action != Action::Refresh {
                counts.drift_put_back += change
                    .differences
                    .iter()
                    .filter(|difference| difference.drift.is_some() && difference.managed)
                    .count();
            }
        }
        counts
    }

    /// The objects whose access is taken away before the rest and given back after it, since no
    /// order of single changes keeps to what the old or the new configuration allows.
    pub fn interrupted(&self) -> BTreeSet<&ObjectAddress> {
        let is_write = |step: &&Step| matches!(step.operation, StepOperation::Write(_));
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for step in self.steps.iter().filter(is_write) {
            if !seen.insert(&step.address) {
                twice.insert(&step.address);
            }
        }
        twice.retain(|address| {
            self.changes
                .get(*address)
                .is_none_or(|change| change.action != Action::Replace)
        });
        twice
    }

    /// Whether it changes what the gate records, and there is somebody who approves: without
    /// anybody the facts are recorded when something else is.
    pub fn is_gated(&self) -> bool {
        let facts = self.gate.as_ref();
        facts.is_some_and(|facts| !facts.keys().is_empty())
    }

    /// Whether it changes what the gate records, and nothing else.
    pub fn is_gated_alone(&self) -> bool {
        self.is_gated() && self.steps.is_empty() && self.outputs.is_empty() && self.undecided == 0
    }

    /// Whether an apply of it would do anything at all, the outputs included.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.outputs.is_empty() && self.undecided == 0 && !self.is_gated()
    }
}
