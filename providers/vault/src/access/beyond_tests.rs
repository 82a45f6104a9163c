//! What one Acl allows beyond another.

use proptest::prelude::*;

use super::decide::Operation;
use super::tests::{acl, acl_on, any_rules, rules, text};
use super::*;

/// One line for each excess: `path [within]: capabilities (finding) at example`.
fn told(excesses: &[Excess]) -> Vec<String> {
    excesses
        .iter()
        .map(|excess| {
            let within = excess
                .within
                .as_ref()
                .map(|path| format!(" in {path}"))
                .unwrap_or_default();
            let names: Vec<&str> = excess.capabilities.iter().copied().collect();
            let finding = match &excess.finding {
                Finding::Gained => String::new(),
                Finding::Looser(how) => format!(" {how}"),
                Finding::Undecided(why) => format!("? {why}"),
            };
            format!(
                "{}{within}: {}{finding} at {}",
                excess.path,
                names.join(" "),
                excess.example
            )
        })
        .collect()
}

fn beyond(over: &str, under: &str) -> Vec<String> {
    told(&rules(over).beyond(&rules(under)))
}

#[test]
fn a_new_rule_is_gained_whole() {
    let before = acl(&[("a", &text("kv/a: read"))]);
    let after = acl(&[
        ("a", &text("kv/a: read")),
        ("b", &text("kv/b/*: read list\nkv/a: update")),
    ]);
    let gained = after.beyond(&before);
    assert_eq!(
        told(&gained),
        [
            "kv/a in kv/a: update at kv/a",
            "kv/b/*: list read at kv/b/…"
        ]
    );
    assert_eq!(gained[0].policies, BTreeSet::from(["b".to_owned()]));
    assert_eq!(before.beyond(&after), []);
    assert_eq!(after.beyond(&after), []);
}

#[test]
fn what_a_wider_rule_gives_is_no_excess() {
    for (over, under) in [
        ("kv/a: read", "kv/*: read"),
        ("kv/a: read", "kv/+: read"),
        ("kv/a/b*: read", "kv/a*: read list"),
        ("kv/+/b: read", "kv/*: read"),
        ("kv/+/b: read", "kv/+/+: read"),
        ("kv/+: read", "kv/*: read"),
        ("kv/+/b/*: read", "+/+/b*: read"),
        // Two together cover it.
        ("kv/*: read", "kv/+: read\nkv/+/*: read"),
        ("*: read", "+: read\n+/*: read"),
        ("kv/a: list", "kv/a/: list"),
        ("kv/a/: list", "kv/a: list"),
        ("kv/a: deny\nkv/*: read", "kv/*: read\nkv/b: read update"),
        ("kv/a: ", "kv/b: read"),
    ] {
        assert_eq!(beyond(over, under), [""; 0], "{over} | {under}");
    }
}

#[test]
fn what_a_narrower_rule_leaves_is_an_excess() {
    for (over, under, expected) in [
        ("kv/*: read", "kv/a: read", "kv/*: read at kv/…"),
        ("kv/+: read", "kv/a: read", "kv/+: read at kv/…"),
        ("kv/*: read", "kv/+: read", "kv/*: read at kv/…/…"),
        ("kv/a*: read", "kv/a/*: read", "kv/a*: read at kv/a"),
        ("kv/+/b: read", "kv/a/b: read", "kv/+/b: read at kv/…/b"),
        ("kv/a: list", "kv/a/x: list", "kv/a: list at kv/a/"),
        // A more specific rule takes it away.
        (
            "kv/*: read",
            "kv/*: read\nkv/a/*: deny",
            "kv/* in kv/a/*: read at kv/a/…",
        ),
        (
            "kv/*: read",
            "kv/*: read\nkv/a/*: list",
            "kv/* in kv/a/*: read at kv/a/…",
        ),
        (
            "kv/*: read",
            "kv/*: read\nkv/x: ",
            "kv/* in kv/x: read at kv/x",
        ),
        (
            "kv/x: read\nkv/*: list",
            "kv/*: list",
            "kv/x in kv/*: read at kv/x",
        ),
        (
            "+/b: read",
            "a*: update\n+/b: read",
            "+/b in a*: read at a…/b",
        ),
    ] {
        assert_eq!(beyond(over, under), [expected], "{over} | {under}");
    }
}

#[test]
fn lists_are_compared_as_they_are_looked_up() {
    // A rule with the slash goes before the one without.
    assert_eq!(
        beyond("kv/a: list read", "kv/a: list read\nkv/a/: read"),
        ["kv/a in kv/a/: list at kv/a/"]
    );
    assert_eq!(
        beyond("kv/+: scan", "kv/+: scan\nkv/a/*: deny"),
        ["kv/+ in kv/a/*: scan at kv/a/"]
    );
    // `read` at the path with the slash isn't looked up so.
    assert_eq!(beyond("kv/a: read", "kv/a: read\nkv/a/: list"), [""; 0]);
    // `sudo` goes with it.
    assert_eq!(
        beyond("kv/a: list sudo", "kv/a: list sudo\nkv/a/: list"),
        ["kv/a in kv/a/: sudo at kv/a/"]
    );
    assert_eq!(
        beyond("kv/a: read sudo", "kv/a: read sudo\nkv/a/: list"),
        [""; 0]
    );
}

#[test]
fn sudo_and_the_rest_are_capabilities_like_any() {
    assert_eq!(
        beyond("kv/a: read sudo recover subscribe", "kv/a: read"),
        ["kv/a in kv/a: recover subscribe sudo at kv/a"]
    );
}

#[test]
fn root_and_broken_policies() {
    let empty = Document::default();
    let root = Acl::new(Server::OpenBao, [("root", &empty)], None);
    let some = rules("kv/a: read");
    assert_eq!(some.beyond(&root), []);
    assert_eq!(root.beyond(&root), []);
    let everything = root.beyond(&some);
    assert_eq!(everything.len(), 1);
    assert_eq!(everything[0].path, "*");
    assert_eq!(everything[0].policies, BTreeSet::from(["root".to_owned()]));
    assert_eq!(everything[0].finding, Finding::Gained);
    assert!(everything[0].capabilities.contains("sudo"));
    assert!(!everything[0].capabilities.contains("deny"));

    let broken = || {
        let mut document = Document::default();
        document
            .rule("kv/+*")
            .capabilities
            .insert("read".to_owned());
        document.rule("kv/a").capabilities.insert("read".to_owned());
        document.rule("kv/b").capabilities.insert("read".to_owned());
        Acl::new(Server::OpenBao, [("bad", &document)], None)
    };
    // What is allowed already is nothing more once the policy is taken.
    let undecided = broken().beyond(&some);
    assert_eq!(undecided.len(), 1);
    assert_eq!(undecided[0].path, "kv/b");
    assert_eq!(undecided[0].policies, BTreeSet::from(["bad".to_owned()]));
    assert!(matches!(&undecided[0].finding, Finding::Undecided(why) if why.contains("`+*`")));
    // Under a broken policy nothing is allowed.
    assert_eq!(told(&some.beyond(&broken())), ["kv/a: read at kv/a"]);
    assert_eq!(broken().beyond(&broken()), []);
}

#[test]
fn looser_limits_are_an_excess() {
    assert_eq!(
        beyond(
            "kv/a: update delete",
            "kv/a: update delete;required_parameters = [\"r\"]"
        ),
        ["kv/a in kv/a: update without the parameter `r` at kv/a"]
    );
    let policies = |limits: &str| {
        acl_on(
            Server::Vault,
            &[("p", &text(&format!("kv/a: read;{limits}")))],
            None,
        )
    };
    let over = policies("");
    let under = policies("mfa_methods = [\"m\"]");
    assert_eq!(
        told(&over.beyond(&under)),
        ["kv/a in kv/a: read with fewer multi-factor methods at kv/a"]
    );
}

#[test]
fn a_text_that_no_rule_has_stands_for_all_others() {
    // Were it the beginning of a tail, a path would be left out.
    assert_eq!(
        beyond("kv/*: read", "kv/…*: read"),
        ["kv/*: read at kv/\u{e000}"]
    );
}

#[test]
fn ten_thousand_rules_take_no_time_and_too_many_wildcards_stop() {
    let texts: Vec<(String, String)> = (0..10)
        .map(|part| {
            let lines: Vec<String> = (0..1000)
                .map(|n| format!("kv/data/team{}/app{part}-{n}/*: read", n % 100))
                .collect();
            (format!("p{part}"), text(&lines.join("\n")))
        })
        .collect();
    let mut policies: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let over = acl(&policies);
    let denied = text("kv/data/team1/app1-1/x: deny");
    policies.push(("q", &denied));
    assert_eq!(
        told(&over.beyond(&acl(&policies))),
        ["kv/data/team1/app1-1/* in kv/data/team1/app1-1/x: read at kv/data/team1/app1-1/x"]
    );

    // Each rule fixes one of twenty segments; which of them still match is any subset.
    let lines: Vec<String> = (0..20)
        .map(|n| {
            let path: Vec<_> = (0..20).map(|m| if n == m { "x" } else { "+" }).collect();
            format!("{}: read", path.join("/"))
        })
        .collect();
    let excesses = rules(&lines.join("\n")).beyond(&rules("other: read"));
    assert!(excesses.iter().any(|excess| matches!(
        &excess.finding,
        Finding::Undecided(why) if why.contains("overlap")
    )));
}

// ---- against every path there is

/// Every path of up to four of these segments.
pub(super) fn paths() -> Vec<String> {
    let names = ["a", "b", "ab"];
    let mut all: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut last = all.clone();
    for _ in 0..3 {
        last = last
            .iter()
            .flat_map(|path| names.iter().map(move |name| format!("{path}/{name}")))
            .collect();
        all.extend(last.clone());
    }
    let with_slash: Vec<String> = all.iter().map(|path| format!("{path}/")).collect();
    all.extend(with_slash);
    all
}

pub(super) const OPERATIONS: [Operation; 4] = [
    Operation::Read,
    Operation::Update,
    Operation::List,
    Operation::Scan,
];

pub(super) fn allows(acl: &Acl, operation: Operation, path: &str) -> bool {
    matches!(
        acl.decide(&Request::new(operation, path)),
        Verdict::Allowed { .. }
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn it_agrees_with_trying_every_path(over in any_rules(), under in any_rules()) {
        let (over, under) = (rules(&over), rules(&under));
        let excesses = over.beyond(&under);
        for path in paths() {
            for operation in OPERATIONS {
                if !allows(&over, operation, &path) || allows(&under, operation, &path) {
                    continue;
                }
                let Verdict::Allowed { rule, .. } = over.decide(&Request::new(operation, &path))
                else {
                    unreachable!();
                };
                let reported = excesses.iter().any(|excess| {
                    excess.path == rule && excess.capabilities.contains(operation.capability())
                });
                prop_assert!(reported, "{operation:?} {path}: {:?}", told(&excesses));
            }
        }
        for path in paths() {
            let has = |acl: &Acl| {
                acl.find(&path, Lookup::Plain)
                    .is_some_and(|entry| entry.grant.capabilities.contains_key("sudo"))
            };
            if has(&over) && !has(&under) {
                let rule = over.find(&path, Lookup::Plain).unwrap().path();
                let reported = excesses
                    .iter()
                    .any(|excess| excess.path == rule && excess.capabilities.contains("sudo"));
                prop_assert!(reported, "sudo {path}: {:?}", told(&excesses));
            }
        }
        // And each that is told is one, at its example.
        for excess in &excesses {
            prop_assert_eq!(&excess.finding, &Finding::Gained);
            let has = |acl: &Acl, lookup| {
                acl.find(&excess.example, lookup)
                    .is_some_and(|entry| entry.grant.capabilities.contains_key("sudo"))
            };
            let shown = excess.capabilities.iter().any(|capability| {
                if let Some(operation) = Operation::that_takes(capability) {
                    return allows(&over, operation, &excess.example)
                        && !allows(&under, operation, &excess.example);
                }
                [Lookup::Plain, Lookup::Listing]
                    .into_iter()
                    .any(|lookup| has(&over, lookup) && !has(&under, lookup))
            });
            prop_assert!(shown, "{:?}", told(std::slice::from_ref(excess)));
        }
    }
}
