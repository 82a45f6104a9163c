//! The example policies: each passes its tests, and none of the tests passes without it.

use std::collections::BTreeSet;
use std::path::Path;

use remit::organisation::{Limits, PolicyFile, check, read, test};

fn all() -> Vec<PolicyFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policies/policy");
    let mut out: Vec<PolicyFile> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            PolicyFile {
                path: entry.file_name().into_string().unwrap(),
                text: std::fs::read_to_string(entry.path()).unwrap(),
            }
        })
        .collect();
    out.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(out.len() > 8, "{}", out.len());
    out
}

fn policies() -> Vec<PolicyFile> {
    all()
        .into_iter()
        .filter(|file| !file.path.ends_with("_test.rego"))
        .collect()
}

#[test]
fn every_test_of_the_example_policies_holds() {
    let results = test(&all(), Limits::default()).unwrap();
    assert!(results.len() > 15, "{results:#?}");
    for (name, holds) in &results {
        assert!(holds, "{name} is not true");
    }
    let tested: BTreeSet<&str> = results
        .iter()
        .filter_map(|(name, _)| name.rsplit_once("_test.")?.0.rsplit('.').next())
        .collect();
    let asked: Vec<PolicyFile> = policies()
        .into_iter()
        .filter(|file| file.text.contains("package remit"))
        .collect();
    for file in &asked {
        let name = file.path.trim_end_matches(".rego");
        assert!(tested.contains(name), "{name} has no tests");
    }
    assert_eq!(tested.len(), asked.len());
}

#[test]
fn no_policy_can_be_silent_without_a_test_that_says_so() {
    for policy in policies() {
        let package = policy
            .text
            .lines()
            .find(|line| line.starts_with("package remit"));
        let Some(package) = package else { continue };
        let rule = if policy.text.contains("\nwarn contains") {
            "warn"
        } else {
            "deny"
        };
        let mut files = all();
        for file in files.iter_mut().filter(|file| file.path == policy.path) {
            file.text = format!("{package}\n{rule} contains \"x\" if input.never\n");
        }
        let results = test(&files, Limits::default()).unwrap();
        assert!(
            results.iter().any(|(_, holds)| !holds),
            "{} is not needed by any test",
            policy.path
        );
    }
}

#[test]
fn the_example_policies_are_read_as_they_are() {
    read(&policies()).unwrap();
    // A plan that changes nothing.
    let plan = serde_json::json!({
        "timestamp": "2026-11-27T10:00:00Z",
        "resource_changes": [],
        "remit": { "targets": {}, "access_changes": [], "approvals": [] },
    });
    let none = serde_json::json!({});
    let found = check(&policies(), &none, &plan, Limits::default()).unwrap();
    assert_eq!(found, []);
    // One that all of them have something to say about.
    let change = |number: u8| {
        serde_json::json!({
            "change": { "actions": ["delete"] },
            "remit": { "declaration": format!("identity.x[\"{number}\"]"), "part": null },
        })
    };
    let plan = serde_json::json!({
        "timestamp": "2026-11-27T10:00:00Z",
        "resource_changes": [change(1), change(2), change(3), change(4)],
        "remit": {
            "targets": { "aws": { "id": "1", "address": "https://example.org", "description": "" } },
            "approvals": [],
            "access_changes": [{
                "identity": "identity.y[\"prod\"]", "instance": "aws", "environment": "prod",
                "tier": "production", "agent": "agent.y", "owner": "owner.z", "is_new": false,
                "widens": true, "narrows": false, "lost": [], "drifted": [],
                "gained": [{
                    "actions": ["iam:*"], "resources": ["*"], "conditions": [], "example": null,
                    "certainty": { "undecided": "a condition" }, "scopes": ["scope.a"],
                    "risk": "critical",
                }],
            }],
        },
    });
    let names: Vec<String> = check(&policies(), &none, &plan, Limits::default())
        .unwrap()
        .into_iter()
        .map(|finding| finding.name)
        .collect();
    let wanted = [
        "few_removals",
        "known_servers",
        "no_friday_widening",
        "sure_access",
        "two_approvals",
    ];
    assert_eq!(names, wanted);
}
