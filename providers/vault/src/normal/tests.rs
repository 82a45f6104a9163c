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
    ] {
        let error = normal(kind, name, value).expect_err(name);
        assert!(error.contains(why), "{kind} {name}: {error}");
        assert!(!error.contains("hunter2"));
    }
    assert!(normal("vault_database_connection", "password", secret()).is_ok());
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

    #[test]
    fn no_description_makes_it_panic(text in any::<String>()) {
        let _ = split_description(&text);
        let _ = parse_mark(&text);
    }
}
