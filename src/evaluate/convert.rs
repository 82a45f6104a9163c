//! Conversions between types where nothing is lost or guessed: text, numbers and bools.
//!
//! `"5"` is taken for 5 where a number is wanted and `true` for `"true"` where text is; an empty
//! string is no number and 1 is no bool. What fails says what was found and what was wanted.

use remit_sdk::{Number, Value};

/// What a value can't be used for, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// What was found and what is wanted.
    pub(crate) detail: String,
    /// What to write instead.
    pub(crate) help: String,
}

impl Misfit {
    /// A value of the wrong type.
    pub(crate) fn new(wanted: &str, found: &Value, help: &str) -> Self {
        Self {
            detail: format!("{wanted} is wanted here, and this is {}", describe(found)),
            help: hint(found).unwrap_or_else(|| help.to_owned()),
        }
    }
}

/// A value as a message names it: its type, and itself where it is short and no secret.
pub(crate) fn describe(value: &Value) -> String {
    match value {
        Value::Bool(b) => format!("the bool `{b}`"),
        Value::Number(n) => format!("the number `{n}`"),
        Value::String(text) if text.len() <= 40 => {
            format!("the string \"{}\"", remit_sdk::text::safe(text))
        }
        Value::Declaration(address) => format!("the declaration `{address}`"),
        other => other.type_name().to_owned(),
    }
}

fn hint(found: &Value) -> Option<String> {
    Some(match found {
        Value::Declaration(address) => format!("use one of its attributes, such as `{address}.name`"),
        Value::Pending(_) => "a value known only after apply can be used whole, as an attribute of a resource or in a template there, and nowhere else".into(),
        Value::Secret(_) => "a secret can be used whole, as an attribute that takes a secret, and nowhere else".into(),
        _ => return None,
    })
}

/// As a bool.
pub(crate) fn to_bool(value: &Value) -> Result<bool, Misfit> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(Misfit::new(
            "true or false",
            other,
            "write a comparison, such as `… == \"a\"`",
        )),
    }
}

/// As a number.
pub(crate) fn to_number(value: &Value) -> Result<Number, Misfit> {
    match value {
        Value::Number(number) => Ok(*number),
        Value::String(text) => parse_number(text).ok_or_else(|| no_number(value)),
        other => Err(no_number(other)),
    }
}

fn no_number(value: &Value) -> Misfit {
    Misfit::new("a number", value, "write a number, without quotes")
}

/// A decimal number, as the language writes it.
pub(crate) fn parse_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match text.parse::<i64>() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) => Number::from_f64(text.parse::<f64>().ok()?),
    }
}

/// As text.
pub(crate) fn to_text(value: &Value) -> Result<String, Misfit> {
    value
        .to_text()
        .ok_or_else(|| Misfit::new("a string", value, "write text in quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unambiguous() {
        assert_eq!(to_bool(&Value::string("true")), Ok(true));
        assert!(to_bool(&Value::string("yes")).is_err());
        assert!(to_bool(&Value::integer(1)).is_err());
        assert_eq!(to_number(&Value::string("-5")), Ok(Number::Integer(-5)));
        assert_eq!(to_number(&Value::string("1.5")), Ok(Number::Float(1.5)));
        for text in ["", "five", "inf", "NaN", "+1", "0x10", " 1"] {
            assert!(to_number(&Value::string(text)).is_err(), "{text}");
        }
        assert_eq!(to_text(&Value::Bool(true)).as_deref(), Ok("true"));
        assert!(to_text(&Value::Null).is_err());
    }
}
