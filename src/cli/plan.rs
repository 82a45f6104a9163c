//! `remit plan`: what would change, and the plan file.

use std::fs::Permissions;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;
use remit_sdk::{Diagnostic, text};

use super::options::{Destroy, Selection, Variables, Work};
use super::output::note;
use super::providers::{self, Connections};
use super::session::{self, Session};
use super::stats::Stats;
use super::{Global, Outcome, clock, plain_file, policies};
use crate::gate::Review;
use crate::gate::file::{self, Header, PLAN_BYTES_MAX, SavedPlan};
use crate::lower::Desired;
use crate::observe;
use crate::operations::{self, PlanRequest, Planned};
use crate::plan::{Asked, Mode};
use crate::state::Recorded;
use crate::view;
use crate::view::events::Events;
use crate::view::plan::Look;
use crate::view::report::{CHANGES, DONE, ERROR, REFUSED};

/// How long a saved plan may be applied. A day: long enough for somebody to look at it in office
/// hours, short enough that what it was made from is remembered.
const EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    destroy: Destroy,
    #[command(flatten)]
    variables: Variables,
    #[command(flatten)]
    work: Work,
    /// Save the plan in this file, for `remit apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 if there are changes
    #[arg(long)]
    detailed_exitcode: bool,
    /// One JSON object a line, with Terraform's event types
    #[arg(long)]
    json: bool,
    /// Accepted and without effect: a plan takes no lock
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    lock_timeout: Option<std::time::Duration>,
}

impl Plan {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        if self.json {
            global.begin_events();
        }
        let mut stats = Stats::new();
        let mode = self.selection.mode(self.destroy.destroy);
        let session = Session::open(global, &self.variables)?;
        global.report(&session.warnings);
        stats.stage("configuration");
        let recorded = session::load(global, &session.state)?;
        stats.stage("state");
        let connections = connect(&session, &recorded, mode)?;
        let planned = make(
            global,
            &session,
            &recorded,
            &connections,
            What {
                mode,
                asked: self.selection.asked(),
                agreed: None,
            },
            self.work,
        )
        .await;
        stats.stage("plan");
        global.report(&connections.close().await);
        let planned = planned?;
        show(global, &planned);
        global.report(&planned.diagnostics);
        if self.work.stats {
            note(&stats.text(connections.statistics()));
        }
        if !planned.may_apply() {
            if let Some(path) = &self.out {
                let path = text::safe(&path.display().to_string());
                global.say(&format!(
                    "Not saved as {path}: a plan with errors can't be applied.\n"
                ));
            }
            return Ok(ERROR);
        }
        if planned.review.stops() {
            let what = match &self.out {
                Some(path) => format!("Not saved as {}", text::safe(&path.display().to_string())),
                None => "This plan can't be applied".to_owned(),
            };
            let why = view::findings::stopping(&planned.review);
            global.say(&format!("{what}: {why}"));
            return Ok(REFUSED);
        }
        let how = "make this plan with --out FILE, then remit approve FILE";
        if let Some(path) = &self.out {
            save(global, &planned.review, path)?;
        } else if let Some(needed) = view::approvals::needed(&planned.review.approvals, how) {
            global.say(&format!("{needed}\n"));
        }
        let is_changed = self.detailed_exitcode && !planned.review.plan.is_empty();
        Ok(if is_changed { CHANGES } else { DONE })
    }
}

/// Connects to every target that a plan looks at.
pub(super) fn connect(
    session: &Session,
    recorded: &Recorded,
    mode: Mode,
) -> Result<Connections, Vec<Diagnostic>> {
    let nothing = Desired::default();
    let desired = if mode == Mode::Destroy {
        &nothing
    } else {
        &session.desired
    };
    Connections::open(&session.model, &observe::instances(desired, recorded))
}

/// What is to be planned.
pub(super) struct What<'a> {
    pub(super) mode: Mode,
    pub(super) asked: Asked,
    /// The saved plan that this one is to come to.
    pub(super) agreed: Option<&'a Review>,
}

/// Makes a plan.
pub(super) async fn make(
    global: &Global,
    session: &Session,
    recorded: &Recorded,
    connections: &Connections,
    what: What<'_>,
    work: Work,
) -> Result<Planned, Vec<Diagnostic>> {
    let sources = global.sources.borrow().clone();
    let place = |span| sources.place(span);
    let request = PlanRequest {
        mode: what.mode,
        asked: what.asked,
        agreed: what.agreed,
        parallelism: work.parallelism(),
        place: &place,
        now: clock::now(),
        literals: Some(&session.literals),
    };
    let mut planned = operations::plan(
        &session.model,
        &session.desired,
        recorded,
        &providers::catalog(),
        &connections.readers(),
        &request,
    )
    .await?;
    let is_sound = planned.may_apply();
    let findings = policies::judge(session, &planned.review, is_sound).await;
    let findings = findings.map_err(|faults| policies::said(global, &faults))?;
    planned.review.findings.extend(findings);
    Ok(planned)
}

/// Shows a plan that was just made.
pub(super) fn show(global: &Global, planned: &Planned) {
    let plan = &planned.review.plan;
    if global.events.get() {
        let now = clock::now();
        let events = Events { now: &now };
        for line in events.plan(plan) {
            global.event(&line);
        }
        for finding in &planned.review.findings {
            global.event(&events.finding(finding));
        }
    } else if planned.may_apply() || !plan.is_empty() {
        // Where something couldn't be decided, no steps doesn't mean that all is as declared.
        let look = Look {
            catalog: providers::catalog(),
            paint: global.output.paint(),
        };
        global
            .output
            .data(&view::plan::people(&planned.review, look));
    } else {
        let findings = &planned.review.findings;
        let findings = view::findings::grouped(findings, global.output.paint());
        global.output.data(&findings.concat());
    }
}

/// Saves a plan: under a name of its own first, so that nobody finds half of one.
fn save(global: &Global, review: &Review, path: &Path) -> Result<(), Vec<Diagnostic>> {
    let shown = text::safe(&path.display().to_string());
    let fail = |why: &dyn std::fmt::Display| {
        vec![Diagnostic::error(
            "plan can't be saved",
            format!("{shown}: {why}"),
        )]
    };
    let saved = SavedPlan {
        header: Header {
            created_at: clock::now(),
            expires_at: clock::in_future(EXPIRES_AFTER),
            nonce: clock::random_id()?,
            digest: file::digest(review).map_err(|error| fail(&error))?,
        },
        body: review.clone(),
    };
    let bytes = file::to_bytes(&saved).map_err(|error| fail(&error))?;
    // Renaming over a device or a pipe would put a file in its place.
    if path
        .symlink_metadata()
        .is_ok_and(|found| !found.file_type().is_file())
    {
        return Err(fail(&"there is something that is no regular file"));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut unfinished =
        tempfile::NamedTempFile::new_in(directory).map_err(|error| fail(&error))?;
    unfinished
        .write_all(&bytes)
        .and_then(|()| unfinished.as_file().sync_all())
        // Names and paths are nobody else's business.
        .and_then(|()| {
            let private = Permissions::from_mode(0o600);
            unfinished.as_file().set_permissions(private)
        })
        .map_err(|error| fail(&error))?;
    unfinished
        .persist(path)
        .map_err(|error| fail(&error.error))?;
    let next = view::approvals::needed(&review.approvals, &format!("remit approve {shown}"))
        .unwrap_or_else(|| format!("To apply exactly this: remit apply {shown}"));
    global.say(&format!(
        "Saved as {shown}, digest {}, until {}. {next}\n",
        file::short(&saved.header.digest),
        saved.header.expires_at,
    ));
    Ok(())
}

/// Reads a saved plan, and the bytes that its signatures are about.
pub(super) fn read(path: &Path) -> Result<(SavedPlan, Vec<u8>), Vec<Diagnostic>> {
    let shown = text::safe(&path.display().to_string());
    let fail = |why: &dyn std::fmt::Display| {
        vec![Diagnostic::error(
            "plan can't be read",
            format!("{shown}: {why}"),
        )]
    };
    let file = plain_file::open(path).map_err(|error| fail(&error))?;
    let mut bytes = Vec::new();
    file.take(PLAN_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(&error))?;
    if bytes.len() as u64 > PLAN_BYTES_MAX {
        return Err(fail(&format!("it holds more than {PLAN_BYTES_MAX} bytes")));
    }
    let saved = file::from_bytes(&bytes).map_err(|diagnostic| vec![diagnostic])?;
    Ok((saved, bytes))
}
