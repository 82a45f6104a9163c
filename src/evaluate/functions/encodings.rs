//! Encodings and hashes. Text is hashed and encoded as UTF-8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use remit_sdk::Value;
use sha2::{Digest, Sha256, Sha512};

use super::arguments::Arguments;
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("base64decode", "base64decode(text)", 1, base64_decode),
    fixed("base64encode", "base64encode(text)", 1, |a| {
        Ok(Value::String(base64(a.text(0)?.as_bytes())))
    }),
    fixed("base64sha256", "base64sha256(text)", 1, |a| {
        Ok(Value::String(base64(&Sha256::digest(
            a.text(0)?.as_bytes(),
        ))))
    }),
    fixed("base64sha512", "base64sha512(text)", 1, |a| {
        Ok(Value::String(base64(&Sha512::digest(
            a.text(0)?.as_bytes(),
        ))))
    }),
    fixed("sha256", "sha256(text)", 1, |a| {
        Ok(Value::String(sha256(a.text(0)?.as_bytes())))
    }),
    fixed("sha512", "sha512(text)", 1, |a| {
        Ok(Value::String(sha512(a.text(0)?.as_bytes())))
    }),
    fixed("urlencode", "urlencode(text)", 1, url_encode),
];

/// Base64 with padding (RFC 4648, section 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub(super) fn sha512(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}

fn base64_decode(a: &Arguments<'_>) -> Outcome {
    let bytes = BASE64
        .decode(a.text(0)?.as_bytes())
        .map_err(|error| FunctionError::at(0, format!("this is no base64: {error}")))?;
    String::from_utf8(bytes).map(Value::String).map_err(|_| {
        FunctionError::at(0, "what is encoded here is no UTF-8 text")
            .help("leave it encoded; the language has no bytes")
    })
}

/// For the query of a URL: a space becomes `+`.
fn url_encode(a: &Arguments<'_>) -> Outcome {
    let text = a.text(0)?;
    let mut room = Room::new();
    let mut out = String::new();
    for byte in text.bytes() {
        room.take(3)?;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            byte => {
                out.push('%');
                out.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    Ok(Value::String(out))
}
