//! `for` expressions: lists, sets and maps gone through entry by entry.
//!
//! The key of a list's entry is its index, of a set's entry the entry itself. Everything about
//! the collection must be known; what the result holds may be pending.

use std::collections::BTreeMap;

use remit_sdk::{Diagnostic, Span, Value};

use super::convert::describe;
use super::evaluator::{Evaluated, Evaluator, Failed};
use super::scope::{Frame, Scope};
use crate::config::syntax::{Expression, For};

impl Evaluator<'_> {
    /// The entries of a collection: keys and values.
    pub(super) fn entries(
        &self,
        collection: &Expression,
        scope: &Scope<'_>,
    ) -> Evaluated<Vec<(Value, Value)>> {
        let span = collection.span;
        Ok(match self.value(collection, scope)? {
            Value::List(all) => (0..).map(Value::integer).zip(all).collect(),
            Value::Set(all) => all
                .into_iter()
                .map(|value| (value.clone(), value))
                .collect(),
            Value::Map(all) => all
                .into_iter()
                .map(|(key, value)| (Value::String(key), value))
                .collect(),
            value @ (Value::Secret(_) | Value::Pending(_)) => {
                self.known(&value, "`for`", span)?;
                return Err(Failed);
            }
            other => {
                return Err(self.report(
                    Diagnostic::error(
                        "nothing to go through",
                        format!(
                            "`for` goes through a list, a set or a map, and this is {}",
                            describe(&other)
                        ),
                    )
                    .at(span)
                    .help("write `[…]` around a single value"),
                ));
            }
        })
    }

    /// `[for …]` and `{for …}`.
    pub(super) fn for_expression(&self, form: &For, span: Span, scope: &Scope<'_>) -> Evaluated {
        let mut list = Vec::new();
        let mut map: BTreeMap<String, Value> = BTreeMap::new();
        let mut failed = false;
        for (key, value) in self.entries(&form.collection, scope)? {
            let mut names = vec![(form.value_name.value.as_str(), value)];
            names.extend(
                form.key_name
                    .as_ref()
                    .map(|name| (name.value.as_str(), key)),
            );
            let inner = scope.with(Frame::Names(&names));
            match self.entry(form, &inner) {
                Ok(None) => {}
                Ok(Some((None, value))) => list.push(value),
                Ok(Some((Some(key), value))) if form.group => {
                    match map.entry(key).or_insert_with(|| Value::List(Vec::new())) {
                        Value::List(group) => group.push(value),
                        other => *other = value,
                    }
                }
                Ok(Some((Some(key), value))) => {
                    if map.contains_key(&key) {
                        let at = form.key.as_ref().map(|key| key.span);
                        failed = true;
                        self.report(
                            Diagnostic::error(
                                "key given twice",
                                format!(
                                    "two entries have the key `{}`",
                                    remit_sdk::text::safe(&key)
                                ),
                            )
                            .at(at)
                            .help(
                                "write `...` after the value to group entries of one key to a list",
                            ),
                        );
                    }
                    map.insert(key, value);
                }
                Err(Failed) if self.budget.is_spent() => return Err(Failed),
                Err(Failed) => failed = true,
            }
        }
        if failed {
            return Err(Failed);
        }
        let result = if form.key.is_some() {
            Value::Map(map)
        } else {
            Value::List(list)
        };
        self.measured(&result, span)?;
        Ok(result)
    }

    fn entry(&self, form: &For, scope: &Scope<'_>) -> Evaluated<Option<(Option<String>, Value)>> {
        if let Some(condition) = &form.condition
            && !self.condition(condition, scope)?
        {
            return Ok(None);
        }
        let key = form
            .key
            .as_ref()
            .map(|key| self.key(key, scope))
            .transpose();
        let value = self.value(&form.value, scope);
        Ok(Some((key?, value?)))
    }
}
