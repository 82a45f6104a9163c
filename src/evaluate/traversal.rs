//! `.name`, `[index]` and `[*]` on a value.
//!
//! An attribute of a declaration is what the declaration exports, so `each.value.name` works
//! where `each.value` is an environment. Indexes must be known and exist.

use std::borrow::Cow;

use remit_sdk::{Diagnostic, Span, Spanned, Value};

use super::convert::{describe, to_number};
use super::evaluator::{Evaluated, Evaluator, Failed};
use super::scope::Scope;
use crate::config::syntax::{Expression, Step};

impl Step {
    fn span(&self) -> Option<Span> {
        match self {
            Self::Attribute(name) => name.span,
            Self::Index(index) => Some(index.span),
            Self::Splat(span) => Some(*span),
        }
    }
}

impl Evaluator<'_> {
    /// What `steps` lead to from `base`, which stands at `at`.
    pub(super) fn walk(
        &self,
        base: &Value,
        at: Span,
        steps: &[Step],
        scope: &Scope<'_>,
    ) -> Evaluated {
        let mut current = Cow::Borrowed(base);
        let mut at = at;
        for (index, step) in steps.iter().enumerate() {
            current = match step {
                Step::Attribute(name) => self.attribute_of(current, name, at)?,
                Step::Index(index) => self.item(current, index, at, scope)?,
                Step::Splat(_) => {
                    let rest = steps.get(index + 1..).unwrap_or_default();
                    return self.splat(&current, at, rest, scope);
                }
            };
            at = step.span().map_or(at, |span| at.join(span));
        }
        match current {
            Cow::Borrowed(value) => self.copy(value, at),
            Cow::Owned(value) => Ok(value),
        }
    }

    fn attribute_of<'v>(
        &self,
        base: Cow<'v, Value>,
        name: &Spanned<String>,
        at: Span,
    ) -> Evaluated<Cow<'v, Value>> {
        match &*base {
            Value::Declaration(address) => self.export(address, name).map(Cow::Owned),
            Value::Map(_) => self.member(base, &name.value, name.span.unwrap_or(at)),
            other => Err(self.no_parts(other, at)),
        }
    }

    /// An entry of a map.
    fn member<'v>(&self, base: Cow<'v, Value>, key: &str, at: Span) -> Evaluated<Cow<'v, Value>> {
        let found = match base {
            Cow::Borrowed(Value::Map(all)) => all.get(key).map(Cow::Borrowed).ok_or(all.keys()),
            Cow::Owned(Value::Map(ref all)) => {
                all.get(key).cloned().map(Cow::Owned).ok_or(all.keys())
            }
            _ => return Err(Failed),
        };
        found.map_err(|keys| {
            let keys: Vec<&str> = keys.map(String::as_str).collect();
            let mut error = Diagnostic::error(
                "no such key",
                format!("there is no `{}` in this map", remit_sdk::text::safe(key)),
            )
            .at(at);
            error.help = self
                .budget
                .did_you_mean(key, keys.iter().copied())
                .or_else(|| {
                    (!keys.is_empty() && keys.len() <= 10)
                        .then(|| format!("its keys are {}", keys.join(", ")))
                });
            self.report(error)
        })
    }

    fn item<'v>(
        &self,
        base: Cow<'v, Value>,
        index: &Expression,
        at: Span,
        scope: &Scope<'_>,
    ) -> Evaluated<Cow<'v, Value>> {
        match &*base {
            Value::Map(_) => {
                let key = self.key(index, scope)?;
                self.member(base, &key, index.span)
            }
            Value::List(all) => {
                let length = all.len();
                let position = self.position(index, length, scope)?;
                let found = match base {
                    Cow::Borrowed(Value::List(all)) => all.get(position).map(Cow::Borrowed),
                    Cow::Owned(Value::List(all)) => all.into_iter().nth(position).map(Cow::Owned),
                    _ => None,
                };
                found.ok_or(Failed)
            }
            Value::Set(_) => Err(self.report(
                Diagnostic::error(
                    "a set has no order",
                    "an entry of a set can't be chosen by index",
                )
                .at(index.span)
                .help("write `tolist(…)` around the set, or a `for` expression"),
            )),
            Value::Declaration(address) => Err(self.report(
                Diagnostic::error(
                    "no instances to choose from",
                    format!("`{address}` is one declaration"),
                )
                .at(index.span)
                .help("leave the index out; only a block with `for_each` has instances"),
            )),
            other => Err(self.no_parts(other, at)),
        }
    }

    fn position(&self, index: &Expression, length: usize, scope: &Scope<'_>) -> Evaluated<usize> {
        let value = self.value(index, scope)?;
        self.known(&value, "an index", index.span)?;
        let number =
            to_number(&value).map_err(|misfit| self.misfit("invalid index", misfit, index.span))?;
        number
            .as_i64()
            .and_then(|position| usize::try_from(position).ok())
            .filter(|position| *position < length)
            .ok_or_else(|| {
                self.report(
                    Diagnostic::error(
                        "no such index",
                        format!("the list has {length} entries, and this asks for index {number}"),
                    )
                    .at(index.span)
                    .help(match length {
                        0 => "the list is empty".to_owned(),
                        n => format!("indexes go from 0 to {}", n - 1),
                    }),
                )
            })
    }

    fn no_parts(&self, value: &Value, at: Span) -> Failed {
        if let Err(failed) = self.known(value, "taking a part of a value", at) {
            return failed;
        }
        self.report(
            Diagnostic::error(
                "value without parts",
                format!("this is {}, which has no parts", describe(value)),
            )
            .at(at)
            .help("only maps, lists and declarations have parts"),
        )
    }

    /// `base[*]` with the steps that follow it, applied to each entry.
    fn splat(&self, base: &Value, at: Span, rest: &[Step], scope: &Scope<'_>) -> Evaluated {
        self.budget.enter().map_err(|spent| self.spent(spent, at))?;
        let each = |value: &Value| self.walk(value, at, rest, scope);
        let all: Vec<Evaluated> = match base {
            Value::Null => Vec::new(),
            Value::List(all) => all.iter().map(each).collect(),
            Value::Set(all) => all.iter().map(each).collect(),
            Value::Pending(_) | Value::Secret(_) => vec![Err(self.no_parts(base, at))],
            single => vec![each(single)],
        };
        self.budget.leave();
        let result = Value::List(all.into_iter().collect::<Evaluated<_>>()?);
        self.measured(&result, at)?;
        Ok(result)
    }
}
