//! What the values of templates may hold, policy by policy, and what is told where the server
//! refuses one. What the server does was tried on OpenBao 2.7.2.

use remit_sdk::Value;
use remit_sdk::access::{Certainty, Evaluate as _, Verdict as Answer};

use super::decide_tests::pending;
use super::evaluate_tests::{beyond, permissions};
use super::testing::{Things, can, entity};
use super::tests::{rules, text};
use super::*;
use crate::Vault;

const TEAM: &str = "{{identity.entity.metadata.team}}";
const WILDCARDS: &str = "allow_wildcards_in_identity_templates";
const SLASHES: &str = "allow_slashes_in_identity_templates";

/// An entity `a` of a team, with policies of which `p` lets `flags` be in values; `TEAM` stands
/// for the template.
fn team(team: &str, flags: &[&str], policies: &[(&str, &str)]) -> Things {
    let names: Vec<&str> = policies.iter().map(|(name, _)| *name).collect();
    let mut things = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", &format!("[{}]", names.join(", ")))],
        )
        .set(
            "a",
            "metadata",
            Value::Map([("team".to_owned(), Value::string(team))].into()),
        );
    for (name, lines) in policies {
        things = things.policy(name, &lines.replace("TEAM", TEAM));
    }
    for flag in flags {
        things = things.set("p", flag, Value::Bool(true));
    }
    things
}

fn answer(things: &Things, request: &str) -> String {
    told(can(things, request).verdict)
}

fn told(verdict: Answer) -> String {
    match verdict {
        Answer::Allowed => "yes".to_owned(),
        Answer::Denied(why) => format!("no: {why}"),
        Answer::Depends(on) => format!("perhaps: {}", on.join(", ")),
    }
}

fn refused(character: &str, value: &str) -> String {
    format!(
        "`identity.entity.metadata.team` is `{value}` here, and the server refuses a `{character}` \
         in the value of a template: every request of the token is denied"
    )
}

#[test]
fn a_policy_says_what_its_values_may_hold() {
    let no_rule = "no: no rule matches the path".to_owned();
    let yes = || "yes".to_owned();
    let no = |character: &str, value: &str| format!("no: {}", refused(character, value));
    for (value, flags, path, expected) in [
        ("*", &[WILDCARDS][..], "kv/data/prod/top", yes()),
        ("*", &[WILDCARDS, SLASHES], "kv/data/prod/top", yes()),
        ("*", &[], "kv/data/prod/top", no("*", "*")),
        ("*", &[SLASHES], "kv/data/prod/top", no("*", "*")),
        ("pro*", &[WILDCARDS], "kv/data/prod", yes()),
        ("pro*", &[WILDCARDS], "kv/data/x", no_rule.clone()),
        ("+", &[WILDCARDS], "kv/data/prod", yes()),
        ("+", &[WILDCARDS], "kv/data/prod/top", no_rule.clone()),
        ("+", &[SLASHES], "kv/data/prod", no("+", "+")),
        ("a*b", &[WILDCARDS], "kv/data/axb", no_rule.clone()),
        ("prod/top", &[SLASHES], "kv/data/prod/top", yes()),
        ("prod/top", &[SLASHES], "kv/data/prod", no_rule.clone()),
        (
            "prod/top",
            &[WILDCARDS],
            "kv/data/prod/top",
            no("/", "prod/top"),
        ),
        ("prod/*", &[WILDCARDS, SLASHES], "kv/data/prod/top", yes()),
        ("prod/*", &[WILDCARDS, SLASHES], "kv/data/x/top", no_rule),
        (
            "prod/*",
            &[WILDCARDS],
            "kv/data/prod/top",
            no("/", "prod/*"),
        ),
        ("prod/*", &[SLASHES], "kv/data/prod/top", no("*", "prod/*")),
    ] {
        let things = team(value, flags, &[("p", "kv/data/TEAM: read")]);
        let found = answer(&things, &format!("read {path}"));
        assert_eq!(found, expected, "{value} {flags:?} {path}");
    }
}

#[test]
fn vault_knows_none_of_it() {
    let on_vault = |value: &str, flags: &[&str]| {
        let things = team(value, flags, &[("p", "kv/data/TEAM: read")]);
        let world = things.world_on("Vault 2.0.3");
        let answer = Vault.can(&world, &entity("a"), "read kv/data/prod/top");
        told(answer.unwrap().verdict)
    };
    assert_eq!(on_vault("prod/top", &[]), "yes");
    assert_eq!(
        on_vault("*", &[WILDCARDS, SLASHES]),
        format!("no: {}", refused("*", "*"))
    );
}

#[test]
fn each_policy_speaks_for_itself() {
    let both = [("p", "kv/data/TEAM: read"), ("q", "db/TEAM: read")];
    let things = team("*", &[WILDCARDS], &both);
    let found = can(&things, "read kv/data/x");
    assert_eq!(
        told(found.verdict.clone()),
        format!("no: {}", refused("*", "*"))
    );
    assert!(
        found.path.iter().any(|one| one.contains("`q`")),
        "{found:?}"
    );
    // A value that the server takes can still make a path that it doesn't.
    let things = team("+", &[WILDCARDS], &[("p", "kv/TEAM*: read")]);
    assert!(answer(&things, "read kv/x").contains("`+*`"));
    assert_eq!(permissions(&things).len(), 1, "{:?}", permissions(&things));
}

#[test]
fn what_a_refused_value_holds_back_is_told() {
    let policies = [
        ("p", "kv/data/TEAM: read\nkv/own: list"),
        ("q", "sys/policies/acl/p: update\nsys/audit: read sudo"),
    ];
    let things = team("*", &[], &policies);
    let condition = format!("the server taking the policy `p`: {}", refused("*", "*"));
    assert_eq!(
        permissions(&things),
        [
            format!("list at kv/own if {condition} by scope.p/vault_policy"),
            format!(
                "read at kv/data/{TEAM} if `identity.entity.metadata.team` being known; {condition} \
                 by scope.p/vault_policy"
            ),
            format!("read sudo at sys/audit if {condition} by scope.q/vault_policy"),
            format!("update at sys/policies/acl/p if {condition} by scope.q/vault_policy"),
        ]
    );
    let escalations = |things: &Things| -> Vec<(String, Vec<String>)> {
        let found = Vault.escalations(&things.world(), &entity("a"));
        found
            .into_iter()
            .map(|one| (one.method, one.depends))
            .collect()
    };
    let own = |depends: Vec<String>| vec![("write-own-policy".to_owned(), depends)];
    assert_eq!(escalations(&things), own(vec![condition]));
    let taken = team("*", &[WILDCARDS], &policies);
    assert_eq!(escalations(&taken), own(Vec::new()));
    assert_eq!(
        permissions(&taken).first().unwrap(),
        "list at kv/own by scope.p/vault_policy"
    );
    assert_eq!(
        answer(&things, "update sys/policies/acl/p"),
        format!("no: {}", refused("*", "*"))
    );
}

#[test]
fn root_is_refused_nothing() {
    let things = team(
        "*",
        &[],
        &[("p", "kv/data/TEAM: read"), ("root", "kv/x: read")],
    );
    assert_eq!(answer(&things, "delete sys/raw/x"), "yes");
    let all = permissions(&things);
    assert!(
        all.iter().all(|one| !one.contains("taking the policy")),
        "{all:?}"
    );
    let found = Vault.escalations(&things.world(), &entity("a"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].depends, [""; 0]);
}

#[test]
fn a_refused_value_is_no_gain_and_its_end_is_one() {
    let p = ("p", "kv/data/TEAM: read");
    let some = [p, ("q", "kv/x: read")];
    let more = [p, ("q", "kv/x: read\nkv/y: read")];
    let refused_some = team("*", &[], &some);
    let refused_more = team("*", &[], &more);
    assert_eq!(beyond(&refused_some, &refused_some), [""; 0]);
    assert_eq!(beyond(&refused_some, &refused_more), [""; 0]);
    let condition = format!("the server taking the policy `p`: {}", refused("*", "*"));
    let of_q = |path: &str, more: &str, certainty: &str| {
        format!("read at {path}{more} by scope.q/vault_policy | - | {certainty}")
    };
    let undecided = [of_q(
        "kv/y",
        &format!(" if {condition}"),
        &format!("undecided: it depends on {condition}"),
    )];
    assert_eq!(beyond(&refused_more, &refused_some), undecided);
    // All that was allowed and still would be is no gain, whatever is refused now.
    let narrowed = team("*", &[], &[("p", "db/TEAM: list"), ("q", "kv/x: read")]);
    let before = team("a", &[], &[("p", "db/*: list"), ("q", "kv/x: read")]);
    assert_eq!(beyond(&narrowed, &before), [""; 0]);
    // Every request was denied, so all that is allowed now is gained.
    let taken = team("b", &[], &some);
    assert_eq!(
        beyond(&taken, &refused_more),
        [
            "read at kv/data/b by scope.p/vault_policy | - | surely".to_owned(),
            of_q("kv/x", "", "surely"),
        ]
    );
    // A reason of its own stays.
    let held = [
        p,
        ("q", "kv/x: read; expiration = \"2030-01-01T00:00:00Z\""),
    ];
    let found = beyond(&team("*", &[], &held), &team("*", &[], &some));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("undecided: it depends on the time"),
        "{found:?}"
    );
}

#[test]
fn what_a_database_makes_is_told_where_a_value_is_refused() {
    let with = |value: &str, statement: &str| {
        let statement = format!("[{statement}]");
        let own = [
            ("mount", "db"),
            ("name", "r"),
            ("db_name", "shop"),
            ("creation_statements", statement.as_str()),
        ];
        team(value, &[], &[("p", "kv/TEAM: read\ndb/creds/r: read")]).with(
            "scope.p",
            "vault_database_role",
            "db/roles/r",
            &own,
        )
    };
    let found = |over: &Things, under: &Things| {
        let found = Vault.beyond(&over.world(), &entity("a"), &under.world());
        let of_role = found.into_iter().filter(|excess| {
            matches!(&excess.certainty, Certainty::Undecided(why) if why.contains("other users"))
        });
        of_role
            .map(|excess| excess.permission.conditions)
            .collect::<Vec<_>>()
    };
    let condition = format!("the server taking the policy `p`: {}", refused("*", "*"));
    let refused = BTreeSet::from([condition]);
    assert_eq!(found(&with("*", "ALL"), &with("*", "SELECT")), [refused]);
    assert_eq!(found(&with("*", "ALL"), &with("*", "ALL")), []);
    assert_eq!(
        found(&with("a", "ALL"), &with("a", "SELECT")),
        [BTreeSet::new()]
    );
    // Who was denied everything was given no users.
    assert_eq!(found(&with("a", "ALL"), &with("*", "SELECT")), []);
}

#[test]
fn a_flag_that_isn_t_known_decides_nothing() {
    for flag in [WILDCARDS, SLASHES] {
        let things = team("b", &[], &[("p", "kv/data/TEAM: read")]).set("p", flag, pending());
        let why = format!("`{flag}` of the policy `p` isn't known");
        assert_eq!(answer(&things, "read kv/data/b"), format!("perhaps: {why}"));
        assert_eq!(answer(&things, "read other"), format!("perhaps: {why}"));
        assert_eq!(
            permissions(&things),
            ["anything at all that the policy `p` allows by scope.p/vault_policy"]
        );
        // Where there is nothing to fill in it doesn't matter.
        let plain = team("b", &[], &[("p", "kv/data/b: read")]).set("p", flag, pending());
        assert_eq!(answer(&plain, "read kv/data/b"), "yes");
        assert_eq!(answer(&plain, "read other"), "no: no rule matches the path");
    }
}

// ---- values that aren't known

fn of(policies: &[(&str, Templates)], server: Server) -> Acl {
    let lines = "kv/{{identity.entity.aliases.x.name}}: read";
    let document = crate::policy::parse(&text(lines)).unwrap();
    let policies = policies.iter().map(|(name, templates)| Policy {
        templates: *templates,
        ..Policy::from((*name, &document))
    });
    Acl::new(server, policies, Some(&Identity::default()))
}

#[test]
fn what_an_unknown_value_may_hold_counts() {
    let none = Templates::default();
    let wildcards = Templates {
        allow_wildcards: true,
        ..none
    };
    let slashes = Templates {
        allow_slashes: true,
        ..none
    };
    let both = Templates {
        allow_wildcards: true,
        allow_slashes: true,
    };
    let is_more = |over: &[(&str, Templates)], under: &[(&str, Templates)]| {
        let found = of(over, Server::OpenBao).beyond(&of(under, Server::OpenBao));
        assert!(found.iter().all(
            |one| matches!(&one.finding, Finding::Undecided(why) if why.contains("aliases.x.name"))
        ));
        !found.is_empty()
    };
    for (over, under, more) in [
        (none, none, false),
        (wildcards, none, true),
        (slashes, none, true),
        (both, wildcards, true),
        (both, slashes, true),
        (wildcards, slashes, true),
        (both, both, false),
        (none, both, false),
        (slashes, both, false),
    ] {
        assert_eq!(
            is_more(&[("p", over)], &[("p", under)]),
            more,
            "{over:?} {under:?}"
        );
    }
    // One policy that refuses is enough.
    assert!(!is_more(&[("p", both), ("q", none)], &[("p", none)]));
    assert!(is_more(&[("p", both)], &[("p", both), ("q", none)]));
    assert!(is_more(&[("p", both)], &[("q", none), ("p", both)]));
    // On Vault policies don't say.
    let on_vault = |templates| of(&[("p", templates)], Server::Vault);
    assert_eq!(on_vault(both), on_vault(none));
}

// ---- policies that the server removes

#[test]
fn a_refused_policy_that_expires_leaves_the_others() {
    let identity = Identity::default().with_name("a*");
    let parsed = |lines: &str| crate::policy::parse(&text(lines)).unwrap();
    let bad = parsed("own/{{identity.entity.name}}: read");
    let worse = parsed("db/{{identity.entity.name}}: read");
    let good = parsed("kv/x: read\nkv/y: read; required_parameters = [\"v\"]");
    let until = |name, document, time: &str| Policy {
        expiration: Some(time.to_owned()),
        ..Policy::from((name, document))
    };
    let decide = |policies: Vec<Policy<'_>>, path: &str| {
        let acl = Acl::new(Server::OpenBao, policies, Some(&identity));
        match acl.decide(&Request::new(Operation::Read, path)) {
            Verdict::Allowed { .. } => "yes".to_owned(),
            Verdict::Denied { by, .. } => format!("no, by {by:?}"),
            Verdict::Depends { on, rules, by } => format!("{on:?} {rules:?} {by:?}"),
        }
    };
    let expiring = || vec![until("bad", &bad, "T1"), Policy::from(("good", &good))];
    assert_eq!(
        decide(expiring(), "kv/x"),
        r#"[Expiration("T1")] {"kv/x", "own/{{identity.entity.name}}"} {"bad", "good"}"#
    );
    assert_eq!(
        decide(expiring(), "kv/y"),
        r#"[Parameters, Expiration("T1")] {"kv/y", "own/{{identity.entity.name}}"} {"bad", "good"}"#
    );
    // What no rule allows is denied then, too.
    assert_eq!(decide(expiring(), "other"), r#"no, by {"bad"}"#);
    // One that stays is enough.
    for stays in ["a", "z"] {
        let mut all = expiring();
        all.push(Policy::from((stays, &worse)));
        assert_eq!(decide(all, "kv/x"), format!("no, by {{{stays:?}}}"));
    }
    let mut all = expiring();
    all.push(until("worse", &worse, "T2"));
    assert_eq!(
        decide(all, "kv/x"),
        r#"[Expiration("T1"), Expiration("T2")] {"db/{{identity.entity.name}}", "kv/x", "own/{{identity.entity.name}}"} {"bad", "good", "worse"}"#
    );
    assert!(rules("kv/x: read").refusing().is_none());
}
