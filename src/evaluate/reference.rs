//! What a name stands for: `var.x`, `local.x`, `each.key`, `path.module`, `provider.vault.prod`,
//! declarations, resources, and the names a `for` binds.
//!
//! A reference gives a value and how many of its steps that took; the rest are taken by
//! [`traversal`](super::traversal). A misspelt name gets the nearest one.

use std::rc::Rc;

use remit_sdk::{DeclarationAddress, Diagnostic, Span, Spanned, Value};

use super::convert::to_text;
use super::evaluator::{Evaluated, Evaluator, Failed, Node};
use super::index::{DECLARATIONS, Declared, find_kind};
use super::nearest::did_you_mean;
use super::scope::{Holder, Scope};
use crate::config::syntax::Step;

/// Names of the language that begin a reference.
const ROOTS: [&str; 5] = ["var", "local", "each", "path", "provider"];

impl<'c> Evaluator<'c> {
    /// The value of `root` and the steps after it.
    pub(super) fn traverse(
        &self,
        root: &str,
        at: Span,
        steps: &[Step],
        scope: &Scope<'_>,
    ) -> Evaluated {
        if let Some(value) = scope.name(root) {
            return self.walk(value, at, steps, scope);
        }
        let (value, taken) = self.reference(root, at, steps, scope)?;
        let (head, rest) = steps.split_at_checked(taken).unwrap_or((steps, &[]));
        let at = head.iter().fold(at, |at, step| match step {
            Step::Attribute(name) => name.span.map_or(at, |span| at.join(span)),
            Step::Index(index) => at.join(index.span),
            Step::Splat(span) => at.join(*span),
        });
        self.walk(&value, at, rest, scope)
    }

    fn reference(
        &self,
        root: &str,
        at: Span,
        steps: &[Step],
        scope: &Scope<'_>,
    ) -> Evaluated<(Rc<Value>, usize)> {
        if let Some(what) = scope.plain() {
            let mut error = Diagnostic::error(
                "reference where none is allowed",
                format!("{what} can't refer to `{}`", remit_sdk::text::safe(root)),
            )
            .at(at);
            let names = scope.names();
            error.help = self
                .budget
                .did_you_mean(root, names.iter().map(String::as_str))
                .or_else(|| Some("write the value itself; text stands in quotes".into()));
            return Err(self.report(error));
        }
        match root {
            "var" => {
                let name = self.name_after(root, at, steps)?;
                self.variable(name).map(|value| (value, 1))
            }
            "local" => {
                let name = self.name_after(root, at, steps)?;
                self.local(name).map(|value| (value, 1))
            }
            "each" => self.each(at, steps, scope).map(|value| (Rc::new(value), 1)),
            "path" => {
                let name = self.name_after(root, at, steps)?;
                self.one_of(name, "path", &["module", "root"])?;
                Ok((Rc::new(Value::string(".")), 1))
            }
            "provider" => self.provider(at, steps),
            "identity" if scope.holder().is_some() => {
                let name = self.name_after(root, at, steps)?;
                self.holder(name, scope).map(|value| (Rc::new(value), 1))
            }
            _ if DECLARATIONS.contains(&root) || find_kind(self.providers, root).is_some() => {
                self.declaration(root, at, steps, scope)
            }
            _ => Err(self.unknown(root, at, scope)),
        }
    }

    fn name_after<'s>(
        &self,
        root: &str,
        at: Span,
        steps: &'s [Step],
    ) -> Evaluated<&'s Spanned<String>> {
        match steps.first() {
            Some(Step::Attribute(name)) => Ok(name),
            _ => Err(self.report(
                Diagnostic::error(
                    "incomplete reference",
                    format!("`{root}` alone is no value"),
                )
                .at(at)
                .help(format!("write `{root}.NAME`")),
            )),
        }
    }

    fn one_of(&self, name: &Spanned<String>, root: &str, known: &[&str]) -> Evaluated<()> {
        if known.contains(&name.value.as_str()) {
            return Ok(());
        }
        let all = || known.iter().map(|known| format!("`{root}.{known}`"));
        Err(self.report(
            Diagnostic::error(
                "unknown name",
                format!("there is no `{root}.{}`", name.value),
            )
            .at(name.span)
            .help(format!(
                "there are {}",
                all().collect::<Vec<_>>().join(", ")
            )),
        ))
    }

    fn local(&self, name: &Spanned<String>) -> Evaluated<Rc<Value>> {
        let Some((known, attribute)) = self.index.locals.get_key_value(name.value.as_str()) else {
            let known = self.index.locals.keys().copied();
            return Err(self.undeclared("local", name, known, "locals { NAME = … }"));
        };
        self.local_value(known, name.span, attribute)
    }

    /// The value of a local.
    pub(crate) fn local_value(
        &self,
        name: &'c str,
        at: Option<Span>,
        attribute: &'c crate::config::syntax::Attribute,
    ) -> Evaluated<Rc<Value>> {
        self.force(Node::Local(name), at, || {
            self.value(&attribute.expression, &Scope::CONFIGURATION)
        })
    }

    /// Reports a name that nothing declares.
    pub(super) fn undeclared<'n>(
        &self,
        root: &str,
        name: &Spanned<String>,
        known: impl Iterator<Item = &'n str>,
        declaration: &str,
    ) -> Failed {
        let help = self
            .budget
            .undeclared(root, &name.value, known, declaration);
        let wrong = &name.value;
        self.report(
            Diagnostic::error(
                "reference to something undeclared",
                format!("`{root}.{wrong}` is declared nowhere"),
            )
            .at(name.span)
            .help(help),
        )
    }

    fn each(&self, at: Span, steps: &[Step], scope: &Scope<'_>) -> Evaluated {
        let name = self.name_after("each", at, steps)?;
        self.one_of(name, "each", &["key", "value"])?;
        let Some((key, value)) = scope.each() else {
            return Err(self.report(
                Diagnostic::error(
                    "`each` without `for_each`",
                    format!(
                        "`each.{}` has a value only in a block with `for_each`",
                        name.value
                    ),
                )
                .at(name.span.map_or(at, |span| at.join(span)))
                .help("add `for_each` to the block, or write the value itself"),
            ));
        };
        if name.value == "key" {
            Ok(Value::string(key))
        } else {
            self.copy(value, at)
        }
    }

    fn holder(&self, name: &Spanned<String>, scope: &Scope<'_>) -> Evaluated {
        if let Some(text) = scope.holder().and_then(|holder| holder.get(&name.value)) {
            return Ok(Value::string(text));
        }
        let all = "grant has `identity.name`, `identity.agent`, `identity.environment` and `identity.domain`, each a string of the identity that holds the scope";
        let help = match did_you_mean(&name.value, Holder::NAMES) {
            Some(near) => format!("{near} A {all}"),
            None => format!("a {all}"),
        };
        let summary = if self.index.find("identity", &name.value).is_some() {
            "declared identity in a grant"
        } else {
            "unknown name in a grant"
        };
        Err(self.report(
            Diagnostic::error(
                summary,
                format!(
                    "`identity.{}` is not known to a grant, which may name four things of its holder and no declared identity",
                    name.value
                ),
            )
            .at(name.span)
            .help(help),
        ))
    }

    fn provider(&self, at: Span, steps: &[Step]) -> Evaluated<(Rc<Value>, usize)> {
        let name = self.name_after("provider", at, steps)?;
        let known = || self.providers.iter().map(|provider| provider.name());
        if !known().any(|provider| provider == name.value) {
            let error = super::index::unknown_provider(&name.value, name.span, known());
            return Err(self.report(error));
        }
        let address = DeclarationAddress::new("provider", &name.value);
        let Some(Step::Attribute(alias)) = steps.get(1) else {
            return Ok((Rc::new(Value::Declaration(address)), 1));
        };
        let instance = format!("{}.{}", name.value, alias.value);
        if !self.index.providers.contains_key(&instance) {
            let prefix = format!("{}.", name.value);
            let aliases = self.index.providers.keys();
            let aliases = aliases.filter_map(|instance| instance.strip_prefix(&prefix));
            let declaration = format!("provider \"{}\" \"NAME\" {{ … }}", name.value);
            let root = format!("provider.{}", name.value);
            return Err(self.undeclared(&root, alias, aliases, &declaration));
        }
        Ok((
            Rc::new(Value::Declaration(address.with_key(&alias.value))),
            2,
        ))
    }

    fn declaration(
        &self,
        kind: &str,
        at: Span,
        steps: &[Step],
        scope: &Scope<'_>,
    ) -> Evaluated<(Rc<Value>, usize)> {
        let name = self.name_after(kind, at, steps)?;
        let Some(declared) = self.index.find(kind, &name.value) else {
            let declaration = if DECLARATIONS.contains(&kind) {
                format!("{kind} \"NAME\" {{ … }}")
            } else {
                format!("resource \"{kind}\" \"NAME\" {{ … }}")
            };
            return Err(self.undeclared(kind, name, self.index.names(kind), &declaration));
        };
        let whole = name.span.map_or(at, |span| at.join(span));
        let instances = self.instances(declared, Some(whole))?;
        let Value::Map(all) = &*instances else {
            return Ok((Rc::new(Value::Declaration(declared.address.clone())), 1));
        };
        if let Some(Step::Index(index)) = steps.get(1) {
            let key = self.value(index, scope)?;
            let key =
                to_text(&key).map_err(|misfit| self.misfit("invalid key", misfit, index.span))?;
            if !all.contains_key(&key) {
                let keys = all.keys().map(String::as_str);
                return Err(self.no_instance(declared, &key, keys, index.span));
            }
            let address = declared.instance(Some(&key));
            return Ok((Rc::new(Value::Declaration(address)), 2));
        }
        let map = all
            .keys()
            .map(|key| {
                let address = declared.instance(Some(key));
                (key.clone(), Value::Declaration(address))
            })
            .collect();
        Ok((Rc::new(Value::Map(map)), 1))
    }

    fn no_instance<'n>(
        &self,
        declared: &Declared<'_>,
        key: &str,
        keys: impl Iterator<Item = &'n str> + Clone,
        at: Span,
    ) -> Failed {
        let shown: Vec<&str> = keys.clone().take(10).collect();
        self.report(
            Diagnostic::error(
                "no such instance",
                format!(
                    "`{}` has no instance `{}`",
                    declared.address,
                    remit_sdk::text::safe(key)
                ),
            )
            .at(at)
            .help(
                self.budget
                    .did_you_mean(key, keys)
                    .unwrap_or_else(|| match shown.as_slice() {
                        [] => "its `for_each` is empty".to_owned(),
                        shown => format!("its instances are {}", shown.join(", ")),
                    }),
            ),
        )
    }

    fn unknown(&self, root: &str, at: Span, scope: &Scope<'_>) -> Failed {
        if self.index.refused.contains(root) {
            return Failed;
        }
        let bound = scope.names();
        let candidates = ROOTS
            .into_iter()
            .chain(DECLARATIONS)
            .chain(self.index.kinds())
            .chain(bound.iter().map(String::as_str));
        let help = self
            .budget
            .did_you_mean(root, candidates)
            .unwrap_or_else(|| format!("if text is meant, write it in quotes: \"{root}\""));
        self.report(
            Diagnostic::error(
                "unknown name",
                format!("`{root}` is no name of the language and nothing declared"),
            )
            .at(at)
            .help(help),
        )
    }
}
