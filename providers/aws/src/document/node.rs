//! JSON before it means anything: read strictly, and written in one layout.
//!
//! In comes text; out goes a tree, or where and why there is none. Length and depth are measured
//! before the parser sees the text, since it recurses. A key that stands twice in one object is an
//! error at any depth: parsers differ in which of the two counts, so a person and AWS could read
//! two policies in one text. `null` has no place in a policy.
//!
//! Out goes the pretty text that people and comparisons see, and the compact one that is sent;
//! both keep the order the tree has.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use remit_sdk::text::safe;
use serde::Deserialize;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};

use super::{DEPTH_MAX, DOCUMENT_BYTES_MAX};

/// Beyond this, a number of JSON may not survive being read: it is the last whole number up to
/// which every one has its own 64-bit float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A piece of JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// Text in quotes.
    Text(String),
    /// A number or a bool, as its text.
    Plain(String),
    /// In order.
    List(Vec<Self>),
    /// In order; no key stands twice.
    Object(Vec<(String, Self)>),
}

impl Node {
    /// Reads a document.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(format!(
                "it has {} bytes; {DOCUMENT_BYTES_MAX} are read, which is more than AWS keeps",
                text.len()
            ));
        }
        check_depth(text)?;
        serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => safe(&error.to_string()),
            _ => format!("it is no JSON: {}", safe(&error.to_string())),
        })
    }

    /// What it is, for messages.
    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Plain(_) => "a number or a bool",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// On one line, without white space between its pieces.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = self.write(&mut out, None);
        out
    }

    /// Over many lines, indented by two.
    pub(super) fn pretty(&self) -> String {
        let mut out = String::new();
        let _ = self.write(&mut out, Some(0));
        out
    }

    /// `indent` is how deep this is, or nothing for the compact form.
    fn write(&self, out: &mut String, indent: Option<usize>) -> fmt::Result {
        match self {
            Self::Text(text) => quote(out, text),
            Self::Plain(text) => out.write_str(text),
            Self::List(all) => {
                out.push('[');
                for (index, node) in all.iter().enumerate() {
                    separate(out, index, indent);
                    node.write(out, indent.map(|deep| deep + 1))?;
                }
                close(out, ']', all.is_empty(), indent);
                Ok(())
            }
            Self::Object(all) => {
                out.push('{');
                for (index, (key, node)) in all.iter().enumerate() {
                    separate(out, index, indent);
                    quote(out, key)?;
                    out.push_str(if indent.is_some() { ": " } else { ":" });
                    node.write(out, indent.map(|deep| deep + 1))?;
                }
                close(out, '}', all.is_empty(), indent);
                Ok(())
            }
        }
    }
}

fn separate(out: &mut String, index: usize, indent: Option<usize>) {
    if index > 0 {
        out.push(',');
    }
    if let Some(deep) = indent {
        new_line(out, deep + 1);
    }
}

fn close(out: &mut String, bracket: char, empty: bool, indent: Option<usize>) {
    if let (Some(deep), false) = (indent, empty) {
        new_line(out, deep);
    }
    out.push(bracket);
}

fn new_line(out: &mut String, deep: usize) {
    out.push('\n');
    for _ in 0..deep {
        out.push_str("  ");
    }
}

/// Text in quotes, with the escapes that JSON demands and no others.
fn quote(out: &mut String, text: &str) -> fmt::Result {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if u32::from(c) < 0x20 => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}

/// Refuses JSON that nests too deep, without recursion.
fn check_depth(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(format!(
                "brackets nest deeper than {DEPTH_MAX}; a policy needs six"
            ));
        }
    }
    Ok(())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a bool, a list or an object")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        if value.abs() < EXACT_MAX {
            Ok(Node::Plain(format!("{value:?}")))
        } else {
            Err(E::custom(
                "a number is too large to be read exactly; write it in quotes",
            ))
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = all.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Node, A::Error> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some(key) = all.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!(
                    "the key `{}` stands twice in one object, and only one of the two would count; merge them",
                    safe(&key)
                )));
            }
            entries.push((key, all.next_value()?));
        }
        Ok(Node::Object(entries))
    }
}
