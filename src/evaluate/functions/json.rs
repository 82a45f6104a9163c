//! JSON as Terraform writes it: keys sorted, no spaces, and `<`, `>`, `&` and the two line
//! separators of Unicode escaped, so that it can stand inside HTML and JavaScript.

use std::fmt;

use remit_sdk::{Number, Value};
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use super::arguments::describe;
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("jsondecode", "jsondecode(text)", 1, |a| {
        decode(&a.text(0)?).map_err(|error| error.or_at(0))
    }),
    fixed("jsonencode", "jsonencode(value)", 1, |a| {
        encode(a.value(0))
            .map(Value::String)
            .map_err(|error| error.or_at(0))
    }),
];

/// A value as JSON.
pub(super) fn encode(value: &Value) -> Result<String, FunctionError> {
    let mut out = String::new();
    write(value, &mut out, &mut Room::new())?;
    Ok(out)
}

/// Text as a JSON string, for `%q`.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write(value: &Value, out: &mut String, room: &mut Room) -> Result<(), FunctionError> {
    let before = out.len();
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => write_text(text, out),
        Value::List(all) => return write_all(all.iter(), out, room),
        Value::Set(all) => return write_all(all.iter(), out, room),
        Value::Map(all) => {
            room.take(2)?;
            out.push('{');
            for (position, (key, value)) in all.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                let before = out.len();
                write_text(key, out);
                out.push(':');
                room.take(out.len() - before + 1)?;
                write(value, out, room)?;
            }
            out.push('}');
            return Ok(());
        }
        Value::Declaration(_) | Value::Secret(_) | Value::Pending(_) => {
            return Err(FunctionError::new(format!(
                "{} has no JSON",
                describe(value)
            )));
        }
    }
    room.take(out.len() - before)
}

fn write_all<'v>(
    all: impl Iterator<Item = &'v Value>,
    out: &mut String,
    room: &mut Room,
) -> Result<(), FunctionError> {
    room.take(2)?;
    out.push('[');
    for (position, value) in all.enumerate() {
        if position > 0 {
            room.take(1)?;
            out.push(',');
        }
        write(value, out, room)?;
    }
    out.push(']');
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    for c in quoted(text).chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
}

/// Reads JSON: arrays become lists, objects maps. The parser stops at 128 levels.
pub(super) fn decode(text: &str) -> Outcome {
    let mut room = Room::new();
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Reader(&mut room)
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value));
    value.map_err(|error| {
        FunctionError::new(format!(
            "this is no JSON: {}",
            remit_sdk::text::safe(&error.to_string())
        ))
    })
}

/// Builds a value while it takes room for it.
struct Reader<'r>(&'r mut Room);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.0
            .take(size_of::<Value>())
            .map_err(|error| de::Error::custom(error.message))?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, b: bool) -> Result<Value, E> {
        Ok(Value::Bool(b))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::integer(number))
    }

    #[allow(clippy::cast_precision_loss)] // beyond i64 a number is a float
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        match i64::try_from(number) {
            Ok(number) => Ok(Value::integer(number)),
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.0
            .take(text.len())
            .map_err(|error| E::custom(error.message))?;
        Ok(Value::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = from.next_element_seed(Reader(self.0))? {
            all.push(value);
        }
        Ok(Value::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut all = std::collections::BTreeMap::new();
        while let Some(key) = from.next_key::<String>()? {
            self.0
                .take(key.len())
                .map_err(|error| de::Error::custom(error.message))?;
            all.insert(key, from.next_value_seed(Reader(self.0))?);
        }
        Ok(Value::Map(all))
    }
}
