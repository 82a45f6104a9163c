//! What plan and apply refuse to do.

use remit::apply::StepResult;
use remit::diff::Action;
use remit::plan::Mode;
use remit_memory::{Fault, Matcher, Operation};
use remit_sdk::{ErrorKind, Value};

use super::{Engine, address, attributes};

fn summaries(planned: &remit::operations::Planned) -> Vec<&str> {
    planned
        .diagnostics
        .iter()
        .map(|one| one.summary.as_str())
        .collect()
}

#[test]
fn an_object_that_is_not_ours_is_not_touched() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.memory.put(
        "memory_rule",
        attributes([
            ("name", Value::string("r")),
            ("text", Value::string("deny")),
        ]),
    );
    let before = engine
        .memory
        .get("memory_rule", "rule/r")
        .or_else(|| engine.memory.get("memory_rule", "r"));
    assert!(before.is_some());
    let planned = engine.planned();
    assert!(!planned.may_apply());
    assert_eq!(summaries(&planned), ["object exists and is not ours"]);
    assert!(
        planned.diagnostics[0]
            .help
            .as_ref()
            .unwrap()
            .contains("remit import")
    );
    assert!(
        !planned
            .review
            .plan
            .changes
            .contains_key(&address("memory_rule.r/memory_rule"))
    );
}

#[test]
fn an_object_of_another_configuration_is_told_from_one_that_nobody_marked() {
    let mut engine = Engine::new();
    engine.furnish();
    engine
        .memory
        .put("memory_box", attributes([("name", Value::string("b"))]));
    assert!(engine.memory.meddle("memory_box", "b", |_, mark| {
        *mark = Some(remit_sdk::Mark {
            lineage: "theirs".to_owned(),
            address: "memory_box.x/memory_box".to_owned(),
        });
    }));
    let planned = engine.planned();
    let diagnostic = &planned.diagnostics[0];
    assert_eq!(
        diagnostic.summary,
        "object belongs to another configuration"
    );
    assert!(diagnostic.help.as_ref().unwrap().contains("prefix"));
    assert!(!planned.may_apply());
}

#[test]
fn unreadable_is_not_absent() {
    {
        for kind in ["memory_box", "memory_rule"] {
            let mut engine = Engine::new();
            engine.furnish();
            engine.converge();
            engine.memory.fail_always(
                Matcher::any().operation(Operation::Read).kind(kind),
                Fault::Unreadable,
            );
            let planned = engine.planned();
            assert!(!planned.may_apply());
            assert!(
                planned.review.plan.steps.is_empty(),
                "{:?}",
                planned.review.plan.steps
            );
            engine.model.resources.clear();
            let planned = engine
                .plan_with(Mode::Apply, |request| request.asked.allow_deletes = Some(9))
                .unwrap();
            assert!(!planned.may_apply());
            assert!(
                planned
                    .review
                    .plan
                    .changes
                    .values()
                    .all(|change| change.kind != kind)
            );
        }
    }
}

#[test]
fn what_changed_since_the_plan_is_refused_with_its_dependents() {
    let mut engine = Engine::new();
    engine.furnish();
    let plan = engine.plan();
    // Somebody makes the box between plan and apply.
    engine
        .memory
        .put("memory_box", attributes([("name", Value::string("b"))]));
    let report = engine.try_apply(&plan).unwrap();
    let result = |kind: &str| {
        let step = plan.steps.iter().find(|step| step.kind == kind).unwrap();
        &report.results[&step.id]
    };
    assert!(
        matches!(result("memory_box"), StepResult::Failed(failure) if failure.kind == ErrorKind::Conflict)
    );
    assert!(matches!(result("memory_item"), StepResult::Skipped(_)));
    assert!(matches!(result("memory_pass"), StepResult::Skipped(_)));
    assert!(engine.memory.get("memory_box", "b").unwrap().mark.is_none());
    assert_eq!(report.tally().failed, 1);
}

#[test]
fn an_object_changed_since_the_plan_stays_as_it_is() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    engine.declare(
        "memory_box",
        "b",
        [("name", Value::string("b")), ("note", Value::string("new"))],
    );
    engine.declare(
        "memory_rule",
        "r",
        [
            ("name", Value::string("r")),
            ("text", Value::string("read y")),
        ],
    );
    let plan = engine.plan();
    engine.meddle(
        "memory_box",
        "b",
        attributes([("note", Value::string("theirs"))]),
    );
    let report = engine.try_apply(&plan).unwrap();
    assert_eq!((report.tally().failed, report.tally().done), (1, 1));
    let note = engine.memory.get("memory_box", "b").unwrap().attributes["note"].clone();
    assert_eq!(note, Value::string("theirs"));
    engine.converge();
}

#[test]
fn a_plan_is_applied_once() {
    let mut engine = Engine::new();
    engine.furnish();
    let plan = engine.plan();
    engine.apply(&plan);
    let refused = engine.try_apply(&plan).unwrap_err();
    assert_eq!(refused[0].summary, "plan is stale");
    let mut empty = engine.plan();
    empty.serial -= 1;
    assert_eq!(
        engine.try_apply(&empty).unwrap_err()[0].summary,
        "plan is stale"
    );
}

#[test]
fn another_target_is_refused() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    engine.declare("memory_box", "c", [("name", Value::string("c"))]);
    let plan = engine.plan();
    engine.memory = engine.memory.clone().with_target("elsewhere");
    assert_eq!(
        engine.try_apply(&plan).unwrap_err()[0].summary,
        "another target than planned"
    );
    let refused = engine.plan_with(Mode::Apply, |_| {}).unwrap_err();
    assert_eq!(refused[0].summary, "another target than recorded");
}

#[test]
fn protected_objects_stay() {
    let mut engine = Engine::new();
    engine.furnish();
    engine
        .model
        .resources
        .get_mut(&"memory_item.i".parse().unwrap())
        .unwrap()
        .lifecycle
        .prevent_destroy = true;
    engine.converge();
    let replaced = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.replace = vec!["memory_box.b".parse().unwrap()];
        })
        .unwrap();
    assert!(summaries(&replaced).contains(&"protected object would be removed"));
    engine.drop("memory_item", "i");
    engine.drop("memory_pass", "p");
    assert!(summaries(&engine.planned()).contains(&"protected object would be removed"));
    let destroy = engine.plan_with(Mode::Destroy, |_| {}).unwrap();
    assert!(!destroy.may_apply());
}

/// What is declared counts before it is recorded.
#[test]
fn what_is_protected_since_the_last_apply_stays() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    let item = "memory_item.i".parse().unwrap();
    let resource = engine.model.resources.get_mut(&item).unwrap();
    resource.lifecycle.prevent_destroy = true;
    let destroy = engine.plan_with(Mode::Destroy, |_| {}).unwrap();
    assert!(summaries(&destroy).contains(&"protected object would be removed"));
    assert!(!destroy.may_apply());
}

#[test]
fn many_removals_need_a_number() {
    let mut engine = Engine::new();
    for label in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"] {
        engine.declare("memory_box", label, [("name", Value::string(label))]);
    }
    engine.converge();
    engine.model.resources.clear();
    assert_eq!(summaries(&engine.planned()), ["many removals"]);
    let allowed = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.allow_deletes = Some(12);
        })
        .unwrap();
    assert!(allowed.may_apply());
    engine.apply(&allowed.review.plan);
    engine.settled();
}

#[test]
fn a_box_is_not_removed_under_its_items() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    engine.drop("memory_box", "b");
    assert!(summaries(&engine.planned()).contains(&"removal takes a wanted object along"));
}

#[test]
fn an_object_somebody_took_over_is_forgotten_and_not_removed() {
    let mut engine = Engine::new();
    engine.declare("memory_box", "b", [("name", Value::string("b"))]);
    engine.converge();
    engine.memory.remove("memory_box", "b");
    engine.memory.put(
        "memory_box",
        attributes([("name", Value::string("b")), ("note", Value::string("x"))]),
    );
    engine.drop("memory_box", "b");
    let plan = engine.plan();
    let change = &plan.changes[&address("memory_box.b/memory_box")];
    // A box has no id of its own, so only the missing mark tells; our record says it is ours.
    assert!(matches!(change.action, Action::Forget | Action::Delete));
}

#[test]
fn targets_and_excludes_narrow_a_plan() {
    let mut engine = Engine::new();
    engine.furnish();
    let only = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.targets = vec!["memory_item.i".parse().unwrap()];
        })
        .unwrap();
    let names: Vec<String> = only
        .review
        .plan
        .changes
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        names,
        ["memory_box.b/memory_box", "memory_item.i/memory_item"]
    );
    let without = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.excludes = vec!["memory_box.b".parse().unwrap()];
        })
        .unwrap();
    assert_eq!(
        without.review.plan.changes.len(),
        1,
        "only the rule stands alone: {:?}",
        without.review.plan.changes.keys()
    );
    let unknown = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.targets = vec!["memory_item.zz".parse().unwrap()];
        })
        .unwrap();
    assert_eq!(summaries(&unknown), ["no such object"]);
    let misspelt = engine
        .plan_with(Mode::Apply, |request| {
            request.asked.targets = vec!["memory_item.ii".parse().unwrap()];
        })
        .unwrap();
    let help = misspelt.diagnostics[0].help.clone().unwrap_or_default();
    assert!(help.starts_with("did you mean `memory_item.i`? "), "{help}");
}
