//! Ways into logins that nobody declared: their roles, users and mounts are told by rules alone.

use remit_sdk::access::Evaluate as _;

use super::escalate_login_tests::mounted;
use super::escalate_tests::{each, none, of, role, things, told, ways};
use super::testing::{Things, entity};
use crate::Vault;

const DENIED: &str = "denied_parameters = { policies = [], token_policies = [] }";

#[test]
fn a_secret_id_of_a_role_that_is_not_declared() {
    let id = "auth/approle/role/admin/role-id: read";
    let there = "`approle` being an auth mount of type approle and `auth/approle/role/admin` being a login role";
    for end in ["secret-id", "custom-secret-id"] {
        let rule = format!("auth/approle/role/admin/{end}");
        each(&[
            (
                &format!("{rule}: update\n{id}"),
                &format!(
                    "make-secret-id > <logins at approle>: read@auth/approle/role/admin/role-id, update@{rule}? {there}"
                ),
            ),
            (
                &format!("{rule}: update"),
                &format!(
                    "make-secret-id > <logins at approle>: update@{rule}? {there} and knowing the role's role-id"
                ),
            ),
        ]);
        none(&[
            &format!("{rule}: create read list delete\n{id}"),
            &format!("{rule}/lookup: update\n{id}"),
            &format!("kv/data/{rule}: update\n{id}"),
        ]);
    }
    none(&[
        id,
        "auth/approle/role/admin/custom-secret-id: update;denied_parameters = { secret_id = [] }",
        "auth/approle/role/admin/secret-id-accessor: update",
        // A rule in upper case matches nothing.
        "auth/approle/role/Admin/secret-id: update",
    ]);
    let upper = things("auth/approle/role/Admin/secret-id: update");
    let on_vault = Vault.escalations(&upper.world_on("Vault 2.0.3"), &entity("a"));
    assert_eq!(told(&on_vault).len(), 1);
    assert_eq!(
        on_vault[0].how,
        "makes itself a secret-id of a role of `approle`"
    );
    // What a rule leaves open.
    for (rule, mount) in [
        ("auth/approle/role/+/secret-id", "approle"),
        ("auth/+/role/admin/secret-id", "…"),
        ("auth/+/role/+/secret-id", "…"),
        ("+/approle/role/admin/secret-id", "approle"),
        ("auth/app*", "app…"),
    ] {
        let found = ways(&format!(
            "{rule}: update;denied_parameters = {{ policies = [], token_policies = [], value = [] }}"
        ));
        let way = format!("make-secret-id > <logins at {mount}>: update@{rule}? ");
        assert!(found.iter().any(|one| one.starts_with(&way)), "{found:?}");
    }
}

#[test]
fn a_role_that_is_not_declared_on_a_mount_that_is() {
    let secret = "auth/m/role/admin/secret-id: update";
    let role_id = "`auth/m/role/admin` being a login role and knowing the role's role-id";
    assert_eq!(
        mounted(secret, "approle"),
        [format!(
            "make-secret-id > <logins at m>: update@auth/m/role/admin/secret-id? {role_id}"
        )]
    );
    // Another type has none.
    assert_eq!(mounted(secret, "jwt"), [""; 0]);
    assert_eq!(mounted(secret, "userpass"), [""; 0]);
    // Where others' roles are known, those are what a rule leaves open.
    let open = "auth/r/role/+/secret-id: update";
    each(&[(
        open,
        "make-secret-id > vault_entity b: update@auth/r/role/+/secret-id",
    )]);
    let alone = |lines: &str| {
        let world = Things::default()
            .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
            .with(
                "identity.a",
                "vault_approle_role",
                "auth/r/approle/a",
                &role("r", "a"),
            )
            .policy("p", lines);
        of(&world, &entity("a"))
    };
    assert_eq!(
        alone(open),
        [
            "make-secret-id > <logins at r>: update@auth/r/role/+/secret-id? \
             `auth/r/role/…` being a login role and knowing the role's role-id"
        ]
    );
    // Its own is none of another.
    assert_eq!(alone("auth/r/role/a/secret-id: update"), [""; 0]);
}

#[test]
fn opening_a_role_that_is_not_declared() {
    let way = |mount: &str, more: &str| {
        format!(
            "open-login-role > <logins at {mount}>: update@auth/{mount}/role/admin? {more}`auth/{mount}/role/admin` being a login role"
        )
    };
    let lines = format!("auth/approle/role/admin: update;{DENIED}");
    each(&[(
        &lines,
        &way(
            "approle",
            "`approle` being an auth mount of type approle and ",
        ),
    )]);
    let found = Vault.escalations(&things(&lines).world(), &entity("a"));
    assert_eq!(
        found[0].how,
        "writes a login role of `approle`, so that it lets it in"
    );
    let here = |kind: &str, more: &str| mounted(&format!("auth/m/role/admin: update;{more}"), kind);
    assert_eq!(here("approle", DENIED), [way("m", "")]);
    let vouched = "? `auth/m/role/admin` being a login role and a credential that `m` accepts";
    for kind in ["jwt", "oidc"] {
        assert_eq!(
            here(kind, DENIED),
            [format!(
                "open-login-role > <logins at m>: update@auth/m/role/admin{vouched}"
            )]
        );
    }
    assert_eq!(here("userpass", DENIED), [""; 0]);
    for (kind, limits) in [
        ("approle", "allowed_parameters = { role_id = [] }"),
        (
            "jwt",
            "allowed_parameters = { role_type = [], user_claim = [] }",
        ),
    ] {
        assert_eq!(here(kind, limits), [""; 0], "{kind}");
    }
    none(&[
        &format!("auth/approle/role/admin: create read;{DENIED}"),
        "auth/approle/role/Admin: update;denied_parameters = { policies = [], token_policies = [], role_type = [] }",
    ]);
    // Whoever gives it any policy needs no more, whoever gives it some does.
    let methods = |limits: &str| -> Vec<String> {
        let found = here("approle", limits).into_iter();
        found
            .map(|way| way.split(": ").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        methods("denied_parameters = { none = [] }"),
        ["write-login-role > everything"]
    );
    assert_eq!(
        methods(
            "denied_parameters = { policies = [] };allowed_parameters = { \"*\" = [], token_policies = [\"adm\"] }"
        ),
        [
            "open-login-role > <logins at m>",
            "write-login-role > <the policy adm>",
        ]
    );
}

#[test]
fn what_a_mount_that_is_not_declared_believes() {
    let way = |mount: &str, rule: &str, kinds: &str| {
        format!(
            "edit-auth-mount > <logins at {mount}>: update@{rule}? `{mount}` being an auth mount of type {kinds}"
        )
    };
    each(&[
        (
            "auth/kubernetes/config: update",
            &way("kubernetes", "auth/kubernetes/config", "kubernetes"),
        ),
        (
            "auth/z/config: update;allowed_parameters = { kubernetes_host = [] }",
            &way("z", "auth/z/config", "kubernetes"),
        ),
        (
            "auth/z/config: update;allowed_parameters = { jwks_url = [] }",
            &way("z", "auth/z/config", "jwt or oidc"),
        ),
        (
            "auth/z/config/ldap: update",
            &way("z", "auth/z/config/ldap", "kerberos"),
        ),
        (
            "auth/+/config/client: update",
            &way("…", "auth/+/config/client", "aws"),
        ),
    ]);
    none(&[
        "auth/kubernetes/config: create read",
        "auth/kubernetes/config: update;allowed_parameters = { disable_local_ca_jwt = [] }",
        "auth/z/configs: update",
        "auth/token/config: update",
    ]);
    let found = Vault.escalations(
        &things("auth/kubernetes/config: update").world(),
        &entity("a"),
    );
    assert_eq!(found[0].how, "changes whom `kubernetes` believes");
}

#[test]
fn passwords_of_users_that_are_not_declared() {
    let set = "allowed_parameters = { password = [] }";
    let way = |mount: &str, rule: &str| {
        format!(
            "set-password > <users of {mount}>: update@{rule}? `{mount}` being an auth mount of type userpass"
        )
    };
    for (rule, mount) in [
        ("auth/userpass/users/root/password", "userpass"),
        ("auth/userpass/users/Root/password", "userpass"),
        ("auth/z/users/+", "z"),
        ("auth/+/users/root/password", "…"),
    ] {
        each(&[(&format!("{rule}: update;{set}"), &way(mount, rule))]);
        none(&[&format!("{rule}: create read;{set}")]);
    }
    none(&[&format!("auth/userpass/users/Root: update;{set}")]);
    let found = Vault.escalations(
        &things("auth/userpass/users/root/password: update").world(),
        &entity("a"),
    );
    assert_eq!(found[0].how, "sets the password of a user of `userpass`");
}

#[test]
fn a_login_with_any_policy_on_an_unknown_mount_needs_no_other_way() {
    let methods = |lines: &str| -> Vec<String> {
        let found = ways(lines).into_iter();
        found
            .map(|way| way.split(' ').next().unwrap().to_owned())
            .collect()
    };
    for rule in ["auth/z/*", "auth/z*", "auth/*", "aut*", "auth/+/+/x"] {
        let found = methods(&format!("{rule}: create update"));
        assert!(found.contains(&"write-login-role".to_owned()), "{rule}");
        for other in ["set-password", "edit-auth-mount"] {
            assert!(!found.contains(&other.to_owned()), "{rule}: {found:?}");
        }
    }
    // On a mount of which the type is known each is told.
    let known = mounted("auth/m/users/x: update", "userpass");
    assert_eq!(known.len(), 2, "{known:?}");
    none(&[
        "bauth/z*: create update",
        "auths*: create update",
        "+: update",
    ]);
}
