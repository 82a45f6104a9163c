//! Functions of the language: Terraform's names and meaning, on [`Value`].
//!
//! In: a name, arguments, the configuration's root. Out: a value, or which argument is wrong and
//! what to write instead. A call is checked for its number of arguments here; each family of
//! functions has a file and a table of its own.
//!
//! The same arguments always give the same value: no function reads a clock, draws a random
//! number, runs a program or opens a socket, and those that read files stay below the root
//! (`files`). No arguments make one panic, and what a function may build is bounded before it
//! is built (`room`). Where Terraform unifies the types of a list, so do these: text and
//! numbers together become text.
//!
//! Text is counted in characters (Unicode scalar values).

use std::path::Path;

use remit_sdk::Value;

mod arguments;
mod beneath;
mod collections;
mod conversions;
mod dates;
mod encodings;
mod files;
mod formats;
mod globs;
mod json;
mod lists;
mod network;
mod numbers;
mod patterns;
mod room;
mod sets;
#[cfg(test)]
mod tests;
mod text;

use arguments::Arguments;
pub use files::read_file;

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

impl FunctionError {
    /// The call as a whole is wrong.
    fn new(message: impl Into<String>) -> Self {
        Self {
            argument: None,
            message: message.into(),
            help: None,
        }
    }

    /// One argument is wrong.
    fn at(argument: usize, message: impl Into<String>) -> Self {
        Self {
            argument: Some(argument),
            ..Self::new(message)
        }
    }

    /// The same with what to write instead.
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, laid to one argument unless it names one.
    fn or_at(mut self, argument: usize) -> Self {
        self.argument.get_or_insert(argument);
        self
    }
}

/// What a function gives.
type Outcome = Result<Value, FunctionError>;

/// A function as its family's table lists it.
struct Function {
    name: &'static str,
    /// How a call of it is written.
    usage: &'static str,
    /// Fewest arguments.
    least: usize,
    /// Most arguments; `None` for any number.
    most: Option<usize>,
    run: fn(&Arguments<'_>) -> Outcome,
}

/// A function with a fixed number of arguments.
const fn fixed(
    name: &'static str,
    usage: &'static str,
    count: usize,
    run: fn(&Arguments<'_>) -> Outcome,
) -> Function {
    Function {
        name,
        usage,
        least: count,
        most: Some(count),
        run,
    }
}

/// A function that takes `least` arguments or more.
const fn variadic(
    name: &'static str,
    usage: &'static str,
    least: usize,
    run: fn(&Arguments<'_>) -> Outcome,
) -> Function {
    Function {
        name,
        usage,
        least,
        most: None,
        run,
    }
}

/// Functions by family.
const FAMILIES: [&[Function]; 13] = [
    text::FUNCTIONS,
    formats::FUNCTIONS,
    patterns::FUNCTIONS,
    numbers::FUNCTIONS,
    collections::FUNCTIONS,
    lists::FUNCTIONS,
    sets::FUNCTIONS,
    conversions::FUNCTIONS,
    encodings::FUNCTIONS,
    json::FUNCTIONS,
    dates::FUNCTIONS,
    network::FUNCTIONS,
    files::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.into_iter().flatten()
}

/// Calls the function of this name.
pub fn call(
    name: &str,
    arguments: &[Value],
    context: &Context<'_>,
) -> Result<Value, FunctionError> {
    let Some(function) = all().find(|function| function.name == name) else {
        return Err(match absent(name) {
            Some(why) => FunctionError::new(format!("there is no such function: {why}")),
            None => FunctionError::new("there is no such function"),
        });
    };
    let count = arguments.len();
    if count < function.least || function.most.is_some_and(|most| count > most) {
        let wanted = match (function.least, function.most) {
            (least, None) => format!("{least} or more"),
            (least, Some(most)) if least == most => least.to_string(),
            (least, Some(most)) => format!("{least} to {most}"),
        };
        let plural = if wanted == "1" { "" } else { "s" };
        return Err(FunctionError::new(format!(
            "it takes {wanted} argument{plural}, and this call has {count}"
        ))
        .help(format!("write `{}`", function.usage)));
    }
    (function.run)(&Arguments::new(arguments, context))
}

/// The names of all functions.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = all().map(|function| function.name).collect();
    names.sort_unstable();
    names
}

/// Why a function that Terraform has is left out on purpose; `None` where no reason is known.
pub fn absent(name: &str) -> Option<&'static str> {
    Some(match name {
        "timestamp" | "plantimestamp" => {
            "the same input always gives the same plan, so no expression knows the time; write the time as a variable"
        }
        "uuid" | "bcrypt" | "random" => {
            "the same input always gives the same plan, so no expression draws a random value"
        }
        "uuidv5" => "names are computed by remit itself",
        "md5" | "sha1" | "filemd5" | "filesha1" | "filebase64md5" => {
            "this hash is broken; use its `sha256` form"
        }
        "sensitive" | "nonsensitive" | "issensitive" | "ephemeralasnull" => {
            "a secret is always a reference, never a value; write `env(\"NAME\")` where an attribute takes a secret"
        }
        "abspath" | "pathexpand" => {
            "paths are relative to the configuration's root, so that every machine makes the same plan"
        }
        "rsadecrypt" => "secrets are never written in configuration",
        _ => return None,
    })
}
