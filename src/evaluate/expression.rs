//! The value of an expression: one arm for each form, the larger ones in files of their own.
//!
//! Where an expression has several parts, all of them are evaluated even if one failed, so that
//! every mistake is found in one go.

use std::collections::BTreeMap;

use remit_sdk::{Diagnostic, SecretRef, Span, Value};

use super::convert::{Misfit, describe, to_bool, to_text};
use super::evaluator::{Evaluated, Evaluator, Failed};
use super::operators::{self, Problem};
use super::scope::Scope;
use crate::config::syntax::{BinaryOperator, Expression, ExpressionKind, ObjectKey, UnaryOperator};

/// An expression without the parentheses around it.
pub(crate) fn bare(expression: &Expression) -> &Expression {
    let mut inner = expression;
    while let ExpressionKind::Parenthesis(next) = &inner.kind {
        inner = next;
    }
    inner
}

impl Evaluator<'_> {
    /// The value of an expression.
    pub(crate) fn value(&self, expression: &Expression, scope: &Scope<'_>) -> Evaluated {
        self.budget
            .enter()
            .map_err(|spent| self.spent(spent, expression.span))?;
        let result = self.form(expression, scope);
        self.budget.leave();
        result
    }

    fn form(&self, expression: &Expression, scope: &Scope<'_>) -> Evaluated {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Null => Ok(Value::Null),
            ExpressionKind::Bool(b) => Ok(Value::Bool(*b)),
            ExpressionKind::Number(number) => Ok(Value::Number(*number)),
            ExpressionKind::Template(parts) => self.template(parts, span, scope),
            ExpressionKind::List(all) => self.list(all, scope),
            ExpressionKind::Object(entries) => self.object(entries, scope),
            ExpressionKind::Variable(name) => self.traverse(name, span, &[], scope),
            ExpressionKind::Traversal(operand, steps) => {
                if let ExpressionKind::Variable(name) = &operand.kind {
                    return self.traverse(name, operand.span, steps, scope);
                }
                let value = self.value(operand, scope)?;
                self.walk(&value, operand.span, steps, scope)
            }
            ExpressionKind::Call(call) => self.call(call, span, scope),
            ExpressionKind::Unary(operator, operand) => self.unary(operator.value, operand, scope),
            ExpressionKind::Binary(left, operator, right) => {
                self.binary(left, operator.value, right, span, scope)
            }
            ExpressionKind::Conditional(condition, then, otherwise) => {
                if self.condition(condition, scope)? {
                    self.value(then, scope)
                } else {
                    self.value(otherwise, scope)
                }
            }
            ExpressionKind::For(expression) => self.for_expression(expression, span, scope),
            ExpressionKind::Parenthesis(inner) => self.value(inner, scope),
        }
    }

    fn list(&self, all: &[Expression], scope: &Scope<'_>) -> Evaluated {
        let values: Vec<Evaluated> = all.iter().map(|item| self.value(item, scope)).collect();
        Ok(Value::List(values.into_iter().collect::<Evaluated<_>>()?))
    }

    fn object(&self, entries: &[(ObjectKey, Expression)], scope: &Scope<'_>) -> Evaluated {
        let mut map = BTreeMap::new();
        let mut result = Ok(());
        for (key, item) in entries {
            let (key, span) = match key {
                ObjectKey::Name(name) => (Ok(name.value.clone()), name.span),
                ObjectKey::Expression(key) => (self.key(key, scope), Some(key.span)),
            };
            match (key, self.value(item, scope)) {
                (Ok(key), Ok(value)) => {
                    if map.contains_key(&key) {
                        result = Err(self.twice(&key, span));
                    }
                    map.insert(key, value);
                }
                _ => result = Err(Failed),
            }
        }
        result.map(|()| Value::Map(map))
    }

    /// A key that stands twice in an object.
    pub(super) fn twice(&self, key: &str, span: Option<Span>) -> Failed {
        self.report(
            Diagnostic::error(
                "key given twice",
                format!("the key `{}` stands here twice", remit_sdk::text::safe(key)),
            )
            .at(span)
            .help("remove one of the two"),
        )
    }

    /// The key of an object's entry, or an index into a map: known text.
    pub(super) fn key(&self, expression: &Expression, scope: &Scope<'_>) -> Evaluated<String> {
        let value = self.value(expression, scope)?;
        to_text(&value).map_err(|misfit| self.misfit("invalid key", misfit, bare(expression).span))
    }

    /// A condition: known, and true or false.
    pub(super) fn condition(&self, expression: &Expression, scope: &Scope<'_>) -> Evaluated<bool> {
        let value = self.value(expression, scope)?;
        to_bool(&value).map_err(|misfit| self.misfit("invalid condition", misfit, expression.span))
    }

    /// Reports a value of the wrong type.
    pub(super) fn misfit(&self, summary: &str, misfit: Misfit, at: Span) -> Failed {
        self.report(
            Diagnostic::error(summary, misfit.detail)
                .at(at)
                .help(misfit.help),
        )
    }

    fn unary(&self, operator: UnaryOperator, operand: &Expression, scope: &Scope<'_>) -> Evaluated {
        match operator {
            UnaryOperator::Not => Ok(Value::Bool(!self.condition(operand, scope)?)),
            UnaryOperator::Negate => {
                let value = self.operand(operand, scope)?;
                operators::negate(&value).map_err(|problem| {
                    self.problem(problem, operand.span, operand.span, operand.span)
                })
            }
        }
    }

    fn binary(
        &self,
        left: &Expression,
        operator: BinaryOperator,
        right: &Expression,
        span: Span,
        scope: &Scope<'_>,
    ) -> Evaluated {
        match operator {
            BinaryOperator::And => Ok(Value::Bool(
                self.condition(left, scope)? && self.condition(right, scope)?,
            )),
            BinaryOperator::Or => Ok(Value::Bool(
                self.condition(left, scope)? || self.condition(right, scope)?,
            )),
            _ => {
                let (a, b) = (self.operand(left, scope), self.operand(right, scope));
                operators::binary(&a?, operator, &b?)
                    .map_err(|problem| self.problem(problem, span, left.span, right.span))
            }
        }
    }

    fn problem(&self, problem: Problem, whole: Span, left: Span, right: Span) -> Failed {
        match problem {
            Problem::Operand(0, misfit) => self.misfit("wrong type of operand", misfit, left),
            Problem::Operand(_, misfit) => self.misfit("wrong type of operand", misfit, right),
            Problem::Operation(why) => self.report(
                Diagnostic::error("calculation without a result", why)
                    .at(whole)
                    .help("change the numbers, or guard it with a condition"),
            ),
        }
    }

    fn operand(&self, expression: &Expression, scope: &Scope<'_>) -> Evaluated {
        let value = self.value(expression, scope)?;
        self.known(&value, "an operator", expression.span)?;
        Ok(value)
    }

    /// Refuses secrets and pending values, wherever in `value` they are.
    pub(super) fn known(&self, value: &Value, user: &str, at: Span) -> Evaluated<()> {
        let mut found: Option<&Value> = None;
        value.walk(&mut |inner| {
            if matches!(inner, Value::Secret(_) | Value::Pending(_)) {
                found = found.or(Some(inner));
            }
        });
        match found {
            None => Ok(()),
            Some(Value::Secret(secret)) => Err(self.secret(secret, user, at)),
            Some(_) => Err(self.report(
                Diagnostic::error(
                    "value known only after apply",
                    format!("{user} needs a value that is known now, and this is known only after apply"),
                )
                .at(at)
                .help("a pending value can be used whole, or in a template, as an attribute of a resource or an output"),
            )),
        }
    }

    /// A secret where none may stand.
    pub(super) fn secret(&self, secret: &SecretRef, user: &str, at: Span) -> Failed {
        self.report(
            Diagnostic::error(
                "secret used in an expression",
                format!("{user} would have to look at the secret `{secret}`, and only a reference to it is known here"),
            )
            .at(at)
            .help("use it whole, in an attribute that takes a secret"),
        )
    }

    /// A value as text, for a template or a name.
    pub(super) fn text_of(&self, value: &Value, user: &str, at: Span) -> Evaluated<String> {
        self.known(value, user, at)?;
        to_text(value).map_err(|_| {
            let error = Diagnostic::error(
                "wrong type in a template",
                format!(
                    "{user} takes strings, numbers and bools, and this is {}",
                    describe(value)
                ),
            )
            .at(at);
            self.report(error.help(match value {
                Value::List(_) | Value::Set(_) => "write `join(\", \", …)` around it".into(),
                Value::Map(_) => "write `jsonencode(…)` around it".into(),
                other => Misfit::new("text", other, "write `coalesce(…, \"\")` around it").help,
            }))
        })
    }
}
