//! Values, values known only after apply, and references to secrets.
//!
//! The text form is JSON: what JSON can say is said plainly, the rest is an object with one key
//! that begins with `$` (`$set`, `$declaration`, `$secret`, `$pending`, `$integer`). A map whose
//! own key begins with `$` is wrapped in `$map`, so every value reads back as itself.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::address::{DeclarationAddress, ObjectAddress};

/// The largest integer that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3).
const JSON_SAFE_INTEGER: u64 = 1 << 53;

/// What an expression or an attribute holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Value {
    /// Nothing; as an attribute's value the same as leaving the attribute out.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer, or a fraction.
    Number(Number),
    /// Text.
    String(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values without order or repetition.
    Set(BTreeSet<Value>),
    /// Values by name; an object of the language too.
    Map(BTreeMap<String, Value>),
    /// A declaration itself, as `agent.x` gives it.
    Declaration(DeclarationAddress),
    /// Where a secret lives; never the secret.
    Secret(SecretRef),
    /// Known only after apply.
    Pending(Pending),
}

/// An integer where it is one, so that a TTL is never `3600.0`. A float is never integral below
/// 2^53 and never NaN or infinite: [`Number::from_f64`] sees to it.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// A fraction, or a number beyond `i64`.
    Float(f64),
}

impl Number {
    /// The number, as an integer where it is one; `None` for NaN and infinities.
    pub fn from_f64(number: f64) -> Option<Self> {
        #[allow(clippy::cast_precision_loss)] // 2^53 is exact
        const SAFE: f64 = JSON_SAFE_INTEGER as f64;
        if !number.is_finite() {
            None
        } else if number.fract() == 0.0 && number.abs() <= SAFE {
            #[allow(clippy::cast_possible_truncation)] // bounded by the line above
            Some(Self::Integer(number as i64))
        } else {
            Some(Self::Float(number))
        }
    }

    /// As a float; exact up to 2^53.
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(n) => n as f64,
            Self::Float(n) => n,
        }
    }

    /// As an integer, if it is one.
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(n),
            Self::Float(_) => None,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (a, b) => a.as_f64().total_cmp(&b.as_f64()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(n) => n.fmt(f),
            Self::Float(n) => n.fmt(f),
        }
    }
}

/// A value known only after apply: one attribute of an object, or a template of such.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pending {
    /// The parts, joined to a string when all are known; a single reference keeps its type.
    pub parts: Vec<PendingPart>,
}

/// A piece of a pending value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingPart {
    /// Known text.
    Text(String),
    /// An attribute of an object.
    Attribute {
        /// The object.
        address: ObjectAddress,
        /// Its attribute; `id` is its live id.
        attribute: String,
    },
}

impl Pending {
    /// One attribute of one object.
    pub fn attribute(address: ObjectAddress, attribute: impl Into<String>) -> Self {
        Self {
            parts: vec![PendingPart::Attribute {
                address,
                attribute: attribute.into(),
            }],
        }
    }

    /// The objects it waits for.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectAddress> {
        self.parts.iter().filter_map(|part| match part {
            PendingPart::Attribute { address, .. } => Some(address),
            PendingPart::Text(_) => None,
        })
    }

    /// The value, once `known` gives every part of it; what is still unknown stays pending.
    pub fn resolve(&self, known: &dyn Fn(&ObjectAddress, &str) -> Option<Value>) -> Value {
        if let [PendingPart::Attribute { address, attribute }] = self.parts.as_slice() {
            return known(address, attribute).unwrap_or_else(|| Value::Pending(self.clone()));
        }
        let mut parts: Vec<PendingPart> = Vec::new();
        for part in &self.parts {
            let text = match part {
                PendingPart::Text(text) => Some(text.clone()),
                PendingPart::Attribute { address, attribute } => {
                    known(address, attribute).and_then(|value| value.to_text())
                }
            };
            match (text, parts.last_mut()) {
                (Some(text), Some(PendingPart::Text(before))) => before.push_str(&text),
                (Some(text), _) => parts.push(PendingPart::Text(text)),
                (None, _) => parts.push(part.clone()),
            }
        }
        match parts.as_slice() {
            [PendingPart::Text(text)] => Value::String(text.clone()),
            _ => Value::Pending(Self { parts }),
        }
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(known after apply)")
    }
}

/// Where a secret lives. It is what plans and records hold in the secret's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// A sensitive variable.
    Variable(String),
    /// A variable of the process's environment.
    Env(String),
    /// A field of a KV secret in Vault: path of the API (`kv/data/x` for version 2) and field.
    Vault {
        /// The path below `/v1/`.
        path: String,
        /// The field.
        field: String,
    },
    /// A secret in AWS Secrets Manager.
    AwsSecret(String),
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "var.{name}"),
            Self::Env(name) => write!(f, "env(\"{name}\")"),
            Self::Vault { path, field } => write!(f, "vault(\"{path}\", \"{field}\")"),
            Self::AwsSecret(arn) => write!(f, "aws_secret(\"{arn}\")"),
        }
    }
}

impl Value {
    /// A string.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// An integer.
    pub const fn integer(number: i64) -> Self {
        Self::Number(Number::Integer(number))
    }

    /// A set of strings.
    pub fn strings<I: IntoIterator<Item = S>, S: Into<String>>(all: I) -> Self {
        Self::Set(all.into_iter().map(Self::string).collect())
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// What it becomes inside a template: scalars only.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Bool(b) => Some(b.to_string()),
            Self::Number(n) => Some(n.to_string()),
            Self::String(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// What a message calls it.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Declaration(_) => "a declaration",
            Self::Secret(_) => "a reference to a secret",
            Self::Pending(_) => "a value known only after apply",
        }
    }

    /// Calls `visit` for this value and every value inside it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Value)) {
        visit(self);
        match self {
            Self::List(all) => all.iter().for_each(|value| value.walk(visit)),
            Self::Set(all) => all.iter().for_each(|value| value.walk(visit)),
            Self::Map(all) => all.values().for_each(|value| value.walk(visit)),
            _ => {}
        }
    }

    /// Whether anything in it is known only after apply.
    pub fn has_pending(&self) -> bool {
        let mut found = false;
        self.walk(&mut |value| found |= matches!(value, Self::Pending(_)));
        found
    }

    /// The same value with every pending part that `known` gives put in its place.
    #[must_use]
    pub fn resolve(&self, known: &dyn Fn(&ObjectAddress, &str) -> Option<Value>) -> Self {
        match self {
            Self::Pending(pending) => pending.resolve(known),
            Self::List(all) => Self::List(all.iter().map(|value| value.resolve(known)).collect()),
            Self::Set(all) => Self::Set(all.iter().map(|value| value.resolve(known)).collect()),
            Self::Map(all) => Self::Map(
                all.iter()
                    .map(|(key, value)| (key.clone(), value.resolve(known)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// JSON as other tools expect it: sets are arrays, declarations and references are text,
    /// pending values are null. Does not read back.
    pub fn to_plain_json(&self) -> Json {
        match self {
            Self::Null | Self::Pending(_) => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Number(Number::Integer(n)) => Json::from(*n),
            Self::Number(Number::Float(n)) => Json::from(*n),
            Self::String(text) => Json::String(text.clone()),
            Self::List(all) => all.iter().map(Self::to_plain_json).collect(),
            Self::Set(all) => all.iter().map(Self::to_plain_json).collect(),
            Self::Map(all) => Json::Object(
                all.iter()
                    .map(|(k, v)| (k.clone(), v.to_plain_json()))
                    .collect(),
            ),
            Self::Declaration(address) => Json::String(address.to_string()),
            Self::Secret(reference) => Json::String(reference.to_string()),
        }
    }

    /// JSON that [`Value::from_json`] reads back to the same value.
    pub fn to_json(&self) -> Json {
        let tagged =
            |tag: &str, json: Json| Json::Object([(tag.to_owned(), json)].into_iter().collect());
        match self {
            Self::Number(Number::Integer(n)) if n.unsigned_abs() > JSON_SAFE_INTEGER => {
                tagged("$integer", Json::String(n.to_string()))
            }
            Self::List(all) => all.iter().map(Self::to_json).collect(),
            Self::Set(all) => tagged("$set", all.iter().map(Self::to_json).collect()),
            Self::Map(all) => {
                let json =
                    Json::Object(all.iter().map(|(k, v)| (k.clone(), v.to_json())).collect());
                if all.keys().any(|key| key.starts_with('$')) {
                    tagged("$map", json)
                } else {
                    json
                }
            }
            Self::Declaration(address) => tagged("$declaration", Json::String(address.to_string())),
            Self::Secret(reference) => tagged(
                "$secret",
                serde_json::to_value(reference).unwrap_or_default(),
            ),
            Self::Pending(pending) => tagged(
                "$pending",
                serde_json::to_value(pending).unwrap_or_default(),
            ),
            plain => plain.to_plain_json(),
        }
    }

    /// Reads what [`Value::to_json`] wrote.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => Self::Number(json_number(n)?),
            Json::String(text) => Self::String(text.clone()),
            Json::Array(all) => {
                Self::List(all.iter().map(Self::from_json).collect::<Result<_, _>>()?)
            }
            Json::Object(all) => {
                let mut entries = all.iter();
                match (entries.next(), entries.next()) {
                    (Some((tag, inner)), None) if tag.starts_with('$') => {
                        Self::from_tagged(tag, inner)?
                    }
                    _ => Self::Map(json_map(all)?),
                }
            }
        })
    }

    fn from_tagged(tag: &str, inner: &Json) -> Result<Self, String> {
        let text = || {
            inner
                .as_str()
                .ok_or_else(|| format!("`{tag}` holds no text"))
        };
        Ok(match (tag, inner) {
            ("$integer", _) => {
                Self::integer(text()?.parse().map_err(|_| "`$integer` holds no integer")?)
            }
            ("$set", Json::Array(all)) => {
                Self::Set(all.iter().map(Self::from_json).collect::<Result<_, _>>()?)
            }
            ("$map", Json::Object(all)) => Self::Map(json_map(all)?),
            ("$declaration", _) => {
                Self::Declaration(text()?.parse().map_err(|error| format!("{error}"))?)
            }
            ("$secret", _) => Self::Secret(
                serde_json::from_value(inner.clone()).map_err(|error| error.to_string())?,
            ),
            ("$pending", _) => Self::Pending(
                serde_json::from_value(inner.clone()).map_err(|error| error.to_string())?,
            ),
            _ => return Err(format!("`{}` is no kind of value", crate::text::safe(tag))),
        })
    }

    /// Reads a server's JSON, where a `$` means nothing: arrays are lists, objects are maps.
    pub fn from_plain_json(json: &Json) -> Result<Self, String> {
        Ok(match json {
            Json::Array(all) => Self::List(
                all.iter()
                    .map(Self::from_plain_json)
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(all) => Self::Map(
                all.iter()
                    .map(|(key, value)| Ok((key.clone(), Self::from_plain_json(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            scalar => Self::from_json(scalar)?,
        })
    }
}

fn json_number(number: &serde_json::Number) -> Result<Number, String> {
    number
        .as_i64()
        .map(Number::Integer)
        .or_else(|| number.as_f64().and_then(Number::from_f64))
        .ok_or_else(|| "a number out of range".to_owned())
}

fn json_map(all: &serde_json::Map<String, Json>) -> Result<BTreeMap<String, Value>, String> {
    all.iter()
        .map(|(key, value)| Ok((key.clone(), Value::from_json(value)?)))
        .collect()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::integer),
            any::<String>().prop_map(Value::String),
            Just(Value::Declaration(
                DeclarationAddress::new("scope", "s").with_key("a\"b")
            )),
            Just(Value::Secret(SecretRef::Vault {
                path: "kv/data/x".into(),
                field: "f".into()
            })),
            Just(Value::Pending(Pending::attribute(
                DeclarationAddress::new("identity", "i").object("vault_entity"),
                "id"
            ))),
        ];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::btree_set(inner.clone(), 0..4).prop_map(Value::Set),
                prop::collection::btree_map("[$a-c]{0,4}", inner, 0..4).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_reads_back(value in any_value()) {
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn a_template_fills_in() {
        let address = DeclarationAddress::new("vault_auth_mount", "m").object("vault_auth_mount");
        let pending = Pending {
            parts: vec![
                PendingPart::Text("a-".into()),
                PendingPart::Attribute {
                    address: address.clone(),
                    attribute: "accessor".into(),
                },
                PendingPart::Text("-b".into()),
            ],
        };
        let unknown = pending.resolve(&|_, _| None);
        assert_eq!(unknown, Value::Pending(pending.clone()));
        let known = pending.resolve(&|_, _| Some(Value::string("x")));
        assert_eq!(known, Value::string("a-x-b"));
    }
}
