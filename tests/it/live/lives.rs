//! Identities over their lives on a real server: renamed, rebound, replaced, made anew by others.

use remit::apply::StepResult;
use remit::plan::Mode;
use serde_json::json;

use super::{Stage, shared};

const IDENTITY: &str = r#"
owner "one" { contact = "one@example.com" }
owner "two" { contact = "two@example.com" }
environment "prod" { tier = "production" }
issuer "ci" {
  type        = "oidc"
  url         = "https://issuer.example.com"
  audience    = ["openbao"]
  public_keys = [local.key]
}
issuer "hosts" { type = "approle" }
agent "a" {
  owner   = owner.one
  purpose = "p"
}
scope "r" {
  description = "d"
  domain      = "d"
  risk        = "low"
  grant "vault" {
    path         = "kv/data/r/*"
    capabilities = ["read"]
  }
}
scope "w" {
  description = "d"
  domain      = "d"
  risk        = "low"
  grant "vault" {
    path         = "kv/data/w/*"
    capabilities = ["update"]
  }
}
identity "x" {
  agent       = agent.a
  environment = environment.prod
  domain      = "d"
  scopes      = [scope.r]
  workload {
    issuer  = issuer.ci
    subject = "s"
  }
}
locals {
  key = <<EOT
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
EOT
}
"#;

fn stage() -> Stage {
    let stage = Stage::new(IDENTITY);
    stage.converge();
    stage
}

fn entities(stage: &Stage) -> Vec<String> {
    let (_, answer) = shared().list(&stage.namespace, "identity/entity/name");
    let keys = answer["data"]["keys"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    keys.iter()
        .filter_map(|key| key.as_str().map(str::to_owned))
        .collect()
}

#[test]
fn an_owner_and_a_scope_change_at_once() {
    let mut stage = stage();
    stage.edit("owner   = owner.one", "owner   = owner.two");
    stage.edit("scopes      = [scope.r]", "scopes      = [scope.w]");
    stage.converge();
}

#[test]
fn a_new_live_name_takes_the_login_along() {
    let mut stage = stage();
    stage.edit(
        "  domain      = \"d\"\n  scopes",
        "  live_name   = \"other\"\n  domain      = \"d\"\n  scopes",
    );
    stage.converge();
    assert_eq!(entities(&stage), ["other"]);
    stage.destroy();
}

#[test]
fn an_entity_is_replaced_with_its_alias() {
    let stage = stage();
    let planned = stage.plan_with(Mode::Apply, |request| {
        request.asked.replace = vec!["identity.x/vault_entity".parse().unwrap()];
    });
    assert!(planned.may_apply(), "{:#?}", planned.diagnostics);
    stage.apply(&planned.review.plan);
    stage.converge();
}

#[test]
fn a_second_workload_comes_and_goes() {
    let mut stage = stage();
    let one = "  workload {\n    issuer  = issuer.ci\n    subject = \"s\"\n  }\n";
    let two = format!("{one}  workload {{\n    issuer = issuer.hosts\n  }}\n");
    stage.edit(one, &two);
    stage.converge();
    stage.edit(&two, one);
    stage.converge();
    stage.destroy();
}

#[test]
fn another_label_moves_what_stays() {
    let mut stage = stage();
    let alias = "auth/remit-ci/alias/s";
    let before = stage.state().load().unwrap();
    let before = before
        .objects
        .values()
        .find(|one| one.key == alias)
        .unwrap()
        .id
        .clone();
    stage.edit("identity \"x\"", "identity \"y\"");
    stage.converge();
    let after = stage.state().load().unwrap();
    let after = after
        .objects
        .iter()
        .find(|(_, one)| one.key == alias)
        .unwrap();
    assert_eq!(after.0.to_string(), "identity.y/vault_entity_alias");
    assert_eq!(entities(&stage), ["remit-y"]);
    assert!(before.is_some());
    stage.destroy();
}

#[test]
fn a_policy_of_somebody_else_is_given_to_nobody() {
    let stage = Stage::new(IDENTITY);
    let theirs = json!({"policy": "path \"*\" { capabilities = [\"sudo\", \"read\"] }"});
    // Made between plan and apply.
    let plan = stage.plan();
    shared().write(&stage.namespace, "sys/policies/acl/remit-r", &theirs);
    let report = stage.try_apply(&plan);
    assert!(
        report
            .results
            .values()
            .any(|one| matches!(one, StepResult::Failed(_)))
    );
    assert_eq!(entities(&stage), Vec::<String>::new());
    // And left out by name.
    let planned = stage.plan_with(Mode::Apply, |request| {
        request.asked.excludes = vec!["scope.r/vault_policy".parse().unwrap()];
    });
    assert!(planned.may_apply(), "{:#?}", planned.diagnostics);
    stage.apply(&planned.review.plan);
    assert_eq!(entities(&stage), Vec::<String>::new());
}

#[test]
fn believing_the_records_is_not_believing_the_target() {
    let stage = stage();
    let recorded = stage.state().load().unwrap().objects.len();
    let other = Stage::new(IDENTITY);
    super::refuse::copy(
        &stage.folder.path().join(".remit"),
        &other.folder.path().join(".remit"),
    );
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        other.plan_with(Mode::Destroy, |request| request.asked.refresh = false)
    }));
    assert!(refused.is_err(), "a plan against another target");
    assert_eq!(other.state().load().unwrap().objects.len(), recorded);
}

#[test]
fn a_policy_that_came_back_is_not_forgotten() {
    let mut stage = stage();
    let path = "sys/policies/acl/remit-r";
    let (_, before) = shared().get(&stage.namespace, path);
    shared().delete(&stage.namespace, path);
    stage.edit("scopes      = [scope.r]", "scopes      = [scope.w]");
    let plan = stage.plan();
    shared().write(
        &stage.namespace,
        path,
        &json!({"policy": before["data"]["policy"]}),
    );
    let report = stage.try_apply(&plan);
    assert!(
        report
            .results
            .values()
            .any(|one| matches!(one, StepResult::Failed(_)))
    );
    stage.converge();
    let (status, _) = shared().get(&stage.namespace, path);
    assert_eq!(status, 404, "it went with the next apply");
}
