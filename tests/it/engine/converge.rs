//! Whatever is live, an apply makes it what is wanted, and the plan after it is empty.

use remit::diff::{Action, Reason};
use remit::plan::{Mode, Phase};
use remit_sdk::{Value, value::SecretRef};

use super::{Engine, address, attributes};

#[test]
fn from_nothing_and_back() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    assert_eq!(engine.memory.objects().len(), 5);
    let destroy = engine.plan_with(Mode::Destroy, |_| {}).unwrap();
    assert!(destroy.may_apply());
    engine.apply(&destroy.review.plan);
    assert!(engine.memory.objects().is_empty());
    assert!(engine.recorded().objects.is_empty());
    assert!(
        engine
            .plan_with(Mode::Destroy, |_| {})
            .unwrap()
            .review
            .plan
            .is_empty()
    );
}

#[test]
fn every_managed_attribute_that_drifts_is_put_back() {
    let changes = [
        ("note", Value::string("theirs")),
        ("enabled", Value::Bool(false)),
        ("ttl", Value::integer(1)),
        (
            "labels",
            Value::Map(attributes([("a", Value::string("b"))])),
        ),
        ("rules", Value::strings::<_, &str>([])),
    ];
    for (name, value) in changes {
        let mut engine = Engine::new();
        engine.furnish();
        engine.model.resources.values_mut().for_each(|resource| {
            if resource.kind.name == "memory_item" {
                let note = remit_sdk::Spanned::new(Value::string("mine"), None);
                resource.attributes.insert("note".to_owned(), note);
            }
        });
        engine.converge();
        engine.meddle("memory_item", "box/b/item/i", attributes([(name, value)]));
        let plan = engine.plan();
        let change = &plan.changes[&address("memory_item.i/memory_item")];
        assert_eq!(
            (change.action, &change.reason),
            (Action::Update, &Reason::Drift),
            "{name}"
        );
        assert_eq!(change.differences.len(), 1);
        assert!(change.differences[0].drift.is_some());
        assert_eq!(plan.drift.len(), 1);
        engine.converge();
    }
}

#[test]
fn drift_nobody_declared_is_told_and_recorded() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    engine.meddle(
        "memory_item",
        "box/b/item/i",
        attributes([("note", Value::string("x"))]),
    );
    let plan = engine.plan();
    let change = &plan.changes[&address("memory_item.i/memory_item")];
    assert_eq!(change.action, Action::Refresh);
    assert!(!change.differences[0].managed);
    engine.memory.clear_log();
    engine.converge();
    assert!(engine.memory.writes().is_empty(), "only the record changes");
}

#[test]
fn what_is_no_longer_set_is_unset() {
    let mut engine = Engine::new();
    engine.furnish();
    let note = remit_sdk::Spanned::new(Value::string("mine"), None);
    let item = "memory_item.i".parse().unwrap();
    engine
        .model
        .resources
        .get_mut(&item)
        .unwrap()
        .attributes
        .insert("note".to_owned(), note);
    engine.converge();
    engine
        .model
        .resources
        .get_mut(&item)
        .unwrap()
        .attributes
        .remove("note");
    let plan = engine.plan();
    let step = plan
        .steps
        .iter()
        .find(|step| step.key == "box/b/item/i")
        .unwrap();
    assert!(step.unset.contains("note") && step.changed.contains("note"));
    engine.converge();
    let live = engine.memory.get("memory_item", "box/b/item/i").unwrap();
    assert_eq!(
        live.attributes
            .get("note")
            .cloned()
            .unwrap_or(Value::string("")),
        Value::string("")
    );
}

#[test]
fn what_somebody_removed_is_made_again() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    engine.memory.remove("memory_item", "box/b/item/i");
    let plan = engine.plan();
    assert_eq!(
        plan.changes[&address("memory_item.i/memory_item")].reason,
        Reason::Gone
    );
    engine.apply(&plan);
    // The pass pointed at the old item's id.
    engine.converge();
}

#[test]
fn a_replaced_box_takes_its_items_along() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    let plan = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.replace = vec!["memory_box.b".parse().unwrap()];
        })
        .unwrap()
        .review
        .plan;
    let item = &plan.changes[&address("memory_item.i/memory_item")];
    assert_eq!(item.action, Action::Create);
    assert!(matches!(item.reason, Reason::Container(_)));
    engine.apply(&plan);
    engine.settled();
}

#[test]
fn an_immutable_attribute_makes_a_replace() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    let size = remit_sdk::Spanned::new(Value::integer(3), None);
    let item = "memory_item.j".parse().unwrap();
    engine
        .model
        .resources
        .get_mut(&item)
        .unwrap()
        .attributes
        .insert("size".to_owned(), size);
    let plan = engine.plan();
    let change = &plan.changes[&address("memory_item.j/memory_item")];
    assert_eq!(change.reason, Reason::Immutable(vec!["size".to_owned()]));
    engine.converge();
}

#[test]
fn another_name_is_a_replace_under_another_key() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    let name = remit_sdk::Spanned::new(Value::string("k"), None);
    let item = "memory_item.j".parse().unwrap();
    engine
        .model
        .resources
        .get_mut(&item)
        .unwrap()
        .attributes
        .insert("name".to_owned(), name);
    engine.converge();
    assert!(engine.memory.get("memory_item", "box/b/item/j").is_none());
    assert!(engine.memory.get("memory_item", "box/b/item/k").is_some());
}

#[test]
fn an_import_is_marked_by_the_next_apply() {
    let mut engine = Engine::new();
    engine
        .memory
        .put("memory_box", attributes([("name", Value::string("b"))]));
    engine.declare("memory_box", "b", [("name", Value::string("b"))]);
    engine.import("memory_box.b", "b").unwrap();
    let plan = engine.plan();
    assert_eq!(plan.changes.len(), 1);
    engine.converge();
    let mark = engine.memory.get("memory_box", "b").unwrap().mark.unwrap();
    assert_eq!(mark.address, "memory_box.b/memory_box");
}

#[test]
fn a_lost_state_is_adopted_by_the_marks() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    // The same lineage, and nothing recorded.
    let plan = engine.plan();
    engine.leave_open(&plan, |entries| {
        let recorded = engine.recorded();
        entries.extend(
            recorded
                .objects
                .keys()
                .map(|address| remit::state::Entry::Forget {
                    address: address.clone(),
                }),
        );
    });
    assert!(engine.recorded().objects.is_empty());
    let planned = engine.planned();
    let adopted = planned
        .review
        .plan
        .changes
        .values()
        .filter(|one| one.action == Action::Adopt)
        .count();
    assert_eq!(
        adopted, 3,
        "all but the pass and the rule, which hold no mark and lie in nothing of ours"
    );
    assert!(!planned.may_apply());
    engine.import("memory_rule.r", "rule/r").unwrap();
    engine.import("memory_pass.p", "pass/p").unwrap();
    engine.converge();
}

#[test]
fn a_secret_is_sent_when_its_version_changes() {
    let declare = |engine: &mut Engine, version: i64| {
        engine.declare(
            "memory_pass",
            "r",
            [
                ("name", Value::string("r")),
                ("item", Value::string("i")),
                ("audiences", Value::strings(["a"])),
                ("password", Value::Secret(SecretRef::Env("P".to_owned()))),
                ("password_version", Value::integer(version)),
            ],
        );
    };
    let mut engine = Engine::new();
    declare(&mut engine, 1);
    engine.converge();
    declare(&mut engine, 2);
    let plan = engine.plan();
    assert_eq!(plan.steps.len(), 1);
    assert!(plan.steps[0].changed.contains("password"));
    assert!(!serde_json::to_string(&plan).unwrap().contains("s3cr3t"));
    engine.converge();
}

#[test]
fn grants_come_last_and_go_first() {
    let mut engine = Engine::new();
    engine.furnish();
    let plan = engine.plan();
    let phase = |kind: &str| {
        plan.steps
            .iter()
            .find(|step| step.kind == kind)
            .unwrap()
            .phase
    };
    assert_eq!(phase("memory_box"), Phase::Neutral);
    assert_eq!(phase("memory_pass"), Phase::Bind);
    assert_eq!(phase("memory_rule"), Phase::Widen);
    engine.converge();
    let destroy = engine.plan_with(Mode::Destroy, |_| {}).unwrap().review.plan;
    let order: Vec<&str> = destroy.steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(order.last(), Some(&"b"));
    let place = |key: &str| order.iter().position(|one| *one == key).unwrap();
    assert!(place("pass/p") < place("box/b/item/i"), "{order:?}");
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let mut engine = Engine::new();
    engine.furnish();
    let bytes = |engine: &Engine| serde_json_canonicalizer::to_vec(&engine.plan()).unwrap();
    assert_eq!(bytes(&engine), bytes(&engine));
}
