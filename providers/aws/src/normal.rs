//! Normal forms: what makes two ways to write the same thing equal, for values from a
//! configuration and for values from AWS alike. Pure.
//!
//! Durations become seconds, sets lose order and repetition, thumbprints become lower case,
//! policy documents take their canonical text. What AWS would refuse, names too long or tags with
//! characters it doesn't take, is refused here, so that a plan that can't work is no plan. Limits
//! are those of the API references of IAM (2010-05-08) and Secrets Manager (2017-10-17).
//!
//! Ownership marks are read and written here too; they are tags, and never attributes.

mod name;
mod tag;

use std::collections::BTreeSet;

use remit_sdk::shape::each;
use remit_sdk::text::safe;
use remit_sdk::{Attribute, Kind, Number, Value, shape};

use crate::document::{self, Use};
use crate::schema::{SESSION_SECONDS_MAX, SESSION_SECONDS_MIN};

pub(crate) use name::check_url;
pub use name::folded_key;
pub use tag::{MARK_ADDRESS, MARK_LINEAGE, mark_tags, split_tags};
pub(crate) use tag::{TAG_VALUE_CHARACTERS_MAX, encode};

/// A day, in seconds.
const DAY_SECONDS: i64 = 86_400;

/// How long a removed secret can be restored, in days, unless it is gone at once.
const RECOVERY_DAYS: (i64, i64) = (7, 30);

/// Days between rotations: Secrets Manager's longest.
const ROTATION_DAYS_MAX: i64 = 1000;

/// Characters of a description: IAM's limit, and Secrets Manager's.
pub(crate) const IAM_DESCRIPTION_CHARACTERS_MAX: usize = 1000;
/// Secrets Manager's.
const SECRET_DESCRIPTION_CHARACTERS_MAX: usize = 2048;

/// Audiences of one OIDC provider, and characters of one: quotas of IAM.
const AUDIENCES_MAX: usize = 100;
/// Characters of one.
const AUDIENCE_CHARACTERS_MAX: usize = 255;

/// Thumbprints of one OIDC provider.
const THUMBPRINTS_MAX: usize = 5;
/// A SHA-1 digest in hex.
const THUMBPRINT_CHARACTERS: usize = 40;

/// Characters of a rotation's schedule.
const SCHEDULE_CHARACTERS_MAX: usize = 256;

/// The normal form of a written value; the message says what is wrong and what to write.
pub fn normalise(kind: &Kind, name: &str, value: &Value) -> Result<Value, String> {
    shape::normalise(kind, name, value, |attribute, value| {
        let value = refine(kind, attribute.name, value)?;
        check(kind, attribute, &value)?;
        Ok(value)
    })
}

/// The finer normal form of particular attributes, for written and for live values alike.
pub fn refine(kind: &Kind, name: &str, value: Value) -> Result<Value, String> {
    match name {
        "thumbprint_list" => each(value, |text| Ok(text.to_lowercase())),
        "policy" | "assume_role_policy" => match use_of(kind, name) {
            Some(of) => each(value, |text| canonical(of, text)),
            None => Ok(value),
        },
        _ => Ok(value),
    }
}

/// What a document of this attribute is used for.
pub fn use_of(kind: &Kind, name: &str) -> Option<Use> {
    match (kind.name, name) {
        ("aws_iam_role", "assume_role_policy") => Some(Use::Trust),
        ("aws_iam_role_policy" | "aws_iam_policy", "policy") => Some(Use::Identity),
        ("aws_secretsmanager_secret", "policy") => Some(Use::Resource),
        _ => None,
    }
}

/// The canonical text of a document. An empty resource policy is none.
fn canonical(of: Use, text: &str) -> Result<String, String> {
    if text.is_empty() && of == Use::Resource {
        return Ok(String::new());
    }
    document::parse(text, of)
        .map(|document| document.to_string())
        .map_err(|why| format!("the policy can't be used: {why}"))
}

// ---- what a value may not be, beside its shape

fn check(kind: &Kind, attribute: &Attribute, value: &Value) -> Result<(), String> {
    let name = attribute.name;
    match value {
        Value::Number(Number::Integer(number)) => check_number(name, *number),
        Value::String(text) => check_text(kind, name, text),
        Value::Set(all) => check_set(name, all),
        Value::Map(all) if name == "tags" => tag::check(kind, all),
        _ => Ok(()),
    }
}

fn check_number(name: &str, number: i64) -> Result<(), String> {
    match name {
        "max_session_duration"
            if !(SESSION_SECONDS_MIN..=SESSION_SECONDS_MAX).contains(&number) =>
        {
            Err(format!(
                "`{name}` is {number} seconds; AWS lets a role's longest session be \
                 {SESSION_SECONDS_MIN} (1h) to {SESSION_SECONDS_MAX} (12h), so write a duration between them"
            ))
        }
        "recovery_window" => check_recovery(number),
        "rotation_automatically_after_days" if !(0..=ROTATION_DAYS_MAX).contains(&number) => {
            Err(format!(
                "`{name}` is {number}; AWS takes 1 to {ROTATION_DAYS_MAX} days, and 0 stands for none"
            ))
        }
        _ => Ok(()),
    }
}

fn check_recovery(seconds: i64) -> Result<(), String> {
    let (min, max) = RECOVERY_DAYS;
    let days = seconds / DAY_SECONDS;
    if seconds == 0 || (seconds % DAY_SECONDS == 0 && (min..=max).contains(&days)) {
        return Ok(());
    }
    Err(format!(
        "`recovery_window` is {seconds} seconds; AWS takes whole days, so write `{min}d` to `{max}d`, \
         or 0 to remove a secret for good at once"
    ))
}

fn check_text(kind: &Kind, name: &str, text: &str) -> Result<(), String> {
    if kind.key_attributes().any(|key| key == name) || (name == "path" && !text.is_empty()) {
        return name::check(kind, name, text);
    }
    if let Some(of) = use_of(kind, name) {
        return if text.is_empty() {
            Ok(())
        } else {
            check_size(kind, of, text)
        };
    }
    // Empty stands for none.
    if text.is_empty() {
        return if name == "path" {
            name::check(kind, name, text)
        } else {
            Ok(())
        };
    }
    match name {
        "role" => name::check(kind, name, text),
        "permissions_boundary" => name::check_policy_arn(name, text),
        "description" => check_description(kind, text),
        "kms_key_id" => name::check_key_id(text),
        "rotation_lambda_arn" => name::check_function(text),
        "rotation_duration" => check_window(text),
        "rotation_schedule_expression" => check_schedule(text),
        _ => Ok(()),
    }
}

/// A document that AWS would refuse for its size or its characters.
fn check_size(kind: &Kind, of: Use, text: &str) -> Result<(), String> {
    let (limit, what) = match (kind.name, of) {
        ("aws_iam_role", _) => (document::TRUST_SIZE_MAX, "a trust policy"),
        ("aws_iam_role_policy", _) => (
            document::ROLE_INLINE_SIZE_MAX,
            "all inline policies of a role together",
        ),
        ("aws_iam_policy", _) => (document::MANAGED_SIZE_MAX, "a managed policy"),
        _ => (document::RESOURCE_SIZE_MAX, "the policy of a secret"),
    };
    let size = document::size(text);
    if size > limit {
        return Err(format!(
            "the policy has {size} characters, white space not counted, and AWS takes {limit} for {what}; \
             shorten it, or split it in two"
        ));
    }
    if of == Use::Resource {
        return Ok(());
    }
    document::check_characters(text)
}

fn check_description(kind: &Kind, text: &str) -> Result<(), String> {
    let is_secret = kind.name == "aws_secretsmanager_secret";
    let limit = if is_secret {
        SECRET_DESCRIPTION_CHARACTERS_MAX
    } else {
        IAM_DESCRIPTION_CHARACTERS_MAX
    };
    if text.chars().count() > limit {
        return Err(format!(
            "`description` is longer than the {limit} characters that AWS keeps"
        ));
    }
    let is_good =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}') || is_secret;
    match text.chars().find(|c| !is_good(*c)) {
        Some(c) => Err(format!(
            "`description` holds `{}`, and IAM takes only letters and signs of Latin-1; write it without",
            safe(&c.to_string())
        )),
        None => Ok(()),
    }
}

/// A window in whole hours.
fn check_window(text: &str) -> Result<(), String> {
    let hours = text
        .strip_suffix('h')
        .filter(|hours| hours.len() <= 2 && hours.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|hours| hours.parse::<u8>().ok());
    match hours {
        Some(1..=24) => Ok(()),
        _ => Err(format!(
            "`rotation_duration` is `{}`; a window is in whole hours, so write `1h` to `24h`",
            safe(text)
        )),
    }
}

fn check_schedule(text: &str) -> Result<(), String> {
    let inner = ["cron(", "rate("]
        .iter()
        .find_map(|kind| text.strip_prefix(kind))
        .and_then(|rest| rest.strip_suffix(')'));
    let is_good = |c: char| c.is_ascii_alphanumeric() || "#?*-/, ".contains(c);
    match inner {
        Some(inner)
            if !inner.is_empty()
                && text.len() <= SCHEDULE_CHARACTERS_MAX
                && inner.chars().all(is_good) =>
        {
            Ok(())
        }
        _ => Err(format!(
            "`rotation_schedule_expression` is `{}`; write `rate(10 days)` or `cron(0 8 1 * ? *)`",
            safe(text)
        )),
    }
}

fn check_set(name: &str, all: &BTreeSet<Value>) -> Result<(), String> {
    let most = match name {
        "client_id_list" => AUDIENCES_MAX,
        "thumbprint_list" => THUMBPRINTS_MAX,
        _ => usize::MAX,
    };
    if all.len() > most {
        return Err(format!(
            "`{name}` has {} entries, and AWS takes {most}",
            all.len()
        ));
    }
    all.iter()
        .filter_map(Value::as_str)
        .try_for_each(|text| match name {
            "client_id_list" => check_audience(text),
            "thumbprint_list" => check_thumbprint(text),
            "attached_policies" => name::check_policy_arn(name, text),
            "inline_policies" => name::check_policy_name(name, text),
            _ => Ok(()),
        })
}

fn check_audience(text: &str) -> Result<(), String> {
    let length = text.chars().count();
    if (1..=AUDIENCE_CHARACTERS_MAX).contains(&length) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!(
        "`client_id_list` holds `{}`; an audience has 1 to {AUDIENCE_CHARACTERS_MAX} characters",
        safe(text)
    ))
}

fn check_thumbprint(text: &str) -> Result<(), String> {
    if text.len() == THUMBPRINT_CHARACTERS && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(format!(
        "`thumbprint_list` holds `{}`; a thumbprint is a SHA-1 digest, {THUMBPRINT_CHARACTERS} hex digits without colons",
        safe(text)
    ))
}

#[cfg(test)]
mod tests;
