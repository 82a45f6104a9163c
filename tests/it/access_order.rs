//! While a plan runs, a workload can do at most what the old or the new configuration allows: at
//! every instant, whichever of the allowed orders the steps run in.
//!
//! Random pairs of configurations of one subject kind, one binding kind and one grant kind go
//! through diff and plan; the steps then run on a map, in a random order that respects what each
//! waits for, and access is measured after each.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use remit::diff::{self, Options};
use remit::lower::{Catalog, Desired};
use remit::observe::Observed;
use remit::plan::{self, Phase, Step, StepOperation};
use remit::state::{Operation, Record, Recorded};
use remit_sdk::declaration::{Lifecycle, Wanted};
use remit_sdk::provider::{Lowered, Part, Reading};
use remit_sdk::schema::{Attribute, Need, Role, Shape};
use remit_sdk::{
    DeclarationAddress, FileId, Fingerprint, Kind, Lower, Mark, Object, ObjectAddress, Span, Value,
};

const NAME: Attribute = Attribute {
    name: "name",
    need: Need::Required,
    immutable: true,
    ..Attribute::PLAIN
};

const fn kind(name: &'static str, role: Role, attributes: &'static [Attribute]) -> Kind {
    Kind {
        name,
        version: 1,
        summary: "",
        key: "{name}",
        container: None,
        role,
        mark: Some("mark"),
        attributes,
        computed_from: &[],
        requests: "",
    }
}

static KINDS: [Kind; 3] = [
    kind(
        "t_subject",
        Role::Subject,
        &[
            NAME,
            Attribute {
                name: "grants",
                shape: Shape::Set,
                grants: true,
                ..Attribute::PLAIN
            },
        ],
    ),
    kind(
        "t_binding",
        Role::Binding,
        &[
            NAME,
            Attribute {
                name: "workload",
                admits: true,
                ..Attribute::PLAIN
            },
        ],
    ),
    kind(
        "t_grant",
        Role::Grant,
        &[
            NAME,
            Attribute {
                name: "permissions",
                shape: Shape::Set,
                ..Attribute::PLAIN
            },
        ],
    ),
];

struct Tiny;

impl Lower for Tiny {
    fn name(&self) -> &'static str {
        "t"
    }
    fn kinds(&self) -> &'static [Kind] {
        &KINDS
    }
    fn normalise(&self, _: &Kind, _: &str, value: &Value) -> Result<Value, String> {
        Ok(value.clone())
    }
    fn lower(&self, _: &Part<'_>) -> Lowered {
        Lowered::default()
    }
    fn narrows(&self, _: &Kind, _: &str, before: &Value, after: &Value) -> bool {
        matches!((before, after), (Value::Set(before), Value::Set(after)) if after.is_subset(before))
    }
}

/// An identity: its workload and the scopes it holds. A scope: its permissions.
#[derive(Debug, Clone)]
struct Configuration {
    identities: BTreeMap<&'static str, (char, BTreeSet<&'static str>)>,
    scopes: BTreeMap<&'static str, BTreeSet<char>>,
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let identity = (
        "[ABC]",
        prop::collection::btree_set(prop::sample::select(vec!["p", "q", "r"]), 0..3),
    );
    let identities =
        prop::collection::btree_map(prop::sample::select(vec!["x", "y", "z"]), identity, 0..4);
    let permissions = prop::collection::btree_set(prop::sample::select(vec!['1', '2', '3']), 1..3);
    let scopes =
        prop::collection::btree_map(prop::sample::select(vec!["p", "q", "r"]), permissions, 3..4);
    (identities, scopes).prop_map(|(identities, scopes)| Configuration {
        identities: identities
            .into_iter()
            .map(|(name, (workload, held))| (name, (workload.chars().next().unwrap(), held)))
            .collect(),
        scopes,
    })
}

pub(crate) type Live = BTreeMap<(String, String), BTreeMap<String, Value>>;

fn wanted(configuration: &Configuration) -> Desired {
    let mut desired = Desired::default();
    let mut add = |declaration: DeclarationAddress,
                   index: usize,
                   name: &str,
                   attribute: &str,
                   value: Value,
                   holders: BTreeSet<DeclarationAddress>| {
        let kind = &KINDS[index];
        let address = declaration.object(kind.name);
        let depends_on = match (index, &value) {
            (1, _) => [declaration.object("t_subject")].into(),
            // Who carries a grant waits for it.
            (0, Value::Set(grants)) => grants
                .iter()
                .filter_map(Value::as_str)
                .map(|name| DeclarationAddress::new("scope", name).object("t_grant"))
                .collect(),
            _ => BTreeSet::new(),
        };
        desired.objects.insert(
            address.clone(),
            Wanted {
                address,
                instance: "t".into(),
                kind,
                key: name.into(),
                attributes: [
                    ("name".to_owned(), Value::string(name)),
                    (attribute.to_owned(), value),
                ]
                .into(),
                depends_on,
                holders,
                lifecycle: Lifecycle::default(),
                span: Span::new(FileId(0), 0, 0),
            },
        );
    };
    for (name, (workload, held)) in &configuration.identities {
        let identity = DeclarationAddress::new("identity", *name);
        let holders: BTreeSet<_> = [identity.clone()].into();
        add(
            identity.clone(),
            0,
            name,
            "grants",
            Value::strings(held.iter().copied()),
            holders.clone(),
        );
        add(
            identity,
            1,
            name,
            "workload",
            Value::string(workload.to_string()),
            holders,
        );
    }
    for (name, permissions) in &configuration.scopes {
        let holders: BTreeSet<_> = configuration
            .identities
            .iter()
            .filter(|(_, (_, held))| held.contains(name))
            .map(|(identity, _)| DeclarationAddress::new("identity", *identity))
            .collect();
        if !holders.is_empty() {
            let permissions = Value::strings(permissions.iter().map(char::to_string));
            add(
                DeclarationAddress::new("scope", *name),
                2,
                name,
                "permissions",
                permissions,
                holders,
            );
        }
    }
    desired
}

pub(crate) fn object(
    kind: &str,
    key: &str,
    attributes: &BTreeMap<String, Value>,
    address: &ObjectAddress,
) -> Object {
    let json = serde_json::to_value(attributes).unwrap();
    Object {
        kind: kind.into(),
        key: key.into(),
        id: None,
        attributes: attributes.clone(),
        version: None,
        mark: Some(Mark::new("lineage", address)),
        fingerprint: Fingerprint::of(&json),
    }
}

/// The steps from `old` to `new`, and what is live before them.
fn steps(old: &Configuration, new: &Configuration) -> (Vec<Step>, Live) {
    let mut recorded = Recorded {
        lineage: Some("lineage".into()),
        ..Recorded::default()
    };
    let mut observed = Observed::default();
    let mut live = Live::new();
    for (address, wanted) in wanted(old).objects {
        let object = object(wanted.kind.name, &wanted.key, &wanted.attributes, &address);
        live.insert(
            (wanted.kind.name.into(), wanted.key.clone()),
            wanted.attributes.clone(),
        );
        recorded.objects.insert(
            address,
            Record {
                instance: "t".into(),
                target: String::new(),
                kind: wanted.kind.name.into(),
                schema_version: 1,
                key: wanted.key.clone(),
                id: None,
                attributes: wanted.attributes.clone(),
                set: wanted.attributes.keys().cloned().collect(),
                fingerprint: object.fingerprint.clone(),
                depends_on: wanted.depends_on,
                holders: wanted.holders,
                prevent_destroy: false,
            },
        );
        let place = ("t".to_owned(), wanted.kind.name.to_owned(), wanted.key);
        observed.readings.insert(place, Reading::Present(object));
    }
    let desired = wanted(new);
    for wanted in desired.objects.values() {
        let place = (
            "t".to_owned(),
            wanted.kind.name.to_owned(),
            wanted.key.clone(),
        );
        observed.readings.entry(place).or_insert(Reading::Absent);
    }
    let options = Options {
        guard: diff::Guard { allowed: Some(100) },
        ..Options::default()
    };
    let differences = diff::diff(&desired, &recorded, &observed, &options);
    assert!(
        differences.diagnostics.is_empty(),
        "{:?}",
        differences.diagnostics
    );
    let catalog = Catalog::new(&[&Tiny]);
    (
        plan::steps(&differences, &desired, &observed, &catalog),
        live,
    )
}

/// What each workload may do.
fn access(live: &Live) -> BTreeMap<String, BTreeSet<Value>> {
    let set = |kind: &str, key: &str, name: &str| match live
        .get(&(kind.into(), key.into()))?
        .get(name)?
    {
        Value::Set(all) => Some(all.clone()),
        _ => None,
    };
    let mut access: BTreeMap<String, BTreeSet<Value>> = BTreeMap::new();
    for ((kind, key), attributes) in live {
        if kind == "t_binding" {
            let workload = attributes["workload"].as_str().unwrap().to_owned();
            for grant in set("t_subject", key, "grants").unwrap_or_default() {
                let permissions = set("t_grant", grant.as_str().unwrap(), "permissions");
                access
                    .entry(workload.clone())
                    .or_default()
                    .extend(permissions.unwrap_or_default());
            }
        }
    }
    access
}

pub(crate) fn run(live: &mut Live, step: &Step) {
    let place = (step.kind.clone(), step.key.clone());
    match step.operation {
        StepOperation::Write(Operation::Delete) => drop(live.remove(&place)),
        StepOperation::Write(Operation::Create) => {
            assert!(live.insert(place, step.attributes.clone()).is_none());
        }
        StepOperation::Write(Operation::Update) => {
            let attributes = live.get_mut(&place).unwrap();
            for name in &step.changed {
                attributes.insert(name.clone(), step.attributes[name].clone());
            }
        }
        StepOperation::Record | StepOperation::Forget | StepOperation::Move => {}
    }
}

/// Runs the steps in an order that `picks` chooses among those allowed, those whose number `fails`
/// names without effect, and looks at what is live after each.
pub(crate) fn walk(
    steps: &[Step],
    live: &mut Live,
    picks: &[prop::sample::Index],
    fails: &BTreeSet<usize>,
    mut look: impl FnMut(&Live, &Step) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let (mut done, mut ended) = (BTreeSet::new(), BTreeSet::new());
    for pick in picks {
        // What waits for a step that is not done is skipped, and has ended with it.
        for step in steps {
            if !ended.contains(&step.id)
                && step
                    .waits_for
                    .iter()
                    .any(|other| ended.contains(other) && !done.contains(other))
            {
                ended.insert(step.id);
            }
        }
        let open = || steps.iter().filter(|step| !ended.contains(&step.id));
        let phase: Option<Phase> = open().map(|step| step.phase).min();
        let ready: Vec<&Step> = open()
            .filter(|step| Some(step.phase) == phase)
            .filter(|step| step.waits_for.is_subset(&done) && step.follows.is_subset(&ended))
            .collect();
        if ready.is_empty() {
            break;
        }
        let step = ready[pick.index(ready.len())];
        ended.insert(step.id);
        if !fails.contains(&step.id) {
            run(live, step);
            done.insert(step.id);
        }
        look(live, step)?;
    }
    prop_assert_eq!(ended.len(), steps.len());
    Ok(())
}

/// Whether each workload can do at most what it could before, or can in the end.
pub(crate) fn within(
    now: BTreeMap<String, BTreeSet<Value>>,
    before: &BTreeMap<String, BTreeSet<Value>>,
    after: &BTreeMap<String, BTreeSet<Value>>,
    step: &Step,
) -> Result<(), TestCaseError> {
    let none = BTreeSet::new();
    for (workload, can) in now {
        let old = before.get(&workload).unwrap_or(&none);
        let new = after.get(&workload).unwrap_or(&none);
        let allowed: BTreeSet<Value> = old.union(new).cloned().collect();
        prop_assert!(
            can.is_subset(&allowed),
            "{workload} can {can:?}, allowed {allowed:?}, after {}",
            step.address
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn never_more_than_old_or_new(
        old in configuration(),
        new in configuration(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 40),
        fails in prop::collection::btree_set(1_usize..20, 0..3),
    ) {
        let (steps, mut live) = steps(&old, &new);
        let before = access(&live);
        let mut end = live.clone();
        for step in &steps {
            run(&mut end, step);
        }
        let goal: Live = wanted(&new).objects.into_values().map(|w| ((w.kind.name.into(), w.key), w.attributes)).collect();
        prop_assert_eq!(&end, &goal, "the steps lead to what is wanted");
        let after = access(&end);
        walk(&steps, &mut live, &picks, &fails, |live, step| within(access(live), &before, &after, step))?;
    }
}
