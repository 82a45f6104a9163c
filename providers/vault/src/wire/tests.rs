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

#[test]
fn an_answer_becomes_an_object() {
    let data = json!({
        "config": {"default_lease_ttl": 3600, "max_lease_ttl": 0, "token_type": "default-service", "force_no_cache": false},
        "accessor": "auth_jwt_1", "uuid": "u", "type": "jwt", "local": false, "seal_wrap": false,
        "description": "logins remit:7f3a:issuer.x/vault_auth_mount", "options": null,
        "running_plugin_version": "v2.7.2"
    });
    let object = decode(kind("vault_auth_mount"), "eu", &data).unwrap();
    assert_eq!(object.id.as_deref(), Some("auth_jwt_1"));
    assert_eq!(object.mark.as_ref().unwrap().lineage, "7f3a");
    assert_eq!(object.attributes["path"], Value::string("eu"));
    assert_eq!(object.attributes["description"], Value::string("logins"));
    assert_eq!(object.attributes["default_lease_ttl"], Value::integer(3600));
    assert_eq!(object.attributes["options"], Value::Map(BTreeMap::new()));
    assert_eq!(object.attributes["listing_visibility"], Value::string(""));
    // Neither the mark nor the running version is part of the fingerprint, the rest is.
    let mut other = data.clone();
    other["description"] = json!("logins");
    other["running_plugin_version"] = json!("v9");
    let again = decode(kind("vault_auth_mount"), "eu", &other).unwrap();
    assert_eq!(again.fingerprint, object.fingerprint);
    other["unknown"] = json!(1);
    let again = decode(kind("vault_auth_mount"), "eu", &other).unwrap();
    assert_ne!(again.fingerprint, object.fingerprint);
}

#[test]
fn live_values_take_the_normal_form() {
    let data = json!({
        "token_bound_cidrs": ["10.0.0.1", "10.1.2.3/8"], "bound_claims": {"a": "x", "b": ["y", "x"], "c": 1},
        "token_policies": ["Foo", "foo"], "token_ttl": 3600, "bound_audiences": null,
    });
    let object = decode(kind("vault_jwt_role"), "auth/m/role/r", &data).unwrap();
    assert_eq!(
        object.attributes["token_bound_cidrs"],
        Value::strings(["10.0.0.1/32", "10.0.0.0/8"])
    );
    assert_eq!(object.attributes["token_policies"], Value::strings(["foo"]));
    assert_eq!(
        object.attributes["bound_audiences"],
        Value::strings::<_, &str>([])
    );
    let claims = Value::Map(
        [("a", vec!["x"]), ("b", vec!["x", "y"]), ("c", vec!["1"])]
            .into_iter()
            .map(|(name, all)| (name.to_owned(), Value::strings(all)))
            .collect(),
    );
    assert_eq!(object.attributes["bound_claims"], claims);
    assert!(
        decode(
            kind("vault_jwt_role"),
            "auth/m/role/r",
            &json!({"token_ttl": []})
        )
        .is_err()
    );
    assert!(decode(kind("vault_jwt_role"), "auth/m/role/r", &json!([])).is_err());
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

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map(
                prop::sample::select(vec![
                    "config",
                    "policy",
                    "metadata",
                    "token_ttl",
                    "description",
                    "options",
                    "connection_details"
                ])
                .prop_map(str::to_owned),
                inner,
                0..4
            )
            .prop_map(|all| Json::Object(all.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(index in 0_usize..10, data in any_json()) {
        let kind = &schema::kinds()[index];
        let _ = decode(kind, &kind.key.replace(['{', '}'], ""), &data);
    }

    #[test]
    fn no_name_leaves_its_segment(name in any::<String>()) {
        let encoded = encode_segment(&name);
        prop_assert!(!encoded.contains(['/', '?', '#', '\\', ' ']));
        prop_assert!(encoded != "." && encoded != "..");
    }
}
