//! What a plan means and what it takes: access, findings and approvals, put together.
//!
//! In: a plan and what it was made from. Out: a [`Review`]. What subjects hold of others is read
//! first, since a plan that doesn't know it can't say what they can do.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::Permission;
use remit_sdk::provider::{Reading, Target};
use remit_sdk::{DeclarationAddress, Diagnostic, Kind, ObjectAddress, ProviderError, Span};

use crate::access::{self, AccessChange, Around, Moment, Moments, Reached, Whose};
use crate::config::literals::Literal;
use crate::diff::Action;
use crate::gate::{self, Fact, GateChange, Held, People, Requirement, Review};
use crate::lower::{self, Catalog, Desired};
use crate::model::Model;
use crate::observe::{self, Observed, Place, Readers};
use crate::plan::{Mode, Plan};
use crate::rules::{
    self, CeilingExcess, Checked, Effective, EscalationOf, Finding, InEffect, Input, Touched,
};
use crate::state::{Facts, Recorded};

/// Policies of others that are read to know what somebody can do. An entity holds a handful; more
/// than this is somebody's mistake, and isn't worth waiting for.
const HELD_MAX: usize = 500;

/// Findings about the rest that a plan of a part names.
const LEFT_OUT_NAMED: usize = 6;

/// What a review is made from beside the plan.
pub(super) struct Material<'a> {
    pub(super) model: &'a Model,
    pub(super) wanted: &'a Desired,
    pub(super) recorded: &'a Recorded,
    pub(super) observed: &'a Observed,
    pub(super) catalog: &'a Catalog<'a>,
    pub(super) judged: &'a Judged<'a>,
}

impl Material<'_> {
    fn around(&self) -> Around<'_> {
        Around {
            model: self.model,
            targets: &self.observed.targets,
        }
    }
}

/// What rules look at beside the configuration's meaning.
pub struct Judged<'a> {
    /// The texts that are written in the configuration.
    pub literals: Option<&'a [Literal]>,
    /// Now: RFC 3339.
    pub now: String,
    /// Where a span is, for people: `agents.remit.hcl:41`.
    pub place: &'a dyn Fn(Span) -> String,
}

/// Reads what subjects hold that is neither recorded nor wanted, one by one, and what those hold in
/// turn: a group's policies. What can't be read stays unknown, and is told as that.
pub(super) async fn read_held(
    observed: &mut Observed,
    wanted: &Desired,
    recorded: &Recorded,
    (model, catalog): (&Model, &Catalog<'_>),
    readers: &Readers<'_>,
) {
    let mut asked = BTreeSet::new();
    loop {
        let mut open = held(observed, wanted, recorded, (model, catalog));
        open.retain(|(place, _)| !asked.contains(place));
        open.truncate(HELD_MAX.saturating_sub(asked.len()));
        if open.is_empty() {
            return;
        }
        for (place, kind) in open {
            if let Some(reader) = readers.get(&place.0) {
                match reader.read(kind, &place.2).await {
                    // What is asked for by its id is told by its name.
                    Reading::Present(object) => {
                        let place = (place.0.clone(), object.kind.clone(), object.key.clone());
                        let readings = &mut observed.readings;
                        readings.entry(place).or_insert(Reading::Present(object));
                    }
                    Reading::Absent => {
                        observed.readings.insert(place.clone(), Reading::Absent);
                    }
                    Reading::Unreadable(_) => {}
                }
            }
            asked.insert(place);
        }
    }
}

fn held(
    observed: &Observed,
    wanted: &Desired,
    recorded: &Recorded,
    (model, catalog): (&Model, &Catalog<'_>),
) -> Vec<(Place, &'static Kind)> {
    let around = Around {
        model,
        targets: &observed.targets,
    };
    let live = Moment::live(recorded, wanted, observed, catalog);
    let planned = Moment::wanted(wanted);
    let mut found = BTreeMap::new();
    for moment in [&live, &planned] {
        for instance in moment.instances() {
            let Some(evaluator) = catalog.evaluator_of_instance(instance) else {
                continue;
            };
            for (kind, key) in evaluator.missing(&moment.world(instance, around)) {
                let place = (instance.to_owned(), kind.to_owned(), key);
                if let Some(kind) = catalog.kind_or_held(kind)
                    && !observed.readings.contains_key(&place)
                {
                    found.insert(place, kind);
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Says what a plan means and what it takes. The one place where access, findings and the
/// approvals they ask for are put together.
/// What there is to say of findings and exceptions comes beside.
pub(super) fn review(mut plan: Plan, material: &Material<'_>) -> (Review, Vec<Diagnostic>) {
    let Material {
        model, recorded, ..
    } = material;
    let live = Moment::live(
        recorded,
        material.wanted,
        material.observed,
        material.catalog,
    );
    let planned = live.after(&plan.changes, material.catalog);
    let mut access = access(&plan, &live, &planned, material);
    let known = known(&plan, recorded);
    for change in access.iter_mut().filter(|change| change.whose.is_none()) {
        // Who is no longer declared was somebody's.
        change.whose = known
            .as_ref()
            .and_then(|known| formerly(known, &change.identity));
    }
    let wanted = match &known {
        // What only removes or records changes nothing of who approves what.
        Some(known) if plan.mode != Mode::Apply => known.clone(),
        known => wanted(&plan, model, recorded, known.as_ref()),
    };
    plan.gate = facts(&plan, recorded, known.as_ref(), &wanted);
    let effect = in_effect(&planned, material.around(), material.catalog);
    let held = held_by(&effect);
    let checked = rules(&plan, &access, &effect, material);
    let before = || {
        let effect = in_effect(&live, material.around(), material.catalog);
        rules(&plan, &[], &effect, material).findings
    };
    let touched = || {
        let changed = plan.changes.iter().flat_map(|(address, change)| {
            let details = &change.details;
            [&details.holders, &details.former_holders].map(|holders| (address, holders))
        });
        Touched::new(changed, &access, model)
    };
    let mut diagnostics = Vec::new();
    if plan.mode == Mode::Apply && !plan.asked.is_part() {
        diagnostics.extend(rules::idle(model, &checked, &material.judged.now));
    }
    let (findings, left_out) = in_part(&plan, checked.findings, touched, before);
    diagnostics.extend(self::left_out(&left_out));
    let approvals = gate::requirements(&access, &held, known.as_ref(), &wanted);
    let next = plan.gate.as_ref().filter(|_| plan.is_gated());
    let gate_changes = next.map(|next| gate::changes(known.as_ref(), next));
    let gate_changes = gate_changes.unwrap_or_default();
    let people = people(&approvals, &gate_changes, model, known.as_ref());
    let review = Review {
        approvals,
        gate_changes,
        people,
        plan,
        access,
        findings,
        skipped: checked.skipped,
    };
    (review, diagnostics)
}

/// Whose the keys are that a plan names.
fn people(
    approvals: &[Requirement],
    changes: &[GateChange],
    model: &Model,
    known: Option<&Facts>,
) -> People {
    let asked = approvals.iter().flat_map(|one| &one.approvers);
    let changed = changes.iter().filter(|one| one.what == Fact::Approver);
    let changed = changed.flat_map(|one| one.before.iter().chain(&one.after));
    gate::people(model, known, asked.chain(changed))
}

/// The findings that count for a plan, and those that a plan of a part has nothing to do with.
fn in_part(
    plan: &Plan,
    found: Vec<Finding>,
    touched: impl FnOnce() -> Touched,
    before: impl FnOnce() -> Vec<Finding>,
) -> (Vec<Finding>, Vec<Finding>) {
    if !plan.asked.is_part() || found.is_empty() {
        return (found, Vec::new());
    }
    touched().split(found, &before())
}

/// Says that findings were left out, and about what: silence would be taken for a pass.
fn left_out(findings: &[Finding]) -> Option<Diagnostic> {
    let about: BTreeSet<String> = findings
        .iter()
        .filter_map(|finding| Some(format!("{} {}", finding.rule, finding.address.as_ref()?)))
        .collect();
    let named: Vec<&str> = about
        .iter()
        .take(LEFT_OUT_NAMED)
        .map(|one| &**one)
        .collect();
    let more = match about.len().saturating_sub(LEFT_OUT_NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    (!about.is_empty()).then(|| {
        let what = format!(
            "this plan is asked for a part; what rules find about the rest was there before and doesn't \
             count here: {}{more}",
            named.join(", ")
        );
        Diagnostic::warning("rest not judged", remit_sdk::text::safe(&what))
            .help("a plan without `--target` and `--exclude` shows those findings")
    })
}

/// Asks the rules. What is to be removed is nobody's mistake any more.
fn rules(
    plan: &Plan,
    access: &[AccessChange],
    effect: &InEffect,
    material: &Material<'_>,
) -> Checked {
    if plan.mode != Mode::Apply {
        return Checked::default();
    }
    let Material {
        model,
        observed,
        judged,
        ..
    } = *material;
    rules::check(&Input {
        model,
        literals: judged.literals,
        plan: Some(plan),
        access: Some(effect),
        changes: Some(access),
        observed: Some(observed),
        now: &judged.now,
        place: &|span| Some((judged.place)(span)),
    })
}

/// What everybody can do once the plan is applied, as rules look at it.
fn in_effect(planned: &Moment<'_>, around: Around<'_>, catalog: &Catalog<'_>) -> InEffect {
    let mut effect = InEffect::default();
    for can in access::can(planned, catalog, around, None) {
        let evaluator = catalog.evaluator_of_instance(&can.instance);
        // What every identity may do with its own token is remit's doing, and no news.
        let own = |permission: &Permission| {
            let sources = &permission.sources;
            !sources.is_empty() && sources.iter().all(access::is_self)
        };
        for permission in can.permissions {
            let administrative = evaluator.and_then(|one| one.is_administrative(&permission));
            // Somebody may have written more into that policy.
            if own(&permission) && administrative.is_none() {
                continue;
            }
            let stands_for = evaluator.and_then(|one| one.stands_for(&permission));
            effect.unknown.extend(stands_for);
            effect.permissions.push(Effective {
                identity: can.identity.clone(),
                instance: can.instance.clone(),
                scopes: access::scopes(&permission.sources),
                administrative,
                permission,
            });
        }
        for escalation in can.escalations {
            effect.escalations.push(EscalationOf {
                identity: can.identity.clone(),
                instance: can.instance.clone(),
                subject: can.subject.clone(),
                escalation,
            });
        }
        let place = (can.instance, can.subject);
        effect.subjects.insert(place, can.identity);
    }
    effect.excess = excess(planned, around, catalog);
    effect
}

/// The scopes by which each identity has something.
fn held_by(effect: &InEffect) -> Held {
    let mut held = Held::new();
    for one in &effect.permissions {
        let scopes = held.entry(one.identity.clone()).or_default();
        scopes.extend(one.scopes.iter().cloned());
    }
    held
}

/// What exceeds a ceiling. Where the ceilings themselves can't be told, nothing is within one.
fn excess(planned: &Moment<'_>, around: Around<'_>, catalog: &Catalog<'_>) -> Vec<CeilingExcess> {
    let nothing = Desired::default();
    let most = lower::ceilings(around.model, catalog);
    let most = Moment::wanted(most.as_ref().unwrap_or(&nothing));
    access::exceeding(planned, &most, catalog, around)
        .into_iter()
        .map(|one| CeilingExcess {
            identity: one.identity,
            instance: one.instance,
            excess: one.what.excess,
            scopes: one.what.scopes,
        })
        .collect()
}

/// What the gate is to hold later changes against, where that differs from what is recorded.
fn facts(plan: &Plan, recorded: &Recorded, known: Option<&Facts>, wanted: &Facts) -> Option<Facts> {
    if plan.mode != Mode::Apply {
        return None;
    }
    let next = gate::facts::next(known, wanted);
    let next = gate::facts::with_those_left(next, known, &left(plan, recorded));
    // Nothing to say is nothing to record.
    let nothing = Facts::default();
    let before = recorded.gate.as_ref().unwrap_or(&nothing);
    (*before != next).then_some(next)
}

/// The declarations of which something stays recorded, whatever the configuration says of them: a
/// plan that was saved may do less than it would.
fn left(plan: &Plan, recorded: &Recorded) -> BTreeSet<DeclarationAddress> {
    let moved = plan.changes.values();
    let moved: BTreeSet<&ObjectAddress> = moved.filter_map(|one| one.moved_from.as_ref()).collect();
    let goes = |address: &ObjectAddress| {
        let change = plan.changes.get(address);
        let action = change.map(|change| change.action);
        moved.contains(address) || matches!(action, Some(Action::Delete | Action::Forget))
    };
    let left = recorded.objects.keys().filter(|address| !goes(address));
    left.map(|address| address.declaration.clone()).collect()
}

/// What is recorded of the gate's facts, of what changes its label too.
fn known(plan: &Plan, recorded: &Recorded) -> Option<Facts> {
    let moves = plan.changes.iter().filter_map(|(to, change)| {
        let from = &change.moved_from.as_ref()?.declaration;
        (*from != to.declaration).then_some((from, &to.declaration))
    });
    Some(gate::facts::moved(recorded.gate.as_ref()?, moves))
}

/// Whose an identity is as recorded.
fn formerly(known: &Facts, identity: &DeclarationAddress) -> Option<Whose> {
    let facts = known.identities.get(identity)?;
    let environment = known.environments.get(&facts.environment);
    Some(Whose {
        agent: facts.agent.clone(),
        owner: known.agents.get(&facts.agent).cloned(),
        environment: facts.environment.name.clone(),
        tier: environment.map(|facts| facts.tier.name().to_owned()),
    })
}

/// What the plan says of the gate's facts.
fn wanted(plan: &Plan, model: &Model, recorded: &Recorded, known: Option<&Facts>) -> Facts {
    let wanted = gate::facts::wanted(model, &targets(plan, recorded), known);
    if !plan.asked.is_part() {
        return wanted;
    }
    let changes = plan.changes.iter();
    let changed: BTreeSet<&DeclarationAddress> = changes
        .filter(|(_, change)| change.action != Action::Keep)
        .map(|(address, _)| &address.declaration)
        .collect();
    gate::facts::of_part(wanted, known, |identity| changed.contains(identity))
}

fn targets(plan: &Plan, recorded: &Recorded) -> BTreeMap<String, Target> {
    let mut all = recorded.targets.clone();
    all.extend(plan.targets.clone());
    all
}

/// Reads everything that `remit access` looks at: what is wanted, recorded, and held of others.
pub async fn look(
    model: &Model,
    desired: &Desired,
    recorded: &Recorded,
    catalog: &Catalog<'_>,
    readers: &Readers<'_>,
    parallelism: usize,
) -> Result<(Observed, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (mut observed, diagnostics) =
        observe::observe(desired, recorded, catalog, readers, parallelism).await?;
    read_held(&mut observed, desired, recorded, (model, catalog), readers).await;
    // Whoever couldn't be read may do anything, and would be left out of every answer.
    let unread: Vec<Diagnostic> = observed
        .readings
        .iter()
        .filter_map(|((instance, kind, key), reading)| match reading {
            Reading::Unreadable(error) => Some(unread(instance, kind, key, error)),
            Reading::Present(_) | Reading::Absent => None,
        })
        .collect();
    if unread.is_empty() {
        Ok((observed, diagnostics))
    } else {
        Err(unread)
    }
}

fn unread(instance: &str, kind: &str, key: &str, error: &ProviderError) -> Diagnostic {
    let key = remit_sdk::text::safe(key);
    let why = &error.message;
    let mut diagnostic = Diagnostic::error(
        "object can't be read",
        format!("what {kind} `{key}` in {instance} gives is unknown: {why}"),
    );
    diagnostic.help.clone_from(&error.help);
    diagnostic
}

fn access(
    plan: &Plan,
    live: &Moment<'_>,
    planned: &Moment<'_>,
    material: &Material<'_>,
) -> Vec<AccessChange> {
    let Material {
        model,
        recorded,
        observed,
        catalog,
        ..
    } = *material;
    let around = Around {
        model,
        targets: &observed.targets,
    };
    let touched = Reached::by(&plan.changes);
    let reached = reached(plan, live, material);
    if reached.is_nobody() {
        return Vec::new();
    }
    let was = Moment::recorded(recorded, catalog).with_others_of(live);
    let moments = Moments {
        recorded: &was,
        live,
        planned,
    };
    access::changes(moments, catalog, around, (&reached, &touched))
}

/// Whose access a plan may change, or has changed outside remit.
fn reached(plan: &Plan, live: &Moment<'_>, material: &Material<'_>) -> Reached {
    let recorded = material.recorded;
    let mut reached = Reached::by(&plan.changes);
    reached.add(plan.drift.keys().filter_map(|address| {
        let record = recorded.objects.get(address)?;
        Some((address, &record.holders))
    }));
    let changed = plan.changes.values().map(|change| &change.key);
    let drifted = plan.drift.keys();
    let drifted = drifted.filter_map(|address| Some(&recorded.objects.get(address)?.key));
    let keys = changed.chain(drifted).map(|key| key.to_lowercase());
    let keys = keys.collect();
    for instance in live.instances() {
        reached.spread(&live.world(instance, material.around()), &keys);
    }
    reached
}

/// A plan of a part leaves out what couldn't be read, and could change what that may do: nobody would
/// be told, nor asked.
pub(super) fn unread_in_part(plan: &Plan, material: &Material<'_>) -> Vec<Diagnostic> {
    if !plan.asked.is_part() || plan.changes.is_empty() {
        return Vec::new();
    }
    let Material {
        wanted,
        recorded,
        observed,
        ..
    } = *material;
    let live = Moment::live(recorded, wanted, observed, material.catalog);
    let reached = reached(plan, &live, material);
    let recorded = recorded.objects.iter();
    let recorded = recorded.map(|(at, one)| (at, &one.instance, &*one.kind, &one.key));
    let wanted = wanted.objects.iter();
    let wanted = wanted.map(|(at, one)| (at, &one.instance, one.kind.name, &one.key));
    let all: BTreeMap<_, _> = recorded
        .chain(wanted)
        .map(|(at, instance, kind, key)| ((instance, kind, key), at))
        .collect();
    all.into_iter()
        .filter(|(_, at)| reached.reaches(&at.declaration) && !plan.changes.contains_key(*at))
        .filter_map(
            |((instance, kind, key), at)| match observed.reading(instance, kind, key) {
                Reading::Unreadable(error) => {
                    let found = unread(instance, kind, key, &error);
                    Some(found.about(remit_sdk::Address::Object(at.clone())))
                }
                Reading::Present(_) | Reading::Absent => None,
            },
        )
        .collect()
}
