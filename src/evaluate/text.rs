//! Text that isn't part of the configuration's files and is parsed all the same: a variable's
//! value from the command line, a template file.
//!
//! Spans inside such text point into no file that can be shown, so its mistakes are reported at
//! the place that named it, with the line in the detail.

use remit_sdk::{Diagnostic, FileId, Span, Value};

use super::evaluator::{Evaluated, Evaluator, Failed};
use super::scope::Scope;
use crate::config;
use crate::config::syntax::{Configuration, Expression, ExpressionKind};

/// The file that spans of such text name.
const NOWHERE: FileId = FileId(u32::MAX);

impl Evaluator<'_> {
    /// The value of a template file's text.
    pub(super) fn template_text(
        &self,
        text: &str,
        path: &str,
        at: Span,
        scope: &Scope<'_>,
    ) -> Evaluated {
        let what = format!("in the template `{}`", remit_sdk::text::safe(path));
        // A line that the file doesn't have ends the heredoc.
        let mut end = String::from("END");
        while text.lines().any(|line| line.trim() == end) {
            end.push('_');
        }
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        let source = format!("text = <<{end}\n{text}{newline}{end}\n");
        let value = self.elsewhere(&what, &source, Some(at), |expression| {
            match &expression.kind {
                // A file is text, even if it is one `${…}` and a newline.
                ExpressionKind::Template(parts) => self.template(parts, expression.span, scope),
                _ => Err(Failed),
            }
        })?;
        Ok(match value {
            Value::String(text) if !newline.is_empty() => {
                Value::string(text.strip_suffix('\n').unwrap_or(&text))
            }
            other => other,
        })
    }

    /// The value of text given for a variable, which is written as an expression.
    pub(super) fn given_text(&self, text: &str, what: &str, scope: &Scope<'_>) -> Evaluated {
        let source = format!("value = {text}\n");
        self.elsewhere(what, &source, None, |expression| {
            self.value(expression, scope)
        })
    }

    /// Parses `source`, one attribute, and gives its expression to `work`.
    fn elsewhere(
        &self,
        what: &str,
        source: &str,
        at: Option<Span>,
        work: impl FnOnce(&Expression) -> Evaluated,
    ) -> Evaluated {
        let (result, errors) = self.apart(|| {
            let parsed = config::parse(source, NOWHERE).map_err(|errors| {
                for error in errors {
                    self.report(error);
                }
                Failed
            })?;
            match single(&parsed) {
                Some(expression) => work(expression),
                None => Err(self.report(
                    Diagnostic::error("invalid value", "this is more than one expression")
                        .help("write one value; text stands in quotes"),
                )),
            }
        });
        for mut error in errors {
            if let Some(span) = error.span.filter(|span| span.file == NOWHERE) {
                let before = source.get(..span.start as usize).unwrap_or_default();
                let line = before.matches('\n').count();
                let place = if at.is_some() {
                    format!(", line {}", line.max(1))
                } else {
                    String::new()
                };
                error.detail = format!("{what}{place}: {}", error.detail);
                error.span = at;
                error.labels.clear();
            } else if error.span.is_none() {
                error.detail = format!("{what}: {}", error.detail);
                error.span = at;
            }
            self.report(error);
        }
        result
    }
}

fn single(parsed: &Configuration) -> Option<&Expression> {
    match (parsed.attributes.as_slice(), parsed.blocks.as_slice()) {
        ([attribute], []) => Some(&attribute.expression),
        _ => None,
    }
}
