//! One identity with grants in OpenBao and in AWS: one plan, one apply, and a workload's token opens
//! exactly what it should in both; then back to nothing.

use serde_json::json;

use super::Stage;
use super::shim::wire::{Answer, Call, Service};
use super::shim::{Shim, xml};
use crate::live::shared;
use crate::support::keys::Keys;

const ISSUER: &str = "https://issuer.example.com";

const CONFIGURATION: &str = r#"
provider "vault" {}

owner "payments" {
  contact = "payments@example.com"
}
environment "prod" {
  tier        = "staging"
  max_session = "2h"
}
issuer "ci" {
  type        = "oidc"
  url         = "https://issuer.example.com"
  audience    = { vault = ["openbao"], aws = ["sts.amazonaws.com"] }
  public_keys = [file("public.pem")]
}
agent "triage" {
  owner    = owner.payments
  purpose  = "Sort incoming invoices"
  autonomy = "supervised"
}
scope "invoices_read" {
  description = "Read invoice documents"
  domain      = "billing"
  risk        = "low"
  grant "vault" {
    path         = "kv/data/${identity.environment}/invoices/*"
    capabilities = ["read"]
  }
  grant "aws" {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::invoices-${identity.environment}/*"]
  }
}
identity "triage" {
  agent       = agent.triage
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]
  workload {
    issuer  = issuer.ci
    subject = "triage:prod"
  }
  session {
    ttl     = "15m"
    max_ttl = "2h"
  }
}
"#;

fn assume(shim: &Shim, role: &str, token: &str, seconds: &str) -> Answer {
    let call = Call::query(
        Service::Sts,
        "AssumeRoleWithWebIdentity",
        &[
            ("RoleArn", &shim.arn(&format!("role/{role}"))),
            ("RoleSessionName", "session"),
            ("WebIdentityToken", token),
            ("DurationSeconds", seconds),
        ],
    );
    shim.ask(&call).unwrap()
}

/// The stage, at home in OpenBao too.
fn stage(namespace: &str, keys: &Keys) -> Stage {
    let mut stage = Stage::new(CONFIGURATION);
    shared().namespace(namespace);
    stage.space.write("public.pem", &keys.public_pem);
    stage.space = stage.space.at(shared(), namespace);
    stage.shim.trust_key(ISSUER, &keys.public_pem);
    stage
}

#[test]
fn one_identity_in_both_with_one_plan_and_one_apply() {
    let keys = Keys::generate();
    let namespace = "aws-journey";
    let mut stage = stage(namespace, &keys);
    stage.space.expect(0, &["validate"]);
    stage.plan();
    stage.apply_saved(0);
    stage.settled("after the apply");

    // In AWS: its role, with the token for AWS, for as long as it says.
    let sign =
        |subject: &str, audience: &str| keys.sign(ISSUER, subject, audience, 300, &json!({}));
    let token = sign("triage:prod", "sts.amazonaws.com");
    let shim = stage.shim.clone();
    let answer = assume(&shim, "remit-triage", &token, "7200");
    assert!(answer.is_ok(), "{}", answer.body);
    let key = xml::text(&answer.body, "AccessKeyId").unwrap();
    let call = Call::query(Service::Sts, "GetCallerIdentity", &[]).signed_by(&key);
    let caller = shim.ask(&call).unwrap();
    let arn = xml::text(&caller.body, "Arn").unwrap();
    assert!(arn.ends_with(":assumed-role/remit-triage/session"), "{arn}");
    for (subject, audience, seconds) in [
        ("triage:prod", "openbao", "900"),
        ("triage:staging", "sts.amazonaws.com", "900"),
        ("triage:prod ", "sts.amazonaws.com", "900"),
        ("triage:prod", "sts.amazonaws.com", "7201"),
    ] {
        let refused = assume(&shim, "remit-triage", &sign(subject, audience), seconds);
        assert!(!refused.is_ok(), "{subject} {audience} {seconds}");
    }
    let details = shim.iam("GetAccountAuthorizationDetails", &[]);
    assert!(details.contains("s3%3AGetObject"), "{details}");
    assert!(details.contains("invoices-prod"), "{details}");
    for tag in ["triage", "payments", "prod", "billing"] {
        assert!(
            details.contains(&format!("<Value>{tag}</Value>")),
            "{tag}: {details}"
        );
    }

    // In OpenBao: the token for OpenBao, and not the one for AWS.
    let login = |token: &str| {
        let body = json!({"role": "remit-triage", "jwt": token});
        let (status, _) =
            shared().request("POST", "auth/remit-ci/login", namespace, "", Some(&body));
        status
    };
    assert_eq!(login(&sign("triage:prod", "openbao")), 200);
    assert_ne!(login(&token), 200, "a token for one is none for the other");

    // Less access: the grant goes, the role stays.
    stage.edit("\"s3:GetObject\"", "\"s3:ListBucket\"");
    stage.converge();
    assert!(assume(&shim, "remit-triage", &token, "900").is_ok());
    let details = shim.iam("GetAccountAuthorizationDetails", &[]);
    assert!(!details.contains("s3%3AGetObject"), "{details}");

    stage.destroy();
    assert!(shim.dump().is_empty(), "{:?}", shim.dump());
    assert!(!assume(&shim, "remit-triage", &token, "900").is_ok());
}

/// More than fits into the inline policies of a role.
#[test]
fn large_grants_go_into_managed_policies() {
    let keys = Keys::generate();
    let mut stage = stage("aws-large", &keys);
    let grant = |number: usize| {
        let many: Vec<String> = (0..40)
            .map(|place| {
                format!(
                    "\"arn:aws:s3:::invoices-{number}-{place}-{}/*\"",
                    "x".repeat(50)
                )
            })
            .collect();
        format!(
            "  grant \"aws\" {{\n    actions   = [\"s3:GetObject\"]\n    resources = [{}]\n  }}\n",
            many.join(", ")
        )
    };
    let grants: String = (0..6).map(grant).collect();
    stage.edit("  grant \"aws\" {", &format!("{grants}  grant \"aws\" {{"));
    let shown = stage.space.expect(0, &["plan"]);
    let shown = shown.stdout + &shown.stderr;
    assert!(shown.contains("aws_iam_policy"), "{shown}");
    stage.converge();
    let attached = stage
        .shim
        .iam("ListAttachedRolePolicies", &[("RoleName", "remit-triage")]);
    assert!(
        xml::members(&attached, "AttachedPolicies").len() > 1,
        "{attached}"
    );
    stage.destroy();
    assert!(stage.shim.dump().is_empty(), "{:?}", stage.shim.dump());
}
