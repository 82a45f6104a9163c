//! What rules and policies found, for people.
//!
//! In: findings. Out: a line for each, with what it is about and what to do instead
//! below it; nothing where nothing was found.

use std::fmt::Write as _;

use remit_sdk::text;

use super::Paint;
use crate::rules::{Finding, Severity};

/// The findings as text, without their heading.
pub fn people(findings: &[Finding], paint: Paint) -> String {
    let mut out = String::new();
    for finding in findings {
        let word = match finding.severity {
            Severity::Error => paint.removed("error"),
            Severity::Warning => paint.changed("warning"),
        };
        let _ = writeln!(
            out,
            "  {word} {} {}: {}",
            text::safe(&finding.rule),
            text::safe(&finding.name),
            text::safe(&finding.what)
        );
        if let Some(address) = &finding.address {
            let _ = writeln!(out, "      {}", paint.faint(&address.to_string()));
        }
        if !finding.help.is_empty() {
            let _ = writeln!(out, "      help: {}", text::safe(&finding.help));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_for_people() {
        let finding = Finding {
            rule: "ORG".into(),
            name: "fridays".into(),
            severity: Severity::Error,
            address: "identity.x[\"prod\"]".parse().ok(),
            place: None,
            what: "it is Friday\u{1b}[2J".into(),
            why: String::new(),
            help: "wait for Monday".into(),
            waived_by: None,
        };
        let warning = Finding {
            severity: Severity::Warning,
            address: None,
            help: String::new(),
            what: "soon".into(),
            ..finding.clone()
        };
        assert_eq!(people(&[], Paint::PLAIN), "");
        assert_eq!(
            people(&[finding, warning], Paint::PLAIN),
            "  error ORG fridays: it is Friday\\u{1b}[2J\n      identity.x[\"prod\"]\n      \
             help: wait for Monday\n  warning ORG fridays: soon\n"
        );
    }
}
