//! Changing one attribute of a live object as somebody else would: through the server's own API,
//! with everything else as it is.

use remit_sdk::schema::{Attribute, Need, Shape};
use remit_sdk::{Kind, Object, Value};
use serde_json::{Map, Value as Json, json};

use super::{Stage, shared};

/// Attributes whose drift the contract is about: what a configuration may set and what can be
/// changed and seen. The others carry a flag that says why not.
pub(crate) fn testable(kind: &Kind) -> impl Iterator<Item = &'static Attribute> {
    let key: Vec<&str> = kind.key_attributes().collect();
    kind.attributes.iter().filter(move |attribute| {
        attribute.need != Need::Computed
            && !key.contains(&attribute.name)
            && !attribute.immutable
            && !attribute.write_only
            && !attribute.volatile
            && attribute.unverifiable.is_none()
            && attribute.untested.is_none()
    })
}

/// A value that differs from the live one and that the server accepts.
fn other(kind: &str, attribute: &Attribute, live: Option<&Value>) -> Json {
    match (kind, attribute.name) {
        ("vault_policy", "policy") => {
            return json!("path \"kv1/data/theirs\" {\n  capabilities = [\"delete\"]\n}\n");
        }
        ("vault_policy", "expiration") => return json!("2099-01-01T00:00:00Z"),
        (_, "oidc_discovery_url" | "jwks_url") => return json!("https://127.0.0.1:1/keys"),
        (_, "oidc_discovery_ca_pem" | "jwks_ca_pem" | "jwt_validation_pubkeys") => {
            return json!(include_str!("other_key.pem"));
        }
        (_, "jwt_supported_algs") => return json!(["ES384"]),
        (_, name) if name.ends_with("_cidrs") => return json!(["10.9.0.0/16"]),
        (_, "connection_url") => {
            return json!("postgresql://{{username}}:{{password}}@127.0.0.1:2/y");
        }
        // A `version` can't be taken back from a mount that isn't `kv`.
        (_, "options") => {
            let kv = matches!(live, Some(Value::Map(all)) if all.contains_key("version"));
            return if kv {
                json!({"version": "2", "x": "y"})
            } else {
                json!({"x": "y"})
            };
        }
        (_, "allowed_redirect_uris") => return json!(["https://x.example.com/cb"]),
        (_, "max_idle_connections") => return json!(-1),
        (_, "username_template") => return json!("x{{random 8}}"),
        (
            _,
            "creation_statements"
            | "revocation_statements"
            | "rollback_statements"
            | "renew_statements"
            | "root_rotation_statements",
        ) => return json!(["SELECT 2"]),
        (_, "token_max_ttl" | "max_ttl" | "max_lease_ttl" | "token_explicit_max_ttl") => {
            return json!(7201);
        }
        (_, "oauth2_metadata") => return json!(["access_token"]),
        _ => {}
    }
    match attribute.shape {
        Shape::Bool => json!(live != Some(&Value::Bool(true))),
        Shape::Integer | Shape::Duration => json!(61),
        Shape::String | Shape::Policy => json!("theirs"),
        Shape::OneOf(all) => {
            let different = all.iter().find(|text| {
                live.and_then(Value::as_str)
                    .is_none_or(|live| live != **text)
                    && !text.is_empty()
            });
            json!(different)
        }
        Shape::List | Shape::Set => json!(["theirs"]),
        Shape::Map => json!({"theirs": "theirs"}),
        Shape::MapOfSets => json!({"theirs": ["theirs"]}),
    }
}

fn get(stage: &Stage, path: &str) -> Map<String, Json> {
    let (status, answer) = shared().get(&stage.namespace, path);
    assert_eq!(status, 200, "{path}: {answer}");
    answer["data"].as_object().cloned().unwrap_or_default()
}

fn text(object: &Object, name: &str) -> String {
    object.attributes[name].as_str().unwrap().to_owned()
}

/// Changes one attribute of a live object.
pub(crate) fn meddle(
    stage: &Stage,
    kind: &Kind,
    object: &Object,
    attribute: &Attribute,
) -> Result<(), String> {
    let value = other(kind.name, attribute, object.attributes.get(attribute.name));
    let name = || text(object, "name");
    let mount = || text(object, "mount");
    let field = attribute.name.to_owned();
    let (path, mut body) = match kind.name {
        "vault_policy" => {
            let path = format!("sys/policies/acl/{}", name());
            let mut body = get(stage, &path);
            body.insert("cas".to_owned(), body["version"].clone());
            body.retain(|name, _| !matches!(name.as_str(), "modified" | "version" | "name"));
            (path, body)
        }
        "vault_auth_mount" => (
            format!("sys/auth/{}/tune", text(object, "path")),
            Map::new(),
        ),
        "vault_secrets_mount" => (
            format!("sys/mounts/{}/tune", text(object, "path")),
            Map::new(),
        ),
        "vault_jwt_config" => {
            let path = format!("auth/{}/config", mount());
            let mut body = get(stage, &path);
            body.retain(|name, _| !matches!(name.as_str(), "status" | "oidc_client_id"));
            // One way to the keys at a time; the server does not check what it can't reach.
            if matches!(attribute.name, "oidc_discovery_url" | "jwks_url") {
                body.insert("jwt_validation_pubkeys".to_owned(), json!([]));
                body.insert("skip_jwks_validation".to_owned(), json!(true));
            }
            (path, body)
        }
        "vault_jwt_role" => {
            let path = format!("auth/{}/role/{}", mount(), name());
            let mut body = get(stage, &path);
            if attribute.name == "role_type" {
                body.insert(
                    "allowed_redirect_uris".to_owned(),
                    json!(["https://x.example.com/cb"]),
                );
            }
            (path, body)
        }
        "vault_approle_role" => {
            let path = format!("auth/{}/role/{}", mount(), name());
            if attribute.name == "role_id" {
                (format!("{path}/role-id"), Map::new())
            } else {
                let mut body = get(stage, &path);
                body.remove("local_secret_ids");
                if attribute.name == "bind_secret_id" {
                    // The server insists on one constraint.
                    body.insert("secret_id_bound_cidrs".to_owned(), json!(["10.0.0.0/8"]));
                }
                (path, body)
            }
        }
        "vault_entity" => {
            let path = format!("identity/entity/name/{}", name());
            let live = get(stage, &path);
            let kept = ["policies", "metadata", "disabled"];
            (
                path,
                live.into_iter()
                    .filter(|(name, _)| kept.contains(&name.as_str()))
                    .collect(),
            )
        }
        "vault_entity_alias" => {
            let id = object.id.clone().unwrap();
            let path = format!("identity/entity-alias/id/{id}");
            let live = get(stage, &path);
            let kept = ["name", "mount_accessor", "canonical_id", "custom_metadata"];
            (
                path,
                live.into_iter()
                    .filter(|(name, _)| kept.contains(&name.as_str()))
                    .collect(),
            )
        }
        "vault_database_connection" => {
            let path = format!("{}/config/{}", mount(), name());
            let mut body = get(stage, &path);
            let details = body.remove("connection_details").unwrap_or_default();
            body.extend(details.as_object().cloned().unwrap_or_default());
            body.insert("verify_connection".to_owned(), json!(false));
            (path, body)
        }
        "vault_database_role" => {
            let path = format!("{}/roles/{}", mount(), name());
            let mut body = get(stage, &path);
            body.retain(|name, _| {
                !matches!(name.as_str(), "credential_type" | "credential_config")
            });
            (path, body)
        }
        other => panic!("no way to meddle with a {other}"),
    };
    let value = if (kind.name, attribute.name) == ("vault_entity_alias", "canonical_id") {
        let answer = shared().write(&stage.namespace, "identity/entity/name/theirs", &json!({}));
        let id = answer.pointer("/data/id").cloned();
        id.unwrap_or_else(|| get(stage, "identity/entity/name/theirs")["id"].clone())
    } else {
        value
    };
    body.insert(field, value);
    let (status, answer) = shared().post(&stage.namespace, &path, &Json::Object(body));
    if status == 200 || status == 204 {
        Ok(())
    } else {
        Err(format!("{status} {answer}"))
    }
}
