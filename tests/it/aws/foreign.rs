//! What is not ours: never taken over, never touched, however much of it there is.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::Stage;
use super::contract::EVERYTHING;
use super::shim::Shim;
use super::shim::fault::{Fault, Rule};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}"#;

fn role(shim: &Shim, name: &str) {
    shim.iam(
        "CreateRole",
        &[("RoleName", name), ("AssumeRolePolicyDocument", TRUST)],
    );
}

/// Roles with policies of their own, as many as asked for, and one of everything else.
fn populate(shim: &Shim, roles: usize) {
    shim.iam(
        "CreatePolicy",
        &[("PolicyName", "theirs"), ("PolicyDocument", POLICY)],
    );
    let arn = shim.arn("policy/theirs");
    for number in 0..roles {
        let name = format!("theirs-{number}");
        role(shim, &name);
        if number % 4 == 0 {
            shim.iam(
                "PutRolePolicy",
                &[
                    ("RoleName", &name),
                    ("PolicyName", "own"),
                    ("PolicyDocument", POLICY),
                ],
            );
            shim.iam(
                "AttachRolePolicy",
                &[("RoleName", &name), ("PolicyArn", &arn)],
            );
        }
    }
    shim.iam("CreateUser", &[("UserName", "theirs")]);
    shim.iam("CreateGroup", &[("GroupName", "theirs")]);
    shim.iam(
        "AddUserToGroup",
        &[("UserName", "theirs"), ("GroupName", "theirs")],
    );
    shim.iam(
        "CreateInstanceProfile",
        &[("InstanceProfileName", "theirs")],
    );
    shim.iam(
        "CreateOpenIDConnectProvider",
        &[
            ("Url", "https://theirs.example.com"),
            ("ClientIDList.member.1", "theirs"),
        ],
    );
    shim.secrets(
        "CreateSecret",
        &json!({"Name": "theirs", "SecretString": "x"}),
    );
}

#[test]
fn an_account_full_of_somebody_elses_things_stays_byte_for_byte_as_it_was() {
    let stage = Stage::new(EVERYTHING);
    populate(&stage.shim, 40);
    let before = stage.shim.dump();
    stage.converge();
    let during = stage.shim.dump();
    assert!(during.len() > before.len());
    for thing in &before {
        assert!(during.contains(thing), "changed by an apply: {thing}");
    }
    stage.destroy();
    assert_eq!(stage.shim.dump(), before);
    for asked in stage.shim.writes() {
        let parameters = format!("{:?}", asked.parameters);
        assert!(
            !parameters.contains("theirs"),
            "{} {parameters}",
            asked.action
        );
    }
}

#[test]
fn with_a_thousand_roles_a_plan_without_changes_costs_pages_and_ten_requests() {
    let stage = Stage::new(EVERYTHING);
    populate(&stage.shim, 1000);
    stage.converge();
    stage.shim.take_log();
    let started = Instant::now();
    stage.settled("among a thousand");
    let took = started.elapsed();
    let log = stage.shim.take_log();
    let listings = ["GetAccountAuthorizationDetails", "ListRoles"];
    let (pages, others): (Vec<_>, Vec<_>) = log
        .iter()
        .partition(|asked| listings.contains(&asked.action.as_str()));
    let others: Vec<&str> = others.iter().map(|asked| asked.action.as_str()).collect();
    assert!(others.len() <= 10, "{} pages and {others:?}", pages.len());
    // 1,002 roles and a few others, in two listings, at the most a page can hold.
    assert!(pages.len() <= 8, "{} pages", pages.len());
    assert!(stage.shim.writes().is_empty());
    println!("{} pages, {} others, {took:?}", pages.len(), others.len());
}

/// One of every kind that stands by itself, none naming another.
const APART: &str = r#"
resource "aws_iam_role" "r" {
  name               = "agent"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}
resource "aws_iam_policy" "p" {
  name   = "reader"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }]
  })
}
resource "aws_iam_user" "u" {
  name = "robot"
}
resource "aws_iam_group" "g" {
  name = "robots"
}
resource "aws_iam_instance_profile" "m" {
  name = "machine"
}
resource "aws_iam_openid_connect_provider" "o" {
  url            = "https://issuer.example.com/x"
  client_id_list = ["aws"]
}
resource "aws_secretsmanager_secret" "s" {
  name = "team/token"
}
"#;

/// Plans and applies over what is theirs: what is said, with nothing written.
fn kept(stage: &Stage) -> String {
    let before = stage.shim.dump();
    let said = stage.refused();
    let applied = stage.space.remit(&["apply", "--auto-approve"]);
    assert_eq!(applied.code, Some(1), "{}", applied.stderr);
    assert!(stage.shim.writes().is_empty());
    assert_eq!(stage.shim.dump(), before);
    said
}

#[test]
fn a_create_over_what_is_not_ours_is_refused_and_names_import() {
    let stage = Stage::new(APART);
    let shim = &stage.shim;
    let document = ("PolicyDocument", POLICY);
    shim.iam("CreatePolicy", &[("PolicyName", "reader"), document]);
    role(shim, "agent");
    shim.iam("CreateUser", &[("UserName", "robot")]);
    shim.iam("CreateGroup", &[("GroupName", "robots")]);
    shim.iam(
        "CreateInstanceProfile",
        &[("InstanceProfileName", "machine")],
    );
    let url = ("Url", "https://issuer.example.com/x");
    let client = ("ClientIDList.member.1", "theirs");
    shim.iam("CreateOpenIDConnectProvider", &[url, client]);
    shim.secrets(
        "CreateSecret",
        &json!({"Name": "team/token", "SecretString": "x"}),
    );
    let said = kept(&stage);
    let refused = said.matches("error: object exists and is not ours").count();
    assert_eq!(refused, 7, "{said}");
    assert_eq!(said.matches("remit import").count(), 7, "{said}");
}

/// To AWS, names that differ in case alone are one.
#[test]
fn a_name_that_is_theirs_in_another_case_is_refused() {
    let stage = Stage::new(APART);
    let shim = &stage.shim;
    let document = ("PolicyDocument", POLICY);
    let path = ("Path", "/elsewhere/");
    shim.iam("CreatePolicy", &[("PolicyName", "READER"), path, document]);
    role(shim, "Agent");
    shim.iam("CreateUser", &[("UserName", "ROBOT")]);
    shim.iam("CreateGroup", &[("GroupName", "Robots")]);
    shim.iam(
        "CreateInstanceProfile",
        &[("InstanceProfileName", "MACHINE")],
    );
    let output = stage.space.remit(&["apply", "--auto-approve"]);
    let said = output.stdout + &output.stderr;
    assert!(matches!(output.code, Some(1 | 5)), "{said}");
    for name in ["READER", "Agent", "ROBOT", "Robots"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    let before = ["CreatePolicy", "CreateRole", "CreateUser", "CreateGroup"];
    for asked in shim.writes() {
        assert!(!before.contains(&asked.action.as_str()), "{asked:?}");
    }
}

/// A policy of theirs under the name of ours, in a role of ours: the role says whose it is.
#[test]
fn what_is_changed_between_plan_and_apply_stops_the_apply() {
    let mut stage = Stage::new(EVERYTHING);
    stage.converge();
    stage.edit("\"s3:GetObject\", \"s3:ListBucket\"", "\"s3:GetObject\"");
    stage.edit("an agent", "the agent");
    let plan = stage.plan();
    assert_eq!(plan.counts().update, 4, "{:?}", plan.changes.keys());
    let inline = [("RoleName", "agent"), ("PolicyName", "inline")];
    let theirs = [inline[0], inline[1], ("PolicyDocument", POLICY)];
    stage.shim.iam("PutRolePolicy", &theirs);
    stage.shim.take_log();
    let output = stage.apply_saved(1);
    assert!(
        output.stderr.contains("aws_iam_role_policy"),
        "{}",
        output.stderr
    );
    let writes = stage.shim.writes();
    assert!(writes.is_empty(), "nothing is written: {writes:?}");
    stage.converge();
}

/// Somebody makes the object in the moment between our look and our write.
#[test]
fn who_comes_first_keeps_the_name() {
    let stage = Stage::new(EVERYTHING);
    let other = stage.shim.clone();
    let act = move || role(&other, "Agent");
    let rule = Rule::on("CreateRole", Fault::Meanwhile(Arc::new(act)));
    // The second one made is the one with the policies.
    stage.shim.rule(rule.from(1).times(1));
    let output = stage.space.remit(&["apply", "--auto-approve"]);
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    let theirs = stage.shim.iam("GetRole", &[("RoleName", "Agent")]);
    assert!(theirs.contains("lambda.amazonaws.com"), "{theirs}");
    let said = stage.refused();
    assert!(said.contains("`Agent` is there already"), "{said}");
}
