//! Functions of the language.

use std::path::Path;

use remit_sdk::Value;

/// What a function may see besides its arguments.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The configuration's root: no file outside it is read.
    pub root: &'a Path,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// Which argument is wrong, counted from 0.
    pub argument: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Calls the function of this name.
pub fn call(name: &str, args: &[Value], _ctx: &Context<'_>) -> Result<Value, FunctionError> {
    match (name, args) {
        ("toset", [Value::List(all)]) => Ok(Value::Set(all.iter().cloned().collect())),
        ("upper", [Value::String(text)]) => Ok(Value::String(text.to_uppercase())),
        _ => Err(FunctionError {
            argument: None,
            message: format!("`{name}` was called wrongly"),
            help: None,
        }),
    }
}

/// The names of all functions.
pub fn names() -> Vec<&'static str> {
    vec!["toset", "upper"]
}
