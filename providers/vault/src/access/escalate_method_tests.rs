//! What each auth method takes for a login that gives any policy, one parameter at a time.

use remit_sdk::access::Evaluate;

use super::escalate_login_tests::mounted;
use super::escalate_tests::{none, things, ways};
use super::testing::entity;
use crate::Vault;

const CREDENTIAL: &str = "a credential that `m` accepts";

#[test]
fn what_each_auth_method_takes() {
    let any = "write-login-role > everything: ";
    for (kind, place, parameters, creates, vouched) in [
        (
            "jwt",
            "role/x*",
            "role_type user_claim bound_claims token_policies",
            true,
            true,
        ),
        (
            "oidc",
            "role/x*",
            "role_type user_claim bound_subject policies",
            true,
            true,
        ),
        ("kubernetes", "role/x*", "token_policies", true, true),
        ("kubernetes", "role/x*", "policies", true, true),
        ("alicloud", "role/x*", "policies", true, true),
        ("aws", "role/x*", "policies", true, true),
        ("azure", "role/x*", "policies", true, true),
        ("gcp", "role/x*", "policies", true, true),
        ("oci", "role/x*", "policies", true, true),
        ("saml", "role/x*", "policies", true, true),
        ("spiffe", "role/x*", "policies", true, true),
        ("cf", "roles/x*", "token_policies", true, true),
        (
            "cert",
            "certs/x*",
            "certificate token_policies",
            false,
            false,
        ),
        ("cert", "certs/x*", "certificate policies", false, false),
        (
            "userpass",
            "users/x*",
            "password token_policies",
            true,
            false,
        ),
        (
            "userpass",
            "users/x*",
            "password_hash policies",
            true,
            false,
        ),
        (
            "approle",
            "role/x*",
            "bind_secret_id role_id token_bound_cidrs policies",
            true,
            false,
        ),
        ("ldap", "users/x*", "policies", false, true),
        ("ldap", "groups/x*", "policies", false, true),
        ("okta", "users/x*", "policies", false, true),
        ("okta", "groups/x*", "policies", false, true),
        ("kerberos", "groups/x*", "policies", false, true),
        ("radius", "users/x*", "policies", true, true),
        ("github", "map/teams/x*", "value", true, true),
        ("github", "map/users/x*", "value", true, true),
    ] {
        let all: Vec<&str> = parameters.split(' ').collect();
        let lines = |capability: &str, left_out: Option<&str>| {
            let allowed: Vec<String> = all
                .iter()
                .filter(|name| Some(**name) != left_out)
                .map(|name| format!("{name} = []"))
                .collect();
            let other = if allowed.is_empty() {
                "none = []".to_owned()
            } else {
                allowed.join(", ")
            };
            format!("auth/m/{place}: {capability};allowed_parameters = {{ {other} }}")
        };
        let (capability, other) = if creates {
            ("create", "update")
        } else {
            ("update", "create")
        };
        let depends = if vouched {
            format!("? {CREDENTIAL}")
        } else {
            String::new()
        };
        let what = format!("{kind} {place}");
        assert_eq!(
            mounted(&lines(capability, None), kind),
            [format!("{any}{capability}@auth/m/{place}{depends}")],
            "{what}"
        );
        let mut rest = mounted(&lines(other, None), kind);
        rest.retain(|way| way.starts_with("write-login-role"));
        if creates {
            assert_eq!(rest.len(), 1, "{what}");
            assert!(
                rest[0].contains("being there already under some name"),
                "{rest:?}"
            );
        } else {
            assert_eq!(rest, [""; 0], "{what}");
        }
        for one in &all {
            // The password alone is another's.
            let left: Vec<String> = mounted(&lines(capability, Some(one)), kind)
                .into_iter()
                .filter(|way| way.starts_with("write-login-role"))
                .collect();
            assert_eq!(left, [""; 0], "{what} without {one}");
        }
    }
    assert_eq!(mounted("auth/m/role/x*: create", "userpass"), [""; 0]);
}

#[test]
fn a_mount_of_which_the_type_is_not_known_may_be_any() {
    let depends =
        |of: &str| format!("`auth` being an auth mount of type {of}").replace("`auth`", "`z`");
    let any = "write-login-role > everything: ";
    assert_eq!(
        ways("auth/z/role/x: create update"),
        [format!(
            "{any}create@auth/z/role/x, update@auth/z/role/x? {}",
            depends("approle")
        )]
    );
    assert_eq!(
        ways("auth/z/map/teams/x: create update"),
        [format!(
            "{any}create@auth/z/map/teams/x, update@auth/z/map/teams/x? {} and a credential that `z` accepts",
            depends("github")
        )]
    );
    assert_eq!(
        ways("auth/z/users/+: create"),
        [format!(
            "{any}create@auth/z/users/+? {}",
            depends("userpass")
        )]
    );
    assert_eq!(
        ways("auth/z/groups/+: update"),
        [format!(
            "{any}update@auth/z/groups/+? {} and a credential that `z` accepts",
            depends("ldap or okta or kerberos")
        )]
    );
    none(&[
        "auth/z/role/x: read",
        "auth/z/role/x: deny",
        "auth/z/role: update",
        "auth/+/role/x: read",
        "kv/z/role/x: create update",
        "auth/{{identity.entity.metadata.none}}/role/x: update",
        "auth/token/role/x: create update",
        "auth//role/x: create update",
    ]);
    // One that a rule leaves open may be one that isn't known.
    assert_eq!(
        ways("auth/+/users/x: create update"),
        [format!(
            "{any}create@auth/+/users/x? `…` being an auth mount of type userpass"
        )]
    );
}

#[test]
fn passwords_of_others() {
    for rule in [
        "auth/m/users/v/password",
        "auth/m/users/+/password",
        "auth/m/users/v",
        "auth/m/users/v*",
    ] {
        let lines = format!("{rule}: update;allowed_parameters = {{ password = [] }}");
        assert_eq!(
            mounted(&lines, "userpass"),
            [format!("set-password > <users of m>: update@{rule}")]
        );
        assert_eq!(
            mounted(&lines.replace("password =", "password_hash ="), "userpass").len(),
            1
        );
        assert_eq!(mounted(&lines, "ldap"), [""; 0]);
        assert_eq!(
            mounted(
                &format!("{rule}: create;allowed_parameters = {{ password = [] }}"),
                "userpass"
            ),
            [""; 0]
        );
        assert_eq!(
            mounted(
                &format!("{rule}: update;allowed_parameters = {{ token_ttl = [] }}"),
                "userpass"
            ),
            [""; 0]
        );
    }
    let world = things("auth/m/users/v/password: update").with(
        "",
        "vault_auth_mount",
        "m",
        &[("type", "userpass")],
    );
    let found = Vault.escalations(&world.world(), &entity("a"));
    assert_eq!(found[0].how, "sets the password of a user of `m`");
}
