use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema;

fn kind(name: &str) -> &'static Kind {
    let mut all = schema::kinds().iter().chain(schema::held());
    all.find(|kind| kind.name == name).unwrap()
}

/// A kind, a key, and what OpenBao 2.7.2 answers for an object that was just made.
fn fresh(name: &str) -> (&'static Kind, &'static str, Json) {
    let token = json!({
        "token_bound_cidrs": [], "token_explicit_max_ttl": 0, "token_max_ttl": 0,
        "token_no_default_policy": false, "token_num_uses": 0, "token_period": 0,
        "token_policies": [], "token_strictly_bind_ip": false, "token_ttl": 0,
        "token_type": "default",
    });
    let (key, mut data) = match name {
        "vault_policy" => (
            "p",
            json!({
                "allow_slashes_in_identity_templates": false,
                "allow_wildcards_in_identity_templates": false, "cas_required": false,
                "modified": "2026-11-26T02:25:41Z", "name": "p", "policy": "", "version": 1,
            }),
        ),
        "vault_auth_mount" => (
            "jwt",
            json!({
                "accessor": "auth_jwt_1", "config": {
                    "default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0,
                    "token_type": "default-service",
                },
                "deprecation_status": "supported", "description": "",
                "external_entropy_access": false, "local": false, "options": {},
                "plugin_version": "", "running_plugin_version": "v2.7.2+builtin.bao",
                "running_sha256": "", "seal_wrap": false, "type": "jwt", "uuid": "u",
            }),
        ),
        "vault_secrets_mount" => (
            "kv",
            json!({
                "accessor": "kv_1", "config": {
                    "default_lease_ttl": 0, "force_no_cache": false, "max_lease_ttl": 0,
                },
                "deprecation_status": "supported", "description": "",
                "external_entropy_access": false, "local": false, "options": null,
                "plugin_version": "", "running_plugin_version": "v2.7.2+builtin.bao",
                "running_sha256": "", "seal_wrap": false, "type": "kv", "uuid": "u",
            }),
        ),
        "vault_jwt_config" => (
            "auth/jwt/config",
            json!({
                "bound_issuer": "", "default_role": "", "jwks_ca_pem": "",
                "jwks_url": "http://127.0.0.1:1/", "jwt_supported_algs": [],
                "jwt_validation_pubkeys": [], "namespace_in_state": true, "oidc_client_id": "",
                "oidc_discovery_ca_pem": "", "oidc_discovery_url": "", "oidc_response_mode": "",
                "oidc_response_types": [], "override_allowed_server_names": [],
                "provider_config": {}, "status": "valid",
            }),
        ),
        "vault_jwt_role" => (
            "auth/jwt/role/r",
            json!({
                "allowed_redirect_uris": null, "bound_audiences": null, "bound_claims": null,
                "bound_claims_type": "string", "bound_subject": "x", "callback_mode": "client",
                "claim_mappings": null, "clock_skew_leeway": 0, "expiration_leeway": 0,
                "groups_claim": "", "max_age": 0, "not_before_leeway": 0, "oauth2_metadata": null,
                "oidc_disable_confirmation": false, "oidc_scopes": null, "role_type": "jwt",
                "token_policies_template_claims": false, "user_claim": "sub",
                "user_claim_json_pointer": false, "verbose_oidc_logging": false,
            }),
        ),
        // The role-id is put in from an answer of its own.
        "vault_approle_role" => (
            "auth/approle/approle/r",
            json!({
                "bind_secret_id": true, "local_secret_ids": false, "role_id": "0dcb4f1b",
                "secret_id_bound_cidrs": null, "secret_id_num_uses": 0, "secret_id_ttl": 0,
            }),
        ),
        "vault_entity" => (
            "e",
            json!({
                "aliases": [], "creation_time": "2026-11-26T02:25:41Z", "direct_group_ids": [],
                "disabled": false, "group_ids": [], "id": "4313f983", "inherited_group_ids": [],
                "last_update_time": "2026-11-26T02:25:41Z", "merged_entity_ids": null,
                "metadata": null, "name": "e", "namespace_id": "root", "policies": [],
            }),
        ),
        "vault_entity_alias" => ("auth/jwt/alias/s", alias()),
        "vault_database_connection" => (
            "db/config/c",
            json!({
                "allowed_roles": [], "connection_details": {
                    "connection_url": "postgresql://{{username}}:{{password}}@db/x", "username": "u",
                },
                "password_policy": "", "plugin_name": "postgresql-database-plugin",
                "plugin_version": "", "root_credentials_rotate_statements": [],
            }),
        ),
        "vault_database_role" => (
            "db/roles/r",
            json!({
                "creation_statements": ["x"], "credential_type": "password", "db_name": "c",
                "default_ttl": 0, "max_ttl": 0, "renew_statements": [],
                "revocation_statements": [], "rollback_statements": [],
            }),
        ),
        "vault_group" => (
            "60e4b7c7",
            json!({
                "alias": {}, "creation_time": "2026-11-26T02:25:41Z", "id": "60e4b7c7",
                "last_update_time": "2026-11-26T02:25:41Z", "member_entity_ids": null,
                "member_group_ids": null, "metadata": null, "modify_index": 1, "name": "gi",
                "namespace_id": "root", "parent_group_ids": null, "policies": null,
                "type": "internal",
            }),
        ),
        other => panic!("{other}"),
    };
    if matches!(name, "vault_jwt_role" | "vault_approle_role") {
        let fields = data.as_object_mut().unwrap();
        fields.extend(token.as_object().unwrap().clone());
    }
    (kind(name), key, data)
}

fn alias() -> Json {
    json!({
        "canonical_id": "4313f983", "creation_time": "2026-11-26T02:28:06Z",
        "custom_metadata": null, "id": "24b26938", "last_update_time": "2026-11-26T02:28:06Z",
        "local": false, "merged_from_canonical_ids": null, "metadata": null,
        "mount_accessor": "auth_jwt_1", "mount_path": "auth/jwt/", "mount_type": "jwt",
        "name": "s",
    })
}

const FRESH: [&str; 11] = [
    "vault_policy",
    "vault_auth_mount",
    "vault_secrets_mount",
    "vault_jwt_config",
    "vault_jwt_role",
    "vault_approle_role",
    "vault_entity",
    "vault_entity_alias",
    "vault_database_connection",
    "vault_database_role",
    "vault_group",
];

/// What is said of a fresh object's answer in which one field is another, or is missing.
fn why(name: &str, field: &str, other: Option<Json>) -> String {
    let (kind, key, data) = fresh(name);
    let changed = with(data, field, other);
    match decode(kind, key, &changed) {
        Ok(object) => panic!("{name} {field}: read as {:?}", object.attributes),
        Err(why) => why,
    }
}

fn with(mut data: Json, field: &str, other: Option<Json>) -> Json {
    let (holder, last) = match field.rsplit_once('.') {
        Some((outer, last)) => (&mut data[outer], last),
        None => (&mut data, field),
    };
    let fields = holder.as_object_mut().unwrap();
    match other {
        Some(other) => drop(fields.insert(last.to_owned(), other)),
        None => drop(fields.remove(last)),
    }
    data
}

#[test]
fn what_a_server_answers_is_understood() {
    for name in FRESH {
        let (kind, key, data) = fresh(name);
        let object = decode(kind, key, &data).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert_eq!(object.key, key);
        let wire = wire(kind).unwrap();
        // The other server may have null for what is empty here, or the other way round.
        for field in wire.always_or_null {
            let data = with(data.clone(), field, Some(Json::Null));
            decode(kind, key, &data).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
    // Policies in null are none, and that is known.
    let (kind, key, data) = fresh("vault_group");
    let group = decode(kind, key, &data).unwrap();
    let none = Value::strings::<_, &str>([]);
    assert_eq!(group.attributes["policies"], none);
}

#[test]
fn what_is_always_told_is_missed() {
    for name in FRESH {
        let wire = wire(kind(name)).unwrap();
        for field in wire.always.iter().chain(wire.always_or_null) {
            let why = why(name, field, None);
            assert!(why.starts_with(&format!("`{field}`")), "{name}: {why}");
            assert!(why.contains("leaves it out"), "{name}: {why}");
        }
        for field in wire.always {
            let why = why(name, field, Some(Json::Null));
            assert_eq!(why, format!("`{field}`: the server answers null"), "{name}");
        }
    }
}

#[test]
fn a_field_of_another_type_is_not_read_as_nothing() {
    for name in FRESH {
        let (kind, _, _) = fresh(name);
        let wire = wire(kind).unwrap();
        let keys: Vec<_> = kind.key_attributes().collect();
        for attribute in kind.attributes {
            let skipped = attribute.write_only || attribute.unverifiable.is_some();
            if skipped || keys.contains(&attribute.name) {
                continue;
            }
            let field = wire.read(attribute.name);
            let is_free = wire.free.contains(&field);
            let wrong = match attribute.shape {
                Shape::Bool => vec![json!(1), json!("true"), json!([])],
                Shape::Integer => vec![json!("1"), json!(1.5), json!([])],
                Shape::Duration => vec![json!(true), json!("soon"), json!({})],
                Shape::String if is_free => vec![json!([]), json!({})],
                Shape::String | Shape::OneOf(_) | Shape::Policy => {
                    vec![json!(1), json!(false), json!([]), json!({})]
                }
                Shape::List | Shape::Set => vec![
                    json!([1]),
                    json!(["a", null]),
                    json!(["a", ["b"]]),
                    json!([{}]),
                    json!("a"),
                    json!(1),
                    json!({}),
                ],
                Shape::Map if is_free => vec![json!([]), json!("a")],
                Shape::Map => vec![json!({"a": 1}), json!({"a": null}), json!([]), json!("a")],
                Shape::MapOfSets => vec![
                    json!({"a": null}),
                    json!({"a": {"b": 1}}),
                    json!({"a": ["x", null]}),
                    json!({"a": [["x"]]}),
                    json!([]),
                ],
            };
            for other in wrong {
                let why = why(name, field, Some(other.clone()));
                let is_named = why.starts_with(&format!("`{field}`: "));
                assert!(is_named, "{name} {field} {other}: {why}");
            }
        }
    }
    assert_eq!(
        why("vault_group", "policies", Some(json!([1]))),
        "`policies`: the server answers a list with a number in it"
    );
    let stands = why("vault_auth_mount", "config", Some(json!([])));
    assert!(stands.contains("it stands in a list"), "{stands}");
    let mark = json!({ "remit_lineage": 1, "remit_address": "a" });
    let mark = why("vault_entity", "metadata", Some(mark));
    assert_eq!(mark, "`metadata`: `remit_lineage` is a number");
}

#[test]
fn whose_logins_are_an_entitys_is_told_whole() {
    let (kind, key, data) = fresh("vault_entity");
    let read = |aliases: Json| decode(kind, key, &with(data.clone(), "aliases", Some(aliases)));
    assert!(read(json!([alias()])).is_ok());
    // Its mount is gone.
    let dead = with(with(alias(), "mount_path", None), "mount_type", None);
    assert!(read(json!([dead])).is_ok());
    for wrong in [
        json!({}),
        json!("s"),
        json!([1]),
        json!([alias(), null]),
        json!([with(alias(), "name", None)]),
        json!([with(alias(), "name", Some(json!(1)))]),
        json!([with(alias(), "mount_accessor", None)]),
        json!([with(alias(), "mount_path", Some(json!(null)))]),
        json!([with(alias(), "mount_type", Some(json!(1)))]),
        json!([with(alias(), "custom_metadata", Some(json!([])))]),
    ] {
        let why = read(wrong.clone()).expect_err(&wrong.to_string());
        assert!(why.starts_with("`aliases`: "), "{why}");
    }
}

#[test]
fn an_answer_becomes_an_object() {
    let (kind, _, mut data) = fresh("vault_auth_mount");
    data["config"]["default_lease_ttl"] = json!(3600);
    data["description"] = json!("logins remit:7f3a:issuer.x/vault_auth_mount");
    data["options"] = json!(null);
    let object = decode(kind, "eu", &data).unwrap();
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
    let again = decode(kind, "eu", &other).unwrap();
    assert_eq!(again.fingerprint, object.fingerprint);
    other["unknown"] = json!(1);
    let again = decode(kind, "eu", &other).unwrap();
    assert_ne!(again.fingerprint, object.fingerprint);
}

#[test]
fn live_values_take_the_normal_form() {
    let (kind, key, mut data) = fresh("vault_jwt_role");
    data["token_bound_cidrs"] = json!(["10.0.0.1", "10.1.2.3/8"]);
    data["bound_claims"] = json!({"a": "x", "b": ["y", "x", true], "c": 1});
    data["token_policies"] = json!(["Foo", "foo"]);
    let object = decode(kind, key, &data).unwrap();
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
        [
            ("a", vec!["x"]),
            ("b", vec!["true", "x", "y"]),
            ("c", vec!["1"]),
        ]
        .into_iter()
        .map(|(name, all)| (name.to_owned(), Value::strings(all)))
        .collect(),
    );
    assert_eq!(object.attributes["bound_claims"], claims);
    assert!(decode(kind, key, &json!([])).is_err());
    assert!(decode(kind, key, &json!({})).is_err());
}

#[test]
fn what_somebody_wrote_in_another_type_is_shown_as_text() {
    let (kind, key, data) = fresh("vault_database_connection");
    let data = with(data, "connection_details.username", Some(json!(123)));
    let object = decode(kind, key, &data).unwrap();
    assert_eq!(object.attributes["username"], Value::string("123"));
    let (kind, key, mut data) = fresh("vault_database_role");
    data["credential_config"] = json!({"format": "pkcs8", "key_bits": 2048});
    let object = decode(kind, key, &data).unwrap();
    let config = [("format", "pkcs8"), ("key_bits", "2048")];
    let config = config.map(|(name, text)| (name.to_owned(), Value::string(text)));
    let config = Value::Map(config.into());
    assert_eq!(object.attributes["credential_config"], config);
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
    fn no_answer_makes_it_panic(index in 0_usize..11, data in any_json()) {
        let (kind, key, mut whole) = fresh(FRESH[index]);
        let _ = decode(kind, key, &data);
        // The same within an answer that holds all it must.
        if let (Some(fields), Json::Object(data)) = (whole.as_object_mut(), data) {
            fields.extend(data);
        }
        let _ = decode(kind, key, &whole);
    }
}
