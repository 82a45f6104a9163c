//! Plan files that somebody wrote, and access that somebody gave outside remit: neither gets past
//! the gate.

use std::collections::BTreeSet;
use std::path::Path;

use remit::gate::Review;
use remit::gate::file::{self};
use remit::plan::{Mode, StepOperation};
use serde_json::json;

use crate::approvals::{LATER, ONE, TWO, at_server, configuration, keygen, save, says};
use crate::live::shared;
use crate::support::workspace::Workspace;

fn read(plan: &Path) -> Review {
    file::from_bytes(&std::fs::read(plan).unwrap())
        .unwrap()
        .body
}

/// What is recorded, as people see it.
fn recorded(space: &Workspace) -> String {
    space.expect(0, &["show", "--json"]).stdout
}

/// A workspace in which one identity is applied, with two approvers whose keys lie there.
fn applied(namespace: &str) -> (Workspace, [String; 2]) {
    let space = at_server(namespace);
    let one = keygen(space.path(), "approver-1", &["-t", "ed25519"]);
    let two = keygen(space.path(), "approver-2", &["-t", "ed25519"]);
    space.write("main.remit.hcl", &configuration(&[&one, &two], ONE));
    space.expect(0, &["apply", "--auto-approve"]);
    (space, [one, two])
}

#[test]
fn what_a_file_says_is_not_believed() {
    let (space, [one, two]) = applied("approvals-forged");
    space.write("main.remit.hcl", &configuration(&[&one, &two], TWO));
    space.expect(0, &["plan", "--out", "p"]);
    let plan = space.path().join("p");
    let body = read(&plan);
    let before = recorded(&space);
    let refused = |forge: &dyn Fn(&mut Review), is_signed: bool, code: i32, words: &[&str]| {
        let mut forged = body.clone();
        forge(&mut forged);
        save(&plan, forged, LATER);
        if is_signed {
            space.expect(0, &["approve", "p", "--key", "approver-1"]);
            space.expect(0, &["approve", "p", "--key", "approver-2"]);
        }
        says(&space.expect(code, &["apply", "p"]), words);
        assert_eq!(recorded(&space), before, "nothing is recorded");
        for entry in std::fs::read_dir(space.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "sig") {
                std::fs::remove_file(path).unwrap();
            }
        }
    };
    let stale = "plan is stale";
    // It takes nothing, and gives nothing.
    let quiet = |forged: &mut Review| {
        forged.approvals.clear();
        forged.access.clear();
    };
    let approvals = "whose approvals it says it takes";
    refused(
        &|forged| forged.approvals.clear(),
        false,
        1,
        &[stale, approvals],
    );
    // Another reason, however well it is signed, and other people.
    refused(
        &|forged| forged.approvals[0].why = "nothing of note".into(),
        true,
        1,
        &[stale, approvals],
    );
    refused(
        &|forged| {
            for person in forged.people.values_mut() {
                person.comment.push_str(" of the board");
            }
        },
        true,
        1,
        &[stale, "whose keys they are"],
    );
    refused(
        &|forged| forged.gate_changes.clear(),
        true,
        1,
        &[stale, "whose keys they are"],
    );
    refused(&quiet, false, 1, &[stale, "gain and lose"]);
    refused(&|forged| forged.plan.changes.clear(), false, 1, &[stale]);
    refused(
        &|forged| forged.plan.mode = Mode::Destroy,
        false,
        1,
        &[stale],
    );
    refused(
        &|forged| forged.plan.mode = Mode::RefreshOnly,
        false,
        1,
        &[stale],
    );
    // Its steps do more than its changes say, or come in another order, or one is missing.
    refused(
        &|forged| {
            for step in &mut forged.plan.steps {
                let before = serde_json::to_string(&step.attributes).unwrap();
                let after = before.replace("kv/data/*", "*");
                step.attributes = serde_json::from_str(&after).unwrap();
            }
            quiet(forged);
        },
        false,
        1,
        &[stale, "scope.read/vault_policy"],
    );
    refused(
        &|forged| {
            let mut more = forged.plan.steps[0].clone();
            more.id = 99;
            more.operation = StepOperation::Record;
            forged.plan.steps.push(more);
            quiet(forged);
        },
        false,
        1,
        &[stale],
    );
    refused(&|forged| forged.plan.steps.clear(), true, 1, &[stale]);
    // Those who approve are shown something else than what comes of it.
    refused(
        &|forged| {
            for change in &mut forged.access {
                change.gained.clear();
            }
        },
        true,
        1,
        &[stale, "gain and lose"],
    );
    refused(
        &|forged| {
            for change in forged.plan.changes.values_mut() {
                change.after.clear();
                change.differences.clear();
            }
        },
        true,
        1,
        &[stale],
    );
    refused(
        &|forged| {
            for target in forged.plan.targets.values_mut() {
                target.description = "OpenBao, staging".into();
            }
        },
        true,
        1,
        &[stale, "of the targets"],
    );
    refused(
        &|forged| {
            for target in forged.plan.targets.values_mut() {
                target.id = "another".into();
            }
        },
        false,
        1,
        &["another target than planned", "the plan was made for"],
    );
    // Numbers, order and remarks of the file are nobody's: it is the new plan's that count.
    let mut same = body.clone();
    for step in &mut same.plan.steps {
        step.id += 7;
        step.follows = BTreeSet::new();
    }
    save(&plan, same, LATER);
    // What only has the name of a signature counts for nothing, and is in nobody's way.
    std::fs::create_dir(space.path().join("p.x.sig")).unwrap();
    let approved = space.expect(0, &["approve", "p", "--key", "approver-1"]);
    says(&approved, &["p.x.sig: it is no plain file"]);
    space.expect(0, &["approve", "p", "--key", "approver-2"]);
    space.expect(0, &["apply", "p"]);
    says(&space.expect(0, &["plan"]), &["No changes"]);
}

/// What is removed and left there is what it was: it doesn't come back as something new.
#[test]
fn a_removal_that_is_left_out_leaves_the_record() {
    let (space, [one, two]) = applied("approvals-left");
    let whole = configuration(&[&one, &two], ONE);
    let without = &whole[..whole.find("identity \"bot\"").unwrap()];
    space.write("main.remit.hcl", without);
    space.expect(0, &["plan", "--out", "p"]);
    let plan = space.path().join("p");
    let mut forged = read(&plan);
    forged.plan.changes.clear();
    forged.plan.steps.clear();
    forged.access.clear();
    save(&plan, forged.clone(), LATER);
    let before = recorded(&space);
    says(
        &space.expect(1, &["apply", "p"]),
        &["plan is stale", "approvers, risks and tiers"],
    );
    assert_eq!(recorded(&space), before);
    // Nor with what would be recorded then in it.
    forged.plan.gate = None;
    save(&plan, forged, LATER);
    space.expect(0, &["apply", "p"]);
    // It goes when its objects go.
    space.expect(0, &["plan", "--out", "p"]);
    let next = read(&plan).plan.gate.expect("it is recorded still");
    assert!(next.identities.is_empty());
    space.expect(0, &["apply", "p"]);
}

/// Files with the names of signatures are in nobody's way, however many there are.
#[test]
fn a_flood_of_signatures_keeps_nobody_from_approving() {
    let (space, [one, two]) = applied("approvals-flood");
    space.write("main.remit.hcl", &configuration(&[&one, &two], TWO));
    space.expect(0, &["plan", "--out", "p"]);
    for number in 0..70 {
        std::fs::write(space.path().join(format!("p.A{number}.sig")), "").unwrap();
    }
    space.expect(0, &["approve", "p", "--key", "approver-1"]);
    let approved = space.expect(0, &["approve", "p", "--key", "approver-2"]);
    says(&approved, &["64 are read, and 7 files are left out"]);
    space.expect(0, &["apply", "p"]);
}

#[test]
fn a_plan_for_one_server_is_not_applied_to_another() {
    let space = at_server("approvals-here");
    shared().namespace("approvals-there");
    let one = keygen(space.path(), "approver-1", &["-t", "ed25519"]);
    space.write("main.remit.hcl", &configuration(&[&one], ONE));
    // Nothing is recorded yet: the same steps would do there.
    space.expect(0, &["plan", "--out", "p"]);
    let there = [("BAO_NAMESPACE", "approvals-there")];
    let refused = space.remit_with(&["apply", "p"], &there);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    says(&refused, &["another target than planned"]);
    space.expect(0, &["apply", "p"]);
}

#[test]
fn what_came_up_since_is_left_for_the_next_plan() {
    let (space, [one, two]) = applied("approvals-since");
    let wider = configuration(&[&one, &two], ONE).replace("kv/data/a", "kv/data/b");
    space.write("main.remit.hcl", &wider);
    space.expect(0, &["plan", "--out", "p"]);
    // Something else drifts: that is no reason not to apply, and isn't put back by it either.
    let server = shared();
    let folder = "approvals-since";
    let entity = "identity/entity/name/remit-bot";
    server.write(folder, entity, &json!({ "disabled": true }));
    space.expect(0, &["apply", "p"]);
    let after = space.expect(2, &["plan", "--detailed-exitcode"]);
    says(&after, &["disabled"]);
    space.expect(0, &["apply", "--auto-approve"]);
    // What the plan is about drifts: it is no plan any more.
    space.write("main.remit.hcl", &configuration(&[&one, &two], ONE));
    space.expect(0, &["plan", "--out", "p"]);
    let policy = "sys/policies/acl/remit-read";
    let theirs = json!({ "policy": "path \"kv/data/z\" { capabilities = [\"list\"] }" });
    server.write(folder, policy, &theirs);
    says(
        &space.expect(1, &["apply", "p"]),
        &["plan is stale", "scope.read/vault_policy"],
    );
}

#[test]
fn what_was_given_outside_is_approved_before_it_is_ours() {
    let (space, [one, two]) = applied("approvals-adopted");
    // The scope asks for two approvals from now on.
    let guarded = TWO.replace("kv/data/*", "kv/data/a");
    space.write("main.remit.hcl", &configuration(&[&one, &two], &guarded));
    space.expect(0, &["apply", "--auto-approve"]);
    let wide = "path \"kv/data/*\" {\n  capabilities = [\"read\"]\n}\n";
    let policy = "sys/policies/acl/remit-read";
    shared().write("approvals-adopted", policy, &json!({ "policy": wide }));
    // Declared as it is: nothing is written, and it becomes ours.
    space.write("main.remit.hcl", &configuration(&[&one, &two], TWO));
    let shown = space.expect(0, &["plan", "--out", "p"]);
    says(&shown, &["given outside remit", "2 approvals"]);
    says(
        &space.expect(4, &["apply", "p"]),
        &["2 more approvals are missing"],
    );
    says(
        &space.expect(4, &["apply", "--auto-approve"]),
        &["2 more approvals are missing"],
    );
    // Recorded first, so that it would be declared afterwards.
    let refresh = ["apply", "--refresh-only", "--auto-approve"];
    says(
        &space.expect(4, &refresh),
        &["2 more approvals are missing"],
    );
    space.expect(0, &["approve", "p", "--key", "approver-1"]);
    space.expect(0, &["approve", "p", "--key", "approver-2"]);
    space.expect(0, &["apply", "p"]);
    says(&space.expect(0, &["plan"]), &["No changes"]);
}
