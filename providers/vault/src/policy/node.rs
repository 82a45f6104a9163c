//! What a policy's text holds, before it means anything: one tree for HCL and JSON, in which a
//! key that stands twice is still there twice.

use std::collections::BTreeSet;

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};
use remit_sdk::text::safe;
use remit_sdk::{Number, Value};
use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::{DEPTH_MAX, check_text};

/// A piece of a policy's text.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    /// Text, a number or a bool.
    Scalar(Value),
    /// In order.
    List(Vec<Node>),
    /// By name, repetitions kept.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Parses JSON.
    pub(super) fn from_json(text: &str) -> Result<Self, String> {
        scan_json(text)?;
        serde_json::from_str(text).map_err(|error| {
            format!(
                "it is no JSON: line {}, column {}",
                error.line(),
                error.column()
            )
        })
    }

    /// Parses HCL.
    pub(super) fn from_hcl(text: &str) -> Result<Self, String> {
        scan_hcl(text)?;
        let body: Body = text.parse().map_err(|error: hcl_edit::parser::Error| {
            let at = error.location();
            format!(
                "it isn't in a form of HCL that remit reads (write one attribute a line): line {}, column {}: {}",
                at.line(),
                at.column(),
                safe(error.message())
            )
        })?;
        from_body(&body)
    }

    /// The entries of an object; JSON may also give them as a list of objects.
    pub(super) fn entries(&self, what: &str) -> Result<Vec<&(String, Self)>, String> {
        match self {
            Self::Object(entries) => Ok(entries.iter().collect()),
            Self::List(all) => {
                let mut entries = Vec::new();
                for node in all {
                    match node {
                        Self::Object(inner) => entries.extend(inner),
                        _ => return Err(format!("{what} must be a block or an object")),
                    }
                }
                Ok(entries)
            }
            Self::Scalar(_) => Err(format!("{what} must be a block or an object")),
        }
    }

    /// The same, by the name a block is labelled with.
    pub(super) fn nested(&self, what: &str) -> Result<Vec<&(String, Self)>, String> {
        self.entries(what)
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<String, String> {
        match self {
            Self::Scalar(Value::String(text)) => {
                check_text(text)?;
                Ok(text.clone())
            }
            _ => Err(format!("`{key}` must be text")),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Result<BTreeSet<String>, String> {
        match self {
            Self::List(all) => all.iter().map(|node| node.text(key)).collect(),
            _ => Err(format!("`{key}` must be a list of texts")),
        }
    }

    /// A whole number.
    pub(super) fn integer(&self, key: &str) -> Result<i64, String> {
        match self {
            Self::Scalar(value) => value.as_i64(),
            _ => None,
        }
        .ok_or_else(|| format!("`{key}` must be a whole number"))
    }
}

fn from_body(body: &Body) -> Result<Node, String> {
    let mut entries = Vec::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                entries.push((
                    attribute.key.to_string().trim().to_owned(),
                    from_expression(&attribute.value)?,
                ));
            }
            Structure::Block(block) => {
                let inner = from_body(&block.body)?;
                let node = match block.labels.as_slice() {
                    [] => inner,
                    [label] => Node::Object(vec![(label.as_str().to_owned(), inner)]),
                    _ => return Err("a block has more than one label".into()),
                };
                entries.push((block.ident.as_str().to_owned(), node));
            }
        }
    }
    Ok(Node::Object(entries))
}

fn from_expression(expression: &Expression) -> Result<Node, String> {
    Ok(match expression {
        Expression::Bool(b) => Node::Scalar(Value::Bool(*b.value())),
        Expression::Number(n) => {
            let n = n.value();
            let number = match n.as_i64() {
                Some(n) => Some(Number::Integer(n)),
                None => n.as_f64().and_then(Number::from_f64),
            };
            Node::Scalar(Value::Number(number.ok_or("a number is out of range")?))
        }
        Expression::String(text) => Node::Scalar(Value::string(text.as_str())),
        Expression::Array(all) => {
            Node::List(all.iter().map(from_expression).collect::<Result<_, _>>()?)
        }
        Expression::Object(object) => {
            let mut entries = Vec::new();
            for (key, value) in object {
                let key = match key {
                    ObjectKey::Ident(ident) => ident.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(text)) => text.as_str().to_owned(),
                    ObjectKey::Expression(_) => return Err("a key is no plain text".into()),
                };
                entries.push((key, from_expression(value.expr())?));
            }
            Node::Object(entries)
        }
        _ => {
            return Err(
                "a policy holds only plain values: texts, numbers, bools, lists, objects".into(),
            );
        }
    })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Builder;
        impl<'de> Visitor<'de> for Builder {
            type Value = Node;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a policy")
            }
            fn visit_bool<E>(self, b: bool) -> Result<Node, E> {
                Ok(Node::Scalar(Value::Bool(b)))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
                Ok(Node::Scalar(Value::integer(n)))
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Node, E> {
                i64::try_from(n)
                    .map(|n| Node::Scalar(Value::integer(n)))
                    .map_err(|_| E::custom("a number out of range"))
            }
            fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<Node, E> {
                Number::from_f64(n)
                    .map(|n| Node::Scalar(Value::Number(n)))
                    .ok_or_else(|| E::custom("a number out of range"))
            }
            fn visit_str<E>(self, text: &str) -> Result<Node, E> {
                Ok(Node::Scalar(Value::string(text)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Node, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = all.next_element()? {
                    nodes.push(node);
                }
                Ok(Node::List(nodes))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = all.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Object(entries))
            }
        }
        deserializer.deserialize_any(Builder)
    }
}

fn too_deep() -> String {
    format!("brackets nest deeper than {DEPTH_MAX}")
}

/// Refuses JSON that nests too deep, without recursion.
fn scan_json(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => {
                            bytes.next();
                        }
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// Refuses HCL that nests too deep or holds what a policy has no use for (operators, templates,
/// heredocs, calls, parentheses), without recursion: each of them is a way to make a recursive
/// parser recurse.
fn scan_hcl(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut previous = ' ';
    let mut chars = text.chars().peekable();
    let refused = |c: char| {
        format!(
            "`{}` has no place in a policy outside of quotes",
            safe(&c.to_string())
        )
    };
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '"' => scan_string(&mut chars)?,
            '#' => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if next == '/' => while chars.next_if(|c| *c != '\n').is_some() {},
            '/' if next == '*' => {
                chars.next();
                let mut last = ' ';
                loop {
                    match chars.next() {
                        Some('/') if last == '*' => break,
                        Some(c) => last = c,
                        None => return Err("a comment does not end".into()),
                    }
                }
            }
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            '.' if previous.is_ascii_digit() && next.is_ascii_digit() => {}
            '-' if next.is_ascii_alphanumeric() => {}
            '=' | ',' | ':' | '_' => {}
            c if c.is_alphanumeric() || c.is_whitespace() => {}
            c => return Err(refused(c)),
        }
        if depth > DEPTH_MAX {
            return Err(too_deep());
        }
        previous = c;
    }
    Ok(())
}

/// The rest of a quoted string.
fn scan_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<(), String> {
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' => return Ok(()),
            '$' | '%' if chars.peek() == Some(&'{') => {
                return Err("a string holds a template of the configuration language".into());
            }
            '\n' => return Err("a string does not end on its line".into()),
            _ => {}
        }
    }
    Err("a string does not end".into())
}
