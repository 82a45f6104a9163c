//! What AWS would refuse, said at plan: values that are none, and elements that don't belong
//! where the document is used.
//!
//! In comes a document that was read or built; out goes what is wrong and what to write instead.
//! Only what AWS refuses, or what can never match anything, is an error here; what is unwise is
//! for the rules to say. The condition operators are those of the IAM User Guide, "Condition
//! operators".

use std::collections::BTreeSet;

use remit_sdk::shape;
use remit_sdk::text::safe;

use super::{Document, PrincipalKind, Principals, Selection, Statement, Use, is_unique_id};
use crate::arn;

/// The condition operators, without their prefixes and suffix.
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// What turns an operator into one over all values of a request's key.
const SET_PREFIXES: &[&str] = &["ForAllValues:", "ForAnyValue:"];

/// What makes an operator hold where the request lacks the key.
const IF_EXISTS: &str = "IfExists";

impl Document {
    /// Checks that it can be used: values, and what its use asks for.
    pub fn check(&self, usage: Use) -> Result<(), String> {
        let mut sids = BTreeSet::new();
        if self.statements.is_empty() {
            return Err("it has no statement".into());
        }
        for statement in &self.statements {
            let first = statement.actions.named().first();
            let place = match (&statement.sid, first) {
                (Some(sid), _) => format!("statement `{}`", safe(sid)),
                (None, Some(action)) => {
                    format!("the statement about `{}`", safe(action.as_str()))
                }
                (None, None) => "a statement".into(),
            };
            statement
                .check(usage)
                .map_err(|why| format!("{place}: {why}"))?;
            if let Some(sid) = &statement.sid
                && !sids.insert(sid)
            {
                return Err(format!(
                    "two statements that differ have the `Sid` `{}`; AWS wants each once",
                    safe(sid)
                ));
            }
        }
        Ok(())
    }
}

impl Statement {
    fn check(&self, usage: Use) -> Result<(), String> {
        self.check_sid(usage)?;
        self.check_elements(usage)?;
        self.check_nothing_is_empty()?;
        if let Some(selection) = &self.principals {
            check_principals(selection.named())?;
        }
        for action in self.actions.named() {
            check_action(action.as_str())?;
            if usage == Use::Trust && matches!(self.actions, Selection::Only(_)) {
                check_trust_action(action.as_str())?;
            }
        }
        if let Some(selection) = &self.resources {
            for resource in selection.named() {
                arn::check_pattern(resource)?;
            }
        }
        for (operator, keys) in &self.conditions {
            check_operator(operator)?;
            for (key, values) in keys {
                check_condition_key(key.as_str())?;
                if values
                    .iter()
                    .any(|value| value.chars().any(char::is_control))
                {
                    return Err(format!(
                        "a value of the condition `{key}` holds a control character"
                    ));
                }
            }
        }
        Ok(())
    }

    fn check_sid(&self, usage: Use) -> Result<(), String> {
        let Some(sid) = &self.sid else {
            return Ok(());
        };
        // Other services than IAM take more in a Sid.
        if usage == Use::Resource || sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(());
        }
        Err(format!(
            "a `Sid` has only the letters A to Z, a to z and digits; write `{}`",
            sid.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
        ))
    }

    /// What is read is never empty; what is built may be.
    fn check_nothing_is_empty(&self) -> Result<(), String> {
        let principals = self.principals.as_ref().map(Selection::named);
        let nobody = principals
            .is_some_and(|kinds| kinds.is_empty() || kinds.values().any(BTreeSet::is_empty));
        let resources = self.resources.as_ref().map(Selection::named);
        if self.actions.named().is_empty() {
            Err("it names no action".into())
        } else if resources.is_some_and(BTreeSet::is_empty) {
            Err("it names no resource; `\"*\"` is every one".into())
        } else if nobody {
            Err("it names no principal".into())
        } else {
            Ok(())
        }
    }

    fn check_elements(&self, usage: Use) -> Result<(), String> {
        let why = match (usage, &self.principals, &self.resources) {
            (Use::Identity, Some(_), _) => {
                "a policy of a role, user or group has no `Principal`: it counts for what it is attached to"
            }
            (Use::Trust | Use::Resource, None, _) => {
                "it has no `Principal`, so it would count for nobody"
            }
            (Use::Trust, _, Some(_)) => {
                "a trust policy has no `Resource`: it is about its own role"
            }
            (Use::Identity | Use::Resource, _, None) => {
                "it has neither `Resource` nor `NotResource`; `\"*\"` is every resource"
            }
            _ => return Ok(()),
        };
        Err(why.into())
    }
}

fn check_principals(principals: &Principals) -> Result<(), String> {
    for (kind, all) in principals {
        for one in all {
            match kind {
                PrincipalKind::Aws => check_aws_principal(one)?,
                _ if one.is_empty() => {
                    return Err(format!("a principal under `{}` is empty", kind.as_str()));
                }
                PrincipalKind::Federated if one.starts_with("arn:") => {
                    arn::Arn::parse(one).map_err(|why| format!("a principal: {why}"))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn check_aws_principal(text: &str) -> Result<(), String> {
    if text == "*" || arn::is_account(text) || is_unique_id(text) {
        return Ok(());
    }
    if text.starts_with("arn:") {
        return match arn::Arn::parse(text) {
            Ok(_) => Ok(()),
            Err(_) if text.contains(['*', '?']) => Err(format!(
                "the principal `{}` holds a wildcard, which AWS takes only as the whole `*`; write the account as principal and the pattern as a condition on `aws:PrincipalArn`",
                safe(text)
            )),
            Err(why) => Err(format!("a principal: {why}")),
        };
    }
    Err(format!(
        "the principal `{}` is no ARN, no account id of 12 digits and not `*`",
        safe(text)
    ))
}

/// Checks an action as a grant or a policy names it: `*`, or `service:Action` with `*` and `?`
/// in the second half.
pub fn check_action(text: &str) -> Result<(), String> {
    let shown = safe(text);
    if text == "*" {
        return Ok(());
    }
    let Some((service, action)) = text.split_once(':') else {
        return Err(format!(
            "the action `{shown}` lacks its service; write `s3:GetObject`, or `*` for every action"
        ));
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if service.is_empty() || !(service == "*" || service.bytes().all(plain)) {
        return Err(format!(
            "the action `{shown}`: its service holds letters, digits and `-`, and no wildcard"
        ));
    }
    if action.is_empty() {
        return Err(format!(
            "the action `{shown}` ends with its service; write `{shown}*` for every action of it"
        ));
    }
    let allowed = |b: u8| plain(b) || matches!(b, b'*' | b'?' | b'_' | b'.');
    if action.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "the action `{shown}` holds more than letters, digits, `*` and `?` after its service"
    ))
}

fn check_trust_action(text: &str) -> Result<(), String> {
    let service = text.split_once(':').map(|(service, _)| service);
    if service.is_some_and(|service| service.eq_ignore_ascii_case("sts")) {
        return Ok(());
    }
    Err(format!(
        "the action `{}` is none of STS, and a trust policy takes no others; write `sts:AssumeRole` or `sts:AssumeRoleWithWebIdentity`",
        safe(text)
    ))
}

/// An operator without its prefix and suffix.
pub(super) fn base_operator(text: &str) -> &str {
    let text = SET_PREFIXES
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text);
    text.strip_suffix(IF_EXISTS).unwrap_or(text)
}

/// Checks a condition operator: `StringEquals`, `ForAnyValue:StringLike`, `BoolIfExists`, ….
/// AWS refuses one in another case.
pub fn check_operator(text: &str) -> Result<(), String> {
    let base = base_operator(text);
    if OPERATORS.contains(&base) {
        if base == "Null" && text.ends_with(IF_EXISTS) {
            return Err(format!(
                "`{}` is no condition operator: `Null` itself asks whether the key exists",
                safe(text)
            ));
        }
        return Ok(());
    }
    Err(match meant_operator(text) {
        Some(meant) => format!(
            "`{}` is no condition operator; did you mean `{meant}`? Operators count with their case",
            safe(text)
        ),
        None => format!(
            "`{}` is no condition operator; there are {}, each also with `IfExists` at its end and `ForAllValues:` or `ForAnyValue:` before it",
            safe(text),
            OPERATORS.join(", ")
        ),
    })
}

/// The operator somebody meant, put together from what each part of it is nearest to.
fn meant_operator(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let (prefix, rest) = match lower.split_once(':') {
        Some((prefix, rest)) => (nearest_folded(&format!("{prefix}:"), SET_PREFIXES)?, rest),
        None => ("", lower.as_str()),
    };
    let (rest, suffix) = match rest.strip_suffix(&IF_EXISTS.to_ascii_lowercase()) {
        Some(rest) => (rest, IF_EXISTS),
        None => (rest, ""),
    };
    let base = nearest_folded(rest, OPERATORS)?;
    Some(format!("{prefix}{base}{suffix}"))
}

fn nearest_folded<'a>(lower: &str, known: &[&'a str]) -> Option<&'a str> {
    let folded: Vec<String> = known.iter().map(|one| one.to_ascii_lowercase()).collect();
    let nearest = shape::nearest(lower, folded.iter().map(String::as_str))?;
    known
        .iter()
        .copied()
        .find(|one| one.eq_ignore_ascii_case(nearest))
}

/// Checks a condition key: `aws:SourceIp`, `issuer.example.com/id/A:sub`.
pub fn check_condition_key(text: &str) -> Result<(), String> {
    let well_formed = text
        .split_once(':')
        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if well_formed && text.trim() == text && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!(
        "`{}` is no condition key; write one with what it belongs to, as in `aws:SourceIp`",
        safe(text)
    ))
}

/// Checks that IAM takes every character of a document: tab, line ends, and U+0020 to U+00FF.
pub fn check_characters(text: &str) -> Result<(), String> {
    let refused = |c: &char| !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    match text.chars().find(refused) {
        None => Ok(()),
        Some(c) => Err(format!(
            "IAM takes no `{}` (U+{:04X}) in a policy: only characters up to U+00FF",
            safe(&c.to_string()),
            u32::from(c)
        )),
    }
}
