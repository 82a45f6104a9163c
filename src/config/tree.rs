//! From hcl-edit's tree to our own: the one file that knows the parser.
//!
//! Everything is carried over with its span; strip markers are applied to the texts around them.
//! Depth is bounded before: the nesting was measured, and hcl-edit limits chains of operators.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{self, Expression as Parsed, ObjectKey as ParsedKey, TraversalOperator};
use hcl_edit::structure::{self, Structure};
use hcl_edit::template::{Directive, Element, Strip, Template};
use remit_sdk::{Diagnostic, FileId, Number, Span, Spanned};

use super::limits::STEPS_MAX;
use super::mistakes::explain;
use super::syntax::{
    Attribute, BinaryOperator, Block, Body, Call, Configuration, Expression, ExpressionKind, For,
    ObjectKey, Step, TemplatePart, UnaryOperator,
};

/// Parses a text whose first byte is byte `skipped` of the file.
pub(super) fn parse(
    text: &str,
    file: FileId,
    skipped: usize,
) -> Result<Configuration, Vec<Diagnostic>> {
    let parsed = hcl_edit::parser::parse_body(text).map_err(|error| {
        explain(text, file, skipped, error.into(), |part| {
            hcl_edit::parser::parse_body(part).err().map(Failure::from)
        })
    })?;
    let mut tree = Tree {
        file,
        skipped,
        diagnostics: Vec::new(),
        end: text.len(),
    };
    let body = tree.body(&parsed);
    if tree.diagnostics.is_empty() {
        Ok(Configuration {
            blocks: body.blocks,
            attributes: body.attributes,
            files: vec![file],
        })
    } else {
        Err(tree.diagnostics)
    }
}

/// Parses one expression, as a variable's value on the command line is.
pub(super) fn parse_expression(text: &str, file: FileId) -> Result<Expression, Vec<Diagnostic>> {
    let parsed: Parsed = text.parse().map_err(|error: hcl_edit::parser::Error| {
        // No part of an expression is one that could be tried by itself.
        explain(text, file, 0, error.into(), |_| None)
    })?;
    let mut tree = Tree {
        file,
        skipped: 0,
        diagnostics: Vec::new(),
        end: text.len(),
    };
    let expression = tree.expression(&parsed);
    if tree.diagnostics.is_empty() {
        Ok(expression)
    } else {
        Err(tree.diagnostics)
    }
}

/// Where and why the parser stopped.
#[derive(Debug)]
pub(super) struct Failure {
    /// The byte of the text.
    pub(super) offset: usize,
    /// What the parser says.
    pub(super) message: String,
}

impl Failure {
    /// The same, in a text that has `by` bytes more before it.
    pub(super) fn moved(self, by: usize) -> Self {
        Self {
            offset: self.offset + by,
            ..self
        }
    }
}

impl From<hcl_edit::parser::Error> for Failure {
    fn from(error: hcl_edit::parser::Error) -> Self {
        Self {
            offset: error.location().offset(),
            message: error.message().to_owned(),
        }
    }
}

struct Tree {
    file: FileId,
    skipped: usize,
    end: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Tree {
    fn span(&self, range: Option<Range<usize>>) -> Span {
        let range = range.unwrap_or(self.end..self.end);
        let clamp = |n: usize| u32::try_from(n + self.skipped).unwrap_or(u32::MAX);
        Span::new(self.file, clamp(range.start), clamp(range.end))
    }

    fn spanned<T>(&self, value: T, range: Option<Range<usize>>) -> Spanned<T> {
        Spanned::new(value, Some(self.span(range)))
    }

    fn body(&mut self, parsed: &structure::Body) -> Body {
        let mut body = Body {
            span: Some(self.span(parsed.span())),
            ..Body::default()
        };
        for structure in parsed {
            match structure {
                Structure::Attribute(attribute) => {
                    let name = self.spanned(attribute.key.to_string(), attribute.key.span());
                    let expression = Arc::new(self.expression(&attribute.value));
                    body.attributes.push(Attribute { name, expression });
                }
                Structure::Block(block) => {
                    let kind = self.spanned(block.ident.to_string(), block.ident.span());
                    let labels: Vec<Spanned<String>> = block
                        .labels
                        .iter()
                        .map(|label| self.spanned(label.as_str().to_owned(), label.span()))
                        .collect();
                    let start = self.span(block.ident.span());
                    let last = labels.last().and_then(|label| label.span);
                    let span = last.map_or(start, |last| start.join(last));
                    let inner = self.body(&block.body);
                    body.blocks.push(Block {
                        kind,
                        labels,
                        body: inner,
                        span,
                    });
                }
            }
        }
        body
    }

    fn boxed(&mut self, parsed: &Parsed) -> Box<Expression> {
        Box::new(self.expression(parsed))
    }

    fn expression(&mut self, parsed: &Parsed) -> Expression {
        let span = self.span(parsed.span());
        let kind = match parsed {
            Parsed::Null(_) => ExpressionKind::Null,
            Parsed::Bool(value) => ExpressionKind::Bool(*value.value()),
            Parsed::Number(number) => self.number(number, span),
            Parsed::String(text) => {
                let text = text.value().as_str();
                let parts = if text.is_empty() {
                    Vec::new()
                } else {
                    vec![TemplatePart::Text(text.to_owned())]
                };
                ExpressionKind::Template(parts)
            }
            Parsed::Array(all) => {
                ExpressionKind::List(all.iter().map(|one| self.expression(one)).collect())
            }
            Parsed::Object(all) => ExpressionKind::Object(
                all.iter()
                    .map(|(key, value)| (self.key(key), self.expression(value.expr())))
                    .collect(),
            ),
            Parsed::StringTemplate(template) => {
                ExpressionKind::Template(self.elements(template.iter(), false, false))
            }
            Parsed::HeredocTemplate(heredoc) => {
                ExpressionKind::Template(self.template(&heredoc.template, false, false))
            }
            Parsed::Parenthesis(inner) => ExpressionKind::Parenthesis(self.boxed(inner.inner())),
            Parsed::Variable(name) => ExpressionKind::Variable(name.to_string()),
            Parsed::Conditional(conditional) => ExpressionKind::Conditional(
                self.boxed(&conditional.cond_expr),
                self.boxed(&conditional.true_expr),
                self.boxed(&conditional.false_expr),
            ),
            Parsed::FuncCall(call) => self.call(call),
            Parsed::Traversal(traversal) => self.traversal(traversal, span),
            Parsed::UnaryOp(operation) => {
                let operator = match operation.operator.value() {
                    expr::UnaryOperator::Neg => UnaryOperator::Negate,
                    expr::UnaryOperator::Not => UnaryOperator::Not,
                };
                let operator = self.spanned(operator, operation.operator.span());
                ExpressionKind::Unary(operator, self.boxed(&operation.expr))
            }
            Parsed::BinaryOp(operation) => {
                let operator = binary(*operation.operator.value());
                let operator = self.spanned(operator, operation.operator.span());
                let (left, right) = (
                    self.boxed(&operation.lhs_expr),
                    self.boxed(&operation.rhs_expr),
                );
                ExpressionKind::Binary(left, operator, right)
            }
            Parsed::ForExpr(parsed) => {
                let key_name = parsed.intro.key_var.as_ref();
                ExpressionKind::For(Box::new(For {
                    key_name: key_name.map(|name| self.spanned(name.to_string(), name.span())),
                    value_name: self.spanned(
                        parsed.intro.value_var.to_string(),
                        parsed.intro.value_var.span(),
                    ),
                    collection: self.expression(&parsed.intro.collection_expr),
                    key: parsed.key_expr.as_ref().map(|key| self.expression(key)),
                    value: self.expression(&parsed.value_expr),
                    group: parsed.grouping,
                    condition: parsed.cond.as_ref().map(|cond| self.expression(&cond.expr)),
                }))
            }
        };
        Expression { kind, span }
    }

    fn number(
        &mut self,
        written: &hcl_edit::Formatted<hcl_edit::Number>,
        span: Span,
    ) -> ExpressionKind {
        let number = written.value();
        // Digits alone are an integer, and one that is rounded is another one.
        let repr = written.as_repr().map(|repr| &**repr).unwrap_or_default();
        let whole = !repr.is_empty() && !repr.contains(['.', 'e', 'E']);
        let number = number.as_i64().map(Number::Integer).or_else(|| {
            let number = number.as_f64().filter(|_| !whole)?;
            Number::from_f64(number)
        });
        let Some(number) = number else {
            self.diagnostics.push(
                Diagnostic::error("number out of range", "this number can't be kept exactly")
                    .help("write it as a string: \"…\"")
                    .at(span),
            );
            return ExpressionKind::Null;
        };
        ExpressionKind::Number(number)
    }

    fn key(&mut self, key: &ParsedKey) -> ObjectKey {
        match key {
            ParsedKey::Ident(name) => ObjectKey::Name(self.spanned(name.to_string(), name.span())),
            ParsedKey::Expression(expression) => ObjectKey::Expression(self.expression(expression)),
        }
    }

    fn call(&mut self, call: &expr::FuncCall) -> ExpressionKind {
        if call.name.is_namespaced() {
            self.diagnostics.push(
                Diagnostic::error(
                    "unknown function",
                    "functions have plain names here: there are no namespaces",
                )
                .at(self.span(call.name.name.span())),
            );
        }
        ExpressionKind::Call(Box::new(Call {
            name: self.spanned(call.name.name.to_string(), call.name.name.span()),
            arguments: call
                .args
                .iter()
                .map(|argument| self.expression(argument))
                .collect(),
            expand: call.args.expand_final(),
        }))
    }

    fn traversal(&mut self, traversal: &expr::Traversal, span: Span) -> ExpressionKind {
        if traversal.operators.len() > STEPS_MAX {
            self.diagnostics.push(
                Diagnostic::error(
                    "reference too long",
                    format!(
                        "a reference may have {STEPS_MAX} steps, and this one has {}",
                        traversal.operators.len()
                    ),
                )
                .at(span),
            );
            return ExpressionKind::Null;
        }
        let steps = traversal
            .operators
            .iter()
            .map(|operator| {
                let step_span = self.span(operator.span());
                match operator.value() {
                    TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                        Step::Splat(step_span)
                    }
                    TraversalOperator::GetAttr(name) => {
                        Step::Attribute(self.spanned(name.to_string(), name.span()))
                    }
                    TraversalOperator::Index(index) => Step::Index(self.expression(index)),
                    TraversalOperator::LegacyIndex(index) => {
                        let number = i64::try_from(*index.value()).unwrap_or(i64::MAX);
                        let kind = ExpressionKind::Number(Number::Integer(number));
                        Step::Index(Expression {
                            kind,
                            span: step_span,
                        })
                    }
                }
            })
            .collect();
        ExpressionKind::Traversal(self.boxed(&traversal.expr), steps)
    }

    fn template(
        &mut self,
        template: &Template,
        strip_start: bool,
        strip_end: bool,
    ) -> Vec<TemplatePart> {
        self.elements(template.iter(), strip_start, strip_end)
    }

    /// The parts of a template. `strip_start` and `strip_end` say whether the marker before and
    /// after it takes away white space.
    fn elements<'a>(
        &mut self,
        elements: impl Iterator<Item = &'a Element>,
        strip_start: bool,
        strip_end: bool,
    ) -> Vec<TemplatePart> {
        let elements: Vec<&Element> = elements.collect();
        let mut parts = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(text) => {
                    let before = index.checked_sub(1).and_then(|index| elements.get(index));
                    let after = elements.get(index + 1);
                    let start = before.map_or(strip_start, |element| strips(element).strip_end());
                    let end = after.map_or(strip_end, |element| strips(element).strip_start());
                    let mut text = text.value().as_str();
                    if start {
                        text = text.trim_start();
                    }
                    if end {
                        text = text.trim_end();
                    }
                    if !text.is_empty() {
                        parts.push(TemplatePart::Text(text.to_owned()));
                    }
                }
                Element::Interpolation(interpolation) => {
                    parts.push(TemplatePart::Interpolation(
                        self.expression(&interpolation.expr),
                    ));
                }
                Element::Directive(directive) => parts.push(self.directive(directive)),
            }
        }
        parts
    }

    fn directive(&mut self, directive: &Directive) -> TemplatePart {
        match directive {
            Directive::If(parsed) => {
                let end = parsed.endif_expr.strip.strip_start();
                let after_then = parsed
                    .else_expr
                    .as_ref()
                    .map_or(end, |otherwise| otherwise.strip.strip_start());
                TemplatePart::If {
                    condition: self.expression(&parsed.if_expr.cond_expr),
                    then: self.template(
                        &parsed.if_expr.template,
                        parsed.if_expr.strip.strip_end(),
                        after_then,
                    ),
                    otherwise: parsed
                        .else_expr
                        .as_ref()
                        .map_or_else(Vec::new, |otherwise| {
                            self.template(&otherwise.template, otherwise.strip.strip_end(), end)
                        }),
                }
            }
            Directive::For(parsed) => {
                let intro = &parsed.for_expr;
                TemplatePart::For {
                    key_name: intro
                        .key_var
                        .as_ref()
                        .map(|name| self.spanned(name.to_string(), name.span())),
                    value_name: self.spanned(intro.value_var.to_string(), intro.value_var.span()),
                    collection: self.expression(&intro.collection_expr),
                    body: self.template(
                        &intro.template,
                        intro.strip.strip_end(),
                        parsed.endfor_expr.strip.strip_start(),
                    ),
                }
            }
        }
    }
}

/// The outer strip markers of an element: before its first and after its last delimiter.
fn strips(element: &Element) -> Strip {
    let (start, end) = match element {
        Element::Literal(_) => (Strip::None, Strip::None),
        Element::Interpolation(interpolation) => (interpolation.strip, interpolation.strip),
        Element::Directive(directive) => match directive.as_ref() {
            Directive::If(parsed) => (parsed.if_expr.strip, parsed.endif_expr.strip),
            Directive::For(parsed) => (parsed.for_expr.strip, parsed.endfor_expr.strip),
        },
    };
    match (start.strip_start(), end.strip_end()) {
        (true, true) => Strip::Both,
        (true, false) => Strip::Start,
        (false, true) => Strip::End,
        (false, false) => Strip::None,
    }
}

const fn binary(operator: expr::BinaryOperator) -> BinaryOperator {
    match operator {
        expr::BinaryOperator::Eq => BinaryOperator::Equal,
        expr::BinaryOperator::NotEq => BinaryOperator::NotEqual,
        expr::BinaryOperator::LessEq => BinaryOperator::LessOrEqual,
        expr::BinaryOperator::GreaterEq => BinaryOperator::GreaterOrEqual,
        expr::BinaryOperator::Less => BinaryOperator::Less,
        expr::BinaryOperator::Greater => BinaryOperator::Greater,
        expr::BinaryOperator::Plus => BinaryOperator::Add,
        expr::BinaryOperator::Minus => BinaryOperator::Subtract,
        expr::BinaryOperator::Mul => BinaryOperator::Multiply,
        expr::BinaryOperator::Div => BinaryOperator::Divide,
        expr::BinaryOperator::Mod => BinaryOperator::Remainder,
        expr::BinaryOperator::And => BinaryOperator::And,
        expr::BinaryOperator::Or => BinaryOperator::Or,
    }
}
