//! A Vault policy: parsed from HCL or JSON to a typed document, checked, and printed in one
//! canonical form, so that two texts are equal exactly when they mean the same.
//!
//! In comes text, from a configuration or from a server; out goes a [`Document`] or the reason
//! why there is none. Nothing here recurses deeper than [`DEPTH_MAX`]: HCL parsers recurse, so a
//! scan refuses deep or long text, and every construct that a policy has no use for, before the
//! parser sees it.
//!
//! The server parses policies with HCL 1. The canonical form keeps to what HCL 1 and HCL 2 read
//! alike. Keys and capabilities: API page `concepts/policies` of OpenBao and Vault; which the
//! server accepts was tried on OpenBao 2.7.2. A duplicate `path` is accepted by the server, which
//! makes the meaning hard to see, and is refused here.

mod node;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remit_sdk::declaration::VaultGrant;
use remit_sdk::text::safe;
use remit_sdk::{Mark, Number, Value, shape};

use crate::normal;
use node::Node;

/// How deep brackets may nest: a policy needs seven in its JSON form.
pub const DEPTH_MAX: usize = 16;

/// How long a policy may be: half of what one entry of raft storage holds (1 MiB).
pub const POLICY_BYTES_MAX: usize = 512 * 1024;

/// What may be done on a path. `scan` is OpenBao's; `subscribe` and `recover` are Vault's.
pub const CAPABILITIES: &[&str] = &[
    "create",
    "read",
    "update",
    "patch",
    "delete",
    "list",
    "scan",
    "sudo",
    "deny",
    "subscribe",
    "recover",
];

/// Capabilities that one product alone knows, and which.
#[cfg(feature = "live")]
pub(crate) const OPENBAO_ONLY: (&str, &[&str]) = ("OpenBao", &["scan"]);
/// Capabilities that one product alone knows, and which.
#[cfg(feature = "live")]
pub(crate) const VAULT_ONLY: (&str, &[&str]) = ("Vault", &["subscribe", "recover"]);

/// Keys of a path block, beside those that are refused with a reason of their own.
const KEYS: &[&str] = &[
    "capabilities",
    "comment",
    "allowed_parameters",
    "denied_parameters",
    "required_parameters",
    "min_wrapping_ttl",
    "max_wrapping_ttl",
    "mfa_methods",
    "pagination_limit",
    "list_scan_response_keys_filter_path",
    "expiration",
    "subscribe_event_types",
];

/// A policy's meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// What may be done, by path.
    pub paths: BTreeMap<String, Rule>,
}

/// What may be done on one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// `read`, `list`, …; none is no access, which another policy may still give.
    pub capabilities: BTreeSet<String>,
    /// Parameters that may be given, with their allowed values; names in lower case, as the
    /// server compares them. Empty is any.
    pub allowed_parameters: BTreeMap<String, BTreeSet<Value>>,
    /// Parameters that may not be given, with their refused values.
    pub denied_parameters: BTreeMap<String, BTreeSet<Value>>,
    /// Parameters that must be given.
    pub required_parameters: BTreeSet<String>,
    /// The shortest TTL of a response-wrapping token, in seconds; 0 is any.
    pub min_wrapping_ttl: i64,
    /// The longest one; 0 is any.
    pub max_wrapping_ttl: i64,
    /// Multi-factor methods that must be passed.
    pub mfa_methods: BTreeSet<String>,
    /// The largest page of a LIST (OpenBao).
    pub pagination_limit: Option<i64>,
    /// A template that a LIST's keys must be readable under (OpenBao).
    pub list_scan_response_keys_filter_path: Option<String>,
    /// When the path stops counting, RFC 3339 (OpenBao).
    pub expiration: Option<String>,
    /// Events that may be subscribed to (Vault).
    pub subscribe_event_types: BTreeSet<String>,
}

impl Document {
    /// Whether this only takes away from `before`: the same paths, each with some of the
    /// capabilities it had and everything else as it was.
    ///
    /// A path that goes is no proof: the server goes by the most specific path, so a wider one,
    /// of this policy or another, may then give more.
    pub fn narrows(&self, before: &Self) -> bool {
        self.paths.len() == before.paths.len()
            && self.paths.iter().all(|(path, after)| {
                before.paths.get(path).is_some_and(|before| {
                    let denies = |rule: &Rule| rule.capabilities.contains("deny");
                    let rest = Rule {
                        capabilities: before.capabilities.clone(),
                        ..after.clone()
                    };
                    !after.capabilities.is_empty()
                        && after.capabilities.is_subset(&before.capabilities)
                        && denies(after) == denies(before)
                        && rest == *before
                })
            })
    }
}

/// Parses a policy in HCL, or in JSON where its first character is `{`.
pub fn parse(text: &str) -> Result<Document, String> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, and a policy may have {POLICY_BYTES_MAX}",
            text.len()
        ));
    }
    let root = if text.trim_start().starts_with('{') {
        Node::from_json(text)?
    } else {
        Node::from_hcl(text)?
    };
    let document = document(&root)?;
    if document.paths.is_empty() {
        return Err("it has no `path` block".into());
    }
    Ok(document)
}

/// The canonical text of a policy, if it can be parsed.
pub fn canonical(text: &str) -> Result<String, String> {
    parse(text).map(|document| document.to_string())
}

/// The canonical text where there is one, else the text as it stands: for what a server holds,
/// which may be anything. Without its mark.
pub fn live(text: &str) -> (String, Option<Mark>) {
    let (text, mark) = split_mark(text);
    (canonical(text).unwrap_or_else(|_| text.to_owned()), mark)
}

/// The text to send: the mark in a comment, then the policy.
pub fn with_mark(canonical: &str, mark: &Mark) -> String {
    format!("# {}\n{canonical}", normal::mark_text(mark))
}

/// The mark in the first line, and what follows it.
fn split_mark(text: &str) -> (&str, Option<Mark>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mark = first
        .strip_prefix("# ")
        .and_then(|word| normal::parse_mark(word.trim_end()));
    match mark {
        Some(mark) => (rest, Some(mark)),
        None => (text, None),
    }
}

impl Document {
    /// The rule for `path`, made where there is none.
    pub fn rule(&mut self, path: &str) -> &mut Rule {
        self.paths.entry(path.to_owned()).or_default()
    }
}

impl Rule {
    /// What a grant's block says, with the capabilities and parameters as they stand.
    pub fn from_grant(grant: &VaultGrant) -> Result<Self, String> {
        for capability in &grant.capabilities.value {
            check_capability(capability)?;
        }
        Ok(Self {
            capabilities: grant.capabilities.value.clone(),
            allowed_parameters: grant_parameters(&grant.allowed_parameters)?,
            denied_parameters: grant_parameters(&grant.denied_parameters)?,
            required_parameters: grant
                .required_parameters
                .iter()
                .map(|name| check_text(name).map(|()| name.to_lowercase()))
                .collect::<Result<_, _>>()?,
            ..Self::default()
        })
    }

    /// These capabilities and nothing else.
    pub fn capabilities(all: &[&str]) -> Self {
        Self {
            capabilities: all.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }
}

fn grant_parameters(
    all: &BTreeMap<String, Vec<Value>>,
) -> Result<BTreeMap<String, BTreeSet<Value>>, String> {
    let mut found = BTreeMap::new();
    for (name, values) in all {
        check_text(name)?;
        for value in values {
            parameter_value(value)?;
        }
        if found
            .insert(name.to_lowercase(), values.iter().cloned().collect())
            .is_some()
        {
            return Err(twice(name));
        }
    }
    Ok(found)
}

fn parameter_value(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) => check_text(text),
        Value::Bool(_) | Value::Number(_) => Ok(()),
        other => Err(format!(
            "the value of a parameter is text, a number or a bool, not {}",
            other.type_name()
        )),
    }
}

fn check_capability(name: &str) -> Result<(), String> {
    if CAPABILITIES.contains(&name) {
        return Ok(());
    }
    let nearest = shape::nearest(&name.to_lowercase(), CAPABILITIES.iter().copied());
    Err(match nearest {
        Some(nearest) => format!(
            "`{}` is no capability; did you mean `{nearest}`?",
            safe(name)
        ),
        None => format!(
            "`{}` is no capability; there are {}",
            safe(name),
            CAPABILITIES.join(", ")
        ),
    })
}

/// Text that HCL 1 and HCL 2 read alike.
fn check_text(text: &str) -> Result<(), String> {
    if text.contains("${") || text.contains("%{") {
        return Err(format!(
            "`{}` holds a template of the configuration language, which a policy can't",
            safe(text)
        ));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(_) => Err(format!("`{}` holds a control character", safe(text))),
        None => Ok(()),
    }
}

/// What is wrong with a path of a policy or a grant, and what to write instead.
pub fn check_path(path: &str) -> Result<(), String> {
    check_text(path)?;
    if path.is_empty() {
        return Err("the path is empty".into());
    }
    if let Some(rest) = path.strip_prefix('/') {
        return Err(format!(
            "the path `{}` begins with `/`; write `{}`",
            safe(path),
            safe(rest)
        ));
    }
    if path.split('/').any(|segment| segment == "..") {
        return Err(format!(
            "the path `{}` has a segment `..`, which no request ever has",
            safe(path)
        ));
    }
    let body = path.strip_suffix('*').unwrap_or(path);
    if body.contains('*') {
        return Err(format!(
            "the path `{}` has a `*` before its end, where it stands for itself; a whole segment is matched by `+`",
            safe(path)
        ));
    }
    if body
        .split('/')
        .any(|segment| segment.contains('+') && segment != "+")
    {
        return Err(format!(
            "the path `{}` has a `+` inside a segment, where it stands for itself; `+` alone matches a whole segment",
            safe(path)
        ));
    }
    Ok(())
}

fn twice(name: &str) -> String {
    format!("`{}` stands there twice", safe(name))
}

// ---- from nodes to meaning

fn document(root: &Node) -> Result<Document, String> {
    let mut document = Document::default();
    for (key, value) in root.entries("the policy")? {
        match key.as_str() {
            "path" => {
                for (path, rule_node) in value.nested("`path`")? {
                    check_path(path)?;
                    let rule =
                        rule(rule_node).map_err(|why| format!("path `{}`: {why}", safe(path)))?;
                    if document.paths.insert(path.clone(), rule).is_some() {
                        return Err(format!(
                            "the path `{}` has two blocks; write one with the capabilities of both",
                            safe(path)
                        ));
                    }
                }
            }
            "name" => {
                return Err("`name` inside the policy counts for nothing; leave it out".into());
            }
            other => return Err(unknown(other, &["path"])),
        }
    }
    Ok(document)
}

fn unknown(key: &str, known: &[&'static str]) -> String {
    match shape::nearest(key, known.iter().copied()) {
        Some(nearest) => format!("unknown key `{}`; did you mean `{nearest}`?", safe(key)),
        None => format!(
            "unknown key `{}`; there are {}",
            safe(key),
            known.join(", ")
        ),
    }
}

fn rule(node: &Node) -> Result<Rule, String> {
    let mut rule = Rule::default();
    let mut seen = BTreeSet::new();
    for (key, value) in node.entries("a path")? {
        if !seen.insert(key.as_str()) {
            return Err(twice(key));
        }
        match key.as_str() {
            "capabilities" => {
                rule.capabilities = value.texts(key)?;
                for capability in &rule.capabilities {
                    check_capability(capability)?;
                }
            }
            "comment" => {
                value.text(key)?;
            }
            "allowed_parameters" => rule.allowed_parameters = parameters(value, key)?,
            "denied_parameters" => rule.denied_parameters = parameters(value, key)?,
            "required_parameters" => {
                rule.required_parameters = value
                    .texts(key)?
                    .into_iter()
                    .map(|name| name.to_lowercase())
                    .collect();
            }
            "min_wrapping_ttl" => rule.min_wrapping_ttl = duration(value, key)?,
            "max_wrapping_ttl" => rule.max_wrapping_ttl = duration(value, key)?,
            "mfa_methods" => rule.mfa_methods = value.texts(key)?,
            "pagination_limit" => rule.pagination_limit = Some(value.integer(key)?),
            "list_scan_response_keys_filter_path" => {
                rule.list_scan_response_keys_filter_path = Some(value.text(key)?);
            }
            "expiration" => rule.expiration = Some(value.text(key)?),
            "subscribe_event_types" => rule.subscribe_event_types = value.texts(key)?,
            "policy" => return Err("`policy` is the old short form; write `capabilities`".into()),
            "control_group" => return Err("`control_group` is not supported".into()),
            other => return Err(unknown(other, KEYS)),
        }
    }
    if rule.max_wrapping_ttl != 0 && rule.max_wrapping_ttl < rule.min_wrapping_ttl {
        return Err("`max_wrapping_ttl` is less than `min_wrapping_ttl`".into());
    }
    Ok(rule)
}

fn duration(node: &Node, key: &str) -> Result<i64, String> {
    let seconds = match node {
        Node::Scalar(value) => shape::seconds(value),
        _ => Err("it is no duration".into()),
    };
    seconds.map_err(|why| format!("`{key}`: {why}"))
}

fn parameters(node: &Node, key: &str) -> Result<BTreeMap<String, BTreeSet<Value>>, String> {
    let mut found = BTreeMap::new();
    for (name, values) in node.nested(&format!("`{key}`"))? {
        check_text(name)?;
        let Node::List(values) = values else {
            return Err(format!("`{key}`: `{}` must be a list", safe(name)));
        };
        let mut set = BTreeSet::new();
        for value in values {
            let Node::Scalar(value) = value else {
                return Err(format!(
                    "`{key}`: `{}` must be a list of plain values",
                    safe(name)
                ));
            };
            parameter_value(value)?;
            set.insert(value.clone());
        }
        if found.insert(name.to_lowercase(), set).is_some() {
            return Err(twice(name));
        }
    }
    Ok(found)
}

// ---- from meaning to text

impl std::fmt::Display for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (path, rule)) in self.paths.iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            writeln!(f, "path {} {{", quote(path))?;
            f.write_str(&rule.lines())?;
            f.write_str("}\n")?;
        }
        Ok(())
    }
}

impl Rule {
    fn lines(&self) -> String {
        let mut out = String::new();
        let mut line = |key: &str, value: String| {
            let _ = writeln!(out, "  {key} = {value}");
        };
        line("capabilities", texts(&self.capabilities));
        for (key, all) in [
            ("allowed_parameters", &self.allowed_parameters),
            ("denied_parameters", &self.denied_parameters),
        ] {
            if !all.is_empty() {
                line(key, parameter_map(all));
            }
        }
        for (key, all) in [
            ("required_parameters", &self.required_parameters),
            ("mfa_methods", &self.mfa_methods),
            ("subscribe_event_types", &self.subscribe_event_types),
        ] {
            if !all.is_empty() {
                line(key, texts(all));
            }
        }
        for (key, seconds) in [
            ("min_wrapping_ttl", self.min_wrapping_ttl),
            ("max_wrapping_ttl", self.max_wrapping_ttl),
        ] {
            if seconds != 0 {
                line(key, format!("\"{seconds}s\""));
            }
        }
        if let Some(limit) = self.pagination_limit {
            line("pagination_limit", limit.to_string());
        }
        for (key, text) in [
            (
                "list_scan_response_keys_filter_path",
                &self.list_scan_response_keys_filter_path,
            ),
            ("expiration", &self.expiration),
        ] {
            if let Some(text) = text {
                line(key, quote(text));
            }
        }
        out
    }
}

fn texts(all: &BTreeSet<String>) -> String {
    let all: Vec<_> = all.iter().map(|text| quote(text)).collect();
    format!("[{}]", all.join(", "))
}

fn parameter_map(all: &BTreeMap<String, BTreeSet<Value>>) -> String {
    let mut out = String::from("{\n");
    for (name, values) in all {
        let values: Vec<_> = values
            .iter()
            .map(|value| match value {
                Value::Number(Number::Float(n)) => format!("{n:?}"),
                Value::String(text) => quote(text),
                other => other.to_text().unwrap_or_default(),
            })
            .collect();
        let _ = writeln!(out, "    {} = [{}]", quote(name), values.join(", "));
    }
    out.push_str("  }");
    out
}

/// A string as HCL 1 and HCL 2 both read it: only the backslash and the quote need escaping,
/// since [`check_text`] lets no control character through.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
