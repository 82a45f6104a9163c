//! Normal forms: what makes two ways to write the same thing equal, for values from a
//! configuration and for values from a server alike. Pure.
//!
//! Durations become seconds, addresses become networks with their mask, sets lose order and
//! repetition, policy names become lower case, PEM loses outer white space, policies take their
//! canonical text. Ownership marks are read and written here too.

mod mark;
mod name;

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::schema::Shape;
use remit_sdk::text::safe;
use remit_sdk::{Attribute, Kind, Number, Value};

use crate::policy;

pub use mark::{mark_description, mark_text, parse_mark, split_description};
pub(crate) use name::check_name;
pub use name::folded_key;

/// Metadata limits of the server: pairs, bytes of a key, bytes of a value (tried on 2.7.2).
const METADATA_PAIRS_MAX: usize = 64;
const METADATA_KEY_BYTES_MAX: usize = 128;
/// Bytes of one metadata value.
pub(crate) const METADATA_VALUE_BYTES_MAX: usize = 512;

/// Metadata keys that hold an entity's or an alias's mark.
pub(crate) const MARK_LINEAGE: &str = "remit_lineage";
/// The second of them.
pub(crate) const MARK_ADDRESS: &str = "remit_address";

/// The normal form of a written value; the message says what is wrong and what to write.
///
/// `Null` stays null: the attribute is left out. A pending value stays as it is where one is
/// allowed. `NAME_version` of a write-only attribute is an integer or text.
pub fn normalise(kind: &Kind, name: &str, value: &Value) -> Result<Value, String> {
    let Some(attribute) = kind.attribute(name) else {
        return match (kind.versioned(name), value) {
            (Some(_), Value::Null | Value::String(_) | Value::Number(Number::Integer(_))) => {
                Ok(value.clone())
            }
            (Some(_), other) => Err(format!(
                "`{name}` must be a whole number or text, not {}",
                other.type_name()
            )),
            (None, _) => Err(unknown_attribute(kind, name)),
        };
    };
    if *value == Value::Null {
        return Ok(Value::Null);
    }
    check_secrecy(attribute, value)?;
    if attribute.write_only {
        return Ok(value.clone());
    }
    check_pending(kind, attribute, value)?;
    if value.has_pending() && matches!(value, Value::Pending(_)) {
        return Ok(value.clone());
    }
    let value = shaped(attribute, value)?;
    if let Some(why) = mixed_case(kind, attribute.name, &value) {
        return Err(format!("`{}`: {why}", attribute.name));
    }
    let value = refine(kind, attribute.name, value)?;
    check_constraints(kind, attribute, &value)?;
    Ok(value)
}

/// What to say of an attribute that the kind doesn't have.
pub(crate) fn unknown_attribute(kind: &Kind, name: &str) -> String {
    let known = kind.attributes.iter().map(|attribute| attribute.name);
    match nearest(name, known) {
        Some(nearest) => format!(
            "`{}` has no attribute `{}`; did you mean `{nearest}`?",
            kind.name,
            safe(name)
        ),
        None => format!("`{}` has no attribute `{}`", kind.name, safe(name)),
    }
}

fn check_secrecy(attribute: &Attribute, value: &Value) -> Result<(), String> {
    let mut secret = false;
    value.walk(&mut |value| secret |= matches!(value, Value::Secret(_)));
    match (attribute.write_only, value) {
        (true, Value::Secret(_)) => Ok(()),
        (true, _) => Err(format!(
            "`{0}` takes a secret, which is never written out; write `env(\"NAME\")`, \
             `vault(\"PATH\", \"FIELD\")` or a sensitive variable, and `{0}_version` beside it",
            attribute.name
        )),
        (false, _) if secret => Err(format!(
            "`{}` is readable on the server, so it takes no secret",
            attribute.name
        )),
        (false, _) => Ok(()),
    }
}

fn check_pending(kind: &Kind, attribute: &Attribute, value: &Value) -> Result<(), String> {
    if !value.has_pending() {
        return Ok(());
    }
    if kind.key_attributes().any(|key| key == attribute.name) {
        return Err(format!(
            "`{}` names the object, so it must be known before apply",
            attribute.name
        ));
    }
    if attribute.shape == Shape::Policy {
        return Err("a policy's text must be known before apply".into());
    }
    Ok(())
}

/// The value in its attribute's shape.
fn shaped(attribute: &Attribute, value: &Value) -> Result<Value, String> {
    let wrong = || {
        Err(format!(
            "`{}` must be {}, not {}",
            attribute.name,
            article(attribute.shape),
            value.type_name()
        ))
    };
    Ok(match (attribute.shape, value) {
        (_, Value::Pending(_))
        | (Shape::Bool, Value::Bool(_))
        | (Shape::Integer, Value::Number(Number::Integer(_)))
        | (Shape::String | Shape::Policy, Value::String(_)) => value.clone(),
        (Shape::Duration, _) => {
            let seconds = seconds(value).map_err(|why| format!("`{}`: {why}", attribute.name))?;
            Value::integer(seconds)
        }
        (Shape::OneOf(all), Value::String(text)) => {
            if !all.contains(&text.as_str()) {
                let all: Vec<_> = all.iter().map(|one| format!("`\"{one}\"`")).collect();
                return Err(format!(
                    "`{}` must be {}, not `\"{}\"`",
                    attribute.name,
                    all.join(" or "),
                    safe(text)
                ));
            }
            value.clone()
        }
        (Shape::List, Value::List(all)) => Value::List(texts(attribute, all)?),
        (Shape::Set, Value::List(all)) => Value::Set(texts(attribute, all)?.into_iter().collect()),
        (Shape::Set, Value::Set(all)) => Value::Set(texts(attribute, all)?.into_iter().collect()),
        (Shape::List, Value::Set(_)) => {
            return Err(format!(
                "`{}` must be a list, since its order counts; a set has none",
                attribute.name
            ));
        }
        (Shape::Map, Value::Map(all)) => Value::Map(
            all.iter()
                .map(|(key, value)| Ok((key.clone(), as_text(attribute, value)?)))
                .collect::<Result<_, String>>()?,
        ),
        (Shape::MapOfSets, Value::Map(all)) => Value::Map(
            all.iter()
                .map(|(key, value)| Ok((key.clone(), as_set(attribute, value)?)))
                .collect::<Result<_, String>>()?,
        ),
        _ => return wrong(),
    })
}

fn article(shape: Shape) -> String {
    let what = shape.describe();
    match shape {
        Shape::Integer => format!("an {what}"),
        Shape::OneOf(_) => what,
        _ => format!("a {what}"),
    }
}

fn texts<'a>(
    attribute: &Attribute,
    all: impl IntoIterator<Item = &'a Value>,
) -> Result<Vec<Value>, String> {
    all.into_iter()
        .map(|value| as_text(attribute, value))
        .collect()
}

/// Numbers and bools count as their text where text is wanted inside a collection, as they do
/// for the server.
fn as_text(attribute: &Attribute, value: &Value) -> Result<Value, String> {
    match value {
        Value::Pending(_) => Ok(value.clone()),
        _ => value.to_text().map(Value::String).ok_or_else(|| {
            format!(
                "`{}` holds {} where text belongs",
                attribute.name,
                value.type_name()
            )
        }),
    }
}

fn as_set(attribute: &Attribute, value: &Value) -> Result<Value, String> {
    Ok(Value::Set(match value {
        Value::List(all) => texts(attribute, all)?.into_iter().collect(),
        Value::Set(all) => texts(attribute, all)?.into_iter().collect(),
        one => BTreeSet::from([as_text(attribute, one)?]),
    }))
}

/// The finer normal form of particular attributes, for written and for live values alike.
pub(crate) fn refine(kind: &Kind, name: &str, value: Value) -> Result<Value, String> {
    match (kind.name, name) {
        (_, "token_bound_cidrs" | "secret_id_bound_cidrs") => each(value, network),
        (_, "token_policies") | ("vault_entity", "policies") => {
            each(value, |name| Ok(name.to_lowercase()))
        }
        (_, "jwt_validation_pubkeys") => each(value, |pem| Ok(self::pem(pem))),
        (_, "oidc_discovery_ca_pem" | "jwks_ca_pem" | "tls_ca" | "tls_certificate") => {
            each(value, |pem| Ok(self::pem(pem)))
        }
        (_, "mount") | ("vault_auth_mount" | "vault_secrets_mount", "path") => {
            each(value, |path| Ok(path.trim_end_matches('/').to_owned()))
        }
        ("vault_policy", "policy") => each(value, |text| {
            policy::canonical(text).map_err(|why| format!("the policy can't be used: {why}"))
        }),
        _ => Ok(value),
    }
}

/// Changes every text in a value.
fn each(value: Value, change: impl Fn(&str) -> Result<String, String>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(change(&text)?),
        Value::Set(all) => Value::Set(
            all.into_iter()
                .map(|value| match value {
                    Value::String(text) => change(&text).map(Value::String),
                    other => Ok(other),
                })
                .collect::<Result<_, _>>()?,
        ),
        other => other,
    })
}

fn pem(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

/// A network with its mask and without host bits: `10.1.2.3/8` is `10.0.0.0/8`, `10.0.0.7` is
/// `10.0.0.7/32`. The server keeps host bits, and leaves the mask of a single address out of
/// `token_bound_cidrs` but demands it in `secret_id_bound_cidrs` (tried on 2.7.2).
pub fn network(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "`{}` is no network address; write `10.20.0.0/16` or `2001:db8::/32`",
            safe(text)
        )
    };
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits_max = if address.is_ipv4() { 32_u32 } else { 128 };
    let bits = match bits {
        Some(bits) if bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit()) => {
            bits.parse().map_err(|_| wrong())?
        }
        Some(_) => return Err(wrong()),
        None => bits_max,
    };
    if bits > bits_max {
        return Err(wrong());
    }
    Ok(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            format!(
                "{}/{bits}",
                core::net::Ipv4Addr::from(u32::from(address) & mask)
            )
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            format!(
                "{}/{bits}",
                core::net::Ipv6Addr::from(u128::from(address) & mask)
            )
        }
    })
}

/// A duration in whole seconds: a number, or text such as `15m`, `1h30m`, `30d`, `3600`.
pub fn seconds(value: &Value) -> Result<i64, String> {
    match value {
        Value::Number(Number::Integer(n)) => Ok(*n),
        Value::String(text) => parse_seconds(text).ok_or_else(|| {
            format!(
                "`{}` is no duration; write `15m`, `1h30m`, `30d` or whole seconds",
                safe(text)
            )
        }),
        other => Err(format!(
            "a duration is text such as `15m`, or whole seconds, not {}",
            other.type_name()
        )),
    }
}

fn parse_seconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut total = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at_checked(end)?;
        let count: i64 = digits.parse().ok()?;
        let mut after = after.chars();
        let unit = match after.next() {
            // A number alone is seconds, but not after other units: `1h30` is a mistake.
            None if rest.len() == text.trim_start_matches('-').len() => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            None | Some(_) => return None,
        };
        total = total.checked_add(count.checked_mul(unit)?)?;
        rest = after.as_str();
    }
    Some(if negative { -total } else { total })
}

// ---- what a value may not be, beside its shape

fn check_constraints(kind: &Kind, attribute: &Attribute, value: &Value) -> Result<(), String> {
    if kind.key_attributes().any(|key| key == attribute.name)
        && let Value::String(name) = value
    {
        return check_name(kind, attribute.name, name);
    }
    match (kind.name, attribute.name, value) {
        (_, _, Value::Number(Number::Integer(n)))
            if *n < 0 && !attribute.name.ends_with("_leeway") =>
        {
            Err(format!("`{}` can't be negative", attribute.name))
        }
        (_, "type", Value::String(text)) if text == "kv-v2" => Err(
            "the server turns `kv-v2` into `kv`; write `type = \"kv\"` and `options = { version = \"2\" }`"
                .into(),
        ),
        (_, "metadata" | "custom_metadata", Value::Map(all)) => check_metadata(all),
        ("vault_entity", "policies", Value::Set(all))
            if all.contains(&Value::string("root")) =>
        {
            Err("the policy `root` can't be given to an entity".into())
        }
        (_, "role_id", Value::String(text)) if text.is_empty() => {
            Err("`role_id` can't be empty; leave it out for a random one".into())
        }
        _ => Ok(()),
    }
}

/// Policy names in mixed case: the server would keep them as written, and compare in lower case.
fn mixed_case(kind: &Kind, name: &str, value: &Value) -> Option<String> {
    if !matches!(
        (kind.name, name),
        (_, "token_policies") | ("vault_entity", "policies")
    ) {
        return None;
    }
    let mut found = None;
    value.walk(&mut |value| {
        if let Value::String(text) = value
            && text.to_lowercase() != *text
        {
            found = Some(format!(
                "policy names are lower case; write `{}`",
                safe(&text.to_lowercase())
            ));
        }
    });
    found
}

fn check_metadata(all: &BTreeMap<String, Value>) -> Result<(), String> {
    // Two pairs are kept for the mark.
    if all.len() + 2 > METADATA_PAIRS_MAX {
        return Err(format!(
            "the server keeps {METADATA_PAIRS_MAX} pairs of metadata, and remit needs two of them"
        ));
    }
    for (key, value) in all {
        if key.starts_with("remit_") {
            return Err(format!(
                "`{}`: keys that begin with `remit_` are remit's own",
                safe(key)
            ));
        }
        if key.is_empty() || key.len() > METADATA_KEY_BYTES_MAX {
            return Err(format!(
                "a key of metadata has 1 to {METADATA_KEY_BYTES_MAX} bytes"
            ));
        }
        if value
            .as_str()
            .is_some_and(|text| text.len() > METADATA_VALUE_BYTES_MAX)
        {
            return Err(format!(
                "`{}`: a value of metadata has at most {METADATA_VALUE_BYTES_MAX} bytes",
                safe(key)
            ));
        }
    }
    Ok(())
}

/// The nearest of `known`, if one is near enough to be meant: at most a third of the letters
/// differ, or two, which is what swapping neighbours takes.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer names are no typing mistakes, and the distance costs the product of the lengths.
    if name.len() > 80 {
        return None;
    }
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(2))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let new = (diagonal + usize::from(x != y))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, new);
            left = new;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
