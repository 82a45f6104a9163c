//! What only administrators should have, and what anybody may.

use remit_sdk::access::Permission;

use super::administrative::reason;

fn permission(actions: &str, path: &str) -> Permission {
    Permission {
        actions: actions.split_whitespace().map(str::to_owned).collect(),
        resources: [path.to_owned()].into(),
        conditions: [].into(),
        sources: [].into(),
    }
}

fn why(actions: &str, path: &str) -> String {
    reason(&permission(actions, path)).unwrap_or_default()
}

#[test]
fn everything_sudo_and_every_path() {
    assert_eq!(why("anything", "everything"), "it is the policy `root`");
    assert_eq!(why("anything", "all that the policy `p` allows"), "");
    let sudo = "`sudo` reaches what only administrators should";
    assert_eq!(why("read sudo", "kv/a"), sudo);
    assert_eq!(why("sudo", "auth/token/lookup-self"), sudo);
    for path in ["*", "+/*"] {
        assert_eq!(why("read", path), format!("`{path}` is every path"));
    }
    assert_eq!(why("read", "+"), "");
    let two = Permission {
        resources: ["kv/a".to_owned(), "sys/seal".to_owned()].into(),
        ..permission("update", "")
    };
    assert!(reason(&two).unwrap().contains("`sys/seal`"));
    let nothing = Permission {
        resources: [].into(),
        ..permission("anything", "")
    };
    assert_eq!(reason(&nothing), None);
}

#[test]
fn writing_where_the_server_keeps_itself() {
    let sys = "the server itself, its policies or its mounts";
    let auth = "who may log in, or makes tokens";
    let identity = "identities and what they carry";
    for (path, what) in [
        ("sys/policies/acl/x", sys),
        ("sys/*", sys),
        ("sys*", sys),
        ("s*", sys),
        ("sys/po*", sys),
        ("sys/tools", sys),
        ("sys/leases", sys),
        ("sys/leases/revoke", sys),
        ("sys/leases/lookup/x", sys),
        ("sys/wrappin*", sys),
        ("auth/token/create", auth),
        ("auth/token/revoke", auth),
        ("auth/j/role/x", auth),
        ("auth/j/*", auth),
        ("auth/j/login/*", auth),
        ("a*", auth),
        ("identity/entity", identity),
        ("identity/oidc/provider/*", identity),
        ("ident*", identity),
        ("+/policies/acl/*", sys),
        ("+/pol*", sys),
        ("+/+/x", sys),
        ("+/token/create", auth),
        ("+/to*", auth),
        ("+/entity/id/x", identity),
        ("+/ent*", identity),
    ] {
        assert_eq!(
            why("read update", path),
            format!("`update` at `{path}` changes {what}"),
            "{path}"
        );
        assert_eq!(why("read list scan subscribe", path), "", "{path}");
    }
    assert_eq!(
        why("recover delete create patch update read", "sys/x"),
        format!("`create`, `update`, `patch`, `delete`, `recover` at `sys/x` changes {sys}")
    );
    for one in ["create", "update", "patch", "delete", "recover"] {
        assert_eq!(
            why(one, "sys/x"),
            format!("`{one}` at `sys/x` changes {sys}")
        );
    }
}

#[test]
fn each_of_the_server_s_own_trees_is_known_below_a_wildcard() {
    for name in [
        "audit",
        "auth",
        "config",
        "generate-root",
        "host-info",
        "in-flight-req",
        "init",
        "internal",
        "key-status",
        "leases",
        "loggers",
        "managed-keys",
        "mounts",
        "namespaces",
        "plugins",
        "policies",
        "policy",
        "quotas",
        "raw",
        "rekey",
        "remount",
        "replication",
        "rotate",
        "seal",
        "step-down",
        "storage",
        "sync",
        "unseal",
        "token",
        "alias",
        "entity",
        "entity-alias",
        "group",
        "group-alias",
        "mfa",
        "oidc",
        "persona",
    ] {
        assert_ne!(why("update", &format!("+/{name}/x")), "", "{name}");
    }
}

#[test]
fn secrets_are_what_agents_are_for() {
    for path in [
        "kv/data/x",
        "kv/*",
        "database/creds/x",
        "system/x",
        "sysx*",
        "authors/x",
        "identity-store/x",
        "+/data/x",
        "+/data/*",
        "+/da*",
        "+",
        "k*",
        "kv/sys/policies/acl/x",
        "cubbyhole/*",
        "+*",
    ] {
        assert_eq!(why("create update delete", path), "", "{path}");
    }
}

#[test]
fn what_concerns_only_who_asks_is_harmless() {
    for path in [
        "auth/j/login",
        "auth/+/login",
        "auth/userpass/login/me",
        "auth/token/lookup",
        "auth/token/lookup-accessor",
        "auth/token/lookup-self",
        "auth/token/renew",
        "auth/token/renew-self",
        "auth/token/revoke-self",
        "identity/lookup/entity",
        "identity/lookup/group",
        "identity/lookup/*",
        "identity/oidc/introspect",
        "identity/oidc/provider/+/authorize",
        "identity/oidc/provider/default/authorize",
        "sys/capabilities",
        "sys/capabilities-accessor",
        "sys/capabilities-self",
        "sys/control-group/request",
        "sys/leases/lookup",
        "sys/leases/renew",
        "sys/mfa/validate",
        "sys/renew",
        "sys/tools/hash",
        "sys/tools/hash/*",
        "sys/tools/hash/sha2-256",
        "sys/tools/random",
        "sys/tools/random/32",
        "sys/wrapping/wrap",
        "sys/wrapping/lookup",
        "sys/wrapping/unwrap",
        "sys/wrapping/rewrap",
    ] {
        assert_eq!(why("create update", path), "", "{path}");
    }
}
