use proptest::prelude::*;
use remit_sdk::{Mark, SecretRef};

use super::*;
use crate::schema;

fn normal(kind: &str, name: &str, value: impl Into<Value>) -> Result<Value, String> {
    normalise(schema::kind(kind).unwrap(), name, &value.into())
}

#[test]
fn durations() {
    for (text, seconds) in [
        ("15m", 900),
        ("1h30m", 5400),
        ("30d", 2_592_000),
        ("90", 90),
        ("90s", 90),
        ("0", 0),
        ("-1", -1),
    ] {
        assert_eq!(shape::seconds(&Value::string(text)), Ok(seconds), "{text}");
    }
    for text in [
        "",
        "m",
        "1h30",
        "1x",
        "1 h",
        "-",
        "9999999999999999999",
        "1.5h",
        "9223372036854775807d",
    ] {
        assert!(shape::seconds(&Value::string(text)).is_err(), "{text}");
    }
}

#[test]
fn networks() {
    for (text, form) in [
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.0.0.7", "10.0.0.7/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("2001:DB8::1/32", "2001:db8::/32"),
        ("::1", "::1/128"),
        ("::/0", "::/0"),
    ] {
        assert_eq!(network(text).as_deref(), Ok(form), "{text}");
    }
    for text in [
        "",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "host",
        "10.0.0.0/8/8",
    ] {
        assert!(network(text).is_err(), "{text}");
    }
}

#[test]
fn values_take_their_attributes_form() {
    assert_eq!(
        normal(
            "vault_jwt_role",
            "token_bound_cidrs",
            Value::List(vec![Value::string("10.1.2.3/8")])
        ),
        Ok(Value::strings(["10.0.0.0/8"]))
    );
    assert_eq!(
        normal(
            "vault_jwt_role",
            "bound_claims",
            Value::Map([("ref".to_owned(), Value::string("main"))].into())
        ),
        Ok(Value::Map(
            [("ref".to_owned(), Value::strings(["main"]))].into()
        ))
    );
    assert_eq!(
        normal("vault_auth_mount", "path", Value::string("a/b/")),
        Ok(Value::string("a/b"))
    );
    assert_eq!(
        normal(
            "vault_policy",
            "policy",
            Value::string("path \"a\"{capabilities=[\"read\"]}")
        ),
        Ok(Value::string(
            "path \"a\" {\n  capabilities = [\"read\"]\n}\n"
        ))
    );
}

#[test]
fn what_the_server_trims_is_trimmed() {
    let statements =
        |all: &[&str]| Value::List(all.iter().map(|one| Value::string(*one)).collect());
    for name in [
        "creation_statements",
        "revocation_statements",
        "rollback_statements",
        "renew_statements",
    ] {
        assert_eq!(
            normal(
                "vault_database_role",
                name,
                statements(&["a;\nb;\n", " c ;d\u{a0}", "\u{feff}e"])
            ),
            Ok(statements(&["a;\nb;", "c ;d", "\u{feff}e"])),
        );
    }
    assert_eq!(
        normal(
            "vault_jwt_role",
            "bound_audiences",
            Value::strings([" a", "a", "b,c\n"])
        ),
        Ok(Value::strings(["a", "b,c"]))
    );
    assert_eq!(
        normal(
            "vault_database_role",
            "credential_config",
            Value::Map([("key_bits".to_owned(), Value::integer(3072))].into())
        ),
        Ok(Value::Map(
            [("key_bits".to_owned(), Value::string("3072"))].into()
        ))
    );
    assert_eq!(
        normal("vault_policy", "expiration", Value::string("")),
        Ok(Value::string(""))
    );
}

#[test]
fn mistakes_are_named() {
    let secret = || Value::Secret(SecretRef::Env("X".into()));
    for (kind, name, value, why) in [
        (
            "vault_jwt_role",
            "token_tttl",
            Value::integer(1),
            "did you mean `token_ttl`?",
        ),
        (
            "vault_jwt_role",
            "token_ttl",
            Value::integer(-1),
            "negative",
        ),
        (
            "vault_jwt_role",
            "token_type",
            Value::string("bach"),
            "must be",
        ),
        (
            "vault_jwt_role",
            "token_policies",
            Value::strings(["Foo"]),
            "write `foo`",
        ),
        (
            "vault_jwt_role",
            "name",
            Value::string("MyRole"),
            "write `myrole`",
        ),
        ("vault_jwt_role", "name", Value::string("a/b"), "no name"),
        ("vault_jwt_role", "name", Value::string("a..b"), "no name"),
        ("vault_jwt_role", "name", Value::string("a*"), "no name"),
        ("vault_jwt_role", "name", Value::string("a-"), "no name"),
        (
            "vault_jwt_role",
            "name",
            Value::string("a\u{1b}[0m"),
            "no text",
        ),
        (
            "vault_jwt_role",
            "mount",
            Value::string("auth/x"),
            "write `x`",
        ),
        (
            "vault_jwt_role",
            "mount",
            Value::string("a//b"),
            "no mount path",
        ),
        (
            "vault_jwt_role",
            "mount",
            Value::string("../sys"),
            "no mount path",
        ),
        (
            "vault_secrets_mount",
            "path",
            Value::string("sys"),
            "server's own",
        ),
        (
            "vault_secrets_mount",
            "type",
            Value::string("kv-v2"),
            "version",
        ),
        (
            "vault_policy",
            "name",
            Value::string("root"),
            "server's own",
        ),
        ("vault_policy", "policy", secret(), "no secret"),
        (
            "vault_policy",
            "policy",
            Value::string("x"),
            "can't be used",
        ),
        ("vault_entity", "policies", Value::strings(["root"]), "root"),
        (
            "vault_entity",
            "metadata",
            Value::Map([("remit_x".to_owned(), Value::string(""))].into()),
            "remit's own",
        ),
        (
            "vault_entity",
            "metadata",
            Value::Map([("cost centre".to_owned(), Value::string(""))].into()),
            "write `cost_centre`",
        ),
        (
            "vault_database_connection",
            "password",
            Value::string("hunter2"),
            "never written out",
        ),
        (
            "vault_database_connection",
            "username",
            secret(),
            "no secret",
        ),
        (
            "vault_database_connection",
            "root_rotation_statements",
            Value::strings(["x"]),
            "order",
        ),
        (
            "vault_database_role",
            "creation_statements",
            Value::List(vec![Value::string("x"), Value::string(" \n")]),
            "statement 2 of 2 is empty",
        ),
        (
            "vault_entity",
            "policies",
            Value::strings(["a", " "]),
            "empty text",
        ),
        (
            "vault_database_role",
            "credential_config",
            Value::Map([("bits".to_owned(), Value::integer(1))].into()),
            "no setting `bits`",
        ),
        (
            "vault_policy",
            "expiration",
            Value::string("2030-01-01"),
            "no moment",
        ),
    ] {
        let error = normal(kind, name, value).expect_err(name);
        assert!(error.contains(why), "{kind} {name}: {error}");
        assert!(!error.contains("hunter2"));
    }
    assert!(normal("vault_database_connection", "password", secret()).is_ok());
    for (kind, name, key) in [
        ("vault_entity", "metadata", "aZ09=/+_-"),
        ("vault_entity_alias", "custom_metadata", "cost centre"),
    ] {
        let value = Value::Map([(key.to_owned(), Value::string("x"))].into());
        assert!(normal(kind, name, value).is_ok(), "{kind} {key}");
    }
    assert!(
        normal(
            "vault_database_connection",
            "password_version",
            Value::integer(2)
        )
        .is_ok()
    );
    assert!(
        normal(
            "vault_database_connection",
            "plugin_version",
            Value::string("v1")
        )
        .is_ok()
    );
}

#[test]
fn keys_fold_where_the_server_folds() {
    let folded = |kind: &str, key: &str| folded_key(schema::kind(kind).unwrap(), key);
    assert_eq!(folded("vault_entity", "Agent"), "agent");
    assert_eq!(folded("vault_database_role", "db/roles/A"), "db/roles/A");
}

proptest! {
    #[test]
    fn marks_read_back(lineage in "\\PC{1,20}", address in any::<String>(), description in "[a-z :%]{0,20}") {
        prop_assume!(!address.is_empty());
        let mark = Mark { lineage, address };
        let text = mark_text(&mark);
        prop_assert!(!text.contains(char::is_whitespace));
        prop_assert_eq!(parse_mark(&text), Some(mark.clone()));
        let described = mark_description(&description, &mark);
        prop_assert_eq!(split_description(&described), (description, Some(mark)));
    }

    #[test]
    fn networks_are_stable(text in "[0-9a-f:./]{0,20}") {
        if let Ok(form) = network(&text) {
            prop_assert_eq!(network(&form), Ok(form));
        }
    }

    #[test]
    fn a_normal_form_is_its_own(seconds in 0_i64..10_000_000) {
        let text = Value::string(format!("{}h{}m{}s", seconds / 3600, seconds % 3600 / 60, seconds % 60));
        prop_assert_eq!(shape::seconds(&text), Ok(seconds));
    }

    /// Of every attribute of every kind, for what a configuration and for what a server may hold.
    #[test]
    fn every_normal_form_is_its_own(
        texts in prop::collection::vec("[ \\n\u{a0}]{0,2}[aA1/:.-]{0,6}[ \\n/]{0,2}|[0-9]{1,3}[smhd]?|10.1.2.3/[0-9]{1,2}|2030-0[1-9]-1[0-9]T0[0-9]:00:00(.[0-9]{1,3})?(Z|[+-]0[0-9]:30)", 0..3),
    ) {
        let first = Value::string(texts.first().cloned().unwrap_or_default());
        let list = Value::List(texts.iter().map(Value::string).collect());
        let map = Value::Map(texts.iter().map(|one| (one.clone(), first.clone())).collect());
        for kind in schema::kinds() {
            for attribute in kind.attributes {
                for value in [&first, &list, &map] {
                    if let Ok(form) = normalise(kind, attribute.name, value) {
                        prop_assert_eq!(normalise(kind, attribute.name, &form), Ok(form.clone()));
                        prop_assert_eq!(refine(kind, attribute.name, form.clone()), Ok(form));
                    }
                    if let Ok(form) = refine(kind, attribute.name, value.clone()) {
                        prop_assert_eq!(refine(kind, attribute.name, form.clone()), Ok(form));
                    }
                }
            }
        }
    }

    #[test]
    fn no_description_makes_it_panic(text in any::<String>()) {
        let _ = split_description(&text);
        let _ = parse_mark(&text);
    }
}
