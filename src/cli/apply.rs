//! `remit apply` and `remit destroy`: a saved plan exactly, or plan, ask, apply.
//!
//! Without a saved plan the state is locked first, so that what is shown and agreed to is what
//! is applied, and a second run waits for its turn instead of planning from what is about to
//! change. A saved plan is made again under the lock, and must come to the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use remit_sdk::{Diagnostic, SecretRef};

use super::options::{self, Lock, Selection, Variables, Work};
use super::output::note;
use super::plan::What;
use super::progress::Reporter;
use super::providers::{self, Connections};
use super::secrets::Secrets;
use super::session::{self, Session};
use super::stats::Stats;
use super::{Global, Outcome, ask, clock, plan as planning, signatures};
use crate::apply::{Report, Walk};
use crate::gate::file::{self, SavedPlan};
use crate::gate::{self, Review, Signatures};
use crate::operations::{self, Planned};
use crate::plan::{Mode, Plan, Step};
use crate::state::Run;
use crate::view;
use crate::view::events::Events;
use crate::view::plan::Look;
use crate::view::report::{self, DONE, ERROR, REFUSED};

/// How often a run says that it is still going on: as often as Terraform does.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What to do where there is nobody to ask.
const UNATTENDED: &str = "make a plan, have it looked at, and apply that: remit plan --out FILE, \
                          remit apply FILE; or say --auto-approve";

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// A saved plan, to be applied exactly; without one, a plan is made and shown first
    #[arg(value_name = "PLAN")]
    file: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    destroy: options::Destroy,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Destroy {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    common: Common,
}

/// What both take.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    variables: Variables,
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    lock: Lock,
    /// Don't ask
    #[arg(long)]
    auto_approve: bool,
    /// One JSON object a line, with Terraform's event types
    #[arg(long)]
    json: bool,
}

impl Apply {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let Some(path) = &self.file else {
            let mode = self.selection.mode(self.destroy.destroy);
            return fresh(global, &self.selection, mode, &self.common).await;
        };
        if self.selection != Selection::default() || self.destroy.destroy {
            return Err(vec![
                Diagnostic::error(
                    "planning options for a saved plan",
                    "a saved plan is applied exactly: what to plan was said when it was made",
                )
                .help("leave out PLAN to make a new plan, or leave out these options"),
            ]);
        }
        saved(global, path, &self.common).await
    }
}

impl Destroy {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        if self.selection.refresh_only || !self.selection.replace.is_empty() {
            return Err(vec![Diagnostic::error(
                "options that don't fit",
                "destroy removes: it makes nothing anew and doesn't only refresh",
            )]);
        }
        fresh(global, &self.selection, Mode::Destroy, &self.common).await
    }
}

/// Plans, shows, asks, applies.
async fn fresh(global: &Global, selection: &Selection, mode: Mode, common: &Common) -> Outcome {
    if common.json {
        global.begin_events();
        if !common.auto_approve {
            return Err(vec![
                Diagnostic::error("nobody to ask", "--json leaves no room for a question")
                    .help("say --auto-approve, or apply a saved plan"),
            ]);
        }
    }
    let mut stats = Stats::new();
    let session = Session::open(global, &common.variables)?;
    global.report(&session.warnings);
    stats.stage("configuration");
    let command = if mode == Mode::Destroy {
        "destroy"
    } else {
        "apply"
    };
    let run = session::lock(global, &session.state, command, common.lock.lock_timeout).await?;
    stats.stage("state");
    let connections = planning::connect(&session, run.recorded(), mode)?;
    let what = What {
        mode,
        asked: selection.asked(),
        agreed: None,
    };
    let work = common.work;
    let planned = planning::make(global, &session, run.recorded(), &connections, what, work).await;
    let planned = match planned {
        Ok(planned) => planned,
        Err(diagnostics) => {
            close(global, &connections, run).await?;
            return Err(diagnostics);
        }
    };
    stats.stage("plan");
    planning::show(global, &planned);
    global.report(&planned.diagnostics);
    let is_refused = planned.review.stops();
    let goes_on = planned.may_apply() && !is_refused && !planned.review.plan.is_empty();
    if goes_on && !planned.review.approvals.is_empty() {
        // A question at this terminal, or --auto-approve, is the answer of whoever runs this.
        let missing = gate::missing(&planned.review.approvals, &Signatures::default());
        let people = &planned.review.people;
        global.report(&gate::diagnostics(&missing, people, None));
        global.say("Nothing was applied: the plan needs approvals.\n");
        close(global, &connections, run).await?;
        return Ok(REFUSED);
    }
    let agreed = match goes_on {
        true if !common.auto_approve => ask::agrees(question(mode), UNATTENDED).await,
        other => Ok(other),
    };
    stats.skip();
    let code = match agreed {
        Ok(true) => {
            let job = Job {
                review: &planned.review,
                digest: None,
                approved_by: BTreeSet::new(),
                command,
                common,
            };
            return carry_out(global, &connections, run, job, stats).await;
        }
        Ok(false) if goes_on => {
            global.say("Not applied.\n");
            Ok(ERROR)
        }
        Ok(false) if is_refused && planned.may_apply() => {
            let why = view::findings::stopping(&planned.review);
            global.say(&format!("Nothing was applied: {why}"));
            Ok(REFUSED)
        }
        Ok(false) if planned.may_apply() => Ok(DONE),
        Ok(false) => {
            global.say("Nothing was applied: a plan with errors can't be.\n");
            Ok(ERROR)
        }
        Err(diagnostics) => Err(diagnostics),
    };
    close(global, &connections, run).await?;
    if common.work.stats {
        note(&stats.text(connections.statistics()));
    }
    code
}

const fn question(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "Apply this plan?",
        Mode::Destroy => "Remove all of this? There is no way back.",
        Mode::RefreshOnly => "Record this?",
    }
}

/// Applies a saved plan. It is made again first, and is what is applied only as far as that comes to
/// the same: whatever the file says, what is done, what it gives and what it takes is computed here.
async fn saved(global: &Global, path: &Path, common: &Common) -> Outcome {
    if common.json {
        global.begin_events();
    }
    let mut stats = Stats::new();
    let (saved, bytes) = planning::read(path)?;
    expired(&saved)?;
    let session = Session::open(global, &common.variables)?;
    global.report(&session.warnings);
    stats.stage("configuration");
    let agreed = &saved.body;
    if agreed.plan.configuration != session.model.digest {
        return Err(vec![
            Diagnostic::error(
                "plan is stale",
                "the configuration, or a variable's value, is not what the plan was made from",
            )
            .help("plan again and look at what changed"),
        ]);
    }
    let run = session::lock(global, &session.state, "apply", common.lock.lock_timeout).await?;
    stats.stage("state");
    if let Err(diagnostic) = operations::fits(&agreed.plan, run.recorded()) {
        session::finish(run).await?;
        return Err(vec![diagnostic]);
    }
    let mode = agreed.plan.mode;
    let connections = match planning::connect(&session, run.recorded(), mode) {
        Ok(connections) => connections,
        Err(diagnostics) => {
            session::finish(run).await?;
            return Err(diagnostics);
        }
    };
    let what = What {
        mode,
        asked: agreed.plan.asked.clone(),
        agreed: Some(agreed),
    };
    let work = common.work;
    let again = planning::make(global, &session, run.recorded(), &connections, what, work).await;
    stats.stage("plan");
    match again.and_then(|planned| permitted(global, planned, path, &bytes)) {
        Ok(Permitted::By(approved_by, review)) => {
            let job = Job {
                review: &review,
                digest: Some(&saved.header.digest),
                approved_by,
                command: "apply",
                common,
            };
            carry_out(global, &connections, run, job, stats).await
        }
        Ok(Permitted::No(code)) => {
            close(global, &connections, run).await?;
            Ok(code)
        }
        Err(diagnostics) => {
            close(global, &connections, run).await?;
            Err(diagnostics)
        }
    }
}

/// What is to become of a saved plan.
enum Permitted {
    /// It is applied: who approved it, and what it is.
    By(BTreeSet<String>, Box<Review>),
    /// It isn't, and why was said.
    No(u8),
}

/// Whether a saved plan may be applied, as it is now.
fn permitted(
    global: &Global,
    planned: Planned,
    path: &Path,
    bytes: &[u8],
) -> Result<Permitted, Vec<Diagnostic>> {
    global.report(&planned.diagnostics);
    if !planned.may_apply() {
        global.say("Nothing was applied: a plan with errors can't be.\n");
        return Ok(Permitted::No(ERROR));
    }
    let review = planned.review;
    if review.stops() {
        let text = view::findings::errors(&review.findings, global.output.paint());
        global.output.data(&text);
        let why = view::findings::stopping(&review);
        global.say(&format!("Nothing was applied: {why}"));
        return Ok(Permitted::No(REFUSED));
    }
    if review.approvals.is_empty() {
        return Ok(Permitted::By(BTreeSet::new(), Box::new(review)));
    }
    let signatures = signatures::check(path, bytes)?;
    global.report(&signatures::warnings(&signatures));
    match gate::verify(&review.approvals, &signatures) {
        Ok(by) => Ok(Permitted::By(by, Box::new(review))),
        Err(missing) => {
            let shown = remit_sdk::text::safe(&path.display().to_string());
            global.report(&gate::diagnostics(&missing, &review.people, Some(&shown)));
            global.say("Nothing was applied: the plan needs approvals.\n");
            Ok(Permitted::No(REFUSED))
        }
    }
}

pub(super) fn expired(saved: &SavedPlan) -> Result<(), Vec<Diagnostic>> {
    let expires_at = &saved.header.expires_at;
    if clock::is_past(expires_at) == Some(false) {
        return Ok(());
    }
    Err(vec![
        Diagnostic::error(
            "plan has expired",
            format!(
                "it could be applied until {}",
                remit_sdk::text::safe(expires_at)
            ),
        )
        .help("plan again and look at what changed"),
    ])
}

/// What is to be carried out.
struct Job<'a> {
    review: &'a Review,
    /// The digest of the saved plan, which is what its signatures are about.
    digest: Option<&'a str>,
    /// The fingerprints of the keys that approved it.
    approved_by: BTreeSet<String>,
    command: &'static str,
    common: &'a Common,
}

/// Walks the plan, tells what becomes of it, and lets everything go.
async fn carry_out(
    global: &Global,
    connections: &Connections,
    run: Run,
    job: Job<'_>,
    mut stats: Stats,
) -> Outcome {
    let result = walk(global, connections, &run, &job).await;
    stats.stage(job.command);
    // Whatever came of it, the state is closed properly; the first failure is the one to tell.
    let closed = close(global, connections, run).await;
    let report = result?;
    closed?;
    let plan = &job.review.plan;
    tell(global, plan, &report);
    if job.common.work.stats {
        note(&stats.text(connections.statistics()));
    }
    Ok(report::exit_code(plan, &report))
}

async fn walk(
    global: &Global,
    connections: &Connections,
    run: &Run,
    job: &Job<'_>,
) -> Result<Report, Vec<Diagnostic>> {
    let plan = &job.review.plan;
    let lineage = session::lineage(run.recorded())?;
    let secrets = Secrets::read(&job.common.variables.secret_fds)?;
    let get = |reference: &SecretRef| secrets.get(reference);
    let reporter = Reporter::new(global, plan);
    let digest = match job.digest {
        Some(digest) => digest.to_owned(),
        None => file::digest(job.review).map_err(|error| {
            vec![Diagnostic::error(
                "plan can't be written",
                error.to_string(),
            )]
        })?,
    };
    let walk = Walk {
        plan,
        lineage: lineage.clone(),
        run,
        recorded: run.recorded(),
        catalog: providers::catalog(),
        readers: connections.readers(),
        writers: connections.writers(),
        secrets: &get,
        progress: &reporter,
        interrupt: global.interrupt.subscribe(),
        parallelism: job.common.work.parallelism(),
    };
    let name = format!("{} {}", job.command, file::short(&digest));
    global.is_graceful.set(true);
    let mut applying = std::pin::pin!(operations::apply(
        walk,
        lineage,
        &name,
        job.approved_by.clone()
    ));
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.tick().await;
    let result = loop {
        tokio::select! {
            biased;
            result = &mut applying => break result,
            _ = heartbeat.tick() => reporter.going_on(),
        }
    };
    global.is_graceful.set(false);
    reporter.end();
    result
}

/// Ends the sessions and the run.
async fn close(
    global: &Global,
    connections: &Connections,
    run: Run,
) -> Result<(), Vec<Diagnostic>> {
    global.report(&connections.close().await);
    session::finish(run).await
}

/// Tells what an apply did.
fn tell(global: &Global, plan: &Plan, report: &Report) {
    if global.events.get() {
        let now = clock::now();
        let events = Events { now: &now };
        let done: Vec<&Step> = plan
            .steps
            .iter()
            .filter(|step| {
                report
                    .results
                    .get(&step.id)
                    .is_some_and(crate::apply::StepResult::is_done)
            })
            .collect();
        global.event(&events.summary(plan, &done));
        global.event(&events.outputs(&report.outputs));
        return;
    }
    let look = Look {
        catalog: providers::catalog(),
        paint: global.output.paint(),
    };
    let mut text = view::report::people(plan, report, look);
    if report.is_complete(plan) && !report.outputs.is_empty() {
        text.push_str("\nOutputs:\n");
        text.push_str(&view::output::people(&report.outputs));
    }
    global.output.data(&text);
}
