//! `remit rules`: what it lists, explains and finds, and the exit code that says so.

use remit::rules::{BASE, Rule, find, rules};
use serde_json::Value as Json;

use crate::support::workspace::Workspace;

fn rule(code: &str) -> &'static Rule {
    find(code).unwrap()
}

fn beside_base(text: &str) -> Workspace {
    let workspace = Workspace::new(text);
    workspace.write("base.remit.hcl", BASE);
    workspace
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_error_is_exit_code_4_in_every_format() {
    let workspace = beside_base(rule("RMT107").wrong);
    let text = workspace.expect(4, &["rules", "check"]).stdout;
    assert!(
        text.starts_with("error RMT107 loose-workload main.remit.hcl:7\n  `identity.reporting` is"),
        "{text}"
    );
    assert!(
        text.contains("skipped, needs a plan with the access in effect: RMT106, RMT201"),
        "{text}"
    );
    assert!(text.ends_with("skipped whole or in part.\n"), "{text}");
    let output = workspace.expect(4, &["rules", "check", "--format", "json"]);
    let answer = json(&output.stdout);
    assert_eq!(answer["findings"][0]["rule"], "RMT107");
    assert_eq!(answer["findings"][0]["place"], "main.remit.hcl:7");
    let output = workspace.expect(4, &["rules", "check", "--format", "sarif"]);
    let result = &json(&output.stdout)["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "RMT107");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "main.remit.hcl");
    let output = workspace.expect(4, &["rules", "check", "--format", "junit"]);
    assert!(
        output.stdout.contains("failures=\"1\""),
        "{}",
        output.stdout
    );
}

#[test]
fn warnings_and_what_is_waived_are_exit_code_0() {
    let workspace = beside_base(rule("RMT204").wrong);
    let text = workspace.expect(0, &["rules", "check"]).stdout;
    assert!(text.starts_with("warning RMT204"), "{text}");
    let exception = |date: &str| {
        format!(
            "{}\nexception \"x\" {{\n rule = \"RMT107\"\n applies_to = identity.reporting\n reason = \
             \"r\"\n approved_by = owner.payments\n expires_at = \"{date}\"\n}}\n",
            rule("RMT107").wrong
        )
    };
    let workspace = beside_base(&exception("2999-01-01"));
    let text = workspace.expect(0, &["rules", "check"]).stdout;
    assert!(text.contains(", by exception.x until "), "{text}");
    let workspace = beside_base(&exception("2020-01-01"));
    let text = workspace.expect(4, &["rules", "check"]).stdout;
    assert!(
        text.contains("error RMT303") && text.contains("error RMT107"),
        "{text}"
    );
}

#[test]
fn a_mistake_is_exit_code_1() {
    let wrong = "exception \"x\" {\n rule = \"RMT1O1\"\n applies_to = identity.triage\n reason = \
                 \"r\"\n approved_by = owner.payments\n expires_at = \"2999-01-01\"\n}\n";
    let workspace = beside_base(wrong);
    for command in [&["rules", "check"][..], &["validate"]] {
        let text = workspace.expect(1, command).stderr;
        assert!(
            text.contains("unknown rule") && text.contains("RMT101"),
            "{text}"
        );
    }
    let text = workspace
        .expect(1, &["rules", "explain", "shared-identiy"])
        .stderr;
    assert!(text.contains("did you mean `shared-identity`?"), "{text}");
}

#[test]
fn every_rule_is_listed_and_explained() {
    let workspace = Workspace::new("");
    let list = workspace.expect(0, &["rules", "list"]).stdout;
    assert_eq!(list.lines().count(), rules().count());
    let all = json(&workspace.expect(0, &["rules", "list", "--json"]).stdout);
    assert_eq!(all["rules"][0]["code"], "RMT101");
    let by_code = workspace.expect(0, &["rules", "explain", "rmt601"]).stdout;
    let by_name = workspace
        .expect(0, &["rules", "explain", "secret-literal"])
        .stdout;
    assert_eq!(by_code, by_name);
    assert!(by_code.contains(rule("RMT601").finds), "{by_code}");
}

#[test]
fn a_secret_in_the_configuration_is_not_shown() {
    // Put together here, so that no scanner takes this file for a leak.
    let secret = format!("hvs.{}", "c4n4ryW1thManyLettersIn1t");
    let workspace = beside_base(&format!("locals {{\n x = \"{secret}\"\n}}\n"));
    for format in ["text", "json", "sarif", "junit"] {
        let output = workspace.expect(4, &["rules", "check", "--format", format]);
        let told = format!("{}{}", output.stdout, output.stderr);
        assert!(told.contains("RMT601") && !told.contains(&secret), "{told}");
    }
}

/// Right examples can be planned: they are valid as a whole, and become objects.
#[test]
fn right_examples_are_valid() {
    for rule in rules() {
        let workspace = beside_base(rule.right);
        let more = [("REMIT_VAR_database_password", "x")];
        let output = workspace.remit_with(&["validate"], &more);
        assert_eq!(output.code, Some(0), "{}: {}", rule.code, output.stderr);
    }
}
