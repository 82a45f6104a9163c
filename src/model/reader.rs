//! Reads the body of a block: asks for attributes by name, says what is missing, of the wrong
//! type or unknown.
//!
//! In: a body and the scope its expressions see. What was asked for is remembered, so that
//! [`Reader::finish`] can report the rest as unknown, with the nearest name that was asked for.

use std::cell::RefCell;
use std::collections::BTreeSet;

use remit_sdk::{Diagnostic, Span, Spanned, Value};

use crate::config::syntax::{Attribute, Block, Body, Expression, ExpressionKind};
use crate::evaluate::{Declared, Evaluated, Evaluator, Failed, Scope, bare, did_you_mean};

/// A body, being read.
pub(super) struct Reader<'r, 'c> {
    /// Evaluates what is asked for.
    pub(super) evaluator: &'r Evaluator<'c>,
    /// The names its expressions see.
    pub(super) scope: &'r Scope<'r>,
    /// The block's header.
    pub(super) header: Span,
    body: &'r Body,
    instance: Option<(&'r Declared<'c>, Option<&'r str>)>,
    what: String,
    attributes: RefCell<BTreeSet<String>>,
    blocks: RefCell<BTreeSet<String>>,
}

/// The value of an attribute and how it was written.
pub(super) struct Written<'r> {
    /// Never null.
    pub(super) value: Value,
    /// The expression.
    pub(super) expression: &'r Expression,
    /// Whether it can't be left out.
    pub(super) is_required: bool,
}

impl Written<'_> {
    /// The whole expression.
    pub(super) fn span(&self) -> Span {
        self.expression.span
    }

    /// The entries of a list or set, each with its own place where it was written out.
    pub(super) fn items(&self) -> Option<Vec<(&Value, Span)>> {
        let values: Vec<&Value> = match &self.value {
            Value::List(all) => all.iter().collect(),
            Value::Set(all) => all.iter().collect(),
            _ => return None,
        };
        let spans: Vec<Span> = match &bare(self.expression).kind {
            ExpressionKind::List(all) if all.len() == values.len() => {
                all.iter().map(|one| one.span).collect()
            }
            _ => vec![self.span(); values.len()],
        };
        Some(values.into_iter().zip(spans).collect())
    }
}

impl<'r, 'c> Reader<'r, 'c> {
    /// The body of one instance of a declaration.
    pub(super) fn instance(
        evaluator: &'r Evaluator<'c>,
        declared: &'r Declared<'c>,
        key: Option<&'r str>,
        scope: &'r Scope<'r>,
    ) -> Self {
        let reader = Self {
            instance: Some((declared, key)),
            ..Self::block(
                evaluator,
                declared.block,
                scope,
                // Without the key: what is missing is missing in every instance, and said once.
                declared.address.to_string(),
            )
        };
        reader.allow("for_each");
        reader
    }

    /// The body of any block; `what` is what messages call it.
    pub(super) fn block(
        evaluator: &'r Evaluator<'c>,
        block: &'r Block,
        scope: &'r Scope<'r>,
        what: impl Into<String>,
    ) -> Self {
        Self {
            evaluator,
            scope,
            header: block.span,
            body: &block.body,
            instance: None,
            what: what.into(),
            attributes: RefCell::default(),
            blocks: RefCell::default(),
        }
    }

    /// A block inside this one.
    pub(super) fn inner(&self, block: &'r Block) -> Self {
        let what = format!("`{}` of {}", block.kind.value, self.what);
        Self::block(self.evaluator, block, self.scope, what)
    }

    /// Keeps a mistake.
    pub(super) fn report(&self, diagnostic: Diagnostic) -> Failed {
        self.evaluator.report(diagnostic)
    }

    /// Takes `name` for known, without reading it.
    pub(super) fn allow(&self, name: &str) {
        self.attributes.borrow_mut().insert(name.to_owned());
    }

    /// The attribute as it was written, unevaluated.
    pub(super) fn raw(&self, name: &str) -> Option<&'r Attribute> {
        self.allow(name);
        self.body.attribute(name)
    }

    /// All attributes, in the order written.
    pub(super) fn all(&self) -> &'r [Attribute] {
        &self.body.attributes
    }

    /// The value of an attribute; `None` where it isn't written, or null.
    pub(super) fn get(&self, name: &str) -> Evaluated<Option<Written<'r>>> {
        let Some(attribute) = self.raw(name) else {
            return Ok(None);
        };
        let value = match self.instance {
            Some((declared, key)) => match self.evaluator.attribute(declared, key, name, None)? {
                Some((value, _)) => (*value).clone(),
                None => return Ok(None),
            },
            None => self.evaluator.value(&attribute.expression, self.scope)?,
        };
        Ok((value != Value::Null).then_some(Written {
            value,
            expression: &attribute.expression,
            is_required: false,
        }))
    }

    /// An attribute that may be left out.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Written<'r>) -> Result<T, Diagnostic>,
    ) -> Evaluated<Option<T>> {
        self.get(name)?
            .map(|written| decode(&written).map_err(|mistake| self.report(mistake)))
            .transpose()
    }

    /// An attribute that must be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        decode: impl FnOnce(&Written<'r>) -> Result<T, Diagnostic>,
    ) -> Evaluated<T> {
        self.optional(name, |written| {
            decode(&Written {
                value: written.value.clone(),
                is_required: true,
                ..*written
            })
        })?
        .ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Failed {
        self.report(
            Diagnostic::error("missing attribute", format!("{} needs `{name}`", self.what))
                .at(self.header)
                .help(format!("write `{name} = …`")),
        )
    }

    /// The blocks of this kind.
    pub(super) fn blocks(&self, kind: &'static str) -> impl Iterator<Item = &'r Block> + use<'r> {
        self.blocks.borrow_mut().insert(kind.to_owned());
        self.body.blocks(kind)
    }

    /// The one block of this kind, if there is one.
    pub(super) fn one_block(&self, kind: &'static str) -> Option<&'r Block> {
        let mut all = self.blocks(kind);
        let first = all.next();
        for further in all {
            self.report(
                Diagnostic::error(
                    "block given twice",
                    format!("{} has one `{kind}` block at most", self.what),
                )
                .at(further.span)
                .label(first.map(|first| first.span), "first given here")
                .help("write everything in one of them"),
            );
        }
        first
    }

    /// Checks that a block has no labels.
    pub(super) fn no_labels(&self, block: &Block) {
        if let Some(label) = block.labels.first() {
            self.report(
                Diagnostic::error(
                    "wrong number of labels",
                    format!("a `{}` block has no label", block.kind.value),
                )
                .at(label.span)
                .help(format!("write `{} {{ … }}`", block.kind.value)),
            );
        }
    }

    /// The one label of a block inside, such as the type of a grant.
    pub(super) fn label(&self, block: &'r Block, known: &[&str]) -> Option<&'r Spanned<String>> {
        let kind = &block.kind.value;
        if let [label] = block.labels.as_slice() {
            return Some(label);
        }
        self.report(
            Diagnostic::error(
                "wrong number of labels",
                format!("a `{kind}` block has one label: its type"),
            )
            .at(block.span)
            .help(format!(
                "write {}",
                known
                    .iter()
                    .map(|known| format!("`{kind} \"{known}\" {{ … }}`"))
                    .collect::<Vec<_>>()
                    .join(" or ")
            )),
        );
        None
    }

    /// Reports what nobody asked for.
    pub(super) fn finish(&self) {
        let attributes = self.attributes.borrow();
        let blocks = self.blocks.borrow();
        for attribute in &self.body.attributes {
            if !attributes.contains(&attribute.name.value) {
                self.unknown(
                    "attribute",
                    &attribute.name.value,
                    attribute.name.span,
                    &attributes,
                    &blocks,
                );
            }
        }
        for block in &self.body.blocks {
            if !blocks.contains(&block.kind.value) {
                self.unknown(
                    "block",
                    &block.kind.value,
                    block.kind.span,
                    &blocks,
                    &attributes,
                );
            }
        }
    }

    fn unknown(
        &self,
        form: &str,
        name: &str,
        span: Option<Span>,
        known: &BTreeSet<String>,
        others: &BTreeSet<String>,
    ) {
        let help = if others.contains(name) {
            match form {
                "attribute" => format!("`{name}` is a block: write `{name} {{ … }}`"),
                _ => format!("`{name}` is an attribute: write `{name} = …`"),
            }
        } else {
            let all: Vec<&str> = known.iter().map(String::as_str).collect();
            did_you_mean(name, all.iter().copied()).unwrap_or_else(|| match all.as_slice() {
                [] => format!("it has no {form}s"),
                all => format!("it has {}", all.join(", ")),
            })
        };
        self.report(
            Diagnostic::error(
                format!("unknown {form}"),
                format!("{} has no {form} `{name}`", self.what),
            )
            .at(span)
            .help(help),
        );
    }
}
