//! Exceptions: which findings are waived, and which exceptions name no rule that could be.

use std::collections::BTreeSet;

use remit_sdk::{Address, Diagnostic};

use super::Checked;
use super::finding::Finding;
use super::identity::quoted;
use super::input::Input;
use super::rule::{find, rules};
use super::when::is_past;
use crate::diagnostic::nearest;
use crate::model::Model;

/// What is wrong with the rules that exceptions name.
pub fn mistakes(model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for exception in model.exceptions.values() {
        let code = exception.rule.value.as_str();
        let mistake = match find(code).filter(|rule| rule.code == code) {
            Some(rule) if rule.may_be_waived() => continue,
            Some(rule) => Diagnostic::error(
                "rule that can't be waived",
                format!("{} ({}) is met by approvals", rule.code, rule.name),
            )
            .help("let those approve the plan whom the scope names"),
            None => Diagnostic::error("unknown rule", format!("there is no rule {}", quoted(code)))
                .help(near(code)),
        };
        let address = Address::Declaration(exception.address.clone());
        found.push(mistake.at(exception.rule.span).about(address));
    }
    found
}

/// The rule that was meant, by its code or by its name.
fn near(code: &str) -> String {
    let by_name = find(code).map(|rule| rule.code);
    let by_code = || nearest(code, rules().map(|rule| rule.code));
    match by_name.or_else(by_code) {
        Some(code) => format!("did you mean `{code}`?"),
        None => "`remit rules list` shows them".to_owned(),
    }
}

/// Says for each finding which exception waives it, if one does that hasn't expired.
pub(super) fn waive(input: &Input<'_>, findings: &mut [Finding]) {
    let exceptions = &input.model.exceptions;
    if exceptions.is_empty() {
        return;
    }
    for finding in findings {
        let declaration = match &finding.address {
            Some(Address::Declaration(address)) => address,
            Some(Address::Object(object)) => &object.declaration,
            None => continue,
        };
        let waiver = exceptions.values().find(|exception| {
            exception.rule.value == finding.rule
                && exception.covers(declaration)
                && find(&finding.rule).is_some_and(super::Rule::may_be_waived)
                && !is_past(&exception.expires_at, input.now)
        });
        finding.waived_by = waiver.map(|exception| exception.address.clone());
        finding.waived_until = waiver.map(|exception| exception.expires_at.clone());
    }
}

/// Warns of exceptions that waive nothing, as far as their rules were asked: whoever wrote one may
/// take for waived what isn't.
pub fn idle(model: &Model, checked: &Checked, now: &str) -> Vec<Diagnostic> {
    let waiving: BTreeSet<_> = checked
        .findings
        .iter()
        .filter_map(|finding| finding.waived_by.as_ref())
        .collect();
    let skipped = |rule: &str| checked.skipped.iter().any(|(code, _)| code == rule);
    let idle = model.exceptions.values().filter(|exception| {
        !waiving.contains(&exception.address)
            && !skipped(&exception.rule.value)
            && !is_past(&exception.expires_at, now)
    });
    idle.map(|exception| {
        let rule = &exception.rule.value;
        let found = checked.findings.iter().filter(|one| one.rule == *rule);
        let about: BTreeSet<String> = found
            .filter(|finding| finding.waived_by.is_none())
            .filter_map(|finding| finding.address.as_ref())
            .map(|address| match address {
                Address::Object(object) => object.declaration.to_string(),
                Address::Declaration(declaration) => declaration.to_string(),
            })
            .collect();
        let help = match about.first() {
            Some(first) => format!("{rule} finds something in {first}: that is what to write"),
            None => "remove it if what it was for is mended".to_owned(),
        };
        let what = format!("{rule} finds nothing in {}", exception.applies_to);
        Diagnostic::warning("exception that waives nothing", what)
            .help(help)
            .at(exception.rule.span)
            .about(Address::Declaration(exception.address.clone()))
    })
    .collect()
}
