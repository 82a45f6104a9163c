//! What a plan may not touch, however its parts are combined: what was left out, what is ignored,
//! what isn't ours, and everything when only records are to change.

use remit::diff::Action;
use remit::plan::{Mode, StepOperation};
use remit_sdk::Value;

use super::{Engine, address, attributes};

fn rules<const N: usize>(all: [&str; N]) -> Value {
    Value::strings(all)
}

/// An engine whose item `i` holds the rules `a` and `b`, applied.
fn holding() -> Engine {
    let mut engine = Engine::new();
    engine.furnish();
    for rule in ["a", "b"] {
        engine.declare(
            "memory_rule",
            rule,
            [
                ("name", Value::string(rule)),
                ("text", Value::string("read y")),
            ],
        );
    }
    hold(&mut engine, rules(["a", "b"]));
    engine.converge();
    engine
}

fn hold(engine: &mut Engine, all: Value) {
    engine.declare(
        "memory_item",
        "i",
        [
            ("box", Value::string("b")),
            ("name", Value::string("i")),
            ("rules", all),
        ],
    );
}

fn writes(plan: &remit::plan::Plan) -> Vec<String> {
    plan.steps
        .iter()
        .filter(|step| matches!(step.operation, StepOperation::Write(_)))
        .map(|step| format!("{} {:?}", step.address, step.operation))
        .collect()
}

#[test]
fn a_subject_that_is_excluded_or_not_targeted_is_not_written() {
    let engine = holding();
    engine.meddle(
        "memory_item",
        "box/b/item/i",
        attributes([("rules", rules(["a", "foreign"]))]),
    );
    let plan = |targets: &[&str], excludes: &[&str]| {
        let parse = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
        engine
            .plan_with(Mode::Apply, |request| {
                request.asked.targets = parse(targets);
                request.asked.excludes = parse(excludes);
            })
            .unwrap()
            .review
            .plan
    };
    assert_eq!(writes(&plan(&[], &["memory_item.i"])), Vec::<String>::new());
    assert_eq!(writes(&plan(&["memory_rule.a"], &[])), Vec::<String>::new());
    assert_eq!(writes(&plan(&[], &[])).len(), 2, "taken away, then given");
}

#[test]
fn a_subject_that_is_not_ours_is_not_written_when_it_is_excluded() {
    let mut engine = holding();
    engine.drop("memory_item", "i");
    engine.drop("memory_pass", "p");
    engine.converge();
    engine.memory.put(
        "memory_item",
        attributes([
            ("box", Value::string("b")),
            ("name", Value::string("i")),
            ("rules", rules(["theirs"])),
        ]),
    );
    hold(&mut engine, rules(["a", "b"]));
    let planned = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.excludes = vec!["memory_item.i".parse().unwrap()];
        })
        .unwrap();
    assert_eq!(writes(&planned.review.plan), Vec::<String>::new());
}

#[test]
fn ignored_grants_are_left_alone() {
    let mut engine = holding();
    engine.meddle(
        "memory_item",
        "box/b/item/i",
        attributes([("rules", rules(["a", "foreign"]))]),
    );
    hold(&mut engine, rules(["a", "b"]));
    let item = engine.declare(
        "memory_item",
        "i",
        [
            ("box", Value::string("b")),
            ("name", Value::string("i")),
            ("rules", rules(["a", "b"])),
            ("note", Value::string("changed")),
        ],
    );
    item.lifecycle.ignore_changes = ["rules".to_owned()].into();
    let plan = engine.plan();
    assert_eq!(writes(&plan).len(), 1, "the note: {:#?}", plan.steps);
    assert!(
        plan.steps
            .iter()
            .all(|step| !step.changed.contains("rules"))
    );
    engine.apply(&plan);
    let live = engine.memory.get("memory_item", "box/b/item/i").unwrap();
    assert_eq!(live.attributes["rules"], rules(["a", "foreign"]));
    engine.settled();
}

#[test]
fn refreshing_writes_to_no_target() {
    let mut engine = holding();
    // What somebody holds is configured anew, and an object gets another name.
    hold(&mut engine, rules(["b", "r"]));
    engine.declare(
        "memory_rule",
        "a",
        [
            ("name", Value::string("renamed")),
            ("text", Value::string("read y")),
        ],
    );
    let plan = engine
        .plan_with(Mode::RefreshOnly, |_| {})
        .unwrap()
        .review
        .plan;
    assert_eq!(writes(&plan), Vec::<String>::new());
    assert!(
        plan.changes
            .values()
            .all(|change| matches!(change.action, Action::Refresh | Action::Forget)),
        "{:#?}",
        plan.changes
    );
}

#[test]
fn a_container_that_is_renamed_takes_nothing_along_that_stays_configured_in_it() {
    let mut engine = holding();
    engine.declare(
        "memory_box",
        "b",
        [
            ("name", Value::string("c")),
            ("note", Value::string("mine")),
        ],
    );
    // The items still say `box = "b"`.
    let planned = engine.planned();
    assert!(
        !planned.may_apply(),
        "the items are lost: {:#?}",
        planned.review.plan.changes.keys().collect::<Vec<_>>()
    );
}

#[test]
fn a_container_is_not_replaced_around_what_is_left_out() {
    let engine = holding();
    let request = |exclude: &str| {
        let exclude = exclude.parse().unwrap();
        engine
            .plan_with(Mode::Apply, |request| {
                request.asked.replace = vec!["memory_box.b".parse().unwrap()];
                request.asked.excludes = vec![exclude];
            })
            .unwrap()
            .review
            .plan
    };
    assert!(
        !request("memory_item.i")
            .changes
            .contains_key(&address("memory_box.b/memory_box"))
    );
    // Nor around something that can't be read.
    engine.memory.fail_always(
        remit_memory::Matcher::any()
            .operation(remit_memory::Operation::Read)
            .kind("memory_item"),
        remit_memory::Fault::Unreadable,
    );
    let request = |engine: &Engine| {
        engine
            .plan_with(Mode::Apply, |request| {
                request.asked.replace = vec!["memory_box.b".parse().unwrap()];
                request.asked.excludes = ["memory_item.i", "memory_item.j"]
                    .map(|one| one.parse().unwrap())
                    .to_vec();
            })
            .unwrap()
            .review
            .plan
    };
    assert!(
        !request(&engine)
            .changes
            .contains_key(&address("memory_box.b/memory_box"))
    );
}

#[test]
fn one_live_object_is_recorded_once() {
    let mut engine = holding();
    engine.drop("memory_rule", "r");
    engine.declare(
        "memory_rule",
        "again",
        [
            ("name", Value::string("r")),
            ("text", Value::string("read x")),
        ],
    );
    let refused = engine.import("memory_rule.again", "r");
    assert!(refused.is_err());
    assert!(
        engine
            .recorded()
            .objects
            .contains_key(&address("memory_rule.r/memory_rule"))
    );
}

#[test]
fn two_objects_that_swap_names_are_told_why_not() {
    let mut engine = Engine::new();
    let name = |engine: &mut Engine, label: &str, name: &str| {
        engine.declare(
            "memory_box",
            label,
            [
                ("name", Value::string(name)),
                ("note", Value::string(label)),
            ],
        );
    };
    name(&mut engine, "x", "one");
    name(&mut engine, "y", "two");
    engine.converge();
    name(&mut engine, "x", "two");
    name(&mut engine, "y", "one");
    let planned = engine.planned();
    assert!(!planned.may_apply());
    assert_eq!(writes(&planned.review.plan), Vec::<String>::new());
}
