//! Entries for this module's tests.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use remit_sdk::declaration::Risk;
use remit_sdk::provider::{Expected, Target};
use remit_sdk::{DeclarationAddress, Fingerprint, ObjectAddress, Value};

use super::facts::{ApprovalFacts, Facts, ScopeFacts};
use super::record::{Entry, Intent, Operation, Outcome, Record};

/// `memory_item.NAME/memory_item`.
pub(super) fn object(name: &str) -> ObjectAddress {
    DeclarationAddress::new("memory_item", name).object("memory_item")
}

pub(super) fn record(name: &str) -> Record {
    Record {
        instance: "memory".into(),
        target: "t".into(),
        kind: "memory_item".into(),
        schema_version: 1,
        key: format!("item/{name}"),
        id: Some(format!("id-{name}")),
        attributes: BTreeMap::from([("note".into(), Value::string("x\n\"},{\u{1f600}"))]),
        set: BTreeSet::from(["note".into()]),
        fingerprint: Fingerprint::of(&serde_json::json!({ "name": name })),
        depends_on: BTreeSet::from([object("base")]),
        holders: BTreeSet::new(),
        prevent_destroy: false,
    }
}

pub(super) fn begin() -> Entry {
    Entry::Begin {
        lineage: "lineage".into(),
        run: "apply".into(),
        version: "0".into(),
        targets: BTreeMap::from([(
            "memory".into(),
            Target {
                id: "t".into(),
                address: "a".into(),
                description: "d".into(),
            },
        )]),
        approved_by: BTreeSet::new(),
    }
}

pub(super) fn intent(number: u64, name: &str, operation: Operation) -> Entry {
    Entry::Intent {
        number,
        intent: Intent {
            address: object(name),
            operation,
            before: Expected::Absent,
            record: record(name),
        },
    }
}

pub(super) fn create(number: u64, name: &str) -> Entry {
    intent(number, name, Operation::Create)
}

pub(super) fn done(number: u64, name: &str) -> Entry {
    Entry::Outcome {
        number,
        outcome: Outcome::Done(Some(record(name))),
    }
}

/// What the gate records; not `good`, it asks for approval by nobody.
pub(super) fn facts(good: bool) -> Facts {
    let owner = DeclarationAddress::new("owner", "a");
    let approval = Some(ApprovalFacts {
        required: u32::from(good),
        from: BTreeSet::from([owner.clone()]),
    });
    let risk = Risk::High;
    Facts {
        owners: BTreeMap::from([(owner, BTreeSet::from(["ssh-ed25519 AAAA".to_owned()]))]),
        scopes: BTreeMap::from([(
            DeclarationAddress::new("scope", "a"),
            ScopeFacts { risk, approval },
        )]),
        ..Facts::default()
    }
}

/// Entries of every sort, many of them wrong.
pub(super) fn entries(count: usize) -> impl Strategy<Value = Vec<Entry>> {
    let name = || prop::sample::select(vec!["a", "b", "c", "d", "e"]);
    let number = || 1..12_u64;
    let operation = prop_oneof![
        Just(Operation::Create),
        Just(Operation::Update),
        Just(Operation::Delete)
    ];
    let entry = prop_oneof![
        1 => Just(begin()),
        5 => (number(), name(), operation).prop_map(|(n, name, op)| intent(n, name, op)),
        5 => (number(), name()).prop_map(|(n, name)| done(n, name)),
        2 => number().prop_map(|number| Entry::Outcome { number, outcome: Outcome::Done(None) }),
        1 => number().prop_map(|number| Entry::Outcome { number, outcome: Outcome::NotDone("no".into()) }),
        1 => number().prop_map(|number| Entry::Outcome { number, outcome: Outcome::Unknown("?".into()) }),
        2 => (name(), name()).prop_map(|(a, b)| Entry::Record { address: object(a), record: record(b) }),
        1 => name().prop_map(|name| Entry::Forget { address: object(name) }),
        1 => any::<bool>().prop_map(|good| Entry::Gate { facts: facts(good) }),
        1 => Just(Entry::Outputs { outputs: BTreeMap::new() }),
        1 => Just(Entry::End { summary: "ok".into() }),
    ];
    prop::collection::vec(entry, 0..count).prop_map(|mut all| {
        all.insert(0, begin());
        all
    })
}

/// The entries of `all` that fold one after another, intents with rising numbers, so that they
/// fold in several runs too.
pub(super) fn foldable(all: Vec<Entry>) -> Vec<Entry> {
    let mut ledger = super::fold::Ledger::default();
    all.into_iter()
        .filter(|entry| match entry {
            Entry::Intent { number, .. } => {
                *number > ledger.last_intent() && ledger.fold(entry).is_ok()
            }
            _ => ledger.fold(entry).is_ok(),
        })
        .collect()
}
