//! `for_each`: which instances a block has.
//!
//! In: a map, or a set of strings, fully known. Out: the instances by key, ordered, or the one
//! instance of a block without `for_each`.

use std::collections::BTreeMap;
use std::rc::Rc;

use remit_sdk::{Diagnostic, Span, Value};

use super::convert::describe;
use super::evaluator::{Evaluated, Evaluator, Node};
use super::index::Declared;
use super::limits::FOR_EACH_INSTANCES_MAX;
use super::scope::{Frame, Scope};

impl<'c> Evaluator<'c> {
    /// The instances of a declaration, asked for at `at`: a map from keys to `each.value`, or
    /// null for a single instance without a key.
    pub(super) fn instances(
        &self,
        declared: &Declared<'c>,
        at: Option<Span>,
    ) -> Evaluated<Rc<Value>> {
        let attribute = declared.block.body.attribute("for_each");
        self.force(Node::Instances(declared.id), at, || {
            let Some(attribute) = attribute else {
                self.count_instances(1, declared.block.span)?;
                return Ok(Value::Null);
            };
            let span = attribute.expression.span;
            let value = self.value(&attribute.expression, &Scope::CONFIGURATION)?;
            let all = self.each_values(value, span)?;
            self.count_instances(all.len(), span)?;
            Ok(Value::Map(all))
        })
    }

    fn count_instances(&self, more: usize, at: Span) -> Evaluated<()> {
        self.budget
            .instances(more)
            .map_err(|spent| self.spent(spent, at))
    }

    fn each_values(&self, value: Value, at: Span) -> Evaluated<BTreeMap<String, Value>> {
        let refuse = |detail: String, help: &str| {
            let error = Diagnostic::error("invalid `for_each`", detail);
            Err(self.report(error.at(at).help(help)))
        };
        let all = match value {
            Value::Map(all) => all,
            Value::Set(all) => {
                let mut map = BTreeMap::new();
                for value in all {
                    let Value::String(key) = &value else {
                        return refuse(
                            format!(
                                "a set in `for_each` holds strings, and this one holds {}",
                                describe(&value)
                            ),
                            "write a map: its keys name the instances, its values are `each.value`",
                        );
                    };
                    map.insert(key.clone(), value);
                }
                map
            }
            Value::Pending(_) => {
                return refuse(
                    "which instances there are must be known before anything is applied, and this is known only after".into(),
                    "write the keys down, and use the pending value in the instances",
                );
            }
            Value::Secret(_) => {
                return refuse(
                    "keys of instances are shown and recorded, so they can't come from a secret"
                        .into(),
                    "write the keys down, or use a variable that isn't sensitive",
                );
            }
            Value::List(_) => {
                return refuse(
                    "a list has no keys, and its entries would change places".into(),
                    "write `toset(…)` around it, or a map",
                );
            }
            other => {
                return refuse(
                    format!(
                        "`for_each` takes a map or a set of strings, and this is {}",
                        describe(&other)
                    ),
                    "write a map, `toset([…])`, or leave `for_each` out",
                );
            }
        };
        if all.len() > FOR_EACH_INSTANCES_MAX {
            return refuse(
                format!(
                    "this makes {} instances, and one block may have {FOR_EACH_INSTANCES_MAX}",
                    all.len()
                ),
                "split the block, or the configuration",
            );
        }
        Ok(all)
    }

    /// Runs `work` with the names one instance sees.
    pub(crate) fn in_instance<T>(
        &self,
        declared: &Declared<'c>,
        key: Option<&str>,
        work: impl FnOnce(&Scope<'_>) -> Evaluated<T>,
    ) -> Evaluated<T> {
        let Some(key) = key else {
            return work(&Scope::CONFIGURATION);
        };
        let instances = self.instances(declared, None)?;
        match &*instances {
            Value::Map(all) => match all.get(key) {
                Some(value) => work(&Scope::CONFIGURATION.with(Frame::Each(key, value))),
                None => work(&Scope::CONFIGURATION),
            },
            _ => work(&Scope::CONFIGURATION),
        }
    }

    /// The keys of a declaration's instances, in order; one `None` without `for_each`, nothing
    /// where they are not known.
    pub(crate) fn keys(&self, declared: &Declared<'c>) -> Vec<Option<String>> {
        match self.instances(declared, None).as_deref() {
            Ok(Value::Map(all)) => all.keys().cloned().map(Some).collect(),
            Ok(_) => vec![None],
            Err(_) => Vec::new(),
        }
    }
}
