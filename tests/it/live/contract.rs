//! What holds for every kind: an apply leaves nothing to do, and whatever somebody else changes
//! is found and put back.

use remit::diff::Action;
use remit_sdk::provider::Reading;
use remit_sdk::{Lower, ObjectAddress};

use super::meddle::{meddle, testable};
use super::{SECRETS, Stage};

/// One object of each kind, most attributes left to their defaults.
pub(crate) const EVERYTHING: &str = r#"
locals {
  key = <<EOT
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
EOT
}
resource "vault_policy" "p" {
  name   = "p1"
  policy = "path \"kv1/data/x\" {\n  capabilities = [\"read\", \"list\"]\n}\n"
}
resource "vault_auth_mount" "jwt" {
  path        = "jwt1"
  type        = "jwt"
  description = "logins"
}
resource "vault_auth_mount" "approle" {
  path = "ar1"
  type = "approle"
}
resource "vault_secrets_mount" "kv" {
  path    = "kv1"
  type    = "kv"
  options = { version = "2" }
}
resource "vault_secrets_mount" "db" {
  path = "db1"
  type = "database"
}
resource "vault_jwt_config" "c" {
  mount                  = vault_auth_mount.jwt.path
  jwt_validation_pubkeys = [local.key]
  jwt_supported_algs     = ["ES256"]
  bound_issuer           = "https://issuer.example.com"
}
resource "vault_jwt_role" "r" {
  mount           = vault_auth_mount.jwt.path
  name            = "r1"
  user_claim      = "sub"
  bound_subject   = "s"
  bound_audiences = ["vault"]
  bound_claims    = { env = ["prod"] }
  token_ttl       = "15m"
  token_max_ttl   = "1h"
}
resource "vault_approle_role" "a" {
  mount         = vault_auth_mount.approle.path
  name          = "a1"
  role_id       = "a1-role"
  token_ttl     = "15m"
  token_max_ttl = "1h"
}
resource "vault_entity" "e" {
  name     = "e1"
  policies = ["p1"]
  metadata = { team = "x" }
}
resource "vault_entity_alias" "l" {
  mount        = vault_auth_mount.jwt.path
  name         = "s"
  canonical_id = vault_entity.e.id
}
resource "vault_database_connection" "c" {
  mount             = vault_secrets_mount.db.path
  name              = "c1"
  plugin_name       = "postgresql-database-plugin"
  connection_url    = "postgresql://{{username}}:{{password}}@127.0.0.1:1/x"
  username          = "u"
  password          = env("CONTRACT_PASSWORD")
  password_version  = 1
  verify_connection = false
}
resource "vault_database_role" "r" {
  mount               = vault_secrets_mount.db.path
  name                = "r1"
  db_name             = "c1"
  creation_statements = ["SELECT 1"]
  default_ttl         = "15m"
  max_ttl             = "1h"
}
"#;

pub(crate) fn everything() -> Stage {
    SECRETS
        .lock()
        .unwrap()
        .insert("CONTRACT_PASSWORD".to_owned(), "c4n4ry-contract".to_owned());
    Stage::new(EVERYTHING)
}

#[test]
fn an_apply_of_every_kind_leaves_nothing_to_do() {
    let stage = everything();
    stage.converge();
    let recorded = stage.state().load().unwrap();
    let kinds: std::collections::BTreeSet<&str> = recorded
        .objects
        .values()
        .map(|record| record.kind.as_str())
        .collect();
    assert_eq!(
        kinds.len(),
        remit_vault::Vault.kinds().len(),
        "every kind is here: {kinds:?}"
    );
    stage.destroy();
    let (_, left) = super::shared().list(&stage.namespace, "identity/entity/name");
    assert_eq!(left["data"]["keys"], serde_json::Value::Null, "{left}");
}

/// Every attribute of every kind, but those whose schema says why not.
#[test]
fn every_attribute_changed_by_somebody_else_is_found_and_put_back() {
    let stage = everything();
    stage.converge();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (address, kind) in objects(&stage) {
        for attribute in testable(kind) {
            let recorded = stage.state().load().unwrap();
            let key = recorded.objects[&address].key.clone();
            let Reading::Present(object) = stage.read(kind, &key) else {
                panic!("{address} is gone");
            };
            if let Err(error) = meddle(&stage, kind, &object, attribute) {
                wrong.push(format!("{} {}: {error}", kind.name, attribute.name));
                continue;
            }
            let planned = stage.plan_with(remit::plan::Mode::Apply, |_| {});
            let found = planned
                .review
                .plan
                .drift
                .get(&address)
                .is_some_and(|drift| {
                    drift
                        .iter()
                        .any(|difference| difference.name == attribute.name)
                });
            if !found {
                wrong.push(format!("{} {}: not found", kind.name, attribute.name));
            }
            if !planned.may_apply() {
                wrong.push(format!(
                    "{} {}: {:?}",
                    kind.name, attribute.name, planned.diagnostics
                ));
                continue;
            }
            let report = stage.try_apply(&planned.review.plan);
            if !report.is_complete(&planned.review.plan) {
                wrong.push(format!(
                    "{} {}: {:?}",
                    kind.name, attribute.name, report.results
                ));
            }
            let again = stage
                .plan_with(remit::plan::Mode::Apply, |_| {})
                .review
                .plan;
            if !again.is_empty() {
                wrong.push(format!(
                    "{} {}: not put back: {:?}",
                    kind.name,
                    attribute.name,
                    again
                        .changes
                        .values()
                        .map(|one| (&one.address, &one.differences))
                        .collect::<Vec<_>>()
                ));
            }
            seen += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {seen}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(seen > 90, "{seen} attributes");
}

/// Every attribute that may be changed in place, changed in the configuration: written, read
/// back, and taken back when it is no longer set.
#[test]
fn what_is_removed_by_somebody_else_is_made_again() {
    let stage = everything();
    stage.converge();
    for (path, kind) in [
        ("sys/policies/acl/p1", "vault_policy"),
        ("auth/jwt1/role/r1", "vault_jwt_role"),
        ("auth/ar1/role/a1", "vault_approle_role"),
        ("db1/roles/r1", "vault_database_role"),
        ("db1/config/c1", "vault_database_connection"),
        ("identity/entity/name/e1", "vault_entity"),
        ("sys/mounts/kv1", "vault_secrets_mount"),
        ("sys/auth/ar1", "vault_auth_mount"),
    ] {
        let (status, answer) = super::shared().delete(&stage.namespace, path);
        assert!(status == 204 || status == 200, "{path}: {answer}");
        let plan = stage.plan();
        let made = plan
            .changes
            .values()
            .any(|one| one.kind == kind && one.action == Action::Create);
        assert!(made, "{kind}: {:?}", plan.changes.keys());
        stage.apply(&plan);
        stage.converge();
    }
}

fn objects(stage: &Stage) -> Vec<(ObjectAddress, &'static remit_sdk::Kind)> {
    let recorded = stage.state().load().unwrap();
    recorded
        .objects
        .iter()
        .map(|(address, record)| {
            (
                address.clone(),
                remit_vault::Vault.kind(&record.kind).unwrap(),
            )
        })
        .collect()
}
