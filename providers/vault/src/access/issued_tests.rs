//! What a database makes for a holder: other users are never taken for the same.

use remit_sdk::access::{Certainty, Evaluate as _, Excess};

use remit_sdk::Value;

use super::issued::is_empty;
use super::testing::{Things, entity, holder};
use crate::Vault;

const CREDS: &str = "db/creds/r: read";

fn role(things: Things, attributes: &[(&str, &str)]) -> Things {
    let own = [("mount", "db"), ("name", "r"), ("db_name", "shop")];
    let all: Vec<_> = own
        .into_iter()
        .filter(|(name, _)| attributes.iter().all(|(other, _)| other != name))
        .chain(attributes.iter().copied())
        .collect();
    things.with("scope.p", "vault_database_role", "db/roles/r", &all)
}

fn connection(things: Things, attributes: &[(&str, &str)]) -> Things {
    let mut all = vec![("mount", "db"), ("name", "shop")];
    all.extend(attributes);
    things.with(
        "vault_database_connection.shop",
        "vault_database_connection",
        "db/config/shop",
        &all,
    )
}

fn beyond(after: &Things, before: &Things) -> Vec<Excess> {
    Vault.beyond(&after.world(), &entity("a"), &before.world())
}

/// The one thing that is gained, and why it can't be told how much.
fn gained(after: &Things, before: &Things) -> String {
    let found = beyond(after, before);
    let [one] = found.as_slice() else {
        panic!("{found:#?}");
    };
    let Certainty::Undecided(why) = &one.certainty else {
        panic!("{one:#?}");
    };
    assert_eq!(one.permission.actions, ["read".to_owned()].into());
    assert_eq!(one.permission.resources, ["db/creds/r".to_owned()].into());
    assert_eq!(one.permission.sources.len(), 1, "{one:#?}");
    why.clone()
}

#[test]
fn other_users_are_a_gain() {
    let with = |attributes: &[(&str, &str)]| role(holder(CREDS), attributes);
    let plain = [("creation_statements", "[GRANT SELECT]")];
    let before = with(&plain);
    assert_eq!(beyond(&before, &before), []);
    for (name, value) in [
        ("creation_statements", "[GRANT ALL]"),
        ("renew_statements", "[ALTER]"),
        ("revocation_statements", "[SELECT 1]"),
        ("db_name", "other"),
        ("credential_config", "{algorithm: x}"),
    ] {
        let mut attributes: Vec<_> = plain.into_iter().filter(|one| one.0 != name).collect();
        attributes.push((name, value));
        let why = gained(&with(&attributes), &before);
        assert!(why.contains(&format!("`{name}`")), "{why}");
    }
    // Taken away is another user, too.
    let why = gained(&with(&[]), &before);
    assert!(why.contains("creation_statements"), "{why}");
    // Where it is recorded and what is empty say nothing.
    let same = with(&[plain[0], ("id", "x"), ("renew_statements", "")]);
    assert_eq!(beyond(&same, &before), []);
}

#[test]
fn another_database_is_a_gain() {
    let with = |attributes: &[(&str, &str)]| connection(role(holder(CREDS), &[]), attributes);
    let before = with(&[("connection_url", "a"), ("username", "u")]);
    assert_eq!(beyond(&before, &before), []);
    for attributes in [
        [("connection_url", "b"), ("username", "u")],
        [("connection_url", "a"), ("username", "root")],
    ] {
        assert!(!gained(&with(&attributes), &before).is_empty());
    }
    // How many connections there may be says nothing of them.
    let tuned = with(&[
        ("connection_url", "a"),
        ("username", "u"),
        ("max_open_connections", "9"),
    ]);
    assert_eq!(beyond(&tuned, &before), []);
    // Nor does a connection of another mount or name.
    let other = before.clone().with(
        "",
        "vault_database_connection",
        "other/config/shop",
        &[
            ("mount", "other"),
            ("name", "shop"),
            ("connection_url", "b"),
        ],
    );
    assert_eq!(beyond(&other, &before), []);
}

#[test]
fn users_that_last_longer_are_a_gain() {
    let number = remit_sdk::Value::integer;
    for attribute in ["default_ttl", "max_ttl"] {
        let with = |seconds: i64| {
            let things = role(holder(CREDS), &[]);
            things.set("db/roles/r", attribute, number(seconds))
        };
        for (now, then, is_more) in [
            (60, 60, false),
            (60, 90, false),
            (90, 60, true),
            (0, 60, true),
            (60, 0, false),
            (0, 0, false),
        ] {
            let found = beyond(&with(now), &with(then));
            assert_eq!(!found.is_empty(), is_more, "{attribute} {then} -> {now}");
        }
        assert!(gained(&with(90), &with(60)).contains("last longer"));
    }
}

#[test]
fn only_what_may_be_read_counts() {
    let none = || holder("kv/x: read");
    let before = role(none(), &[]);
    let after = role(none(), &[("creation_statements", "[GRANT ALL]")]);
    assert_eq!(beyond(&after, &before), []);
    // A path that is allowed now is told as that; a role under one that was allowed is new.
    let found = beyond(&role(holder(CREDS), &[]), &before);
    assert!(
        found.iter().all(|one| one.certainty == Certainty::Surely),
        "{found:#?}"
    );
    assert!(gained(&role(holder(CREDS), &[]), &holder(CREDS)).contains("weren't before"));
    assert_eq!(beyond(&holder(CREDS), &role(holder(CREDS), &[])), []);
}

#[test]
fn what_says_nothing_is_as_if_it_were_not_there() {
    let nothing = [
        Value::Null,
        Value::string(""),
        Value::List(Vec::new()),
        Value::Set([].into()),
        Value::Map([].into()),
    ];
    assert!(nothing.iter().all(is_empty));
    let something = [
        Value::string("x"),
        Value::List(vec![Value::Null]),
        Value::strings(["x"]),
        Value::Map([("x".to_owned(), Value::Null)].into()),
        Value::Bool(false),
    ];
    assert!(!something.iter().any(is_empty));
}
