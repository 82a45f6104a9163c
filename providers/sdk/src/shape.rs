//! Values in the shape of their attribute: the part of a normal form that every provider shares.
//!
//! In comes a value as written, out goes the value its attribute's [`Shape`] asks for, or what is
//! wrong and what to write instead. What only one system means by a value is its provider's.

use std::collections::BTreeSet;

use crate::schema::{Attribute, Kind, Shape};
use crate::text::safe;
use crate::value::{Number, Value};

/// The normal form of a written value as far as its shape goes, then `refine`d by the provider.
///
/// `Null` stays null: the attribute is left out. A pending value stays as it is where one is
/// allowed, and is not refined. `NAME_version` of a write-only attribute is an integer or text.
pub fn normalise(
    kind: &Kind,
    name: &str,
    value: &Value,
    refine: impl FnOnce(&Attribute, Value) -> Result<Value, String>,
) -> Result<Value, String> {
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
    if matches!(value, Value::Pending(_)) {
        return Ok(value.clone());
    }
    refine(attribute, shaped(attribute, value)?)
}

/// What to say of an attribute that the kind doesn't have.
pub fn unknown_attribute(kind: &Kind, name: &str) -> String {
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

/// Changes a text, or every text in a list or set.
pub fn each(
    value: Value,
    change: impl Fn(&str) -> Result<String, String>,
) -> Result<Value, String> {
    let one = |value| match value {
        Value::String(text) => change(&text).map(Value::String),
        other => Ok(other),
    };
    Ok(match value {
        Value::List(all) => Value::List(all.into_iter().map(one).collect::<Result<_, _>>()?),
        Value::Set(all) => Value::Set(all.into_iter().map(one).collect::<Result<_, _>>()?),
        other => one(other)?,
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

/// The nearest of `known`, if one is near enough to be meant: at most a third of the letters
/// differ, or two, which is what swapping neighbours takes.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
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
