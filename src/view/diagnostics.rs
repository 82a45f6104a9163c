//! The answer of `validate --json`, in Terraform's shape.
//!
//! In: diagnostics and the sources that their spans point into. Out: JSON. One diagnostic, as text
//! or JSON, is made in [`crate::diagnostic`].

use remit_sdk::Diagnostic;
use serde_json::{Value as Json, json};

use crate::diagnostic::{SourceMap, to_json};

/// The version of this format; raised in its first part when a reader would break.
const FORMAT: &str = "1.0";

/// The answer of `validate --json`.
pub fn validation(diagnostics: &[Diagnostic], sources: &SourceMap) -> Json {
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let all: Vec<Json> = diagnostics
        .iter()
        .map(|one| to_json(one, sources))
        .collect();
    json!({
        "format_version": FORMAT,
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.len() - errors,
        "diagnostics": all,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_make_it_invalid_and_warnings_do_not() {
        let warning = Diagnostic::warning("odd", "but allowed");
        let json = validation(std::slice::from_ref(&warning), &SourceMap::default());
        assert_eq!(
            (&json["valid"], &json["warning_count"]),
            (&json!(true), &json!(1))
        );
        let all = [warning, Diagnostic::error("wrong", "indeed")];
        let json = validation(&all, &SourceMap::default());
        assert_eq!(
            (&json["valid"], &json["error_count"]),
            (&json!(false), &json!(1))
        );
        assert_eq!(json["diagnostics"][1]["summary"], "wrong");
    }
}
