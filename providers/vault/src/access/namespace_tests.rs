//! Rules that reach into other namespaces: what they add up to, and what they are against. Each
//! was tried on OpenBao 2.7.2 with a namespace `ns1`.

use remit_sdk::access::Evaluate as _;

use super::escalate_tests::{of, things};
use super::testing::{Things, entity};
use crate::Vault;

fn administrative(things: &Things) -> Vec<String> {
    Vault
        .permissions(&things.world(), &entity("a"))
        .iter()
        .filter_map(|one| Vault.is_administrative(one))
        .collect()
}

#[test]
fn writing_what_another_namespace_keeps_is_for_administrators() {
    let sys = "the server itself, its policies or its mounts";
    let auth = "who may log in, or makes tokens";
    for (path, what, namespace) in [
        ("ns1/sys/policies/acl/*", sys, "ns1"),
        ("a/b/sys/policies/acl/x", sys, "a/b"),
        ("+/sys/policies/acl/*", sys, "+"),
        ("ns1/auth/ar/role/*", auth, "ns1"),
        ("ns1/identity/*", "identities and what they carry", "ns1"),
    ] {
        assert_eq!(
            administrative(&things(&format!("{path}: read update"))),
            [format!(
                "`update` at `{path}` changes {what}, if `{namespace}` is a namespace"
            )],
        );
        assert_eq!(
            administrative(&things(&format!("{path}: read list"))),
            [""; 0]
        );
    }
    // Another rule shows what `ns1/*` is.
    let both = "ns1/*: update\nns1/sys/mounts/x: read";
    assert_eq!(
        administrative(&things(both)),
        [format!(
            "`update` at `ns1/*` changes {sys}, if `ns1` is a namespace"
        )]
    );
    for lines in [
        "ns1/*: create update",
        "ns1/auth/m/login: update",
        "kv/data/auth/*: create update",
        "kv/x: update\nns1/sys/mounts/x: read",
    ] {
        assert_eq!(administrative(&things(lines)), [""; 0], "{lines}");
    }
    let mounted = things("kv/sys/policies/acl/*: update").with(
        "issuer.k",
        "vault_secrets_mount",
        "kv",
        &[("type", "kv")],
    );
    assert_eq!(administrative(&mounted), [""; 0]);
    assert_eq!(of(&mounted, &entity("a")), [""; 0]);
}

#[test]
fn logins_and_tokens_of_another_namespace_are_ways() {
    let of = |lines: &str| of(&things(lines), &entity("a"));
    assert_eq!(
        of("ns1/auth/ar/role/*: create update read"),
        [
            "write-login-role > <administrators of the namespace ns1>: create@ns1/auth/ar/role/*? \
             `ar` being an auth mount of type approle and `ns1` being a namespace"
        ]
    );
    assert_eq!(
        of("ns1/auth/*: update"),
        [
            "write-login-role > <administrators of the namespace ns1>: update@ns1/auth/*? \
             `ns1` being a namespace and `…` being an auth mount of type cert"
        ]
    );
    assert_eq!(
        of("ns1/auth/token/create: update sudo"),
        [
            "create-token > <administrators of the namespace ns1>: update@ns1/auth/token/create? \
             `ns1` being a namespace"
        ]
    );
    assert_eq!(
        of("+/auth/token/create: update sudo"),
        [
            "create-token > <administrators of the namespace +>: update@+/auth/token/create? \
             `+` being a namespace"
        ]
    );
    // Without `sudo` a namespace gives no token of a role, nor takes a mount.
    for lines in [
        "ns1/auth/token/create: update",
        "ns1/auth/token/create/*: update\nns1/auth/token/roles/*: create update",
        "ns1/sys/auth/*: update",
        "ns1/auth/new/role/*: read",
        "ns1/*: create read update delete list",
        "ns1/data/auth/ar/role/*: create update",
        "ns1/sys/policies/acl/p: update",
    ] {
        assert_eq!(of(lines), [""; 0], "{lines}");
    }
    let methods = |lines: &str| -> Vec<String> {
        let told = of(lines).into_iter();
        told.map(|way| way.split(' ').next().unwrap().to_owned())
            .collect()
    };
    let roles = "ns1/auth/token/create/*: update sudo\nns1/auth/token/roles/*: create update";
    assert_eq!(methods(roles), ["create-token-of-role", "write-token-role"]);
    let mount = "ns1/sys/auth/new: update sudo\nns1/auth/new/*: create update";
    assert_eq!(methods(mount), ["enable-auth", "write-login-role"]);
    let all = "ns1/*: create read update\nns1/sys/mounts/x: read";
    assert_eq!(methods(all), ["write-login-role"]);
}

#[test]
fn groups_take_members_of_another_namespace_on_vault_only() {
    let things = things("ns1/identity/group: update");
    let told = |server: &str| {
        let found = Vault.escalations(&things.world_on(server), &entity("a"));
        super::escalate_tests::told(&found)
    };
    assert_eq!(told("OpenBao 2.7.2"), [""; 0]);
    assert_eq!(
        told("Vault 2.0.3"),
        [
            "edit-group > <administrators of the namespace ns1>: update@ns1/identity/group? \
             `ns1` being a namespace"
        ]
    );
}

#[test]
fn what_may_be_a_namespace_is_named() {
    let told = super::namespace::condition("team\n");
    assert_eq!(told, "`team\\n` being a namespace or a mount");
}
