//! Ways that lead through auth mounts: whose role or user may be written, and what it takes.

use remit_sdk::access::Evaluate;

use super::escalate_tests::{each, none, of, role, things, ways};
use super::testing::{Things, entity};
use crate::Vault;

/// The same, with an auth mount `m` of this type.
pub(super) fn mounted(lines: &str, kind: &str) -> Vec<String> {
    let world = things(lines).with("", "vault_auth_mount", "m", &[("type", kind)]);
    of(&world, &entity("a"))
}

#[test]
fn writing_a_login_role_of_one_s_own_making() {
    let any = "write-login-role > everything: ";
    each(&[
        (
            "auth/r/role/new: create update",
            "write-login-role > everything: create@auth/r/role/new, update@auth/r/role/new",
        ),
        (
            "auth/r/role/new: create",
            "write-login-role > everything: create@auth/r/role/new? `auth/r/role/new` not being there yet",
        ),
        (
            "auth/r/role/new: update",
            "write-login-role > everything: update@auth/r/role/new? `auth/r/role/new` being there already",
        ),
        // Whoever may write only the policies needs the ids as well.
        (
            "auth/r/role/+: create;allowed_parameters = { policies = [] }
             auth/r/role/+/role-id: read
             auth/r/role/+/custom-secret-id: update
             auth/r/role/a/*: deny
             auth/r/role/b/*: deny",
            "write-login-role > everything: create@auth/r/role/+, read@auth/r/role/+/role-id, update@auth/r/role/+/custom-secret-id",
        ),
    ]);
    for bound in ["secret_id_bound_cidrs", "token_bound_cidrs"] {
        for policies in ["token_policies", "policies"] {
            let lines = format!(
                "auth/r/role/*: create;allowed_parameters = {{ bind_secret_id = [], role_id = [], {bound} = [], {policies} = [] }}"
            );
            assert_eq!(
                ways(&lines),
                [format!("{any}create@auth/r/role/*")],
                "{lines}"
            );
        }
    }
    none(&[
        "auth/r/role/new: create;denied_parameters = { token_policies = [], policies = [] }",
        "auth/r/role/new: create;allowed_parameters = { policies = [] }",
        "auth/r/role/new: create;allowed_parameters = { policies = [], bind_secret_id = [], role_id = [] }",
        "auth/r/role/new: create;allowed_parameters = { policies = [], bind_secret_id = [true], role_id = [], token_bound_cidrs = [] }",
        "auth/r/role/+: create;allowed_parameters = { policies = [] }\nauth/r/role/+/role-id: read\nauth/r/role/b/*: deny",
        "auth/r/role/*: create\nauth/r/role/*: deny",
    ]);
    let found = Vault.escalations(&things("auth/r/role/new: create").world(), &entity("a"));
    assert_eq!(found[0].how, "writes a login on `r` with any policy");
}

#[test]
fn a_truth_value_is_sent_as_the_rule_lists_it() {
    for (listed, count) in [
        ("false", 1),
        ("\"false\"", 1),
        ("true, false", 1),
        ("true", 0),
        ("\"true\"", 0),
    ] {
        let lines = format!(
            "auth/r/role/*: create;allowed_parameters = {{ bind_secret_id = [{listed}], role_id = [], token_bound_cidrs = [], policies = [] }}"
        );
        assert_eq!(ways(&lines).len(), count, "{listed}");
    }
}

#[test]
fn writing_one_s_own_login_role() {
    let way = "write-login-role > everything: update@";
    for policies in ["token_policies", "policies"] {
        for rule in ["auth/r/role/a", "auth/r/role/a/policies"] {
            let lines = format!("{rule}: update;allowed_parameters = {{ {policies} = [] }}");
            assert_eq!(ways(&lines), [format!("{way}{rule}")], "{lines}");
        }
    }
    none(&[
        "auth/r/role/a: create",
        "auth/r/role/a/policies: create",
        "auth/r/role/a/token-ttl: update",
        "auth/r/role/a/secret-id: update",
        "auth/r/role/a: update;denied_parameters = { token_policies = [], policies = [] }",
        "auth/r/role/a: update;allowed_parameters = { policies = [\"p\"] }",
    ]);
    each(&[(
        "auth/r/role/a: update;allowed_parameters = { policies = [\"read-*\"] }",
        "write-login-role > everything: update@auth/r/role/a",
    )]);
    let found = Vault.escalations(&things("auth/r/role/a: update").world(), &entity("a"));
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].how,
        "writes the login role `a`, so that it gives any policy"
    );
}

#[test]
fn another_s_approle_role() {
    let b = "vault_entity b";
    each(&[
        (
            "auth/r/role/b/secret-id: update",
            &format!("make-secret-id > {b}: update@auth/r/role/b/secret-id"),
        ),
        (
            "auth/r/role/b/custom-secret-id: update",
            &format!("make-secret-id > {b}: update@auth/r/role/b/custom-secret-id"),
        ),
        (
            "auth/r/role/b: update;denied_parameters = { token_policies = [], policies = [] }",
            &format!("open-login-role > {b}: update@auth/r/role/b"),
        ),
    ]);
    for bound in ["secret_id_bound_cidrs", "token_bound_cidrs"] {
        let lines = format!(
            "auth/r/role/b: update;allowed_parameters = {{ bind_secret_id = [], role_id = [], {bound} = [] }}"
        );
        assert_eq!(
            ways(&lines),
            [format!("open-login-role > {b}: update@auth/r/role/b")]
        );
    }
    none(&[
        "auth/r/role/b/secret-id: create read list",
        "auth/r/role/b/custom-secret-id: create",
        "auth/r/role/b/custom-secret-id: update;denied_parameters = { secret_id = [] }",
        "auth/r/role/b/secret-id/lookup: update",
        "auth/r/role/B/secret-id: update",
        "auth/r/role/+/secret-id: update\nauth/r/role/b/secret-id: deny",
        "auth/r/role/b: create",
        // Policies of a role that lets nobody else in.
        "auth/r/role/b/policies: update",
        "auth/r/role/b: update;allowed_parameters = { token_policies = [] }",
    ]);
    let all = "auth/r/role/b: update";
    assert_eq!(
        ways(all),
        [
            format!("open-login-role > {b}: update@auth/r/role/b"),
            "write-login-role > everything: update@auth/r/role/b".to_owned(),
        ]
    );
    let found = Vault.escalations(&things(all).world(), &entity("a"));
    assert_eq!(
        found[0].how,
        "writes the login role `b`, so that it lets it in"
    );
    assert_eq!(
        found[1].how,
        "writes the login role `b`, so that it gives any policy"
    );
    // Its policies and a secret-id of it.
    assert_eq!(
        ways("auth/r/role/b/policies: update\nauth/r/role/b/secret-id: update"),
        [
            format!("make-secret-id > {b}: update@auth/r/role/b/secret-id"),
            "write-login-role > everything: update@auth/r/role/b/policies, update@auth/r/role/b/secret-id".to_owned(),
        ]
    );
    let found = Vault.escalations(
        &things("auth/r/role/b/secret-id: update").world(),
        &entity("a"),
    );
    assert_eq!(found[0].how, "makes itself a secret-id of the role `b`");
}

#[test]
fn a_role_id_that_is_no_name_must_be_known() {
    let secret = "auth/r/role/c/secret-id: update";
    let found = |lines: &str| {
        let world = things(lines).with(
            "",
            "vault_approle_role",
            "auth/r/approle/c",
            &[("mount", "r/"), ("name", "c"), ("role_id", "0000-1111")],
        );
        of(&world, &entity("a"))
    };
    let way = |by: &str| format!("make-secret-id > vault_approle_role auth/r/approle/c: {by}");
    assert_eq!(
        found(secret),
        [way(
            "update@auth/r/role/c/secret-id? knowing the role's role-id"
        )]
    );
    assert_eq!(
        found(&format!("{secret}\nauth/r/role/c/role-id: read")),
        [way(
            "read@auth/r/role/c/role-id, update@auth/r/role/c/secret-id"
        )]
    );
    assert_eq!(
        found(&format!("{secret}\nauth/r/role/c/role-id: update")),
        [way(
            "update@auth/r/role/c/role-id, update@auth/r/role/c/secret-id"
        )]
    );
    assert_eq!(
        found(&format!(
            "{secret}\nauth/r/role/c/role-id: update create;denied_parameters = {{ role_id = [] }}"
        )),
        [way(
            "update@auth/r/role/c/secret-id? knowing the role's role-id"
        )]
    );
}

/// An entity `a` that logs in at the jwt mount `j`, another `b` that does, a role `s` that is
/// nobody's and gives policies itself, and one that gives none.
fn jwt(lines: &str) -> Things {
    Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .with(
            "identity.a",
            "vault_jwt_role",
            "auth/j/role/a",
            &role("j", "a"),
        )
        .with("identity.b", "vault_entity", "b", &[])
        .with(
            "identity.b",
            "vault_jwt_role",
            "auth/j/role/b",
            &role("j", "b"),
        )
        .with(
            "",
            "vault_jwt_role",
            "auth/j/role/s",
            &[("mount", "j"), ("name", "s")],
        )
        .with("", "vault_jwt_role", "auth/j/role/none", &role("j", "none"))
        .with("", "vault_jwt_role", "auth/j/role/odd", &[("mount", "j")])
        .policy("p", lines)
}

#[test]
fn jwt_roles_let_in_whom_their_issuer_vouches_for() {
    let found = |lines: &str| of(&jwt(lines), &entity("a"));
    let any = |by: &str| format!("write-login-role > everything: {by}");
    let nobody = "vault_jwt_role auth/j/role/s";
    assert_eq!(
        found("auth/j/role/a: update"),
        [any("update@auth/j/role/a")]
    );
    assert_eq!(
        found("auth/j/role/b: update"),
        [any("update@auth/j/role/b")]
    );
    assert_eq!(
        found("auth/j/role/s: update"),
        [
            format!("open-login-role > {nobody}: update@auth/j/role/s"),
            any("update@auth/j/role/s"),
        ]
    );
    assert_eq!(
        found("auth/j/role/+: create"),
        [any("create@auth/j/role/+")]
    );
    for bound in ["bound_subject", "bound_audiences", "bound_claims"] {
        let allowed = |more: &str| {
            format!(
                "update create;allowed_parameters = {{ role_type = [\"jwt\"], {bound} = []{more} }}"
            )
        };
        assert_eq!(
            found(&format!("auth/j/role/s: {}", allowed(""))),
            [format!("open-login-role > {nobody}: update@auth/j/role/s")]
        );
        assert_eq!(
            found(&format!("auth/j/role/b: {}", allowed(", policies = []"))),
            [any("update@auth/j/role/b")]
        );
        assert_eq!(
            found(&format!(
                "auth/j/role/x*: {}",
                allowed(", token_policies = [], user_claim = [\"sub\"]")
            )),
            [any("create@auth/j/role/x*")]
        );
    }
    for lines in [
        "auth/j/role/a: create",
        "auth/j/role/a: update;denied_parameters = { role_type = [] }",
        "auth/j/role/a: update;denied_parameters = { token_policies = [], policies = [] }",
        "auth/j/role/b: update;allowed_parameters = { role_type = [], policies = [] }",
        "auth/j/role/b: update;allowed_parameters = { role_type = [], bound_subject = [] }",
        "auth/j/role/none: update;allowed_parameters = { role_type = [], bound_subject = [] }",
        "auth/j/role/s: update;allowed_parameters = { bound_subject = [] }",
        "auth/j/role/s: update;allowed_parameters = { role_type = [] }",
        "auth/j/role/x*: create;denied_parameters = { user_claim = [] }",
        "auth/j/role/x*: create;denied_parameters = { role_type = [] }",
        "auth/j/role/a/policies: update",
        "auth/j/role/b/secret-id: update",
    ] {
        assert_eq!(found(lines), [""; 0], "{lines}");
    }
    // From elsewhere it takes what the mount's issuer gives.
    let elsewhere = |lines: &str| {
        let world = jwt(lines).with("identity.c", "vault_entity", "c", &[("policies", "[p]")]);
        of(&world, &entity("c"))
    };
    let needs = "a credential that `j` accepts";
    assert_eq!(
        elsewhere("auth/j/role/+: create"),
        [any(&format!("create@auth/j/role/+? {needs}"))]
    );
    assert_eq!(
        elsewhere("auth/j/role/s: update"),
        [
            format!("open-login-role > {nobody}: update@auth/j/role/s? {needs}"),
            any(&format!("update@auth/j/role/s? {needs}")),
        ]
    );
}

#[test]
fn changing_whom_a_mount_believes() {
    let found = |lines: &str| of(&jwt(lines), &entity("a"));
    let way = |gain: &str| format!("edit-auth-mount > {gain}: update@auth/j/config");
    for one in ["jwks_url", "jwt_validation_pubkeys", "oidc_discovery_url"] {
        let lines = format!("auth/j/config: update;allowed_parameters = {{ {one} = [] }}");
        assert_eq!(
            found(&lines),
            [
                way("vault_entity b"),
                way("vault_jwt_role auth/j/role/none"),
                way("vault_jwt_role auth/j/role/odd"),
                way("vault_jwt_role auth/j/role/s"),
            ]
        );
    }
    assert_eq!(found("auth/j/config: create read"), [""; 0]);
    assert_eq!(
        found("auth/j/config: update;allowed_parameters = { default_role = [] }"),
        [""; 0]
    );
    let how = Vault.escalations(&jwt("auth/j/config: update").world(), &entity("a"));
    assert_eq!(how[0].how, "changes whom `j` believes");
    // Its own logins are no gain, and an approle mount believes nobody.
    let alone = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .with(
            "identity.a",
            "vault_jwt_role",
            "auth/j/role/a",
            &role("j", "a"),
        )
        .policy("p", "auth/j/config: update");
    assert_eq!(of(&alone, &entity("a")), [""; 0]);
    none(&["auth/r/config: update"]);
    // A mount of which no role is known lets in whom the world doesn't know.
    let config = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .with(
            "issuer.i",
            "vault_jwt_config",
            "auth/j/config",
            &[("mount", "j")],
        )
        .with("issuer.i", "vault_auth_mount", "j", &[])
        .policy("p", "auth/j/config: update");
    assert_eq!(of(&config, &entity("a")), [way("<logins at j>")]);
    for (kind, place, parameters) in [
        ("aws", "config/certificate/x", "aws_public_cert"),
        ("aws", "config/client", "sts_endpoint"),
        ("azure", "config", "environment tenant_id"),
        ("cf", "config", "cf_api_addr identity_ca_certificates"),
        ("github", "config", "base_url organization"),
        (
            "jwt",
            "config",
            "jwks_url jwt_validation_pubkeys oidc_discovery_url",
        ),
        ("kerberos", "config", "keytab"),
        ("kerberos", "config/ldap", "url"),
        ("kubernetes", "config", "kubernetes_host"),
        ("ldap", "config", "url"),
        ("oci", "config", "home_tenancy_id"),
        (
            "oidc",
            "config",
            "jwks_url jwt_validation_pubkeys oidc_discovery_url",
        ),
        ("okta", "config", "base_url org_name"),
        ("radius", "config", "host"),
        ("saml", "config", "idp_cert idp_metadata_url"),
        ("spiffe", "config", "bundle endpoint_url trust_domain"),
    ] {
        let path = format!("auth/m/{place}");
        for parameter in parameters.split(' ') {
            let lines = format!("{path}: update;allowed_parameters = {{ {parameter} = [] }}");
            assert_eq!(
                mounted(&lines, kind),
                [format!("edit-auth-mount > <logins at m>: update@{path}")],
                "{kind} {parameter}"
            );
        }
        let lines = format!("{path}: update;allowed_parameters = {{ max_ttl = [] }}");
        assert_eq!(mounted(&lines, kind), [""; 0], "{kind}");
    }
    for kind in ["approle", "cert", "userpass", "token", "aws"] {
        assert_eq!(mounted("auth/m/config: update", kind), [""; 0], "{kind}");
    }
}

#[test]
fn a_mount_of_one_s_own_takes_a_login_on_it() {
    let way = |by: &str| format!("enable-auth > everything: {by}");
    let enable = "sys/auth/z: update sudo";
    for (login, by) in [
        (
            "auth/z/users/me: create update",
            "create@auth/z/users/me, update@auth/z/users/me, update@sys/auth/z",
        ),
        (
            "auth/z/certs/me: update",
            "update@auth/z/certs/me, update@sys/auth/z",
        ),
    ] {
        let found = ways(&format!("{enable}\n{login}"));
        assert!(found.contains(&way(by)), "{found:?}");
        assert!(!ways(login).iter().any(|way| way.starts_with("enable-auth")));
        for refused in [
            "sys/auth/z: update",
            "sys/auth/z: create sudo",
            "sys/auth/y: update sudo",
        ] {
            let found = ways(&format!("{refused}\n{login}"));
            assert!(
                !found.iter().any(|way| way.starts_with("enable-auth")),
                "{found:?}"
            );
        }
    }
    none(&[enable, "sys/auth/*: update sudo"]);
    let enabled = |lines: &str| {
        let mut found = ways(lines);
        found.retain(|way| way.starts_with("enable-auth"));
        found
    };
    assert_eq!(
        enabled("sys/auth/*: update sudo\nauth/+/users/+: create"),
        [way("create@auth/+/users/+, update@sys/auth/*")]
    );
    let typed = |kind: &str| {
        enabled(&format!(
            "sys/auth/+: update sudo;allowed_parameters = {{ type = [\"{kind}\"] }}\nauth/+/users/+: create"
        ))
    };
    assert_eq!(
        typed("userpass"),
        [way("create@auth/+/users/+, update@sys/auth/+")]
    );
    assert_eq!(typed("jwt"), [""; 0]);
    // A place that is taken is none for a new mount.
    let lines = "sys/auth/m: update sudo\nauth/m/users/x: create;denied_parameters = { policies = [], token_policies = [] }";
    assert_eq!(mounted(lines, "userpass"), [""; 0]);
    let taken = "sys/auth/m: update sudo\nauth/m/users/+: create";
    assert_eq!(mounted(taken, "radius").len(), 1);
    assert!(mounted(taken, "radius")[0].starts_with("write-login-role"));
    let world = things("sys/auth/*: update sudo\nauth/+/users/+: create");
    let found = Vault.escalations(&world.world(), &entity("a"));
    assert_eq!(
        found[0].how,
        "makes an auth mount of its own, and a login on it with any policy"
    );
}

#[test]
fn all_paths_are_all_ways() {
    let found = ways("*: create read update patch delete list sudo");
    let methods: Vec<&str> = found
        .iter()
        .filter_map(|way| way.split(' ').next())
        .collect();
    assert_eq!(
        methods,
        [
            "create-token",
            "create-token-of-role",
            "edit-alias",
            "edit-group",
            "edit-own-entity",
            "enable-auth",
            "make-secret-id",
            "merge-entities",
            "move-mount",
            "open-login-role",
            "register-plugin",
            "restore-snapshot",
            "write-login-role",
            "write-own-policy",
            "write-storage",
            "write-token-role",
        ]
    );
}

#[test]
fn mounts_of_several_segments() {
    let deep = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .with(
            "identity.b",
            "vault_approle_role",
            "auth/t/r/approle/b",
            &role("t/r", "b"),
        )
        .policy("p", "auth/t/r/role/b/secret-id: update");
    assert_eq!(
        of(&deep, &entity("a")),
        [
            "make-secret-id > vault_approle_role auth/t/r/approle/b: update@auth/t/r/role/b/secret-id"
        ]
    );
}
