//! Expressions to values: variables, locals, functions, `for_each`, references in the order
//! they need.
//!
//! In: the syntax tree, the values given for variables, the providers' schemas. Out: a value
//! for whatever the model asks for, each computed once, and every mistake found on the way.
//!
//! Evaluation is lazy: asking for a value asks for what it refers to. A reference that leads
//! back to itself is shown as its path. A value that can't be computed is reported once, where
//! it stands; what depends on it fails silently, so that one mistake is one message. What is
//! known only after apply is carried as [`remit_sdk::Pending`], what is secret as a reference.
//!
//! It never contacts anything, reads no clock, and of files only those below the root that a
//! function names. Every budget is in [`limits`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use remit_sdk::Diagnostic;

use crate::config::syntax::Expression;

mod call;
mod collection;
mod convert;
mod evaluator;
mod exports;
mod expression;
mod for_each;
pub mod functions;
mod index;
pub mod limits;
mod nearest;
mod operators;
mod reference;
mod scope;
mod template;
mod text;
mod traversal;
mod types;
pub(crate) mod uses;
mod variables;

pub(crate) use convert::describe;
pub(crate) use evaluator::{Evaluated, Evaluator, Failed};
pub(crate) use exports::declaration_name;
pub(crate) use expression::bare;
pub(crate) use index::{Declared, unknown_provider};
pub(crate) use nearest::did_you_mean;
pub(crate) use scope::{Frame, Holder, Scope};

/// What evaluation is given beside the configuration.
pub struct Inputs<'a> {
    /// The configuration's root directory.
    pub root: PathBuf,
    /// Values for variables by name, the winning one of each; those from `REMIT_VAR_name` are
    /// looked up here in `environment`, since they count least.
    pub variables: BTreeMap<String, Given>,
    /// The process's environment.
    pub environment: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

/// A value given for a variable, and how.
#[derive(Debug, Clone)]
pub struct Given {
    /// How it was given.
    pub source: VariableSource,
    /// The value.
    pub value: GivenValue,
}

/// How a variable's value was given, those that count more last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VariableSource {
    /// `REMIT_VAR_name`.
    Environment,
    /// `*.auto.remitvars.hcl`.
    AutoFile,
    /// `--var-file`.
    File,
    /// `--var name=value`.
    CommandLine,
    /// A file descriptor, for secrets: it is read while applying.
    Descriptor,
}

/// A value as it was given.
#[derive(Debug, Clone)]
pub enum GivenValue {
    /// Text; what it means depends on the variable's type.
    Text(String),
    /// An expression of a variables file.
    Expression(Arc<Expression>),
    /// It exists, and evaluation doesn't need it.
    Unread,
}

/// Runs `work` on a thread whose stack is large enough for evaluation at
/// [`limits::DEPTH_MAX`].
pub(crate) fn with_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Diagnostic> {
    let failed = |detail: String| Diagnostic::error("evaluation could not run", detail);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("evaluate".into())
            .stack_size(limits::EVALUATION_STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| {
                failed(format!("no thread could be started: {error}"))
                    .help("free some memory, or raise the limit of this process's address space")
            })?
            .join()
            .map_err(|_| {
                failed("this is a mistake in remit itself, not in the configuration".into())
            })
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod variables_tests;
