//! Verdicts on requests.

use remit_sdk::value::PendingPart;
use remit_sdk::{Pending, SecretRef, Value};

use super::decide::{Dependency, Operation, Parameters, Refusal, Request, Verdict, Wrapping};
use super::tests::{acl, acl_of, acl_on, rules, text};
use super::*;
use crate::policy;

/// A request with these parameters and no wrapping.
pub(super) fn asked<'a>(
    operation: Operation,
    path: &'a str,
    given: &[(&str, Value)],
) -> Request<'a> {
    Request {
        operation,
        path,
        parameters: Parameters::Known(
            given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        ),
        wrapping: Wrapping::None,
    }
}

/// `yes`, `no: why`, or `on: what`.
pub(super) fn verdict(acl: &Acl, request: &Request<'_>) -> String {
    match acl.decide(request) {
        Verdict::Allowed { .. } => "yes".to_owned(),
        Verdict::Denied { why, .. } => format!("no: {why}"),
        Verdict::Depends { on, .. } => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            format!("on: {}", on.join("; "))
        }
    }
}

pub(super) fn s(text: &str) -> Value {
    Value::string(text)
}

#[test]
fn the_rule_and_the_policies_are_told() {
    let acl = acl(&[
        ("a", &text("kv/*: read\nkv/no: deny")),
        ("b", &text("kv/*: read list")),
    ]);
    let names = |all: &[&str]| all.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(
        acl.decide(&Request::new(Operation::Read, "kv/x")),
        Verdict::Allowed {
            rule: "kv/*".into(),
            by: names(&["a", "b"])
        }
    );
    assert_eq!(
        acl.decide(&Request::new(Operation::List, "kv/x")),
        Verdict::Allowed {
            rule: "kv/*".into(),
            by: names(&["b"])
        }
    );
    assert_eq!(
        acl.decide(&Request::new(Operation::Delete, "kv/x")),
        Verdict::Denied {
            rule: Some("kv/*".into()),
            by: names(&["a", "b"]),
            why: Refusal::NotGiven("delete"),
        }
    );
    assert_eq!(
        acl.decide(&Request::new(Operation::Read, "kv/no")),
        Verdict::Denied {
            rule: Some("kv/no".into()),
            by: names(&["a"]),
            why: Refusal::Deny
        }
    );
    assert_eq!(
        acl.decide(&Request::new(Operation::Read, "else")),
        Verdict::Denied {
            rule: None,
            by: names(&[]),
            why: Refusal::NoRule
        }
    );
}

#[test]
fn each_operation_takes_its_capability() {
    for operation in [
        Operation::Create,
        Operation::Read,
        Operation::Update,
        Operation::Patch,
        Operation::Delete,
        Operation::List,
        Operation::Scan,
        Operation::Recover,
        Operation::Subscribe,
    ] {
        let capability = operation.capability();
        let acl = rules(&format!("kv/x: {capability}"));
        assert_eq!(verdict(&acl, &Request::new(operation, "kv/x")), "yes");
        assert_eq!(Operation::that_takes(capability), Some(operation));
        let all: Vec<_> = policy::CAPABILITIES
            .iter()
            .copied()
            .filter(|name| *name != capability && *name != "deny")
            .collect();
        let others = rules(&format!("kv/x: {}", all.join(" ")));
        assert_eq!(
            verdict(&others, &Request::new(operation, "kv/x")),
            format!("no: the rule doesn't give `{capability}`")
        );
    }
    assert_eq!(Operation::that_takes("sudo"), None);
}

#[test]
fn a_list_is_of_a_folder() {
    let acl = rules("kv/a/*: list read scan\nkv/b: list read scan\nkv/c/: list read");
    for (operation, path, allowed) in [
        (Operation::List, "kv/a", true),
        (Operation::List, "kv/a/", true),
        (Operation::List, "/kv/a", true),
        (Operation::Scan, "kv/a", true),
        (Operation::Read, "kv/a", false),
        (Operation::List, "kv/b", true),
        (Operation::Scan, "kv/b/", true),
        (Operation::Read, "kv/b/", false),
        (Operation::List, "kv/c", true),
        (Operation::Read, "kv/c", false),
    ] {
        let found = verdict(&acl, &Request::new(operation, path));
        assert_eq!(found == "yes", allowed, "{operation:?} {path}: {found}");
    }
}

#[test]
fn root_and_broken_are_decided_first() {
    let empty = policy::Document::default();
    let root = Acl::new(Server::OpenBao, [("root", &empty)], None);
    assert_eq!(
        root.decide(&Request::new(Operation::Delete, "sys/raw/x")),
        Verdict::Allowed {
            rule: "*".into(),
            by: BTreeSet::from(["root".to_owned()])
        }
    );
    let identity = Identity::default().with_name("a/b");
    let broken = acl_of(
        &[
            ("bad", &text("kv/{{identity.entity.name}}: read")),
            ("p", &text("kv/x: read")),
        ],
        Some(&identity),
    );
    let Verdict::Denied { rule, by, why } = broken.decide(&Request::new(Operation::Read, "kv/x"))
    else {
        panic!("allowed");
    };
    assert_eq!(rule.as_deref(), Some("kv/{{identity.entity.name}}"));
    assert_eq!(by, BTreeSet::from(["bad".to_owned()]));
    assert!(why.to_string().contains("refuses a `/`"), "{why}");
}

#[test]
fn protected_paths_take_sudo() {
    let plain = rules("*: read update list delete");
    let sudo = rules("*: read update list delete sudo");
    let why = "no: the path takes `sudo`, and the rule doesn't give it";
    for (operation, path) in [
        (Operation::Read, "sys/audit"),
        (Operation::Update, "sys/audit/file"),
        (Operation::Update, "sys/auth/jwt"),
        (Operation::List, "auth/token/accessors"),
        (Operation::List, "sys/leases/lookup/x"),
        (Operation::Update, "sys/rotate"),
    ] {
        assert_eq!(
            verdict(&plain, &Request::new(operation, path)),
            why,
            "{path}"
        );
        assert_eq!(
            verdict(&sudo, &Request::new(operation, path)),
            "yes",
            "{path}"
        );
    }
    for path in [
        "sys/auth",
        "sys/auditing",
        "sys/policies/acl/x",
        "auth/token/create",
        "sys/rotated",
    ] {
        assert_eq!(
            verdict(&plain, &Request::new(Operation::Read, path)),
            "yes",
            "{path}"
        );
    }
}

pub(super) fn pending() -> Value {
    Value::Pending(Pending {
        parts: vec![PendingPart::Text("x".into())],
    })
}

#[test]
fn what_isn_t_known_is_told() {
    let acl = rules(
        "kv/free: update
         kv/any: update;allowed_parameters = { \"*\" = [] }
         kv/some: update;allowed_parameters = { a = [\"x\"], b = [] }
         kv/not: update;denied_parameters = { a = [\"x\"] }
         kv/must: update;required_parameters = [\"a\"]
         kv/old: update read;expiration = \"2030-01-01T00:00:00Z\"",
    );
    let unknown = |path: &str| verdict(&acl, &Request::new(Operation::Update, path));
    assert_eq!(unknown("kv/free"), "yes");
    assert_eq!(unknown("kv/any"), "yes");
    for path in ["kv/some", "kv/not", "kv/must"] {
        assert_eq!(unknown(path), "on: the parameters of the request", "{path}");
    }
    assert_eq!(
        unknown("kv/old"),
        "on: the time: the rule counts until 2030-01-01T00:00:00Z"
    );
    // What it denies now, another may allow then.
    let delete = verdict(&acl, &Request::new(Operation::Delete, "kv/old"));
    assert_eq!(
        delete,
        "on: the time: the rule counts until 2030-01-01T00:00:00Z"
    );

    let secret = || Value::Secret(SecretRef::Env("X".into()));
    for value in [pending(), secret()] {
        let given = |path: &str, name: &str| {
            verdict(
                &acl,
                &asked(Operation::Update, path, &[(name, value.clone())]),
            )
        };
        assert_eq!(given("kv/some", "a"), "on: the value of the parameter `a`");
        assert_eq!(given("kv/not", "a"), "on: the value of the parameter `a`");
        assert_eq!(given("kv/some", "b"), "yes");
        assert_eq!(given("kv/not", "b"), "yes");
        assert_eq!(
            given("kv/some", "c"),
            "no: the rule doesn't allow the parameter `c`, or not with this value"
        );
    }
    let vault = acl_on(
        Server::Vault,
        &[(
            "p",
            &text(
                "kv/x: update;allowed_parameters = { a = [\"x\"] };denied_parameters = { b = [\"x\"] }",
            ),
        )],
        None,
    );
    for name in ["a", "b"] {
        let parts = Value::List(vec![pending()]);
        let found = verdict(&vault, &asked(Operation::Update, "kv/x", &[(name, parts)]));
        let expected = if name == "a" {
            "on: the value of the parameter `a`"
        } else {
            "no: the rule doesn't allow the parameter `b`, or not with this value"
        };
        // `b` isn't allowed at all, whatever it holds.
        assert_eq!(found, expected);
    }
}

#[test]
fn only_vault_asks_for_more_factors() {
    let policies = [("p", &*text("kv/x: read;mfa_methods = [\"totp\", \"duo\"]"))];
    let on = |server| {
        verdict(
            &acl_on(server, &policies, None),
            &Request::new(Operation::Read, "kv/x"),
        )
    };
    assert_eq!(on(Server::OpenBao), "yes");
    assert_eq!(on(Server::Vault), "on: multi-factor login by duo, totp");
}

#[test]
fn a_template_that_isn_t_known_makes_it_depend_where_it_may_match() {
    let identity = Identity::default();
    let with = |lines: &str| acl_of(&[("p", &text(lines))], Some(&identity));
    let template = "{{identity.entity.name}}";
    let on = format!("on: the value of `{}`", &template[2..template.len() - 2]);

    let acl = with(&format!(
        "kv/{template}/*: read\nkv/shared: read\nkv/x/y: update"
    ));
    let read = |path: &str| verdict(&acl, &Request::new(Operation::Read, path));
    assert_eq!(read("kv/a/b"), on);
    assert_eq!(read("other/a"), "no: no rule matches the path");
    assert_eq!(read("kv/a"), "no: no rule matches the path");
    // It gives the same, so it doesn't matter whether it is the one.
    assert_eq!(read("kv/shared"), "yes");
    let delete = verdict(&acl, &Request::new(Operation::Delete, "kv/a/b"));
    assert_eq!(delete, "no: no rule matches the path");
    // `kv/x/y` gives no read, and it may be that the other rule is at the same path.
    assert_eq!(read("kv/x/y"), on);
    let Verdict::Depends { rules, by, .. } = acl.decide(&Request::new(Operation::Read, "kv/x/y"))
    else {
        panic!("decided");
    };
    assert_eq!(
        rules,
        BTreeSet::from(["kv/x/y".to_owned(), format!("kv/{template}/*")])
    );
    assert_eq!(by, BTreeSet::from(["p".to_owned()]));

    let denying = with(&format!("kv/{template}: deny\nkv/a: read\nkv/b: update"));
    let read = |path: &str| verdict(&denying, &Request::new(Operation::Read, path));
    assert_eq!(read("kv/a"), on);
    assert_eq!(read("kv/b"), "no: the rule doesn't give `read`");

    // Limits may be merged.
    let limited = with(&format!(
        "kv/{template}: update;required_parameters = [\"r\"]\nkv/a: update"
    ));
    let request = asked(Operation::Update, "kv/a", &[("r", s("x"))]);
    assert_eq!(verdict(&limited, &request), on);
    let limited = with(&format!(
        "kv/{template}: update\nkv/a: update;allowed_parameters = {{ r = [] }}"
    ));
    assert_eq!(verdict(&limited, &request), on);
    let widening = with(&format!(
        "kv/{template}: read;allowed_parameters = {{ b = [] }}\nkv/a: update;allowed_parameters = {{ a = [] }}"
    ));
    let request = asked(Operation::Update, "kv/a", &[("b", s("x"))]);
    assert_eq!(verdict(&widening, &request), on);
    let plain = with(&format!(
        "kv/{template}: read\nkv/a: update;allowed_parameters = {{ a = [] }}"
    ));
    assert_eq!(
        verdict(&plain, &request),
        "no: the rule doesn't allow the parameter `b`, or not with this value"
    );
    // So may `sudo`.
    let sudo = with(&format!("sys/{template}: sudo\nsys/audit: read"));
    assert_eq!(
        verdict(&sudo, &Request::new(Operation::Read, "sys/audit")),
        on
    );
    assert_eq!(
        verdict(&sudo, &Request::new(Operation::Update, "sys/audit")),
        "no: the rule doesn't give `update`"
    );
    // What depends already depends on both.
    let both = with(&format!(
        "kv/{template}: update\nkv/a: update;required_parameters = [\"r\"]"
    ));
    let Verdict::Depends { on, .. } = both.decide(&Request::new(Operation::Update, "kv/a")) else {
        panic!("decided");
    };
    assert_eq!(
        on,
        [
            Dependency::Parameters,
            Dependency::Template("identity.entity.name".into())
        ]
    );
}

#[test]
fn an_id_that_isn_t_known_is_still_a_uuid() {
    let identity = Identity::default();
    let acl = acl_of(
        &[(
            "p",
            &text("kv/{{identity.entity.id}}/*: read\nkv/x{{identity.entity.id}}: list"),
        )],
        Some(&identity),
    );
    let ask = |operation, path: &str| verdict(&acl, &Request::new(operation, path));
    assert_eq!(
        ask(Operation::Read, "kv/prod/x"),
        "no: no rule matches the path"
    );
    for path in [
        "kv/73f8e3e9-0a1d-0e86-1339-98dc0f993872/x",
        "kv/73f8e3e9-0a1d-0e86-1339-98dc0f993872.X5vEJ2/x",
    ] {
        let found = ask(Operation::Read, path);
        assert_eq!(found, "on: the value of `identity.entity.id`", "{path}");
    }
    for path in [
        "kv/73f8e3e9-0a1d-0e86-1339-98dc0f99387/x",
        "kv/73f8e3e9-0a1d-0e86-1339-98dc0f99387g/x",
    ] {
        assert_eq!(
            ask(Operation::Read, path),
            "no: no rule matches the path",
            "{path}"
        );
    }
    // The path of a LIST counts without its slash.
    assert_eq!(
        ask(Operation::List, "kv/xyz"),
        "on: the value of `identity.entity.id`"
    );
}

#[test]
fn a_ttl_is_told_between_its_limits() {
    use super::decide::ttl;
    for (min, max, told) in [
        (5, 0, "for 5 seconds or more"),
        (0, 5, "for at most 5 seconds"),
        (5, 5, "for 5 to 5 seconds"),
        (
            5,
            4,
            "for 5 seconds or more and at most 4, which nothing meets",
        ),
    ] {
        assert_eq!(ttl(min, max), told);
    }
}
