//! SIGKILL before the intent, after it, after the call and before the outcome, at every step that
//! makes, changes or removes an object of every kind: the next apply converges, nothing is lost
//! and nothing is made twice.
//!
//! With one step at a time the n-th pass of a point belongs to the n-th step of the plan.

use serde_json::Value as Json;

use crate::live::contract::EVERYTHING;
use crate::live::shared;
use crate::support::workspace::Workspace;

const POINTS: [&str; 4] = [
    "before-intent",
    "after-intent",
    "after-call",
    "before-outcome",
];
/// Objects in [`EVERYTHING`].
const OBJECTS: usize = 12;

/// One attribute of each kind that can be changed in place.
const CHANGES: [(&str, &str); 10] = [
    ("[\\\"read\\\", \\\"list\\\"]", "[\\\"read\\\"]"),
    ("description = \"logins\"", "description = \"sign-ins\""),
    (
        "type = \"database\"",
        "type = \"database\"\n  description = \"users\"",
    ),
    ("https://issuer.example.com", "https://other.example.com"),
    ("bound_subject   = \"s\"", "bound_subject   = \"s2\""),
    (
        "role_id       = \"a1-role\"",
        "role_id       = \"a1-other\"",
    ),
    ("metadata = { team = \"x\" }", "metadata = { team = \"y\" }"),
    (
        "canonical_id = vault_entity.e.id",
        "canonical_id = vault_entity.e.id\n  custom_metadata = { a = \"b\" }",
    ),
    ("127.0.0.1:1/x", "127.0.0.1:2/x"),
    ("[\"SELECT 1\"]", "[\"SELECT 2\"]"),
];

fn changed() -> String {
    CHANGES
        .iter()
        .fold(EVERYTHING.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        })
}

fn workspace(namespace: &str, text: &str) -> Workspace {
    shared().namespace(namespace);
    let mut workspace = Workspace::new(text).at(shared(), namespace);
    workspace.set("CONTRACT_PASSWORD", "c4n4ry-kill");
    workspace
}

/// Runs a command that must be killed at the n-th pass of a point.
fn killed(workspace: &Workspace, command: &str, point: &str, number: usize) {
    let at = format!("{point}#{number}");
    let output = workspace.remit_with(
        &[command, "--auto-approve", "--parallelism", "1"],
        &[("REMIT_CRASH_AT", &at)],
    );
    assert_eq!(
        output.code, None,
        "{command} {at}: {}\n{}",
        output.stdout, output.stderr
    );
}

fn converges(workspace: &Workspace, what: &str) {
    // Deciding what the crash left is the same, looked at or recorded.
    let looked = workspace.remit(&["plan"]);
    assert_eq!(
        looked.code,
        Some(0),
        "{what}: {}\n{}",
        looked.stdout,
        looked.stderr
    );
    workspace.expect(0, &["apply", "--auto-approve"]);
    let after = workspace.remit(&["plan", "--detailed-exitcode"]);
    assert_eq!(
        after.code,
        Some(0),
        "{what}: {}\n{}",
        after.stdout,
        after.stderr
    );
}

fn count(namespace: &str, path: &str) -> usize {
    let (_, answer) = shared().list(namespace, path);
    answer
        .pointer("/data/keys")
        .and_then(Json::as_array)
        .map_or(0, Vec::len)
}

fn nothing_twice(namespace: &str) {
    assert_eq!(count(namespace, "identity/entity/id"), 1);
    assert_eq!(count(namespace, "identity/entity-alias/id"), 1);
    assert_eq!(count(namespace, "auth/jwt1/role"), 1);
    assert_eq!(count(namespace, "auth/ar1/role"), 1);
    assert_eq!(count(namespace, "db1/roles"), 1);
    assert_eq!(count(namespace, "db1/config"), 1);
}

#[test]
fn while_making() {
    for point in POINTS {
        for number in 1..=OBJECTS {
            let namespace = format!("make-{point}-{number}");
            let workspace = workspace(&namespace, EVERYTHING);
            killed(&workspace, "apply", point, number);
            converges(&workspace, &namespace);
            nothing_twice(&namespace);
        }
    }
}

#[test]
fn while_changing() {
    let changed = changed();
    let workspace = workspace("change", EVERYTHING);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let mut forward = true;
    for point in POINTS {
        for number in 1..=CHANGES.len() {
            workspace.write(
                "main.remit.hcl",
                if forward { &changed } else { EVERYTHING },
            );
            forward = !forward;
            killed(&workspace, "apply", point, number);
            converges(&workspace, &format!("{point} {number}"));
            nothing_twice("change");
        }
    }
}

#[test]
fn while_removing() {
    let workspace = workspace("remove", EVERYTHING);
    for point in POINTS {
        for number in 1..=OBJECTS {
            workspace.expect(0, &["apply", "--auto-approve"]);
            killed(&workspace, "destroy", point, number);
            workspace.expect(0, &["destroy", "--auto-approve"]);
            let left = workspace.expect(0, &["state", "list"]);
            assert_eq!(left.stdout.trim(), "", "{point} {number}");
            assert_eq!(count("remove", "identity/entity/id"), 0, "{point} {number}");
            assert_eq!(
                count("remove", "sys/policies/acl"),
                1,
                "only `default` is left"
            );
        }
    }
}
