//! One line of JSON that proves itself whole, and that says what it follows.
//!
//! In: a JSON object on one line. Out: the same object with `"checksum"` as its last member,
//! the CRC-32 of everything before it. A line names the checksum of the line it follows
//! ([`Position`]), so that no line can be cut out, put in or moved without it being seen. This
//! finds accidents, not forgers: whoever can write the file can compute a CRC.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What stands before the eight digits of a checksum.
const MARKER: &str = ",\"checksum\":\"";
/// What stands after them.
const END: &str = "\"}";
/// Hex digits of a CRC-32.
const DIGITS: usize = 8;

/// A CRC-32, written as eight hex digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Checksum(u32);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = u32::from_str_radix(&text, 16).map_err(de::Error::custom)?;
        let checksum = Self(number);
        if checksum.to_string() == text {
            Ok(checksum)
        } else {
            Err(de::Error::custom("a checksum has eight lower-case digits"))
        }
    }
}

/// How far a state has come: the number of its last entry, and the checksum of the line that
/// holds it. All zero before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// The number of the last entry.
    pub(super) sequence: u64,
    /// The checksum of its line.
    pub(super) checksum: Checksum,
}

/// `value` as one sealed line, without the newline.
pub(super) fn seal(value: &impl Serialize) -> Result<(String, Checksum), serde_json::Error> {
    Ok(seal_text(serde_json::to_string(value)?))
}

/// The same for the text of a JSON object that has a member.
pub(super) fn seal_text(mut line: String) -> (String, Checksum) {
    line.pop();
    let checksum = Checksum(crc32fast::hash(line.as_bytes()));
    (format!("{line}{MARKER}{checksum}{END}"), checksum)
}

/// The JSON of a sealed line and its checksum; `None` where the line isn't what was written.
pub(super) fn unseal(line: &[u8]) -> Option<(String, Checksum)> {
    let at = line.len().checked_sub(MARKER.len() + DIGITS + END.len())?;
    let (body, tail) = line.split_at_checked(at)?;
    let digits = tail
        .strip_prefix(MARKER.as_bytes())?
        .strip_suffix(END.as_bytes())?;
    let checksum = Checksum(crc32fast::hash(body));
    if digits != checksum.to_string().as_bytes() {
        return None;
    }
    let body = std::str::from_utf8(body).ok()?;
    Some((format!("{body}}}"), checksum))
}

/// Whether `bytes` begin with a whole sealed line, whatever follows: a line whose newline was
/// damaged must not be taken for one that was never finished.
pub(super) fn begins_sealed(bytes: &[u8]) -> bool {
    let length = MARKER.len() + DIGITS + END.len();
    let found = bytes.windows(length).enumerate().filter(|(_, window)| {
        window.starts_with(MARKER.as_bytes()) && window.ends_with(END.as_bytes())
    });
    let mut hasher = crc32fast::Hasher::new();
    let mut hashed = 0;
    for (at, window) in found {
        hasher.update(bytes.get(hashed..at).unwrap_or_default());
        hashed = at;
        let checksum = Checksum(hasher.clone().finalize()).to_string();
        if window.get(MARKER.len()..MARKER.len() + DIGITS) == Some(checksum.as_bytes()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_seen() {
        let (line, checksum) = seal(&serde_json::json!({"a": 1, "b": "x"})).unwrap();
        let (json, found) = unseal(line.as_bytes()).unwrap();
        assert_eq!((json.as_str(), found), (r#"{"a":1,"b":"x"}"#, checksum));
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut bytes = line.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                assert!(unseal(&bytes).is_none(), "byte {at}, bit {bit}");
            }
            assert!(unseal(&line.as_bytes()[..at]).is_none());
            assert!(!begins_sealed(&line.as_bytes()[..at]));
        }
        assert!(begins_sealed(format!("{line}x{{").as_bytes()));
    }
}
