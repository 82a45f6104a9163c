//! Ownership marks, where a kind holds them as a word of text.

use std::fmt::Write as _;

use remit_sdk::Mark;

/// A mark as one word: `remit:LINEAGE:ADDRESS`, with `%` and everything that would end the word
/// percent-encoded.
pub fn mark_text(mark: &Mark) -> String {
    format!(
        "remit:{}:{}",
        encode_word(&mark.lineage),
        encode_word(&mark.address)
    )
}

/// Reads what [`mark_text`] wrote.
pub fn parse_mark(word: &str) -> Option<Mark> {
    let (lineage, address) = word.strip_prefix("remit:")?.split_once(':')?;
    (!lineage.is_empty() && !address.is_empty()).then_some(())?;
    Some(Mark {
        lineage: decode_word(lineage)?,
        address: decode_word(address)?,
    })
}

/// A description with the mark as its last word.
pub fn mark_description(description: &str, mark: &Mark) -> String {
    let mark = mark_text(mark);
    if description.is_empty() {
        mark
    } else {
        format!("{description} {mark}")
    }
}

/// A description without its mark, and the mark.
pub fn split_description(description: &str) -> (String, Option<Mark>) {
    let (text, word) = description.rsplit_once(' ').unwrap_or(("", description));
    match parse_mark(word) {
        Some(mark) => (text.to_owned(), Some(mark)),
        None => (description.to_owned(), None),
    }
}

fn encode_word(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c == '%' || c.is_whitespace() || remit_sdk::text::is_unsafe(c) || c == ':' {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                let _ = write!(out, "%{byte:02x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn decode_word(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
