//! Comparing Acls of which not everything is known.

use proptest::prelude::*;

use super::beyond_tests::{OPERATIONS, allows, paths};
use super::tests::{acl_of, acl_on, rules_of, text};
use super::*;

const NAME: &str = "{{identity.entity.name}}";

fn of(lines: &str) -> Acl {
    let lines = lines
        .replace("NAME", NAME)
        .replace("ID", "{{identity.entity.id}}");
    acl_of(&[("p", &text(&lines))], Some(&Identity::default()))
}

/// Paths gained, and paths in doubt with a `?`.
fn beyond(over: &str, under: &str) -> Vec<String> {
    of(over)
        .beyond(&of(under))
        .into_iter()
        .map(|excess| {
            let names: Vec<&str> = excess.capabilities.iter().copied().collect();
            let path = excess
                .path
                .replace(NAME, "NAME")
                .replace("{{identity.entity.id}}", "ID");
            match excess.finding {
                Finding::Gained => format!("{path}: {}", names.join(" ")),
                Finding::Looser(how) => format!("{path}: {} {how}", names.join(" ")),
                Finding::Undecided(_) => format!("{path}?"),
            }
        })
        .collect()
}

#[test]
fn what_stays_the_same_is_the_same_whatever_the_value() {
    let own = "kv/NAME/*: read update";
    assert_eq!(beyond(own, own), [""; 0]);
    // Rules that never meet it don't matter.
    assert_eq!(beyond(&format!("{own}\ndb/x: read"), own), ["db/x: read"]);
    assert_eq!(beyond(own, &format!("{own}\ndb/x: deny")), [""; 0]);
    assert_eq!(beyond(own, &format!("{own}\nkv: deny")), [""; 0]);
    assert_eq!(
        beyond(&format!("{own}\nkv/x: read"), &format!("{own}\nkv/x: read")),
        [""; 0]
    );
}

#[test]
fn a_new_templated_rule_is_gained() {
    assert_eq!(beyond("kv/NAME/*: read", "db/x: read"), ["kv/NAME/*: read"]);
    assert_eq!(
        beyond("kv/NAME/*: read list", "kv/other/x: read"),
        ["kv/NAME/*: list read"]
    );
    assert_eq!(beyond("kv/ID/*: read", "kv/a/*: read"), ["kv/ID/*: read"]);
}

#[test]
fn a_templated_rule_within_a_wider_one_is_within() {
    assert_eq!(beyond("kv/NAME/*: read", "kv/*: read list"), [""; 0]);
    assert_eq!(beyond("kv/data/NAME: read", "kv/*: read"), [""; 0]);
    assert_eq!(beyond("kv/aNAME: read", "kv/a*: read"), [""; 0]);
    assert_eq!(
        beyond("kv/NAME/*: read", "kv/*: read\nkv/b: read update"),
        [""; 0]
    );
    assert_eq!(beyond("kv/+/NAME: read", "+/+/*: read"), [""; 0]);
    assert_eq!(beyond("kv/ID/x: read", "kv/*: read"), [""; 0]);
    assert_eq!(beyond("kv/NAME/*: deny\nkv/a: read", "kv/a: read"), [""; 0]);
}

#[test]
fn what_hangs_on_the_value_is_in_doubt() {
    for (over, under) in [
        // The other denies what may be its path.
        ("kv/NAME/*: read", "kv/*: read\nkv/a/*: deny"),
        // One name may begin as the other does.
        ("kv/aNAME: read", "kv/a*: read\nkv/abID: deny"),
        ("kv/NAME/*: read", "kv/*: read\nkv/a/b: update"),
        // A value with a slash would leave the `+`.
        ("kv/NAME/x: read", "kv/+/x: read"),
        // Limits may be merged.
        ("kv/NAME: read", "kv/*: read;required_parameters = [\"r\"]"),
        ("kv/NAME: read;required_parameters = [\"r\"]", "kv/*: read"),
        // It may stand where the first allows more.
        ("kv/a: read update", "kv/a: read update\nkv/NAME: read"),
        ("kv/a: read", "kv/a: read\nkv/NAME: deny"),
        (
            "kv/a: read",
            "kv/*: read\nkv/NAME: read;required_parameters = [\"r\"]",
        ),
        ("kv/a: list", "kv/a: list\nkv/a/NAME: deny"),
    ] {
        let found = beyond(over, under);
        assert!(
            found.iter().any(|line| line.ends_with('?')),
            "{over} | {under}: {found:?}"
        );
    }
    let doubts = of("kv/a: read").beyond(&of("kv/a: read\nkv/NAME: deny"));
    assert_eq!(doubts.len(), 1);
    assert_eq!(
        doubts[0].finding,
        Finding::Undecided(
            "it depends on the value of `identity.entity.name`, which isn't known".to_owned()
        )
    );
    assert_eq!(doubts[0].path, format!("kv/{NAME}"));
    assert_eq!(doubts[0].policies, BTreeSet::from(["p".to_owned()]));
    assert_eq!(doubts[0].capabilities, BTreeSet::from(["deny"]));
}

#[test]
fn what_is_reported_anyway_is_not_in_doubt_too() {
    // Whatever the name, `kv/a` is gained.
    assert_eq!(
        beyond("kv/NAME: read\nkv/a: update", "kv/NAME: read"),
        ["kv/a: update"]
    );
    assert_eq!(
        beyond("kv/NAME: read\nkv/a: read", "kv/NAME: read"),
        ["kv/a: read"]
    );
    // A wider one in the first, too.
    assert_eq!(
        beyond("kv/NAME: read update", "kv/NAME: read"),
        ["kv/NAME: update"]
    );
}

#[test]
fn an_id_meets_no_text_that_is_no_uuid() {
    assert_eq!(
        beyond(
            "kv/ID/*: read\nkv/a/*: read",
            "kv/ID/*: read\nkv/a/*: read update"
        ),
        [""; 0]
    );
    assert_eq!(
        beyond(
            "kv/*: read\nkv/ID/*: read",
            "kv/*: read\nkv/a/*: deny\nkv/ID/*: read"
        ),
        ["kv/*: read"]
    );
    let uuid = "73f8e3e9-0a1d-0e86-1339-98dc0f993872";
    assert_eq!(
        beyond("kv/ID: read", &format!("kv/ID: read\nkv/{uuid}: deny")),
        ["kv/ID?"]
    );
    assert_eq!(
        beyond("kv/ID: read", "kv/ID: read\nkv/7*: deny"),
        ["kv/ID?"]
    );
    assert_eq!(beyond("kv/ID: read", "kv/ID: read\nkv/x*: deny"), [""; 0]);
}

#[test]
fn a_rule_that_expires_is_in_doubt_where_something_differs() {
    let old = "expiration = \"2030-01-01T00:00:00Z\"";
    let lines = format!("kv/a: read;{old}");
    assert_eq!(beyond(&lines, &lines), [""; 0]);
    assert_eq!(
        beyond(&format!("{lines}\ndb/x: list"), &lines),
        ["db/x: list"]
    );
    assert_eq!(beyond(&lines, "kv/*: read"), ["kv/a?"]);
    let doubts = of("kv/a: read").beyond(&of(&lines));
    assert_eq!(
        doubts[0].finding,
        Finding::Undecided(
            "it depends on the time: the rule counts until 2030-01-01T00:00:00Z".to_owned()
        )
    );
    // The time of either counts.
    assert_eq!(of(&lines).beyond(&of("kv/a: read")).len(), 1);
}

// ---- against every value there is

fn any_templated() -> impl Strategy<Value = String> {
    rules_of(prop_oneof![
        3 => Just("a"), 2 => Just("b"), 1 => Just("ab"), 1 => Just("+"),
        2 => Just(NAME), 1 => Just("a{{identity.entity.name}}"),
    ])
}

fn on(policies: &[(&str, &str)], identity: &Identity) -> Acl {
    acl_on(Server::Vault, policies, Some(identity))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_the_value_no_excess_is_missed(over in any_templated(), under in any_templated()) {
        let (over, under) = ([("p", &*text(&over))], [("p", &*text(&under))]);
        let unknown = Identity::default();
        let excesses = on(&over, &unknown).beyond(&on(&under, &unknown));
        let undecided = excesses
            .iter()
            .any(|excess| matches!(excess.finding, Finding::Undecided(_)));
        // A value may hold a slash on Vault.
        for value in ["a", "b", "ab", "x", "a/b", "b/a/b", "/a", "a/"] {
            let known = Identity::default().with_name(value);
            let (over, under) = (on(&over, &known), on(&under, &known));
            for path in paths() {
                for operation in OPERATIONS {
                    if !allows(&over, operation, &path) || allows(&under, operation, &path) {
                        continue;
                    }
                    let Verdict::Allowed { rule, .. } =
                        over.decide(&Request::new(operation, &path))
                    else {
                        unreachable!();
                    };
                    let reported = excesses.iter().any(|excess| {
                        let path = excess.path.replace(NAME, value);
                        path.strip_prefix('/').unwrap_or(&path) == rule
                            && excess.capabilities.contains(operation.capability())
                    });
                    prop_assert!(
                        undecided || reported,
                        "{value}: {operation:?} {path} by {rule}: {excesses:?}"
                    );
                }
            }
        }
    }
}
