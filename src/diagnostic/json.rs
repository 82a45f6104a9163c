//! Diagnostics as machines read them: the shape of Terraform's `validate -json`, with `help` and
//! `labels` added.
//!
//! In: a diagnostic and the files its spans point into. Out: a JSON object. Lines and columns
//! count from 1, columns in characters, bytes from 0 and over the whole file. `snippet.code`
//! holds the lines of the range as they are written, and the highlight is a range of bytes in
//! it. Text that people will read is made safe here too, since logs of machines are read by them.

use remit_sdk::Span;
use remit_sdk::text::safe_block;
use serde_json::{Value, json};

use super::excerpt::{Place, place};
use super::{Diagnostic, Severity, SourceMap};

/// The longest `snippet.code`, in bytes: a line may hold a whole document.
const CODE_BYTES_MAX: usize = 4_096;

/// One diagnostic as JSON.
pub fn to_json(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut json = serde_json::Map::new();
    json.insert("severity".into(), severity.into());
    json.insert("summary".into(), safe_block(&diagnostic.summary).into());
    json.insert("detail".into(), safe_block(&diagnostic.detail).into());
    if let Some(address) = &diagnostic.address {
        json.insert("address".into(), safe_block(&address.to_string()).into());
    }
    if let Some(span) = diagnostic.span {
        if let Some(range) = range(span, sources) {
            json.insert("range".into(), range);
        }
        if let Some(snippet) = snippet(span, sources) {
            json.insert("snippet".into(), snippet);
        }
    }
    if let Some(help) = &diagnostic.help {
        json.insert("help".into(), safe_block(help).into());
    }
    if !diagnostic.labels.is_empty() {
        let labels = diagnostic.labels.iter().map(
            |label| json!({"text": safe_block(&label.text), "range": range(label.span, sources)}),
        );
        json.insert("labels".into(), labels.collect());
    }
    Value::Object(json)
}

fn range(span: Span, sources: &SourceMap) -> Option<Value> {
    let file = sources.get(span.file)?;
    let point = |at: u32| {
        let place = place(&file.text, Span::new(span.file, at, at));
        json!({"line": place.line + 1, "column": place.column + 1, "byte": place.start})
    };
    Some(json!({
        "filename": file.path.display().to_string(),
        "start": point(span.start),
        "end": point(span.end.max(span.start)),
    }))
}

fn snippet(span: Span, sources: &SourceMap) -> Option<Value> {
    let text: &str = &sources.get(span.file)?.text;
    let start = place(text, span);
    let end = place(text, Span::new(span.file, span.end, span.end));
    let (line_start, line_end) = (start.line_start, end.line_end.max(start.line_end));
    let code = text.get(line_start..line_end)?;
    let code = match code
        .char_indices()
        .find(|(at, c)| at + c.len_utf8() > CODE_BYTES_MAX)
    {
        Some((end, _)) => code.get(..end)?,
        None => code,
    };
    let offset = |byte: usize| byte.saturating_sub(line_start).min(code.len());
    Some(json!({
        "context": context(text, start),
        "code": code,
        "start_line": start.line + 1,
        "highlight_start_offset": offset(start.start),
        "highlight_end_offset": offset(end.start.max(start.start)),
        "values": [],
    }))
}

/// The header of the outermost block around a place: the nearest line above it, or its own, that
/// begins without indent and opens a brace.
fn context(text: &str, place: Place) -> Option<String> {
    let upto = text.get(..place.line_end)?;
    let header = upto
        .rsplit('\n')
        .find(|line| line.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '}'))?;
    let (before, _) = header.split_once('{')?;
    (!before.contains('=')).then(|| before.trim_end().to_owned())
}
