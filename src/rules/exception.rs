//! Exceptions: which findings are waived, and which exceptions name no rule that could be.

use remit_sdk::{Address, Diagnostic};

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
    }
}
