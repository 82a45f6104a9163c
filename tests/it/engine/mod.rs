//! Plan and apply against the strict in-memory provider: what each of the three snapshots
//! leads to, and what every fault leads to.

mod converge;
mod faults;
mod holes;
mod refuse;

use std::collections::{BTreeMap, BTreeSet};

use crate::live::FORKING;
use remit::apply::{Progress, Report, StepResult, Walk};
use remit::lower::{self, Catalog, Desired};
use remit::model::Model;
use remit::operations::{self, PlanRequest, Planned};
use remit::plan::{Asked, Mode, Plan, Step};
use remit::state::{Entry, Holder, LocalState, Recorded};
use remit_memory::{KINDS, Memory, MemoryLower};
use remit_sdk::declaration::{Lifecycle, Resource};
use remit_sdk::{
    DeclarationAddress, Diagnostic, FileId, Kind, Lower, Read, Secret, Span, Spanned, Value, Write,
};

/// A state, a target and a configuration.
pub(crate) struct Engine {
    pub(crate) memory: Memory,
    pub(crate) state: LocalState,
    pub(crate) model: Model,
    lowering: MemoryLower,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

/// Tells nobody.
struct Quiet;

impl Progress for Quiet {
    fn started(&self, _: &Step) {}
    fn finished(&self, _: &Step, _: &StepResult) {}
    fn interrupted(&self, _: usize) {}
}

pub(crate) fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap()
}

pub(crate) fn address(text: &str) -> remit_sdk::ObjectAddress {
    text.parse().unwrap()
}

pub(crate) fn attributes<const N: usize>(all: [(&str, Value); N]) -> BTreeMap<String, Value> {
    all.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl Engine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            memory: Memory::new(KINDS),
            state: LocalState::new(folder.path().join("state")),
            model: Model::default(),
            lowering: MemoryLower::default(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            _folder: folder,
        }
    }

    /// Declares `resource "KIND" "LABEL"`.
    pub(crate) fn declare<const N: usize>(
        &mut self,
        kind_name: &str,
        label: &str,
        all: [(&str, Value); N],
    ) -> &mut Resource {
        let address = DeclarationAddress::new(kind_name, label);
        let resource = Resource {
            address: address.clone(),
            instance: self.lowering.name().to_owned(),
            kind: kind(kind_name),
            attributes: attributes(all)
                .into_iter()
                .map(|(name, value)| (name, Spanned::new(value, None)))
                .collect(),
            names: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            span: Span::new(FileId(0), 0, 0),
        };
        self.model.resources.insert(address.clone(), resource);
        self.model.resources.get_mut(&address).unwrap()
    }

    /// Somebody else changes attributes of a live object.
    pub(crate) fn meddle(&self, kind: &str, key: &str, all: BTreeMap<String, Value>) {
        assert!(
            self.memory
                .meddle(kind, key, |attributes, _| attributes.extend(all))
        );
    }

    /// No longer declares it.
    pub(crate) fn drop(&mut self, kind_name: &str, label: &str) {
        self.model
            .resources
            .remove(&DeclarationAddress::new(kind_name, label));
    }

    /// A box with two items, a rule that is attached to one of them, and a pass for it.
    pub(crate) fn furnish(&mut self) {
        let text = Value::string;
        self.declare(
            "memory_box",
            "b",
            [("name", text("b")), ("note", text("mine"))],
        );
        self.declare(
            "memory_rule",
            "r",
            [("name", text("r")), ("text", text("read x"))],
        );
        for item in ["i", "j"] {
            self.declare(
                "memory_item",
                item,
                [
                    ("box", text("b")),
                    ("name", text(item)),
                    ("ttl", text("15m")),
                    ("rules", Value::strings(["r"])),
                ],
            );
        }
        let id = remit_sdk::Pending::attribute(address("memory_item.i/memory_item"), "id");
        self.declare(
            "memory_pass",
            "p",
            [
                ("name", text("p")),
                ("item", Value::Pending(id)),
                ("audiences", Value::strings(["a"])),
            ],
        );
    }

    pub(crate) fn desired(&self) -> Desired {
        let providers: [&dyn Lower; 1] = [&self.lowering];
        lower::lower(&self.model, &Catalog::new(&providers))
            .unwrap()
            .0
    }

    pub(crate) fn recorded(&self) -> Recorded {
        self.state.load().unwrap()
    }

    pub(crate) fn plan_with(
        &self,
        mode: Mode,
        change: impl FnOnce(&mut PlanRequest<'_>),
    ) -> Result<Planned, Vec<Diagnostic>> {
        let providers: [&dyn Lower; 1] = [&self.lowering];
        let readers: BTreeMap<String, &dyn Read> =
            [("memory".to_owned(), &self.memory as _)].into();
        let mut request = PlanRequest {
            mode,
            asked: Asked::default(),
            agreed: None,
            parallelism: 4,
            place: &|_| String::new(),
            now: "2026-11-24T12:00:00Z".to_owned(),
            literals: None,
        };
        change(&mut request);
        self.runtime.block_on(operations::plan(
            &self.model,
            &self.desired(),
            &self.recorded(),
            &Catalog::new(&providers),
            &readers,
            &request,
        ))
    }

    pub(crate) fn planned(&self) -> Planned {
        self.plan_with(Mode::Apply, |_| {}).unwrap()
    }

    /// A plan that nothing stands in the way of.
    pub(crate) fn plan(&self) -> Plan {
        let planned = self.planned();
        assert!(planned.may_apply(), "{:?}", planned.diagnostics);
        planned.review.plan
    }

    pub(crate) fn try_apply(&self, plan: &Plan) -> Result<Report, Vec<Diagnostic>> {
        self.try_apply_interrupted(plan, false)
    }

    pub(crate) fn try_apply_interrupted(
        &self,
        plan: &Plan,
        interrupted: bool,
    ) -> Result<Report, Vec<Diagnostic>> {
        let providers: [&dyn Lower; 1] = [&self.lowering];
        let run = self.state.lock(holder(), FORKING).unwrap();
        let lineage = run
            .recorded()
            .lineage
            .clone()
            .unwrap_or_else(|| "lineage".to_owned());
        let recorded = run.current();
        let (_sender, interrupt) = tokio::sync::watch::channel(interrupted);
        let walk = Walk {
            plan,
            lineage: lineage.clone(),
            run: &run,
            recorded: &recorded,
            catalog: Catalog::new(&providers),
            readers: [("memory".to_owned(), &self.memory as &dyn Read)].into(),
            writers: [("memory".to_owned(), &self.memory as &dyn Write)].into(),
            secrets: &|_| Ok(Secret::new("s3cr3t".to_owned())),
            progress: &Quiet,
            interrupt,
            parallelism: 4,
        };
        let report =
            self.runtime
                .block_on(operations::apply(walk, lineage, "apply", BTreeSet::new()));
        self.runtime.block_on(run.finish()).unwrap();
        report
    }

    /// Applies a plan of which every step must be done.
    pub(crate) fn apply(&self, plan: &Plan) {
        let report = self.try_apply(plan).unwrap();
        assert!(report.is_complete(plan), "{report:#?}");
    }

    /// Plans and applies once more: nothing must be left to do.
    pub(crate) fn settled(&self) {
        let plan = self.plan();
        assert!(plan.is_empty(), "{:#?}", plan.changes);
        assert!(self.recorded().open.is_empty());
    }

    /// Plans and applies, and checks that nothing is left to do.
    pub(crate) fn converge(&self) {
        self.apply(&self.plan());
        self.settled();
    }

    pub(crate) fn import(&self, at: &str, key: &str) -> Result<(), Vec<Diagnostic>> {
        let run = self.state.lock(holder(), FORKING).unwrap();
        let lineage = run
            .recorded()
            .lineage
            .clone()
            .unwrap_or_else(|| "lineage".to_owned());
        let readers: BTreeMap<String, &dyn Read> =
            [("memory".to_owned(), &self.memory as _)].into();
        let imported = self.runtime.block_on(operations::import(
            &self.desired(),
            &run,
            &readers,
            &at.parse().unwrap(),
            key,
            lineage,
        ));
        self.runtime.block_on(run.finish()).unwrap();
        imported.map(drop)
    }

    /// Leaves an intent without an outcome behind, as a killed process does.
    pub(crate) fn leave_open(&self, plan: &Plan, entries: impl FnOnce(&mut Vec<Entry>)) {
        let run = self.state.lock(holder(), FORKING).unwrap();
        let mut all = vec![Entry::Begin {
            lineage: run
                .recorded()
                .lineage
                .clone()
                .unwrap_or_else(|| "lineage".to_owned()),
            run: "apply".to_owned(),
            version: String::new(),
            targets: plan.targets.clone(),
            approved_by: BTreeSet::new(),
        }];
        entries(&mut all);
        for entry in all {
            self.runtime.block_on(run.append(entry)).unwrap();
        }
    }
}

fn holder() -> Holder {
    Holder {
        pid: std::process::id(),
        host: "h".to_owned(),
        user: "u".to_owned(),
        since: "2026-01-01T00:00:00Z".to_owned(),
        command: "test".to_owned(),
    }
}
