use proptest::prelude::*;

use super::*;

#[test]
fn the_canonical_text_is_stable() {
    let text = r#"
        # a comment
        path "kv/data/b" { capabilities = ["read", "list", "read"] }
        path "kv/data/a/*" {
            comment = "counts for nothing"
            capabilities = ["update"]
            allowed_parameters = { "Zone" = ["b", "a", 1, true], "*" = [] }
            required_parameters = ["x"]
            min_wrapping_ttl = "1m"
            max_wrapping_ttl = 120
        }
    "#;
    let canonical = canonical(text).unwrap();
    assert_eq!(
        canonical,
        "path \"kv/data/a/*\" {\n  \
           capabilities = [\"update\"]\n  \
           allowed_parameters = {\n    \"*\" = []\n    \"zone\" = [true, 1, \"a\", \"b\"]\n  }\n  \
           required_parameters = [\"x\"]\n  \
           min_wrapping_ttl = \"60s\"\n  \
           max_wrapping_ttl = \"120s\"\n\
         }\n\n\
         path \"kv/data/b\" {\n  capabilities = [\"list\", \"read\"]\n}\n"
    );
    assert_eq!(super::canonical(&canonical).unwrap(), canonical);
}

#[test]
fn json_means_the_same() {
    let hcl = "path \"a\" {\ncapabilities = [\"read\"]\nallowed_parameters = { x = [\"1\"] }\n}";
    for json in [
        r#"{"path": {"a": {"capabilities": ["read"], "allowed_parameters": {"x": ["1"]}}}}"#,
        r#"{"path": [{"a": {"capabilities": ["read"], "allowed_parameters": [{"x": ["1"]}]}}]}"#,
    ] {
        assert_eq!(parse(json), parse(hcl), "{json}");
    }
}

#[test]
fn mistakes_are_named() {
    for (text, why) in [
        ("", "no `path`"),
        (
            "path \"a\" { capabilities = [\"raed\"] }",
            "did you mean `read`?",
        ),
        (
            "path \"a\" { capabilities = [\"READ\"] }",
            "did you mean `read`?",
        ),
        (
            "path \"a\" { capabilites = [\"read\"] }",
            "did you mean `capabilities`?",
        ),
        ("path \"a\" { capabilities = \"read\" }", "must be a list"),
        ("path \"a\" {}\npath \"a\" {}", "two blocks"),
        (r#"{"path": {"a": {}, "a": {}}}"#, "two blocks"),
        (
            r#"{"path": {"a": {"comment": "", "comment": ""}}}"#,
            "twice",
        ),
        ("path \"/a\" {}", "write `a`"),
        ("path \"a*b\" {}", "before its end"),
        ("path \"a+/b\" {}", "inside a segment"),
        ("path \"a/../b\" {}", "`..`"),
        ("path \"a${x}\" {}", "template"),
        ("path \"a\" { policy = \"read\" }", "old short form"),
        (
            "path \"a\" {\nmin_wrapping_ttl = 9\nmax_wrapping_ttl = 3\n}",
            "less than",
        ),
        ("path \"a\" \"b\" {}", "more than one label"),
        ("path \"a\" { capabilities = concat([], []) }", "no place"),
        ("path \"a\" { comment = <<E\nx\nE\n}", "no place"),
        ("paths \"a\" {}", "did you mean `path`?"),
        ("path \"a\" {", "a form of HCL that remit reads"),
        // The server takes these.
        (
            "path \"a\" {capabilities=[\"read\"]\ndenied_parameters={\"x\"=[]}}",
            "write one attribute a line",
        ),
        (
            "path \"a\" { capabilities = [\"read\"] comment = \"x\" }",
            "write one attribute a line",
        ),
        ("{", "no JSON"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn nesting_and_size_are_bounded() {
    let many = 1_000_000;
    for bomb in [
        format!("path \"a\" {{ x = {}", "[".repeat(many)),
        format!("path \"a\" {{ x = {}", "(".repeat(many)),
        format!("path \"a\" {{ x = {}1", "-".repeat(400_000)),
        format!("path \"a\" {{ x = {}", "!".repeat(many)),
        format!("path \"a\" {{ x = \"{}", "${\"".repeat(100_000)),
        "a {".repeat(100_000),
        format!("{{\"path\": {}", "[".repeat(400_000)),
        " ".repeat(POLICY_BYTES_MAX + 1),
    ] {
        assert!(parse(&bomb).is_err());
    }
}

#[test]
fn the_mark_is_no_part_of_the_policy() {
    let mark = Mark {
        lineage: "7f3a".into(),
        address: "scope.s[\"a b:%\\n\"]/vault_policy".into(),
    };
    let canonical = canonical("path \"a\" { capabilities = [\"read\"] }").unwrap();
    let written = with_mark(&canonical, &mark);
    assert_eq!(live(&written), (canonical.clone(), Some(mark)));
    assert_eq!(live(&canonical), (canonical.clone(), None));
    assert_eq!(
        live("# a comment\nnonsense {"),
        ("# a comment\nnonsense {".into(), None)
    );
}

fn any_text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 /:{}\"\\\\üñ._-]{0,12}"
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let value = prop_oneof![
        any_text().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        (-9_i64..1_000_000).prop_map(Value::integer),
    ];
    let parameters = || {
        prop::collection::btree_map(
            "[a-z*]{1,3}",
            prop::collection::btree_set(value.clone(), 0..3),
            0..3,
        )
    };
    (
        prop::collection::btree_set(
            prop::sample::select(CAPABILITIES).prop_map(str::to_owned),
            0..4,
        ),
        parameters(),
        parameters(),
        prop::collection::btree_set("[a-z]{1,3}", 0..3),
        0_i64..3,
        prop::option::of(0_i64..9),
        prop::option::of(any_text()),
    )
        .prop_map(
            |(capabilities, allowed, denied, required, ttl, limit, expiration)| Rule {
                capabilities,
                allowed_parameters: allowed,
                denied_parameters: denied,
                required_parameters: required,
                min_wrapping_ttl: ttl,
                max_wrapping_ttl: ttl * 2,
                pagination_limit: limit,
                expiration,
                ..Rule::default()
            },
        )
}

fn any_document() -> impl Strategy<Value = Document> {
    prop::collection::btree_map("[a-z]{1,3}(/[a-z{}\"]{1,3}){0,2}[*]?", any_rule(), 1..4)
        .prop_map(|paths| Document { paths })
}

/// The same document in JSON, its lists turned round.
fn as_json(document: &Document) -> String {
    use serde_json::{Map, Value as Json, json};
    let list = |all: &BTreeSet<String>| Json::from(all.iter().rev().cloned().collect::<Vec<_>>());
    let parameters = |all: &BTreeMap<String, BTreeSet<Value>>| {
        let entries = all.iter().map(|(name, values)| {
            (
                name.clone(),
                values.iter().rev().map(Value::to_plain_json).collect(),
            )
        });
        Json::Object(entries.collect::<Map<String, Json>>())
    };
    let mut paths = Vec::new();
    for (path, rule) in document.paths.iter().rev() {
        let mut json = json!({
            "capabilities": list(&rule.capabilities),
            "allowed_parameters": parameters(&rule.allowed_parameters),
            "denied_parameters": parameters(&rule.denied_parameters),
            "required_parameters": list(&rule.required_parameters),
            "min_wrapping_ttl": format!("{}s", rule.min_wrapping_ttl),
            "max_wrapping_ttl": rule.max_wrapping_ttl,
        });
        let fields = json.as_object_mut().unwrap();
        if let Some(limit) = rule.pagination_limit {
            fields.insert("pagination_limit".into(), limit.into());
        }
        if let Some(text) = &rule.expiration {
            fields.insert("expiration".into(), text.clone().into());
        }
        paths.push(json!({ path.as_str(): json }));
    }
    json!({ "path": paths }).to_string()
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(document in any_document()) {
        let text = document.to_string();
        prop_assert_eq!(parse(&text), Ok(document), "{}", text);
    }

    #[test]
    fn order_and_language_do_not_matter(document in any_document()) {
        prop_assert_eq!(canonical(&as_json(&document)), Ok(document.to_string()));
    }

    #[test]
    fn another_meaning_is_another_text(a in any_document(), b in any_document()) {
        prop_assert_eq!(a == b, a.to_string() == b.to_string());
    }

    #[test]
    fn no_text_makes_it_panic(text in "(path|\"a\"|[{}\\[\\]=,.#/*<\"\\\\$%-]|\\PC|\n| ){0,40}") {
        let _ = parse(&text);
        let _ = live(&text);
    }
}

#[test]
fn only_fewer_capabilities_on_the_same_paths_are_proven_to_narrow() {
    let document = |text: &str| parse(text).unwrap();
    let rule = |path: &str, capabilities: &str| {
        format!("path \"{path}\" {{ capabilities = [{capabilities}] }}\n")
    };
    let before = document(&(rule("a/*", "\"read\", \"update\"") + &rule("a/b", "\"list\"")));
    let narrows = |text: String| document(&text).narrows(&before);
    assert!(narrows(rule("a/*", "\"read\"") + &rule("a/b", "\"list\"")));
    for other in [
        rule("a/*", "\"read\", \"delete\"") + &rule("a/b", "\"list\""),
        rule("a/*", "\"read\", \"update\""),
        rule("a/*", "\"read\"") + &rule("a/c", "\"list\""),
        rule("a/*", "") + &rule("a/b", "\"list\""),
    ] {
        assert!(!narrows(other.clone()), "{other}");
    }
}
