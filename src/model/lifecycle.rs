//! `lifecycle { … }` and `depends_on`, of every block that becomes live objects.

use std::collections::BTreeSet;

use remit_sdk::declaration::Lifecycle;
use remit_sdk::{Diagnostic, Span};

use super::decode::{any_references, boolean};
use super::reader::Reader;
use crate::config::syntax::{Expression, ExpressionKind, TemplatePart};
use crate::evaluate::{Evaluated, bare};

/// Reads both.
pub(super) fn lifecycle(reader: &Reader<'_, '_>) -> Evaluated<Lifecycle> {
    let depends_on = reader.optional("depends_on", any_references);
    let Some(block) = reader.one_block("lifecycle") else {
        return Ok(Lifecycle {
            depends_on: depends_on?.unwrap_or_default(),
            ..Lifecycle::default()
        });
    };
    reader.no_labels(block);
    let inner = reader.inner(block);
    let prevent_destroy = inner.optional("prevent_destroy", boolean);
    let replace_on = inner.optional("replace_on", any_references);
    let ignore_changes = inner
        .raw("ignore_changes")
        .map(|attribute| ignored(&inner, &attribute.expression))
        .transpose();
    inner.finish();
    Ok(Lifecycle {
        prevent_destroy: prevent_destroy?.unwrap_or(false),
        ignore_changes: ignore_changes?.unwrap_or_default(),
        replace_on: replace_on?.unwrap_or_default(),
        depends_on: depends_on?.unwrap_or_default(),
    })
}

/// Names of attributes, bare or in quotes; `all` and `"*"` are every attribute. They are read
/// and not evaluated, since they name no values.
fn ignored(reader: &Reader<'_, '_>, expression: &Expression) -> Evaluated<BTreeSet<String>> {
    let wrong = |at: Span| {
        reader.report(
            Diagnostic::error("wrong type", "`ignore_changes` takes names of attributes")
                .at(at)
                .help("write `[NAME]`, or `all`"),
        )
    };
    let expression = bare(expression);
    let items = match &expression.kind {
        ExpressionKind::List(items) => items.as_slice(),
        _ => match word(expression) {
            Some("all" | "*") => return Ok(BTreeSet::from(["*".to_owned()])),
            _ => return Err(wrong(expression.span)),
        },
    };
    items
        .iter()
        .map(|item| match word(item) {
            Some("all" | "*") => Ok("*".to_owned()),
            Some(name) => Ok(name.to_owned()),
            None => Err(wrong(item.span)),
        })
        .collect()
}

fn word(expression: &Expression) -> Option<&str> {
    match &bare(expression).kind {
        ExpressionKind::Variable(name) => Some(name),
        ExpressionKind::Template(parts) => match parts.as_slice() {
            [TemplatePart::Text(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}
