//! Comparing limits.

use proptest::prelude::*;
use remit_sdk::Value;

use super::beyond::Finding;
use super::decide::{Operation, Parameters};
use super::grant::Limits;
use super::limits::compare;
use super::tests::{acl, rules, text};
use super::*;

fn limits(written: &str) -> Limits {
    let acl = rules(&format!(
        "kv/x: create read update patch delete list scan subscribe recover;{written}"
    ));
    acl.entries().next().unwrap().grant.limits.clone()
}

fn on(server: Server, operation: Operation, over: &str, under: &str) -> String {
    match compare(&limits(over), &limits(under), operation, server) {
        None => "within".to_owned(),
        Some(Finding::Gained) => "gained".to_owned(),
        Some(Finding::Looser(how)) => how,
        Some(Finding::Undecided(why)) => format!("? {why}"),
    }
}

fn update(over: &str, under: &str) -> String {
    on(Server::OpenBao, Operation::Update, over, under)
}

#[test]
fn parameters_within() {
    for (over, under) in [
        ("allowed_parameters = { a = [\"x\"] }", ""),
        (
            "allowed_parameters = { a = [\"x\"] }",
            "allowed_parameters = { a = [] }",
        ),
        (
            "allowed_parameters = { a = [\"x\"] }",
            "allowed_parameters = { a = [\"x\", \"y\"], b = [] }",
        ),
        (
            "allowed_parameters = { a = [\"xy\"] }",
            "allowed_parameters = { a = [\"x*\"] }",
        ),
        (
            "allowed_parameters = { a = [\"xy*\"] }",
            "allowed_parameters = { a = [\"x*\"] }",
        ),
        (
            "allowed_parameters = { a = [\"*yx\"] }",
            "allowed_parameters = { a = [\"*x\"] }",
        ),
        (
            "allowed_parameters = { a = [\"*axb*\"] }",
            "allowed_parameters = { a = [\"*x*\"] }",
        ),
        (
            "allowed_parameters = { a = [\"axb*\"] }",
            "allowed_parameters = { a = [\"*x*\"] }",
        ),
        (
            "allowed_parameters = { a = [\"*axb\"] }",
            "allowed_parameters = { a = [\"*x*\"] }",
        ),
        (
            "allowed_parameters = { a = [\"x*\"] }",
            "allowed_parameters = { a = [\"**\"] }",
        ),
        (
            "allowed_parameters = { a = [true] }",
            "allowed_parameters = { a = [true, false] }",
        ),
        // No request holds a number that a policy's number would match.
        (
            "allowed_parameters = { a = [5] }",
            "allowed_parameters = { a = [\"x\"] }",
        ),
        (
            "allowed_parameters = { a = [] }",
            "allowed_parameters = { \"*\" = [], b = [\"x\"] }",
        ),
        (
            "allowed_parameters = { a = [\"y\"] }",
            "denied_parameters = { a = [\"x\"] }",
        ),
        (
            "allowed_parameters = { a = [true] }",
            "denied_parameters = { a = [\"x\"] }",
        ),
        (
            "allowed_parameters = { a = [] }",
            "denied_parameters = { b = [] }",
        ),
        (
            "denied_parameters = { a = [] }",
            "denied_parameters = { a = [\"x\"] }",
        ),
        (
            "denied_parameters = { a = [\"x*\"] }",
            "denied_parameters = { a = [\"xy\"] }",
        ),
        (
            "denied_parameters = { \"*\" = [] }",
            "denied_parameters = { a = [\"x\"] }",
        ),
        (
            "denied_parameters = { \"*\" = [] }",
            "allowed_parameters = { a = [\"x\"] }",
        ),
        (
            "required_parameters = [\"a\", \"b\"]",
            "required_parameters = [\"a\"]",
        ),
        (
            "required_parameters = [\"a\"]",
            "allowed_parameters = { \"*\" = [\"x\"] }",
        ),
    ] {
        assert_eq!(update(over, under), "within", "{over} | {under}");
    }
}

#[test]
fn parameters_that_are_looser() {
    for (over, under, how) in [
        (
            "",
            "required_parameters = [\"a\"]",
            "without the parameter `a`",
        ),
        (
            "required_parameters = [\"b\"]",
            "required_parameters = [\"a\"]",
            "without the parameter `a`",
        ),
        (
            "",
            "allowed_parameters = { a = [] }",
            "with any other parameter",
        ),
        (
            "allowed_parameters = { a = [\"x\"], b = [\"x\"] }",
            "allowed_parameters = { a = [\"x\"] }",
            "with `x` as `b`",
        ),
        (
            "allowed_parameters = { a = [] }",
            "allowed_parameters = { a = [\"x\"] }",
            "with any value of `a`",
        ),
        (
            "allowed_parameters = { a = [\"x\", \"y\"] }",
            "allowed_parameters = { a = [\"x\"] }",
            "with `y` as `a`",
        ),
        (
            "allowed_parameters = { a = [\"x*\"] }",
            "allowed_parameters = { a = [\"xy*\"] }",
            "with `x` as `a`",
        ),
        (
            "allowed_parameters = { a = [\"*x\"] }",
            "allowed_parameters = { a = [\"*yx\"] }",
            "with `x` as `a`",
        ),
        (
            "allowed_parameters = { a = [\"*x*\"] }",
            "allowed_parameters = { a = [\"x*\"] }",
            "with `…x…` as `a`",
        ),
        ("", "denied_parameters = { a = [\"x\"] }", "with `x` as `a`"),
        (
            "",
            "denied_parameters = { a = [] }",
            "with any value of `a`",
        ),
        (
            "denied_parameters = { a = [\"xy\"] }",
            "denied_parameters = { a = [\"x*\"] }",
            "with `x` as `a`",
        ),
        (
            "",
            "denied_parameters = { \"*\" = [] }",
            "with any other parameter",
        ),
        (
            "allowed_parameters = { a = [\"x*\"] }",
            "allowed_parameters = { a = [\"x*\"] };denied_parameters = { a = [\"*y\"] }",
            "with `xy` as `a`",
        ),
        (
            "required_parameters = [\"a\"]",
            "denied_parameters = { \"*\" = [] }",
            "with the parameters that are required",
        ),
        (
            "allowed_parameters = { a = [true] }",
            "allowed_parameters = { a = [false] }",
            "with `true` as `a`",
        ),
    ] {
        assert_eq!(update(over, under), how, "{over} | {under}");
    }
}

#[test]
fn what_neither_proof_nor_example_reaches_is_undecided() {
    let undecided = "? which values of parameters are allowed couldn't be compared";
    // Nothing is both; seeing that takes more than comparing texts one by one.
    assert_eq!(
        update(
            "allowed_parameters = { a = [\"x*\"] }",
            "denied_parameters = { a = [\"y*\"] }",
        ),
        undecided
    );
    // A text is denied for its parts, on Vault alone.
    let (over, under) = (
        "allowed_parameters = { a = [\"x,y\"] }",
        "denied_parameters = { a = [\"y\"] }",
    );
    assert_eq!(update(over, under), "within");
    let vault = on(Server::Vault, Operation::Update, over, under);
    assert_eq!(vault, "with `x,y` as `a`");
}

#[test]
fn only_what_has_parameters_is_held_to_them() {
    let loose = "required_parameters = [\"r\"]";
    for (operation, expected) in [
        (Operation::Create, "without the parameter `r`"),
        (Operation::Read, "without the parameter `r`"),
        (Operation::Patch, "without the parameter `r`"),
        (Operation::Recover, "without the parameter `r`"),
        (Operation::Delete, "within"),
        (Operation::List, "within"),
        (Operation::Scan, "within"),
        (Operation::Subscribe, "within"),
    ] {
        assert_eq!(
            on(Server::OpenBao, operation, "", loose),
            expected,
            "{operation:?}"
        );
    }
}

#[test]
fn wrapping() {
    let other = "with another response wrapping";
    let (min, max) = ("min_wrapping_ttl = 10", "max_wrapping_ttl = 60");
    let both = "min_wrapping_ttl = 10;max_wrapping_ttl = 60";
    let inside = "min_wrapping_ttl = 20;max_wrapping_ttl = 50";
    for (over, under, expected) in [
        (both, "", "within"),
        (both, both, "within"),
        (both, min, "within"),
        (both, max, "within"),
        (inside, both, "within"),
        (both, inside, other),
        ("", both, other),
        ("", min, other),
        (min, max, other),
        (max, min, other),
        (min, both, other),
        ("max_wrapping_ttl = 60;min_wrapping_ttl = 20", inside, other),
        ("max_wrapping_ttl = 50;min_wrapping_ttl = 10", inside, other),
        ("min_wrapping_ttl = 10;max_wrapping_ttl = 61", both, other),
    ] {
        for operation in [Operation::Read, Operation::Delete, Operation::List] {
            assert_eq!(
                on(Server::OpenBao, operation, over, under),
                expected,
                "{over} | {under}"
            );
        }
    }
    // What no request meets is within anything.
    let never = Limits {
        min_wrapping_ttl: 50,
        max_wrapping_ttl: 40,
        ..Limits::default()
    };
    let strict = limits("required_parameters = [\"r\"]");
    assert_eq!(
        compare(&never, &strict, Operation::Update, Server::OpenBao),
        None
    );
    let just = Limits {
        max_wrapping_ttl: 50,
        ..never
    };
    assert!(compare(&just, &strict, Operation::Update, Server::OpenBao).is_some());
}

#[test]
fn factors_bind_on_vault() {
    let (one, two) = ("mfa_methods = [\"a\"]", "mfa_methods = [\"a\", \"b\"]");
    let fewer = "with fewer multi-factor methods";
    for (server, over, under, expected) in [
        (Server::Vault, one, two, fewer),
        (Server::Vault, "", one, fewer),
        (Server::Vault, two, one, "within"),
        (Server::OpenBao, one, two, "within"),
    ] {
        assert_eq!(
            on(server, Operation::Delete, over, under),
            expected,
            "{over} | {under}"
        );
    }
}

#[test]
fn pages_and_filters() {
    let page = |n: i64| format!("pagination_limit = {n}");
    let more = "with more than 2 keys on a page";
    let asked = "pagination_limit = 2;required_parameters = [\"limit\"]";
    for (over, under, expected) in [
        (page(2), page(2), "within"),
        (page(1), page(2), "within"),
        (page(3), page(2), more),
        (String::new(), page(2), more),
        (page(2), String::new(), "within"),
        (page(2), asked.to_owned(), "without the parameter `limit`"),
        (asked.to_owned(), page(2), "within"),
        (
            format!("{};required_parameters = [\"limit\"]", page(1)),
            asked.to_owned(),
            "within",
        ),
    ] {
        for operation in [Operation::List, Operation::Scan] {
            assert_eq!(
                on(Server::OpenBao, operation, &over, &under),
                expected,
                "{over} | {under}"
            );
        }
        let delete = on(Server::OpenBao, Operation::Delete, &over, &under);
        assert_eq!(delete, "within");
    }
    let filter = |name: &str| format!("list_scan_response_keys_filter_path = \"{name}\"");
    for (over, under, expected) in [
        (filter("f"), String::new(), "within"),
        (filter("f"), filter("f"), "within"),
        (
            String::new(),
            filter("f"),
            "with keys that are not filtered",
        ),
        (
            filter("g"),
            filter("f"),
            "? the keys of the list are filtered in another way",
        ),
    ] {
        // Something else differs, or they would be the same without a look.
        let over = format!("{over};mfa_methods = [\"m\"]");
        assert_eq!(
            on(Server::OpenBao, Operation::List, &over, &under),
            expected
        );
    }
    let mut two = limits(&filter("f"));
    two.filters.insert("g".to_owned());
    let unordered = |over: &Limits, under: &Limits, operation| {
        matches!(
            compare(over, under, operation, Server::OpenBao),
            Some(Finding::Undecided(why)) if why.contains("order")
        )
    };
    let one = limits(&filter("f"));
    assert!(unordered(&two, &two, Operation::List));
    assert!(unordered(&two, &two, Operation::Scan));
    assert!(!unordered(&two, &two, Operation::Read));
    assert!(unordered(&two, &one, Operation::List));
    assert!(unordered(&one, &two, Operation::List));
    assert!(!unordered(&one, &one, Operation::List));
}

#[test]
fn events() {
    let of = |all: &str| format!("subscribe_event_types = [{all}]");
    let check =
        |over: &str, under: &str| on(Server::Vault, Operation::Subscribe, &of(over), &of(under));
    assert_eq!(check("\"kv\"", "\"kv\", \"db\""), "within");
    assert_eq!(check("\"kv-write\"", "\"kv*\""), "within");
    assert_eq!(check("\"kv\"", "\"*\""), "within");
    assert_eq!(check("\"kv*\"", "\"kv\""), "for the events `kv*`");
    assert_eq!(check("\"kv\"", ""), "for the events `kv`");
    assert_eq!(check("", "\"kv\""), "within");
    let merged = acl(&[
        (
            "a",
            &text("kv/x: subscribe;subscribe_event_types = [\"kv\"]"),
        ),
        ("b", &text("kv/x: subscribe")),
    ]);
    let merged = &merged.entries().next().unwrap().grant.limits;
    let one = limits(&of("\"kv\""));
    let compared =
        |over: &Limits, under: &Limits| compare(over, under, Operation::Subscribe, Server::Vault);
    for over in [merged, &one] {
        assert!(matches!(
            compared(over, merged),
            Some(Finding::Undecided(why)) if why.contains("order")
        ));
    }
    assert_eq!(compared(merged, &one), None);
    assert_eq!(compared(&limits(&of("")), merged), None);
}

/// On Vault a text of several values that are allowed is allowed, and may be denied as a whole.
#[test]
fn values_that_are_allowed_one_by_one_may_be_denied_together() {
    let of = |denied: &str| Limits {
        denied_parameters: [("b".to_owned(), [Value::string(denied)].into())].into(),
        ..Limits::default()
    };
    let over = Limits {
        allowed_parameters: [("b".to_owned(), [Value::string("x")].into())].into(),
        ..Limits::default()
    };
    let finds = |denied, server| compare(&over, &of(denied), Operation::Update, server).is_some();
    for denied in ["x,x", "* x"] {
        assert!(finds(denied, Server::Vault), "{denied}");
        assert!(!finds(denied, Server::OpenBao), "{denied}");
    }
    assert!(!finds("y", Server::Vault));
    assert!(finds("x", Server::Vault));
}

// ---- properties

fn any_values() -> impl Strategy<Value = BTreeSet<Value>> {
    let value = prop_oneof![
        "[xy]{1,2}".prop_map(Value::string),
        "[xy]{0,2}[*]".prop_map(Value::string),
        "[*][xy]{0,2}".prop_map(Value::string),
        "[*][xy]{0,1}[*]".prop_map(Value::string),
        "[xy],[xy]".prop_map(Value::string),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::integer(5)),
    ];
    proptest::collection::btree_set(value, 0..3)
}

fn any_parameters() -> impl Strategy<Value = BTreeMap<String, BTreeSet<Value>>> {
    let name = prop_oneof![3 => Just("a"), 3 => Just("b"), 1 => Just("*")];
    proptest::collection::btree_map(name.prop_map(str::to_owned), any_values(), 0..3)
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let required = proptest::collection::btree_set("[ab]", 0..2);
    (any_parameters(), any_parameters(), required).prop_map(
        |(allowed_parameters, denied_parameters, required_parameters)| Limits {
            allowed_parameters,
            denied_parameters,
            required_parameters,
            ..Limits::default()
        },
    )
}

/// Requests of up to two parameters with short values, lists among them.
fn requests() -> Vec<BTreeMap<String, Value>> {
    let mut values: Vec<Value> = [
        "x", "y", "xx", "xy", "yx", "xyx", "x,y", "y,x", "x,x", "*", "z",
    ]
    .into_iter()
    .map(Value::string)
    .collect();
    values.extend([
        Value::Bool(true),
        Value::integer(5),
        Value::List(vec![Value::string("x"), Value::string("y")]),
        Value::List(vec![Value::string("x")]),
    ]);
    let mut all = vec![BTreeMap::new()];
    for name in ["a", "b", "c"] {
        for value in &values {
            all.push(BTreeMap::from([(name.to_owned(), value.clone())]));
        }
    }
    for a in &values {
        for b in &values {
            all.push(BTreeMap::from([
                ("a".to_owned(), a.clone()),
                ("b".to_owned(), b.clone()),
            ]));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_looser_is_called_within(
        over in any_limits(),
        under in any_limits(),
        vault in any::<bool>(),
    ) {
        let server = if vault { Server::Vault } else { Server::OpenBao };
        let found = compare(&over, &under, Operation::Update, server);
        let exceeds = requests().into_iter().find(|given| {
            let given = Parameters::Known(given.clone());
            over.check_parameters(&given, server).is_ok()
                && under.check_parameters(&given, server).is_err()
        });
        if found.is_none() {
            prop_assert_eq!(exceeds, None);
        }
        prop_assert!(compare(&over, &over, Operation::Update, server).is_none());
    }
}
