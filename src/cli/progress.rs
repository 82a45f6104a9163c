//! What is said while steps run: a bar on a terminal, plain lines elsewhere, events as JSON.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use remit_sdk::text;

use super::output::{Output, is_watched, note};
use super::{Global, clock, providers};
use crate::apply::{Progress, StepResult};
use crate::plan::{Plan, Step};
use crate::view::Paint;
use crate::view::events::Events;
use crate::view::plan::Look;
use crate::view::report;

/// Below this, a step is not worth a word on how long it took.
const SLOW: Duration = Duration::from_secs(1);

/// Tells of a run. Takes what it needs from [`Global`], which can't be shared between threads.
pub(super) struct Reporter<'a> {
    plan: &'a Plan,
    form: Form,
    paint: Paint,
    running: Mutex<Running>,
}

/// How it tells.
enum Form {
    Events,
    Bar(ProgressBar),
    Lines,
}

#[derive(Default)]
struct Running {
    ended: usize,
    since: BTreeMap<usize, Instant>,
}

impl<'a> Reporter<'a> {
    /// Tells of the run of `plan`.
    pub(super) fn new(global: &Global, plan: &'a Plan) -> Self {
        let form = if global.events.get() {
            Form::Events
        } else if is_watched() {
            Form::Bar(bar(plan.steps.len()))
        } else {
            Form::Lines
        };
        Self {
            plan,
            form,
            paint: global.output.error_paint(),
            running: Mutex::default(),
        }
    }

    /// Some time has passed.
    pub(super) fn going_on(&self) {
        let running = self.running();
        let slow = self
            .plan
            .steps
            .iter()
            .filter_map(|step| Some((step, running.since.get(&step.id)?.elapsed())))
            .filter(|(_, elapsed)| *elapsed >= SLOW);
        for (step, elapsed) in slow {
            match &self.form {
                Form::Events => event(|events| events.going_on(step, elapsed)),
                Form::Bar(_) => {}
                Form::Lines => line(&format!(
                    "  {} {}: {} s so far",
                    report::step_word(step),
                    text::safe(&step.address.to_string()),
                    elapsed.as_secs()
                )),
            }
        }
    }

    /// The run is over.
    pub(super) fn end(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What people see of a step that ended.
    fn lines(&self, step: &Step, result: &StepResult, elapsed: Duration) -> Vec<String> {
        let look = Look {
            catalog: providers::catalog(),
            paint: self.paint,
        };
        let how = match result {
            StepResult::Done { .. } if elapsed >= SLOW => {
                format!("done in {:.1} s", elapsed.as_secs_f64())
            }
            StepResult::Done { .. } => "done".into(),
            StepResult::Failed(_) => self.paint.removed("FAILED"),
            StepResult::Unknown(_) => self.paint.removed("UNKNOWN"),
            StepResult::Skipped(_) => self.paint.changed("skipped"),
            StepResult::NotStarted => self.paint.changed("not started"),
        };
        let mut out = vec![format!("  {}: {how}", report::step_line(step, look))];
        let why = report::because(self.plan, step, result, look);
        out.extend(why.iter().map(|line| format!("      {line}")));
        out
    }
}

impl Progress for Reporter<'_> {
    fn started(&self, step: &Step) {
        self.running().since.insert(step.id, Instant::now());
        if let Form::Events = self.form {
            event(|events| events.started(step));
        }
    }

    fn finished(&self, step: &Step, result: &StepResult) {
        let mut running = self.running();
        let elapsed = running
            .since
            .remove(&step.id)
            .map_or(Duration::ZERO, |since| since.elapsed());
        running.ended += 1;
        let ended = running.ended;
        drop(running);
        match &self.form {
            Form::Events => event(|events| events.ended(step, result, elapsed)),
            Form::Bar(bar) => {
                bar.set_position(u64::try_from(ended).unwrap_or(u64::MAX));
                bar.set_message(text::safe(&step.address.to_string()));
                if !result.is_done() {
                    for text in self.lines(step, result, elapsed) {
                        bar.println(text);
                    }
                }
            }
            Form::Lines => {
                for text in self.lines(step, result, elapsed) {
                    line(&text);
                }
            }
        }
    }

    fn interrupted(&self, in_flight: usize) {
        let text = format!(
            "Interrupted: {in_flight} in flight, which are waited for; nothing more is begun. \
             Another interrupt ends it at once, and the next run finds out what became of them."
        );
        match &self.form {
            Form::Events => {}
            Form::Bar(bar) => bar.println(text),
            Form::Lines => line(&text),
        }
    }
}

fn bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

fn event(make: impl FnOnce(Events<'_>) -> String) {
    let now = clock::now();
    Output::new(true).data(&format!("{}\n", make(Events { now: &now })));
}

fn line(text: &str) {
    note(&format!("{text}\n"));
}
