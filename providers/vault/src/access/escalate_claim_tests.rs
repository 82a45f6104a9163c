//! Ways to be taken for another by the claims that a login role reads. Tried on OpenBao 2.7.2 with
//! tokens of an issuer of one's own.

use remit_sdk::access::Evaluate as _;

use super::escalate_tests::{none, of, role, told};
use super::testing::{Things, entity};
use crate::Vault;

const DENIED: &str = "denied_parameters = { policies = [], token_policies = [] }";
const CLAIM: &str = "the issuer letting it choose that claim";

/// `a` and `b` log in at the jwt mount `j`, where a role `s` is nobody's, `c` elsewhere.
fn claims(lines: &str) -> Things {
    let mut things = Things::default().policy("p", lines);
    for (name, mount, kind) in [
        ("a", "j", "vault_jwt_role"),
        ("b", "j", "vault_jwt_role"),
        ("c", "r", "vault_approle_role"),
    ] {
        let identity = format!("identity.{name}");
        let between = if mount == "j" { "role" } else { "approle" };
        things = things
            .with(
                &identity,
                "vault_entity",
                name,
                &[("policies", if name == "b" { "[]" } else { "[p]" })],
            )
            .with(
                &identity,
                kind,
                &format!("auth/{mount}/{between}/{name}"),
                &role(mount, name),
            )
            .with(
                &identity,
                "vault_entity_alias",
                &format!("auth/{mount}/alias/{name}"),
                &[("mount", mount), ("name", name)],
            );
    }
    things.with("", "vault_jwt_role", "auth/j/role/s", &role("j", "s"))
}

fn found(lines: &str) -> Vec<String> {
    of(&claims(lines), &entity("a"))
}

#[test]
fn whoever_writes_which_claim_names_the_entity_is_any_that_logs_in_there() {
    let way = |by: &str| format!("edit-user-claim > vault_entity b: {by}");
    assert_eq!(
        found(&format!("auth/j/role/a: update;{DENIED}")),
        [way(&format!("update@auth/j/role/a? {CLAIM}"))]
    );
    for bound in ["bound_subject", "bound_audiences", "bound_claims"] {
        let allowed = |rights: &str, role: &str| {
            found(&format!(
                "auth/j/role/{role}: {rights};allowed_parameters = {{ role_type = [], user_claim = [], {bound} = [] }}"
            ))
        };
        assert!(
            allowed("update", "b").contains(&way(&format!("update@auth/j/role/b? {CLAIM}"))),
            "{bound}"
        );
        assert!(
            allowed("create", "n*").contains(&way(&format!("create@auth/j/role/n*? {CLAIM}"))),
            "{bound}"
        );
        assert!(
            allowed("update", "n").contains(&way(&format!(
                "update@auth/j/role/n? `auth/j/role/n` being there already and {CLAIM}"
            ))),
            "{bound}"
        );
    }
    // Its own role lets it in as it is.
    assert_eq!(
        found(
            "auth/j/role/a: update;allowed_parameters = { role_type = [\"jwt\"], user_claim = [] }"
        ),
        [way(&format!("update@auth/j/role/a? {CLAIM}"))]
    );
    for lines in [
        "auth/j/role/a: create",
        "auth/j/role/a: update;allowed_parameters = { user_claim = [] }",
        "auth/j/role/a: update;allowed_parameters = { role_type = [] }",
        "auth/j/role/a: update;allowed_parameters = { role_type = [], user_claim = [\"sub\"] }",
        "auth/j/role/b: update;allowed_parameters = { role_type = [], user_claim = [] }",
        "auth/j/role/b: update;allowed_parameters = { role_type = [], bound_audiences = [] }",
        "auth/j/role/n*: create;allowed_parameters = { role_type = [], user_claim = [] }",
        "auth/j/role/n*: create;allowed_parameters = { role_type = [], user_claim = [\"sub\"], bound_audiences = [] }",
        "auth/r/role/c: update;allowed_parameters = { role_type = [], user_claim = [], bound_audiences = [] }",
    ] {
        assert_eq!(found(lines), [""; 0], "{lines}");
    }
    let things = claims(&format!("auth/j/role/a: update;{DENIED}"));
    let all = Vault.escalations(&things.world(), &entity("a"));
    assert_eq!(
        all[0].how,
        "writes which claim names the entity in a login role of `j`"
    );
    // From elsewhere it takes what the mount's issuer gives, too.
    let lines = format!("auth/j/role/b: update;{DENIED}");
    assert_eq!(
        of(&claims(&lines), &entity("c")),
        ["vault_entity a", "vault_entity b"].map(|gain| format!(
            "edit-user-claim > {gain}: update@auth/j/role/b? a credential that `j` accepts and {CLAIM}"
        ))
    );
    // Whoever makes a role with any policy needs no entity.
    let any = found("auth/j/role/n*: create");
    assert_eq!(
        any,
        ["write-login-role > everything: create@auth/j/role/n*"]
    );
}

#[test]
fn an_alias_is_that_of_the_entity_that_it_names() {
    let lines = format!("auth/j/role/a: update;{DENIED}");
    let gains = |things: &Things| -> Vec<String> {
        let found = of(things, &entity("a")).into_iter();
        found
            .map(|way| way.split(": ").next().unwrap().to_owned())
            .collect()
    };
    let with = |id: &str| {
        let alias = [("mount", "j"), ("name", "x"), ("canonical_id", id)];
        let things = claims(&lines).with(
            "",
            "vault_entity",
            "o",
            &[("id", "id-of-o"), ("policies", "[]")],
        );
        gains(&things.with("", "vault_entity_alias", "auth/j/alias/x", &alias))
    };
    let b = "edit-user-claim > vault_entity b".to_owned();
    assert_eq!(
        with("id-of-o"),
        [b.clone(), "edit-user-claim > vault_entity o".to_owned()]
    );
    assert_eq!(
        with("id-of-another"),
        [b, "edit-user-claim > <the login auth/j/alias/x>".to_owned()]
    );
}

#[test]
fn whoever_writes_which_claim_names_groups_is_in_those_that_it_names() {
    let rule = "auth/j/role/a: update;denied_parameters = { policies = [], token_policies = [], user_claim = [] }";
    let of_type = |rule: &str, kind: &str| {
        let group = [("type", kind), ("name", "g")];
        of(
            &claims(rule).with("", "vault_group", "g-1", &group),
            &entity("a"),
        )
    };
    let way = format!(
        "edit-groups-claim > <groups>: update@auth/j/role/a? an external group that gives more and {CLAIM}"
    );
    assert_eq!(of_type(rule, "external"), [way.as_str()]);
    assert_eq!(of_type(rule, "internal"), [""; 0]);
    let denied = rule.replace("user_claim = []", "user_claim = [], groups_claim = []");
    assert_eq!(of_type(&denied, "external"), [""; 0]);
    // A new role takes a claim for the entity, too.
    let new = |claims: &str| {
        of_type(
            &format!(
                "auth/j/role/n*: create;allowed_parameters = {{ role_type = [], bound_claims = [], groups_claim = [] {claims} }}"
            ),
            "external",
        )
    };
    assert_eq!(new(", user_claim = [\"sub\"]").len(), 1);
    assert_eq!(new(""), [""; 0]);
    // A login that names groups shows that there are some.
    let named = claims(rule).set(
        "auth/j/role/s",
        "groups_claim",
        remit_sdk::Value::string("groups"),
    );
    assert_eq!(of(&named, &entity("a")), [way.as_str()]);
    let how = Vault.escalations(&named.world(), &entity("a"));
    assert_eq!(
        how[0].how,
        "writes which claim names groups in a login role of `j`"
    );
}

#[test]
fn groups_that_a_login_names() {
    let claims = |declaration: &str, claim: &str, lines: &str| {
        let attributes = [("mount", "j"), ("name", "a"), ("groups_claim", claim)];
        let world = Things::default()
            .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
            .with(declaration, "vault_jwt_role", "auth/j/role/a", &attributes)
            .policy("p", lines);
        let found = Vault.escalations(&world.world(), &entity("a"));
        if let Some(one) = found.first() {
            assert_eq!(
                one.how,
                "lets a group that its login names stand for another"
            );
        }
        told(&found)
    };
    let rule = "identity/group-alias: update";
    // The tokens have the policy `default`, too, which isn't known and writes nothing.
    assert_eq!(
        claims("identity.a", "groups", rule),
        [
            "edit-group-alias > <groups>: update@identity/group-alias? an external group that gives more"
        ]
    );
    assert_eq!(claims("identity.a", "", rule), [""; 0]);
    assert_eq!(claims("identity.b", "groups", rule), [""; 0]);
    assert_eq!(
        claims("identity.a", "groups", "identity/group-alias: create"),
        [""; 0]
    );
    let way = |rule: &str, more: &str| {
        format!(
            "edit-group-alias > <groups>: update@identity/group-alias{rule}? {more}an external group that gives more"
        )
    };
    for one in ["mount_accessor", "name"] {
        let lines = format!("{rule};denied_parameters = {{ {one} = [] }}");
        assert_eq!(claims("identity.a", "groups", &lines), [""; 0], "{one}");
    }
    // An alias that is there keeps its group under another name.
    for (limits, more) in [
        ("denied_parameters = { id = [] }", None),
        (
            "denied_parameters = { canonical_id = [] }",
            Some(" and the id of its alias"),
        ),
    ] {
        let found = claims("identity.a", "groups", &format!("{rule};{limits}"));
        let told = way("", "") + more.unwrap_or_default();
        assert_eq!(found, [told]);
    }
    let lines = format!("{rule};denied_parameters = {{ id = [], canonical_id = [] }}");
    assert_eq!(claims("identity.a", "groups", &lines), [""; 0]);
    for (id, shown) in [("g-9", "g-9"), ("*", "…"), ("+", "…")] {
        let by_id = format!("identity/group-alias/id/{id}: update");
        let more = format!("`identity/group-alias/id/{shown}` being an alias of a group and ");
        let rule = format!("/id/{id}");
        for limits in [
            "denied_parameters = { canonical_id = [] }",
            "allowed_parameters = { mount_accessor = [], name = [] }",
        ] {
            assert_eq!(
                claims("identity.a", "groups", &format!("{by_id};{limits}")),
                [way(&rule, &more)]
            );
        }
        for one in ["mount_accessor", "name"] {
            let lines = format!("{by_id};denied_parameters = {{ {one} = [] }}");
            assert_eq!(claims("identity.a", "groups", &lines), [""; 0], "{one}");
        }
        assert_eq!(claims("identity.a", "", &by_id), [""; 0]);
        let made = by_id.replace("update", "create patch");
        assert_eq!(claims("identity.a", "groups", &made), [""; 0]);
    }
    none(&[rule]);
}
