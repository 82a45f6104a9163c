//! The normal form of a value, from its shape alone. Pure.
//!
//! In: a shape and a value as written. Out: the value in the form in which equal means the
//! same, or what is wrong with it and what to write instead. What is known only after apply
//! stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::schema::Shape;
use remit_sdk::text::safe;

/// The normal form of `value` for an attribute of this shape.
pub fn normalise(shape: Shape, value: &Value) -> Result<Value, String> {
    if matches!(value, Value::Pending(_)) {
        return Ok(value.clone());
    }
    let wrong = || {
        format!(
            "this is {}, and wanted is: {}",
            value.type_name(),
            shape.describe()
        )
    };
    match (shape, value) {
        (Shape::Bool, Value::Bool(_)) | (Shape::String, Value::String(_)) => Ok(value.clone()),
        (Shape::Integer, Value::Number(number)) if number.as_i64().is_some() => Ok(value.clone()),
        (Shape::Duration, _) => duration(value).ok_or_else(wrong),
        (Shape::OneOf(all), Value::String(text)) if all.contains(&text.as_str()) => {
            Ok(value.clone())
        }
        (Shape::OneOf(_), Value::String(text)) => Err(format!(
            "`{}` is not one of: {}",
            safe(text),
            shape.describe()
        )),
        (Shape::Policy, Value::String(text)) => Ok(Value::string(policy(text))),
        (Shape::List, Value::List(all)) => texts(all).map(Value::List).ok_or_else(wrong),
        (Shape::Set, _) => set(value, false).ok_or_else(wrong),
        (Shape::Map, Value::Map(all)) if texts::<Vec<_>>(all.values()).is_some() => {
            Ok(value.clone())
        }
        (Shape::MapOfSets, Value::Map(all)) => {
            let sets = all
                .iter()
                .map(|(name, value)| Some((name.clone(), set(value, true)?)));
            let sets: Option<BTreeMap<_, _>> = sets.collect();
            sets.map(Value::Map).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// Texts, or values that are not known yet.
fn texts<'a, C: FromIterator<Value>>(all: impl IntoIterator<Item = &'a Value>) -> Option<C> {
    all.into_iter()
        .map(|value| matches!(value, Value::String(_) | Value::Pending(_)).then(|| value.clone()))
        .collect()
}

fn set(value: &Value, single: bool) -> Option<Value> {
    let all: BTreeSet<Value> = match value {
        Value::Set(all) => texts(all)?,
        Value::List(all) => texts(all)?,
        Value::String(_) | Value::Pending(_) if single => BTreeSet::from([value.clone()]),
        _ => return None,
    };
    Some(Value::Set(all))
}

/// A policy of this provider is a set of lines.
fn policy(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: BTreeSet<&str> = lines.collect();
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// Seconds: a whole number, digits, or numbers with units from large to small (`1h30m`).
fn duration(value: &Value) -> Option<Value> {
    let seconds = match value {
        Value::Number(number) => number.as_i64().filter(|seconds| *seconds >= 0)?,
        Value::String(text) => match text.parse::<i64>() {
            Ok(seconds) if text.bytes().all(|byte| byte.is_ascii_digit()) => seconds,
            _ => units(text)?,
        },
        _ => return None,
    };
    Some(Value::integer(seconds))
}

fn units(text: &str) -> Option<i64> {
    const UNITS: [(char, i64); 5] = [
        ('w', 604_800),
        ('d', 86_400),
        ('h', 3600),
        ('m', 60),
        ('s', 1),
    ];
    let mut rest = text;
    let mut left = UNITS.as_slice();
    let mut seconds = 0_i64;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let unit = after.chars().next()?;
        let at = left.iter().position(|(name, _)| *name == unit)?;
        let (_, factor) = left.get(at)?;
        seconds = seconds.checked_add(digits.parse::<i64>().ok()?.checked_mul(*factor)?)?;
        left = left.get(at + 1..)?;
        rest = after.get(1..)?;
    }
    (!text.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        let normal = normalise(Shape::Duration, &Value::string(text)).ok()?;
        normal.as_i64()
    }

    #[test]
    fn durations() {
        assert_eq!(seconds("15m"), Some(900));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("30d"), Some(2_592_000));
        assert_eq!(seconds("90"), Some(90));
        for wrong in [
            "",
            "m",
            "1",
            "-1",
            "1x",
            "30m1h",
            "1h1h",
            "1.5h",
            "+5",
            "9999999999999999w",
            "1é",
        ] {
            assert_eq!(
                seconds(wrong),
                wrong.parse().ok().filter(|_| wrong == "1"),
                "{wrong}"
            );
        }
        assert!(normalise(Shape::Duration, &Value::integer(-1)).is_err());
    }

    #[test]
    fn what_means_the_same_is_equal() {
        let list = Value::List(vec![
            Value::string("b"),
            Value::string("a"),
            Value::string("a"),
        ]);
        let normal = normalise(Shape::Set, &list).unwrap();
        assert_eq!(normal, Value::strings(["a", "b"]));
        let one = Value::Map([("sub".to_owned(), Value::string("x"))].into());
        let many = Value::Map([("sub".to_owned(), Value::strings(["x"]))].into());
        assert_eq!(normalise(Shape::MapOfSets, &one), Ok(many));
        assert_eq!(
            normalise(Shape::Policy, &Value::string("b\n\n  a \n")),
            Ok(Value::string("a\nb"))
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            normalise(Shape::Bool, &Value::string("true")).unwrap_err(),
            "this is a string, and wanted is: bool"
        );
        assert!(normalise(Shape::OneOf(&["a"]), &Value::string("b")).is_err());
        assert!(normalise(Shape::List, &Value::List(vec![Value::integer(1)])).is_err());
        assert!(normalise(Shape::Integer, &Value::string("1")).is_err());
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own(text in "[0-9wdhms]{0,6}|[ a-c\n]{0,9}") {
            for shape in [Shape::Duration, Shape::String, Shape::Policy] {
                if let Ok(once) = normalise(shape, &Value::string(&*text)) {
                    prop_assert_eq!(normalise(shape, &once), Ok(once.clone()));
                }
            }
        }
    }
}
