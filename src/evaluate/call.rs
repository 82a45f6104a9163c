//! Function calls. Functions proper are in [`functions`]; here are those that need
//! evaluation itself (`try`, `can`, `templatefile`) and those that name a secret (`env`, `vault`,
//! `aws_secret`).

use remit_sdk::{Diagnostic, SecretRef, Span, Value};

use super::convert::describe;
use super::evaluator::{Evaluated, Evaluator, Failed};
use super::functions::{self, Context, FunctionError};
use super::nearest::did_you_mean;
use super::scope::{Frame, Scope};
use crate::config::syntax::{Call, Expression};

/// Functions that are not in [`functions`].
const SPECIAL: [&str; 6] = ["try", "can", "templatefile", "env", "vault", "aws_secret"];

/// Whether an environment variable may have this name (POSIX, 8.1).
fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Evaluator<'_> {
    /// The value of a call.
    pub(super) fn call(&self, call: &Call, span: Span, scope: &Scope<'_>) -> Evaluated {
        match call.name.value.as_str() {
            "try" => self.attempts(call, span, scope),
            "can" => match self.arguments(call, span, 1)? {
                [inner] => Ok(Value::Bool(self.attempt(inner, scope)?.is_ok())),
                _ => Err(Failed),
            },
            "templatefile" => self.template_file(call, span, scope),
            "env" => match self.texts(call, span, 1, scope)?.as_slice() {
                [name] if !is_variable(name) => Err(self.report(
                    Diagnostic::error(
                        "wrong arguments",
                        "`env` takes the name of an environment variable, which has letters, digits \
                         and `_`, and not the secret itself",
                    )
                    .at(span)
                    .hiding_text()
                    .help("write `env(\"NAME\")`"),
                )),
                [name] => Ok(Value::Secret(SecretRef::Env(name.clone()))),
                _ => Err(Failed),
            },
            "vault" => match self.texts(call, span, 2, scope)?.as_slice() {
                [path, field] => Ok(Value::Secret(SecretRef::Vault {
                    path: path.clone(),
                    field: field.clone(),
                })),
                _ => Err(Failed),
            },
            "aws_secret" => match self.texts(call, span, 1, scope)?.as_slice() {
                [arn] => Ok(Value::Secret(SecretRef::AwsSecret(arn.clone()))),
                _ => Err(Failed),
            },
            _ => self.function(call, span, scope),
        }
    }

    fn arguments<'e>(
        &self,
        call: &'e Call,
        span: Span,
        wanted: usize,
    ) -> Evaluated<&'e [Expression]> {
        if call.arguments.len() == wanted && !call.expand {
            return Ok(&call.arguments);
        }
        let name = &call.name.value;
        Err(self.report(
            Diagnostic::error(
                "wrong arguments",
                format!(
                    "`{name}` takes {wanted}, each written out, and this call has {}",
                    call.arguments.len()
                ),
            )
            .at(span)
            .help(match name.as_str() {
                "vault" => "write `vault(\"kv/data/PATH\", \"FIELD\")`",
                "env" => "write `env(\"NAME\")`",
                "aws_secret" => "write `aws_secret(\"ARN\")`",
                "templatefile" => "write `templatefile(\"PATH\", { name = value })`",
                _ => "write `can(EXPRESSION)`",
            }),
        ))
    }

    /// Arguments that name a secret: text, known and not empty.
    fn texts(
        &self,
        call: &Call,
        span: Span,
        wanted: usize,
        scope: &Scope<'_>,
    ) -> Evaluated<Vec<String>> {
        let user = format!("`{}`", call.name.value);
        let all: Vec<Evaluated<String>> = self
            .arguments(call, span, wanted)?
            .iter()
            .map(|argument| {
                let value = self.value(argument, scope)?;
                self.known(&value, &user, argument.span)?;
                match value {
                    Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => {
                        Ok(text)
                    }
                    other => Err(self.report(
                        Diagnostic::error(
                            "wrong arguments",
                            format!(
                                "{user} takes the name of a secret, and this is {}",
                                describe(&other)
                            ),
                        )
                        .at(argument.span)
                        .help("write a string that isn't empty"),
                    )),
                }
            })
            .collect();
        all.into_iter().collect()
    }

    /// Evaluates and keeps the mistakes to itself, those of a budget excepted.
    fn attempt(
        &self,
        expression: &Expression,
        scope: &Scope<'_>,
    ) -> Evaluated<Result<Value, Vec<Diagnostic>>> {
        let (result, errors) = self.apart(|| self.value(expression, scope));
        if self.budget.is_spent() {
            return Err(Failed);
        }
        Ok(result.map_err(|Failed| errors))
    }

    fn attempts(&self, call: &Call, span: Span, scope: &Scope<'_>) -> Evaluated {
        let mut last = None;
        for argument in &call.arguments {
            match self.attempt(argument, scope)? {
                Ok(value) => return Ok(value),
                Err(errors) => last = errors.into_iter().next(),
            }
        }
        let why = last.map_or_else(String::new, |error| format!(": {}", error.detail));
        Err(self.report(
            Diagnostic::error(
                "nothing left to try",
                format!("no argument of `try` has a value{why}"),
            )
            .at(span)
            .help("add a last argument that always has one, such as `null`"),
        ))
    }

    fn function(&self, call: &Call, span: Span, scope: &Scope<'_>) -> Evaluated {
        let name = call.name.value.as_str();
        let known = functions::names();
        if !known.contains(&name) {
            let error =
                Diagnostic::error("unknown function", format!("there is no function `{name}`"))
                    .at(call.name.span);
            let candidates = known.iter().copied().chain(SPECIAL);
            let absent = functions::absent(name).map(str::to_owned);
            return Err(self.report(error.help(
                absent.or_else(|| did_you_mean(name, candidates)).unwrap_or_else(|| {
                    "the functions are Terraform's; none runs a program, opens a socket, or knows the time".to_owned()
                }),
            )));
        }
        let user = format!("the function `{name}`");
        let values: Vec<Evaluated> = call
            .arguments
            .iter()
            .map(|argument| {
                let value = self.value(argument, scope)?;
                self.known(&value, &user, argument.span)?;
                Ok(value)
            })
            .collect();
        let mut values: Vec<Value> = values.into_iter().collect::<Evaluated<_>>()?;
        if call.expand {
            self.expand(&mut values, call)?;
        }
        let context = Context {
            root: &self.inputs.root,
        };
        let result = functions::call(name, &values, &context)
            .map_err(|error| self.function_error(call, span, error))?;
        self.measured(&result, span)?;
        Ok(result)
    }

    fn expand(&self, values: &mut Vec<Value>, call: &Call) -> Evaluated<()> {
        match values.pop() {
            Some(Value::List(all)) => values.extend(all),
            Some(Value::Set(all)) => values.extend(all),
            Some(other) => {
                return Err(self.report(
                    Diagnostic::error(
                        "wrong arguments",
                        format!(
                            "`...` spreads a list or a set, and this is {}",
                            describe(&other)
                        ),
                    )
                    .at(call.arguments.last().map(|argument| argument.span))
                    .help("leave `...` out, or write a list"),
                ));
            }
            None => {}
        }
        Ok(())
    }

    fn function_error(&self, call: &Call, span: Span, error: FunctionError) -> Failed {
        let written = call.arguments.len();
        let argument = error.argument.and_then(|position| {
            // What `...` spread stands in the last argument.
            let last = written.checked_sub(1)?;
            call.arguments.get(position.min(last))
        });
        let help = error
            .help
            .unwrap_or_else(|| "change the arguments of the call".into());
        self.report(
            Diagnostic::error(
                "function call failed",
                format!("`{}`: {}", call.name.value, error.message),
            )
            .at(argument.map_or(span, |argument| argument.span))
            .help(help),
        )
    }

    fn template_file(&self, call: &Call, span: Span, scope: &Scope<'_>) -> Evaluated {
        let [path, names] = self.arguments(call, span, 2)? else {
            return Err(Failed);
        };
        let (at, names_at) = (path.span, names.span);
        let (path, names) = (self.value(path, scope), self.value(names, scope));
        let (path, names) = (path?, names?);
        self.known(&path, "the function `templatefile`", at)?;
        let Value::Map(names) = names else {
            return Err(self.report(
                Diagnostic::error(
                    "wrong arguments",
                    format!(
                        "a template's variables are a map, and this is {}",
                        describe(&names)
                    ),
                )
                .at(names_at)
                .help("write `{ name = value }`"),
            ));
        };
        let context = Context {
            root: &self.inputs.root,
        };
        let text = functions::call("file", std::slice::from_ref(&path), &context)
            .map_err(|error| self.function_error(call, span, error))?;
        let (Value::String(path), Value::String(text)) = (path, text) else {
            return Err(Failed);
        };
        let names: Vec<(&str, Value)> = names
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let plain = Scope::root(Frame::Plain("a template file"));
        let inner = plain.with(Frame::Names(&names));
        self.template_text(&text, &path, at, &inner)
    }
}
