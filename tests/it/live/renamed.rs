//! What somebody else renamed, moved or let in behind remit's back.

use std::collections::BTreeSet;

use remit::operations::Planned;
use remit::plan::Mode;
use remit_sdk::Diagnostic;
use serde_json::{Value as Json, json};

use super::contract::everything;
use super::{Stage, shared};

fn field(stage: &Stage, path: &str, pointer: &str) -> String {
    let (status, answer) = shared().get(&stage.namespace, path);
    assert_eq!(status, 200, "{path}: {answer}");
    let found = answer.pointer(pointer).and_then(Json::as_str);
    found
        .unwrap_or_else(|| panic!("{path}: {answer}"))
        .to_owned()
}

/// What a plan says, which must be a reason not to apply it.
fn refused(stage: &Stage, mode: Mode) -> String {
    let planned: Planned = stage.plan_with(mode, |_| {});
    assert!(!planned.may_apply(), "{:#?}", planned.review.plan.steps);
    let told = |one: &Diagnostic| [one.detail.clone(), one.help.clone().unwrap_or_default()];
    let all: Vec<String> = planned.diagnostics.iter().flat_map(told).collect();
    all.join("\n")
}

#[test]
fn a_renamed_entity_is_not_made_again() {
    let stage = everything();
    stage.converge();
    let id = field(&stage, "identity/entity/name/e1", "/data/id");
    let path = format!("identity/entity/id/{id}");
    shared().write(&stage.namespace, &path, &json!({"name": "Theirs"}));
    for mode in [Mode::Apply, Mode::Destroy] {
        let why = refused(&stage, mode);
        assert!(why.contains("`e1` is called `Theirs` now"), "{why}");
        assert!(why.contains(&format!("bao write {path} name=e1")), "{why}");
    }
    // As told: it is ours again, and nothing has changed.
    shared().write(&stage.namespace, &path, &json!({"name": "e1"}));
    assert!(stage.plan().is_empty());
    // Removed, it is gone, and made again.
    shared().delete(&stage.namespace, &path);
    stage.converge();
    assert_ne!(field(&stage, "identity/entity/name/e1", "/data/id"), id);
}

#[test]
fn an_alias_that_was_renamed_or_moved_is_not_made_again() {
    let stage = everything();
    stage.converge();
    let aliases = "/data/aliases/0/id";
    let id = field(&stage, "identity/entity/name/e1", aliases);
    let path = format!("identity/entity-alias/id/{id}");
    let entity = field(&stage, "identity/entity/name/e1", "/data/id");
    let jwt = field(&stage, "sys/auth/jwt1", "/data/accessor");
    let other = field(&stage, "sys/auth/ar1", "/data/accessor");
    for (name, accessor, now) in [
        ("t", &jwt, "`t` at `auth/jwt1` now"),
        ("s", &other, "`s` at `auth/ar1` now"),
    ] {
        let body = json!({"name": name, "mount_accessor": accessor, "canonical_id": entity});
        shared().write(&stage.namespace, &path, &body);
        let why = refused(&stage, Mode::Apply);
        assert!(
            why.contains(now) && why.contains(&format!("bao delete {path}")),
            "{why}"
        );
    }
    shared().delete(&stage.namespace, &path);
    stage.converge();
}

#[test]
fn a_moved_mount_is_not_made_again_and_what_is_in_it_is_not_forgotten() {
    let stage = everything();
    stage.converge();
    for (from, to) in [("auth/jwt1", "auth/moved"), ("db1", "moved")] {
        shared().write(
            &stage.namespace,
            "sys/remount",
            &json!({"from": from, "to": to}),
        );
        let table = if from.starts_with("auth/") {
            "sys/auth"
        } else {
            "sys/mounts"
        };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while shared().get(&stage.namespace, table).1["data"]["moved/"].is_null() {
            assert!(std::time::Instant::now() < deadline, "{to} does not appear");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
    for mode in [Mode::Apply, Mode::Destroy] {
        let why = refused(&stage, mode);
        assert!(
            why.contains("the mount `auth/jwt1` was moved to `auth/moved`"),
            "{why}"
        );
        assert!(why.contains("bao secrets move moved db1"), "{why}");
        let planned = stage.plan_with(mode, |_| {});
        let touched: BTreeSet<&str> = planned
            .review
            .plan
            .steps
            .iter()
            .map(|step| step.key.as_str())
            .collect();
        let is_inside = |key: &&&str| key.starts_with("auth/jwt1") || key.starts_with("db1");
        assert_eq!(touched.iter().find(is_inside), None, "{touched:?}");
    }
    // A mount that is gone is gone, though its aliases stay behind.
    shared().delete(&stage.namespace, "sys/auth/moved");
    shared().delete(&stage.namespace, "sys/mounts/moved");
    stage.converge();
}

#[test]
fn an_alias_of_somebody_else_on_our_entity_is_listed() {
    let stage = everything();
    stage.converge();
    shared().write(
        &stage.namespace,
        "sys/auth/people",
        &json!({"type": "userpass"}),
    );
    let accessor = field(&stage, "sys/auth/people", "/data/accessor");
    let entity = field(&stage, "identity/entity/name/e1", "/data/id");
    let body = json!({"name": "Mallory", "mount_accessor": accessor, "canonical_id": entity});
    shared().write(&stage.namespace, "identity/entity-alias", &body);
    let plan = stage.plan();
    let aliases: Vec<&str> = plan
        .unmanaged
        .iter()
        .filter(|(_, kind, _)| kind == "vault_entity_alias")
        .map(|(_, _, key)| key.as_str())
        .collect();
    assert_eq!(aliases, ["auth/people/alias/Mallory"]);
    assert!(plan.is_empty(), "{:?}", plan.steps);
}
