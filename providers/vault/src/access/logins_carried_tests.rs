//! What a login carries beside its name: each change of it is another login.

use std::collections::BTreeSet;

use remit_sdk::Value;
use remit_sdk::access::{Evaluate, Login};

use super::testing::{Things, entity};
use crate::Vault;

/// The entity `a`, whose role and alias on `gh` have these attributes, too.
fn jwt(role: &[(&str, &str)], alias: &[(&str, &str)]) -> Things {
    let of_role = [
        ("mount", "gh"),
        ("name", "a"),
        ("user_claim", "sub"),
        ("bound_subject", "s"),
    ];
    let of_alias = [("mount", "gh"), ("name", "s"), ("canonical_id", "e-1")];
    Things::default()
        .with("issuer.gh", "vault_auth_mount", "gh", &[("type", "jwt")])
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("name", "a"), ("id", "e-1")],
        )
        .with(
            "identity.a",
            "vault_entity_alias",
            "auth/gh/alias/s",
            &[&of_alias, alias].concat(),
        )
        .with(
            "identity.a",
            "vault_jwt_role",
            "auth/gh/role/a",
            &[&of_role, role].concat(),
        )
}

fn ways(things: &Things) -> BTreeSet<Login> {
    let asked = BTreeSet::from([entity("a")]);
    Vault
        .logins(&things.world(), &asked)
        .remove(&entity("a"))
        .unwrap()
}

fn lets_in_more(over: &Things, under: &Things) -> bool {
    let under = ways(under);
    ways(over)
        .iter()
        .any(|way| !under.iter().any(|wide| way.is_within(wide)))
}

#[test]
fn groups_and_metadata_by_claims_are_part_of_a_login() {
    let roles: [&[(&str, &str)]; 9] = [
        &[],
        &[("groups_claim", "groups")],
        &[("groups_claim", "teams")],
        &[("claim_mappings", "{environment: env}")],
        &[("claim_mappings", "{ref: env}")],
        &[("claim_mappings", "{environment: env, ref: branch}")],
        &[("token_policies_template_claims", "true")],
        &[("role_type", "oidc")],
        &[
            ("role_type", "oidc"),
            ("callback_mode", "direct"),
            ("oidc_disable_confirmation", "true"),
        ],
    ];
    for one in &roles {
        for other in &roles {
            let more = lets_in_more(&jwt(one, &[]), &jwt(other, &[]));
            assert_eq!(more, one != other, "{one:?} {other:?}");
        }
    }
}

#[test]
fn custom_metadata_of_the_alias_is_part_of_a_login() {
    let aliases: [&[(&str, &str)]; 5] = [
        &[],
        &[("custom_metadata", "{env: dev}")],
        &[("custom_metadata", "{env: prod}")],
        &[("custom_metadata", "{env: dev, team: x}")],
        // Words that read like two pairs.
        &[("custom_metadata", "{env: dev; custom metadata team is x}")],
    ];
    for one in &aliases {
        for other in &aliases {
            let more = lets_in_more(&jwt(&[], one), &jwt(&[], other));
            assert_eq!(more, one != other, "{one:?} {other:?}");
        }
    }
    assert!(!lets_in_more(
        &jwt(&[], &[("custom_metadata", "{}")]),
        &jwt(&[], &[])
    ));
    // By a method that isn't evaluated, too.
    let ldap = |metadata: &str| {
        Things::default()
            .with("", "vault_auth_mount", "ldap", &[("type", "ldap")])
            .with("identity.a", "vault_entity", "a", &[("id", "e-1")])
            .with(
                "identity.a",
                "vault_entity_alias",
                "auth/ldap/alias/me",
                &[
                    ("canonical_id", "e-1"),
                    ("name", "me"),
                    ("custom_metadata", metadata),
                ],
            )
    };
    assert!(lets_in_more(&ldap("{env: prod}"), &ldap("{env: dev}")));
}

#[test]
fn a_headline_says_what_is_carried() {
    let things = jwt(
        &[
            ("groups_claim", "groups"),
            ("claim_mappings", "{environment: env}"),
        ],
        &[("custom_metadata", "{tier: 1}")],
    );
    let ways = ways(&things);
    let told: Vec<String> = ways.iter().map(Login::headline).collect();
    assert_eq!(
        told,
        [
            "a token (custom metadata \"tier\" is \"1\"; groups by the claim \"groups\"; \
             metadata \"env\" by the claim \"environment\") with sub s"
        ]
    );
}

#[test]
fn another_role_id_is_another_way() {
    let with = |more: &[(&str, &str)]| {
        let role = [("mount", "hosts"), ("name", "a")];
        Things::default()
            .with("", "vault_auth_mount", "hosts", &[("type", "approle")])
            .with(
                "vault_approle_role.a",
                "vault_approle_role",
                "auth/hosts/approle/a",
                &[&role, more].concat(),
            )
    };
    let subject = (
        "vault_approle_role".to_owned(),
        "auth/hosts/approle/a".to_owned(),
    );
    let way = |more: &[(&str, &str)]| {
        let asked = BTreeSet::from([subject.clone()]);
        let found = Vault.logins(&with(more).world(), &asked);
        found.into_values().flatten().next().unwrap()
    };
    let open = ("bind_secret_id", "false");
    let one = way(&[("role_id", "one-guess"), open]);
    for other in [
        way(&[("role_id", "another"), open]),
        way(&[("role_id", "a"), open]),
        way(&[open]),
    ] {
        assert!(
            !one.is_within(&other) && !other.is_within(&one),
            "{other:?}"
        );
    }
    // It may be all that one must know.
    assert!(!one.conditions().join(" ").contains("guess"), "{one:?}");
    let bound = way(&[("role_id", "one-guess")]);
    assert!(bound.is_within(&one) && !one.is_within(&bound));
}

#[test]
fn who_checks_a_token_is_part_of_a_login() {
    let with = |mount: &[(&str, &str)]| {
        let things = jwt(&[], &[]);
        mount.iter().fold(things, |things, (name, value)| {
            things.set("gh", name, Value::string(*value))
        })
    };
    let checked = |things: &Things| {
        let ways = ways(things);
        let mut by = ways.iter().filter_map(|way| way.limits.get("checked by"));
        by.next().cloned().unwrap_or_default()
    };
    assert_eq!(checked(&with(&[])), [].into());
    let version = with(&[("plugin_version", "v1.2.3")]);
    assert_eq!(checked(&version), ["jwt v1.2.3".to_owned()].into());
    let other = with(&[("type", "kubernetes")]);
    assert_eq!(checked(&other), ["kubernetes".to_owned()].into());
}

#[test]
fn leeway_and_the_way_back_of_a_browser_are_part_of_a_login() {
    let leeway = |seconds: i64| {
        jwt(&[], &[]).set(
            "auth/gh/role/a",
            "clock_skew_leeway",
            Value::integer(seconds),
        )
    };
    assert_eq!(ways(&leeway(0)), ways(&jwt(&[], &[])));
    assert!(lets_in_more(&leeway(30), &leeway(0)));
    let mode = |mode: &str| jwt(&[("role_type", "oidc"), ("callback_mode", mode)], &[]);
    assert_eq!(ways(&mode("client")), ways(&mode("")));
    assert!(lets_in_more(&mode("direct"), &mode("client")));
    // A text that says nothing is as none.
    assert_eq!(
        ways(&jwt(&[("token_bound_cidrs", "")], &[])),
        ways(&jwt(&[], &[]))
    );
}

#[test]
fn an_alias_of_another_entity_is_no_way_here() {
    assert_eq!(ways(&jwt(&[], &[])).len(), 1);
    let moved = jwt(&[], &[("canonical_id", "e-2")]);
    assert_eq!(ways(&moved), [].into());
}

#[test]
fn a_role_that_may_yield_the_name_is_a_way() {
    let with = |role: &[(&str, &str)], names: &[&str]| {
        let bound = Value::Map([("team".to_owned(), Value::strings(names.iter().copied()))].into());
        let all = [
            &[("mount", "gh"), ("name", "o"), ("user_claim", "team")],
            role,
        ]
        .concat();
        let things = jwt(&[], &[]).with("", "vault_jwt_role", "auth/gh/role/o", &all);
        ways(&things.set("auth/gh/role/o", "bound_claims", bound)).len()
    };
    assert_eq!(with(&[], &["S", "t"]), 2);
    assert_eq!(with(&[], &["t", "u"]), 1);
    // What a pointer leads to isn't known.
    assert_eq!(with(&[("user_claim_json_pointer", "true")], &["t", "u"]), 2);
}
