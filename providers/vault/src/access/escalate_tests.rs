//! Ways that permissions add up to more, and what stands in the way. What each takes was tried on
//! OpenBao 2.7.2 with a token that holds no more than the rules written here.

use remit_sdk::access::{Escalation, Evaluate, Gain, Source, Subject};

use super::testing::{Things, entity};
use crate::Vault;

/// An entity `a` with the policy `p` and an approle login, and an agent `b` on the same mount.
pub(super) fn things(lines: &str) -> Things {
    Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[p]"), ("id", "id-of-a")],
        )
        .with(
            "identity.a",
            "vault_entity_alias",
            "auth/r/alias/a",
            &[("id", "alias-of-a")],
        )
        .with(
            "identity.a",
            "vault_approle_role",
            "auth/r/approle/a",
            &role("r", "a"),
        )
        .with("identity.b", "vault_entity", "b", &[])
        .with(
            "identity.b",
            "vault_approle_role",
            "auth/r/approle/b",
            &role("r", "b"),
        )
        .policy("p", lines)
}

pub(super) fn role<'a>(mount: &'a str, name: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("mount", mount),
        ("name", name),
        ("role_id", name),
        ("token_no_default_policy", "true"),
        ("token_policies", "[]"),
    ]
}

/// `method > gain: update@rule, create@rule? what it depends on`, how it is done left out.
pub(super) fn told(found: &[Escalation]) -> Vec<String> {
    found
        .iter()
        .map(|one| {
            let gain = match &one.gain {
                Gain::Everything => "everything".to_owned(),
                Gain::Subject(kind, key) => format!("{kind} {key}"),
                Gain::Foreign(name) => format!("<{name}>"),
            };
            let by: Vec<String> = one
                .by
                .iter()
                .map(|by| {
                    let actions: Vec<&str> = by.actions.iter().map(String::as_str).collect();
                    let rules: Vec<&str> = by.resources.iter().map(String::as_str).collect();
                    format!("{}@{}", actions.join(" "), rules.join(" "))
                })
                .collect();
            let depends = match one.depends.as_slice() {
                [] => String::new(),
                all => format!("? {}", all.join(" and ")),
            };
            format!("{} > {gain}: {}{depends}", one.method, by.join(", "))
        })
        .collect()
}

pub(super) fn of(things: &Things, subject: &Subject) -> Vec<String> {
    told(&Vault.escalations(&things.world(), subject))
}

pub(super) fn ways(lines: &str) -> Vec<String> {
    of(&things(lines), &entity("a"))
}

/// Each of these rules gives this way and no other.
pub(super) fn each(cases: &[(&str, &str)]) {
    for (lines, way) in cases {
        assert_eq!(ways(lines), [*way], "{lines}");
    }
}

/// None of these gives any way.
pub(super) fn none(cases: &[&str]) {
    for lines in cases {
        assert_eq!(ways(lines), [""; 0], "{lines}");
    }
}

#[test]
fn agents_that_read_secrets_and_keep_themselves_alive_have_none() {
    none(&[
        "",
        "kv/data/a/*: create read update patch delete list",
        "database/creds/a: read",
        "auth/token/lookup-self: read",
        "auth/token/renew-self: update",
        "auth/token/create: update",
        "auth/token/create: create sudo",
        "auth/token/create: read sudo",
        "auth/token/create-orphan: update",
        "sys/leases/renew: update",
        "sys/policies/acl/*: read list",
        "identity/*: read list create",
        "auth/r/role/*: read list",
        "sys/auth/r/tune: update sudo",
        "sys/mounts/*: update sudo",
        "identity/mfa/*: update",
        "identity/oidc/*: update",
        "sys/policies/detailed/acl/p: update",
        "*: read list",
    ]);
}

#[test]
fn the_policy_root_is_one_way_and_needs_no_other() {
    let things =
        Things::default().with("identity.a", "vault_entity", "a", &[("policies", "[root]")]);
    let found = Vault.escalations(&things.world(), &entity("a"));
    assert_eq!(told(&found), ["root > everything: anything@everything"]);
    assert_eq!(found[0].how, "holds the policy `root`");
    let by = found[0].by.first().unwrap();
    assert_eq!(
        by.sources,
        [Source::Foreign("policy root".to_owned())].into()
    );
}

#[test]
fn writing_a_policy_that_one_holds() {
    each(&[
        (
            "sys/policies/acl/p: update",
            "write-own-policy > everything: update@sys/policies/acl/p",
        ),
        (
            "sys/policies/acl/*: update",
            "write-own-policy > everything: update@sys/policies/acl/*",
        ),
        (
            "sys/policies/acl/p: patch",
            "write-own-policy > everything: patch@sys/policies/acl/p",
        ),
        (
            "sys/policy/p: update",
            "write-own-policy > everything: update@sys/policy/p",
        ),
        (
            "sys/policies/acl/p: update;allowed_parameters = { policy = [] }",
            "write-own-policy > everything: update@sys/policies/acl/p",
        ),
    ]);
    none(&[
        "sys/policies/acl/p: create read delete list",
        "sys/policy/p: create patch",
        "sys/policies/acl/other: update",
        "sys/policies/acl/P: update",
        "sys/policies/acl/*: update\nsys/policies/acl/p: deny",
        "sys/policies/acl/p: update;denied_parameters = { policy = [] }",
        "sys/policies/acl/p: update;denied_parameters = { \"*\" = [] }",
        "sys/policies/acl/p: update;allowed_parameters = { cas = [] }",
        "sys/policies/acl/p: update;allowed_parameters = { policy = [\"path \\\"x\\\" {}\"] }",
    ]);
    let found = Vault.escalations(&things("sys/policies/acl/p: update").world(), &entity("a"));
    assert_eq!(found[0].how, "writes the policy `p`, which it holds");
    let address = "scope.p/vault_policy".parse().unwrap();
    assert_eq!(
        found[0].by.first().unwrap().sources,
        [Source::Object(address)].into()
    );
    // A policy that is held and isn't there yet can be made.
    let more = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[p, later]")],
        )
        .policy("p", "sys/policies/acl/later: update");
    assert_eq!(
        of(&more, &entity("a")),
        ["write-own-policy > everything: update@sys/policies/acl/later"]
    );
    // Vault patches no policies.
    let patch = things("sys/policies/acl/p: patch");
    let on_vault = Vault.escalations(&patch.world_on("Vault 2.0.3"), &entity("a"));
    assert_eq!(told(&on_vault), [""; 0]);
}

#[test]
fn a_policy_that_names_its_version_takes_that_parameter() {
    let guarded = |lines: &str| {
        Things::default()
            .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
            .with(
                "scope.p",
                "vault_policy",
                "p",
                &[
                    ("policy", &super::tests::text(lines)),
                    ("cas_required", "true"),
                ],
            )
    };
    for (limits, count) in [("policy = []", 0), ("policy = [], cas = []", 1)] {
        let lines = format!("sys/policies/acl/p: update;allowed_parameters = {{ {limits} }}");
        assert_eq!(of(&guarded(&lines), &entity("a")).len(), count, "{lines}");
    }
}

#[test]
fn what_somebody_can_choose_is_chosen() {
    let way = "write-own-policy > everything: update@sys/policies/acl/p";
    each(&[
        (
            "sys/policies/acl/p: update;required_parameters = [\"x\", \"y\"]",
            way,
        ),
        (
            "sys/policies/acl/p: update;required_parameters = [\"x\"];allowed_parameters = { x = [\"a-*\"], policy = [] }",
            way,
        ),
        (
            "sys/policies/acl/p: update;required_parameters = [\"x\"];allowed_parameters = { x = [\"*\"], policy = [] }",
            way,
        ),
        ("sys/policies/acl/p: update;min_wrapping_ttl = \"5s\"", way),
        ("sys/policies/acl/p: update;max_wrapping_ttl = \"1s\"", way),
        (
            "sys/policies/acl/p: update;min_wrapping_ttl = \"5s\";max_wrapping_ttl = \"5s\"",
            way,
        ),
        (
            "sys/policies/acl/p: update;expiration = \"2030-01-01T00:00:00Z\"",
            "write-own-policy > everything: update@sys/policies/acl/p? the time: the rule counts until 2030-01-01T00:00:00Z",
        ),
        // A name may be any that the rule lists, and a way with one limit less is surer.
        (
            "identity/group: update;allowed_parameters = { name = [\"team-*\"], policies = [], member_entity_ids = [] }",
            "edit-group > everything: update@identity/group",
        ),
        (
            "sys/policies/acl/p: update;expiration = \"2030-01-01T00:00:00Z\"\nsys/policy/p: update",
            "write-own-policy > everything: update@sys/policy/p",
        ),
    ]);
    none(&[
        "sys/policies/acl/p: update;required_parameters = [\"x\"];denied_parameters = { x = [] }",
        "sys/policies/acl/p: update;required_parameters = [\"x\"];allowed_parameters = { policy = [] }",
        "sys/policies/acl/p: update;required_parameters = [\"x\"];allowed_parameters = { x = [5], policy = [] }",
    ]);
}

#[test]
fn tokens_with_any_policy_take_sudo_or_a_token_role() {
    for path in ["auth/token/create", "auth/token/create-orphan"] {
        assert_eq!(
            ways(&format!("{path}: update sudo")),
            [format!("create-token > everything: update@{path}")]
        );
        none(&[
            &format!("{path}: update sudo;denied_parameters = {{ policies = [] }}"),
            &format!("{path}: update sudo;allowed_parameters = {{ policies = [\"p\"] }}"),
            &format!("{path}: update\nauth/token/*: sudo update\n{path}: deny"),
        ]);
    }
    each(&[
        (
            "auth/token/create/ci: update",
            "create-token-of-role > <token role ci>: update@auth/token/create/ci",
        ),
        (
            "auth/token/create/*: update",
            "create-token-of-role > <token roles>: update@auth/token/create/*",
        ),
        (
            "auth/token/create/ci-*: update",
            "create-token-of-role > <token roles>: update@auth/token/create/ci-*",
        ),
    ]);
    none(&[
        "auth/token/create/ci: create",
        // A role without a token made of it gives nothing.
        "auth/token/roles/ci: create update",
        "auth/token/roles/*: create update",
        "auth/token/roles/ci: create update\nauth/token/create/ci: create",
    ]);
    let with = |role: &str, token: &str| {
        let lines = format!("auth/token/roles/x: {role}\nauth/token/create/x: {token}");
        ways(&lines)
    };
    let of_role = "create-token-of-role > <token role x>: update@auth/token/create/x";
    let write = |by: &str| {
        format!(
            "write-token-role > everything: {by}@auth/token/roles/x, update@auth/token/create/x"
        )
    };
    assert_eq!(
        with("create", "update"),
        [
            of_role.to_owned(),
            write("create") + "? `auth/token/roles/x` not being there yet"
        ]
    );
    assert_eq!(
        with("create update", "update"),
        [
            of_role.to_owned(),
            "write-token-role > everything: create@auth/token/roles/x, update@auth/token/create/x, update@auth/token/roles/x".to_owned(),
        ]
    );
    for (allowed, token, works) in [
        ("allowed_policies = []", "", true),
        ("allowed_policies_glob = []", "", true),
        ("allowed_entity_aliases = []", "", true),
        ("orphan = []", "", false),
        ("allowed_policies = []", "policies = []", true),
        ("allowed_policies_glob = []", "policies = []", false),
        ("allowed_entity_aliases = []", "entity_alias = []", false),
        ("allowed_policies_glob = []", "entity_alias = []", true),
        ("allowed_entity_aliases = []", "policies = []", true),
    ] {
        let token = format!("update;denied_parameters = {{ {token} }}");
        let found = with(
            &format!("create update;allowed_parameters = {{ {allowed} }}"),
            &token,
        );
        assert_eq!(found.len(), if works { 2 } else { 1 }, "{allowed} {token}");
    }
    // Names that are open are new ones, or those that are there.
    let open = |role: &str| {
        ways(&format!(
            "auth/token/roles/+: {role}\nauth/token/create/*: update"
        ))
    };
    assert_eq!(
        open("create")[1],
        "write-token-role > everything: create@auth/token/roles/+, update@auth/token/create/*"
    );
    assert_eq!(open("create update")[1], open("create")[1]);
    assert_eq!(
        open("update")[1],
        "write-token-role > everything: update@auth/token/create/*, update@auth/token/roles/+? `auth/token/roles/…` being there already under some name"
    );
}

#[test]
fn the_surest_way_is_told_and_the_first_of_those() {
    let token = "auth/token/create/x: update\nauth/token/create/y: update\nauth/token/roles/";
    let write = |lines: &str| {
        let found = ways(&format!("{token}{lines}"));
        let last = found.last().unwrap();
        last.split(": ").nth(1).unwrap().to_owned()
    };
    assert_eq!(
        write("x: create\nauth/token/roles/y: create update"),
        "create@auth/token/roles/y, update@auth/token/create/y, update@auth/token/roles/y"
    );
    assert_eq!(
        write("x: create update\nauth/token/roles/y: create"),
        "create@auth/token/roles/x, update@auth/token/create/x, update@auth/token/roles/x"
    );
    assert_eq!(
        write("x: create update\nauth/token/roles/y: create update"),
        "create@auth/token/roles/x, update@auth/token/create/x, update@auth/token/roles/x"
    );
}

#[test]
fn how_tokens_are_made_is_told() {
    let how = |lines: &str| -> Vec<String> {
        let found = Vault.escalations(&things(lines).world(), &entity("a"));
        found.into_iter().map(|one| one.how).collect()
    };
    assert_eq!(
        how("auth/token/create: update sudo"),
        ["makes tokens with any policy"]
    );
    assert_eq!(
        how("auth/token/create/ci: update\nauth/token/roles/ci: create"),
        [
            "makes tokens of the token role `ci`, with the policies that the role allows",
            "writes a token role that allows any policy, and makes tokens of it",
        ]
    );
    assert_eq!(
        how("auth/token/create/*: update"),
        ["makes tokens of a token role, with the policies that the role allows"]
    );
}

#[test]
fn the_server_s_own_storage_and_programs_depend_on_its_configuration() {
    let raw = "the server's setting `raw_storage_endpoint`";
    let plugin = "a program of its own in the server's plugin directory";
    let raft = "the server's storage being `raft`";
    for (rule, method, depends) in [
        ("sys/raw/*", "write-storage", raw),
        ("sys/raw/x", "write-storage", raw),
        ("sys/raw/core/*", "write-storage", raw),
        ("sys/raw/sys/policy/+/x", "write-storage", raw),
        ("sys/r*", "write-storage", raw),
        ("sys/plugins/catalog/auth/*", "register-plugin", plugin),
        ("sys/plugins/catalog/secret/x", "register-plugin", plugin),
        ("sys/plugins/catalog/database/+", "register-plugin", plugin),
    ] {
        assert_eq!(
            ways(&format!("{rule}: update sudo")),
            [format!("{method} > everything: update@{rule}? {depends}")]
        );
        none(&[&format!("{rule}: update"), &format!("{rule}: create sudo")]);
    }
    for rule in [
        "sys/storage/raft/snapshot",
        "sys/storage/raft/snapshot-force",
    ] {
        assert_eq!(
            ways(&format!("{rule}: update")),
            [format!(
                "restore-snapshot > everything: update@{rule}? {raft}"
            )]
        );
        none(&[&format!("{rule}: read create")]);
    }
    none(&[
        "sys/rawer/x: update sudo",
        "sys/raw/x/*: deny\nsys/raw: update sudo",
        "sys/raw/*: update sudo;denied_parameters = { value = [] }",
        "sys/plugins/catalog/auth/*: update sudo;denied_parameters = { command = [] }",
        "sys/plugins/catalog/auth/*: update sudo;denied_parameters = { sha256 = [] }",
    ]);
}

#[test]
fn another_spelling_of_a_policy_that_is_denied_is_one_on_vault_only() {
    let things = things("sys/policies/acl/*: update\nsys/policies/acl/p: deny");
    let on = |server: &str| told(&Vault.escalations(&things.world_on(server), &entity("a")));
    assert_eq!(on("OpenBao 2.7.2"), [""; 0]);
    assert_eq!(
        on("Vault 2.0.3"),
        [
            "write-own-policy > everything: update@sys/policies/acl/*? the server being older than \
             Vault 2.2.2"
        ]
    );
}
