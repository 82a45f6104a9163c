//! Type constraints of variables, and the conversion of values to them.
//!
//! `string`, `number`, `bool`, `any`, `list(T)`, `set(T)`, `map(T)`, `tuple([T, …])`,
//! `object({ a = T, b = optional(T, default) })` and `ref(KIND)`, a declaration of that kind. A
//! constraint is syntax: it is read, never evaluated, but for the defaults in `optional`.

use std::collections::BTreeMap;

use remit_sdk::{Diagnostic, Value};

use super::convert::{describe, to_bool, to_number, to_text};
use super::evaluator::{Evaluated, Evaluator};
use super::index::{DECLARATIONS, find_kind};
use super::nearest::did_you_mean;
use super::scope::{Frame, Scope};
use crate::config::syntax::{Call, Expression, ExpressionKind, ObjectKey};

/// What a variable takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Field>),
    Reference(String),
}

/// An attribute of an object type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    kind: Type,
    /// What stands when it is left out; `None` where it must not be.
    default: Option<Value>,
}

const NAMES: [&str; 10] = [
    "string", "number", "bool", "any", "list", "set", "map", "object", "tuple", "ref",
];

impl Type {
    /// Whether a declaration may stand in it.
    pub(super) fn takes_references(&self) -> bool {
        match self {
            Self::Reference(_) => true,
            Self::List(inner) | Self::Set(inner) | Self::Map(inner) => inner.takes_references(),
            Self::Tuple(all) => all.iter().any(Self::takes_references),
            Self::Object(all) => all.values().any(|field| field.kind.takes_references()),
            Self::Any | Self::String | Self::Number | Self::Bool => false,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Any => "any value".into(),
            Self::String => "a string".into(),
            Self::Number => "a number".into(),
            Self::Bool => "a bool".into(),
            Self::List(_) => "a list".into(),
            Self::Set(_) => "a set".into(),
            Self::Map(_) => "a map".into(),
            Self::Tuple(all) => format!("a list of {}", all.len()),
            Self::Object(_) => "an object".into(),
            Self::Reference(kind) => format!("a reference to a declaration of kind `{kind}`"),
        }
    }

    /// `value` as this type. The error says where in the value the mistake is, and what it is.
    pub(super) fn convert(&self, value: Value) -> Result<Value, (String, String)> {
        if matches!(value, Value::Null | Value::Pending(_)) {
            return Ok(value);
        }
        let misfit = |value: &Value| {
            let detail = format!("{} is wanted, and this is {}", self.name(), describe(value));
            (String::new(), detail)
        };
        match (self, value) {
            (Self::Any, value) | (Self::String, value @ Value::Secret(_)) => Ok(value),
            (Self::String, value) => to_text(&value)
                .map(Value::String)
                .map_err(|_| misfit(&value)),
            (Self::Number, value) => to_number(&value)
                .map(Value::Number)
                .map_err(|_| misfit(&value)),
            (Self::Bool, value) => to_bool(&value).map(Value::Bool).map_err(|_| misfit(&value)),
            (Self::List(inner), value) => {
                Ok(Value::List(inner.items(value).map_err(|error| {
                    error.unwrap_or_else(|value| misfit(&value))
                })?))
            }
            (Self::Set(inner), value) => Ok(Value::Set(
                inner
                    .items(value)
                    .map_err(|error| error.unwrap_or_else(|value| misfit(&value)))?
                    .into_iter()
                    .collect(),
            )),
            (Self::Tuple(types), Value::List(all)) if types.len() == all.len() => types
                .iter()
                .zip(all)
                .enumerate()
                .map(|(index, (kind, value))| kind.inside(&format!("[{index}]"), value))
                .collect::<Result<_, _>>()
                .map(Value::List),
            (Self::Map(inner), Value::Map(all)) => all
                .into_iter()
                .map(|(key, value)| Ok((key.clone(), inner.inside(&at_key(&key), value)?)))
                .collect::<Result<_, _>>()
                .map(Value::Map),
            (Self::Object(fields), Value::Map(all)) => object(fields, all),
            (Self::Reference(kind), Value::Declaration(address)) if address.kind == *kind => {
                Ok(Value::Declaration(address))
            }
            (_, value) => Err(misfit(&value)),
        }
    }

    fn inside(&self, step: &str, value: Value) -> Result<Value, (String, String)> {
        self.convert(value)
            .map_err(|(path, detail)| (format!("{step}{path}"), detail))
    }

    /// The items of a list or set, each of this type; a value that is neither is given back.
    #[allow(clippy::type_complexity)] // an error of an item, or the value itself
    fn items(&self, value: Value) -> Result<Vec<Value>, Result<(String, String), Value>> {
        let all: Vec<Value> = match value {
            Value::List(all) => all,
            Value::Set(all) => all.into_iter().collect(),
            other => return Err(Err(other)),
        };
        all.into_iter()
            .enumerate()
            .map(|(index, value)| self.inside(&format!("[{index}]"), value).map_err(Ok))
            .collect()
    }
}

fn at_key(key: &str) -> String {
    format!("[\"{}\"]", remit_sdk::text::safe(key))
}

fn object(
    fields: &BTreeMap<String, Field>,
    mut given: BTreeMap<String, Value>,
) -> Result<Value, (String, String)> {
    let mut result = BTreeMap::new();
    for (name, field) in fields {
        let value = match (given.remove(name), &field.default) {
            (None, None) => {
                return Err((String::new(), format!("the attribute `{name}` is missing")));
            }
            (None | Some(Value::Null), Some(default)) => default.clone(),
            (Some(value), _) => field.kind.inside(&format!(".{name}"), value)?,
        };
        result.insert(name.clone(), value);
    }
    if let Some(unknown) = given.keys().next() {
        let near = did_you_mean(unknown, fields.keys().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; {near}"));
        let detail = format!(
            "it takes no attribute `{}`{near}",
            remit_sdk::text::safe(unknown)
        );
        return Err((String::new(), detail));
    }
    Ok(Value::Map(result))
}

impl Evaluator<'_> {
    /// Reads a type constraint.
    pub(super) fn type_of(&self, expression: &Expression) -> Evaluated<Type> {
        match &expression.kind {
            ExpressionKind::Parenthesis(inner) => self.type_of(inner),
            ExpressionKind::Variable(name) => match name.as_str() {
                "string" => Ok(Type::String),
                "number" => Ok(Type::Number),
                "bool" => Ok(Type::Bool),
                "any" => Ok(Type::Any),
                name => Err(self.no_type(expression, name)),
            },
            ExpressionKind::Call(call) => self.type_call(expression, call),
            _ => Err(self.no_type(expression, "")),
        }
    }

    fn type_call(&self, expression: &Expression, call: &Call) -> Evaluated<Type> {
        let name = call.name.value.as_str();
        let [argument] = call.arguments.as_slice() else {
            return Err(self.no_type(expression, name));
        };
        let boxed = || self.type_of(argument).map(Box::new);
        match (name, &argument.kind) {
            ("list", _) => boxed().map(Type::List),
            ("set", _) => boxed().map(Type::Set),
            ("map", _) => boxed().map(Type::Map),
            ("tuple", ExpressionKind::List(all)) => all
                .iter()
                .map(|one| self.type_of(one))
                .collect::<Evaluated<_>>()
                .map(Type::Tuple),
            ("object", ExpressionKind::Object(entries)) => {
                let mut fields = BTreeMap::new();
                for (key, kind) in entries {
                    let ObjectKey::Name(key) = key else {
                        return Err(self.no_type(expression, name));
                    };
                    fields.insert(key.value.clone(), self.field(kind)?);
                }
                Ok(Type::Object(fields))
            }
            ("ref", ExpressionKind::Variable(kind)) => {
                let known = DECLARATIONS.contains(&kind.as_str())
                    || kind == "provider"
                    || find_kind(self.providers, kind).is_some();
                if known {
                    return Ok(Type::Reference(kind.clone()));
                }
                let error = Diagnostic::error(
                    "unknown type",
                    format!("there are no declarations of kind `{kind}`"),
                );
                Err(self.report(
                    error.at(argument.span).help(
                        did_you_mean(kind, DECLARATIONS)
                            .unwrap_or_else(|| format!("kinds are {}", DECLARATIONS.join(", "))),
                    ),
                ))
            }
            _ => Err(self.no_type(expression, name)),
        }
    }

    fn field(&self, expression: &Expression) -> Evaluated<Field> {
        let optional = match &expression.kind {
            ExpressionKind::Call(call) if call.name.value == "optional" => &call.arguments,
            _ => {
                return Ok(Field {
                    kind: self.type_of(expression)?,
                    default: None,
                });
            }
        };
        match optional.as_slice() {
            [kind] => Ok(Field {
                kind: self.type_of(kind)?,
                default: Some(Value::Null),
            }),
            [kind, default] => {
                let (kind, at) = (self.type_of(kind)?, default.span);
                let plain = Scope::root(Frame::Plain("a default"));
                let value = self.value(default, &plain)?;
                let value = kind.convert(value).map_err(|(path, detail)| {
                    self.wrong_type("this default", &path, detail, Some(at))
                })?;
                Ok(Field {
                    kind,
                    default: Some(value),
                })
            }
            _ => Err(self.no_type(expression, "optional")),
        }
    }

    fn no_type(&self, expression: &Expression, name: &str) -> super::Failed {
        let help = match name {
            "list" | "set" | "map" => format!("write what it holds, such as `{name}(string)`"),
            "object" => "write `object({ name = string, size = optional(number, 1) })`".into(),
            "tuple" => "write `tuple([string, number])`".into(),
            "ref" => "write `ref(issuer)`, or another kind of declaration".into(),
            "optional" => "`optional(TYPE)` and `optional(TYPE, DEFAULT)` stand in `object({ … })`".into(),
            name => did_you_mean(name, NAMES).unwrap_or_else(|| {
                "types are string, number, bool, any, list(T), set(T), map(T), object({ … }), tuple([ … ]) and ref(KIND)".into()
            }),
        };
        self.report(
            Diagnostic::error("unknown type", "this is no type")
                .at(expression.span)
                .help(help),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(all: &[(&str, Value)]) -> Value {
        Value::Map(
            all.iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone()))
                .collect(),
        )
    }

    #[test]
    fn conversions() {
        let object = Type::Object(BTreeMap::from([
            (
                "size".to_owned(),
                Field {
                    kind: Type::Number,
                    default: Some(Value::integer(1)),
                },
            ),
            (
                "name".to_owned(),
                Field {
                    kind: Type::String,
                    default: None,
                },
            ),
        ]));
        let given = map(&[("name", Value::integer(5))]);
        let wanted = map(&[("name", Value::string("5")), ("size", Value::integer(1))]);
        assert_eq!(object.convert(given), Ok(wanted));

        let set = Type::Set(Box::new(Type::Bool));
        let given = Value::List(vec![Value::string("true"), Value::Bool(true)]);
        assert_eq!(
            set.convert(given),
            Ok(Value::Set([Value::Bool(true)].into()))
        );
    }

    #[test]
    fn mistakes_say_where() {
        let kind = Type::Map(Box::new(Type::List(Box::new(Type::Number))));
        let given = map(&[(
            "a",
            Value::List(vec![Value::integer(1), Value::string("x")]),
        )]);
        let (path, detail) = kind.convert(given).unwrap_err();
        assert_eq!(path, "[\"a\"][1]");
        assert_eq!(detail, "a number is wanted, and this is the string \"x\"");
        assert!(
            Type::Tuple(vec![Type::Any])
                .convert(Value::List(vec![]))
                .is_err()
        );
        assert!(
            Type::List(Box::new(Type::Any))
                .convert(Value::Bool(true))
                .is_err()
        );
    }
}
