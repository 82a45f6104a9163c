//! Lost answers, servers that ignore what they are told, interrupts, crashes: what is recorded
//! afterwards is true, and the next apply finishes the work without doing anything twice.

use remit::apply::StepResult;
use remit::state::{Entry, Intent, Operation as Doing};
use remit_memory::{Fault, Matcher, Operation};
use remit_sdk::provider::Expected;
use remit_sdk::{ErrorKind, Value};

use super::{Engine, attributes};

#[test]
fn a_lost_answer_is_found_out() {
    for kind in ["memory_box", "memory_item", "memory_rule", "memory_pass"] {
        let mut engine = Engine::new();
        engine.furnish();
        engine.memory.fail_next(
            Matcher::any().operation(Operation::Create).kind(kind),
            Fault::LostResponse,
        );
        let plan = engine.plan();
        let report = engine.try_apply(&plan).unwrap();
        assert!(report.is_complete(&plan), "{kind}: {report:#?}");
        let made: Vec<String> = engine
            .memory
            .writes()
            .into_iter()
            .filter(|write| write.starts_with("create"))
            .collect();
        assert_eq!(made.len(), 5, "{kind}: nothing is made twice: {made:?}");
        engine.settled();
    }
}

#[test]
fn a_lost_answer_to_a_removal_is_found_out() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.converge();
    engine.drop("memory_pass", "p");
    engine.memory.fail_next(
        Matcher::any().operation(Operation::Delete),
        Fault::LostResponse,
    );
    engine.converge();
}

#[test]
fn an_ignored_attribute_is_told_and_recorded_as_it_is() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.memory.fail_next(
        Matcher::any()
            .operation(Operation::Create)
            .kind("memory_item")
            .key("box/b/item/i"),
        Fault::Ignore {
            attribute: "ttl".to_owned(),
        },
    );
    let plan = engine.plan();
    let report = engine.try_apply(&plan).unwrap();
    let step = plan
        .steps
        .iter()
        .find(|step| step.key == "box/b/item/i")
        .unwrap();
    let StepResult::Failed(failure) = &report.results[&step.id] else {
        panic!("{report:?}")
    };
    assert_eq!(failure.mismatches[0].attribute, "ttl");
    let recorded = engine.recorded();
    assert_eq!(
        recorded.objects[&step.address].attributes["ttl"],
        Value::integer(0)
    );
    engine.converge();
}

#[test]
fn one_failure_skips_only_what_depends_on_it() {
    let mut engine = Engine::new();
    engine.furnish();
    engine.memory.fail_next(
        Matcher::any()
            .operation(Operation::Create)
            .key("box/b/item/i"),
        Fault::Before(ErrorKind::Denied),
    );
    let plan = engine.plan();
    let report = engine.try_apply(&plan).unwrap();
    let tally = report.tally();
    assert_eq!(tally.failed, 1);
    assert!(tally.skipped >= 1 && tally.done >= 2, "{tally:?}");
    assert_eq!(tally.failed + tally.skipped + tally.done, plan.steps.len());
    engine.converge();
}

#[test]
fn an_interrupt_starts_nothing_new() {
    let mut engine = Engine::new();
    engine.furnish();
    let plan = engine.plan();
    let report = engine.try_apply_interrupted(&plan, true).unwrap();
    assert!(report.interrupted);
    assert!(report.tally().not_started > 0);
    assert_eq!(
        report.tally().done + report.tally().not_started,
        plan.steps.len()
    );
    engine.converge();
}

/// A crash between intent and outcome, for every kind, with the call made and not made.
#[test]
fn an_open_intent_is_decided_by_what_is_live() {
    for happened in [false, true] {
        for kind in ["memory_box", "memory_item", "memory_rule", "memory_pass"] {
            let mut engine = Engine::new();
            engine.furnish();
            engine.converge();
            let recorded = engine.recorded();
            let (address, record) = recorded
                .objects
                .iter()
                .find(|(_, record)| record.kind == kind)
                .unwrap();
            if kind == "memory_box" && happened {
                continue; // takes its items along, which no single step does
            }
            let plan = engine.plan();
            let live = engine.memory.get(kind, &record.key).unwrap();
            if happened {
                engine.memory.remove(kind, &record.key);
            }
            engine.leave_open(&plan, |entries| {
                entries.push(Entry::Intent {
                    number: 10_000,
                    intent: Intent {
                        address: address.clone(),
                        operation: Doing::Delete,
                        before: Expected::Present {
                            id: live.id.clone(),
                            version: live.version,
                            fingerprint: live.fingerprint.clone(),
                        },
                        record: record.clone(),
                    },
                });
            });
            assert_eq!(engine.recorded().open.len(), 1);
            let plan = engine.plan();
            assert_eq!(plan.changes.is_empty(), !happened, "{kind} {happened}");
            engine.apply(&plan);
            engine.converge();
            assert_eq!(engine.memory.objects().len(), 5);
        }
    }
}

#[test]
fn an_open_creation_is_recorded_when_it_happened() {
    let mut engine = Engine::new();
    engine.furnish();
    let plan = engine.plan();
    engine.memory.fail_always(
        Matcher::any().operation(Operation::Create),
        Fault::LostResponse,
    );
    engine
        .memory
        .fail_always(Matcher::any().operation(Operation::Read), Fault::Unreadable);
    let report = engine.try_apply(&plan).unwrap();
    assert!(report.tally().failed + report.tally().unknown > 0);
    engine.memory.mend();
    engine.converge();
    assert_eq!(engine.memory.objects().len(), 5);
    let _ = attributes([("x", Value::Null)]);
}
