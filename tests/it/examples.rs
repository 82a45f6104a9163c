//! The examples: each is valid, and its `plan.txt` is the plan that an empty server gets.
//!
//! `REMIT_UPDATE=1` in the environment rewrites the plans.

use std::path::{Path, PathBuf};

use crate::live::shared;
use crate::support::workspace::Workspace;

const EXAMPLES: [&str; 2] = ["github-actions", "kubernetes-database"];

/// A plan says where it was made for; the address and the cluster differ in each run.
fn normalised(plan: &str, namespace: &str) -> String {
    let mut lines: Vec<String> = plan.lines().map(str::to_owned).collect();
    let first = lines.first_mut().unwrap();
    let (before, after) = first.split_once(", cluster ").unwrap();
    let (_, after) = after.split_once(')').unwrap();
    let server = before.split_once('(').unwrap().1;
    *first = format!("vault  https://bao.example.com:8200/ ({server}, cluster CLUSTER){after}");
    let text = format!("{}\n", lines.join("\n"));
    assert!(!text.contains(namespace), "{text}");
    text
}

fn copy(from: &Path, workspace: &Workspace) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), workspace.path().join(entry.file_name())).unwrap();
    }
}

#[test]
fn the_examples_are_valid_and_plan_what_they_say() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let is_update = std::env::var_os("REMIT_UPDATE").is_some_and(|value| value == "1");
    for name in EXAMPLES {
        let folder = root.join(name);
        let namespace = shared().namespace(&format!("example-{name}"));
        let workspace = Workspace::new("").at(shared(), &namespace);
        copy(&folder, &workspace);
        workspace.expect(0, &["validate"]);
        let output = workspace.expect(2, &["plan", "--detailed-exitcode"]);
        let plan = normalised(&output.stdout, &namespace);
        let file = folder.join("plan.txt");
        if is_update {
            std::fs::write(&file, &plan).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            plan == expected,
            "examples/{name}/plan.txt is not the plan; REMIT_UPDATE=1 rewrites it\n{plan}"
        );
    }
}
