//! Moving a secrets mount. Tried on OpenBao 2.7.2.

use remit_sdk::access::Evaluate as _;

use super::escalate_tests::{each, none, things};
use super::testing::entity;
use crate::Vault;

#[test]
fn a_mount_is_moved_to_where_one_may_read() {
    let lines = "sys/remount: update sudo\nown/*: read";
    let way = |read: &str| {
        format!("move-mount > <readers of other mounts>: read@{read}, update@sys/remount")
    };
    for read in ["own/*", "own/x", "own/+/x", "ow*", "+/x", "team/own/*"] {
        each(&[(
            &format!("sys/remount: update sudo\n{read}: read"),
            &way(read),
        )]);
    }
    none(&[
        "sys/remount: update\nown/*: read",
        "sys/remount: create patch read sudo\nown/*: read",
        "sys/remount: sudo\nown/*: read",
        "sys/remount: update sudo",
        "sys/remount: update sudo\nown/*: list update create",
        "sys/remount: update sudo\nown/*: deny",
        "sys/remount: update sudo\ncubbyhole/*: read\nsys/x: read\nauth/x: read\nidentity/x: read",
        "sys/remount: update sudo;denied_parameters = { from = [] }\nown/*: read",
        "sys/remount: update sudo;denied_parameters = { to = [] }\nown/*: read",
        "sys/remount: update sudo;allowed_parameters = { from = [\"a\"], to = [\"b\"] }\nown/*: read",
        "sys/remount/x: update sudo\nown/*: read",
    ]);
    let found = Vault.escalations(&things(lines).world(), &entity("a"));
    assert_eq!(found[0].how, "moves a secrets mount to where it may read");
}

#[test]
fn a_mount_of_another_namespace_is_moved_there() {
    let way = "move-mount > <readers of other mounts in the namespace ns1>: read@ns1/own/*, update@ns1/sys/remount? `ns1` being a namespace";
    each(&[("ns1/sys/remount: update sudo\nns1/own/*: read", way)]);
    none(&[
        "ns1/sys/remount: update\nns1/own/*: read",
        "ns1/sys/remount: update sudo\nown/*: read",
        "ns1/sys/remount: update sudo\nns1/sys/*: read",
    ]);
}
