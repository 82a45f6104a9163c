//! Who logs in: what counts as a way, in which words, and what makes it another one.

use std::collections::BTreeSet;

use remit_sdk::Value;
use remit_sdk::access::{Evaluate, Login, Subject, Thing, World};
use remit_sdk::value::Pending;

use super::testing::{Things, entity};
use crate::{Vault, schema};

const SUBJECT: &str = "repo:org/x:environment:production";
const ROLE: &str = "auth/gh/role/a";

fn alias() -> String {
    format!("auth/gh/alias/{SUBJECT}")
}

/// A mount `gh` with its config, and the entity `a` with its alias there.
fn base() -> Things {
    believing(&[
        ("bound_issuer", "https://issuer"),
        ("oidc_discovery_url", "https://issuer"),
    ])
    .with(
        "identity.a",
        "vault_entity",
        "a",
        &[("name", "a"), ("id", "e-1")],
    )
    .with(
        "identity.a",
        "vault_entity_alias",
        &alias(),
        &[("mount", "gh"), ("name", SUBJECT), ("canonical_id", "e-1")],
    )
}

fn believing(config: &[(&str, &str)]) -> Things {
    Things::default()
        .with(
            "issuer.gh",
            "vault_auth_mount",
            "gh",
            &[("path", "gh"), ("type", "jwt")],
        )
        .with("issuer.gh", "vault_jwt_config", "auth/gh/config", config)
}

/// A role of `gh` with these attributes beside its name.
fn role(things: Things, key: &str, more: &[(&str, &str)]) -> Things {
    let name = key.rsplit('/').next().unwrap();
    let mut attributes = vec![("mount", "gh"), ("name", name)];
    attributes.extend(more);
    things.with("identity.a", "vault_jwt_role", key, &attributes)
}

const OWN: &[(&str, &str)] = &[
    ("user_claim", "sub"),
    ("bound_subject", SUBJECT),
    ("bound_audiences", "[https://vault]"),
    ("bound_claims", "{repository: org/x}"),
];

fn own() -> Things {
    role(base(), ROLE, OWN)
}

fn ways_of(world: &World<'_>, subject: &Subject) -> BTreeSet<Login> {
    let asked = BTreeSet::from([subject.clone()]);
    Vault.logins(world, &asked).remove(subject).unwrap()
}

fn ways(things: &Things) -> BTreeSet<Login> {
    ways_of(&things.world(), &entity("a"))
}

/// Each way in a line.
fn told(things: &Things) -> Vec<String> {
    let all = ways(things);
    all.iter()
        .map(|way| format!("{} | {}", way.headline(), way.conditions().join("; ")))
        .collect()
}

/// Whether one side lets somebody in whom the other doesn't.
fn lets_in_more(over: &Things, under: &Things) -> bool {
    let under = ways(under);
    let is_new = |way: &Login| !under.iter().any(|wide| way.is_within(wide));
    ways(over).iter().any(is_new)
}

#[test]
fn a_way_says_all_that_decides() {
    assert_eq!(
        told(&own()),
        [
            "a token with sub repo:org/x:environment:production | alg RS256; aud https://vault; \
          claim repository org/x; iss https://issuer; signed by keys discovered at https://issuer"
        ]
    );
    let all = ways(&own());
    assert_eq!(all.first().unwrap().at, "role a on auth/gh");
    assert!(Vault.logins(&own().world(), &BTreeSet::new()).is_empty());
    assert!(ways_of(&own().world(), &entity("nobody")).is_empty());
}

#[test]
fn what_is_changed_is_another_way() {
    let with = |more: &[(&str, &str)]| {
        let mut all = OWN.to_vec();
        all.retain(|(name, _)| !more.iter().any(|(other, _)| name == other));
        all.extend(more);
        role(base(), ROLE, &all)
    };
    let wider: [&[(&str, &str)]; 11] = [
        &[("bound_audiences", "[https://vault, other]")],
        &[("bound_audiences", "[other]")],
        &[("bound_claims", "{repository: org/y}")],
        &[("bound_claims", "{}")],
        &[("bound_claims_type", "glob")],
        &[("bound_subject", "")],
        &[("user_claim", "repository_owner"), ("bound_subject", "")],
        &[
            ("user_claim", "sub"),
            ("user_claim_json_pointer", "true"),
            ("bound_subject", ""),
        ],
        &[("role_type", "oidc")],
        &[
            ("bound_claims", "{repository: org/x, ref: main}"),
            ("bound_audiences", "[]"),
        ],
        &[("bound_subject", ""), ("bound_claims", "{}")],
    ];
    for more in wider {
        assert!(lets_in_more(&with(more), &own()), "{more:?}");
    }
    let narrower: [&[(&str, &str)]; 4] = [
        &[("user_claim", "repository_owner")],
        &[("bound_claims", "{repository: org/x, ref: main}")],
        &[("token_bound_cidrs", "[10.0.0.0/8]")],
        &[],
    ];
    for more in narrower {
        assert!(!lets_in_more(&with(more), &own()), "{more:?}");
    }
    // Narrower, and back.
    assert!(lets_in_more(&own(), &with(narrower[1])));
    assert!(lets_in_more(&own(), &with(narrower[2])));
    // Another subject isn't this alias's, so nobody comes at all.
    assert_eq!(told(&with(&[("bound_subject", "repo:evil/y")])), [""; 0]);
}

#[test]
fn whom_the_mount_believes_counts() {
    let believing = |config: &[(&str, &str)]| {
        let things = believing(config)
            .with("identity.a", "vault_entity", "a", &[("id", "e-1")])
            .with(
                "identity.a",
                "vault_entity_alias",
                &alias(),
                &[("mount", "gh"), ("name", SUBJECT), ("canonical_id", "e-1")],
            );
        role(things, ROLE, OWN)
    };
    let keys =
        |keys: &'static str| believing(&[("bound_issuer", "i"), ("jwt_validation_pubkeys", keys)]);
    assert!(!lets_in_more(&keys("[k1]"), &keys("[k1, k2]")));
    assert!(lets_in_more(&keys("[k1, k2]"), &keys("[k1]")));
    assert!(lets_in_more(&keys("[k3]"), &keys("[k1]")));
    // How lines are broken is no other key, and the key itself isn't shown.
    assert!(!lets_in_more(&keys("[k 1]"), &keys("[k1]")));
    assert!(
        !told(&keys("[k1]"))[0].contains("k1"),
        "{:?}",
        told(&keys("[k1]"))
    );
    let ways: [&[(&str, &str)]; 8] = [
        &[("bound_issuer", "i"), ("oidc_discovery_url", "https://i")],
        &[("oidc_discovery_url", "https://i")],
        &[("bound_issuer", "i"), ("oidc_discovery_url", "https://j")],
        &[
            ("bound_issuer", "i"),
            ("oidc_discovery_url", "https://i"),
            ("oidc_discovery_ca_pem", "c"),
        ],
        &[("bound_issuer", "i"), ("jwks_url", "https://i")],
        &[
            ("bound_issuer", "i"),
            ("jwks_url", "https://i"),
            ("jwks_ca_pem", "c"),
        ],
        &[
            ("bound_issuer", "i"),
            ("oidc_discovery_url", "https://i"),
            ("override_allowed_server_names", "[j]"),
        ],
        &[
            ("bound_issuer", "i"),
            ("oidc_discovery_url", "https://i"),
            ("jwt_supported_algs", "[RS256, ES256]"),
        ],
    ];
    let base = believing(ways[0]);
    for other in &ways[1..] {
        assert!(lets_in_more(&believing(other), &base), "{other:?}");
    }
    assert!(
        !lets_in_more(&base, &believing(ways[1])),
        "an issuer more is a limit"
    );
    // Nothing is known of it, which is neither more nor less than something.
    let unread = Things::default()
        .with("identity.a", "vault_entity", "a", &[("id", "e-1")])
        .with(
            "identity.a",
            "vault_entity_alias",
            &alias(),
            &[("mount", "gh"), ("name", SUBJECT), ("canonical_id", "e-1")],
        );
    let unread = role(unread, ROLE, OWN);
    assert!(
        told(&unread)[0].contains("auth/gh/config (not read)"),
        "{:?}",
        told(&unread)
    );
    assert!(lets_in_more(&unread, &base) && lets_in_more(&base, &unread));
    assert!(!lets_in_more(&unread, &unread));
}

#[test]
fn a_role_of_others_that_yields_the_name_is_a_way_too() {
    let with = |more: &[(&str, &str)]| {
        let attributes: Vec<_> = [("mount", "gh"), ("name", "z")]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        own().with(
            "vault_jwt_role.z",
            "vault_jwt_role",
            "auth/gh/role/z",
            &attributes,
        )
    };
    let ways: [(&[(&str, &str)], &str); 5] = [
        (
            &[("user_claim", "sub")],
            "a token with sub, case aside, repo:org/x",
        ),
        (
            &[("user_claim", "email")],
            "a token with email, case aside, repo:org/x",
        ),
        (
            &[
                ("user_claim", "job"),
                ("bound_claims", "{job: repo:org/*}"),
                ("bound_claims_type", "glob"),
            ],
            "a token with job, case aside, repo:org/x",
        ),
        (
            &[("user_claim", "email"), ("bound_subject", "somebody")],
            "a token with email, case aside, repo:org/x",
        ),
        (
            &[
                ("user_claim", "sub"),
                ("bound_subject", "REPO:org/x:environment:production"),
            ],
            "a token with sub REPO:org/x",
        ),
    ];
    for (more, head) in ways {
        let found = told(&with(more));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found.iter().any(|way| way.starts_with(head)),
            "{head}: {found:?}"
        );
        assert!(lets_in_more(&with(more), &own()));
    }
    let others: [&[(&str, &str)]; 4] = [
        &[("user_claim", "sub"), ("bound_subject", "repo:org/y")],
        &[("user_claim", "job"), ("bound_claims", "{job: other}")],
        &[
            ("user_claim", "job"),
            ("bound_claims", "{job: x*}"),
            ("bound_claims_type", "glob"),
        ],
        &[("user_claim", "job"), ("bound_claims", "{job: repo:org/*}")],
    ];
    for more in others {
        assert_eq!(told(&with(more)), told(&own()), "{more:?}");
    }
}

#[test]
fn an_alias_elsewhere_leads_to_it() {
    let more = own()
        .with("", "vault_auth_mount", "evil", &[("type", "jwt")])
        .with(
            "",
            "vault_jwt_config",
            "auth/evil/config",
            &[("jwks_url", "https://evil")],
        )
        .with(
            "vault_entity_alias.e",
            "vault_entity_alias",
            "auth/evil/alias/me",
            &[("canonical_id", "e-1"), ("name", "me")],
        )
        .with(
            "vault_jwt_role.e",
            "vault_jwt_role",
            "auth/evil/role/e",
            &[("user_claim", "name")],
        );
    let found = told(&more);
    assert_eq!(
        found[0],
        "a token with name, case aside, me | alg RS256; signed by keys at https://evil"
    );
    assert_eq!(found.len(), 2);
    // Of another entity it is nobody's business here.
    let other = own().with(
        "",
        "vault_entity_alias",
        "auth/gh/alias/me",
        &[("canonical_id", "e-2")],
    );
    assert_eq!(told(&other), told(&own()));
    // By a method that nothing is known of, or at a mount that isn't known.
    let ldap = own()
        .with("", "vault_auth_mount", "ldap", &[("type", "ldap")])
        .with(
            "",
            "vault_entity_alias",
            "auth/ldap/alias/me",
            &[("canonical_id", "e-1"), ("name", "me")],
        )
        .with(
            "",
            "vault_entity_alias",
            "auth/x/alias/me",
            &[("canonical_id", "e-1"), ("name", "me")],
        );
    let found = told(&ldap);
    assert_eq!(
        found[0],
        "a login at auth/ldap (ldap) that isn't evaluated with the name me | "
    );
    assert_eq!(
        found[1],
        "a login at auth/x that isn't evaluated with the name me | "
    );
}

#[test]
fn an_approle_is_its_secret_ids() {
    let with = |more: &[(&str, &str)]| {
        let attributes: Vec<_> = [("mount", "hosts"), ("name", "a")]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        Things::default()
            .with(
                "issuer.h",
                "vault_auth_mount",
                "hosts",
                &[("type", "approle")],
            )
            .with("identity.a", "vault_entity", "a", &[("id", "e-1")])
            .with(
                "identity.a",
                "vault_entity_alias",
                "auth/hosts/alias/a",
                &[("mount", "hosts"), ("name", "a"), ("canonical_id", "e-1")],
            )
            .with(
                "identity.a",
                "vault_approle_role",
                "auth/hosts/approle/a",
                &attributes,
            )
    };
    let own = with(&[("role_id", "a"), ("bind_secret_id", "true")]);
    assert_eq!(
        told(&own),
        ["the role-id of auth/hosts/approle/a with a secret-id of it | role-id a"]
    );
    let open = with(&[("role_id", "a"), ("bind_secret_id", "false")]);
    assert!(lets_in_more(&open, &own) && !lets_in_more(&own, &open));
    let near = with(&[("role_id", "a"), ("secret_id_bound_cidrs", "[10.0.0.0/8]")]);
    assert!(lets_in_more(&own, &near) && !lets_in_more(&near, &own));
    assert_eq!(told(&with(&[("role_id", "b")])), [""; 0]);
    // A role-id that isn't known may be this one.
    assert_eq!(told(&with(&[])).len(), 1);
}

#[test]
fn who_is_disabled_or_has_no_entity() {
    let disabled = role(
        believing(&[]).with(
            "identity.a",
            "vault_entity",
            "a",
            &[("id", "e-1"), ("disabled", "true")],
        ),
        ROLE,
        OWN,
    )
    .with(
        "identity.a",
        "vault_entity_alias",
        &alias(),
        &[("mount", "gh"), ("name", SUBJECT), ("canonical_id", "e-1")],
    );
    assert_eq!(told(&disabled), [""; 0]);
    let alone = believing(&[("bound_issuer", "i")]).with(
        "vault_jwt_role.z",
        "vault_jwt_role",
        "auth/gh/role/z",
        &[
            ("user_claim", "sub"),
            ("bound_audiences", "[v]"),
            ("mount", "gh"),
        ],
    );
    let subject = ("vault_jwt_role".to_owned(), "auth/gh/role/z".to_owned());
    let found = ways_of(&alone.world(), &subject);
    let way = found.first().unwrap();
    assert_eq!(
        (way.headline().as_str(), way.at.as_str()),
        ("a token", "role z on auth/gh")
    );
    assert_eq!(
        way.conditions(),
        ["alg RS256", "aud v", "iss i", "signed by no key"]
    );
}

#[test]
fn what_is_known_after_apply_is_said() {
    // What a plan has for an entity that is made, or of which nothing is read.
    let things = base();
    let entity_address = "identity.a/vault_entity".parse().unwrap();
    let made = |canonical: Value, subject: Value| {
        let mut world = things.world();
        let mut entity = world
            .thing("vault_entity", "a")
            .copied()
            .unwrap()
            .attributes
            .clone();
        entity.remove("id");
        let mut alias = world
            .of_kind("vault_entity_alias")
            .next()
            .unwrap()
            .attributes
            .clone();
        alias.insert("canonical_id".into(), canonical);
        let role: std::collections::BTreeMap<String, Value> = [
            ("mount".to_owned(), Value::string("gh")),
            ("user_claim".to_owned(), Value::string("sub")),
            ("bound_subject".to_owned(), subject),
        ]
        .into();
        let at = |kind: &str| format!("identity.a/{kind}").parse().unwrap();
        let key = self::alias();
        let addresses = [
            at("vault_entity"),
            at("vault_entity_alias"),
            at("vault_jwt_role"),
        ];
        let all = [
            ("vault_entity", "a", &entity),
            ("vault_entity_alias", &key, &alias),
            ("vault_jwt_role", ROLE, &role),
        ];
        for ((kind, key, attributes), address) in all.iter().zip(&addresses) {
            world.add(Thing {
                kind: schema::kind(kind).unwrap(),
                key,
                attributes,
                address: Some(address),
            });
        }
        ways_of(&world, &super::testing::entity("a"))
            .iter()
            .map(Login::headline)
            .collect::<Vec<_>>()
    };
    let own = Value::Pending(Pending::attribute(entity_address, "id"));
    let other = Value::Pending(Pending::attribute(
        "identity.b/vault_entity".parse().unwrap(),
        "id",
    ));
    let any = Value::Pending(Pending::attribute(
        "vault_entity.b/vault_entity".parse().unwrap(),
        "name",
    ));
    let known = || Value::string(SUBJECT);
    let headline = format!("a token with sub {SUBJECT}");
    assert_eq!(made(own.clone(), known()), std::slice::from_ref(&headline));
    assert_eq!(
        made(Value::string("e-9"), known()),
        std::slice::from_ref(&headline),
        "declared with it"
    );
    assert_eq!(made(other, known()), [""; 0]);
    assert_eq!(made(any, known()), std::slice::from_ref(&headline));
    assert_eq!(
        made(
            own.clone(),
            Value::Pending(Pending::attribute("x.y/z".parse().unwrap(), "q"))
        ),
        [format!("a token with sub, case aside, {SUBJECT}")]
    );
}
