//! What rules found, as SARIF 2.1.0 (OASIS): what code hosts show beside the lines.
//!
//! In: findings. Out: one log with one run. Every rule stands in it, asked or not, so that a
//! finding refers to it by index; a rule that was skipped is a notification of the run. A waived
//! finding is a suppressed result. A finding without a place is about the configuration's folder.

use std::fmt::Write as _;

use remit_sdk::text::safe;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::rules::{Checked, Finding, Rule, Severity, Weight, rules};

/// Where the schema of the format stands.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The log.
pub fn log(checked: &Checked) -> Json {
    let rules_json: Vec<Json> = rules().map(rule).collect();
    let results: Vec<Json> = checked.findings.iter().map(result).collect();
    let skipped: Vec<Json> = checked
        .skipped
        .iter()
        .map(|(code, what)| {
            json!({
                "level": "note",
                "message": {"text": format!("skipped {code}: {}", safe(what))},
                "associatedRule": reference(code),
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "remit",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules_json,
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": skipped,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(rule: &Rule) -> Json {
    let default = match rule.weight {
        Weight::Error | Weight::ByTier => "error",
        Weight::Warning => "warning",
    };
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.finds},
        "fullDescription": {"text": format!("{} {}", rule.finds, rule.why)},
        "help": {"text": help(rule), "markdown": super::findings::markdown(rule)},
        "defaultConfiguration": {"level": default},
        "properties": {"tags": rule.controls},
    })
}

fn help(rule: &Rule) -> String {
    let mut text = rule.why.to_owned();
    if !rule.right.is_empty() {
        text.push_str("\n\nRight:\n\n");
        text.push_str(rule.right);
    }
    text
}

/// A rule by its id, and its index where it is one of ours.
fn reference(code: &str) -> Json {
    match rules().position(|rule| rule.code == code) {
        Some(index) => json!({"id": code, "index": index}),
        None => json!({"id": safe(code)}),
    }
}

fn result(finding: &Finding) -> Json {
    let mut json = Map::new();
    json.insert("ruleId".into(), safe(&finding.rule).into());
    if let Some(index) = rules().position(|rule| rule.code == finding.rule) {
        json.insert("ruleIndex".into(), index.into());
    }
    json.insert("level".into(), level(finding.severity).into());
    let text = format!(
        "{}. {}. Help: {}",
        finding.what,
        finding.why.trim_end_matches('.'),
        finding.help
    );
    json.insert("message".into(), json!({"text": safe(&text)}));
    json.insert("locations".into(), json!([location(finding)]));
    let prints = json!({"remitFinding/v1": fingerprint(finding)});
    json.insert("partialFingerprints".into(), prints);
    if let Some(exception) = &finding.waived_by {
        let why = format!("waived by {}", safe(&exception.to_string()));
        let one = json!({"kind": "inSource", "status": "accepted", "justification": why});
        json.insert("suppressions".into(), json!([one]));
    }
    Json::Object(json)
}

/// What stays the same when lines move: SHA-256 over rule, address and what is wrong.
fn fingerprint(finding: &Finding) -> String {
    let address = finding.address.as_ref().map(ToString::to_string);
    let text = [&finding.rule, &address.unwrap_or_default(), &finding.what];
    // No part holds a line break that isn't escaped, so the parts can't run together.
    let text = text.map(|part| safe(part)).join("\n");
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn location(finding: &Finding) -> Json {
    let mut json = Map::new();
    let place = finding.place.as_deref().and_then(split);
    let physical = match place {
        Some((file, line)) => json!({
            "artifactLocation": {"uri": uri(file)},
            "region": {"startLine": line},
        }),
        None => json!({"artifactLocation": {"uri": "."}}),
    };
    json.insert("physicalLocation".into(), physical);
    if let Some(address) = &finding.address {
        let name = safe(&address.to_string());
        json.insert(
            "logicalLocations".into(),
            json!([{"fullyQualifiedName": name}]),
        );
    }
    Json::Object(json)
}

/// File and line of `agents.remit.hcl:41`.
pub(super) fn split(place: &str) -> Option<(&str, u64)> {
    let (file, line) = place.rsplit_once(':')?;
    let line = line.parse().ok().filter(|line| *line > 0)?;
    (!file.is_empty()).then_some((file, line))
}

/// A relative path as a URI reference (RFC 3986): what isn't plain is written in hex.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{findings, schema};
    use super::*;

    fn violations(json: &Json) -> Vec<String> {
        let text = include_str!("../../tests/schema/sarif-2.1.0.json");
        schema::violations(&serde_json::from_str(text).unwrap(), json)
    }

    #[test]
    fn a_log_is_what_the_standard_says() {
        assert_eq!(violations(&log(&findings())), [""; 0]);
        assert_eq!(violations(&log(&Checked::default())), [""; 0]);
        let mut broken = log(&findings());
        broken["runs"][0]["results"][0]["level"] = "bad".into();
        assert!(!violations(&broken).is_empty());
    }

    #[test]
    fn results_refer_to_rules_and_lines() {
        let log = log(&findings());
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let Some(index) = result["ruleIndex"].as_u64() else {
                assert_eq!(result["ruleId"], "ORG/no-friday");
                continue;
            };
            let rule = &run["tool"]["driver"]["rules"][usize::try_from(index).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
        }
        let print =
            |at: usize| run["results"][at]["partialFingerprints"]["remitFinding/v1"].as_str();
        assert!(print(0).is_some_and(|print| print.len() == 64) && print(0) != print(1));
        let place = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/main.remit.hcl");
        assert_eq!(place["region"]["startLine"], 7);
        assert_eq!(run["results"][1]["suppressions"][0]["kind"], "inSource");
        let skipped = &run["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(skipped["associatedRule"]["id"], "RMT201");
    }
}
