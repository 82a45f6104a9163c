//! Against a real OpenBao: every kind, every attribute, every refusal.

pub(crate) mod contract;
mod forms;
mod lives;
pub(crate) mod meddle;
mod quoted;
mod refuse;
mod renamed;
pub(crate) mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use remit::apply::{Progress, Report, StepResult, Walk};
use remit::config;
use remit::diagnostic::SourceMap;
use remit::evaluate::Inputs;
use remit::lower::{self, Catalog};
use remit::model;
use remit::operations::{self, PlanRequest, Planned};
use remit::plan::{Asked, Mode, Plan, Step};
use remit::state::{Holder, LocalState};
use remit_sdk::{Lower, Read, Secret, SecretRef, Write};
use server::{Server, Storage};

/// A configuration, its state, and a namespace of the shared server.
pub(crate) struct Stage {
    pub(crate) namespace: String,
    pub(crate) folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    text: String,
}

struct Quiet;

impl Progress for Quiet {
    fn started(&self, _: &Step) {}
    fn finished(&self, _: &Step, _: &StepResult) {}
    fn interrupted(&self, _: usize) {}
}

/// One server for all tests that don't harm it; each has a namespace of its own.
pub(crate) fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(Storage::Raft))
}

/// A child process that another test starts holds every open file, locks included, until it has
/// become its own program.
pub(crate) const FORKING: Duration = Duration::from_secs(5);

/// Namespaces are made one at a time.
static MAKING: Mutex<()> = Mutex::new(());
static NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Stage {
    pub(crate) fn new(text: &str) -> Self {
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let namespace = shared().namespace(&format!("test{number}"));
        let mut stage = Self {
            namespace,
            folder: tempfile::tempdir().unwrap(),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap(),
            text: String::new(),
        };
        stage.configure(text);
        stage
    }

    /// Replaces the configuration.
    pub(crate) fn configure(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        let provider = format!(
            "provider \"vault\" {{\n  address = \"{}\"\n  namespace = \"{}\"\n}}\n",
            shared().address(),
            self.namespace
        );
        std::fs::write(self.folder.path().join("main.remit.hcl"), provider + text).unwrap();
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn edit(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "{from}");
        let text = self.text.replace(from, to);
        self.configure(&text);
    }

    pub(crate) fn state(&self) -> LocalState {
        LocalState::new(self.folder.path().join(".remit"))
    }

    fn with<R>(&self, work: impl AsyncFnOnce(&Stands<'_>) -> R) -> R {
        let mut sources = SourceMap::default();
        let root: &Path = self.folder.path();
        let configuration = config::load(root, &mut sources).unwrap();
        let environment = |name: &str| match name {
            "BAO_TOKEN" => Some(shared().token.clone()),
            _ => None,
        };
        let inputs = Inputs {
            root: root.to_owned(),
            variables: BTreeMap::new(),
            environment: &environment,
        };
        let providers: [&dyn Lower; 1] = [&remit_vault::Vault];
        let (model, _) = model::build(&configuration, &inputs, &providers, &sources).unwrap();
        let catalog = Catalog::new(&providers);
        let (desired, _) = lower::lower(&model, &catalog).unwrap();
        let settings = remit_vault::settings::Settings::from_config(&model.providers["vault"])
            .unwrap()
            .with_prefix(&model.settings.prefix);
        let live = remit_vault::connect(settings, &environment).unwrap();
        let (reader, writer) = (live.reader(), live.writer());
        let stands = Stands {
            model: &model,
            desired: &desired,
            catalog,
            reader: &reader,
            writer: &writer,
        };
        self.runtime.block_on(work(&stands))
    }

    pub(crate) fn plan_with(
        &self,
        mode: Mode,
        change: impl FnOnce(&mut PlanRequest<'_>),
    ) -> Planned {
        let recorded = self.state().load().unwrap();
        self.with(async |stands| {
            let mut request = PlanRequest {
                mode,
                asked: Asked::default(),
                agreed: None,
                parallelism: 8,
                place: &|_| String::new(),
                now: "2026-11-24T12:00:00Z".to_owned(),
                literals: None,
            };
            change(&mut request);
            let readers: BTreeMap<String, &dyn Read> = [("vault".to_owned(), stands.reader)].into();
            operations::plan(
                stands.model,
                stands.desired,
                &recorded,
                &stands.catalog,
                &readers,
                &request,
            )
            .await
            .unwrap()
        })
    }

    /// One object as it is now.
    pub(crate) fn read(
        &self,
        kind: &'static remit_sdk::Kind,
        key: &str,
    ) -> remit_sdk::provider::Reading {
        self.with(async |stands| stands.reader.read(kind, key).await)
    }

    /// A plan that nothing stands in the way of.
    pub(crate) fn plan(&self) -> Plan {
        let planned = self.plan_with(Mode::Apply, |_| {});
        assert!(planned.may_apply(), "{:#?}", planned.diagnostics);
        planned.review.plan
    }

    pub(crate) fn try_apply(&self, plan: &Plan) -> Report {
        let run = self.state().lock(holder(), FORKING).unwrap();
        let lineage = run
            .recorded()
            .lineage
            .clone()
            .unwrap_or_else(|| "feedfacefeedface".to_owned());
        let recorded = run.current();
        let (_sender, interrupt) = tokio::sync::watch::channel(false);
        let report = self.with(async |stands| {
            let walk = Walk {
                plan,
                lineage: lineage.clone(),
                run: &run,
                recorded: &recorded,
                catalog: stands.catalog,
                readers: [("vault".to_owned(), stands.reader)].into(),
                writers: [("vault".to_owned(), stands.writer)].into(),
                secrets: &|reference| match reference {
                    SecretRef::Env(name) => Ok(Secret::new(
                        SECRETS
                            .lock()
                            .unwrap()
                            .get(name)
                            .cloned()
                            .unwrap_or_default(),
                    )),
                    other => panic!("{other}"),
                },
                progress: &Quiet,
                interrupt,
                parallelism: 8,
            };
            operations::apply(walk, lineage.clone(), "apply", BTreeSet::new())
                .await
                .unwrap()
        });
        self.runtime.block_on(run.finish()).unwrap();
        report
    }

    /// Applies a plan of which every step must be done.
    pub(crate) fn apply(&self, plan: &Plan) {
        let report = self.try_apply(plan);
        assert!(report.is_complete(plan), "{report:#?}");
    }

    /// Applies, and checks that nothing is left to do.
    pub(crate) fn converge(&self) {
        self.apply(&self.plan());
        let plan = self.plan();
        assert!(plan.is_empty(), "{:#?}", plan.changes);
    }

    pub(crate) fn destroy(&self) {
        let planned = self.plan_with(Mode::Destroy, |_| {});
        assert!(planned.may_apply(), "{:#?}", planned.diagnostics);
        self.apply(&planned.review.plan);
        assert!(self.state().load().unwrap().objects.is_empty());
    }
}

struct Stands<'a> {
    model: &'a model::Model,
    desired: &'a lower::Desired,
    catalog: Catalog<'a>,
    reader: &'a dyn Read,
    writer: &'a dyn Write,
}

/// Secrets that tests refer to as `env("NAME")`: the process's own environment is shared.
pub(crate) static SECRETS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

fn holder() -> Holder {
    Holder {
        pid: std::process::id(),
        host: "h".to_owned(),
        user: "u".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
        command: "test".to_owned(),
    }
}
