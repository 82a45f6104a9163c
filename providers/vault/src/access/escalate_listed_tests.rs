//! Rules that list the values of a parameter: what of them is more than is held.

use remit_sdk::access::Evaluate as _;

use super::escalate_tests::{each, none, of, things};
use super::testing::{Things, entity};
use crate::Vault;

#[test]
fn policies_that_a_rule_lists_are_gained_where_they_are_not_held() {
    let policies = |listed: &str| {
        format!("identity/entity/name/a: update;allowed_parameters = {{ policies = [{listed}] }}")
    };
    let way = |gain: &str| format!("edit-own-entity > <{gain}>: update@identity/entity/name/a");
    for (listed, gain) in [
        (r#""adm""#, "the policy adm"),
        (r#""adm", "ops""#, "the policy adm and the policy ops"),
        (r#""*", "adm""#, "the policy adm"),
        (r#""p", "adm""#, "the policy adm"),
        (r#""p, adm""#, "the policy adm"),
        (r#""adm,,""#, "the policy adm"),
        (r#"5, "adm""#, "the policy adm"),
    ] {
        each(&[(&policies(listed), &way(gain))]);
    }
    none(&[
        &policies(r#""p""#),
        &policies(r#""P""#),
        &policies(r#"" p ,""#),
        &policies("5"),
        &policies(r#""*""#),
        "identity/entity/name/a: update;allowed_parameters = { policies = [\"adm\"] };denied_parameters = { policies = [\"a*\"] }",
    ]);
    // One that is denied is none.
    each(&[(
        "identity/entity/name/a: update;allowed_parameters = { policies = [\"adm\", \"ops\"] };denied_parameters = { policies = [\"adm\"] }",
        &way("the policy ops"),
    )]);
    let found = Vault.escalations(&things(&policies(r#""adm""#)).world(), &entity("a"));
    assert_eq!(
        found[0].how,
        "attaches any policy to its own entity, of those that the rule lists"
    );
}

/// The server takes a text for a list at its commas after it has compared the whole with the rule.
#[test]
fn a_beginning_that_a_rule_lists_is_any_policy() {
    for listed in [
        r#""admin*""#,
        r#""*admin""#,
        r#""*admin*""#,
        r#""adm", "ops*""#,
        r#""*adm", "ops""#,
    ] {
        let line = format!(
            "identity/entity/name/a: update;allowed_parameters = {{ policies = [{listed}] }}"
        );
        each(&[(
            &line,
            "edit-own-entity > everything: update@identity/entity/name/a",
        )]);
    }
}

#[test]
fn a_way_to_any_policy_comes_before_one_to_those_that_are_listed() {
    each(&[(
        "identity/entity/name/a: update;allowed_parameters = { policies = [\"adm\"] }
         identity/entity/id/*: update;expiration = \"2030-01-01T00:00:00Z\"",
        "edit-own-entity > everything: update@identity/entity/id/*? the time: the rule counts until 2030-01-01T00:00:00Z",
    )]);
}

#[test]
fn each_way_that_gives_policies_gives_those_that_are_listed() {
    let listed = "the policy adm";
    for (rule, parameter, method) in [
        ("auth/r/role/a", "token_policies", "write-login-role"),
        ("auth/r/role/a/policies", "policies", "write-login-role"),
        ("auth/token/create", "policies", "create-token"),
        ("identity/entity", "policies", "edit-own-entity"),
        ("identity/group/name/x", "policies", "edit-group"),
    ] {
        let rights = if method == "create-token" {
            "update sudo"
        } else {
            "update"
        };
        let lines = format!(
            "{rule}: {rights};allowed_parameters = {{ name = [], member_entity_ids = [], {parameter} = [\"adm\"] }}"
        );
        let found = of(&things(&lines), &entity("a"));
        let way = format!("{method} > <{listed}>: update@{rule}");
        assert!(found.contains(&way), "{lines}: {found:?}");
        let all = format!("{method} > everything");
        assert!(!found.iter().any(|one| one.starts_with(&all)), "{found:?}");
    }
    let role = |limits: &str| {
        format!(
            "auth/token/roles/x*: create;allowed_parameters = {{ {limits} }}\nauth/token/create/x*: update"
        )
    };
    for parameter in ["allowed_policies", "allowed_policies_glob"] {
        let found = of(
            &things(&role(&format!("{parameter} = [\"adm\"]"))),
            &entity("a"),
        );
        let way = format!(
            "write-token-role > <{listed}>: create@auth/token/roles/x*, update@auth/token/create/x*"
        );
        assert!(found.contains(&way), "{found:?}");
    }
    each(&[(
        "auth/z/map/teams/x*: create;allowed_parameters = { value = [\"adm\"] }",
        "write-login-role > <the policy adm>: create@auth/z/map/teams/x*? `z` being an auth mount of type github and a credential that `z` accepts",
    )]);
    let grouped = |listed: &str| {
        let lines = format!(
            "identity/group/id/g-1: update;allowed_parameters = {{ policies = [\"{listed}\"] }}"
        );
        let world = Things::default()
            .with(
                "identity.a",
                "vault_entity",
                "a",
                &[("policies", "[p]"), ("group_ids", "[g-1]")],
            )
            .policy("p", &lines);
        of(&world, &entity("a"))
    };
    assert_eq!(
        grouped("adm"),
        ["edit-own-group > <the policy adm>: update@identity/group/id/g-1"]
    );
    assert_eq!(grouped("p"), [""; 0]);
}

#[test]
fn a_policy_of_the_same_name_in_another_namespace_is_another() {
    each(&[(
        "ns1/auth/token/create: update sudo;allowed_parameters = { policies = [\"p\"] }",
        "create-token > <the policy p in the namespace ns1>: update@ns1/auth/token/create? `ns1` being a namespace",
    )]);
}

#[test]
fn entities_that_a_rule_lists_are_gained_where_they_are_others() {
    let way = |method: &str, rule: &str, listed: &str, more: &str| {
        let gain = "the entity id-of-b";
        let lines = format!(
            "{rule}: update;allowed_parameters = {{ from_entity_ids = [], conflicting_alias_ids_to_keep = [], id = [], {listed} = [\"id-of-b\"] }}"
        );
        each(&[(&lines, &format!("{method} > <{gain}>: update@{rule}{more}"))]);
        none(&[&lines.replace("id-of-b", "id-of-a")]);
    };
    let elsewhere = "? an entity that doesn't log in at the same mount yet";
    way(
        "merge-entities",
        "identity/entity/merge",
        "to_entity_id",
        "",
    );
    for rule in ["identity/entity-alias", "identity/alias/id/alias-of-a"] {
        way("edit-alias", rule, "canonical_id", elsewhere);
        way("edit-alias", rule, "entity_id", elsewhere);
    }
}

#[test]
fn oneself_may_be_the_member_that_a_rule_lists() {
    let listed = |member: &str, id: &str| {
        format!(
            "identity/group/name/x: update;allowed_parameters = {{ policies = [], {member} = [\"{id}\"] }}"
        )
    };
    let way = "edit-group > everything: update@identity/group/name/x";
    each(&[(&listed("member_entity_ids", "id-of-a"), way)]);
    none(&[
        &listed("member_entity_ids", "id-of-b"),
        &listed("member_group_ids", "g-1"),
    ]);
    let grouped = |id: &str| {
        let world = Things::default()
            .with(
                "identity.a",
                "vault_entity",
                "a",
                &[("policies", "[p]"), ("group_ids", "[g-1, g-2]")],
            )
            .policy("p", &listed("member_group_ids", id));
        let mut found = of(&world, &entity("a"));
        found.retain(|way| way.starts_with("edit-group"));
        found
    };
    assert_eq!(grouped("g-1"), [way]);
    assert_eq!(grouped("g-2"), [way]);
    assert_eq!(grouped("g-3"), [""; 0]);
}
