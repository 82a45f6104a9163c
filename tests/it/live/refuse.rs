//! What is not ours, what changed since, what can't be read: on a real server.

use remit::apply::StepResult;
use remit::plan::Mode;
use remit_sdk::ErrorKind;
use serde_json::json;

use super::contract::everything;
use super::shared;

/// Objects of somebody else, under the keys of every kind that stands by itself.
#[test]
fn a_create_over_what_is_not_ours_is_refused_and_names_import() {
    let mut stage = everything();
    // Else it waits for its policy, which is refused.
    stage.edit("policies = [\"p1\"]", "policies = [\"default\"]");
    let foreign = [
        (
            "sys/policies/acl/p1",
            json!({"policy": "path \"x\" { capabilities = [\"read\"] }"}),
        ),
        (
            "sys/auth/jwt1",
            json!({"type": "jwt", "description": "theirs"}),
        ),
        ("sys/auth/ar1", json!({"type": "approle"})),
        ("sys/mounts/kv1", json!({"type": "kv"})),
        ("sys/mounts/db1", json!({"type": "database"})),
        (
            "auth/jwt1/role/r1",
            json!({"role_type": "jwt", "user_claim": "email", "bound_subject": "x"}),
        ),
        ("auth/ar1/role/A1", json!({"token_ttl": "1m"})),
        (
            "identity/entity",
            json!({"name": "E1", "policies": ["theirs"]}),
        ),
        (
            "db1/config/c1",
            json!({"plugin_name": "postgresql-database-plugin",
            "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/z",
            "username": "z", "password": "z", "verify_connection": false}),
        ),
        (
            "db1/roles/r1",
            json!({"db_name": "c1", "creation_statements": ["SELECT 3"]}),
        ),
    ];
    for (path, body) in &foreign {
        shared().write(&stage.namespace, path, body);
    }
    let planned = stage.plan_with(Mode::Apply, |_| {});
    assert!(!planned.may_apply());
    let refused: Vec<&str> = planned
        .diagnostics
        .iter()
        .filter(|one| one.summary == "object exists and is not ours")
        .map(|one| one.help.as_deref().unwrap())
        .collect();
    assert!(
        refused.iter().all(|help| help.contains("remit import")),
        "{refused:?}"
    );
    // What stands in a refused mount waits for it; what stands by itself is refused by itself.
    assert_eq!(refused.len(), 6, "{:#?}", planned.diagnostics);
    assert!(
        planned
            .review
            .plan
            .steps
            .iter()
            .all(|step| !foreign.iter().any(|(path, _)| path.ends_with(&step.key)))
    );
}

#[test]
fn an_object_changed_between_plan_and_apply_is_refused_and_the_rest_goes_on() {
    let mut stage = everything();
    stage.converge();
    stage.edit(
        "capabilities = [\\\"read\\\", \\\"list\\\"]",
        "capabilities = [\\\"read\\\"]",
    );
    stage.edit("bound_subject   = \"s\"", "bound_subject   = \"t\"");
    let plan = stage.plan();
    assert_eq!(plan.steps.len(), 2, "{:?}", plan.changes.keys());
    let theirs = json!({"policy": "path \"theirs\" { capabilities = [\"read\"] }"});
    shared().write(&stage.namespace, "sys/policies/acl/p1", &theirs);
    let report = stage.try_apply(&plan);
    let tally = report.tally();
    assert_eq!((tally.failed, tally.done), (1, 1), "{report:#?}");
    let failed = report.results.values().find_map(|result| match result {
        StepResult::Failed(failure) => Some(failure),
        _ => None,
    });
    assert_eq!(failed.unwrap().kind, ErrorKind::Conflict);
    let (_, live) = shared().get(&stage.namespace, "sys/policies/acl/p1");
    assert!(
        live["data"]["policy"].as_str().unwrap().contains("theirs"),
        "theirs is left as it is"
    );
    stage.converge();
}

#[test]
fn a_plan_is_not_applied_twice() {
    let stage = everything();
    let plan = stage.plan();
    stage.apply(&plan);
    let fits = remit::operations::fits(&plan, &stage.state().load().unwrap());
    assert_eq!(fits.unwrap_err().summary, "plan is stale");
}

#[test]
fn a_state_of_another_cluster_is_refused() {
    let stage = everything();
    stage.converge();
    let mut recorded = stage.state().load().unwrap();
    for record in recorded.objects.values_mut() {
        assert!(
            record.target.contains(&stage.namespace),
            "{}",
            record.target
        );
    }
    // The same state, pointed at another namespace: another target.
    let other = super::Stage::new(super::contract::EVERYTHING);
    std::fs::remove_dir_all(other.folder.path().join(".remit")).ok();
    copy(
        &stage.folder.path().join(".remit"),
        &other.folder.path().join(".remit"),
    );
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        other.plan_with(Mode::Apply, |_| {})
    }));
    assert!(refused.is_err(), "a plan against another target");
}

pub(super) fn copy(from: &std::path::Path, to: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
