//! Where the attributes of each kind stand on the wire: API paths, fields of answers, fields of
//! requests. Pure: answers come in as JSON and go out as objects, requests go out as values.
//!
//! A field has its attribute's name unless the kind's [`Wire`] says otherwise, so an ordinary new
//! kind is one entry in [`WIRES`] beside its entry in `schema`.

mod decode;
mod held;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use remit_sdk::schema::Need;
use remit_sdk::{Attribute, Kind, Mark, Value};
use serde_json::{Map, Value as Json};

use crate::{normal, policy};
pub use decode::decode;
#[cfg(feature = "live")]
pub(crate) use decode::{check_alias, check_whole};

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
    /// Fields that every answer holds, of OpenBao (tried on 2.7.2) and of Vault: without one of
    /// them it is not known what the object gives.
    pub always: &'static [&'static str],
    /// Those of them that are null where they hold nothing, on one server or the other.
    pub always_or_null: &'static [&'static str],
    /// Fields that the server keeps in whatever type somebody wrote them.
    pub free: &'static [&'static str],
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

const MOUNT_ALWAYS: &[&str] = &[
    "type",
    "accessor",
    "description",
    "config.default_lease_ttl",
    "config.max_lease_ttl",
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
        always: &["policy"],
        always_or_null: &[],
        free: &[],
    },
    Wire {
        kind: "vault_auth_mount",
        path: "sys/auth/{path}",
        list: None,
        fields: TUNED,
        unstable: MOUNT_UNSTABLE,
        always: MOUNT_ALWAYS,
        always_or_null: &["options"],
        free: &["config.user_lockout_config"],
    },
    Wire {
        kind: "vault_secrets_mount",
        path: "sys/mounts/{path}",
        list: None,
        fields: TUNED,
        unstable: MOUNT_UNSTABLE,
        always: MOUNT_ALWAYS,
        always_or_null: &["options"],
        free: &[],
    },
    Wire {
        kind: "vault_jwt_config",
        path: "auth/{mount}/config",
        list: None,
        fields: &[],
        unstable: &["status"],
        always: &["oidc_discovery_url", "jwks_url", "bound_issuer"],
        always_or_null: &["jwt_validation_pubkeys", "jwt_supported_algs"],
        free: &["provider_config"],
    },
    Wire {
        kind: "vault_jwt_role",
        path: "auth/{mount}/role/{name}",
        list: Some("auth/{mount}/role"),
        fields: &[],
        unstable: &[],
        always: &[
            "role_type",
            "user_claim",
            "bound_subject",
            "bound_claims_type",
            "token_ttl",
            "token_max_ttl",
            "token_period",
            "token_explicit_max_ttl",
            "token_no_default_policy",
            "token_num_uses",
            "token_type",
        ],
        always_or_null: &[
            "bound_audiences",
            "bound_claims",
            "token_policies",
            "token_bound_cidrs",
        ],
        free: &[],
    },
    Wire {
        kind: "vault_approle_role",
        path: "auth/{mount}/role/{name}",
        list: Some("auth/{mount}/role"),
        fields: &[],
        unstable: &[],
        always: &[
            "bind_secret_id",
            "role_id",
            "secret_id_num_uses",
            "secret_id_ttl",
            "token_ttl",
            "token_max_ttl",
            "token_period",
            "token_explicit_max_ttl",
            "token_no_default_policy",
            "token_num_uses",
            "token_type",
        ],
        always_or_null: &[
            "secret_id_bound_cidrs",
            "token_policies",
            "token_bound_cidrs",
        ],
        free: &[],
    },
    Wire {
        kind: "vault_entity",
        path: "identity/entity/name/{name}",
        list: Some("identity/entity/name"),
        fields: &[],
        unstable: &["aliases", "last_update_time"],
        always: &[
            "id",
            "name",
            "disabled",
            "aliases",
            "direct_group_ids",
            "inherited_group_ids",
            "group_ids",
        ],
        always_or_null: &["policies", "metadata"],
        free: &[],
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
        always: &["id", "name", "canonical_id", "mount_accessor"],
        always_or_null: &["custom_metadata"],
        free: &[],
    },
    Wire {
        kind: "vault_database_connection",
        path: "{mount}/config/{name}",
        list: Some("{mount}/config"),
        fields: CONNECTION,
        unstable: &[],
        always: &["plugin_name", "connection_details"],
        always_or_null: &["allowed_roles"],
        free: &["connection_details.username"],
    },
    Wire {
        kind: "vault_database_role",
        path: "{mount}/roles/{name}",
        list: Some("{mount}/roles"),
        fields: &[],
        unstable: &[],
        always: &["db_name", "default_ttl", "max_ttl"],
        always_or_null: &["creation_statements"],
        free: &["credential_config"],
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
