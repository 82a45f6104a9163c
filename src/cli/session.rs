//! How the stages before a plan fit together: configuration, model, objects, state, connections.
//!
//! In: the working directory and the values given for variables. Out: a [`Session`] with
//! everything that `operations` wants. Nothing is contacted before the configuration is valid.

use std::path::PathBuf;
use std::time::Duration;

use remit_sdk::Diagnostic;

use super::options::Variables;
use super::{Global, clock, policies, providers};
use crate::config;
use crate::config::literals::{Literal, literals};
use crate::config::syntax::{Configuration, ExpressionKind, TemplatePart};
use crate::evaluate::Inputs;
use crate::lower::{self, Desired};
use crate::model::{self, Model, Settings};
use crate::organisation::PolicyFile;
use crate::rules;
use crate::state::{Holder, LocalState, Recorded, Run, StateError};

/// A valid configuration, before it becomes objects.
pub(super) struct Declared {
    /// What is declared.
    pub(super) model: Model,
    /// The texts that are written in it.
    pub(super) literals: Vec<Literal>,
    /// The organisation's policies.
    policies: Vec<PolicyFile>,
    /// What there is to say about it.
    pub(super) warnings: Vec<Diagnostic>,
}

/// A valid configuration and its state.
pub(super) struct Session {
    /// What is declared.
    pub(super) model: Model,
    /// What it becomes.
    pub(super) desired: Desired,
    /// What there is to say about it.
    pub(super) warnings: Vec<Diagnostic>,
    /// Where its state is.
    pub(super) state: LocalState,
    /// The organisation's policies.
    pub(super) policies: Vec<PolicyFile>,
    /// The texts that are written in it.
    pub(super) literals: Vec<Literal>,
}

/// A variable of the process's environment; one that isn't text counts as missing.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The configuration's root: the working directory.
fn root() -> Result<PathBuf, Vec<Diagnostic>> {
    std::env::current_dir().map_err(|error| {
        vec![Diagnostic::error(
            "no working directory",
            format!("the system says: {error}"),
        )]
    })
}

impl Declared {
    /// Reads, evaluates and checks the configuration.
    pub(super) fn open(global: &Global, variables: &Variables) -> Result<Self, Vec<Diagnostic>> {
        let root = root()?;
        let mut sources = global.sources.borrow_mut();
        let configuration = config::load(&root, &mut sources)?;
        let inputs = Inputs {
            variables: variables.given(&root, &mut sources)?,
            root: root.clone(),
            environment: &environment,
        };
        let catalog = providers::catalog();
        let (mut model, warnings) =
            model::build(&configuration, &inputs, catalog.providers(), &sources)?;
        let mistakes = rules::mistakes(&model);
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let policies = policies::read(&root, &model.settings, &mut sources)?;
        model.digest = model::with_policies(
            &model.digest,
            policies.iter().map(|one| (&*one.path, &*one.text)),
        );
        Ok(Self {
            model,
            literals: literals(&configuration),
            policies,
            warnings,
        })
    }
}

impl Session {
    /// Reads, evaluates, checks and lowers the configuration.
    pub(super) fn open(global: &Global, variables: &Variables) -> Result<Self, Vec<Diagnostic>> {
        let Declared {
            model,
            mut warnings,
            literals,
            policies,
        } = Declared::open(global, variables)?;
        let (desired, more) = lower::lower(&model, &providers::catalog())?;
        warnings.extend(more);
        let state = LocalState::new(root()?.join(&model.settings.state_path));
        Ok(Self {
            model,
            desired,
            warnings,
            state,
            policies,
            literals,
        })
    }
}

/// The state alone, without evaluating anything: looking at it must work when the configuration
/// is broken or a variable is missing.
pub(super) fn state(global: &Global) -> Result<LocalState, Vec<Diagnostic>> {
    let root = root()?;
    let mut sources = global.sources.borrow_mut();
    let path = config::load(&root, &mut sources)
        .ok()
        .and_then(|configuration| state_path(&configuration))
        .unwrap_or_else(|| Settings::default().state_path);
    Ok(LocalState::new(root.join(path)))
}

/// The path in `remit { state "local" { path = "…" } }`, which is a plain text.
fn state_path(configuration: &Configuration) -> Option<String> {
    let block = configuration
        .blocks
        .iter()
        .find(|block| block.kind.value == "remit")?;
    let state = block.body.blocks("state").next()?;
    match &state.body.attribute("path")?.expression.kind {
        ExpressionKind::Template(parts) => match parts.as_slice() {
            [TemplatePart::Text(text)] => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Everything recorded, without the lock; what was passed over is said.
pub(super) fn load(global: &Global, state: &LocalState) -> Result<Recorded, Vec<Diagnostic>> {
    let loaded = state
        .load_with_notices()
        .map_err(|error| unreadable(&error))?;
    notices(global, &loaded.notices);
    Ok(loaded.recorded)
}

/// Takes the lock, waiting for it as long as asked.
pub(super) async fn lock(
    global: &Global,
    state: &LocalState,
    command: &str,
    timeout: Duration,
) -> Result<Run, Vec<Diagnostic>> {
    let (state, holder) = (state.clone(), holder(command));
    // It may block for as long as `timeout`: not on a thread that others wait for.
    let locked = tokio::task::spawn_blocking(move || state.lock(holder, timeout)).await;
    let run = match locked {
        Ok(locked) => locked.map_err(|error| unreadable(&error))?,
        Err(_) => {
            return Err(vec![Diagnostic::error(
                "state can't be locked",
                "the thread that waited for it ended",
            )]);
        }
    };
    notices(global, run.notices());
    Ok(run)
}

/// Ends a run: writes a snapshot and lets the lock go.
pub(super) async fn finish(run: Run) -> Result<(), Vec<Diagnostic>> {
    run.finish().await.map_err(|error| {
        vec![Diagnostic::error("state can't be written", error.to_string()).help(error.help())]
    })
}

/// The lineage recorded, or a new one.
pub(super) fn lineage(recorded: &Recorded) -> Result<String, Vec<Diagnostic>> {
    match &recorded.lineage {
        Some(lineage) => Ok(lineage.clone()),
        None => clock::random_id(),
    }
}

/// What a state error is to people.
pub(super) fn unreadable(error: &StateError) -> Vec<Diagnostic> {
    let summary = match error {
        StateError::Locked { .. } => "state is locked",
        StateError::NotLocked | StateError::OtherLock { .. } => "lock can't be broken",
        _ => "state can't be read",
    };
    vec![Diagnostic::error(summary, error.to_string()).help(error.help())]
}

fn notices(global: &Global, notices: &[String]) {
    let warnings: Vec<Diagnostic> = notices
        .iter()
        .map(|notice| Diagnostic::warning("something in the state was passed over", notice))
        .collect();
    global.report(&warnings);
}

/// Who holds the lock, for whoever finds it held.
pub(super) fn holder(command: &str) -> Holder {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = environment("USER").or_else(|| environment("LOGNAME"));
    Holder {
        pid: std::process::id(),
        host: host.trim().to_owned(),
        user: user.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw())),
        since: clock::now(),
        command: format!("remit {command}"),
    }
}
