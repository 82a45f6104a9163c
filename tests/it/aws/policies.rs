//! Versions, exclusive and foreign policies, replaced roles, broken trust.

use remit::diff::Action;

use super::Stage;
use super::contract::EVERYTHING;
use super::shim::wire::decode;
use super::shim::xml;

const OTHER: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"*"}]}"#;

fn versions(stage: &Stage, arn: &str) -> Vec<String> {
    let told = stage.shim.iam("ListPolicyVersions", &[("PolicyArn", arn)]);
    xml::members(&told, "Versions")
        .into_iter()
        .map(|one| xml::text(one, "VersionId").unwrap())
        .collect()
}

#[test]
fn a_sixth_version_makes_room_without_touching_the_default() {
    let mut stage = Stage::new(EVERYTHING);
    stage.converge();
    let arn = stage.shim.arn("policy/team/reader");
    // Four of somebody else's, the last of which is what counts.
    for default in ["false", "false", "false", "true"] {
        stage.shim.iam(
            "CreatePolicyVersion",
            &[
                ("PolicyArn", &arn),
                ("PolicyDocument", OTHER),
                ("SetAsDefault", default),
            ],
        );
    }
    stage.shim.take_log();
    stage.converge();
    let writes = stage.shim.writes();
    let gone: Vec<&str> = writes
        .iter()
        .filter(|asked| asked.action == "DeletePolicyVersion")
        .map(|asked| asked.parameters["VersionId"].as_str())
        .collect();
    assert_eq!(gone, ["v1"], "the oldest that does not count");
    assert!(versions(&stage, &arn).contains(&"v6".to_owned()));
    // And again, with every change.
    for number in 0..6 {
        stage.edit("s3:ListBucket", &format!("s3:ListBucket{number}"));
        stage.converge();
        stage.edit(&format!("s3:ListBucket{number}"), "s3:ListBucket");
    }
    assert!(versions(&stage, &arn).len() <= 5);
    stage.destroy();
    assert!(stage.shim.dump().is_empty(), "{:?}", stage.shim.dump());
}

#[test]
fn what_somebody_else_attached_is_left_alone() {
    let stage = Stage::new(EVERYTHING);
    stage.converge();
    let shim = &stage.shim;
    shim.iam(
        "CreatePolicy",
        &[("PolicyName", "theirs"), ("PolicyDocument", OTHER)],
    );
    let arn = shim.arn("policy/theirs");
    let attachment = [("RoleName", "agent"), ("PolicyArn", &*arn)];
    shim.iam("AttachRolePolicy", &attachment);
    let inline = [("RoleName", "agent"), ("PolicyName", "added")];
    shim.iam(
        "PutRolePolicy",
        &[inline[0], inline[1], ("PolicyDocument", OTHER)],
    );
    stage.settled("with a foreign attachment");
    // It keeps the role from being removed, and is not removed for that.
    let output = stage.space.remit(&["destroy", "--auto-approve"]);
    assert_ne!(output.code, Some(0), "{}", output.stdout);
    let said = output.stdout + &output.stderr;
    assert!(
        said.contains("theirs") || said.contains("DeleteConflict"),
        "{said}"
    );
    let attached = shim.iam("ListAttachedRolePolicies", &[("RoleName", "agent")]);
    assert!(attached.contains(&arn), "{attached}");
    for asked in shim.writes() {
        let parameters = format!("{:?}", asked.parameters);
        assert!(
            !parameters.contains("theirs") && !parameters.contains("added"),
            "{} {parameters}",
            asked.action
        );
    }
    shim.iam("DetachRolePolicy", &attachment);
    shim.iam("DeleteRolePolicy", &inline);
    stage.destroy();
}

#[test]
fn exclusive_policies_are_removed_by_name() {
    let mut stage = Stage::new(EVERYTHING);
    stage.edit(
        "description          = \"an agent\"",
        "description          = \"an agent\"\n  inline_policies = [\"inline\"]\n  attached_policies = [aws_iam_policy.p.arn]",
    );
    stage.converge();
    let shim = &stage.shim;
    shim.iam(
        "CreatePolicy",
        &[("PolicyName", "theirs"), ("PolicyDocument", OTHER)],
    );
    let arn = shim.arn("policy/theirs");
    shim.iam(
        "AttachRolePolicy",
        &[("RoleName", "agent"), ("PolicyArn", &arn)],
    );
    shim.iam(
        "PutRolePolicy",
        &[
            ("RoleName", "agent"),
            ("PolicyName", "added"),
            ("PolicyDocument", OTHER),
        ],
    );
    let shown = stage.space.expect(0, &["plan"]).stdout;
    assert!(shown.contains("added") && shown.contains(&arn), "{shown}");
    shim.take_log();
    stage.converge();
    let writes = shim.writes();
    let removed: Vec<(&str, &str)> = writes
        .iter()
        .map(|asked| {
            let what = if asked.action == "DeleteRolePolicy" {
                "PolicyName"
            } else {
                "PolicyArn"
            };
            let whom = asked.parameters.get(what).map_or("", String::as_str);
            (asked.action.as_str(), whom)
        })
        .collect();
    assert_eq!(writes.len(), 2, "{removed:?}");
    assert!(
        removed.contains(&("DeleteRolePolicy", "added")),
        "{removed:?}"
    );
    assert!(removed.contains(&("DetachRolePolicy", &arn)), "{removed:?}");
    // The policy itself is theirs.
    shim.iam("GetPolicy", &[("PolicyArn", &arn)]);
}

#[test]
fn a_replaced_role_gets_its_policies_again() {
    let mut stage = Stage::new(EVERYTHING);
    stage.converge();
    stage.edit("path = \"/agents/\"", "path = \"/others/\"");
    let plan = stage.plan();
    let replaced = plan
        .changes
        .values()
        .any(|one| one.kind == "aws_iam_role" && one.action == Action::Replace);
    assert!(replaced, "{:?}", plan.changes);
    // The secret's policy names the role: AWS changes it under our hands when the role goes.
    let output = stage.space.remit(&["apply", "saved.remitplan"]);
    assert!(matches!(output.code, Some(0 | 5)), "{}", output.stderr);
    stage.converge();
    let shim = &stage.shim;
    let told = shim.iam("GetRole", &[("RoleName", "agent")]);
    assert!(told.contains(&shim.arn("role/others/agent")), "{told}");
    shim.iam(
        "GetRolePolicy",
        &[("RoleName", "agent"), ("PolicyName", "inline")],
    );
    let attached = shim.iam("ListAttachedRolePolicies", &[("RoleName", "agent")]);
    assert_eq!(xml::members(&attached, "AttachedPolicies").len(), 1);
}

#[test]
fn a_trust_that_a_removed_role_broke_is_said_and_mended() {
    let stage = Stage::new(EVERYTHING);
    stage.converge();
    let shim = &stage.shim;
    let profile = [("InstanceProfileName", "machine"), ("RoleName", "caller")];
    shim.iam("RemoveRoleFromInstanceProfile", &profile);
    shim.iam("DeleteRole", &[("RoleName", "caller")]);
    stage.space.expect(
        0,
        &["apply", "--auto-approve", "--target", "aws_iam_role.caller"],
    );
    let trust = |stage: &Stage| {
        let told = stage.shim.iam("GetRole", &[("RoleName", "agent")]);
        decode(&xml::text(&told, "AssumeRolePolicyDocument").unwrap())
    };
    assert!(trust(&stage).contains("AROA"), "{}", trust(&stage));
    let output = stage.space.expect(0, &["plan"]);
    let said = output.stdout + &output.stderr;
    assert!(said.contains("broken trust"), "{said}");
    stage.converge();
    assert!(
        trust(&stage).contains(&shim.arn("role/caller")),
        "{}",
        trust(&stage)
    );
}

/// A role that our own profile hands out, and a policy that our own attachment uses.
const HELD: &str = r#"
locals {
  trust = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }] })
  read  = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })
}
resource "aws_iam_role" "r" {
  name               = "held"
  path               = "/a/"
  assume_role_policy = local.trust
}
resource "aws_iam_instance_profile" "p" {
  name = "holder"
  role = aws_iam_role.r.name
}
resource "aws_iam_role_policy" "i" {
  role   = aws_iam_role.r.name
  name   = "inline"
  policy = local.read
}
resource "aws_iam_policy" "p" {
  name        = "used"
  description = "one"
  policy      = local.read
}
resource "aws_iam_policy_attachment" "a" {
  role       = aws_iam_role.r.name
  policy_arn = aws_iam_policy.p.arn
}
"#;

#[test]
fn what_is_held_is_made_anew_with_what_holds_it() {
    let mut stage = Stage::new(HELD);
    stage.converge();
    stage.edit("\"/a/\"", "\"/b/\"");
    stage.converge();
    let told = stage
        .shim
        .iam("GetInstanceProfile", &[("InstanceProfileName", "holder")]);
    assert!(told.contains(&stage.shim.arn("role/b/held")), "{told}");
    stage.edit("\"one\"", "\"two\"");
    stage.converge();
    let attached = stage
        .shim
        .iam("ListAttachedRolePolicies", &[("RoleName", "held")]);
    assert_eq!(xml::members(&attached, "AttachedPolicies").len(), 1);
    // A boundary must not be away, not even for a moment.
    stage.edit(
        "  path               = \"/b/\"",
        "  path               = \"/b/\"\n  permissions_boundary = aws_iam_policy.p.arn",
    );
    stage.converge();
    stage.edit("\"two\"", "\"three\"");
    let output = stage.space.remit(&["plan"]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(output.stderr.contains("object in use"), "{}", output.stderr);
}
