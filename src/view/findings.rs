//! What rules found, for people and as JSON; a rule explained.
//!
//! In: findings and rules. Out: text. A finding is its severity, its rule, where it is, what is
//! wrong, why that matters and what to write instead. What was skipped is said, so that silence
//! is never taken for a pass.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use remit_sdk::text::{safe, safe_block};
use serde_json::{Value as Json, json};

use super::prose::wrap;
use super::{Paint, count};
use crate::gate::Review;
use crate::rules::{Checked, Finding, Rule, Severity, rules};

/// The version of the JSON; raised in its first part when a reader would break.
const FORMAT: &str = "1.0";

/// The column that a finding's further lines begin at.
const INDENT: &str = "  ";

/// Of findings that say the same, how many things are named.
const SHOWN: usize = 20;

const fn severity(finding: &Finding) -> &'static str {
    match (finding.waived_by.is_some(), finding.severity) {
        (true, _) => "waived",
        (false, Severity::Error) => "error",
        (false, Severity::Warning) => "warning",
    }
}

/// What the rules said.
pub fn people(checked: &Checked, paint: Paint) -> String {
    let mut out = String::new();
    for group in grouped(&checked.findings, paint) {
        out.push_str(&group);
        out.push('\n');
    }
    out.push_str(&skipped(&checked.skipped, paint));
    if !checked.skipped.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{}", summary(checked));
    out
}

/// What rules lacked, a line for each thing.
pub fn skipped(skipped: &[(String, String)], paint: Paint) -> String {
    let mut out = String::new();
    for (what, codes) in lacking(skipped) {
        let line = format!("skipped, {}: {}", safe(what), codes.join(", "));
        let _ = writeln!(out, "{}", paint.faint(&line));
    }
    out
}

/// Why a plan can't be applied, as the rest of a sentence: what in it isn't only taken away.
pub fn stopping(review: &Review) -> String {
    let gives = review.gives();
    let gives = gives.map(|what| format!(", since it does more than take away ({})", safe(&what)));
    format!(
        "findings of severity error stop it{}.\n",
        gives.unwrap_or_default()
    )
}

/// Those that stop a plan.
pub fn errors(findings: &[Finding], paint: Paint) -> String {
    grouped(findings.iter().filter(|finding| finding.stops()), paint).concat()
}

/// Findings, those that say the same of several things in one.
pub fn grouped<'f>(findings: impl IntoIterator<Item = &'f Finding>, paint: Paint) -> Vec<String> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut places: BTreeMap<_, usize> = BTreeMap::new();
    for finding in findings {
        let Finding {
            rule,
            why,
            help,
            waived_by,
            ..
        } = finding;
        let said = (severity(finding), rule, why, help, waived_by);
        let place = *places.entry(said).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups.iter().map(|group| said(group, paint)).collect()
}

/// Where a finding is. A policy of the organisation knows no places.
fn place(finding: &Finding) -> Option<String> {
    let address = || finding.address.as_ref().map(ToString::to_string);
    let place = finding.place.clone().or_else(address)?;
    Some(safe(&place))
}

/// What is said of one thing or of several.
fn said(group: &[&Finding], paint: Paint) -> String {
    let Some(first) = group.first() else {
        return String::new();
    };
    let word = severity(first);
    let word = match word {
        "error" => paint.removed(word),
        "warning" => paint.changed(word),
        _ => paint.faint(word),
    };
    let head = paint.heading(&format!("{} {}", safe(&first.rule), safe(&first.name)));
    let mut out = format!("{word} {head}");
    if let [only] = group {
        if let Some(place) = place(only) {
            let _ = write!(out, " {}", paint.faint(&place));
        }
        let _ = writeln!(out, "{}", waived(first));
        let _ = writeln!(out, "{}", wrap(INDENT, INDENT, &safe(&only.what)));
    } else {
        let times = paint.faint(&format!("{} times", group.len()));
        let _ = writeln!(out, " {times}{}", waived(first));
        for finding in group.iter().take(SHOWN) {
            let place = place(finding).map_or(String::new(), |place| format!(" ({place})"));
            let what = format!("{}{place}", safe(&finding.what));
            let _ = writeln!(out, "{}", wrap("  - ", "    ", &what));
        }
        let more = group.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(out, "{INDENT}  and {more} more: --json names all");
        }
    }
    // What was waived was looked at by somebody.
    let said = [("why", &first.why), ("help", &first.help)].into_iter();
    for (word, text) in said.filter(|_| first.waived_by.is_none()) {
        // A policy of the organisation may say neither.
        if !text.is_empty() {
            let text = wrap(&format!("{INDENT}{word}: "), "    ", &safe(text));
            let _ = writeln!(out, "{text}");
        }
    }
    out
}

/// What waives a finding, and until when.
fn waived(finding: &Finding) -> String {
    let Some(exception) = &finding.waived_by else {
        return String::new();
    };
    let exception = safe(&exception.to_string());
    match &finding.waived_until {
        Some(date) => format!(", by {exception} until {}", safe(date)),
        None => format!(", by {exception}"),
    }
}

/// What was lacking, in the order it was first missed, each with the rules that lacked it.
fn lacking(skipped: &[(String, String)]) -> Vec<(&str, Vec<String>)> {
    let mut found: Vec<(&str, Vec<String>)> = Vec::new();
    for (code, what) in skipped {
        let (what, shown) = match what.strip_prefix("in part: ") {
            Some(rest) => (rest, format!("{} in part", safe(code))),
            None => (what.as_str(), safe(code)),
        };
        match found.iter_mut().find(|(known, _)| *known == what) {
            Some((_, codes)) => codes.push(shown),
            None => found.push((what, vec![shown])),
        }
    }
    found
}

/// `1 error, 2 warnings, 1 waived; 17 rules asked, 9 skipped whole or in part.`
fn summary(checked: &Checked) -> String {
    let number = |word: &str| {
        let all = checked.findings.iter();
        all.filter(|finding| severity(finding) == word).count()
    };
    format!(
        "{}, {}, {} waived. {}, {} of them skipped whole or in part.",
        count(number("error"), "error"),
        count(number("warning"), "warning"),
        number("waived"),
        count(rules().count(), "rule"),
        checked.skipped.len(),
    )
}

/// What the rules said, for machines.
pub fn json(checked: &Checked) -> Json {
    let findings: Vec<Json> = checked.findings.iter().map(finding_json).collect();
    let skipped: Vec<Json> = checked
        .skipped
        .iter()
        .map(|(rule, what)| json!({"rule": rule, "reason": safe(what)}))
        .collect();
    json!({
        "format_version": FORMAT,
        "stops": checked.stops(),
        "findings": findings,
        "skipped": skipped,
    })
}

/// One finding for machines.
pub fn finding_json(finding: &Finding) -> Json {
    let text = |one: &Option<String>| one.as_deref().map(safe);
    json!({
        "rule": safe(&finding.rule),
        "name": safe(&finding.name),
        "severity": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "address": finding.address.as_ref().map(|one| safe(&one.to_string())),
        "place": text(&finding.place),
        "what": safe(&finding.what),
        "why": safe(&finding.why),
        "help": safe(&finding.help),
        "waived_by": finding.waived_by.as_ref().map(|one| safe(&one.to_string())),
        "waived_until": finding.waived_until.as_deref().map(safe),
    })
}

/// The table of all rules.
pub fn list() -> String {
    let name = rules().map(|rule| rule.name.len()).max().unwrap_or(0);
    let weight = rules()
        .map(|rule| rule.weight.text().len())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for rule in rules() {
        let _ = writeln!(
            out,
            "{}  {:name$}  {:weight$}  {}",
            rule.code,
            rule.name,
            rule.weight.text(),
            rule.needs().join(", ")
        );
    }
    out
}

/// All rules for machines.
pub fn json_list() -> Json {
    let all: Vec<Json> = rules().map(rule_json).collect();
    json!({"format_version": FORMAT, "rules": all})
}

fn rule_json(rule: &Rule) -> Json {
    json!({
        "code": rule.code,
        "name": rule.name,
        "severity": rule.weight.text(),
        "needs": rule.needs(),
        "finds": rule.finds,
        "why": rule.why,
        "blind": rule.blind,
        "waivable": rule.may_be_waived(),
        "controls": rule.controls,
        "wrong": rule.wrong,
        "right": rule.right,
    })
}

/// What a rule is about, for people.
pub fn explain(rule: &Rule, paint: Paint) -> String {
    let mut out = format!(
        "{}\n\n",
        paint.heading(&format!("{} {}", rule.code, rule.name))
    );
    let mut paragraph = |name: &str, text: &str| {
        let _ = writeln!(out, "{}", wrap(name, "", text));
    };
    paragraph("", rule.finds);
    paragraph("\nWhy: ", rule.why);
    let severity = format!("{}. {}", rule.weight.text(), waiver(rule));
    paragraph("\nSeverity: ", &severity);
    paragraph("Needs: ", &format!("{}.", rule.needs().join(", ")));
    if !rule.blind.is_empty() {
        paragraph("Not seen: ", rule.blind);
    }
    if !rule.controls.is_empty() {
        paragraph("Evidence for: ", &format!("{}.", rule.controls.join(", ")));
    }
    for (title, text) in [("Wrong:", rule.wrong), ("Right:", rule.right)] {
        if text.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{title}\n");
        for line in safe_block(text).lines() {
            let indent = if line.is_empty() { "" } else { "    " };
            let _ = writeln!(out, "{indent}{line}");
        }
    }
    out
}

fn waiver(rule: &Rule) -> &'static str {
    if rule.may_be_waived() {
        "An `exception` block waives it for one declaration, until a date."
    } else {
        "An approval answers it; no exception does."
    }
}

/// A rule in Markdown.
pub fn markdown(rule: &Rule) -> String {
    let mut out = format!("# {} {}\n\n{}\n\n", rule.code, rule.name, rule.finds);
    let _ = writeln!(out, "**Why:** {}\n", rule.why);
    let _ = writeln!(
        out,
        "**Severity:** {}. {}\n",
        rule.weight.text(),
        waiver(rule)
    );
    let _ = writeln!(out, "**Needs:** {}.\n", rule.needs().join(", "));
    if !rule.blind.is_empty() {
        let _ = writeln!(out, "**Not seen:** {}\n", rule.blind);
    }
    if !rule.controls.is_empty() {
        let _ = writeln!(out, "**Evidence for:** {}.\n", rule.controls.join(", "));
    }
    for (title, text) in [("Wrong", rule.wrong), ("Right", rule.right)] {
        if text.is_empty() {
            continue;
        }
        let _ = writeln!(out, "## {title}\n\n```hcl\n{}\n```\n", text.trim_end());
    }
    format!("{}\n", out.trim_end())
}

/// A rule as a page of the documentation, beside the one that lists all.
pub fn page(rule: &Rule) -> String {
    let mut out = markdown(rule);
    if !rule.wrong.is_empty() {
        out.push_str("\nBeside [what every example stands in](README.md#around-the-examples).\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::findings;
    use super::*;

    #[test]
    fn what_people_see() {
        let expected = "\
error RMT101 shared-identity a b/main.remit.hcl:7
  <b> & `\\u{1b}`
  why: It matters.
  help: write \"it\"

waived RMT104 purposeless main.remit.hcl:9, by exception.z until 2027-03-31
  nothing

warning RMT204 unused-scope
  nothing
  why: It matters.
  help: write \"it\"

warning ORG/no-friday no-friday
  nothing
  why: It matters.
  help: write \"it\"

skipped, needs a plan: RMT201, RMT205 in part
skipped, needs what isn't read: RMT503

1 error, 2 warnings, 1 waived. ALL rules, 3 of them skipped whole or in part.
";
        let expected = expected.replace("ALL", &rules().count().to_string());
        assert_eq!(people(&findings(), Paint::PLAIN), expected);
    }

    #[test]
    fn what_machines_get() {
        let json = json(&findings());
        assert_eq!(json["stops"], true);
        assert_eq!(json["findings"][1]["waived_by"], "exception.z");
        assert_eq!(json["findings"][2]["address"], Json::Null);
        assert_eq!(json["skipped"][0]["rule"], "RMT201");
        let all = json_list();
        assert_eq!(all["rules"].as_array().unwrap().len(), rules().count());
    }

    #[test]
    fn a_rule_is_explained() {
        for rule in rules() {
            let text = explain(rule, Paint::PLAIN);
            assert!(text.starts_with(&format!("{} {}\n", rule.code, rule.name)));
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            for said in [rule.why, rule.finds] {
                assert!(words(&text).contains(&words(said)), "{text}");
            }
            assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
            assert!(list().contains(rule.code));
        }
    }
}
