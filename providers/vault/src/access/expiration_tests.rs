//! Policies that the server removes at some time: what they give and what they take away counts
//! until then. Tried on OpenBao 2.7.2.

use remit_sdk::Value;
use remit_sdk::access::Verdict;

use super::decide_tests::pending;
use super::evaluate_tests::{beyond, permissions};
use super::testing::{Things, can};

const TIME: &str = "2030-01-01T00:00:00Z";

/// An entity `a` with the policy `keeps`, which stays, and `p`, which expires.
fn expiring(keeps: &str, lines: &str, expiration: Option<Value>) -> Things {
    let things = Things::default()
        .with(
            "identity.a",
            "vault_entity",
            "a",
            &[("policies", "[keeps, p]")],
        )
        .policy("keeps", keeps)
        .policy("p", lines);
    match expiration {
        Some(time) => things.set("p", "expiration", time),
        None => things,
    }
}

fn answer(things: &Things, request: &str) -> String {
    match can(things, request).verdict {
        Verdict::Allowed => "yes".to_owned(),
        Verdict::Denied(why) => format!("no: {why}"),
        Verdict::Depends(on) => format!("perhaps: {}", on.join(", ")),
    }
}

fn time() -> Value {
    Value::string(TIME)
}

#[test]
fn a_denial_counts_until_its_policy_is_removed() {
    let (keeps, denies) = ("kv/*: read", "kv/a: deny");
    let lasting = expiring(keeps, denies, None);
    let ending = expiring(keeps, denies, Some(time()));
    assert_eq!(answer(&lasting, "read kv/a"), "no: the rule says `deny`");
    assert_eq!(
        answer(&ending, "read kv/a"),
        format!("perhaps: the time: the rule counts until {TIME}")
    );
    // The other policy stays.
    assert_eq!(answer(&ending, "read kv/b"), "yes");
    assert_eq!(beyond(&ending, &ending), [""; 0]);
    let found = beyond(&ending, &lasting);
    assert_eq!(found.len(), 1, "{found:?}");
    let why = format!("undecided: it depends on the time: the rule counts until {TIME}");
    assert!(found[0].contains("at kv/a"), "{found:?}");
    assert!(found[0].ends_with(&why), "{found:?}");
}

#[test]
fn what_a_policy_gives_counts_until_it_is_removed() {
    let ending = expiring("kv/b: read", "kv/a: read", Some(time()));
    assert_eq!(
        answer(&ending, "read kv/a"),
        format!("perhaps: the time: the rule counts until {TIME}")
    );
    assert_eq!(
        permissions(&ending),
        [
            format!("read at kv/a if until {TIME} by scope.p/vault_policy"),
            "read at kv/b by scope.keeps/vault_policy".to_owned(),
        ]
    );
    // It gives as much for longer.
    let lasting = expiring("kv/b: read", "kv/a: read", None);
    let found = beyond(&lasting, &ending);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("undecided: it depends on the time"),
        "{found:?}"
    );
    // A rule may end before its policy does.
    let both = expiring(
        "kv/b: read",
        "kv/a: read; expiration = \"2029-01-01T00:00:00Z\"",
        Some(time()),
    );
    assert_eq!(
        answer(&both, "read kv/a"),
        format!(
            "perhaps: the time: the rule counts until 2029-01-01T00:00:00Z, \
             the time: the rule counts until {TIME}"
        )
    );
}

#[test]
fn no_time_is_never_and_one_that_isn_t_known_is_some() {
    let with = |time| answer(&expiring("kv/b: read", "kv/a: read", time), "read kv/a");
    assert_eq!(with(None), "yes");
    assert_eq!(with(Some(Value::string(""))), "yes");
    assert_eq!(with(Some(Value::Null)), "yes");
    assert_eq!(
        with(Some(pending())),
        "perhaps: the time: the rule counts until (known after apply)"
    );
}

#[test]
fn a_refused_value_counts_until_its_policy_is_removed() {
    let rules = "own/{{identity.entity.metadata.team}}: read";
    let with = |expiration| {
        let things = expiring("kv/b: read", rules, expiration);
        let team = [("team".to_owned(), Value::string("*"))];
        things.set("a", "metadata", Value::Map(team.into()))
    };
    assert!(answer(&with(None), "read kv/b").starts_with("no: "));
    assert_eq!(
        answer(&with(Some(time())), "read kv/b"),
        format!("perhaps: the time: the rule counts until {TIME}")
    );
}
