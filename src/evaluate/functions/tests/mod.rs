//! Results of every function, mistakes, limits, and that no arguments make one panic.
//!
//! Arguments and results are written as the sdk's JSON, `{"$set": […]}` for a set.

use std::path::Path;

use proptest::prelude::*;
use remit_sdk::{DeclarationAddress, Number, Pending, SecretRef};
use serde_json::{Value as Json, json};

use super::*;

mod collections;
mod files;
mod formats;
mod scalars;

fn run_in(root: &Path, name: &str, arguments: &Json) -> Outcome {
    let Value::List(arguments) = Value::from_json(arguments).unwrap() else {
        panic!("arguments are a list");
    };
    call(name, &arguments, &Context { root })
}

fn run(name: &str, arguments: &Json) -> Outcome {
    run_in(Path::new("/nonexistent"), name, arguments)
}

/// Each row: function, arguments, result.
fn table(rows: &[(&str, Json, Json)]) {
    for (name, arguments, wanted) in rows {
        let wanted = Value::from_json(wanted).unwrap();
        assert_eq!(run(name, arguments), Ok(wanted), "{name}{arguments}");
    }
}

/// Each row: function, arguments, the position of the wrong one, a part of the message.
fn mistakes(rows: &[(&str, Json, Option<usize>, &str)]) {
    for (name, arguments, position, part) in rows {
        let error = run(name, arguments).expect_err(&format!("{name}{arguments}"));
        assert_eq!(error.argument, *position, "{name}{arguments}: {error:?}");
        assert!(error.message.contains(part), "{name}{arguments}: {error:?}");
    }
}

#[test]
fn results_are_bounded() {
    let long = "a".repeat(1_000_000);
    let many = vec![""; 10_000];
    for (name, arguments) in [
        ("join", json!([long, many])),
        ("formatlist", json!(["%s%s", long, many])),
        ("format", json!(["%[1]s".repeat(10), long])),
        ("replace", json!(["aaaaaaaaaaaa", "a", long])),
        ("replace", json!(["aaaaaaaaaaaa", "/a/", long])),
        ("indent", json!([1_000_000, "\n".repeat(10)])),
        ("split", json!(["", long])),
        ("setproduct", json!([many, many])),
        ("setproduct", json!([[long], many])),
        (
            "transpose",
            json!([{ long.clone(): (0..100).collect::<Vec<_>>() }]),
        ),
        (
            "jsondecode",
            json!([format!("[{}1]", "1,".repeat(300_000))]),
        ),
        ("jsonencode", json!([vec!["<".repeat(500_000); 4]])),
        ("merge", json!(vec![json!({ "a": long }); 10])),
        ("concat", json!(vec![json!([long]); 10])),
    ] {
        let error = run(name, &arguments).expect_err(name);
        assert!(error.message.contains("larger than"), "{name}: {error:?}");
    }
}

#[test]
fn a_search_that_squares_the_text_is_cut_short() {
    let text = "a".repeat(100_000);
    let error = run("replace", &json!([text, "/a/", "b"])).unwrap_err();
    assert!(error.message.contains("too often"), "{error:?}");
}

#[test]
fn functions_left_out_say_why() {
    mistakes(&[
        ("timestamp", json!([]), None, "same input"),
        ("uuid", json!([]), None, "random"),
        ("bcrypt", json!(["a"]), None, "random"),
        ("md5", json!(["a"]), None, "sha256"),
        ("nothing", json!([]), None, "no such function"),
    ]);
}

#[test]
fn names_are_unique_and_usages_begin_with_them() {
    let names = names();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    assert!(names.len() > 70, "{}", names.len());
    for function in all() {
        let usage = function.usage.strip_prefix(function.name);
        assert!(
            usage.is_some_and(|rest| rest.starts_with('(')),
            "{}",
            function.name
        );
        assert!(absent(function.name).is_none(), "{}", function.name);
    }
}

fn any_number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3_i64..70).prop_map(Value::integer),
        any::<i64>().prop_map(Value::integer),
        prop_oneof![Just(i64::MIN), Just(i64::MAX)].prop_map(Value::integer),
        any::<f64>().prop_filter_map("finite", |n| Number::from_f64(n).map(Value::Number)),
    ]
}

fn any_text() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>(),
        "[-+%#0-9.vdsqxfge\\[\\]]{0,12}",
        "/[a-z()|*+?.\\\\$\\[\\]{}^,0-9é]{0,12}/",
        "[a-z()|*+?.\\\\$\\[\\]{}^/,0-9é]{0,12}",
        "[0-9]{1,3}\\.0\\.0\\.0/[0-9]{1,3}",
        "[0-9a-f]{0,4}::/[0-9]{1,3}",
        "[0-9]{4}-0[1-9]-[0-3][0-9]T[0-2][0-9]:00:00(\\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})",
        "[-+]?([0-9]{1,22}(\\.[0-9]{1,22})?(h|m|s|ms|us|ns|d))?",
        "[YMDEhHmsZ' -]{0,9}",
        "[-0-9a-zA-Z]{0,24}",
        "[\\[\\]{}\",:0-9eE.-]{0,12}",
        "(\\.\\.|\\.|src|/|\\*\\*|\\*){0,6}",
    ]
    .prop_map(Value::String)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        4 => any_number(),
        6 => any_text(),
        1 => Just(Value::Declaration(DeclarationAddress::new("agent", "x"))),
        1 => Just(Value::Secret(SecretRef::Env("X".into()))),
        1 => Just(Value::Pending(Pending { parts: Vec::new() })),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::btree_set(inner.clone(), 0..5).prop_map(Value::Set),
            prop::collection::btree_map(".{0,3}", inner, 0..5).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Each case goes to every function, with fewer arguments too.
    #[test]
    fn no_arguments_make_one_panic(
        arguments in prop::collection::vec(any_value(), 0..5),
        texts in prop::collection::vec(any_text(), 3),
        numbers in prop::collection::vec(any_number(), 3),
    ) {
        let root = tempfile::tempdir().unwrap();
        let context = Context { root: root.path() };
        let mixed = || texts.iter().zip(&numbers).flat_map(|(text, number)| [text, number]);
        let mixed: Vec<Value> = mixed().cloned().collect();
        for function in all() {
            for all in [&arguments, &texts, &numbers, &mixed] {
                for count in 0..=all.len() {
                    let arguments = all.get(..count).unwrap();
                    let first = call(function.name, arguments, &context);
                    let again = call(function.name, arguments, &context);
                    prop_assert_eq!(first, again, "{}", function.name);
                }
            }
        }
    }

    #[test]
    fn json_reads_back(value in any_value()) {
        // Sets become lists; what isn't data has no JSON.
        if let Ok(text) = json::encode(&value) {
            let wanted = value.to_plain_json();
            let read: Json = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Value::from_json(&read), Value::from_json(&wanted));
        }
    }

    #[test]
    fn base64_reads_back(text in any::<String>()) {
        let encoded = run("base64encode", &json!([text])).unwrap();
        prop_assert_eq!(run("base64decode", &json!([encoded.to_json()])), Ok(Value::String(text)));
    }
}
