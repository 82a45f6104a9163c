//! Rules: identity before rotation. PURE.
//!
//! In: the model, and where there are some the plan, the access in effect, what changes of it and
//! what was observed ([`Input`]). Out: findings in one fixed order, and the rules that lacked an
//! input ([`Checked`]): those are listed as skipped, never passed. What is to be removed is no
//! rule's concern: a finding is always about something declared, or about something that lives
//! and nobody declared. A rule never shows a text that may be a secret.
//!
//! | file | what is in it |
//! |---|---|
//! | `rule` | what a rule is, and the table of all |
//! | `input` | what rules look at |
//! | `facts` | what several rules ask of the model, computed once |
//! | `part` | findings that a plan of a part doesn't touch |
//! | `exception` | which findings are waived, and exceptions that name no rule |
//! | `identity`, `purpose`, `workload` | 101 to 107 |
//! | `access`, `escalation`, `overlap` | 201 to 206 |
//! | `session` | 301 to 303 |
//! | `live` | 501 to 504 |
//! | `literal` | 601 |
//! | `when` | dates and moments |

mod access;
mod escalation;
mod exception;
mod facts;
mod finding;
mod identity;
mod input;
mod literal;
mod live;
#[cfg(test)]
mod live_tests;
mod overlap;
mod part;
mod purpose;
mod rule;
mod session;
#[cfg(test)]
mod session_tests;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod when;
mod workload;
#[cfg(test)]
mod workload_tests;

pub use exception::{idle, mistakes};
pub use finding::{Finding, ORGANISATION, Severity};
pub use input::{CeilingExcess, Effective, EscalationOf, InEffect, Input};
pub use part::Touched;
pub use rule::{BASE, Need, Part, Rule, Weight, find, rules};

use facts::Facts;
use rule::Report;

/// What the rules said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What they found: by rule, then by address, then by what is wrong.
    pub findings: Vec<Finding>,
    /// The rules that lacked an input, each with what was lacking.
    pub skipped: Vec<(String, String)>,
}

impl Checked {
    /// Whether a finding stops what creates or widens.
    pub fn stops(&self) -> bool {
        self.findings.iter().any(Finding::stops)
    }
}

/// Asks every rule.
pub fn check(input: &Input<'_>) -> Checked {
    let facts = Facts::new(input.model);
    let mut checked = Checked::default();
    for rule in rules() {
        let mut lacking: Vec<String> = Vec::new();
        let mut is_asked = false;
        for part in rule.parts {
            if let Some(what) = part.needs.lacking(input) {
                lacking.push(what.to_owned());
                continue;
            }
            is_asked = true;
            let mut report = Report {
                rule,
                input,
                facts: &facts,
                findings: &mut checked.findings,
                lacking: &mut lacking,
            };
            (part.run)(&mut report);
            if part.needs == Need::Access {
                lacking.extend(unknown(input));
            }
        }
        if !lacking.is_empty() {
            lacking.dedup();
            let how = if is_asked { "in part: " } else { "" };
            let what = format!("{how}needs {}", lacking.join(", and "));
            checked.skipped.push((rule.code.to_owned(), what));
        }
    }
    exception::waive(input, &mut checked.findings);
    checked.findings.sort_by(|a, b| key(a).cmp(&key(b)));
    checked.findings.dedup();
    checked
}

/// What gives something and couldn't be looked at, in a few words.
fn unknown(input: &Input<'_>) -> Option<String> {
    let all = &input.access?.unknown;
    let named: Vec<&str> = all.iter().take(UNKNOWN_NAMED).map(String::as_str).collect();
    let more = match all.len().saturating_sub(UNKNOWN_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!all.is_empty()).then(|| format!("{}{more}, which can't be evaluated", named.join(", ")))
}

/// How much of what can't be evaluated is named.
const UNKNOWN_NAMED: usize = 3;

/// What findings are ordered by.
fn key(finding: &Finding) -> (&str, Option<&remit_sdk::Address>, &str, Option<&str>) {
    let place = finding.place.as_deref();
    (
        &finding.rule,
        finding.address.as_ref(),
        &finding.what,
        place,
    )
}
