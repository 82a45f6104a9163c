//! Ways that lead through the identity store: one's own entity, groups and aliases.

use remit_sdk::access::Evaluate;

use super::escalate_tests::{each, none, of, things, ways};
use super::testing::{Things, entity};
use crate::Vault;

const ELSEWHERE: &str = "an entity that doesn't log in at the same mount yet";

#[test]
fn attaching_policies_to_one_s_own_entity() {
    let way = |rule: &str| format!("edit-own-entity > everything: update@{rule}");
    for rule in [
        "identity/entity",
        "identity/entity/name/a",
        "identity/entity/name/A",
        "identity/entity/name/*",
        "identity/entity/id/id-of-a",
        "identity/entity/id/*",
        "identity/entity/id/+",
    ] {
        assert_eq!(ways(&format!("{rule}: update")), [way(rule)], "{rule}");
        none(&[
            &format!("{rule}: create patch read delete"),
            &format!("{rule}: update;denied_parameters = {{ policies = [] }}"),
            &format!("{rule}: update;allowed_parameters = {{ metadata = [] }}"),
        ]);
    }
    let identities = ["id", "name"];
    for one in identities {
        let lines =
            format!("identity/entity: update;allowed_parameters = {{ {one} = [], policies = [] }}");
        assert_eq!(ways(&lines), [way("identity/entity")], "{one}");
    }
    each(&[
        // One spelling of a name is denied, and the server takes any.
        (
            "identity/entity/name/*: update\nidentity/entity/name/a: deny",
            "edit-own-entity > everything: update@identity/entity/name/*",
        ),
        (
            "identity/entity/name/*: update\nidentity/entity/name/A: deny",
            "edit-own-entity > everything: update@identity/entity/name/*",
        ),
    ]);
    none(&[
        "identity/entity/name/b: update",
        "identity/entity/id/id-of-b: update",
        "identity/entity/batch-delete: update",
        "identity/entity/name/*: update\nidentity/entity/name/a: deny\nidentity/entity/name/A: deny",
    ]);
    // A mixed name in a spelling of its own.
    let mixed = Things::default()
        .with("identity.a", "vault_entity", "ab", &[("policies", "[p]")])
        .policy("p", "identity/entity/name/aB: update");
    assert_eq!(of(&mixed, &entity("ab")), [way("identity/entity/name/aB")]);
    let upper = Things::default()
        .with("identity.a", "vault_entity", "AB", &[("policies", "[p]")])
        .policy("p", "identity/entity/name/ab: update");
    assert_eq!(of(&upper, &entity("AB")), [way("identity/entity/name/ab")]);
    // Where the id isn't known yet, a rule for it may be that of its own.
    let new = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .policy("p", "identity/entity/id/{{identity.entity.id}}: update");
    assert_eq!(
        of(&new, &entity("a")),
        [format!(
            "{}? the value of `identity.entity.id`",
            way("identity/entity/id/{{identity.entity.id}}")
        )]
    );
    let known = ways("identity/entity/id/{{identity.entity.id}}: update");
    assert_eq!(known, [way("identity/entity/id/id-of-a")]);
    // A login without an entity has none to write.
    let alone = Things::default()
        .with(
            "",
            "vault_jwt_role",
            "auth/j/role/x",
            &[
                ("token_policies", "[p]"),
                ("token_no_default_policy", "true"),
            ],
        )
        .policy("p", "identity/entity/*: update");
    let subject = ("vault_jwt_role".to_owned(), "auth/j/role/x".to_owned());
    assert!(
        !of(&alone, &subject)
            .iter()
            .any(|way| way.starts_with("edit-own-entity"))
    );
}

#[test]
fn groups_that_give_any_policy_or_their_own() {
    each(&[
        (
            "identity/group: update",
            "edit-group > everything: update@identity/group",
        ),
        (
            "identity/group/name/*: update",
            "edit-group > everything: update@identity/group/name/*",
        ),
        (
            "identity/group/name/ops: update",
            "edit-group > everything: update@identity/group/name/ops",
        ),
        (
            "identity/group/id/g-9: update",
            "edit-group > everything: update@identity/group/id/g-9? `identity/group/id/g-9` being a group",
        ),
        (
            "identity/group/name/ops: update;denied_parameters = { policies = [] }",
            "join-group > <groups>: update@identity/group/name/ops",
        ),
        (
            "identity/group/id/g-9: update;denied_parameters = { policies = [] }",
            "join-group > <groups>: update@identity/group/id/g-9? `identity/group/id/g-9` being a group",
        ),
        (
            "identity/group: update;allowed_parameters = { id = [], member_entity_ids = [] }",
            "join-group > <groups>: update@identity/group",
        ),
        (
            "identity/group: update;allowed_parameters = { name = [], member_entity_ids = [] }",
            "join-group > <groups>: update@identity/group",
        ),
    ]);
    let way = "edit-group > everything: update@identity/group/id/*";
    assert_eq!(
        ways("identity/group/id/*: update"),
        [format!("{way}? `identity/group/id/…` being a group")]
    );
    none(&[
        "identity/group: create",
        "identity/group/name/*: create patch",
        "identity/group/id/*: create",
        "identity/group/name/ops: update;allowed_parameters = { policies = [], metadata = [] }",
        "identity/group: update;allowed_parameters = { name = [], policies = [] }",
    ]);
    let join = "identity/group/name/x: update;denied_parameters = { policies = [] }";
    let found = Vault.escalations(&things(join).world(), &entity("a"));
    assert_eq!(found[0].how, "makes itself a member of a group");
}

#[test]
fn attaching_policies_to_a_group_that_one_is_in() {
    let grouped = |lines: &str| {
        Things::default()
            .with(
                "identity.a",
                "vault_entity",
                "a",
                &[("policies", "[p]"), ("group_ids", "[g-1]")],
            )
            .policy("p", lines)
    };
    // No new member is needed there.
    for rule in [
        "identity/group/id/g-1",
        "identity/group/id/*",
        "identity/group",
    ] {
        let lines = format!(
            "{rule}: update;denied_parameters = {{ member_entity_ids = [], member_group_ids = [] }}"
        );
        assert_eq!(
            of(&grouped(&lines), &entity("a")),
            [format!("edit-own-group > everything: update@{rule}")]
        );
        let lines = format!("{rule}: create\n{rule}/x: update");
        assert_eq!(of(&grouped(&lines), &entity("a")), [""; 0]);
        let lines = format!("{rule}: update;allowed_parameters = {{ metadata = [] }}");
        assert_eq!(of(&grouped(&lines), &entity("a")), [""; 0]);
    }
    let lines = "identity/group: update;allowed_parameters = { policies = [] }";
    assert_eq!(of(&grouped(lines), &entity("a")), [""; 0]);
    // By its name, in any spelling; where that isn't known it depends.
    let named = |lines: &str| {
        grouped(lines).with(
            "",
            "vault_group",
            "g-1",
            &[("name", "ops"), ("type", "internal"), ("policies", "[q]")],
        )
    };
    for rule in ["ops", "OPS", "oPs", "o*"] {
        let rule = format!("identity/group/name/{rule}");
        let lines = format!("{rule}: update;allowed_parameters = {{ policies = [] }}");
        let way = format!("edit-own-group > everything: update@{rule}");
        assert_eq!(of(&named(&lines), &entity("a")), [way.as_str()]);
        let shown = rule.rsplit('/').next().unwrap().replace("o*", "o…");
        assert_eq!(
            of(&grouped(&lines), &entity("a")),
            [format!("{way}? `{shown}` being a group that it is in")]
        );
    }
    let lines = "identity/group: update;allowed_parameters = { name = [], policies = [] }";
    assert_eq!(
        of(&named(lines), &entity("a")),
        ["edit-own-group > everything: update@identity/group"]
    );
    let lines = "identity/group/name/other: update;allowed_parameters = { policies = [] }";
    assert_eq!(of(&named(lines), &entity("a")), [""; 0]);
    let things = grouped("identity/group/id/g-1: update");
    let found = Vault.escalations(&things.world(), &entity("a"));
    let how: Vec<&str> = found.iter().map(|one| one.how.as_str()).collect();
    assert_eq!(
        how,
        [
            "makes a group with any policy, and itself a member",
            "attaches any policy to a group that it is in",
        ]
    );
}

#[test]
fn pointing_one_s_own_login_at_another_entity() {
    for tree in ["identity/entity-alias", "identity/alias"] {
        for rule in [
            tree.to_owned(),
            format!("{tree}/id/alias-of-a"),
            format!("{tree}/id/*"),
        ] {
            assert_eq!(
                ways(&format!("{rule}: update")),
                [format!(
                    "edit-alias > everything: update@{rule}? {ELSEWHERE}"
                )]
            );
            none(&[
                &format!("{rule}: create"),
                &format!(
                    "{rule}: update;denied_parameters = {{ canonical_id = [], entity_id = [] }}"
                ),
            ]);
            for one in ["canonical_id", "entity_id"] {
                let lines = format!("{rule}: update;denied_parameters = {{ {one} = [] }}");
                assert_eq!(ways(&lines).len(), 1, "{lines}");
            }
        }
        for allowed in ["id = []", "name = [], mount_accessor = []"] {
            let lines =
                format!("{tree}: update;allowed_parameters = {{ canonical_id = [], {allowed} }}");
            assert_eq!(ways(&lines).len(), 1, "{lines}");
            let by_old_name = lines.replace("canonical_id", "entity_id");
            assert_eq!(ways(&by_old_name).len(), 1, "{by_old_name}");
        }
        none(&[
            &format!("{tree}: update;allowed_parameters = {{ canonical_id = [], name = [] }}"),
            &format!("{tree}/id/alias-of-b: update"),
        ]);
        // Its own alias isn't known yet.
        let new = Things::default()
            .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
            .policy("p", &format!("{tree}/id/*: update"));
        assert_eq!(
            of(&new, &entity("a")),
            [format!(
                "edit-alias > everything: update@{tree}/id/*? {ELSEWHERE} and the id of its own alias"
            )]
        );
    }
    none(&["identity/persona: update"]);
}

#[test]
fn merging_one_s_own_entity_into_another() {
    let way = "merge-entities > everything: update@identity/entity/merge";
    let part =
        "identity/entity/merge: update;denied_parameters = { conflicting_alias_ids_to_keep = [] }";
    assert_eq!(ways("identity/entity/merge: update"), [way]);
    assert_eq!(ways(part), [format!("{way}? {ELSEWHERE}")]);
    none(&[
        "identity/entity/merge: create",
        "identity/entity/merge: update;denied_parameters = { from_entity_ids = [] }",
        "identity/entity/merge: update;denied_parameters = { to_entity_id = [] }",
    ]);
}

#[test]
fn a_group_in_a_group_is_a_member_too() {
    let grouped = |lines: &str| {
        Things::default()
            .with(
                "identity.a",
                "vault_entity",
                "a",
                &[("policies", "[p]"), ("group_ids", "[g-1]")],
            )
            .policy("p", lines)
    };
    let member = "update;allowed_parameters = { member_group_ids = []";
    for (lines, way) in [
        (
            format!("identity/group: {member}, name = [], policies = [] }}"),
            "edit-group > everything: update@identity/group",
        ),
        (
            format!("identity/group/name/x: {member}, policies = [] }}"),
            "edit-group > everything: update@identity/group/name/x",
        ),
        (
            format!("identity/group/name/x: {member} }}"),
            "join-group > <groups>: update@identity/group/name/x",
        ),
        (
            format!("identity/group/id/x: {member} }}"),
            "join-group > <groups>: update@identity/group/id/x? `identity/group/id/x` being a group",
        ),
    ] {
        let found = of(&grouped(&lines), &entity("a"));
        assert!(found.iter().any(|one| one == way), "{lines}: {found:?}");
        // Who is in no group has none to put into another.
        none(&[&lines]);
    }
}
