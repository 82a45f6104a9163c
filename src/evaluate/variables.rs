//! Variables: which value wins, whether it fits, and what a sensitive one becomes.
//!
//! A sensitive variable is a reference to a secret, whose value evaluation never sees: it may
//! come from the environment or a file descriptor, and is looked up while applying. Written in
//! a file or on a command line it would stay there, so that is refused, unless what is written
//! is itself a reference such as `env("NAME")`.

use std::rc::Rc;

use remit_sdk::{Diagnostic, SecretRef, Span, Spanned, Value};

use super::evaluator::{Evaluated, Evaluator, Failed, Node};
use super::expression::bare;
use super::nearest::did_you_mean;
use super::scope::{Frame, Scope};
use super::types::Type;
use super::{Given, GivenValue, VariableSource};
use crate::config::syntax::{Attribute, Block, Expression, ExpressionKind};

const ATTRIBUTES: [&str; 5] = ["type", "default", "description", "sensitive", "nullable"];

/// A `variable` block, read.
struct Declaration<'c> {
    name: &'c str,
    block: &'c Block,
    kind: Option<Type>,
    default: Option<&'c Attribute>,
    sensitive: bool,
    nullable: bool,
}

impl Declaration<'_> {
    /// The names its values see: none, unless it takes a declaration.
    fn scope(&self) -> Scope<'static> {
        match &self.kind {
            Some(kind) if kind.takes_references() => Scope::CONFIGURATION,
            _ => Scope::root(Frame::Plain("the value of a variable")),
        }
    }
}

impl<'c> Evaluator<'c> {
    /// The value of `var.NAME`.
    pub(super) fn variable(&self, name: &Spanned<String>) -> Evaluated<Rc<Value>> {
        let Some((known, block)) = self.index.variables.get_key_value(name.value.as_str()) else {
            let known = self.index.variables.keys().copied();
            return Err(self.undeclared("var", name, known, "variable \"NAME\" { type = string }"));
        };
        self.variable_value(known, name.span, block)
    }

    /// The value of a variable, by its block.
    pub(crate) fn variable_value(
        &self,
        name: &'c str,
        at: Option<Span>,
        block: &'c Block,
    ) -> Evaluated<Rc<Value>> {
        self.force(Node::Variable(name), at, || {
            self.compute_variable(name, block)
        })
    }

    fn compute_variable(&self, name: &'c str, block: &'c Block) -> Evaluated {
        let declaration = self.variable_declaration(name, block)?;
        let given = self.inputs.variables.get(name);
        let environment = || (self.inputs.environment)(&format!("REMIT_VAR_{name}"));
        let (value, at) = match given {
            Some(given) => self.given(&declaration, given)?,
            None => match environment() {
                Some(_) if declaration.sensitive => {
                    return Ok(Value::Secret(SecretRef::Variable(name.to_owned())));
                }
                Some(text) => {
                    let what = format!("the value of `REMIT_VAR_{name}`");
                    (self.given_text_value(&declaration, &text, &what)?, None)
                }
                None => self.default_value(&declaration)?,
            },
        };
        self.fit(&declaration, value, at)
    }

    fn variable_declaration(&self, name: &'c str, block: &'c Block) -> Evaluated<Declaration<'c>> {
        let mut ok = Ok(());
        for attribute in &block.body.attributes {
            let wrong = attribute.name.value.as_str();
            if !ATTRIBUTES.contains(&wrong) {
                let error = Diagnostic::error(
                    "unknown attribute",
                    format!("a variable has no attribute `{wrong}`"),
                );
                ok = Err(self.report(
                    error.at(attribute.name.span).help(
                        did_you_mean(wrong, ATTRIBUTES)
                            .unwrap_or_else(|| format!("it has {}", ATTRIBUTES.join(", "))),
                    ),
                ));
            }
        }
        for inner in &block.body.blocks {
            if inner.kind.value != "validation" {
                let error = Diagnostic::error(
                    "unknown block",
                    format!("a variable holds no block `{}`", inner.kind.value),
                );
                ok = Err(self.report(
                    error
                        .at(inner.kind.span)
                        .help("it may hold `validation` blocks"),
                ));
            }
        }
        let kind = block
            .body
            .attribute("type")
            .map(|kind| self.type_of(&kind.expression));
        let flag = |name: &str, default: bool| match block.body.attribute(name) {
            Some(flag) => {
                let plain = Scope::root(Frame::Plain("this setting"));
                self.condition(&flag.expression, &plain)
            }
            None => Ok(default),
        };
        let (sensitive, nullable) = (flag("sensitive", false), flag("nullable", true));
        if let Some(description) = block.body.attribute("description") {
            let plain = Scope::root(Frame::Plain("a description"));
            let text = self.value(&description.expression, &plain)?;
            self.text_of(&text, "a description", description.expression.span)?;
        }
        let declaration = Declaration {
            name,
            block,
            kind: kind.transpose()?,
            default: block.body.attribute("default"),
            sensitive: sensitive?,
            nullable: nullable?,
        };
        ok.map(|()| declaration)
    }

    fn given(
        &self,
        declaration: &Declaration<'c>,
        given: &Given,
    ) -> Evaluated<(Value, Option<Span>)> {
        let name = declaration.name;
        if declaration.sensitive && given.source == VariableSource::CommandLine {
            return Err(self.report(
                Diagnostic::error(
                    "secret on the command line",
                    format!("`{name}` is sensitive, and what stands on a command line is seen by every process and kept in shell histories"),
                )
                .at(declaration.block.span)
                .help(format!("give it as `REMIT_VAR_{name}` in the environment, or by a file descriptor")),
            ));
        }
        match &given.value {
            GivenValue::Unread => self.reference_to(declaration).map(|secret| (secret, None)),
            GivenValue::Text(text)
                if given.source == VariableSource::Environment && declaration.sensitive =>
            {
                let _ = text;
                self.reference_to(declaration).map(|secret| (secret, None))
            }
            GivenValue::Text(text) => {
                let what = format!("the value given for `var.{name}`");
                Ok((self.given_text_value(declaration, text, &what)?, None))
            }
            GivenValue::Expression(expression) => self.written_value(declaration, expression),
        }
    }

    fn reference_to(&self, declaration: &Declaration<'c>) -> Evaluated {
        let name = declaration.name;
        if declaration.sensitive {
            return Ok(Value::Secret(SecretRef::Variable(name.to_owned())));
        }
        Err(self.report(
            Diagnostic::error(
                "value given as a secret",
                format!("`{name}` isn't sensitive, so its value must be known while planning"),
            )
            .at(declaration.block.span)
            .help("write `sensitive = true`, or give it with `--var`"),
        ))
    }

    fn given_text_value(&self, declaration: &Declaration<'c>, text: &str, what: &str) -> Evaluated {
        match &declaration.kind {
            None | Some(Type::String) => Ok(Value::string(text)),
            Some(_) => {
                let scope = declaration.scope();
                self.given_text(text, what, &scope)
            }
        }
    }

    fn default_value(&self, declaration: &Declaration<'c>) -> Evaluated<(Value, Option<Span>)> {
        let Some(default) = declaration.default else {
            let name = declaration.name;
            return Err(self.report(
                Diagnostic::error(
                    "variable without a value",
                    format!("`var.{name}` has no default, and no value was given"),
                )
                .at(declaration.block.span)
                .help(if declaration.sensitive {
                    format!("set `REMIT_VAR_{name}` in the environment")
                } else {
                    format!("give one with `--var {name}=…`, `REMIT_VAR_{name}` or a variables file, or write a `default`")
                }),
            ));
        };
        self.written_value(declaration, &default.expression)
    }

    /// A value that stands in a file. What a sensitive variable holds is not evaluated unless it
    /// may be a reference: a mistake in it would be quoted.
    fn written_value(
        &self,
        declaration: &Declaration<'c>,
        expression: &Expression,
    ) -> Evaluated<(Value, Option<Span>)> {
        let may_be_reference = matches!(
            bare(expression).kind,
            ExpressionKind::Null | ExpressionKind::Call(_) | ExpressionKind::Conditional(..)
        );
        if declaration.sensitive && !may_be_reference {
            return Err(self.written_secret(declaration.name, Some(expression.span)));
        }
        let value = self.value(expression, &declaration.scope())?;
        Ok((value, Some(expression.span)))
    }

    fn written_secret(&self, name: &str, at: Option<Span>) -> Failed {
        self.report(
            Diagnostic::error(
                "secret written in configuration",
                format!("`{name}` is sensitive, so its value doesn't stand in a file"),
            )
            .at(at)
            .hiding_text()
            .help(format!("give it as `REMIT_VAR_{name}` in the environment, or write a reference: `env(\"NAME\")`, `vault(\"PATH\", \"FIELD\")`")),
        )
    }

    fn fit(&self, declaration: &Declaration<'c>, value: Value, at: Option<Span>) -> Evaluated {
        let name = declaration.name;
        let at = at.or(Some(declaration.block.span));
        if value == Value::Null && !declaration.nullable {
            if declaration
                .default
                .is_some_and(|default| Some(default.expression.span) != at)
            {
                let (default, at) = self.default_value(declaration)?;
                return self.fit(declaration, default, at);
            }
            return Err(self.report(
                Diagnostic::error(
                    "null for a variable that takes none",
                    format!("`var.{name}` says `nullable = false`"),
                )
                .at(at)
                .help("give a value, or allow null"),
            ));
        }
        if declaration.sensitive && !matches!(value, Value::Secret(_) | Value::Null) {
            return Err(self.written_secret(name, at));
        }
        let Some(kind) = &declaration.kind else {
            return Ok(value);
        };
        kind.convert(value)
            .map_err(|(path, detail)| self.wrong_type(&format!("`var.{name}`"), &path, detail, at))
    }

    /// A value that doesn't fit its type.
    pub(super) fn wrong_type(
        &self,
        what: &str,
        path: &str,
        detail: String,
        at: Option<Span>,
    ) -> Failed {
        let place = if path.is_empty() {
            String::new()
        } else {
            format!(", at `{path}`")
        };
        self.report(
            Diagnostic::error(
                "value of the wrong type",
                format!("{what}{place}: {detail}"),
            )
            .at(at)
            .help("change the value, or the variable's `type`"),
        )
    }

    /// Evaluates every variable and its validations, and looks for values nobody asked for.
    pub(crate) fn check_variables(&self) {
        for (name, block) in &self.index.variables {
            let value = self.variable_value(name, None, block);
            for validation in block.body.blocks("validation") {
                let _ = self.validation(name, block, validation, value.is_ok());
            }
        }
        for (name, given) in &self.inputs.variables {
            if !self.index.variables.contains_key(name.as_str()) {
                self.undeclared_value(name, given);
            }
        }
    }

    fn validation(
        &self,
        name: &str,
        variable: &Block,
        block: &Block,
        known: bool,
    ) -> Evaluated<()> {
        for attribute in &block.body.attributes {
            if !["condition", "error_message"].contains(&attribute.name.value.as_str()) {
                self.report(
                    Diagnostic::error(
                        "unknown attribute",
                        format!("`validation` has no attribute `{}`", attribute.name.value),
                    )
                    .at(attribute.name.span)
                    .help("it has `condition` and `error_message`"),
                );
            }
        }
        let part = |part: &str| {
            block.body.attribute(part).ok_or_else(|| {
                self.report(
                    Diagnostic::error("missing attribute", format!("`validation` needs `{part}`"))
                        .at(block.span)
                        .help("write `condition` and `error_message`"),
                )
            })
        };
        let (condition, message) = (part("condition"), part("error_message"));
        let (condition, message) = (condition?, message?);
        if !known || self.condition(&condition.expression, &Scope::CONFIGURATION)? {
            return Ok(());
        }
        let text = self.value(&message.expression, &Scope::CONFIGURATION)?;
        let text = self.text_of(&text, "`error_message`", message.expression.span)?;
        let given = self.inputs.variables.get(name).map(|given| &given.value);
        let place = match given {
            Some(GivenValue::Expression(expression)) => Some(expression.span),
            Some(_) => None,
            None => variable
                .body
                .attribute("default")
                .map(|default| default.expression.span),
        };
        Err(self.report(
            Diagnostic::error(
                "invalid value for a variable",
                format!("`var.{name}`: {text}"),
            )
            .at(condition.expression.span)
            .label(place, "the value")
            .help("give a value that meets the condition"),
        ))
    }

    fn undeclared_value(&self, name: &str, given: &Given) {
        let shown = remit_sdk::text::safe(name);
        let detail =
            format!("a value is given for `{shown}`, and no variable of this name is declared");
        let mut diagnostic = match given.source {
            VariableSource::AutoFile | VariableSource::File | VariableSource::Environment => {
                Diagnostic::warning("value for an undeclared variable", detail)
            }
            VariableSource::CommandLine | VariableSource::Descriptor => {
                Diagnostic::error("value for an undeclared variable", detail)
            }
        };
        if let GivenValue::Expression(expression) = &given.value {
            // The name may be a sensitive variable's, misspelt.
            diagnostic = diagnostic.at(expression.span).hiding_text();
        }
        let known = self.index.variables.keys().copied();
        self.report(
            diagnostic.help(self.budget.did_you_mean(name, known).unwrap_or_else(|| {
                format!("declare it: variable \"{shown}\" {{ type = string }}")
            })),
        );
    }
}
