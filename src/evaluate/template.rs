//! Templates: text with `${…}` and directives.
//!
//! A template that is one `${…}` alone gives that value as it is. One that holds a pending value
//! is pending itself, as its parts. A secret may stand in a template only alone.

use remit_sdk::value::PendingPart;
use remit_sdk::{Diagnostic, Pending, Span, Value};

use super::evaluator::{Evaluated, Evaluator, Failed};
use super::limits::VALUE_BYTES_MAX;
use super::scope::{Frame, Scope};
use crate::config::syntax::TemplatePart;

/// What was rendered so far.
#[derive(Debug, Default)]
struct Rendered {
    parts: Vec<PendingPart>,
    bytes: usize,
    failed: bool,
}

impl Rendered {
    fn text(&mut self, text: &str) {
        self.bytes += text.len();
        if let Some(PendingPart::Text(before)) = self.parts.last_mut() {
            before.push_str(text);
        } else if !text.is_empty() {
            self.parts.push(PendingPart::Text(text.to_owned()));
        }
    }

    fn value(self) -> Value {
        match <[PendingPart; 1]>::try_from(self.parts) {
            Ok([PendingPart::Text(text)]) => Value::String(text),
            Ok(parts) => Value::Pending(Pending {
                parts: parts.into(),
            }),
            Err(parts) if parts.is_empty() => Value::string(""),
            Err(parts) => Value::Pending(Pending { parts }),
        }
    }
}

impl Evaluator<'_> {
    /// The value of a template.
    pub(super) fn template(
        &self,
        parts: &[TemplatePart],
        span: Span,
        scope: &Scope<'_>,
    ) -> Evaluated {
        match parts {
            [TemplatePart::Text(text)] => return self.copy(&Value::string(text), span),
            [TemplatePart::Interpolation(expression)] => return self.value(expression, scope),
            _ => {}
        }
        let mut rendered = Rendered::default();
        self.render(parts, span, scope, &mut rendered)?;
        if rendered.failed {
            return Err(Failed);
        }
        let value = rendered.value();
        self.measured(&value, span)?;
        Ok(value)
    }

    fn render(
        &self,
        parts: &[TemplatePart],
        span: Span,
        scope: &Scope<'_>,
        rendered: &mut Rendered,
    ) -> Evaluated<()> {
        for part in parts {
            self.budget
                .charge(0)
                .map_err(|spent| self.spent(spent, span))?;
            let result = match part {
                TemplatePart::Text(text) => {
                    rendered.text(text);
                    Ok(())
                }
                TemplatePart::Interpolation(expression) => self
                    .value(expression, scope)
                    .and_then(|value| self.interpolate(value, expression.span, rendered)),
                TemplatePart::If {
                    condition,
                    then,
                    otherwise,
                } => self.condition(condition, scope).and_then(|holds| {
                    let parts = if holds { then } else { otherwise };
                    self.render(parts, span, scope, rendered)
                }),
                TemplatePart::For {
                    key_name,
                    value_name,
                    collection,
                    body,
                } => self.entries(collection, scope).and_then(|entries| {
                    for (key, value) in entries {
                        let mut names = vec![(value_name.value.as_str(), value)];
                        names.extend(key_name.as_ref().map(|name| (name.value.as_str(), key)));
                        let inner = scope.with(Frame::Names(&names));
                        self.render(body, span, &inner, rendered)?;
                    }
                    Ok(())
                }),
            };
            rendered.failed |= result.is_err();
            if self.budget.is_spent() {
                return Err(Failed);
            }
            if rendered.bytes > VALUE_BYTES_MAX {
                return Err(self.report(
                    Diagnostic::error(
                        "value too large",
                        format!("this template gives more than {VALUE_BYTES_MAX} bytes"),
                    )
                    .at(span)
                    .help("keep large data out of the configuration"),
                ));
            }
        }
        Ok(())
    }

    fn interpolate(&self, value: Value, at: Span, rendered: &mut Rendered) -> Evaluated<()> {
        if let Value::Pending(pending) = value {
            for part in pending.parts {
                match part {
                    PendingPart::Text(text) => rendered.text(&text),
                    part @ PendingPart::Attribute { .. } => {
                        rendered.bytes += 64;
                        rendered.parts.push(part);
                    }
                }
            }
            return Ok(());
        }
        rendered.text(&self.text_of(&value, "a template", at)?);
        Ok(())
    }
}
