//! Answers to single requests, and how a request is written.

use std::collections::BTreeSet;

use remit_sdk::access::{Evaluate, Source, Verdict};

use super::testing::{can, entity, holder};
use crate::Vault;

#[test]
fn an_answer_tells_its_path() {
    let things = holder("kv/*: read\nkv/a: deny\nkv/w: read;min_wrapping_ttl = \"5s\"");
    let policy = "policy `p` (scope.p/vault_policy)";
    let answer = can(&things, " read  /v1/kv/b ");
    assert_eq!(answer.verdict, Verdict::Allowed);
    assert_eq!(answer.path, ["vault_entity `a`", policy, "path \"kv/*\""]);
    let address = "scope.p/vault_policy".parse().unwrap();
    assert_eq!(answer.sources, BTreeSet::from([Source::Object(address)]));
    let answer = can(&things, "read kv/a");
    assert_eq!(
        answer.verdict,
        Verdict::Denied("the rule says `deny`".to_owned())
    );
    assert_eq!(answer.path, ["vault_entity `a`", policy, "path \"kv/a\""]);
    let answer = can(&things, "read other");
    assert_eq!(
        answer.verdict,
        Verdict::Denied("no rule matches the path".to_owned())
    );
    assert_eq!(answer.path, ["vault_entity `a`"]);
    assert_eq!(answer.sources, BTreeSet::new());
    let answer = can(&things, "read kv/w");
    assert_eq!(
        answer.verdict,
        Verdict::Depends(vec![
            "whether the response is wrapped, for 5 seconds or more".to_owned()
        ])
    );
    assert_eq!(answer.path, ["vault_entity `a`", policy, "path \"kv/w\""]);
}

#[test]
fn a_request_is_a_capability_and_a_path() {
    let things = holder("kv/*: read");
    let why = |request: &str| {
        Vault
            .can(&things.world(), &entity("a"), request)
            .unwrap_err()
    };
    let how = "write a capability and a path: `read kv/data/x`, `update auth/token/create`";
    assert_eq!(why("read"), how);
    assert_eq!(why(""), how);
    assert_eq!(
        why("sudo kv/a"),
        format!("`sudo` is no capability that a request takes; {how}")
    );
    let path = format!("the path must be one that a request could have, without wildcards; {how}");
    for request in [
        "read kv/*",
        "read kv/+/a",
        "read kv/a b",
        "read /",
        "read /v1/",
    ] {
        assert_eq!(why(request), path, "{request}");
    }
    for capability in [
        "create",
        "read",
        "update",
        "patch",
        "delete",
        "list",
        "scan",
        "recover",
        "subscribe",
    ] {
        let things = holder(&format!("kv/a: {capability}\nkv/a/: {capability}"));
        let answer = can(&things, &format!("{capability}\tkv/a"));
        assert_eq!(answer.verdict, Verdict::Allowed, "{capability}");
    }
}

#[test]
fn the_server_folds_names_before_it_looks_them_up() {
    let things = holder(
        "sys/policies/acl/*: update\nsys/policies/acl/CI-*: deny\nsys/policies/acl/mine: read\n\
         sys/policies/acl/Other: delete\nauth/r/role/b: read\nauth/j/role/b: read",
    )
    .with("", "vault_auth_mount", "r", &[("type", "approle")])
    .with("", "vault_auth_mount", "j", &[("type", "jwt")]);
    let allowed = |request: &str| can(&things, request).verdict == Verdict::Allowed;
    // A deny that is written in capitals hits nothing.
    assert!(allowed("update sys/policies/acl/CI-x"));
    assert!(allowed("read sys/policies/acl/MINE"));
    assert!(!allowed("delete sys/policies/acl/Other"));
    assert!(allowed("read auth/r/role/B"));
    assert!(!allowed("read auth/j/role/B"));
    let world = things.world_on("Vault 2.0.3");
    let on_vault = |request: &str| {
        let answer = Vault.can(&world, &entity("a"), request).unwrap();
        answer.verdict == Verdict::Allowed
    };
    assert!(!on_vault("update sys/policies/acl/CI-x"));
    assert!(!on_vault("read auth/r/role/B"));
}
