//! Ways through database mounts. What each takes was tried on OpenBao 2.7.2.

use remit_sdk::access::Evaluate as _;

use super::escalate_tests::{of, things};
use super::testing::{Things, entity};
use crate::Vault;

#[test]
fn writing_what_a_database_role_does() {
    let database = |lines: &str, allowed: &str| {
        things(lines)
            .with(
                "",
                "vault_database_connection",
                "db/config/main",
                &[
                    ("mount", "db"),
                    ("name", "main"),
                    ("allowed_roles", allowed),
                ],
            )
            .with(
                "scope.d",
                "vault_database_role",
                "db/roles/d",
                &[("mount", "db"), ("name", "d"), ("db_name", "main")],
            )
            .with(
                "",
                "vault_database_role",
                "db/roles/odd",
                &[("mount", "db")],
            )
            .with(
                "",
                "vault_database_connection",
                "db/config/odd",
                &[("mount", "db")],
            )
    };
    let found = |lines: &str, allowed: &str| of(&database(lines, allowed), &entity("a"));
    let way = |by: &str| {
        format!("write-database-role > <the user of the connection db/config/main>: {by}")
    };
    assert_eq!(
        found("db/roles/d: update\ndb/creds/d: read", "[d]"),
        [way("read@db/creds/d, update@db/roles/d")]
    );
    for lines in [
        "db/creds/d: read",
        "db/roles/d: create\ndb/creds/d: read",
        "db/roles/d: update;denied_parameters = { creation_statements = [], renew_statements = [], revocation_statements = [], rollback_statements = [] }\ndb/creds/d: read",
        "db/roles/d: update;allowed_parameters = { max_ttl = [] }\ndb/creds/d: read",
        "db/roles/*: create update\ndb/roles/d: deny\ndb/creds/*: read",
        "db/roles/new: create\ndb/creds/new: read",
    ] {
        assert_eq!(found(lines, "[d]"), [""; 0], "{lines}");
    }
    // Whoever reads it runs what somebody else wrote, and so does the end of that user.
    for lines in [
        "db/roles/d: update",
        "db/roles/d: update\ndb/creds/d: update",
        "db/roles/d: update;denied_parameters = { creation_statements = [] }",
    ] {
        assert_eq!(
            found(lines, "[d]"),
            [way("update@db/roles/d? somebody else reading `db/creds/d`")],
            "{lines}"
        );
    }
    for one in ["creation", "renew", "revocation", "rollback"] {
        let lines = format!(
            "db/roles/d: update;allowed_parameters = {{ {one}_statements = [] }}\ndb/creds/d: read"
        );
        assert_eq!(
            found(&lines, "[d]"),
            [way("read@db/creds/d, update@db/roles/d")],
            "{one}"
        );
    }
    for (allowed, works) in [
        ("[*]", true),
        ("[new]", true),
        ("[n*]", true),
        ("[]", false),
        ("[x*]", false),
    ] {
        let all = found("db/roles/new: create\ndb/creds/new: read", allowed);
        let expected =
            way("read@db/creds/new, create@db/roles/new? `db/roles/new` not being there yet");
        let expected = expected.replace(
            "read@db/creds/new, create@db/roles/new",
            "create@db/roles/new, read@db/creds/new",
        );
        assert_eq!(
            all,
            if works { vec![expected] } else { vec![] },
            "{allowed}"
        );
    }
    // A mount of several segments.
    let deep = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .with(
            "",
            "vault_database_role",
            "t/db/roles/d",
            &[("mount", "t/db"), ("name", "d"), ("db_name", "x")],
        )
        .policy("p", "t/db/roles/d: update\nt/db/creds/d: read");
    assert_eq!(
        of(&deep, &entity("a")),
        [
            "write-database-role > <the user of the connection t/db/config/x>: read@t/db/creds/d, update@t/db/roles/d"
        ]
    );
    // A name that both rules leave open is one that the connection allows.
    for allowed in ["[new]", "[n*]", "[*]"] {
        let all = found("db/roles/*: create\ndb/creds/*: read", allowed);
        assert_eq!(all.len(), 1, "{allowed}");
    }
    let how = |lines: &str, allowed: &str| {
        Vault.escalations(&database(lines, allowed).world(), &entity("a"))[0]
            .how
            .clone()
    };
    assert_eq!(
        how("db/roles/d: update\ndb/creds/d: read", "[d]"),
        "writes what the database role `d` on `db` does, and uses it"
    );
    assert_eq!(
        how("db/roles/*: create\ndb/creds/*: read", "[*]"),
        "writes what a database role of its own on `db` does, and uses it"
    );
    for denied in ["creation_statements", "db_name"] {
        let lines =
            format!("db/roles/*: create;denied_parameters = {{ {denied} = [] }}\ndb/creds/*: read");
        assert_eq!(found(&lines, "[*]"), [""; 0], "{denied}");
    }
}

/// A connection `db/config/main`, for these roles.
fn connected(lines: &str, allowed: &str) -> Things {
    things(lines).with(
        "",
        "vault_database_connection",
        "db/config/main",
        &[
            ("mount", "db"),
            ("name", "main"),
            ("allowed_roles", allowed),
        ],
    )
}

#[test]
fn whoever_says_where_a_database_is_gets_the_password_for_it() {
    let way = |rule: &str| {
        format!("redirect-database > <the user of the connection db/config/main>: update@{rule}")
    };
    for rule in ["db/config/main", "db/config/*", "db/+/main", "db/*"] {
        let found = of(&connected(&format!("{rule}: update"), "[]"), &entity("a"));
        assert_eq!(found, [way(rule)], "{rule}");
    }
    for lines in [
        "db/config/main: create read patch delete list",
        "db/config/main: update;denied_parameters = { connection_url = [] }",
        "db/config/main: update;allowed_parameters = { allowed_roles = [] }",
        "db/config/*: update\ndb/config/main: deny",
        "db/rotate-root/main: update",
    ] {
        let found = of(&connected(lines, "[]"), &entity("a"));
        assert_eq!(found, [""; 0], "{lines}");
    }
    let other = "db/config/other: update";
    assert_eq!(
        of(&connected(other, "[]"), &entity("a")),
        [
            "redirect-database > <the user of the connection db/config/other>: \
             update@db/config/other? `db/config/other` being a connection"
        ]
    );
    // A mount of databases with connections that aren't known.
    let mounted = |kind: &str| {
        let things = things("team/db/*: update");
        of(
            &things.with("", "vault_secrets_mount", "team/db", &[("type", kind)]),
            &entity("a"),
        )
    };
    assert_eq!(
        mounted("database"),
        [
            "redirect-database > <the user of the connection team/db/config/…>: \
             update@team/db/*? `team/db/config/…` being a connection"
        ]
    );
    assert_eq!(mounted("kv"), [""; 0]);
}

#[test]
fn a_static_role_takes_over_a_user_of_the_database() {
    let found = |lines: &str, allowed: &str| of(&connected(lines, allowed), &entity("a"));
    let way =
        |by: &str| format!("make-static-role > <users of the database of db/config/main>: {by}");
    let both = "db/static-roles/*: create\ndb/static-creds/*: read";
    let by = "create@db/static-roles/*, read@db/static-creds/*";
    for allowed in ["[*]", "[n*]"] {
        assert_eq!(found(both, allowed), [way(by)], "{allowed}");
    }
    assert_eq!(found(both, "[]"), [""; 0]);
    assert_eq!(
        found("db/static-roles/s: create\ndb/static-creds/s: read", "[s]"),
        [way(
            "create@db/static-roles/s, read@db/static-creds/s? `db/static-roles/s` not being there yet"
        )]
    );
    for lines in [
        "db/static-roles/*: create",
        "db/static-roles/*: update\ndb/static-creds/*: read",
        "db/static-creds/*: read",
        "db/static-roles/*: create;denied_parameters = { username = [] }\ndb/static-creds/*: read",
    ] {
        assert_eq!(found(lines, "[*]"), [""; 0], "{lines}");
    }
}
