//! Arguments as the functions want them.
//!
//! Conversions are the language's own: `"5"` is taken for 5 where a number is wanted, `true` for
//! `"true"` where text is, a set for a list. Whatever doesn't fit is an error that names the
//! argument, what was found and what is wanted.

use std::borrow::Cow;
use std::collections::BTreeMap;

use remit_sdk::{Number, Value};

use super::{Context, FunctionError};

/// A call's arguments and surroundings.
pub(super) struct Arguments<'a> {
    all: &'a [Value],
    pub(super) context: &'a Context<'a>,
}

impl<'a> Arguments<'a> {
    pub(super) const fn new(all: &'a [Value], context: &'a Context<'a>) -> Self {
        Self { all, context }
    }

    pub(super) const fn all(&self) -> &'a [Value] {
        self.all
    }

    pub(super) const fn count(&self) -> usize {
        self.all.len()
    }

    /// The argument itself; null where the call has fewer.
    pub(super) fn value(&self, position: usize) -> &'a Value {
        self.all.get(position).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, position: usize) -> Result<Cow<'a, str>, FunctionError> {
        text(self.value(position)).map_err(|error| error.or_at(position))
    }

    pub(super) fn number(&self, position: usize) -> Result<Number, FunctionError> {
        number(self.value(position)).map_err(|error| error.or_at(position))
    }

    pub(super) fn integer(&self, position: usize) -> Result<i64, FunctionError> {
        self.number(position)?
            .as_i64()
            .ok_or_else(|| misfit("a whole number", self.value(position)).or_at(position))
    }

    /// A whole number that isn't negative.
    pub(super) fn size(&self, position: usize) -> Result<usize, FunctionError> {
        usize::try_from(self.integer(position)?).map_err(|_| {
            misfit("a whole number of 0 or more", self.value(position)).or_at(position)
        })
    }

    /// The elements of a list or set.
    pub(super) fn list(&self, position: usize) -> Result<Vec<&'a Value>, FunctionError> {
        elements(self.value(position)).ok_or_else(|| {
            let found = self.value(position);
            let error = misfit("a list", found).or_at(position);
            if matches!(found, Value::Null | Value::Map(_)) {
                error
            } else {
                error.help("write `[VALUE]` for a list of one value")
            }
        })
    }

    /// The elements of a list or set of text.
    pub(super) fn texts(&self, position: usize) -> Result<Vec<Cow<'a, str>>, FunctionError> {
        self.list(position)?
            .into_iter()
            .map(|value| {
                text(value).map_err(|_| {
                    let found = describe(value);
                    FunctionError::at(
                        position,
                        format!("a list of strings is wanted, and it holds {found}"),
                    )
                })
            })
            .collect()
    }

    pub(super) fn map(
        &self,
        position: usize,
    ) -> Result<&'a BTreeMap<String, Value>, FunctionError> {
        match self.value(position) {
            Value::Map(all) => Ok(all),
            other => Err(misfit("a map", other).or_at(position)),
        }
    }
}

/// The elements of a list or set.
pub(super) fn elements(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::List(all) => Some(all.iter().collect()),
        Value::Set(all) => Some(all.iter().collect()),
        _ => None,
    }
}

/// A value as text.
pub(super) fn text(value: &Value) -> Result<Cow<'_, str>, FunctionError> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        other => other
            .to_text()
            .map(Cow::Owned)
            .ok_or_else(|| misfit("a string", other)),
    }
}

/// A value as a number.
pub(super) fn number(value: &Value) -> Result<Number, FunctionError> {
    match value {
        Value::Number(number) => Ok(*number),
        Value::String(text) => parse_number(text).ok_or_else(|| misfit("a number", value)),
        other => Err(misfit("a number", other)),
    }
}

/// A value as true or false.
pub(super) fn boolean(value: &Value) -> Result<bool, FunctionError> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(misfit("true or false", other)),
    }
}

/// A decimal number, as the language writes it.
fn parse_number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match text.parse::<i64>() {
        Ok(integer) => Some(Number::Integer(integer)),
        Err(_) => Number::from_f64(text.parse::<f64>().ok()?),
    }
}

/// The error for a value of the wrong type.
pub(super) fn misfit(wanted: &str, found: &Value) -> FunctionError {
    FunctionError::new(format!(
        "{wanted} is wanted, and this is {}",
        describe(found)
    ))
}

/// A value as a message names it: its type, and itself where it is short.
pub(super) fn describe(value: &Value) -> String {
    /// Longer text would hide the message.
    const TEXT_BYTES_MAX: usize = 40;
    match value {
        Value::Bool(b) => format!("the bool `{b}`"),
        Value::Number(n) => format!("the number `{n}`"),
        Value::String(text) if text.len() <= TEXT_BYTES_MAX => {
            format!("the string \"{}\"", remit_sdk::text::safe(text))
        }
        Value::Declaration(address) => format!("the declaration `{address}`"),
        other => other.type_name().to_owned(),
    }
}

/// Values of one list as Terraform gives them one type: where some are text, numbers and bools
/// become text too.
pub(super) fn unify<'v>(values: impl IntoIterator<Item = &'v Value>) -> Vec<Cow<'v, Value>> {
    let values: Vec<&Value> = values.into_iter().collect();
    let scalars = values.iter().all(|value| {
        matches!(
            value,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)
        )
    });
    let text = values.iter().any(|value| matches!(value, Value::String(_)));
    values
        .into_iter()
        .map(|value| match value {
            Value::Bool(_) | Value::Number(_) if scalars && text => value
                .to_text()
                .map_or(Cow::Borrowed(value), |text| Cow::Owned(Value::String(text))),
            other => Cow::Borrowed(other),
        })
        .collect()
}
