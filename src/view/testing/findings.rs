//! What rules found, for the tests of this module: one of each sort.

use remit_sdk::{Address, DeclarationAddress};

use crate::rules::{Checked, Finding, Severity};

fn finding(rule: &str, name: &str, address: Option<(&str, &str)>) -> Finding {
    Finding {
        rule: rule.into(),
        name: name.into(),
        severity: Severity::Warning,
        address: address
            .map(|(kind, name)| Address::Declaration(DeclarationAddress::new(kind, name))),
        place: None,
        what: "nothing".into(),
        why: "It matters.".into(),
        help: "write \"it\"".into(),
        waived_by: None,
        waived_until: None,
    }
}

/// An error, a waived error, a warning, and one of an organisation's own.
pub(in crate::view) fn findings() -> Checked {
    Checked {
        findings: vec![
            Finding {
                severity: Severity::Error,
                place: Some("a b/main.remit.hcl:7".into()),
                what: "<b> & `\u{1b}`".into(),
                ..finding("RMT101", "shared-identity", Some(("identity", "x")))
            },
            Finding {
                severity: Severity::Error,
                place: Some("main.remit.hcl:9".into()),
                waived_by: Some(DeclarationAddress::new("exception", "z")),
                waived_until: Some("2027-03-31".into()),
                ..finding("RMT104", "purposeless", Some(("agent", "y")))
            },
            finding("RMT204", "unused-scope", None),
            finding("ORG/no-friday", "no-friday", None),
        ],
        skipped: vec![
            ("RMT201".into(), "needs a plan".into()),
            ("RMT205".into(), "in part: needs a plan".into()),
            ("RMT503".into(), "needs what isn't read".into()),
        ],
    }
}
