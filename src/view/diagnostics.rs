//! Mistakes as JSON, in the shape of Terraform's `validate -json`.
//!
//! In: diagnostics and the sources that their spans point into. Out: JSON. `help` is remit's own
//! addition: what to write instead. Text for people is made in [`crate::diagnostic`].

use remit_sdk::{Diagnostic, Severity, Span};
use serde_json::{Value as Json, json};

use crate::diagnostic::SourceMap;

/// The version of this format; raised in its first part when a reader would break.
const FORMAT: &str = "1.0";

/// The answer of `validate --json`.
pub fn validation(diagnostics: &[Diagnostic], sources: &SourceMap) -> Json {
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let all: Vec<Json> = diagnostics.iter().map(|one| json(one, sources)).collect();
    json!({
        "format_version": FORMAT,
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": diagnostics.len() - errors,
        "diagnostics": all,
    })
}

/// One diagnostic.
pub fn json(diagnostic: &Diagnostic, sources: &SourceMap) -> Json {
    let mut out = json!({
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
    });
    let mut set = |name: &str, value: Json| {
        if let Json::Object(all) = &mut out {
            all.insert(name.to_owned(), value);
        }
    };
    if let Some(help) = &diagnostic.help {
        set("help", json!(help));
    }
    if let Some(address) = &diagnostic.address {
        set("address", json!(address.to_string()));
    }
    if let Some(span) = diagnostic.span
        && let Some(range) = range(span, sources)
    {
        set("range", range);
        set("snippet", snippet(span, sources));
    }
    out
}

/// A place in a file: lines and columns from 1, bytes from 0.
fn range(span: Span, sources: &SourceMap) -> Option<Json> {
    let file = sources.get(span.file)?;
    let position = |byte: u32| {
        let before = file.text.get(..byte as usize).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |index| index + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = before.matches('\n').count() + 1;
        json!({ "line": line, "column": column, "byte": byte })
    };
    Some(json!({
        "filename": file.path.display().to_string(),
        "start": position(span.start),
        "end": position(span.end),
    }))
}

/// The lines that the span touches.
fn snippet(span: Span, sources: &SourceMap) -> Json {
    let text = sources
        .get(span.file)
        .map(|file| &*file.text)
        .unwrap_or_default();
    let (start, end) = (span.start as usize, span.end as usize);
    let from = text
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |index| index + 1);
    let to = text
        .get(end..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |index| end + index);
    json!({
        "code": text.get(from..to).unwrap_or_default(),
        "start_line": sources.line(span),
        "highlight_start_offset": start - from,
        "highlight_end_offset": end.min(to) - from,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use remit_sdk::Address;

    use super::*;

    #[test]
    fn the_place_is_exact() {
        let mut sources = SourceMap::default();
        let text = "owner \"é\" {\n  contakt = 1\n}\n";
        let file = sources.add(PathBuf::from("a.remit.hcl"), text.into());
        let start = u32::try_from(text.find("contakt").unwrap()).unwrap();
        let address: Address = "owner.payments".parse().unwrap();
        let diagnostic = Diagnostic::error("unknown attribute", "`contakt` is none")
            .help("did you mean `contact`?")
            .at(Span::new(file, start, start + 7))
            .about(address);
        assert_eq!(
            validation(&[diagnostic], &sources),
            json!({
                "format_version": "1.0",
                "valid": false,
                "error_count": 1,
                "warning_count": 0,
                "diagnostics": [{
                    "severity": "error",
                    "summary": "unknown attribute",
                    "detail": "`contakt` is none",
                    "help": "did you mean `contact`?",
                    "address": "owner.payments",
                    "range": {
                        "filename": "a.remit.hcl",
                        "start": { "line": 2, "column": 3, "byte": start },
                        "end": { "line": 2, "column": 10, "byte": start + 7 },
                    },
                    "snippet": {
                        "code": "  contakt = 1",
                        "start_line": 2,
                        "highlight_start_offset": 2,
                        "highlight_end_offset": 9,
                    },
                }],
            })
        );
    }
}
