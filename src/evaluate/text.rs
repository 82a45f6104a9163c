//! Text that isn't part of the configuration's files and is parsed all the same: a variable's
//! value from the command line, a template file.
//!
//! Spans inside such text point into no file that can be shown, so its mistakes are reported at
//! the place that named it, with the line in the detail.

use remit_sdk::value::PendingPart;
use remit_sdk::{Diagnostic, FileId, Span, Value};

use super::evaluator::{Evaluated, Evaluator, Failed};
use super::scope::Scope;
use crate::config;
use crate::config::syntax::ExpressionKind;

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
        let value = self.elsewhere(&what, &source, Some(at), || {
            let parsed =
                config::parse(&source, NOWHERE).map_err(|errors| self.report_all(errors))?;
            let attribute = parsed.attributes.first().ok_or(Failed)?;
            match &attribute.expression.kind {
                // A file is text, even if it is one `${…}` and a newline.
                ExpressionKind::Template(parts) => {
                    self.template(parts, attribute.expression.span, scope)
                }
                _ => Err(Failed),
            }
        })?;
        Ok(if newline.is_empty() {
            value
        } else {
            without_newline(value)
        })
    }

    /// The value of text given for a variable, which is written as an expression.
    pub(super) fn given_text(&self, text: &str, what: &str, scope: &Scope<'_>) -> Evaluated {
        self.elsewhere(what, text, None, || {
            let expression = config::parse_expression(text, NOWHERE)
                .map_err(|errors| self.report_all(errors))?;
            self.value(&expression, scope)
        })
    }

    fn report_all(&self, errors: Vec<Diagnostic>) -> Failed {
        for error in errors {
            self.report(error);
        }
        Failed
    }

    /// Runs `work`, whose mistakes point into `source`, and reports them at `at`.
    fn elsewhere(
        &self,
        what: &str,
        source: &str,
        at: Option<Span>,
        work: impl FnOnce() -> Evaluated,
    ) -> Evaluated {
        let (result, errors) = self.apart(work);
        for mut error in errors {
            error.help = error
                .help
                .or_else(|| Some("write one value; text stands in quotes".to_owned()));
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

/// A text, or a pending one, without the newline that ends it.
fn without_newline(value: Value) -> Value {
    match value {
        Value::String(mut text) => {
            if text.ends_with('\n') {
                text.pop();
            }
            Value::String(text)
        }
        Value::Pending(mut pending) => {
            if let Some(PendingPart::Text(text)) = pending.parts.last_mut()
                && text.ends_with('\n')
            {
                text.pop();
            }
            pending
                .parts
                .retain(|part| !matches!(part, PendingPart::Text(text) if text.is_empty()));
            Value::Pending(pending)
        }
        other => other,
    }
}
