//! Where the attributes of each kind stand on the wire: API paths, fields of answers, fields of
//! requests. Pure: answers come in as JSON and go out as [`Object`]s, requests go out as values.
//!
//! A field has its attribute's name unless the kind's [`Wire`] says otherwise, so an ordinary new
//! kind is one entry in [`WIRES`] beside its entry in `schema`.

mod held;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remit_sdk::schema::{Need, Shape};
use remit_sdk::{Attribute, Fingerprint, Kind, Mark, Object, Value, shape};
use serde_json::{Map, Value as Json};

use crate::{normal, policy};

/// How a kind is spoken of on the wire.
#[derive(Debug)]
pub struct Wire {
    /// The kind.
    pub kind: &'static str,
    /// The path below `/v1/`, with the key's attributes in braces.
    pub path: &'static str,
    /// The path of a LIST that gives the names of its objects; under the mount where it has one.
    pub list: Option<&'static str>,
    /// Attributes that stand elsewhere than under their name.
    pub fields: &'static [Field],
    /// Fields of an answer that change by themselves or belong to other kinds: not part of the
    /// fingerprint.
    pub unstable: &'static [&'static str],
}

/// Where an attribute stands.
#[derive(Debug)]
pub struct Field {
    /// The attribute.
    pub attribute: &'static str,
    /// In an answer: names joined by dots.
    pub read: &'static str,
    /// In a request.
    pub write: &'static str,
}

const fn field(attribute: &'static str, read: &'static str, write: &'static str) -> Field {
    Field {
        attribute,
        read,
        write,
    }
}

/// Fields of a mount that stand under `config` in answers and creates, and by themselves in
/// `tune`.
const TUNED: &[Field] = &[
    field(
        "default_lease_ttl",
        "config.default_lease_ttl",
        "config.default_lease_ttl",
    ),
    field(
        "max_lease_ttl",
        "config.max_lease_ttl",
        "config.max_lease_ttl",
    ),
    field(
        "audit_non_hmac_request_keys",
        "config.audit_non_hmac_request_keys",
        "config.audit_non_hmac_request_keys",
    ),
    field(
        "audit_non_hmac_response_keys",
        "config.audit_non_hmac_response_keys",
        "config.audit_non_hmac_response_keys",
    ),
    field(
        "listing_visibility",
        "config.listing_visibility",
        "config.listing_visibility",
    ),
    field(
        "passthrough_request_headers",
        "config.passthrough_request_headers",
        "config.passthrough_request_headers",
    ),
    field(
        "allowed_response_headers",
        "config.allowed_response_headers",
        "config.allowed_response_headers",
    ),
    field("token_type", "config.token_type", "config.token_type"),
    field(
        "force_no_cache",
        "config.force_no_cache",
        "config.force_no_cache",
    ),
    field("user_lockout_config", "config.user_lockout_config", ""),
];

const MOUNT_UNSTABLE: &[&str] = &[
    "running_plugin_version",
    "running_sha256",
    "deprecation_status",
];

const CONNECTION: &[Field] = &[
    field(
        "connection_url",
        "connection_details.connection_url",
        "connection_url",
    ),
    field("username", "connection_details.username", "username"),
    field(
        "max_open_connections",
        "connection_details.max_open_connections",
        "max_open_connections",
    ),
    field(
        "max_idle_connections",
        "connection_details.max_idle_connections",
        "max_idle_connections",
    ),
    field(
        "max_connection_lifetime",
        "connection_details.max_connection_lifetime",
        "max_connection_lifetime",
    ),
    field(
        "username_template",
        "connection_details.username_template",
        "username_template",
    ),
    field(
        "password_authentication",
        "connection_details.password_authentication",
        "password_authentication",
    ),
    field(
        "disable_escaping",
        "connection_details.disable_escaping",
        "disable_escaping",
    ),
    field("tls_ca", "connection_details.tls_ca", "tls_ca"),
    field(
        "tls_certificate",
        "connection_details.tls_certificate",
        "tls_certificate",
    ),
    field(
        "root_rotation_statements",
        "root_credentials_rotate_statements",
        "root_rotation_statements",
    ),
];

/// All kinds, in the order of `schema`.
pub static WIRES: [Wire; 10] = [
    Wire {
        kind: "vault_policy",
        path: "sys/policies/acl/{name}",
        list: Some("sys/policies/acl"),
        fields: &[],
        unstable: &["modified", "version"],
    },
    Wire {
        kind: "vault_auth_mount",
        path: "sys/auth/{path}",
        list: None,
        fields: TUNED,
        unstable: MOUNT_UNSTABLE,
    },
    Wire {
        kind: "vault_secrets_mount",
        path: "sys/mounts/{path}",
        list: None,
        fields: TUNED,
        unstable: MOUNT_UNSTABLE,
    },
    Wire {
        kind: "vault_jwt_config",
        path: "auth/{mount}/config",
        list: None,
        fields: &[],
        unstable: &["status"],
    },
    Wire {
        kind: "vault_jwt_role",
        path: "auth/{mount}/role/{name}",
        list: Some("auth/{mount}/role"),
        fields: &[],
        unstable: &[],
    },
    Wire {
        kind: "vault_approle_role",
        path: "auth/{mount}/role/{name}",
        list: Some("auth/{mount}/role"),
        fields: &[],
        unstable: &[],
    },
    Wire {
        kind: "vault_entity",
        path: "identity/entity/name/{name}",
        list: Some("identity/entity/name"),
        fields: &[],
        unstable: &["aliases", "last_update_time"],
    },
    Wire {
        kind: "vault_entity_alias",
        path: "identity/entity-alias/id",
        list: None,
        fields: &[],
        // LIST doesn't tell the times, the namespace or what was merged; a login changes
        // `metadata`.
        unstable: &[
            "metadata",
            "creation_time",
            "last_update_time",
            "merged_from_canonical_ids",
            "namespace_id",
        ],
    },
    Wire {
        kind: "vault_database_connection",
        path: "{mount}/config/{name}",
        list: Some("{mount}/config"),
        fields: CONNECTION,
        unstable: &[],
    },
    Wire {
        kind: "vault_database_role",
        path: "{mount}/roles/{name}",
        list: Some("{mount}/roles"),
        fields: &[],
        unstable: &[],
    },
];

/// The wire entry of a kind.
pub fn wire(kind: &Kind) -> Option<&'static Wire> {
    let all = WIRES.iter().chain(&held::HELD);
    all.into_iter().find(|wire| wire.kind == kind.name)
}

impl Wire {
    fn field(&self, attribute: &str) -> Option<&'static Field> {
        self.fields
            .iter()
            .find(|field| field.attribute == attribute)
    }

    /// Where an attribute stands in an answer.
    fn read<'a>(&self, attribute: &'a str) -> &'a str {
        self.field(attribute).map_or(attribute, |field| field.read)
    }

    /// Where it stands in a request that makes the object.
    fn write<'a>(&self, attribute: &'a str) -> &'a str {
        self.field(attribute).map_or(attribute, |field| field.write)
    }
}

/// A template's path with the key's attributes in it, each percent-encoded; a mount's path keeps
/// its slashes.
pub fn path(template: &str, key: &BTreeMap<String, Value>) -> Option<String> {
    let mut out = String::new();
    for piece in template.split_inclusive('}') {
        match piece.split_once('{') {
            Some((literal, name)) => {
                out.push_str(literal);
                let name = name.trim_end_matches('}');
                let text = key.get(name)?.as_str()?;
                if name == "mount" || name == "path" {
                    let segments: Vec<_> = text.split('/').map(encode_segment).collect();
                    out.push_str(&segments.join("/"));
                } else {
                    out.push_str(&encode_segment(text));
                }
            }
            None => out.push_str(piece),
        }
    }
    Some(out)
}

/// The path of an object of `kind`.
pub fn object_path(kind: &Kind, key: &str) -> Option<String> {
    path(wire(kind)?.path, &kind.parse_key(key)?)
}

/// A segment of a path, with everything but unreserved characters (RFC 3986, section 2.3)
/// percent-encoded, so that no name ever changes which path is asked.
pub fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    // Dots alone would be taken for a step up.
    if !out.is_empty() && out.bytes().all(|byte| byte == b'.') {
        out = out.replace('.', "%2E");
    }
    out
}

/// The object that an answer's `data` holds.
///
/// A key's attributes are taken from `key`: the server compares some names without regard to
/// case and may write them otherwise. What the answer leaves out has its default.
pub fn decode(kind: &Kind, key: &str, data: &Json) -> Result<Object, String> {
    let wire = wire(kind).ok_or("no such kind on the wire")?;
    let mut attributes = kind.parse_key(key).ok_or("the key has another form")?;
    let mut raw = data.as_object().cloned().ok_or("`data` is no object")?;
    let mark = strip_mark(kind, &mut raw);
    let data = Json::Object(raw);
    let is_told = |one: &Attribute| lookup(&data, wire.read(one.name)).is_some();
    if !kind.attributes.iter().any(is_told) {
        // It would be taken for one with nothing but defaults.
        return Err("the answer holds nothing of it".into());
    }
    for attribute in kind.attributes {
        let skipped = attribute.write_only || attribute.unverifiable.is_some();
        if skipped || attributes.contains_key(attribute.name) {
            continue;
        }
        let found = lookup(&data, wire.read(attribute.name));
        let value = match found {
            None | Some(Json::Null) if attribute.need == Need::Computed => continue,
            None | Some(Json::Null) => attribute.default.value(),
            Some(json) => Some(
                shaped(attribute, json).map_err(|why| format!("`{}`: {why}", attribute.name))?,
            ),
        };
        if let Some(value) = value {
            // A live value that has no normal form is shown as it stands.
            let value = match (attribute.shape, &value) {
                (Shape::Policy, _) => value,
                _ => normal::refine(kind, attribute.name, value.clone()).unwrap_or(value),
            };
            attributes.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(Object {
        kind: kind.name.to_owned(),
        key: key.to_owned(),
        id: id(kind, &data),
        version: data
            .get("version")
            .and_then(Json::as_u64)
            .filter(|_| kind.name == "vault_policy"),
        fingerprint: fingerprint(wire, &data),
        attributes,
        mark,
    })
}

/// The server's id of the object: another id is another object.
fn id(kind: &Kind, data: &Json) -> Option<String> {
    let field = match kind.name {
        "vault_auth_mount" | "vault_secrets_mount" => "accessor",
        "vault_entity" | "vault_entity_alias" => "id",
        _ => return None,
    };
    data.get(field).and_then(Json::as_str).map(str::to_owned)
}

/// Over all that was told, unknown fields included, but what is unstable and the mark.
fn fingerprint(wire: &Wire, data: &Json) -> Fingerprint {
    let mut stable = data.clone();
    if let Some(fields) = stable.as_object_mut() {
        for name in wire.unstable {
            fields.remove(*name);
        }
        // Not told where there is nothing: the same as null.
        fields.retain(|_, value| !value.is_null());
    }
    Fingerprint::of(&stable)
}

/// Takes the mark out of an answer.
fn strip_mark(kind: &Kind, data: &mut Map<String, Json>) -> Option<Mark> {
    match kind.name {
        "vault_policy" => {
            let text = data.get("policy")?.as_str()?;
            let (text, mark) = policy::live(text);
            data.insert("policy".into(), Json::String(text));
            mark
        }
        "vault_auth_mount" | "vault_secrets_mount" => {
            let text = data.get("description")?.as_str()?;
            let (text, mark) = normal::split_description(text);
            data.insert("description".into(), Json::String(text));
            mark
        }
        "vault_entity" => metadata_mark(data.get_mut("metadata")?),
        "vault_entity_alias" => metadata_mark(data.get_mut("custom_metadata")?),
        _ => None,
    }
}

fn metadata_mark(metadata: &mut Json) -> Option<Mark> {
    let metadata = metadata.as_object_mut()?;
    let lineage = metadata.remove(normal::MARK_LINEAGE);
    let address = metadata.remove(normal::MARK_ADDRESS);
    Some(Mark {
        lineage: lineage?.as_str()?.to_owned(),
        address: address?.as_str()?.to_owned(),
    })
}

/// The field that dots lead to.
fn lookup<'a>(data: &'a Json, dotted: &str) -> Option<&'a Json> {
    dotted
        .split('.')
        .try_fold(data, |json, name| json.get(name))
}

/// A server's JSON in an attribute's shape.
fn shaped(attribute: &Attribute, json: &Json) -> Result<Value, String> {
    let wrong = || format!("the server answers {}", type_name(json));
    Ok(match attribute.shape {
        Shape::Bool => Value::Bool(json.as_bool().ok_or_else(wrong)?),
        Shape::Integer => Value::integer(json.as_i64().ok_or_else(wrong)?),
        Shape::Duration => match json {
            Json::Number(_) => Value::integer(json.as_i64().ok_or_else(wrong)?),
            Json::String(text) if text.is_empty() => Value::integer(0),
            Json::String(text) => Value::integer(shape::seconds(&Value::string(text))?),
            _ => return Err(wrong()),
        },
        Shape::String | Shape::OneOf(_) | Shape::Policy => match json {
            Json::Array(_) | Json::Object(_) => return Err(wrong()),
            scalar => as_text(scalar),
        },
        Shape::List => Value::List(texts(json).ok_or_else(wrong)?),
        Shape::Set => Value::Set(texts(json).ok_or_else(wrong)?.into_iter().collect()),
        Shape::Map => Value::Map(
            json.as_object()
                .ok_or_else(wrong)?
                .iter()
                .map(|(key, value)| (key.clone(), as_text(value)))
                .collect(),
        ),
        Shape::MapOfSets => Value::Map(
            json.as_object()
                .ok_or_else(wrong)?
                .iter()
                .map(|(key, value)| {
                    let all = texts(value).ok_or_else(|| type_name(value).to_owned())?;
                    Ok((key.clone(), Value::Set(all.into_iter().collect())))
                })
                .collect::<Result<_, String>>()?,
        ),
    })
}

/// A scalar as text, nested lists and objects as their JSON: what a map of strings holds of a
/// server that puts more into it.
fn as_text(json: &Json) -> Value {
    Value::String(match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        Json::Bool(b) => b.to_string(),
        Json::Null => String::new(),
        nested @ (Json::Array(_) | Json::Object(_)) => nested.to_string(),
    })
}

fn texts(json: &Json) -> Option<Vec<Value>> {
    match json {
        Json::Null => Some(Vec::new()),
        Json::Array(all) => Some(all.iter().map(as_text).collect()),
        Json::Object(_) => None,
        scalar => Some(vec![as_text(scalar)]),
    }
}

const fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// What to write.
pub struct Body<'a> {
    /// Everything that is wanted.
    pub attributes: &'a BTreeMap<String, Value>,
    /// The attributes to send; what isn't wanted is sent as its default, or its shape's zero.
    pub names: &'a BTreeSet<String>,
    /// The mark.
    pub mark: &'a Mark,
}

/// The body of a request, without secrets; the mark is in it wherever its place is written.
pub fn body(kind: &Kind, wanted: &Body<'_>) -> Result<Map<String, Json>, String> {
    let wire = wire(kind).ok_or("no such kind on the wire")?;
    let mut out = Map::new();
    for name in wanted.names {
        let Some(attribute) = kind.attribute(name) else {
            // `NAME_version` is remit's own.
            continue;
        };
        let in_key = kind.key_attributes().any(|key| key == name);
        if in_key || attribute.need == Need::Computed || attribute.write_only {
            continue;
        }
        let value = wanted
            .attributes
            .get(name)
            .cloned()
            .or_else(|| attribute.default.value())
            .unwrap_or_else(|| attribute.shape.zero());
        if value.has_pending() {
            return Err(format!("`{name}` is not known yet"));
        }
        insert(
            &mut out,
            wire.write(name),
            outgoing(kind, attribute, &value, wanted.mark),
        );
    }
    Ok(out)
}

/// A value as the request holds it; places of the mark get theirs.
fn outgoing(kind: &Kind, attribute: &Attribute, value: &Value, mark: &Mark) -> Json {
    match (kind.name, attribute.name, value) {
        ("vault_policy", "policy", Value::String(text)) => {
            Json::String(policy::with_mark(text, mark))
        }
        ("vault_auth_mount" | "vault_secrets_mount", "description", Value::String(text)) => {
            Json::String(normal::mark_description(text, mark))
        }
        ("vault_entity", "metadata", value) | ("vault_entity_alias", "custom_metadata", value) => {
            let mut json = value.to_plain_json();
            if let Some(fields) = json.as_object_mut() {
                fields.insert(
                    normal::MARK_LINEAGE.into(),
                    Json::String(mark.lineage.clone()),
                );
                fields.insert(
                    normal::MARK_ADDRESS.into(),
                    Json::String(mark.address.clone()),
                );
            }
            json
        }
        _ => value.to_plain_json(),
    }
}

/// Puts a value where dots lead, making the objects on the way.
fn insert(out: &mut Map<String, Json>, dotted: &str, value: Json) {
    match dotted.split_once('.') {
        None if dotted.is_empty() => {}
        None => {
            out.insert(dotted.to_owned(), value);
        }
        Some((outer, inner)) => {
            let entry = out
                .entry(outer.to_owned())
                .or_insert_with(|| Json::Object(Map::new()));
            if let Some(fields) = entry.as_object_mut() {
                insert(fields, inner, value);
            }
        }
    }
}

/// The body of a `tune` from the body that would make the mount: `config` is spread out, and
/// options that are no longer wanted are emptied, which removes them.
pub fn tune(mut create: Map<String, Json>, live_options: Option<&Value>) -> Map<String, Json> {
    if let Some(Json::Object(config)) = create.remove("config") {
        create.extend(config);
    }
    if let (Some(options), Some(Value::Map(live))) = (
        create.get_mut("options").and_then(Json::as_object_mut),
        live_options,
    ) {
        for name in live.keys() {
            options
                .entry(name.clone())
                .or_insert_with(|| Json::String(String::new()));
        }
    }
    create
}

#[cfg(test)]
mod tests;
