//! What a rule answered, as findings.
//!
//! In: a set of texts or objects. Out: findings, in the set's order. Anything else is a fault:
//! an answer that can't be read might have been a refusal.

use regorus::Value;
use remit_sdk::{Address, text};

use super::Fault;
use super::engine::Question;
use crate::rules::{Finding, ORGANISATION};

/// Characters of a message: more is no sentence.
const CHARACTERS_MAX: usize = 2_000;

/// The findings that an answer holds.
pub(super) fn findings(question: &Question, answer: &Value) -> Result<Vec<Finding>, Fault> {
    match answer {
        Value::Undefined => Ok(Vec::new()),
        Value::Set(all) => all.iter().map(|one| finding(question, one)).collect(),
        Value::Array(all) => all.iter().map(|one| finding(question, one)).collect(),
        Value::Object(_) => Err(unreadable(question, "an object, not a set")
            .help("in Rego v1 a set is written `deny contains msg if { … }`, not `deny[msg]`")),
        _ => Err(unreadable(question, "no set")
            .help("write `deny contains msg if { … }`, with a message for people")),
    }
}

fn unreadable(question: &Question, what: &str) -> Fault {
    let fault = Fault::new(
        "answer of a policy can't be read",
        format!("`{}` is {what}", question.path),
    );
    match question.files.first() {
        Some(file) => fault.at(file, 1, 1),
        None => fault,
    }
}

fn finding(question: &Question, value: &Value) -> Result<Finding, Fault> {
    let (what, address, why, help) = match value {
        Value::String(message) => (message.to_string(), None, None, None),
        Value::Object(_) => {
            let field = |name: &str| match &value[name] {
                Value::Undefined | Value::Null => Ok(None),
                Value::String(text) => Ok(Some(text.to_string())),
                _ => Err(unreadable(
                    question,
                    &format!("a set with an object whose `{name}` is no text"),
                )),
            };
            let Some(what) = field("msg")? else {
                return Err(unreadable(question, "a set with an object without `msg`")
                    .help("write `deny contains {\"msg\": \"…\", \"address\": …} if { … }`"));
            };
            (what, field("address")?, field("why")?, field("help")?)
        }
        _ => {
            return Err(unreadable(
                question,
                "a set with something that is neither a text nor an object",
            ));
        }
    };
    if what.trim().is_empty() {
        return Err(unreadable(question, "a set with an empty message"));
    }
    let short = |all: String| text::safe(&all.chars().take(CHARACTERS_MAX).collect::<String>());
    let address: Option<Address> = match address {
        None => None,
        // It is quoted by what is wrong with it, and shown whole by what isn't.
        Some(text) if text.len() > CHARACTERS_MAX => {
            let what = format!("a set with an object whose `address` is longer than {CHARACTERS_MAX} bytes");
            return Err(unreadable(question, &what));
        }
        Some(text) => Some(text.parse().map_err(|error| {
            unreadable(question, &format!("a set with an object whose `address` is none: {error}"))
                .help("give an address of the plan, such as `change.address` or `change.remit.declaration`")
        })?),
    };
    Ok(Finding {
        rule: ORGANISATION.to_owned(),
        name: question.name.clone(),
        severity: question.severity,
        address,
        place: None,
        what: short(what),
        why: why.map_or_else(
            || {
                format!(
                    "the organisation's policy {} says so",
                    question.files.join(", ")
                )
            },
            short,
        ),
        help: help.map(short).unwrap_or_default(),
        waived_by: None,
        waived_until: None,
    })
}
