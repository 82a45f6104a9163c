//! Tags, and the ownership mark, which is two of them.
//!
//! In come tags as somebody wrote them, or as AWS tells them; out goes what is wrong with them, or
//! the tags without the mark and the mark. AWS takes letters, digits, spaces and `_.:/=+-@` in a
//! tag, and an address holds quotes and brackets, so what isn't taken is written as `=` and two
//! hex digits for each byte, `=` itself too: every address reads back, and none reads as another.
//! A mark that can't be read back is no mark: the object then counts as somebody else's.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use remit_sdk::text::safe;
use remit_sdk::{Kind, Mark, Value};

/// The tag that holds the lineage.
pub const MARK_LINEAGE: &str = "remit:lineage";
/// The tag that holds the address.
pub const MARK_ADDRESS: &str = "remit:address";

/// How many tags AWS keeps on one object.
const TAGS_MAX: usize = 50;
/// Those that the mark takes.
const MARK_TAGS: usize = 2;
/// Characters of a tag's key.
const TAG_KEY_CHARACTERS_MAX: usize = 128;
/// Characters of a tag's value.
pub(crate) const TAG_VALUE_CHARACTERS_MAX: usize = 256;

/// The tags that hold a mark: the lineage, then the address.
pub fn mark_tags(mark: &Mark) -> [(String, String); 2] {
    [
        (MARK_LINEAGE.to_owned(), encode(&mark.lineage)),
        (MARK_ADDRESS.to_owned(), encode(&mark.address)),
    ]
}

/// Tags without the mark's, and the mark, if both its tags are there and can be read.
pub fn split_tags(mut tags: BTreeMap<String, String>) -> (BTreeMap<String, String>, Option<Mark>) {
    let lineage = tags.remove(MARK_LINEAGE);
    let address = tags.remove(MARK_ADDRESS);
    let mark = lineage.zip(address).and_then(|(lineage, address)| {
        Some(Mark {
            lineage: decode(&lineage).filter(|text| !text.is_empty())?,
            address: decode(&address).filter(|text| !text.is_empty())?,
        })
    });
    (tags, mark)
}

/// A text as a tag's value.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        // Spaces are written out too: at the ends of a value they are easily lost.
        if byte.is_ascii_alphanumeric() || b"_.:/+-@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "={byte:02x}");
        }
    }
    out
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let hex = [rest.next()?, rest.next()?];
            // `from_str_radix` takes a sign, which no digit pair has.
            hex.iter().all(u8::is_ascii_hexdigit).then_some(())?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether AWS takes this character in a tag.
pub(super) fn is_tag_character(c: char) -> bool {
    c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c)
}

/// Whether AWS takes these tags; the message says which one it doesn't, and why.
pub(super) fn check(kind: &Kind, all: &BTreeMap<String, Value>) -> Result<(), String> {
    if all.len() + MARK_TAGS > TAGS_MAX {
        return Err(format!(
            "`tags` has {} tags; AWS keeps {TAGS_MAX}, and remit needs {MARK_TAGS} of them for its mark",
            all.len()
        ));
    }
    let mut folded: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in all {
        check_key(key)?;
        if let Some(text) = value.as_str() {
            check_value(key, text)?;
        }
        // Names of IAM's tags are one name in any case; Secrets Manager takes them to the letter.
        if kind.name.starts_with("aws_iam_")
            && let Some(before) = folded.insert(key.to_lowercase(), key)
        {
            return Err(format!(
                "`{}` and `{}` are one tag to IAM, which takes no account of case; leave one out",
                safe(before),
                safe(key)
            ));
        }
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), String> {
    let shown = safe(key);
    let lower = key.to_lowercase();
    if lower.starts_with("aws:") {
        return Err(format!(
            "the tag `{shown}` can't be set: keys that begin with `aws:` are AWS's own"
        ));
    }
    if lower.starts_with("remit:") {
        return Err(format!(
            "the tag `{shown}` can't be set: keys that begin with `remit:` are remit's own"
        ));
    }
    let length = key.chars().count();
    if !(1..=TAG_KEY_CHARACTERS_MAX).contains(&length) {
        return Err(format!(
            "the tag `{shown}`: a key has 1 to {TAG_KEY_CHARACTERS_MAX} characters, and this one has {length}"
        ));
    }
    check_characters(key, &shown)
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    let shown = safe(key);
    let length = value.chars().count();
    if length > TAG_VALUE_CHARACTERS_MAX {
        return Err(format!(
            "the tag `{shown}`: a value has at most {TAG_VALUE_CHARACTERS_MAX} characters, and this one has {length}"
        ));
    }
    check_characters(value, &shown)
}

fn check_characters(text: &str, tag: &str) -> Result<(), String> {
    match text.chars().find(|c| !is_tag_character(*c)) {
        Some(c) => Err(format!(
            "the tag `{tag}` holds `{}`; AWS takes letters, digits, spaces and `_.:/=+-@`",
            safe(&c.to_string())
        )),
        None => Ok(()),
    }
}
