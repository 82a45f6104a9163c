//! Plan, apply and import: each a list of the stages.
//!
//! In: a model, the catalog, the state and the providers' halves. Out: a plan that can be shown,
//! or a report of what became of one. Nothing here prints, reads files or decides what a stage
//! decides.

mod review;
mod saved;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::provider::{Query, Reading, Target};
use remit_sdk::{Address, Diagnostic, Object, ObjectAddress, Read, Span, Value};

use crate::apply::{self, Report, Walk};
use crate::diff::{self, Action, Change, Guard, Options, recover};
use crate::gate::{self, Review};
use crate::lower::{Catalog, Desired};
use crate::model::Model;
use crate::observe::{self, Observed, Readers};
use crate::plan::{self, Asked, Mode, OutputChange, Plan};
use crate::state::{Entry, Facts, Record, Recorded, Run, StateError};

use crate::config::literals::Literal;
pub use review::{Judged, look};
use review::{Material, review};
pub use saved::fits;
use saved::{held_to, means_the_same};

/// What a plan is asked for.
pub struct PlanRequest<'a> {
    /// Apply, destroy or refresh only.
    pub mode: Mode,
    /// What of it.
    pub asked: Asked,
    /// What was agreed to, where this is that plan made again: what comes of it is that and no
    /// more, or it is stale.
    pub agreed: Option<&'a Review>,
    /// How many requests at a time.
    pub parallelism: usize,
    /// Where a span is, for people.
    pub place: &'a dyn Fn(Span) -> String,
    /// Now, RFC 3339: for what expires.
    pub now: String,
    /// The texts that are written in the configuration, for rules that look at them.
    pub literals: Option<&'a [Literal]>,
}

/// A plan and what there is to say about it. With an error among the diagnostics the plan may
/// be shown and not applied.
#[derive(Debug)]
pub struct Planned {
    /// The plan, what it means and what it takes.
    pub review: Review,
    /// What there is to say.
    pub diagnostics: Vec<Diagnostic>,
}

impl Planned {
    /// Whether it may be applied.
    pub fn may_apply(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Computes a plan. Takes no lock and writes nothing: what a crash left undecided is decided in
/// memory.
pub async fn plan(
    model: &Model,
    desired: &Desired,
    recorded: &Recorded,
    catalog: &Catalog<'_>,
    readers: &Readers<'_>,
    request: &PlanRequest<'_>,
) -> Result<Planned, Vec<Diagnostic>> {
    let nothing = Desired::default();
    let wanted = if request.mode == Mode::Destroy {
        &nothing
    } else {
        desired
    };
    let (mut observed, mut diagnostics) = if request.asked.refresh {
        observe::observe(wanted, recorded, catalog, readers, request.parallelism).await?
    } else {
        believe(wanted, recorded, catalog, readers, request.parallelism).await?
    };
    review::read_held(&mut observed, wanted, recorded, (model, catalog), readers).await;
    let undecided = recorded.open.len();
    let decided = recover::recover(recorded, &observed, catalog);
    let mut recorded = Cow::Borrowed(recorded);
    for (number, outcome) in decided {
        let entry = Entry::Outcome { number, outcome };
        if let Err(violation) = recorded.to_mut().fold(&entry) {
            diagnostics.push(Diagnostic::error(
                "state contradicts itself",
                violation.to_string(),
            ));
        }
    }
    let options = Options {
        destroy: request.mode == Mode::Destroy,
        refresh_only: request.mode == Mode::RefreshOnly,
        targets: request.asked.targets.clone(),
        excludes: request.asked.excludes.clone(),
        replace: request.asked.replace.clone(),
        guard: Guard {
            allowed: request.asked.allow_deletes,
        },
        protected: protected(desired),
    };
    let mut differences = diff::diff(wanted, &recorded, &observed, &options);
    for (address, change) in &mut differences.changes {
        // Where its declaration stands is where people look for it; a provider may have no block.
        let caused = || wanted.objects.get(address).map(|one| one.span);
        let span = model.span_of(&address.declaration).or_else(caused);
        change.place = span.map(request.place);
    }
    diagnostics.append(&mut differences.diagnostics);
    if request.asked.refresh {
        let deletes = |change: &&Change| change.action == Action::Delete;
        let removed = differences.changes.values().filter(deletes);
        let removed = removed.map(|one| (&*one.instance, &*one.kind, &*one.key));
        observed.surroundings = Some(observe::surroundings(readers, removed, catalog).await);
    }
    let steps = plan::steps(&differences, wanted, &observed, catalog);
    let outputs = outputs(model, &recorded, &differences.known, request.mode);
    let plan = Plan {
        format: gate::file::FORMAT,
        remit_version: env!("CARGO_PKG_VERSION").to_owned(),
        mode: request.mode,
        asked: request.asked.clone(),
        targets: observed.targets.clone(),
        configuration: model.digest.clone(),
        lineage: recorded.lineage.clone(),
        serial: recorded.serial,
        changes: differences.changes,
        drift: differences.drift,
        steps,
        outputs,
        unmanaged: observed.others.clone(),
        recorded: recorded.objects.len(),
        undecided,
        gate: None,
    };
    let plan = match request.agreed {
        Some(agreed) => held_to(plan, &agreed.plan, &diagnostics)?,
        None => plan,
    };
    let material = Material {
        model,
        wanted,
        recorded: &recorded,
        observed: &observed,
        catalog,
        judged: &Judged {
            literals: request.literals,
            now: request.now.clone(),
            place: request.place,
        },
    };
    diagnostics.extend(review::unread_in_part(&plan, &material));
    let (review, more) = review(plan, &material);
    diagnostics.extend(more);
    if let Some(agreed) = request.agreed {
        means_the_same(&review, agreed)?;
    }
    diagnostics.extend(gate::unmeetable_warnings(&review.approvals));
    Ok(Planned {
        review,
        diagnostics,
    })
}

/// What is declared with `prevent_destroy`.
fn protected(desired: &Desired) -> BTreeSet<ObjectAddress> {
    let objects = desired.objects.iter();
    let protected = objects.filter(|(_, wanted)| wanted.lifecycle.prevent_destroy);
    protected.map(|(address, _)| address.clone()).collect()
}

/// Takes what is recorded for what is live, and reads only what isn't recorded.
async fn believe(
    desired: &Desired,
    recorded: &Recorded,
    catalog: &Catalog<'_>,
    readers: &Readers<'_>,
    parallelism: usize,
) -> Result<(Observed, Vec<Diagnostic>), Vec<Diagnostic>> {
    let unrecorded = Desired {
        objects: desired
            .objects
            .iter()
            .filter(|(address, _)| !recorded.objects.contains_key(*address))
            .map(|(address, wanted)| (address.clone(), wanted.clone()))
            .collect(),
    };
    let undecided = Recorded {
        open: recorded.open.clone(),
        ..Recorded::default()
    };
    let (mut observed, diagnostics) =
        observe::observe(&unrecorded, &undecided, catalog, readers, parallelism).await?;
    // Believing the records, and not that they are about this target.
    let others: Vec<Diagnostic> = observed
        .targets
        .iter()
        .filter_map(|(instance, target)| observe::same_target(instance, target, recorded).err())
        .collect();
    if !others.is_empty() {
        return Err(others);
    }
    for (address, record) in &recorded.objects {
        let Some(lineage) = &recorded.lineage else {
            continue;
        };
        let mark = catalog
            .kind(&record.kind)
            .and_then(|kind| kind.mark)
            .map(|_| remit_sdk::Mark::new(lineage, address));
        let place = (
            record.instance.clone(),
            record.kind.clone(),
            record.key.clone(),
        );
        observed.readings.entry(place).or_insert_with(|| {
            Reading::Present(Object {
                kind: record.kind.clone(),
                key: record.key.clone(),
                id: record.id.clone(),
                attributes: record.attributes.clone(),
                version: None,
                mark,
                fingerprint: record.fingerprint.clone(),
            })
        });
    }
    Ok((observed, diagnostics))
}

/// The outputs that change.
fn outputs(
    model: &Model,
    recorded: &Recorded,
    known: &BTreeMap<ObjectAddress, BTreeMap<String, Value>>,
    mode: Mode,
) -> BTreeMap<String, OutputChange> {
    let look_up = |address: &ObjectAddress, name: &str| known.get(address)?.get(name).cloned();
    let mut changes = BTreeMap::new();
    if mode == Mode::RefreshOnly {
        return changes;
    }
    let names: BTreeSet<&String> = model
        .outputs
        .keys()
        .chain(recorded.outputs.keys())
        .collect();
    for name in names {
        let declared = model.outputs.get(name).filter(|_| mode != Mode::Destroy);
        let before = recorded.outputs.get(name);
        let after = declared.map(|output| output.value.resolve(&look_up));
        let sensitive =
            declared.map_or_else(|| before.is_some_and(|one| one.sensitive), |o| o.sensitive);
        let same = before.map(|one| &one.value) == after.as_ref()
            && before.is_none_or(|one| one.sensitive == sensitive);
        if !same {
            let before = before.map(|one| one.value.clone());
            changes.insert(
                name.clone(),
                OutputChange {
                    before,
                    after,
                    sensitive,
                },
            );
        }
    }
    changes
}

/// Applies a plan under the lock that `walk.run` holds: recovers, walks, records the outputs.
/// The run is left open: whoever locked the state finishes it, and has seen to it that `approved_by`,
/// the fingerprints of the keys that approved the plan, are enough.
pub async fn apply(
    mut walk: Walk<'_>,
    lineage: String,
    run_name: &str,
    approved_by: BTreeSet<String>,
) -> Result<Report, Vec<Diagnostic>> {
    let one = |diagnostic| vec![diagnostic];
    let state = |error: StateError| {
        one(Diagnostic::error("state can't be written", error.to_string()).help(error.help()))
    };
    fits(walk.plan, walk.run.recorded()).map_err(one)?;
    same_targets(walk.plan, &walk.readers).await?;
    let missing = apply::missing_secrets(&walk);
    if !missing.is_empty() {
        return Err(missing);
    }
    let begin = Entry::Begin {
        lineage: lineage.clone(),
        run: run_name.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        targets: walk.plan.targets.clone(),
        approved_by,
    };
    walk.run.append(begin).await.map_err(state)?;
    recover_open(walk.run, &walk.catalog, &walk.readers)
        .await
        .map_err(state)?;
    // Before the first write: what was tightened holds even if this run is cut off, and what was
    // loosened has been approved.
    let before = walk.run.current();
    let gate = walk.plan.gate.as_ref();
    let meanwhile = gate.map(|next| gate::facts::meanwhile(before.gate.as_ref(), next));
    if let Some(facts) = meanwhile.clone() {
        let entry = Entry::Gate { facts };
        walk.run.append(entry).await.map_err(state)?;
    }
    let recorded = walk.run.current();
    walk.lineage = lineage;
    walk.recorded = &recorded;
    let report = apply::walk(&walk).await;
    if report.stopped.is_none() {
        if report.outputs != recorded.outputs {
            let outputs = Entry::Outputs {
                outputs: report.outputs.clone(),
            };
            walk.run.append(outputs).await.map_err(state)?;
        }
        let tally = report.tally();
        let is_more = |next: &&Facts| meanwhile.as_ref() != Some(next);
        if let Some(facts) = gate
            .filter(is_more)
            .filter(|_| report.is_complete(walk.plan))
        {
            let facts = facts.clone();
            let entry = Entry::Gate { facts };
            walk.run.append(entry).await.map_err(state)?;
        }
        let summary = format!(
            "done {}, failed {}, skipped {}, unknown {}, not started {}",
            tally.done, tally.failed, tally.skipped, tally.unknown, tally.not_started
        );
        walk.run
            .append(Entry::End { summary })
            .await
            .map_err(state)?;
    }
    Ok(report)
}

/// Asks every target who it is, and refuses another than the plan was made for.
async fn same_targets(
    plan: &Plan,
    readers: &BTreeMap<String, &dyn Read>,
) -> Result<(), Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    for (instance, expected) in &plan.targets {
        let found: Result<Target, _> = match readers.get(instance) {
            Some(reader) => reader.target().await,
            None => continue,
        };
        match found {
            Ok(found) if found.id == expected.id => {}
            Ok(found) => diagnostics.push(saved::another_target(instance, expected, &found)),
            Err(error) => {
                let mut diagnostic = Diagnostic::error(
                    "target can't be read",
                    format!("{instance}: {}", error.message),
                );
                diagnostic.help = error.help;
                diagnostics.push(diagnostic);
            }
        }
    }
    if diagnostics.is_empty() {
        Ok(())
    } else {
        Err(diagnostics)
    }
}

/// Decides what a crash left undecided, and records it. Writes to no target.
async fn recover_open(
    run: &Run,
    catalog: &Catalog<'_>,
    readers: &BTreeMap<String, &dyn Read>,
) -> Result<(), StateError> {
    let recorded = run.current();
    for (number, intent) in &recorded.open {
        let record = &intent.record;
        let (Some(kind), Some(reader)) =
            (catalog.kind(&record.kind), readers.get(&record.instance))
        else {
            continue;
        };
        let reading = reader.read(kind, &record.key).await;
        let lineage = recorded.lineage.as_deref();
        if let Some(outcome) = recover::classify(intent, kind, &reading, lineage) {
            run.append(Entry::Outcome {
                number: *number,
                outcome,
            })
            .await?;
        }
    }
    Ok(())
}

/// Takes a live object into the state: the wanted object at `address`, which must live under
/// `key`. Marks are stamped by the next apply.
pub async fn import(
    desired: &Desired,
    run: &Run,
    readers: &Readers<'_>,
    address: &Address,
    key: &str,
    lineage: String,
) -> Result<ObjectAddress, Vec<Diagnostic>> {
    let one = |diagnostic| vec![diagnostic];
    let candidates: Vec<_> = desired
        .objects
        .iter()
        .filter(|(object, wanted)| {
            address.covers(object) && (matches!(address, Address::Object(_)) || wanted.key == key)
        })
        .collect();
    let [(object_address, wanted)] = candidates.as_slice() else {
        return Err(one(not_one(desired, address, key)));
    };
    if wanted.key != key {
        return Err(one(Diagnostic::error(
            "another name than configured",
            format!(
                "{object_address} is configured to live under `{}`, not `{key}`",
                wanted.key
            ),
        )
        .help("give the declaration that name first (`live_name`, or the kind's own attributes)")
        .at(wanted.span)));
    }
    let queries = [Query {
        kind: wanted.kind,
        key: key.to_owned(),
        id: None,
    }];
    let Some(reader) = readers.get(&wanted.instance) else {
        return Err(one(Diagnostic::error(
            "target can't be read",
            wanted.instance.clone(),
        )));
    };
    let fail = |error: remit_sdk::ProviderError| {
        let mut diagnostic = Diagnostic::error("object can't be read", error.message);
        diagnostic.help = error.help;
        vec![diagnostic]
    };
    let target = reader.target().await.map_err(fail)?;
    let mut observation = reader.observe(&queries, 1).await.map_err(fail)?;
    let place = (wanted.kind.name.to_owned(), key.to_owned());
    let object = match observation.readings.remove(&place) {
        Some(Reading::Present(object)) => object,
        Some(Reading::Unreadable(error)) => return Err(fail(error)),
        Some(Reading::Absent) | None => {
            return Err(one(Diagnostic::error(
                "no such live object",
                format!(
                    "{} `{key}` does not exist in {}",
                    wanted.kind.name, target.description
                ),
            )));
        }
    };
    if let Some(mark) = &object.mark
        && run.recorded().lineage.as_ref() != Some(&mark.lineage)
    {
        return Err(one(Diagnostic::error(
            "object belongs to another configuration",
            format!(
                "it carries the mark of {} under lineage {}",
                remit_sdk::text::safe(&mark.address),
                remit_sdk::text::safe(&mark.lineage)
            ),
        )
        .help(
            "restore that configuration's state and use it; if it is gone for good, take its mark off the \
             object by hand first (`remit schema KIND` says where it stands)",
        )));
    }
    // A record whose object was made anew by somebody else stands for nothing any more.
    if let Some(record) = run.recorded().objects.get(*object_address)
        && (record.id == object.id || object.mark.is_some())
        && record.key == key
    {
        return Err(one(Diagnostic::error(
            "recorded already",
            format!("{object_address} is in the state, and is this object"),
        )));
    }
    let record = Record {
        instance: wanted.instance.clone(),
        target: target.id.clone(),
        kind: wanted.kind.name.to_owned(),
        schema_version: wanted.kind.version,
        key: key.to_owned(),
        id: object.id.clone(),
        attributes: object.attributes.clone(),
        set: BTreeSet::new(),
        fingerprint: object.fingerprint.clone(),
        depends_on: wanted.depends_on.clone(),
        holders: wanted.holders.clone(),
        prevent_destroy: wanted.lifecycle.prevent_destroy,
    };
    let state = |error: StateError| {
        vec![Diagnostic::error("state can't be written", error.to_string()).help(error.help())]
    };
    let targets = [(wanted.instance.clone(), target)].into();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let begin = Entry::Begin {
        lineage,
        run: format!("import {object_address}"),
        version,
        targets,
        approved_by: BTreeSet::new(),
    };
    run.append(begin).await.map_err(state)?;
    let address = (*object_address).clone();
    run.append(Entry::Record {
        address: address.clone(),
        record,
    })
    .await
    .map_err(state)?;
    Ok(address)
}

fn not_one(desired: &Desired, address: &Address, key: &str) -> Diagnostic {
    let covered: Vec<String> = desired
        .objects
        .iter()
        .filter(|(object, _)| address.covers(object))
        .map(|(object, wanted)| format!("{object} (`{}`)", wanted.key))
        .collect();
    if let Address::Declaration(_) = address
        && covered.len() == 1
    {
        return Diagnostic::error(
            "another name than configured",
            format!("{address} becomes {}, not `{key}`", covered.join(", ")),
        )
        .help("give the declaration that name first (`live_name`, or the kind's own attributes), or correct the key");
    }
    if covered.is_empty() {
        return Diagnostic::error(
            "no such object",
            format!("the configuration declares nothing that is called {address}"),
        )
        .help("declare it first; `remit graph` shows the addresses");
    }
    Diagnostic::error(
        "which object is meant is unclear",
        format!(
            "{address} becomes {}, and `{key}` is none of these, or several",
            covered.join(", ")
        ),
    )
    .help("name one object: remit import 'DECLARATION/KIND' KEY")
}
