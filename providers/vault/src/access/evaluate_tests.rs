//! Worlds: who is a subject, what it holds, and what isn't known.

use std::collections::BTreeSet;

use remit_sdk::access::{Answer, Certainty, Evaluate, Permission, Source, Subject, Verdict};

use remit_sdk::Value;

use super::decide_tests::pending;
use super::testing::{Things, can, entity, holder};
use super::tests::text;
use crate::Vault;

/// `read list at kv/* if … by scope.p/vault_policy`.
fn told(permission: &Permission) -> String {
    let join = |all: &BTreeSet<String>| all.iter().cloned().collect::<Vec<_>>().join(" ");
    let conditions = match permission.conditions.len() {
        0 => String::new(),
        _ => format!(
            " if {}",
            permission
                .conditions
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let sources: Vec<String> = permission
        .sources
        .iter()
        .map(|source| match source {
            Source::Object(address) => address.to_string(),
            Source::Foreign(name) => format!("<{name}>"),
        })
        .collect();
    format!(
        "{} at {}{conditions} by {}",
        join(&permission.actions),
        join(&permission.resources),
        sources.join(" ")
    )
}

fn permissions_of(things: &Things, subject: &Subject) -> Vec<String> {
    let found = Vault.permissions(&things.world(), subject);
    found.iter().map(told).collect()
}

pub(super) fn permissions(things: &Things) -> Vec<String> {
    permissions_of(things, &entity("a"))
}

pub(super) fn beyond(over: &Things, under: &Things) -> Vec<String> {
    Vault
        .beyond(&over.world(), &entity("a"), &under.world())
        .iter()
        .map(|excess| {
            let certainty = match &excess.certainty {
                Certainty::Surely => "surely".to_owned(),
                Certainty::Looser(how) => format!("looser: {how}"),
                Certainty::Undecided(why) => format!("undecided: {why}"),
            };
            let example = excess.example.as_deref().unwrap_or("-");
            format!("{} | {example} | {certainty}", told(&excess.permission))
        })
        .collect()
}

#[test]
fn the_provider_is_vault() {
    assert_eq!(Evaluate::provider(&Vault), "vault");
}

#[test]
fn entities_are_subjects_and_so_are_roles_without_one() {
    let things = Things::default()
        .with("identity.a", "vault_entity", "a", &[])
        .with("identity.a", "vault_jwt_role", "auth/j/role/a", &[])
        .with("identity.a", "vault_approle_role", "auth/r/approle/a", &[])
        .with("", "vault_entity", "foreign", &[])
        .with("vault_jwt_role.x", "vault_jwt_role", "auth/j/role/x", &[])
        .with("", "vault_approle_role", "auth/r/approle/y", &[])
        .with(
            "",
            "vault_jwt_role",
            "auth/j/role/policies",
            &[
                ("token_no_default_policy", "true"),
                ("token_policies", "[p]"),
            ],
        )
        .with(
            "",
            "vault_jwt_role",
            "auth/j/role/nothing",
            &[
                ("token_no_default_policy", "true"),
                ("token_policies", "[]"),
            ],
        )
        .policy("p", "kv/a: read");
    let found: Vec<String> = Vault
        .subjects(&things.world())
        .into_iter()
        .map(|(kind, key)| format!("{kind} {key}"))
        .collect();
    assert_eq!(
        found,
        [
            "vault_approle_role auth/r/approle/y",
            "vault_entity a",
            "vault_entity foreign",
            "vault_jwt_role auth/j/role/policies",
            "vault_jwt_role auth/j/role/x",
        ]
    );
}

#[test]
fn what_is_missing_is_the_policies_held_that_the_world_has_not() {
    let things = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[p, ROOT, Other ]")],
        )
        .with(
            "identity.a",
            "vault_jwt_role",
            "auth/j/role/a",
            &[
                ("token_no_default_policy", "true"),
                ("token_policies", "[of-role, p-{{claim}}]"),
            ],
        )
        .with(
            "identity.off",
            "vault_entity",
            "off",
            &[("policies", "[unasked]"), ("disabled", "true")],
        )
        .policy("p", "kv/a: read");
    let found = Vault.missing(&things.world());
    assert_eq!(
        found,
        BTreeSet::from([
            ("vault_policy", "of-role".to_owned()),
            ("vault_policy", "other".to_owned()),
        ])
    );
    let default = Things::default().with("", "vault_jwt_role", "auth/j/role/x", &[]);
    assert_eq!(
        Vault.missing(&default.world()),
        BTreeSet::from([("vault_policy", "default".to_owned())])
    );
}

#[test]
fn permissions_are_the_rules_in_force() {
    let things = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[
                ("policies", "[P, q]"),
                ("metadata", "{team: blue}"),
                ("id", "e-1"),
            ],
        )
        .with(
            "identity.a",
            "vault_jwt_role",
            "auth/j/role/a",
            &[
                ("token_no_default_policy", "true"),
                ("token_policies", "[r]"),
            ],
        )
        .policy(
            "p",
            "kv/*: read list
             kv/{{identity.entity.metadata.team}}/x: update
             id/{{identity.entity.id}}: read
             name/{{identity.entity.name}}: read
             none/{{identity.entity.metadata.other}}: read
             group/{{identity.groups.names.g.id}}: read
             alias/{{identity.entity.aliases.acc.name}}: read
             empty:
             kv/secret/*: deny",
        )
        .with(
            "",
            "vault_policy",
            "q",
            &[("policy", &text("kv/*: read;max_wrapping_ttl = \"1m\""))],
        )
        .policy("r", "role: patch");
    assert_eq!(
        permissions(&things),
        [
            "list read at kv/* if not at kv/secret/*; the response wrapped for at most 60 seconds by scope.p/vault_policy <policy q>",
            "patch at role by scope.r/vault_policy",
            "read at alias/{{identity.entity.aliases.acc.name}} if `identity.entity.aliases.acc.name` being known by scope.p/vault_policy",
            "read at id/e-1 by scope.p/vault_policy",
            "read at name/a by scope.p/vault_policy",
            "update at kv/blue/x by scope.p/vault_policy",
        ]
    );
}

#[test]
fn templates_get_the_name_as_it_is_and_groups_where_there_are_none() {
    let lines = "n/{{identity.entity.name}}: read\ng/{{identity.groups.names.g.id}}: read";
    let things = |attributes: &[(&str, &str)]| {
        Things::default()
            .with("identity.a", "vault_entity", "a", attributes)
            .policy("p", lines)
    };
    let named = things(&[("policies", "[p]"), ("name", "Agent-A")]);
    assert_eq!(
        permissions(&named),
        ["read at n/Agent-A by scope.p/vault_policy"]
    );
    let grouped = things(&[("policies", "[p]"), ("group_ids", "[g-1]")]);
    assert_eq!(
        permissions(&grouped),
        [
            "anything at all that the group `g-1` gives by <group g-1>",
            "read at g/{{identity.groups.names.g.id}} if `identity.groups.names.g.id` being known by scope.p/vault_policy",
            "read at n/a by scope.p/vault_policy",
        ]
    );
    // A token without an entity has no values at all.
    let role = Things::default()
        .with(
            "",
            "vault_jwt_role",
            "auth/j/role/x",
            &[
                ("token_no_default_policy", "true"),
                ("token_policies", "[p]"),
            ],
        )
        .policy("p", "n/{{identity.entity.name}}: read\nkv: read");
    let subject = ("vault_jwt_role".to_owned(), "auth/j/role/x".to_owned());
    assert_eq!(
        permissions_of(&role, &subject),
        ["read at kv by scope.p/vault_policy"]
    );
}

#[test]
fn who_is_not_there_or_disabled_or_refused_can_do_nothing() {
    let things = holder("kv/*: read").with(
        "identity.off",
        "vault_entity",
        "off",
        &[("policies", "[p, later]"), ("disabled", "true")],
    );
    for name in ["off", "nobody"] {
        let subject = entity(name);
        assert_eq!(permissions_of(&things, &subject), [""; 0]);
        assert!(Vault.escalations(&things.world(), &subject).is_empty());
        assert!(
            Vault
                .beyond(&things.world(), &subject, &Things::default().world())
                .is_empty()
        );
        let answer = Vault.can(&things.world(), &subject, "read kv/a").unwrap();
        assert_eq!(
            answer,
            Answer {
                verdict: Verdict::Denied(format!(
                    "vault_entity `{name}` isn't there, or is disabled"
                )),
                path: Vec::new(),
                sources: BTreeSet::new(),
            }
        );
    }
    let enabled = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[p]"), ("disabled", "false")],
        )
        .policy("p", "kv: read");
    assert_eq!(
        permissions(&enabled),
        ["read at kv by scope.p/vault_policy"]
    );
    // One bad path, and the server refuses every request.
    let broken = holder("kv/a: read\nkv/+*: read");
    assert_eq!(
        permissions(&broken),
        [
            "read at kv/a if the server taking the policy `p`: the path `kv/+*` has `+*`, which the \
          server refuses; write `+/*`, or `*` alone by scope.p/vault_policy"
        ]
    );
    assert!(matches!(
        can(&broken, "read kv/a").verdict,
        Verdict::Denied(_)
    ));
}

#[test]
fn parts_that_are_denied_are_told() {
    let things = holder(
        "kv/+/*: read
         kv/a/x: deny
         kv/b*: deny
         other/*: deny
         kv/+/y: read
         +/+/z: deny
         team*: update
         team/deny/+: deny",
    );
    assert_eq!(
        permissions(&things),
        [
            "read at kv/+/* if not at kv/a/x; not at kv/b* by scope.p/vault_policy",
            "read at kv/+/y if not at kv/b* by scope.p/vault_policy",
            "update at team* if not at team/deny/+ by scope.p/vault_policy",
        ]
    );
}

#[test]
fn the_policy_root_is_everything() {
    let things = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[root, p]")],
        )
        .policy("p", "kv/a: read");
    assert_eq!(
        permissions(&things),
        [
            "anything at everything by <policy root>",
            "read at kv/a by scope.p/vault_policy",
        ]
    );
    let answer = can(&things, "delete sys/mounts/kv");
    assert_eq!(answer.verdict, Verdict::Allowed);
    assert_eq!(
        answer.path,
        [
            "vault_entity `a`",
            "policy `root` (not declared here)",
            "path \"*\""
        ]
    );
    // What isn't known takes nothing away from it.
    let grouped = Things::default().with(
        "identity.a",
        "vault_entity",
        "a",
        &[("policies", "[root, later]"), ("group_ids", "[g]")],
    );
    assert_eq!(can(&grouped, "read x").verdict, Verdict::Allowed);
    assert_eq!(beyond(&holder("kv/a: read"), &grouped), [""; 0]);
    let unknown = Things::default().with(
        "identity.a",
        "vault_entity",
        "a",
        &[("policies", "[other]")],
    );
    assert_eq!(beyond(&unknown, &grouped), [""; 0]);
    assert_eq!(
        beyond(&things, &holder("kv/a: read")),
        [
            "create delete list patch read recover scan subscribe sudo update at * by <policy root> | - | surely"
        ]
    );
}

#[test]
fn what_is_beyond_is_told_with_its_conditions() {
    let before = holder("kv/*: read\ndb: update;allowed_parameters = { x = [\"1\"] }");
    let after = holder(
        "kv/*: read update
         kv/a: deny
         db: update;allowed_parameters = { x = [] }
         new: read;pagination_limit = 5",
    );
    let found = beyond(&after, &before);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0].starts_with(
            "read at new if lists of at most 5 keys by scope.p/vault_policy | - | surely"
        ),
        "{found:#?}"
    );
    assert!(
        found[1].starts_with(
            "update at db if only the parameters `x` by scope.p/vault_policy | db | looser: "
        ),
        "{found:#?}"
    );
    assert!(
        found[2].starts_with("update at kv/* if not at kv/a by scope.p/vault_policy | kv/"),
        "{found:#?}"
    );
    assert!(found[2].ends_with(" | surely"));
    assert_eq!(beyond(&after, &after), [""; 0]);
    let none = Things::default();
    assert_eq!(
        beyond(&holder("kv: read"), &none),
        ["read at kv by scope.p/vault_policy | - | surely"]
    );
    assert_eq!(beyond(&none, &holder("kv: read")), [""; 0]);
    let time = holder("kv: read;expiration = \"2030-01-01T00:00:00Z\"");
    let expiring = beyond(&time, &holder("x: read"));
    assert!(
        expiring
            .iter()
            .any(|line| line.contains("undecided: it depends on the time")),
        "{expiring:#?}"
    );
}

#[test]
fn what_is_not_known_is_undecided_and_never_nothing() {
    let held = |policies: &str, text: &str, groups: &str| {
        let things = Things::default().with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", policies), ("group_ids", groups)],
        );
        if text.is_empty() {
            things
        } else {
            things.with("scope.p", "vault_policy", "p", &[("policy", text)])
        }
    };
    // A policy whose name is known after apply gives what nobody can tell.
    let unnamed = held("[]", "", "[]").set("a", "policies", Value::List(vec![pending()]));
    let why = &beyond(&unnamed, &held("[]", "", "[]"))[0];
    assert!(why.contains("undecided: "), "{why}");
    assert_ne!(permissions(&unnamed), [""; 0]);
    let no_text = held("[p]", "", "[]");
    let unknown = "anything at all that the policy `p` allows by <policy p>";
    assert_eq!(permissions(&no_text), [unknown]);
    assert_eq!(
        beyond(&no_text, &held("[]", "", "[]")),
        [format!(
            "{unknown} | - | undecided: the text of the policy `p` isn't known"
        )]
    );
    // The same on both sides is no more, and another text is.
    assert_eq!(beyond(&no_text, &no_text), [""; 0]);
    let bad = held("[p]", "path {", "[]");
    let worse = held("[p]", "path {{", "[]");
    assert_eq!(
        permissions(&bad),
        ["anything at all that the policy `p` allows by scope.p/vault_policy"]
    );
    assert_eq!(beyond(&bad, &bad), [""; 0]);
    assert_eq!(beyond(&bad, &worse).len(), 1);
    let why = &beyond(&bad, &no_text)[0];
    assert!(
        why.contains("undecided: the policy `p` can't be evaluated: "),
        "{why}"
    );
    let grouped = held("[]", "", "[g, h]");
    assert_eq!(
        beyond(&grouped, &held("[]", "", "[h]")),
        [
            "anything at all that the group `g` gives by <group g> | - | undecided: the entity is in the group `g`, which couldn't be read"
        ]
    );
    // Either way, the answer depends on it.
    let whys = Verdict::Depends(vec!["the text of the policy `p` isn't known".to_owned()]);
    assert_eq!(can(&no_text, "read kv/a").verdict, whys);
    let partly = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p, q]")])
        .policy("q", "kv/a: read\nkv/b: read;min_wrapping_ttl = \"5s\"");
    assert_eq!(can(&partly, "read kv/a").verdict, whys);
    assert_eq!(
        can(&partly, "read kv/b").verdict,
        Verdict::Depends(vec![
            "whether the response is wrapped, for 5 seconds or more".to_owned(),
            "the text of the policy `p` isn't known".to_owned(),
        ])
    );
}

#[test]
fn the_server_decides_how_lists_are_compared() {
    let things = holder("kv/a: update;mfa_methods = [\"m\"]");
    let conditions = |server: &str| {
        let world = things.world_on(server);
        let found = Vault.permissions(&world, &entity("a"));
        found[0].conditions.clone()
    };
    assert_eq!(conditions("OpenBao 2.7.2"), BTreeSet::new());
    assert_eq!(conditions(""), BTreeSet::new());
    assert_eq!(
        conditions("Vault 2.0.3"),
        BTreeSet::from(["after multi-factor login by m".to_owned()])
    );
    let none = Things::default();
    let under = none.world_on("Vault 2.0.3");
    assert_eq!(Vault.beyond(&things.world(), &entity("a"), &under).len(), 1);
}

#[test]
fn a_role_alone_holds_its_own_policies() {
    let things = Things::default()
        .with(
            "",
            "vault_approle_role",
            "auth/r/approle/x",
            &[("token_policies", "[p]")],
        )
        .policy("p", "kv: read")
        .policy("default", "self: read");
    let subject = (
        "vault_approle_role".to_owned(),
        "auth/r/approle/x".to_owned(),
    );
    assert_eq!(
        permissions_of(&things, &subject),
        [
            "read at kv by scope.p/vault_policy",
            "read at self by scope.default/vault_policy",
        ]
    );
    // Attributes called `policies` and `group_ids` are an entity's alone.
    let odd = Things::default()
        .with(
            "",
            "vault_approle_role",
            "auth/r/approle/x",
            &[("policies", "[q]"), ("token_no_default_policy", "true")],
        )
        .policy("q", "kv: read");
    assert_eq!(permissions_of(&odd, &subject), [""; 0]);
}

#[test]
fn is_administrative_and_escalations_are_asked_of_their_modules() {
    let things = holder("sys/policies/acl/p: update");
    let world = things.world();
    let permissions = Vault.permissions(&world, &entity("a"));
    let why = Vault.is_administrative(&permissions[0]).unwrap();
    assert!(why.starts_with("`update` at `sys/policies/acl/p` changes "));
    let harmless = Vault.permissions(&holder("kv: read").world(), &entity("a"));
    assert_eq!(Vault.is_administrative(&harmless[0]), None);
    let found = Vault.escalations(&world, &entity("a"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].method, "write-own-policy");
}

/// A policy that isn't understood stands for whatever it gives; what is known stands for itself.
#[test]
fn what_can_not_be_evaluated_is_told_from_what_can() {
    let stands_for = |actions: &str, resources: &str| {
        let text = |one: &str| BTreeSet::from([one.to_owned()]);
        Vault.stands_for(&Permission {
            actions: text(actions),
            resources: text(resources),
            conditions: BTreeSet::new(),
            sources: BTreeSet::new(),
        })
    };
    let all = "all that the policy `p` allows";
    assert_eq!(stands_for("anything", all).as_deref(), Some(all));
    assert_eq!(stands_for("anything", "everything"), None);
    assert_eq!(stands_for("read", all), None);
}
