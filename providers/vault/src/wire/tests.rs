use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema;

fn kind(name: &str) -> &'static Kind {
    schema::kind(name).unwrap()
}

#[test]
fn the_two_tables_fit_together() {
    for (kind, wire) in schema::kinds().iter().zip(&WIRES) {
        assert_eq!(kind.name, wire.kind);
        for field in wire.fields {
            // The mounts share one list of fields.
            let shared = kind.name.ends_with("_mount");
            assert!(
                shared || kind.attribute(field.attribute).is_some(),
                "{}",
                field.attribute
            );
        }
        let mut names: Vec<_> = kind
            .attributes
            .iter()
            .map(|attribute| attribute.name)
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), kind.attributes.len(), "{}", kind.name);
        for attribute in kind.attributes {
            assert!(!attribute.summary.is_empty());
            // A secret is unverifiable and has no default; a computed value has none either.
            assert!(!attribute.write_only || attribute.unverifiable.is_some());
            if attribute.need != Need::Optional {
                assert_eq!(
                    attribute.default,
                    remit_sdk::schema::Default::None,
                    "{}",
                    attribute.name
                );
            }
            if let Some(value) = attribute.default.value() {
                assert_eq!(
                    normal::normalise(kind, attribute.name, &value),
                    Ok(value.clone()),
                    "{} {}",
                    kind.name,
                    attribute.name
                );
            }
        }
        for key in kind.key_attributes() {
            assert!(kind.attribute(key).unwrap().immutable);
        }
    }
    for kind in schema::kinds().iter().chain(schema::held()) {
        let wire = wire(kind).unwrap();
        let places: Vec<_> = kind
            .attributes
            .iter()
            .map(|attribute| wire.read(attribute.name))
            .collect();
        let all = [wire.always, wire.always_or_null, wire.free].concat();
        for field in all {
            let is_known = ["aliases", "connection_details"].contains(&field);
            assert!(is_known || places.contains(&field), "{} {field}", kind.name);
        }
    }
}

#[test]
fn paths_are_encoded() {
    let role = kind("vault_jwt_role");
    assert_eq!(
        object_path(role, "auth/eu/prod/role/x").as_deref(),
        Some("auth/eu/prod/role/x")
    );
    let entity = kind("vault_entity");
    assert_eq!(
        object_path(entity, "../x?y#z").as_deref(),
        Some("identity/entity/name/..%2Fx%3Fy%23z")
    );
    assert_eq!(
        object_path(entity, "..").as_deref(),
        Some("identity/entity/name/%2E%2E")
    );
}

fn body_of(name: &str, attributes: &[(&str, Value)], names: &[&str]) -> Json {
    let mark = Mark {
        lineage: "l".into(),
        address: "a.b/c".into(),
    };
    let attributes = attributes
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let wanted = Body {
        attributes: &attributes,
        names: &names,
        mark: &mark,
    };
    Json::Object(body(kind(name), &wanted).unwrap())
}

#[test]
fn what_is_no_longer_wanted_is_sent_as_its_default() {
    let sent = body_of(
        "vault_approle_role",
        &[("token_ttl", Value::integer(60))],
        &[
            "token_ttl",
            "token_max_ttl",
            "bind_secret_id",
            "role_id",
            "name",
        ],
    );
    assert_eq!(
        sent,
        json!({"token_ttl": 60, "token_max_ttl": 0, "bind_secret_id": true, "role_id": ""})
    );
}

#[test]
fn marks_are_stamped() {
    let metadata = Value::Map([("k".to_owned(), Value::string("v"))].into());
    let sent = body_of("vault_entity", &[("metadata", metadata)], &["metadata"]);
    assert_eq!(
        sent,
        json!({"metadata": {"k": "v", "remit_lineage": "l", "remit_address": "a.b/c"}})
    );
    let sent = body_of("vault_auth_mount", &[], &["description", "max_lease_ttl"]);
    assert_eq!(
        sent,
        json!({"description": "remit:l:a.b/c", "config": {"max_lease_ttl": 0}})
    );
    let tuned = tune(sent.as_object().unwrap().clone(), None);
    assert_eq!(
        Json::Object(tuned),
        json!({"description": "remit:l:a.b/c", "max_lease_ttl": 0})
    );
}

#[test]
fn removed_options_are_emptied() {
    let live = Value::Map(
        [
            ("a".to_owned(), Value::string("b")),
            ("c".to_owned(), Value::string("d")),
        ]
        .into(),
    );
    let wanted = Value::Map([("a".to_owned(), Value::string("x"))].into());
    let sent = body_of("vault_auth_mount", &[("options", wanted)], &["options"]);
    let tuned = tune(sent.as_object().unwrap().clone(), Some(&live));
    assert_eq!(Json::Object(tuned), json!({"options": {"a": "x", "c": ""}}));
}

proptest! {
    #[test]
    fn no_name_leaves_its_segment(name in any::<String>()) {
        let encoded = encode_segment(&name);
        prop_assert!(!encoded.contains(['/', '?', '#', '\\', ' ']));
        prop_assert!(encoded != "." && encoded != "..");
    }
}
