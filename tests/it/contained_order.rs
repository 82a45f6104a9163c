//! The same promise as in `access_order`, where grants live in the binding itself, as an inline
//! policy lives in a role: a workload can do at most what the old or the new configuration allows,
//! at every instant, in every order, whatever fails.
//!
//! A role has a workload that may assume it and a bound; what it holds counts within the bound.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use remit::diff::{self, Options};
use remit::lower::{Catalog, Desired};
use remit::observe::Observed;
use remit::plan::{self, Step};
use remit::state::{Record, Recorded};
use remit_sdk::declaration::{Lifecycle, Wanted};
use remit_sdk::provider::{Lowered, Part, Reading};
use remit_sdk::schema::{Attribute, Container, Need, Role, Shape};
use remit_sdk::{DeclarationAddress, FileId, Kind, Lower, Span, Value};

use crate::access_order::{Live, object, run, walk, within};

const NAME: Attribute = Attribute {
    name: "name",
    need: Need::Required,
    immutable: true,
    ..Attribute::PLAIN
};

const PERMISSIONS: Attribute = Attribute {
    name: "permissions",
    shape: Shape::Set,
    ..Attribute::PLAIN
};

static KINDS: [Kind; 3] = [
    Kind {
        name: "c_role",
        version: 1,
        summary: "",
        key: "{name}",
        container: None,
        role: Role::Binding,
        mark: Some("mark"),
        attributes: &[
            NAME,
            Attribute {
                name: "workload",
                admits: true,
                ..Attribute::PLAIN
            },
            Attribute {
                name: "bound",
                grants: true,
                ..Attribute::PLAIN
            },
        ],
        computed_from: &[],
        requests: "",
    },
    Kind {
        name: "c_inline",
        version: 1,
        summary: "",
        key: "{role}/{name}",
        container: Some(Container {
            kind: "c_role",
            attribute: "role",
            takes_along: false,
        }),
        role: Role::Grant,
        mark: None,
        attributes: &[
            Attribute {
                name: "role",
                ..NAME
            },
            NAME,
            PERMISSIONS,
        ],
        computed_from: &[],
        requests: "",
    },
    Kind {
        name: "c_bound",
        version: 1,
        summary: "",
        key: "{name}",
        container: None,
        role: Role::Grant,
        mark: Some("mark"),
        attributes: &[NAME, PERMISSIONS],
        computed_from: &[],
        requests: "",
    },
];

struct Contained;

impl Lower for Contained {
    fn name(&self) -> &'static str {
        "c"
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

/// A role: who may assume it, whether its own bound counts, and what it holds by name.
#[derive(Debug, Clone)]
struct Held {
    workload: char,
    bound: Option<BTreeSet<char>>,
    inline: BTreeMap<&'static str, BTreeSet<char>>,
}

type Configuration = BTreeMap<&'static str, Held>;

fn configuration() -> impl Strategy<Value = Configuration> {
    let permissions =
        || prop::collection::btree_set(prop::sample::select(vec!['1', '2', '3']), 1..3);
    let inline =
        prop::collection::btree_map(prop::sample::select(vec!["p", "q"]), permissions(), 0..3);
    let held =
        ("[ABC]", prop::option::of(permissions()), inline).prop_map(|(workload, bound, inline)| {
            Held {
                workload: workload.chars().next().unwrap(),
                bound,
                inline,
            }
        });
    prop::collection::btree_map(prop::sample::select(vec!["x", "y"]), held, 0..3)
}

fn set(all: &BTreeSet<char>) -> Value {
    Value::strings(all.iter().map(char::to_string))
}

fn wanted(configuration: &Configuration) -> Desired {
    let mut desired = Desired::default();
    for (name, held) in configuration {
        let identity = DeclarationAddress::new("identity", *name);
        let mut add = |kind: usize, part: Option<&str>, attributes: Vec<(&str, Value)>| {
            let kind = &KINDS[kind];
            let mut address = identity.object(kind.name);
            address.part = part.map(str::to_owned);
            let mut depends_on = BTreeSet::new();
            match kind.name {
                "c_inline" => drop(depends_on.insert(identity.object("c_role"))),
                "c_role" if held.bound.is_some() => {
                    depends_on.insert(identity.object("c_bound"));
                }
                _ => {}
            }
            let attributes: BTreeMap<String, Value> = attributes
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            desired.objects.insert(
                address.clone(),
                Wanted {
                    key: kind.key_of(&attributes).unwrap(),
                    address,
                    instance: "c".into(),
                    kind,
                    attributes,
                    depends_on,
                    holders: [identity.clone()].into(),
                    lifecycle: Lifecycle::default(),
                    span: Span::new(FileId(0), 0, 0),
                },
            );
        };
        let bound = held.bound.as_ref().map_or("", |_| *name);
        let role = vec![
            ("name", Value::string(*name)),
            ("workload", Value::string(held.workload.to_string())),
            ("bound", Value::string(bound)),
        ];
        add(0, None, role);
        if let Some(bound) = &held.bound {
            let attributes = vec![("name", Value::string(*name)), ("permissions", set(bound))];
            add(2, None, attributes);
        }
        for (inline, permissions) in &held.inline {
            let attributes = vec![
                ("role", Value::string(*name)),
                ("name", Value::string(*inline)),
                ("permissions", set(permissions)),
            ];
            add(1, Some(inline), attributes);
        }
    }
    desired
}

/// The steps from `old` to `new`, and what is live before them.
fn steps(old: &Configuration, new: &Configuration) -> (Vec<Step>, Live) {
    let mut recorded = Recorded {
        lineage: Some("lineage".into()),
        ..Recorded::default()
    };
    let mut observed = Observed::default();
    let mut live = Live::new();
    let place = |wanted: &Wanted| {
        (
            "c".to_owned(),
            wanted.kind.name.to_owned(),
            wanted.key.clone(),
        )
    };
    for (address, wanted) in wanted(old).objects {
        let mut object = object(wanted.kind.name, &wanted.key, &wanted.attributes, &address);
        if wanted.kind.mark.is_none() {
            object.mark = None;
        }
        let record = Record {
            instance: "c".into(),
            target: String::new(),
            kind: wanted.kind.name.into(),
            schema_version: 1,
            key: wanted.key.clone(),
            id: None,
            attributes: wanted.attributes.clone(),
            set: wanted.attributes.keys().cloned().collect(),
            fingerprint: object.fingerprint.clone(),
            depends_on: wanted.depends_on.clone(),
            holders: wanted.holders.clone(),
            prevent_destroy: false,
        };
        recorded.objects.insert(address, record);
        live.insert(
            (wanted.kind.name.into(), wanted.key.clone()),
            wanted.attributes.clone(),
        );
        observed
            .readings
            .insert(place(&wanted), Reading::Present(object));
    }
    let desired = wanted(new);
    for wanted in desired.objects.values() {
        observed
            .readings
            .entry(place(wanted))
            .or_insert(Reading::Absent);
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
    let catalog = Catalog::new(&[&Contained]);
    let steps = plan::steps(&differences, &desired, &observed, &catalog);
    (steps, live)
}

/// What each workload may do.
fn access(live: &Live) -> BTreeMap<String, BTreeSet<Value>> {
    let permissions = |kind: &str, key: &str| {
        let attributes = live.get(&(kind.to_owned(), key.to_owned()))?;
        match &attributes["permissions"] {
            Value::Set(all) => Some(all.clone()),
            _ => None,
        }
    };
    let mut access: BTreeMap<String, BTreeSet<Value>> = BTreeMap::new();
    for ((kind, role), attributes) in live {
        if kind != "c_role" {
            continue;
        }
        let workload = attributes["workload"].as_str().unwrap().to_owned();
        let bound = attributes["bound"].as_str().unwrap();
        for name in ["p", "q"] {
            let mut given = permissions("c_inline", &format!("{role}/{name}")).unwrap_or_default();
            if !bound.is_empty() {
                // A bound that is named and isn't there bounds to nothing.
                let bound = permissions("c_bound", bound).unwrap_or_default();
                given.retain(|one| bound.contains(one));
            }
            access.entry(workload.clone()).or_default().extend(given);
        }
    }
    access
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn never_more_than_old_or_new(
        old in configuration(),
        new in configuration(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 40),
        fails in prop::collection::btree_set(1_usize..16, 0..3),
    ) {
        let (steps, mut live) = steps(&old, &new);
        let before = access(&live);
        let mut end = live.clone();
        for step in &steps {
            run(&mut end, step);
        }
        let goal: Live = wanted(&new)
            .objects
            .into_values()
            .map(|wanted| ((wanted.kind.name.into(), wanted.key), wanted.attributes))
            .collect();
        prop_assert_eq!(&end, &goal, "the steps lead to what is wanted");
        let after = access(&end);
        walk(&steps, &mut live, &picks, &fails, |live, step| {
            within(access(live), &before, &after, step)
        })?;
    }
}
