//! Whether two texts mean the same, and what IAM's answers hold.
//!
//! In comes what a configuration wants and what AWS has; out goes whether they are one document.
//! What can't be read is equal only to the same text. Meaning is not weighed: `s3:*` beside
//! `s3:Get*` is another document than `s3:*` alone, though it allows as much, because somebody
//! changed it.

use remit_sdk::Value;

use super::{Document, Use, parse, read};

/// Whether two documents mean the same, whichever use they are for. A bare account id is the root
/// ARN of the partition that either document's principals are of.
pub fn same(wanted: &Value, live: &Value) -> bool {
    if wanted == live {
        return true;
    }
    let (Value::String(wanted), Value::String(live)) = (wanted, live) else {
        return false;
    };
    let (Some(mut wanted), Some(mut live)) = (meaning(wanted), meaning(live)) else {
        return false;
    };
    resolve_both(&mut wanted, &mut live);
    wanted == live
}

/// Writes bare account ids as root ARNs, with the help of the other document where one's own
/// principals don't say which partition it is.
pub(super) fn resolve_both(one: &mut Document, other: &mut Document) {
    let of_one = one.partition();
    let of_other = other.partition();
    one.resolve(of_one.as_deref().or(of_other.as_deref()).unwrap_or("aws"));
    other.resolve(of_other.as_deref().or(of_one.as_deref()).unwrap_or("aws"));
}

/// A text's document, from a configuration or from IAM, whatever its use; account ids bare.
pub(crate) fn meaning(text: &str) -> Option<Document> {
    decode(text).and_then(|text| read::document(&text).ok())
}

/// The canonical text of what AWS holds where there is one, else its text as it stands: it may
/// hold anything.
pub fn live(text: &str, usage: Use) -> String {
    let text = decode(text).unwrap_or_else(|| text.to_owned());
    match parse(&text, usage) {
        Ok(document) => document.to_string(),
        Err(_) => text,
    }
}

/// The text of a document as IAM returns it, which is URL-encoded; one that isn't encoded comes
/// back as it is. `None` where an escape is malformed or the bytes are no UTF-8.
///
/// JSON's first bracket would be encoded, so a text that begins with it is not. A `+` is a space:
/// AWS's own advice is to decode with `java.net.URLDecoder`, and no encoder leaves a plus sign as
/// it is.
pub fn decode(text: &str) -> Option<String> {
    if text.trim_start().starts_with(['{', '[', '"']) {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = hex_digit(rest.next()?)?;
                let low = hex_digit(rest.next()?)?;
                high << 4 | low
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
