//! `remit apply` and `remit destroy`: a saved plan exactly, or plan, ask, apply.
//!
//! Without a saved plan the state is locked first, so that what is shown and agreed to is what
//! is applied, and a second run waits for its turn instead of planning from what is about to
//! change. A saved plan is checked against configuration, state, targets and each object.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use remit_sdk::{Diagnostic, SecretRef};

use super::options::{self, Lock, Selection, Variables, Work};
use super::output::note;
use super::progress::Reporter;
use super::providers::{self, Connections};
use super::secrets::Secrets;
use super::session::{self, Session};
use super::stats::Stats;
use super::{Global, Outcome, ask, clock, plan as planning, signatures};
use crate::apply::{Report, Walk};
use crate::gate::file::{self, SavedPlan};
use crate::gate::{self, Review, Signatures};
use crate::operations::Judged;
use crate::plan::{Mode, Plan, Step};
use crate::state::{Recorded, Run};
use crate::view;
use crate::view::events::Events;
use crate::view::plan::Look;
use crate::view::report::{self, DONE, ERROR, REFUSED};
use crate::{observe, operations};

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
    let planned = planning::make(
        global,
        &session,
        run.recorded(),
        &connections,
        selection,
        mode,
        common.work,
    )
    .await;
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
        let comments = gate::facts::comments(&session.model);
        global.report(&gate::diagnostics(&missing, &comments, None));
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
            global.say("Nothing was applied: findings of severity error stop it.\n");
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

/// Applies a saved plan.
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
    if saved.body.stops() {
        global.say("Nothing was applied: the plan has findings of severity error.\n");
        return Ok(REFUSED);
    }
    let plan = &saved.body.plan;
    if plan.configuration != session.model.digest {
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
    // Under the lock, so that what it is held against is what is recorded, and before anything is
    // contacted or written.
    let approved_by = match approved(global, &saved, path, &bytes, &session, run.recorded()) {
        Ok(Some(approved_by)) => approved_by,
        Ok(None) => {
            session::finish(run).await?;
            return Ok(REFUSED);
        }
        Err(diagnostics) => {
            session::finish(run).await?;
            return Err(diagnostics);
        }
    };
    let connections = match connections(&session, plan, run.recorded()) {
        Ok(connections) => connections,
        Err(diagnostics) => {
            session::finish(run).await?;
            return Err(diagnostics);
        }
    };
    let job = Job {
        review: &saved.body,
        approved_by,
        command: "apply",
        common,
    };
    carry_out(global, &connections, run, job, stats).await
}

/// Who approved a saved plan; `None`, and what is missing is said, where that isn't enough.
fn approved(
    global: &Global,
    saved: &SavedPlan,
    path: &Path,
    bytes: &[u8],
    session: &Session,
    recorded: &Recorded,
) -> Result<Option<BTreeSet<String>>, Vec<Diagnostic>> {
    let Review {
        plan,
        access,
        approvals,
        ..
    } = &saved.body;
    operations::fits(plan, recorded).map_err(|diagnostic| vec![diagnostic])?;
    if plan.gate != operations::facts(plan, &session.model, recorded) {
        return Err(vec![
            Diagnostic::error(
                "plan is stale",
                "what it says of approvers, risks and tiers is not what the configuration says",
            )
            .help("plan again and look at what changed"),
        ]);
    }
    // Anybody could have written the file. The steps are what is done, so what it takes is computed
    // from them too, whatever else it says.
    let catalog = providers::catalog();
    let mut given = operations::access_by_steps(plan, &session.model, recorded, &catalog);
    given.extend(access.iter().cloned());
    let sources = global.sources.borrow().clone();
    let judged = Judged {
        literals: Some(&session.literals),
        now: clock::now(),
        place: &|span| sources.place(span),
    };
    let parts = (&session.model, recorded, &catalog);
    let review = Review {
        findings: operations::findings_by_steps(plan, &given, parts, &judged),
        access: given.clone(),
        ..Review::of(plan.clone())
    };
    if review.stops() {
        let text = view::findings::errors(&review.findings, global.output.paint());
        global.output.data(&text);
        global.say("Nothing was applied: findings of severity error stop it.\n");
        return Ok(None);
    }
    let again = operations::approvals(plan, &given, &session.model, recorded);
    let all: BTreeSet<_> = approvals.iter().cloned().chain(again).collect();
    let all: Vec<_> = all.into_iter().collect();
    if all.is_empty() {
        return Ok(Some(BTreeSet::new()));
    }
    let signatures = signatures::check(path, bytes)?;
    global.report(&signatures::warnings(&signatures));
    match gate::verify(&all, &signatures) {
        Ok(by) => Ok(Some(by)),
        Err(missing) => {
            let comments = gate::facts::comments(&session.model);
            let shown = remit_sdk::text::safe(&path.display().to_string());
            global.report(&gate::diagnostics(&missing, &comments, Some(&shown)));
            global.say("Nothing was applied: the plan needs approvals.\n");
            Ok(None)
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

/// Connects to every target that a saved plan, or what a crash left undecided, needs.
fn connections(
    session: &Session,
    plan: &Plan,
    recorded: &Recorded,
) -> Result<Connections, Vec<Diagnostic>> {
    let undecided = Recorded {
        open: recorded.open.clone(),
        ..Recorded::default()
    };
    let mut instances = observe::instances(&crate::lower::Desired::default(), &undecided);
    instances.extend(plan.targets.keys().cloned());
    instances.extend(plan.steps.iter().map(|step| step.instance.clone()));
    Connections::open(&session.model, &instances)
}

/// What is to be carried out.
struct Job<'a> {
    review: &'a Review,
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
    let digest = file::digest(job.review).map_err(|error| {
        vec![Diagnostic::error(
            "plan can't be written",
            error.to_string(),
        )]
    })?;
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
