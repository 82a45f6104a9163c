//! Limits of a rule, held to one request.

use remit_sdk::Value;

use super::decide::{Operation, Request, Verdict, Wrapping};
use super::decide_tests::{asked, pending, s, verdict};
use super::tests::{acl, acl_on, rules, text};
use super::*;

fn permits(limits: &str, given: &[(&str, Value)]) -> bool {
    let acl = rules(&format!("kv/x: create read;{limits}"));
    match acl.decide(&asked(Operation::Create, "kv/x", given)) {
        Verdict::Allowed { .. } => true,
        Verdict::Denied { .. } => false,
        other @ Verdict::Depends { .. } => panic!("{other:?}"),
    }
}

#[test]
fn the_documentation_s_parameters() {
    let restricted = "allowed_parameters = { foo = [], bar = [\"zip\", \"zap\"] }";
    assert!(permits(restricted, &[("foo", s("x"))]));
    assert!(permits(
        restricted,
        &[("bar", s("zap")), ("foo", Value::Null)]
    ));
    assert!(!permits(restricted, &[("bar", s("zop"))]));
    assert!(!permits(restricted, &[("baz", s("zip"))]));
    assert!(permits(restricted, &[]));

    let others = "allowed_parameters = { bar = [\"zip\"], \"*\" = [] }";
    assert!(permits(others, &[("bar", s("zip")), ("x", s("y"))]));
    assert!(!permits(others, &[("bar", s("y"))]));

    let denied = "denied_parameters = { policies = [], allowed = [\"admin\"] }";
    assert!(!permits(denied, &[("policies", s("x"))]));
    assert!(!permits(denied, &[("allowed", s("admin"))]));
    assert!(permits(denied, &[("allowed", s("other")), ("x", s("y"))]));

    let none = "denied_parameters = { \"*\" = [] }";
    assert!(!permits(none, &[("x", s("y"))]));
    assert!(permits(none, &[]));

    let required = "required_parameters = [\"name\", \"id\"]";
    assert!(permits(
        required,
        &[("name", s("x")), ("id", s("y")), ("z", s("z"))]
    ));
    assert!(!permits(required, &[("name", s("x"))]));
    assert!(!permits(required, &[]));

    let glob = "allowed_parameters = { bar = [\"foo-*\"] }";
    assert!(permits(glob, &[("bar", s("foo-x"))]));
    assert!(!permits(glob, &[("bar", s("fo"))]));

    let both = "allowed_parameters = { a = [] };denied_parameters = { b = [] }";
    assert!(permits(both, &[("a", s("x"))]));
    assert!(!permits(both, &[("c", s("x"))]));
    assert!(!permits(both, &[("b", s("x"))]));
}

#[test]
fn values_are_compared_as_the_server_compares_them() {
    for (item, value, same) in [
        ("5", Value::integer(5), false),
        ("5", s("5"), false),
        ("true", Value::Bool(true), true),
        ("true", Value::Bool(false), false),
        ("true", s("true"), false),
        ("\"*\"", s("x"), false),
        ("\"*\"", s("*"), true),
        ("\"**\"", s("x"), true),
        ("\"**\"", Value::integer(5), false),
        ("\"***\"", s("a*b"), true),
        ("\"***\"", s("ab"), false),
        ("\"*x\"", s("ax"), true),
        ("\"*x\"", s("xa"), false),
        ("\"x*\"", s("xa"), true),
        ("\"x*\"", s("ax"), false),
        ("\"*x*\"", s("axa"), true),
        ("\"*x*\"", s("aa"), false),
        ("\"a*b\"", s("axb"), false),
        ("\"a\"", s("a,b"), false),
        ("\"a\"", Value::List(vec![s("a")]), false),
        ("\"a\"", Value::Null, false),
    ] {
        let limits = format!("allowed_parameters = {{ n = [{item}] }}");
        assert_eq!(
            permits(&limits, &[("n", value.clone())]),
            same,
            "{item} {value:?}"
        );
        assert_eq!(
            permits(&limits, &[("N", value.clone())]),
            same,
            "{item} {value:?}"
        );
        let limits = format!("denied_parameters = {{ n = [{item}] }}");
        assert_eq!(
            permits(&limits, &[("n", value.clone())]),
            !same,
            "{item} {value:?}"
        );
    }
    // A required name is asked for in lower case.
    assert!(permits(
        "required_parameters = [\"Foo\"]",
        &[("foo", s("x"))]
    ));
    assert!(!permits(
        "required_parameters = [\"foo\"]",
        &[("Foo", s("x"))]
    ));
    // Values beside `*` count for nothing.
    assert!(permits(
        "allowed_parameters = { \"*\" = [\"a\"] }",
        &[("x", s("b"))]
    ));
}

#[test]
fn vault_compares_the_parts_of_a_list() {
    let permits = |limits: &str, value: Value| {
        let policies = [("p", &*text(&format!("kv/x: update;{limits}")))];
        let on = |server| {
            let request = asked(Operation::Update, "kv/x", &[("n", value.clone())]);
            verdict(&acl_on(server, &policies, None), &request) == "yes"
        };
        (on(Server::OpenBao), on(Server::Vault))
    };
    let allowed = "allowed_parameters = { n = [\"a\", \"b\"] }";
    let list = |all: &[&str]| Value::List(all.iter().map(|text| s(text)).collect());
    assert_eq!(permits(allowed, s("a")), (true, true));
    assert_eq!(permits(allowed, s("a,b")), (false, true));
    assert_eq!(permits(allowed, s("a, b")), (false, true));
    assert_eq!(permits(allowed, s("a,c")), (false, false));
    assert_eq!(permits(allowed, list(&["a", "b"])), (false, true));
    assert_eq!(permits(allowed, list(&["a", "c"])), (false, false));
    assert_eq!(permits(allowed, Value::strings(["a"])), (false, true));
    let denied = "denied_parameters = { n = [\"x*\"] }";
    assert_eq!(permits(denied, s("xy")), (false, false));
    assert_eq!(permits(denied, s("a,xy")), (true, false));
    assert_eq!(permits(denied, list(&["xy", "a"])), (true, false));
    assert_eq!(permits(denied, list(&["a", "b"])), (true, true));
    assert_eq!(permits(denied, s("a,b")), (true, true));
}

#[test]
fn a_response_is_wrapped_as_asked() {
    let check = |limits: &str, wrapping: Wrapping| {
        let acl = rules(&format!("kv/x: delete;{limits}"));
        let request = Request {
            wrapping,
            ..asked(Operation::Delete, "kv/x", &[])
        };
        verdict(&acl, &request)
    };
    let (both, min, max) = (
        "min_wrapping_ttl = 10;max_wrapping_ttl = 60",
        "min_wrapping_ttl = 10",
        "max_wrapping_ttl = 60",
    );
    for (limits, wrapping, allowed) in [
        (both, Wrapping::None, false),
        (both, Wrapping::Seconds(9), false),
        (both, Wrapping::Seconds(10), true),
        (both, Wrapping::Seconds(60), true),
        (both, Wrapping::Seconds(61), false),
        (min, Wrapping::None, false),
        (min, Wrapping::Seconds(100), true),
        (min, Wrapping::Seconds(9), false),
        (max, Wrapping::None, false),
        (max, Wrapping::Seconds(1), true),
        (max, Wrapping::Seconds(61), false),
        ("", Wrapping::None, true),
        ("", Wrapping::Unknown, true),
    ] {
        let found = check(limits, wrapping);
        assert_eq!(found == "yes", allowed, "{limits} {wrapping:?}: {found}");
    }
    let told = |limits: &str| check(limits, Wrapping::Unknown);
    assert_eq!(
        told(both),
        "on: whether the response is wrapped, for 10 to 60 seconds"
    );
    assert_eq!(
        told(min),
        "on: whether the response is wrapped, for 10 seconds or more"
    );
    assert_eq!(
        told(max),
        "on: whether the response is wrapped, for at most 60 seconds"
    );
    // Two policies together can ask for what can't be.
    let none = acl(&[
        ("a", &text("kv/x: read;min_wrapping_ttl = 50")),
        ("b", &text("kv/x: read;max_wrapping_ttl = 40")),
    ]);
    assert_eq!(
        verdict(&none, &Request::new(Operation::Read, "kv/x")),
        "no: the rule wants the response wrapped, for 50 seconds or more and at most 40, which nothing meets"
    );
    let same = acl(&[
        ("a", &text("kv/x: read;min_wrapping_ttl = 40")),
        ("b", &text("kv/x: read;max_wrapping_ttl = 40")),
    ]);
    let request = Request {
        wrapping: Wrapping::Seconds(40),
        ..Request::new(Operation::Read, "kv/x")
    };
    assert_eq!(verdict(&same, &request), "yes");
}

#[test]
fn a_page_has_a_limit() {
    let lists = |limits: &str, given: &[(&str, Value)]| {
        let acl = rules(&format!("kv/x: list;{limits}"));
        verdict(&acl, &asked(Operation::List, "kv/x", given)) == "yes"
    };
    let limit = "pagination_limit = 2";
    assert!(lists(limit, &[]));
    for (value, allowed) in [
        (s("1"), true),
        (s("2"), true),
        (s("3"), false),
        (s("0"), true),
        (s("-1"), false),
        (s("max"), true),
        (s("abc"), false),
        (Value::integer(2), true),
        (Value::integer(3), false),
        (Value::Bool(true), false),
    ] {
        assert_eq!(
            lists(limit, &[("limit", value.clone())]),
            allowed,
            "{value:?}"
        );
        assert!(lists("", &[("limit", value)]));
    }
    let asked_for = "pagination_limit = 2;required_parameters = [\"limit\"]";
    assert!(!lists(asked_for, &[]));
    assert!(lists(asked_for, &[("limit", s("1"))]));
    assert!(lists("pagination_limit = -1", &[("limit", s("9"))]));
    let acl = rules("kv/x: list;pagination_limit = 2");
    let request = Request {
        wrapping: Wrapping::None,
        ..Request::new(Operation::List, "kv/x")
    };
    assert_eq!(verdict(&acl, &request), "on: the parameters of the request");
    let pending = asked(Operation::List, "kv/x", &[("limit", pending())]);
    assert_eq!(
        verdict(&acl, &pending),
        "on: the value of the parameter `limit`"
    );
    let refused = asked(Operation::List, "kv/x", &[("limit", s("3"))]);
    assert_eq!(
        verdict(&acl, &refused),
        "no: the rule allows pages of at most 2 keys"
    );
}

#[test]
fn parameters_bind_what_has_parameters() {
    let limits = "required_parameters = [\"r\"]";
    let acl = rules(&format!(
        "kv/x: create read update patch recover delete list scan subscribe;{limits}"
    ));
    for (operation, bound) in [
        (Operation::Create, true),
        (Operation::Read, true),
        (Operation::Update, true),
        (Operation::Patch, true),
        (Operation::Recover, true),
        (Operation::Delete, false),
        (Operation::List, false),
        (Operation::Scan, false),
        (Operation::Subscribe, false),
    ] {
        let found = verdict(&acl, &asked(operation, "kv/x", &[]));
        let expected = if bound {
            "no: the rule requires the parameter `r`"
        } else {
            "yes"
        };
        assert_eq!(found, expected, "{operation:?}");
    }
}

/// The limits of one rule, as a reader is told them.
fn told_on(server: Server, limits: &str) -> Vec<String> {
    let acl = rules(&format!("kv/x: create read list subscribe;{limits}"));
    let entry = acl.entries().next().unwrap();
    entry.grant.limits.told(server).into_iter().collect()
}

fn told(limits: &str) -> Vec<String> {
    told_on(Server::OpenBao, limits)
}

#[test]
fn parameters_are_told() {
    for (limits, sentences) in [
        ("", &[][..]),
        (
            "allowed_parameters = { b = [], a = [\"x\", \"y\", true, 3] }",
            &["only the parameters `a` of true, 3, \"x\", \"y\" and `b`"],
        ),
        // With `*` any other may be given, and of those named only these values.
        ("allowed_parameters = { \"*\" = [] }", &[]),
        ("allowed_parameters = { \"*\" = [\"x\"] }", &[]),
        (
            "allowed_parameters = { \"*\" = [], a = [\"x\"], b = [], c = [\"y\"] }",
            &["the parameter `a` of \"x\"", "the parameter `c` of \"y\""],
        ),
        (
            "denied_parameters = { a = [], b = [\"x\", \"y\"] }",
            &[
                "not with the parameter `a`",
                "not with the parameter `b` of \"x\", \"y\"",
            ],
        ),
        (
            "denied_parameters = { a = [], \"*\" = [\"x\"] }",
            &["without parameters"],
        ),
        (
            "required_parameters = [\"a\", \"b\"]",
            &["only with the parameter `a`", "only with the parameter `b`"],
        ),
    ] {
        assert_eq!(told(limits), sentences, "{limits}");
    }
}

#[test]
fn other_limits_are_told() {
    for (limits, sentences) in [
        (
            "min_wrapping_ttl = \"5s\"",
            &["the response wrapped for 5 seconds or more"][..],
        ),
        (
            "max_wrapping_ttl = \"5s\"",
            &["the response wrapped for at most 5 seconds"],
        ),
        (
            "min_wrapping_ttl = \"5s\";max_wrapping_ttl = \"6s\"",
            &["the response wrapped for 5 to 6 seconds"],
        ),
        ("pagination_limit = 1", &["lists of at most 1 keys"]),
        ("pagination_limit = 0", &[]),
        ("mfa_methods = [\"m\", \"n\"]", &[]),
        (
            "list_scan_response_keys_filter_path = \"{{ .path }}\"",
            &["lists filtered by `{{ .path }}`"],
        ),
        ("list_scan_response_keys_filter_path = \"\"", &[]),
        ("subscribe_event_types = [\"a\", \"b\"]", &["events a, b"]),
        ("subscribe_event_types = []", &[]),
        (
            "expiration = \"2030-01-01T00:00:00Z\"",
            &["until 2030-01-01T00:00:00Z"],
        ),
    ] {
        assert_eq!(told(limits), sentences, "{limits}");
    }
    assert_eq!(
        told_on(Server::Vault, "mfa_methods = [\"m\", \"n\"]"),
        ["after multi-factor login by m, n"]
    );
    assert_eq!(told_on(Server::Vault, "mfa_methods = []"), [""; 0]);
}
