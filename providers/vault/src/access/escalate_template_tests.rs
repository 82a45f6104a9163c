//! Ways to fill the templates of one's own policies with other values. Tried on OpenBao 2.7.2.

use remit_sdk::access::Evaluate as _;

use super::escalate_tests::{of, things};
use super::testing::{Things, entity};
use crate::Vault;

const SECRET: &str = "kv/data/{{identity.entity.metadata.team}}/*";

fn of_metadata(things: &Things) -> Vec<String> {
    let mut found = of(things, &entity("a"));
    found.retain(|way| way.starts_with("edit-own-metadata"));
    found
}

/// What is found where a rule for this path is held, and others.
fn with(path: &str, lines: &str) -> Vec<String> {
    of_metadata(&things(&format!("{path}: read\n{lines}")))
}

fn way(path: &str, rule: &str) -> String {
    format!("edit-own-metadata > <others in {path}>: update@{rule}")
}

#[test]
fn metadata_of_one_s_own_entity_fill_templates() {
    for rule in [
        "identity/entity",
        "identity/entity/name/a",
        "identity/entity/name/A",
        "identity/entity/id/id-of-a",
        "identity/entity/id/*",
        "identity/persona",
        "identity/persona/id/id-of-a",
        "identity/persona/*",
    ] {
        let denied = "denied_parameters = { policies = [] }";
        assert_eq!(
            with(SECRET, &format!("{rule}: update;{denied}")),
            [way(SECRET, rule)]
        );
        for lines in [
            format!("{rule}: create patch read delete"),
            format!("{rule}: update;denied_parameters = {{ metadata = [] }}"),
            format!("{rule}: update;allowed_parameters = {{ disabled = [] }}"),
        ] {
            assert_eq!(with(SECRET, &lines), [""; 0], "{lines}");
        }
        // Without a template in it the rule stays what it is.
        for path in [
            "kv/data/team/*",
            "kv/data/{{identity.entity.id}}/*",
            "kv/data/{{identity.entity.metadata}}/*",
            "kv/data/{{identity.entity.aliases.acc.custom_metadata.team}}/*",
            "kv/data/{{identity.entity.aliases.acc.metadata.team}}/*",
            "kv/data/{{identity.entity.aliases.acc.id}}/*",
            "kv/data/{{identity.groups.names.g.metadata.team}}/*",
            "kv/data/{{time.now}}/*",
        ] {
            let lines =
                format!("{rule}: update;denied_parameters = {{ policies = [], name = [] }}");
            assert_eq!(with(path, &lines), [""; 0], "{path}");
        }
    }
    for tree in ["identity/entity", "identity/persona"] {
        for one in ["id", "name"] {
            let lines =
                format!("{tree}: update;allowed_parameters = {{ {one} = [], metadata = [] }}");
            assert_eq!(with(SECRET, &lines), [way(SECRET, tree)]);
        }
        let lines = format!("{tree}: update;allowed_parameters = {{ metadata = [] }}");
        assert_eq!(with(SECRET, &lines), [""; 0]);
    }
    let write = "identity/entity/name/a: update;denied_parameters = { policies = [] }";
    assert_eq!(with("", write), [""; 0]);
    assert_eq!(
        of_metadata(&things(&format!("{SECRET}: deny\n{write}"))),
        [""; 0]
    );
    // Another directive of the path may be one that stays.
    let both = "kv/data/{{identity.entity.id}}/{{ identity.entity.metadata.team }}";
    assert_eq!(with(both, write), [way(both, "identity/entity/name/a")]);
    for lines in [
        "identity/entity/name/b: update",
        "identity/entity/id/id-of-b: update",
        "identity/persona/id/id-of-b: update",
    ] {
        assert_eq!(with(SECRET, lines), [""; 0], "{lines}");
    }
    let things = things(&format!("{SECRET}: read\n{write}"));
    let found = Vault.escalations(&things.world(), &entity("a"));
    assert_eq!(
        found[0].how,
        format!("fills the template in `{SECRET}` with another value")
    );
    // A login without an entity has no metadata.
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
        .policy("p", &format!("{SECRET}: read\n{write}"));
    let subject = ("vault_jwt_role".to_owned(), "auth/j/role/x".to_owned());
    assert_eq!(of(&alone, &subject), [""; 0]);
}

#[test]
fn another_name_of_one_s_own_entity_fills_templates() {
    let path = "kv/data/{{identity.entity.name}}";
    for rule in [
        "identity/entity",
        "identity/entity/id/id-of-a",
        "identity/entity/name/red",
        "identity/entity/name/*",
        "identity/persona",
        "identity/persona/id/id-of-a",
    ] {
        let denied = "denied_parameters = { policies = [], metadata = [] }";
        assert_eq!(
            with(path, &format!("{rule}: update;{denied}")),
            [way(path, rule)],
            "{rule}"
        );
        let named = "denied_parameters = { policies = [], name = [], id = [] }";
        for lines in [
            format!("{rule}: update;{named}"),
            format!("{rule}: create patch"),
        ] {
            assert_eq!(with(path, &lines), [""; 0], "{lines}");
        }
    }
    for lines in [
        // Its own name, in whatever spelling.
        "identity/entity/name/a: update",
        "identity/entity/name/A: update",
        "identity/entity/id/id-of-b: update",
        "identity/entity: update;allowed_parameters = { name = [] }",
        "identity/entity: update;allowed_parameters = { id = [] }",
        "identity/entity: update;allowed_parameters = { id = [], name = [\"a\"] }",
    ] {
        assert_eq!(with(path, lines), [""; 0], "{lines}");
    }
}

#[test]
fn one_s_own_alias_fills_templates() {
    let at = |what: &str| format!("kv/data/{{{{identity.entity.aliases.acc.{what}}}}}");
    let denied = "denied_parameters = { canonical_id = [], entity_id = []";
    let metadata = at("custom_metadata.team");
    for rule in [
        "identity/entity-alias",
        "identity/entity-alias/id/alias-of-a",
    ] {
        assert_eq!(
            with(&metadata, &format!("{rule}: update;{denied} }}")),
            [way(&metadata, rule)]
        );
        for lines in [
            format!("{rule}: update;{denied}, custom_metadata = [] }}"),
            format!("{rule}: create patch"),
        ] {
            assert_eq!(with(&metadata, &lines), [""; 0], "{lines}");
        }
    }
    let plain = |allowed: &str| {
        with(
            &metadata,
            &format!(
                "identity/entity-alias: update;allowed_parameters = {{ custom_metadata = [], {allowed} }}"
            ),
        )
    };
    assert_eq!(plain("id = []").len(), 1);
    assert_eq!(plain("name = [], mount_accessor = []").len(), 1);
    assert_eq!(plain("name = []"), [""; 0]);
    assert_eq!(plain("mount_accessor = []"), [""; 0]);
    for lines in [
        "identity/alias/id/alias-of-a: update",
        "identity/alias: update",
        "identity/entity-alias/id/alias-of-b: update",
    ] {
        assert_eq!(with(&metadata, lines), [""; 0], "{lines}");
    }
    let name = at("name");
    for tree in ["identity/entity-alias", "identity/alias"] {
        for rule in [tree.to_owned(), format!("{tree}/id/alias-of-a")] {
            assert_eq!(
                with(&name, &format!("{rule}: update;{denied} }}")),
                [way(&name, &rule)]
            );
            for lines in [
                format!("{rule}: update;{denied}, name = [] }}"),
                format!("{rule}: create patch"),
            ] {
                assert_eq!(with(&name, &lines), [""; 0], "{lines}");
            }
        }
        let lines = format!("{tree}: update;allowed_parameters = {{ name = [] }}");
        assert_eq!(with(&name, &lines), [""; 0]);
    }
    for what in ["id", "metadata.team"] {
        assert_eq!(with(&at(what), "identity/entity-alias/*: update"), [""; 0]);
    }
    // Its own alias isn't known yet.
    let new = Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .policy("p", &format!("{name}: read\nidentity/alias/id/*: update"));
    assert_eq!(
        of_metadata(&new),
        [way(&name, "identity/alias/id/*") + "? the id of its own alias"]
    );
}

#[test]
fn metadata_of_a_group_that_one_is_in_fill_templates() {
    let grouped = |path: &str, lines: &str| {
        let world = Things::default()
            .with(
                "identity.a",
                "vault_entity",
                "a",
                &[("policies", "[p]"), ("group_ids", "[g-1]")],
            )
            .with(
                "",
                "vault_group",
                "g-1",
                &[("name", "ops"), ("type", "internal")],
            )
            .policy("p", &format!("{path}: read\n{lines}"));
        of_metadata(&world)
    };
    let by = |group: &str| format!("kv/data/{{{{identity.groups.{group}}}}}");
    let denied = "denied_parameters = { policies = [] }";
    for group in ["names.ops.metadata.team", "ids.g-1.metadata.team"] {
        let path = by(group);
        for rule in [
            "identity/group",
            "identity/group/id/g-1",
            "identity/group/name/ops",
        ] {
            assert_eq!(
                grouped(&path, &format!("{rule}: update;{denied}")),
                [way(&path, rule)]
            );
            let lines = format!("{rule}: update;denied_parameters = {{ metadata = [] }}");
            assert_eq!(grouped(&path, &lines), [""; 0]);
        }
        let lines = "identity/group/id/g-2: update\nidentity/group/name/dev: update";
        assert_eq!(grouped(&path, lines), [""; 0]);
    }
    for group in [
        "names.dev.metadata.team",
        "ids.g-2.metadata.team",
        "names.ops.id",
        "ids.g-1.name",
    ] {
        assert_eq!(
            grouped(&by(group), "identity/group/id/g-1: update"),
            [""; 0]
        );
    }
}
