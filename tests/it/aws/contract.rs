//! What holds for every kind: an apply leaves nothing to do in every way of writing, and whatever
//! somebody else changes is found and put back.

use std::collections::BTreeSet;

use remit::diff::Action;
use serde_json::json;

use super::Stage;
use super::meddle::{MEDDLINGS, meddle};
use crate::live::meddle::testable;

/// One object of each kind, and a second where something has to refer to it.
pub(crate) const EVERYTHING: &str = r#"
locals {
  read = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:ListBucket"], Resource = ["arn:aws:s3:::b", "arn:aws:s3:::b/*"] }]
  })
  machines = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_policy" "bound" {
  name   = "bound"
  policy = local.read
}
resource "aws_iam_policy" "p" {
  name        = "reader"
  path        = "/team/"
  description = "reads"
  policy      = local.read
  tags        = { team = "x" }
}
resource "aws_iam_role" "caller" {
  name               = "caller"
  assume_role_policy = local.machines
}
resource "aws_iam_role" "r" {
  name = "agent"
  path = "/agents/"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = aws_iam_role.caller.arn }, Action = "sts:AssumeRole" }]
  })
  description          = "an agent"
  max_session_duration = "2h"
  permissions_boundary = aws_iam_policy.bound.arn
  tags                 = { team = "x" }
}
resource "aws_iam_role_policy" "i" {
  role   = aws_iam_role.r.name
  name   = "inline"
  policy = local.read
}
resource "aws_iam_policy_attachment" "a" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}
resource "aws_iam_openid_connect_provider" "o" {
  url             = "https://issuer.example.com/x"
  client_id_list  = ["aws"]
  thumbprint_list = ["0123456789012345678901234567890123456789"]
  tags            = { team = "x" }
}
resource "aws_iam_user" "u" {
  name                 = "robot"
  path                 = "/robots/"
  permissions_boundary = aws_iam_policy.bound.arn
  tags                 = { team = "x" }
}
resource "aws_iam_group" "g" {
  name = "robots"
  path = "/robots/"
}
resource "aws_iam_instance_profile" "m" {
  name = "machine"
  role = aws_iam_role.caller.name
  tags = { team = "x" }
}
resource "aws_secretsmanager_secret" "s" {
  name        = "team/token"
  description = "a token"
  kms_key_id  = "arn:aws:kms:eu-west-1:ACCOUNT:key/11111111-2222-3333-4444-555555555555"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = aws_iam_role.r.arn }, Action = "secretsmanager:GetSecretValue", Resource = "*" }]
  })
  rotation_lambda_arn          = "arn:aws:lambda:eu-west-1:ACCOUNT:function:rotate"
  rotation_schedule_expression = "rate(10 days)"
  rotation_duration            = "3h"
  recovery_window              = "0s"
  tags                         = { team = "x" }
}
"#;

/// Objects in [`EVERYTHING`].
pub(crate) const OBJECTS: usize = 11;

#[test]
fn an_apply_of_every_kind_leaves_nothing_to_do() {
    let stage = Stage::new(EVERYTHING);
    let plan = stage.plan();
    assert_eq!(plan.counts().create, OBJECTS);
    let kinds: BTreeSet<&str> = plan.changes.values().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds.len(), remit_aws::schema::kinds().len(), "{kinds:?}");
    stage.apply_saved(0);
    stage.settled("after an apply");
    // A third one sends nothing that changes anything.
    stage.shim.take_log();
    stage.apply();
    assert!(stage.shim.writes().is_empty(), "{:?}", stage.shim.writes());
    stage.destroy();
    assert!(stage.shim.dump().is_empty(), "{:?}", stage.shim.dump());
}

/// An account by its number.
const TRUST: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "ACCOUNT"}, "Action": "sts:AssumeRole"}, "Version": "2012-10-17"}"#;

/// The same policy, written in other ways.
#[test]
fn every_way_of_writing_a_policy_is_the_same() {
    let resources = "[\"arn:aws:s3:::b\", \"arn:aws:s3:::b/*\"]";
    let written = |document: &str| {
        format!(
            "resource \"aws_iam_role\" \"r\" {{\n  name = \"r\"\n  assume_role_policy = <<EOT\n{TRUST}\nEOT\n}}\n\
             resource \"aws_iam_role_policy\" \"i\" {{\n  role = aws_iam_role.r.name\n  name = \"i\"\n  policy = <<EOT\n{document}\nEOT\n}}\n\
             resource \"aws_iam_policy\" \"p\" {{\n  name = \"p\"\n  policy = <<EOT\n{document}\nEOT\n}}\n"
        )
    };
    let ways = [
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": {resources}}}]}}"#
        ),
        // A statement alone, another order, another case of the actions.
        format!(
            r#"{{"Statement": {{"Resource": {resources}, "Action": ["S3:listbucket", "s3:getObject"], "Effect": "Allow"}}, "Version": "2012-10-17"}}"#
        ),
        // A value twice, much white space.
        format!(
            "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [ {{ \"Effect\": \"Allow\", \"Resource\": {resources},\n \"Action\": [\"s3:GetObject\", \"s3:ListBucket\", \"s3:GetObject\"] }} ]\n}}"
        ),
    ];
    let mut stage = Stage::new(&written(&ways[0]));
    for way in &ways {
        stage.configure(&written(way));
        stage.apply();
        stage.settled(way);
    }
    let writes = stage.shim.writes();
    assert_eq!(
        writes.len(),
        3,
        "written once, in the first way: {writes:?}"
    );

    // One action and one resource, as a string and as a list.
    let single = [
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#,
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}}"#,
    ];
    stage.configure(&written(single[0]));
    stage.converge();
    stage.configure(&written(single[1]));
    stage.settled("a list of one");

    // Without a version it is of the older language, and so another policy.
    let without = single[0].replace("\"Version\": \"2012-10-17\", ", "");
    let inline = stage.text.rfind("aws_iam_policy").unwrap();
    let (before, after) = stage.text.split_at(inline);
    let before = before.replace(single[1], &without);
    stage.configure(&format!("{before}{after}"));
    assert_eq!(stage.plan().counts().update, 1);
    stage.converge();

    // Somebody else writes the same in another way: no change.
    let told = without.replace("\"s3:GetObject\"", "[\"S3:getobject\"]");
    stage.shim.iam(
        "PutRolePolicy",
        &[
            ("RoleName", "r"),
            ("PolicyName", "i"),
            ("PolicyDocument", &told),
        ],
    );
    stage.settled("written otherwise by somebody else");
}

#[test]
fn every_attribute_changed_by_somebody_else_is_found_and_put_back() {
    let stage = Stage::new(EVERYTHING);
    stage.converge();
    let mut missing: BTreeSet<(&str, &str)> = remit_aws::schema::kinds()
        .iter()
        .flat_map(|kind| testable(kind).map(|attribute| (kind.name, attribute.name)))
        .collect();
    let mut wrong = Vec::new();
    for (kind, attribute) in MEDDLINGS {
        assert!(missing.remove(&(kind, attribute)), "{kind} {attribute}");
        meddle(&stage.shim, kind, attribute);
        let plan = stage.plan();
        let found = plan.drift.iter().any(|(address, drift)| {
            address.to_string().contains(kind) && drift.iter().any(|one| one.name == attribute)
        });
        if !found {
            wrong.push(format!("{kind} {attribute}: not found: {:?}", plan.drift));
        }
        stage.apply_saved(0);
        let again = stage.plan();
        if !again.is_empty() {
            wrong.push(format!(
                "{kind} {attribute}: not put back: {:?}",
                again.changes
            ));
            stage.apply_saved(0);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(missing.is_empty(), "nobody meddles with {missing:?}");
}

/// A kind, and the request that removes its object.
type Removal<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

#[test]
fn what_is_removed_by_somebody_else_is_made_again() {
    let stage = Stage::new(EVERYTHING);
    stage.converge();
    let shim = &stage.shim;
    let reader = shim.arn("policy/team/reader");
    let attachment = [("RoleName", "agent"), ("PolicyArn", &*reader)];
    let inline = [("RoleName", "agent"), ("PolicyName", "inline")];
    let provider = shim.arn("oidc-provider/issuer.example.com/x");
    let removals: [Removal<'_>; 8] = [
        ("aws_iam_role_policy", "DeleteRolePolicy", &inline),
        ("aws_iam_policy_attachment", "DetachRolePolicy", &attachment),
        ("aws_iam_policy", "DeletePolicy", &[("PolicyArn", &reader)]),
        ("aws_iam_user", "DeleteUser", &[("UserName", "robot")]),
        ("aws_iam_group", "DeleteGroup", &[("GroupName", "robots")]),
        (
            "aws_iam_openid_connect_provider",
            "DeleteOpenIDConnectProvider",
            &[("OpenIDConnectProviderArn", &provider)],
        ),
        (
            "aws_iam_instance_profile",
            "DeleteInstanceProfile",
            &[("InstanceProfileName", "machine")],
        ),
        ("aws_iam_role", "DeleteRole", &[("RoleName", "agent")]),
    ];
    for (kind, action, parameters) in removals {
        // What hangs on it goes first, as AWS wants it.
        match kind {
            "aws_iam_policy" => drop(shim.iam("DetachRolePolicy", &attachment)),
            "aws_iam_instance_profile" => drop(shim.iam(
                "RemoveRoleFromInstanceProfile",
                &[("InstanceProfileName", "machine"), ("RoleName", "caller")],
            )),
            "aws_iam_role" => {
                shim.iam("DetachRolePolicy", &attachment);
                shim.iam("DeleteRolePolicy", &inline);
            }
            _ => {}
        }
        shim.iam(action, parameters);
        let plan = stage.plan();
        let made = plan
            .changes
            .values()
            .any(|one| one.kind == kind && one.action == Action::Create);
        assert!(made, "{kind}: {:?}", plan.changes);
        stage.apply_saved(0);
        stage.settled(kind);
    }
    let secret = json!({"SecretId": "team/token", "ForceDeleteWithoutRecovery": true});
    shim.secrets("DeleteSecret", &secret);
    assert_eq!(stage.plan().counts().create, 1);
    stage.apply_saved(0);
    stage.settled("the secret");
}
