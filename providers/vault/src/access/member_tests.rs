//! Logins that stand for another entity than declared, groups, and policies that are gone.

use std::collections::BTreeSet;

use remit_sdk::Value;
use remit_sdk::access::{Evaluate, Excess, Permission, Verdict, World};

use super::decide_tests::pending;
use super::testing::{Things, can, entity, holder};
use crate::Vault;

/// `a` with an alias that belongs to the entity of this id, and an entity `b` of somebody else.
fn moved(canonical_id: &str) -> Things {
    Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("id", "e-a"), ("policies", "[p]")],
        )
        .with("identity.a", "vault_jwt_role", "auth/j/role/a", ROLE)
        .with(
            "identity.a",
            "vault_entity_alias",
            "auth/j/alias/s",
            &[("canonical_id", canonical_id)],
        )
        .with(
            "",
            "vault_entity",
            "b",
            &[("id", "e-b"), ("policies", "[q]"), ("name", "B")],
        )
        .policy("p", "kv/p: read")
        .policy("q", "kv/q: read\nof/{{identity.entity.name}}: read")
        .policy("r", "kv/r: read")
}

const ROLE: &[(&str, &str)] = &[
    ("token_no_default_policy", "true"),
    ("token_policies", "[r]"),
];

fn paths(world: &World<'_>) -> Vec<String> {
    Vault
        .permissions(world, &entity("a"))
        .into_iter()
        .flat_map(|permission| permission.resources)
        .collect()
}

fn excess_paths(all: Vec<Excess>) -> Vec<String> {
    all.into_iter()
        .flat_map(|excess| excess.permission.resources)
        .collect()
}

#[test]
fn a_login_that_was_moved_has_what_the_other_entity_has() {
    let (own, other) = (moved("e-a"), moved("e-b"));
    assert_eq!(paths(&own.world()), ["kv/p", "kv/r"]);
    assert_eq!(paths(&other.world()), ["kv/q", "kv/r", "of/B"]);
    let (own, other) = (own.world(), other.world());
    let beyond = |over, under| excess_paths(Vault.beyond(over, &entity("a"), under));
    assert_eq!(beyond(&other, &own), ["kv/q", "of/B"]);
    assert_eq!(beyond(&own, &other), ["kv/p"]);
    let answer = can(&moved("e-b"), "read kv/q");
    assert_eq!(answer.verdict, Verdict::Allowed);
    assert_eq!(
        answer.path[1],
        "login `auth/j/alias/s` (belongs to the entity `B`)"
    );
    assert_eq!(can(&moved("e-a"), "read kv/p").path.len(), 3);
    // Whose id isn't known yet is as declared.
    for id in ["", "(known after apply)"] {
        let pending = moved("e-a").with(
            "identity.c",
            "vault_entity_alias",
            "auth/j/alias/c",
            &[("canonical_id", id)],
        );
        assert_eq!(paths(&pending.world()), ["kv/p", "kv/r"]);
    }
    let without_id = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .with(
            "identity.a",
            "vault_entity_alias",
            "auth/j/alias/s",
            &[("canonical_id", "e-b")],
        )
        .policy("p", "kv/p: read");
    assert_eq!(paths(&without_id.world()), ["kv/p"]);
}

#[test]
fn an_entity_that_was_not_read_is_asked_for_and_undecided_until_then() {
    let things = moved("e-z");
    assert_eq!(
        Vault.missing(&things.world()),
        BTreeSet::from([("vault_entity_by_id", "e-z".to_owned())])
    );
    assert_eq!(
        paths(&things.world()),
        ["all that the entity `e-z` gives", "kv/r"]
    );
    let Verdict::Depends(on) = can(&things, "read kv/p").verdict else {
        panic!("decided");
    };
    assert!(on[0].contains("the login `auth/j/alias/s` belongs to the entity `e-z`"));
    // One that is known is followed, and one that is refused is refused.
    assert_eq!(Vault.missing(&moved("e-b").world()), BTreeSet::new());
    let disabled = moved("e-d").with(
        "",
        "vault_entity",
        "d",
        &[("id", "e-d"), ("disabled", "true"), ("group_ids", "[g]")],
    );
    assert_eq!(paths(&disabled.world()), [""; 0]);
    // Its groups count.
    let grouped = moved("e-g").with(
        "",
        "vault_entity",
        "g",
        &[("id", "e-g"), ("group_ids", "[g-1]")],
    );
    assert_eq!(
        Vault.missing(&grouped.world()),
        BTreeSet::from([("vault_group", "g-1".to_owned())])
    );
}

#[test]
fn where_one_of_two_logins_was_moved_both_count() {
    let things = moved("e-b").with(
        "identity.a",
        "vault_entity_alias",
        "auth/k/alias/s",
        &[("canonical_id", "e-a")],
    );
    assert_eq!(
        paths(&things.world()),
        ["all that the entity `e-b` gives", "kv/p", "kv/r"]
    );
}

/// `a` in groups.
fn grouped(ids: &str) -> Things {
    Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[p]"), ("group_ids", ids)],
        )
        .policy("p", "kv/p: read")
        .policy("q", "kv/q: read\ng/{{identity.groups.names.ops.id}}: read")
}

fn with_group(things: Things, id: &str, kind: &str, policies: &str) -> Things {
    things.with(
        "",
        "vault_group",
        id,
        &[("name", "ops"), ("type", kind), ("policies", policies)],
    )
}

#[test]
fn groups_give_their_policies() {
    let unread = grouped("[g-1]");
    assert_eq!(
        Vault.missing(&unread.world()),
        BTreeSet::from([("vault_group", "g-1".to_owned())])
    );
    assert_eq!(
        paths(&unread.world()),
        ["all that the group `g-1` gives", "kv/p"]
    );
    let read = with_group(unread.clone(), "g-1", "internal", "[Q, p, other]");
    assert_eq!(
        Vault.missing(&read.world()),
        BTreeSet::from([("vault_policy", "other".to_owned())])
    );
    let read = with_group(unread.clone(), "g-1", "internal", "[Q, p]");
    assert_eq!(paths(&read.world()), ["g/g-1", "kv/p", "kv/q"]);
    let by_group = can(&read, "read kv/q");
    assert_eq!(
        by_group.path[1],
        "policy `q` (scope.q/vault_policy), by the group `ops`"
    );
    // Held without the group, too.
    assert_eq!(
        can(&read, "read kv/p").path[1],
        "policy `p` (scope.p/vault_policy)"
    );
    let excess = Vault.beyond(&read.world(), &entity("a"), &grouped("[]").world());
    assert_eq!(excess_paths(excess), ["g/g-1", "kv/q"]);
    // Each login decides about these.
    for kind in ["external", "odd"] {
        let other = with_group(unread.clone(), "g-1", kind, "[q]");
        assert_eq!(
            paths(&other.world()),
            ["all that the group `ops` gives", "kv/p"]
        );
        assert!(matches!(
            can(&other, "read kv/q").verdict,
            Verdict::Depends(_)
        ));
    }
    // In another namespace it is not found, and gives what it gives.
    let mut elsewhere = unread.world();
    elsewhere.absent.insert(("vault_group", "g-1"));
    assert_eq!(Vault.missing(&elsewhere), BTreeSet::new());
    assert_eq!(
        paths(&elsewhere),
        ["all that the group `g-1` gives", "kv/p"]
    );
}

#[test]
fn a_policy_that_is_gone_gives_nothing_and_one_that_is_not_known_may_give_anything() {
    let holder = Things::default().with(
        "identity.a",
        "vault_entity",
        "a",
        &[("policies", "[p, q, root-like]")],
    );
    let known = holder
        .clone()
        .policy("p", "kv/p: read")
        .policy("q", "kv/q: read");
    let half = holder.policy("p", "kv/p: read");
    let mut gone = half.world();
    assert_eq!(Vault.missing(&gone).len(), 2);
    gone.absent.insert(("vault_policy", "q"));
    assert_eq!(
        Vault.missing(&gone),
        BTreeSet::from([("vault_policy", "root-like".to_owned())])
    );
    gone.absent.insert(("vault_policy", "root-like"));
    assert_eq!(paths(&gone), ["kv/p"]);
    let again = Vault.beyond(&known.world(), &entity("a"), &gone);
    assert!(excess_paths(again).contains(&"kv/q".to_owned()));
    assert_eq!(
        excess_paths(Vault.beyond(&gone, &entity("a"), &known.world())),
        [""; 0]
    );
    let unread = half.world();
    assert!(paths(&unread).contains(&"all that the policy `q` allows".to_owned()));
    // The policy of this name is no text that could be missing.
    let root = Things::default().with("identity.a", "vault_entity", "a", &[("policies", "[root]")]);
    let mut root = root.world();
    root.absent.insert(("vault_policy", "root"));
    assert_eq!(Vault.permissions(&root, &entity("a")).len(), 1);
}

/// Whoever reads what is missing finds its kind by name, though nobody can declare it.
#[test]
fn what_is_asked_for_has_a_kind() {
    let grouped = moved("e-g").with(
        "",
        "vault_entity",
        "g",
        &[("id", "e-g"), ("group_ids", "[g-1]")],
    );
    for things in [moved("e-z"), grouped] {
        let missing = Vault.missing(&things.world());
        assert_eq!(missing.len(), 1);
        for (name, _) in missing {
            assert!(Vault.held_kinds().iter().any(|kind| kind.name == name));
            assert!(crate::schema::kinds().iter().all(|kind| kind.name != name));
        }
    }
}

#[test]
fn metadata_that_isn_t_known_is_no_metadata_that_isn_t_there() {
    let rules =
        "kv/{{identity.entity.metadata.team}}: read\ndb/{{identity.entity.metadata.x}}: read";
    let paths = |metadata: Value| -> Vec<String> {
        let things = holder(rules).set("a", "metadata", metadata);
        let found = Vault.permissions(&things.world(), &entity("a"));
        let told = |one: Permission| {
            let path = one.resources.first().cloned().unwrap_or_default();
            format!("{path} if {:?}", one.conditions)
        };
        found.into_iter().map(told).collect()
    };
    let unknown = |mount: &str, key: &str| {
        let directive = format!("identity.entity.metadata.{key}");
        format!("{mount}/{{{{{directive}}}}} if {{\"`{directive}` being known\"}}")
    };
    let team = |value: Value| Value::Map([("team".to_owned(), value)].into());
    assert_eq!(paths(team(Value::string("b"))), ["kv/b if {}"]);
    assert_eq!(paths(team(pending())), [unknown("kv", "team")]);
    assert_eq!(
        paths(pending()),
        [unknown("db", "x"), unknown("kv", "team")]
    );
    assert_eq!(paths(Value::Null), [""; 0]);
}
