//! Merging policies, and the capabilities of a path.

use proptest::prelude::*;

use super::*;
use crate::policy;

/// An Acl of policies written as text, without an identity.
pub(super) fn acl(policies: &[(&str, &str)]) -> Acl {
    acl_of(policies, None)
}

pub(super) fn acl_of(policies: &[(&str, &str)], identity: Option<&Identity>) -> Acl {
    acl_on(Server::OpenBao, policies, identity)
}

pub(super) fn acl_on(
    server: Server,
    policies: &[(&str, &str)],
    identity: Option<&Identity>,
) -> Acl {
    let documents: Vec<(&str, Document)> = policies
        .iter()
        .map(|(name, text)| (*name, policy::parse(text).unwrap()))
        .collect();
    Acl::new(
        server,
        documents.iter().map(|(name, document)| (*name, document)),
        identity,
    )
}

/// One policy, `p`, of rules written as `path: capability capability`, a line each.
pub(super) fn rules(lines: &str) -> Acl {
    acl(&[("p", &text(lines))])
}

pub(super) fn text(lines: &str) -> String {
    let blocks: Vec<String> = lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (path, rest) = line.trim().split_once(':').unwrap();
            let (capabilities, limits) = rest.split_once(';').unwrap_or((rest, ""));
            let names: Vec<String> = capabilities
                .split_whitespace()
                .map(|name| format!("\"{name}\""))
                .collect();
            format!(
                "path \"{path}\" {{\n capabilities = [{}]\n {}\n}}\n",
                names.join(", "),
                limits.replace(';', "\n")
            )
        })
        .collect();
    blocks.concat()
}

fn capabilities(acl: &Acl, path: &str) -> String {
    let all: Vec<&str> = acl.capabilities(path).into_iter().collect();
    all.join(" ")
}

#[test]
fn the_documentation_s_policy() {
    let acl = rules(
        "secret/*: create read update patch delete list
         secret/super-secret: deny
         secret/restricted: create;allowed_parameters = { foo = [], bar = [\"zip\", \"zap\"] }",
    );
    for (path, expected) in [
        ("secret/a", "create delete list patch read update"),
        ("secret/super-secret", "deny"),
        (
            "secret/super-secret/x",
            "create delete list patch read update",
        ),
        ("secret/restricted", "create"),
        ("other", "deny"),
        ("secret", "deny"),
    ] {
        assert_eq!(capabilities(&acl, path), expected, "{path}");
    }
}

#[test]
fn the_most_specific_path_decides_alone() {
    let acl = rules(
        "secret/*: read
         secret/+/+/foo/*: update
         secret/a/*: list
         secret/a/b: delete
         secret/a/+: patch
         secret/none/*: deny
         secret/none/but: read",
    );
    for (path, expected) in [
        // Fewer `+` go before more.
        ("secret/x/y/foo/z", "read"),
        ("secret/a/x/foo/z", "list"),
        // The wildcard of both stands in the same place, and one ends in `*`.
        ("secret/a/x", "patch"),
        ("secret/a/b", "delete"),
        ("secret/a/b/c", "list"),
        ("secret/none/x", "deny"),
        ("secret/none/but", "read"),
    ] {
        assert_eq!(capabilities(&acl, path), expected, "{path}");
    }
}

#[test]
fn policies_add_up_on_one_path_only() {
    let acl = acl(&[
        ("a", &text("kv/x: read\nkv/y: read\nkv/d: read")),
        ("b", &text("kv/x: list\nkv/*: update\nkv/d: deny")),
        ("c", &text("kv/d: update list sudo")),
    ]);
    assert_eq!(capabilities(&acl, "kv/x"), "list read");
    assert_eq!(capabilities(&acl, "kv/y"), "read");
    assert_eq!(capabilities(&acl, "kv/d"), "deny");
    assert_eq!(capabilities(&acl, "kv/z"), "update");
    let entries: Vec<_> = acl
        .entries()
        .map(|entry| {
            let by: Vec<String> = entry
                .grant
                .capabilities
                .iter()
                .map(|(name, policies)| {
                    let policies: Vec<_> = policies.iter().map(String::as_str).collect();
                    format!("{name}:{}", policies.join("+"))
                })
                .collect();
            let all: Vec<_> = entry.grant.policies.iter().map(String::as_str).collect();
            format!("{} {} of {}", entry.path(), by.join(" "), all.join("+"))
        })
        .collect();
    assert_eq!(
        entries,
        [
            "kv/* update:b of b",
            "kv/d deny:b of a+b+c",
            "kv/x list:b read:a of a+b",
            "kv/y read:a of a",
        ]
    );
}

#[test]
fn deny_beside_others_in_one_rule_stands_alone() {
    let acl = rules("kv/x: read deny sudo;min_wrapping_ttl = 5;pagination_limit = 3");
    assert_eq!(capabilities(&acl, "kv/x"), "deny");
    let entry = acl.entries().next().unwrap();
    assert!(entry.grant.denies());
    assert_eq!(entry.grant.limits, Limits::default());
    assert!(entry.grant.capabilities.keys().eq(["deny"].iter()));
}

#[test]
fn a_rule_without_capabilities_hides_those_behind_it() {
    let acl = rules("kv/*: read\nkv/x: ");
    assert_eq!(capabilities(&acl, "kv/x"), "deny");
    assert_eq!(capabilities(&acl, "kv/y"), "read");
}

#[test]
fn a_slash_at_the_end_falls_back_to_the_rule_without() {
    let acl = rules(
        "kv/exact: read
         kv/both: read
         kv/both/: list
         kv/+/seg: update
         kv/pre*: delete
         kv/pre/*: patch
         kv/one: read
         kv/one/*: list",
    );
    for (path, expected) in [
        ("kv/exact/", "read"),
        ("kv/exact//", "deny"),
        ("kv/both", "read"),
        ("kv/both/", "list"),
        ("kv/x/seg/", "update"),
        ("kv/pre", "delete"),
        ("kv/pre/", "patch"),
        // The exact rule without the slash goes before a wildcard with it.
        ("kv/one/", "read"),
        ("kv/one/a", "list"),
        ("/kv/exact", "read"),
        ("//kv/exact", "read"),
    ] {
        assert_eq!(capabilities(&acl, path), expected, "{path}");
    }
}

#[test]
fn root_is_everything() {
    let empty = Document::default();
    let one = policy::parse(&text("kv/x: deny")).unwrap();
    let acl = Acl::new(Server::OpenBao, [("p", &one), ("root", &empty)], None);
    assert!(acl.is_root());
    assert!(Acl::new(Server::Vault, [(" Root", &empty)], None).is_root());
    assert_eq!(capabilities(&acl, "kv/x"), "root");
    assert!(!rules("kv/x: read").is_root());
}

#[test]
fn every_capability_is_told() {
    let all = policy::CAPABILITIES
        .iter()
        .copied()
        .filter(|name| *name != "deny");
    let mut expected: Vec<&str> = all.collect();
    let acl = rules(&format!("kv/x: {}", expected.join(" ")));
    expected.sort_unstable();
    assert_eq!(capabilities(&acl, "kv/x"), expected.join(" "));
    // What no server knows is nothing.
    let mut document = Document::default();
    document.rule("kv/x").capabilities.insert("fly".to_owned());
    let acl = Acl::new(Server::OpenBao, [("p", &document)], None);
    assert_eq!(capabilities(&acl, "kv/x"), "deny");
}

#[test]
fn limits_are_merged_as_the_server_merges_them() {
    let acl = acl(&[
        (
            "a",
            &text(
                "kv/x: create;allowed_parameters = { v = [\"1\"], any = [\"x\"], a = [\"1\"] };\
                 denied_parameters = { d = [\"1\"], all = [] };required_parameters = [\"r\"];\
                 min_wrapping_ttl = 10;max_wrapping_ttl = 60;pagination_limit = 5;mfa_methods = [\"m\"];\
                 expiration = \"2030-01-01T00:00:00Z\"",
            ),
        ),
        (
            "b",
            &text(
                "kv/x: list;allowed_parameters = { v = [\"2\"], any = [], b = [] };\
                 denied_parameters = { d = [\"2\"], all = [\"x\"] };required_parameters = [\"s\"];\
                 min_wrapping_ttl = 5;max_wrapping_ttl = 90;pagination_limit = 3;mfa_methods = [\"n\"]",
            ),
        ),
        ("c", &text("kv/x: read")),
    ]);
    let limits = &acl.entries().next().unwrap().grant.limits;
    let values = |all: &[&str]| -> BTreeSet<_> {
        all.iter()
            .map(|text| remit_sdk::Value::string(*text))
            .collect()
    };
    let expected = Limits {
        allowed_parameters: [
            ("v", &["1", "2"][..]),
            ("any", &[]),
            ("a", &["1"]),
            ("b", &[]),
        ]
        .map(|(name, all)| (name.to_owned(), values(all)))
        .into(),
        denied_parameters: [("d", &["1", "2"][..]), ("all", &[])]
            .map(|(name, all)| (name.to_owned(), values(all)))
            .into(),
        required_parameters: ["r", "s"].map(str::to_owned).into(),
        min_wrapping_ttl: 5,
        max_wrapping_ttl: 60,
        mfa_methods: ["m", "n"].map(str::to_owned).into(),
        pagination_limit: 3,
        expirations: ["2030-01-01T00:00:00Z".to_owned()].into(),
        ..Limits::default()
    };
    assert_eq!(*limits, expected);
}

#[test]
fn a_denial_by_another_policy_leaves_no_limits_but_the_time() {
    let limited = text(
        "kv/x: read;min_wrapping_ttl = 5;expiration = \"2030-01-01T00:00:00Z\";required_parameters = [\"r\"]",
    );
    let denied = text("kv/x: deny;expiration = \"2031-01-01T00:00:00Z\"");
    let acl = acl(&[("a", &limited), ("b", &denied)]);
    let grant = &acl.entries().next().unwrap().grant;
    let expected = Limits {
        expirations: ["2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]
            .map(str::to_owned)
            .into(),
        ..Limits::default()
    };
    assert_eq!(grant.limits, expected);
    assert!(grant.denies());
}

#[test]
fn event_types_and_filters_are_kept_apart_by_policy() {
    let acl = acl(&[
        (
            "a",
            &text(
                "kv/x: subscribe list;subscribe_event_types = [\"kv*\"];list_scan_response_keys_filter_path = \"f\"",
            ),
        ),
        ("b", &text("kv/x: subscribe")),
        (
            "c",
            &text("kv/x: list;list_scan_response_keys_filter_path = \"g\""),
        ),
        (
            "d",
            &text(
                "kv/x: read;subscribe_event_types = [\"no\"];list_scan_response_keys_filter_path = \"\"",
            ),
        ),
    ]);
    let limits = &acl.entries().next().unwrap().grant.limits;
    assert_eq!(
        limits.filters,
        BTreeSet::from(["f".to_owned(), "g".to_owned()])
    );
    assert_eq!(
        limits.event_types,
        BTreeSet::from([BTreeSet::new(), BTreeSet::from(["kv*".to_owned()])])
    );
}

#[test]
fn templates_are_filled_in_dropped_or_left() {
    let identity = Identity::default()
        .with_name("agent")
        .with_metadata(&BTreeMap::from([("team".to_owned(), "blue".to_owned())]));
    let policies = [(
        "p",
        &*text(
            "kv/{{identity.entity.name}}/*: read
             kv/agent/*: list
             kv/{{identity.entity.metadata.other}}: read
             kv/{{identity.entity.id}}: update",
        ),
    )];
    let acl = acl_of(&policies, Some(&identity));
    let paths: Vec<_> = acl.entries().map(Entry::path).collect();
    assert_eq!(paths, ["kv/agent/*", "kv/{{identity.entity.id}}"]);
    // Two rules that come to the same path are one.
    assert_eq!(capabilities(&acl, "kv/agent/x"), "list read");
    // A path that isn't known isn't answered for, not even by its own text.
    assert_eq!(capabilities(&acl, "kv/{{identity.entity.id}}"), "deny");
    let unknown: Vec<_> = acl.entries().map(|entry| entry.unknown.len()).collect();
    assert_eq!(unknown, [0, 1]);

    let nobody = acl_of(&policies, None);
    let paths: Vec<_> = nobody.entries().map(Entry::path).collect();
    assert_eq!(paths, ["kv/agent/*"]);
}

#[test]
fn a_broken_policy_denies_everything() {
    let identity = Identity::default().with_name("a*");
    let acl = acl_of(
        &[
            ("bad", &text("kv/{{identity.entity.name}}: read")),
            ("good", &text("kv/x: read")),
        ],
        Some(&identity),
    );
    assert_eq!(capabilities(&acl, "kv/x"), "deny");
    let broken: Vec<_> = acl.broken().collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].policy, "bad");
    assert_eq!(broken[0].path, "kv/{{identity.entity.name}}");
    assert!(broken[0].why.contains("refuses a `*`"), "{}", broken[0].why);

    let mut document = Document::default();
    document.rule("kv/+*");
    let acl = Acl::new(Server::OpenBao, [("p", &document)], None);
    assert!(acl.broken().next().unwrap().why.contains("`+*`"));
    assert!(rules("kv/x: read").broken().next().is_none());
}

// ---- properties

/// Rules over few segments, so that they meet often.
pub(super) fn any_rules() -> impl Strategy<Value = String> {
    rules_of(prop_oneof![
        3 => Just("a"), 3 => Just("b"), 1 => Just("ab"), 2 => Just("+"),
    ])
}

/// Rules of which some have the segments that are given.
pub(super) fn rules_of(
    segment: impl Strategy<Value = &'static str> + Clone,
) -> impl Strategy<Value = String> {
    let end = prop_oneof![3 => Just(""), 2 => Just("/*"), 1 => Just("*"), 1 => Just("/")];
    let path = (proptest::collection::vec(segment, 1..4), end)
        .prop_map(|(segments, end)| format!("{}{end}", segments.join("/")))
        .prop_filter("refused by the server", |path| !path.contains("+*"));
    let capability = prop_oneof![
        Just("read"),
        Just("list"),
        Just("update"),
        Just("sudo"),
        Just("deny"),
        Just("scan"),
    ];
    let rule = (path, proptest::collection::btree_set(capability, 0..3));
    proptest::collection::vec(rule, 1..6).prop_map(|rules| {
        let rules: BTreeMap<_, _> = rules.into_iter().collect();
        let lines: Vec<String> = rules
            .into_iter()
            .map(|(path, capabilities)| {
                let names: Vec<&str> = capabilities.into_iter().collect();
                format!("{path}: {}", names.join(" "))
            })
            .collect();
        lines.join("\n")
    })
}

proptest! {
    #[test]
    fn the_order_of_policies_doesn_t_matter(
        policies in proptest::collection::vec(any_rules(), 1..5),
        seed in any::<u64>(),
    ) {
        let texts: Vec<(String, String)> = policies
            .iter()
            .enumerate()
            .map(|(number, lines)| (format!("p{number}"), text(lines)))
            .collect();
        let one: Vec<(&str, &str)> =
            texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let mut other = one.clone();
        let turn = usize::try_from(seed % 5).unwrap() % other.len();
        other.rotate_left(turn);
        if seed & 8 == 0 {
            other.reverse();
        }
        prop_assert_eq!(acl(&one), acl(&other));
    }

    #[test]
    fn no_path_and_no_template_panics(
        paths in proptest::collection::vec(r"[/+*{}a-c.é ]{0,12}|(\{\{identity\.[a-z.]{0,12}\}\}|[a/+*]){0,4}", 0..6),
        asked in r"[/+*{}a-cé]{0,8}",
    ) {
        let mut document = Document::default();
        for path in &paths {
            document.rule(path).capabilities.insert("list".to_owned());
        }
        let identity = Identity::default().with_name("a");
        let acl = Acl::new(Server::Vault, [("p", &document)], Some(&identity));
        let none = Acl::new::<Policy<'_>>(Server::Vault, [], None);
        prop_assert!(!acl.capabilities(&asked).is_empty());
        for operation in [Operation::List, Operation::Read] {
            let _ = acl.decide(&Request::new(operation, &asked));
        }
        prop_assert!(acl.beyond(&acl).is_empty());
        prop_assert!(none.beyond(&acl).is_empty());
        let gained = acl.beyond(&none);
        let gives = acl.entries().any(|entry| !entry.path().is_empty());
        prop_assert!(gives || acl.broken().next().is_some() || gained.is_empty());
    }
}
