//! Results of every function, mistakes, limits, and that no arguments make one panic.
//!
//! Arguments and results are written as the sdk's JSON, `{"$set": […]}` for a set.

use std::path::Path;

use proptest::prelude::*;
use remit_sdk::{DeclarationAddress, Number, Pending, SecretRef};
use serde_json::{Value as Json, json};

use super::*;

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
fn texts() {
    table(&[
        ("chomp", json!(["a\n\r\n\n"]), json!("a")),
        ("chomp", json!(["\na "]), json!("\na ")),
        ("endswith", json!(["remit", "it"]), json!(true)),
        ("indent", json!([2, "a\nb\nc"]), json!("a\n  b\n  c")),
        ("join", json!([",", ["a", 1, true]]), json!("a,1,true")),
        ("join", json!([",", ["a"], [], ["b"]]), json!("a,b")),
        ("join", json!([",", []]), json!("")),
        ("lower", json!(["ÀB"]), json!("àb")),
        ("split", json!([",", "a,b,"]), json!(["a", "b", ""])),
        ("split", json!([",", ""]), json!([""])),
        ("split", json!(["", "aé"]), json!(["a", "é"])),
        ("startswith", json!(["remit", "it"]), json!(false)),
        ("strcontains", json!(["remit", "emi"]), json!(true)),
        ("strrev", json!(["aé好"]), json!("好éa")),
        ("substr", json!(["hello world", 1, 4]), json!("ello")),
        ("substr", json!(["hello", -3, -1]), json!("llo")),
        ("substr", json!(["hello", -9, 2]), json!("he")),
        ("substr", json!(["hello", 9, 2]), json!("")),
        (
            "title",
            json!(["hello big-world don't x_y"]),
            json!("Hello Big-World Don'T X_y"),
        ),
        ("trim", json!(["?!hello?!", "!?"]), json!("hello")),
        ("trim", json!([" a ", ""]), json!(" a ")),
        ("trimprefix", json!(["helloworld", "hello"]), json!("world")),
        ("trimprefix", json!(["aab", "a"]), json!("ab")),
        ("trimspace", json!(["\n\t a \u{a0}"]), json!("a")),
        ("trimsuffix", json!(["a.json", ".json"]), json!("a")),
        ("upper", json!(["straße"]), json!("STRAßE")),
        ("upper", json!([true]), json!("TRUE")),
    ]);
    mistakes(&[
        (
            "upper",
            json!([["a"]]),
            Some(0),
            "a string is wanted, and this is a list",
        ),
        ("upper", json!([null]), Some(0), "null"),
        ("upper", json!([]), None, "takes 1"),
        ("join", json!([","]), None, "2 or more"),
        ("join", json!([",", ["a", null]]), Some(1), "holds null"),
        ("substr", json!(["a", 0, -2]), Some(2), "no length"),
        ("substr", json!(["a", 0.5, 1]), Some(1), "whole number"),
        ("indent", json!([-1, "a"]), Some(0), "0 or more"),
    ]);
}

#[test]
fn formats() {
    table(&[
        (
            "format",
            json!(["Hello, %s!", "Ander"]),
            json!("Hello, Ander!"),
        ),
        ("format", json!(["%d%%", 5]), json!("5%")),
        (
            "format",
            json!(["%v %v %v", 1.5, true, null]),
            json!("1.5 true null"),
        ),
        ("format", json!(["%v", { "a": [1] }]), json!("{\"a\":[1]}")),
        ("format", json!(["%#v", "a"]), json!("\"a\"")),
        ("format", json!(["%q", "a\"b"]), json!("\"a\\\"b\"")),
        (
            "format",
            json!(["%5s|%-5s|%05d|%+d", "a", "b", -42, 7]),
            json!("    a|b    |-0042|+7"),
        ),
        ("format", json!(["%.2s", "hello"]), json!("he")),
        (
            "format",
            json!(["%b %o %x %X", 5, 8, 255, 255]),
            json!("101 10 ff FF"),
        ),
        ("format", json!(["%.3d", 7]), json!("007")),
        (
            "format",
            json!(["%f %.2f %8.3f", 1.5, 2.345_678, -1.5]),
            json!("1.500000 2.35   -1.500"),
        ),
        (
            "format",
            json!(["%e %E", 123_456.0, 0.5]),
            json!("1.234560e+05 5.000000E-01"),
        ),
        (
            "format",
            json!(["%g %g %.3g", 0.00001, 100, 1234.5]),
            json!("1e-05 100 1.23e+03"),
        ),
        (
            "format",
            json!(["%[2]s %[1]s %s", "a", "b"]),
            json!("b a b"),
        ),
        ("format", json!(["%t", "true"]), json!("true")),
        ("format", json!(["%s", 5]), json!("5")),
        ("format", json!(["%d", "5"]), json!("5")),
        (
            "formatlist",
            json!(["%s-%s", "a", ["x", "y"]]),
            json!(["a-x", "a-y"]),
        ),
        ("formatlist", json!(["%s", "a"]), json!(["a"])),
        ("formatlist", json!(["%s", []]), json!([])),
        (
            "formatlist",
            json!(["%s%d", ["a", "b"], [1, 2]]),
            json!(["a1", "b2"]),
        ),
    ]);
    mistakes(&[
        ("format", json!(["%s"]), Some(0), "takes value 1"),
        ("format", json!(["a", 1]), Some(1), "no verb"),
        ("format", json!(["%z", 1]), Some(0), "`%z` is no verb"),
        ("format", json!(["%"]), Some(0), "no verb"),
        (
            "format",
            json!(["%d", 1.5]),
            Some(1),
            "`%d`: a whole number",
        ),
        ("format", json!(["%d", "x"]), Some(1), "`%d`: a number"),
        ("format", json!(["%s", ["a"]]), Some(1), "`%s`: a string"),
        ("format", json!(["%[0]s", "a"]), Some(0), "no number"),
        ("format", json!(["%9999999999s", "a"]), Some(0), "at most"),
        ("format", json!(["%.2000f", 1]), Some(0), "at most"),
        (
            "formatlist",
            json!(["%s%s", ["a"], ["b", "c"]]),
            Some(2),
            "one length",
        ),
    ]);
}

#[test]
fn patterns() {
    table(&[
        (
            "regex",
            json!(["[a-z]+", "53453453.345345aaabbbccc23454"]),
            json!("aaabbbccc"),
        ),
        (
            "regex",
            json!([r"(\d+)-(\d+)(x)?", "on 2019-02"]),
            json!(["2019", "02", null]),
        ),
        (
            "regex",
            json!([
                "^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<host>[^/?#]*))?",
                "https://a.example/x"
            ]),
            json!({ "scheme": "https", "host": "a.example" }),
        ),
        (
            "regexall",
            json!(["[a-z]+", "1234abcd5678efgh9"]),
            json!(["abcd", "efgh"]),
        ),
        ("regexall", json!(["[a-z]+", "123"]), json!([])),
        (
            "regexall",
            json!([r"(\w)(\d)", "a1 b2"]),
            json!([["a", "1"], ["b", "2"]]),
        ),
        (
            "regexall",
            json!([r"[\d.]+", "1.5 x \u{663}"]),
            json!(["1.5"]),
        ),
        ("regexall", json!([r"\bb\w*", "bar abc"]), json!(["bar"])),
        (
            "replace",
            json!(["1 + 2 + 3", "+", "-"]),
            json!("1 - 2 - 3"),
        ),
        (
            "replace",
            json!(["hello world", "/w.*d/", "everybody"]),
            json!("hello everybody"),
        ),
        (
            "replace",
            json!(["a-b", "/(\\w)-(\\w)/", "$2-${1}x$$"]),
            json!("b-ax$"),
        ),
        ("replace", json!(["a/b", "/", "-"]), json!("a-b")),
        ("replace", json!(["abc", "/x*/", "-"]), json!("-a-b-c-")),
        ("replace", json!(["ab", "", "-"]), json!("-a-b-")),
    ]);
    mistakes(&[
        ("regex", json!(["x", "abc"]), Some(1), "doesn't match"),
        (
            "regex",
            json!(["(", "abc"]),
            Some(0),
            "no pattern: unclosed group",
        ),
        (
            "regex",
            json!(["(?P<a>x)(y)", "xy"]),
            Some(0),
            "some groups",
        ),
        ("regex", json!(["(a)\\1", "aa"]), Some(0), "no pattern"),
        (
            "regex",
            json!(["((a{100}){100}){100}", "aa"]),
            Some(0),
            "memory",
        ),
        (
            "regex",
            json!(["a", "a".repeat(200_000)]),
            Some(1),
            "at most",
        ),
        ("replace", json!(["a", "/(/", "b"]), Some(1), "no pattern"),
    ]);
}

#[test]
fn numbers() {
    table(&[
        ("abs", json!([-5]), json!(5)),
        ("abs", json!([-1.5]), json!(1.5)),
        ("ceil", json!([5.1]), json!(6)),
        ("ceil", json!(["-5.1"]), json!(-5)),
        ("floor", json!([-5.1]), json!(-6)),
        ("floor", json!([i64::MAX]), json!(i64::MAX)),
        ("log", json!([16, 2]), json!(4)),
        ("log", json!([1, 10]), json!(0)),
        ("max", json!([5, 12, "9"]), json!(12)),
        ("min", json!([5, -1.5, 9]), json!(-1.5)),
        ("parseint", json!(["100", 10]), json!(100)),
        ("parseint", json!(["-fF", 16]), json!(-255)),
        ("parseint", json!(["1011111011101111", 2]), json!(48879)),
        ("parseint", json!(["aA", 62]), json!(10 * 62 + 36)),
        (
            "parseint",
            json!(["-9223372036854775808", 10]),
            json!(i64::MIN),
        ),
        ("pow", json!([3, 2]), json!(9)),
        ("pow", json!([4, 0]), json!(1)),
        ("pow", json!([2, -1]), json!(0.5)),
        ("pow", json!([9, 0.5]), json!(3)),
        ("pow", json!([-1, i64::MAX]), json!(-1)),
        ("pow", json!([-1, i64::MAX - 1]), json!(1)),
        ("signum", json!([-0.5]), json!(-1)),
        ("signum", json!([0]), json!(0)),
        ("sum", json!([[1, "2", 3.5]]), json!(6.5)),
        ("sum", json!([{ "$set": [1, 2] }]), json!(3)),
    ]);
    mistakes(&[
        ("abs", json!([i64::MIN]), None, "too large"),
        ("abs", json!([true]), Some(0), "a number is wanted"),
        ("pow", json!([2, 63]), None, "too large"),
        ("pow", json!([10, i64::MAX]), None, "too large"),
        ("pow", json!([0, -1]), None, "too large"),
        ("pow", json!([-8, 0.5]), None, "no such power"),
        ("log", json!([0, 2]), Some(0), "logarithm"),
        ("log", json!([2, 1]), Some(1), "base"),
        ("parseint", json!(["12", 2]), Some(0), "base 2"),
        ("parseint", json!(["", 10]), Some(0), "no whole number"),
        ("parseint", json!([12, 10]), Some(0), "text is wanted"),
        ("parseint", json!(["1", 63]), Some(1), "2 to 62"),
        (
            "parseint",
            json!(["9223372036854775808", 10]),
            None,
            "too large",
        ),
        ("sum", json!([[]]), Some(0), "empty"),
        ("sum", json!([[i64::MAX, 1]]), None, "too large"),
        ("sum", json!([["x"]]), Some(0), "holds the string \"x\""),
        ("max", json!([]), None, "1 or more"),
    ]);
}

#[test]
fn collections() {
    table(&[
        ("coalesce", json!([null, "", "a", "b"]), json!("a")),
        ("coalesce", json!([null, 1, "b"]), json!("1")),
        ("coalesce", json!([null, 1]), json!(1)),
        ("keys", json!([{ "b": 1, "a": 2 }]), json!(["a", "b"])),
        ("length", json!([["a", "b"]]), json!(2)),
        ("length", json!([{ "a": 1 }]), json!(1)),
        ("length", json!(["aé"]), json!(2)),
        ("lookup", json!([{ "a": 1 }, "a", 2]), json!(1)),
        ("lookup", json!([{ "a": 1 }, "b", 2]), json!(2)),
        ("lookup", json!([{ "a": 1 }, "a"]), json!(1)),
        (
            "matchkeys",
            json!([["i-1", "i-2", "i-3"], ["west", "east", "east"], ["east"]]),
            json!(["i-2", "i-3"]),
        ),
        (
            "merge",
            json!([{ "a": 1, "b": 2 }, null, { "b": 3 }]),
            json!({ "a": 1, "b": 3 }),
        ),
        ("merge", json!([]), json!({})),
        ("one", json!([[]]), json!(null)),
        ("one", json!([{ "$set": ["a"] }]), json!("a")),
        (
            "transpose",
            json!([{ "a": ["1", "2"], "b": ["2", "2", "3"] }]),
            json!({ "1": ["a"], "2": ["a", "b"], "3": ["b"] }),
        ),
        ("values", json!([{ "b": 1, "a": 2 }]), json!([2, 1])),
        (
            "zipmap",
            json!([["a", "b"], [1, [2]]]),
            json!({ "a": 1, "b": [2] }),
        ),
    ]);
    mistakes(&[
        ("coalesce", json!([null, ""]), None, "every argument"),
        ("keys", json!([["a"]]), Some(0), "a map is wanted"),
        ("length", json!([5]), Some(0), "a list, a set"),
        ("lookup", json!([{ "a": 1 }, "b"]), Some(1), "no key"),
        ("matchkeys", json!([["a"], [], []]), Some(1), "one length"),
        ("merge", json!([{}, []]), Some(1), "a map is wanted"),
        ("one", json!([[1, 2]]), Some(0), "it has 2"),
        (
            "transpose",
            json!([{ "a": "b" }]),
            Some(0),
            "a map of lists",
        ),
        ("zipmap", json!([["a"], []]), Some(1), "one length"),
    ]);
}

#[test]
fn lists() {
    table(&[
        ("alltrue", json!([[true, "true"]]), json!(true)),
        ("alltrue", json!([[]]), json!(true)),
        ("alltrue", json!([[true, null]]), json!(false)),
        ("anytrue", json!([[false, true]]), json!(true)),
        ("anytrue", json!([[]]), json!(false)),
        (
            "chunklist",
            json!([["a", "b", "c"], 2]),
            json!([["a", "b"], ["c"]]),
        ),
        ("chunklist", json!([["a", "b"], 0]), json!([["a", "b"]])),
        ("chunklist", json!([[], 2]), json!([])),
        (
            "coalescelist",
            json!([null, [], ["a"], ["b"]]),
            json!(["a"]),
        ),
        ("compact", json!([["a", "", null, "b"]]), json!(["a", "b"])),
        ("concat", json!([["a"], [], ["b", 1]]), json!(["a", "b", 1])),
        ("contains", json!([["a", "b"], "a"]), json!(true)),
        ("contains", json!([[1], "1"]), json!(false)),
        ("distinct", json!([["b", "a", "b"]]), json!(["b", "a"])),
        ("element", json!([["a", "b", "c"], 4]), json!("b")),
        ("element", json!([["a", "b", "c"], -1]), json!("c")),
        (
            "flatten",
            json!([[["a", ["b"]], [], "c", { "$set": ["d"] }]]),
            json!(["a", "b", "c", "d"]),
        ),
        ("index", json!([["a", "b"], "b"]), json!(1)),
        ("range", json!([3]), json!([0, 1, 2])),
        ("range", json!([-2]), json!([0, -1])),
        ("range", json!([1, 4]), json!([1, 2, 3])),
        ("range", json!([1, 8, 3]), json!([1, 4, 7])),
        ("range", json!([4, 1]), json!([4, 3, 2])),
        ("range", json!([0, 1, 0.25]), json!([0, 0.25, 0.5, 0.75])),
        ("range", json!([0]), json!([])),
        (
            "range",
            json!([i64::MAX - 1, i64::MAX, 5]),
            json!([i64::MAX - 1]),
        ),
        ("reverse", json!([[1, 2, 3]]), json!([3, 2, 1])),
        (
            "slice",
            json!([["a", "b", "c", "d"], 1, 3]),
            json!(["b", "c"]),
        ),
        ("slice", json!([["a"], 1, 1]), json!([])),
        (
            "sort",
            json!([["e", "d", "a", "B", 10]]),
            json!(["10", "B", "a", "d", "e"]),
        ),
    ]);
    mistakes(&[
        ("alltrue", json!([[1]]), Some(0), "a list of bools"),
        ("chunklist", json!([["a"], -1]), Some(1), "0 or more"),
        ("coalescelist", json!([[], []]), None, "every list"),
        ("compact", json!([[["a"]]]), Some(0), "holds a list"),
        ("concat", json!([["a"], "b"]), Some(1), "a list is wanted"),
        ("element", json!([[], 0]), Some(0), "empty"),
        (
            "index",
            json!([["a"], "b"]),
            Some(1),
            "doesn't hold the string \"b\"",
        ),
        ("range", json!([1, 5, 0]), Some(2), "step of 0"),
        ("range", json!([1, 5, -1]), Some(2), "lead away"),
        ("range", json!([1_000_000]), None, "at most"),
        ("slice", json!([["a"], 0, 2]), Some(2), "beyond"),
        ("slice", json!([["a", "b"], 2, 1]), Some(1), "behind"),
    ]);
}

#[test]
fn sets() {
    table(&[
        (
            "setintersection",
            json!([["a", "b"], ["b", "c"], ["b"]]),
            json!({ "$set": ["b"] }),
        ),
        (
            "setunion",
            json!([["a", "b"], ["b", 1]]),
            json!({ "$set": ["1", "a", "b"] }),
        ),
        (
            "setsubtract",
            json!([["a", "b"], ["b"]]),
            json!({ "$set": ["a"] }),
        ),
        (
            "setproduct",
            json!([["a", "b"], [1, 2]]),
            json!([["a", 1], ["a", 2], ["b", 1], ["b", 2]]),
        ),
        (
            "setproduct",
            json!([{ "$set": ["a"] }, { "$set": [1] }]),
            json!({ "$set": [["a", 1]] }),
        ),
        ("setproduct", json!([["a"], []]), json!([])),
    ]);
    mistakes(&[
        ("setunion", json!([["a"], "b"]), Some(1), "a list is wanted"),
        ("setproduct", json!([["a"]]), None, "2 or more"),
    ]);
}

#[test]
fn conversions() {
    table(&[
        ("tobool", json!(["true"]), json!(true)),
        ("tobool", json!([null]), json!(null)),
        ("tonumber", json!(["-1.50"]), json!(-1.5)),
        ("tonumber", json!([3]), json!(3)),
        ("tostring", json!([1.5]), json!("1.5")),
        ("tostring", json!([null]), json!(null)),
        ("tolist", json!([{ "$set": ["b", "a"] }]), json!(["a", "b"])),
        ("tolist", json!([["a", 1, true]]), json!(["a", "1", "true"])),
        (
            "toset",
            json!([["b", "a", "b"]]),
            json!({ "$set": ["a", "b"] }),
        ),
        ("toset", json!([[3, "a"]]), json!({ "$set": ["3", "a"] })),
        (
            "tomap",
            json!([{ "a": 1, "b": "x" }]),
            json!({ "a": "1", "b": "x" }),
        ),
    ]);
    mistakes(&[
        ("tobool", json!(["yes"]), Some(0), "true or false is wanted"),
        ("tobool", json!([1]), Some(0), "the number `1`"),
        ("tonumber", json!(["0x10"]), Some(0), "a number is wanted"),
        ("tonumber", json!(["inf"]), Some(0), "a number is wanted"),
        ("tostring", json!([["a"]]), Some(0), "a string is wanted"),
        ("toset", json!(["a"]), Some(0), "a list is wanted"),
        ("tomap", json!([["a"]]), Some(0), "a map is wanted"),
    ]);
}

#[test]
fn encodings() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let abc_512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    table(&[
        (
            "base64encode",
            json!(["Hello World"]),
            json!("SGVsbG8gV29ybGQ="),
        ),
        (
            "base64decode",
            json!(["SGVsbG8gV29ybGQ="]),
            json!("Hello World"),
        ),
        ("sha256", json!(["abc"]), json!(abc)),
        ("sha512", json!(["abc"]), json!(abc_512)),
        (
            "base64sha256",
            json!(["abc"]),
            json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
        ),
        (
            "base64sha512",
            json!(["abc"]),
            json!(
                "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
            ),
        ),
        (
            "urlencode",
            json!(["a b&c/é~-_."]),
            json!("a+b%26c%2F%C3%A9~-_."),
        ),
        (
            "jsonencode",
            json!([{ "b": [1, 1.5, null, true], "a": "<x & y>\u{2028}\n", "c": { "$set": ["z"] } }]),
            json!(
                "{\"a\":\"\\u003cx \\u0026 y\\u003e\\u2028\\n\",\"b\":[1,1.5,null,true],\"c\":[\"z\"]}"
            ),
        ),
        ("jsonencode", json!([1e20]), json!("100000000000000000000")),
        (
            "jsondecode",
            json!(["{\"b\": [1, 1.50, 2.0, null], \"$a\": \"\\u00e9\", \"b\": 5}"]),
            json!({ "$map": { "$a": "é", "b": 5 } }),
        ),
        (
            "jsondecode",
            json!(["[9223372036854775807, 1e3]"]),
            json!([i64::MAX, 1000]),
        ),
    ]);
    mistakes(&[
        ("base64decode", json!(["?"]), Some(0), "no base64"),
        ("base64decode", json!(["/w=="]), Some(0), "no UTF-8"),
        ("jsondecode", json!(["{"]), Some(0), "no JSON"),
        ("jsondecode", json!(["1 2"]), Some(0), "no JSON"),
        ("jsondecode", json!(["[".repeat(500)]), Some(0), "no JSON"),
        ("jsondecode", json!(["1e999"]), Some(0), "no JSON"),
    ]);
}

#[test]
fn dates() {
    let time = "2018-01-02T23:12:01Z";
    let west = "2018-01-02T03:04:05-08:00";
    table(&[
        (
            "formatdate",
            json!(["DD MMM YYYY hh:mm ZZZ", time]),
            json!("02 Jan 2018 23:12 UTC"),
        ),
        (
            "formatdate",
            json!(["EEEE, DD-MMM-YY hh:mm:ss ZZZ", time]),
            json!("Tuesday, 02-Jan-18 23:12:01 UTC"),
        ),
        (
            "formatdate",
            json!(["EEE, DD MMM YYYY hh:mm:ss ZZZ", west]),
            json!("Tue, 02 Jan 2018 03:04:05 -0800"),
        ),
        (
            "formatdate",
            json!(["MMMM D, h:m:s H HH AA aa", west]),
            json!("January 2, 3:4:5 3 03 AM am"),
        ),
        (
            "formatdate",
            json!(["YYYY-MM-DD'T'hh:mm:ssZZZZZ", west]),
            json!("2018-01-02T03:04:05-08:00"),
        ),
        (
            "formatdate",
            json!(["Z ZZZZ 'it''s'", time]),
            json!("Z +0000 it's"),
        ),
        (
            "formatdate",
            json!(["H HH", "2018-01-02T00:00:00Z"]),
            json!("12 12"),
        ),
        (
            "timeadd",
            json!(["2017-11-22T00:00:00Z", "10m"]),
            json!("2017-11-22T00:10:00Z"),
        ),
        (
            "timeadd",
            json!(["2017-11-22T00:00:00Z", "-1h30m0.5s"]),
            json!("2017-11-21T22:29:59Z"),
        ),
        (
            "timeadd",
            json!([west, "1.5h"]),
            json!("2018-01-02T04:34:05-08:00"),
        ),
        ("timeadd", json!([time, "0"]), json!(time)),
        (
            "timecmp",
            json!(["2017-11-22T00:00:00Z", "2017-11-22T01:00:00+01:00"]),
            json!(0),
        ),
        ("timecmp", json!([time, west]), json!(1)),
        (
            "timecmp",
            json!(["2017-11-22T00:00:00Z", "2017-11-22T00:00:00.1Z"]),
            json!(-1),
        ),
    ]);
    mistakes(&[
        (
            "timecmp",
            json!([time, "2018-01-02"]),
            Some(1),
            "no time in RFC 3339",
        ),
        (
            "timecmp",
            json!(["20180102T000000Z", time]),
            Some(0),
            "no time",
        ),
        (
            "timecmp",
            json!(["2018-02-30T00:00:00Z", time]),
            Some(0),
            "no time",
        ),
        (
            "timecmp",
            json!(["2018-01-02T00:00:60Z", time]),
            Some(0),
            "no time",
        ),
        (
            "timecmp",
            json!(["2018-01-02T00:00:00", time]),
            Some(0),
            "no time",
        ),
        ("timeadd", json!([time, "1d"]), Some(1), "no duration"),
        ("timeadd", json!([time, ""]), Some(1), "no duration"),
        ("timeadd", json!([time, "99999999999h"]), None, "no time"),
        ("formatdate", json!(["YYY", time]), Some(0), "`YYY`"),
        ("formatdate", json!(["'a", time]), Some(0), "never closed"),
    ]);
}

#[test]
fn networks() {
    table(&[
        (
            "cidrhost",
            json!(["10.12.112.0/20", 16]),
            json!("10.12.112.16"),
        ),
        (
            "cidrhost",
            json!(["10.12.127.9/20", 268]),
            json!("10.12.113.12"),
        ),
        (
            "cidrhost",
            json!(["10.0.0.0/8", -1]),
            json!("10.255.255.255"),
        ),
        (
            "cidrhost",
            json!(["fd00:fd12:3456:7890::/72", 34]),
            json!("fd00:fd12:3456:7890::22"),
        ),
        ("cidrhost", json!(["1.2.3.4/32", 0]), json!("1.2.3.4")),
        (
            "cidrhost",
            json!(["::/0", -1]),
            json!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ),
        (
            "cidrnetmask",
            json!(["172.16.0.0/12"]),
            json!("255.240.0.0"),
        ),
        ("cidrnetmask", json!(["0.0.0.0/0"]), json!("0.0.0.0")),
        (
            "cidrsubnet",
            json!(["172.16.0.0/12", 4, 2]),
            json!("172.18.0.0/16"),
        ),
        (
            "cidrsubnet",
            json!(["10.1.2.0/24", 4, 15]),
            json!("10.1.2.240/28"),
        ),
        (
            "cidrsubnet",
            json!(["fd00:fd12:3456:7890::/56", 16, 162]),
            json!("fd00:fd12:3456:7800:a200::/72"),
        ),
        ("cidrsubnet", json!(["::/0", 0, 0]), json!("::/0")),
        (
            "cidrsubnets",
            json!(["10.1.0.0/16", 4, 4, 8, 4]),
            json!([
                "10.1.0.0/20",
                "10.1.16.0/20",
                "10.1.32.0/24",
                "10.1.48.0/20"
            ]),
        ),
        (
            "cidrsubnets",
            json!(["::/0", 1, 1]),
            json!(["::/1", "8000::/1"]),
        ),
    ]);
    mistakes(&[
        (
            "cidrhost",
            json!(["10.0.0.0/30", 4]),
            Some(1),
            "no address 4",
        ),
        (
            "cidrhost",
            json!(["10.0.0.0/30", -5]),
            Some(1),
            "no address -5",
        ),
        ("cidrhost", json!(["10.0.0.0", 1]), Some(0), "no range"),
        ("cidrhost", json!(["10.0.0.0/33", 1]), Some(0), "no range"),
        ("cidrhost", json!(["010.0.0.0/8", 1]), Some(0), "no range"),
        ("cidrnetmask", json!(["::/0"]), Some(0), "only IPv4"),
        ("cidrsubnet", json!(["10.0.0.0/24", 9, 0]), Some(1), "32"),
        (
            "cidrsubnet",
            json!(["10.0.0.0/24", 1, 2]),
            Some(2),
            "no number 2",
        ),
        (
            "cidrsubnets",
            json!(["10.0.0.0/24", 1, 1, 1]),
            Some(3),
            "no room",
        ),
        ("cidrsubnets", json!(["::/0", 0, 1]), Some(2), "no room"),
    ]);
}

#[test]
fn files() {
    use std::os::unix::fs::symlink;

    let around = tempfile::tempdir().unwrap();
    let root = &around.path().join("root");
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    std::fs::write(around.path().join("secret"), "secret").unwrap();
    std::fs::write(root.join("abc"), "abc").unwrap();
    std::fs::write(root.join("a/x.json"), "{}").unwrap();
    std::fs::write(root.join("a/b/y.json"), "{}").unwrap();
    std::fs::write(root.join("binary"), [0xff, 0xfe]).unwrap();
    std::fs::write(root.join("large"), vec![b'a'; 4 * 1024 * 1024 + 1]).unwrap();
    symlink("../secret", root.join("out")).unwrap();
    symlink("../abc", root.join("a/link.json")).unwrap();
    symlink("..", root.join("a/up.json")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let json_files = ["a/b/y.json", "a/link.json", "a/x.json"];
    for (name, arguments, wanted) in [
        ("file", json!(["abc"]), json!("abc")),
        ("file", json!(["./a/../abc"]), json!("abc")),
        ("filebase64", json!(["binary"]), json!("//4=")),
        (
            "filesha256",
            json!(["abc"]),
            run("sha256", &json!(["abc"])).unwrap().to_json(),
        ),
        (
            "filesha512",
            json!(["abc"]),
            run("sha512", &json!(["abc"])).unwrap().to_json(),
        ),
        (
            "filebase64sha256",
            json!(["abc"]),
            run("base64sha256", &json!(["abc"])).unwrap().to_json(),
        ),
        (
            "filebase64sha512",
            json!(["abc"]),
            run("base64sha512", &json!(["abc"])).unwrap().to_json(),
        ),
        ("fileexists", json!(["abc"]), json!(true)),
        ("fileexists", json!(["nothing"]), json!(false)),
        (
            "fileset",
            json!([".", "**/*.json"]),
            json!({ "$set": json_files }),
        ),
        (
            "fileset",
            json!(["a", "*.json"]),
            json!({ "$set": ["link.json", "x.json"] }),
        ),
        (
            "fileset",
            json!(["./a/b", "*"]),
            json!({ "$set": ["y.json"] }),
        ),
        ("fileset", json!(["nothing", "*"]), json!({ "$set": [] })),
        ("basename", json!(["a/b.json"]), json!("b.json")),
        ("basename", json!(["a/"]), json!("a")),
        ("dirname", json!(["a/b/c.json"]), json!("a/b")),
        ("dirname", json!(["c.json"]), json!(".")),
        ("dirname", json!(["/c"]), json!("/")),
    ] {
        let wanted = Value::from_json(&wanted).unwrap();
        assert_eq!(
            run_in(root, name, &arguments),
            Ok(wanted),
            "{name}{arguments}"
        );
    }
    for (name, path, part) in [
        ("file", "nothing", "there is no file \"nothing\""),
        ("file", "../secret", "leads out"),
        ("file", "out", "leads out"),
        ("file", "/etc/passwd", "leads out"),
        ("file", "a", "is a directory"),
        ("file", "", "is a directory"),
        ("file", "pipe", "is a pipe"),
        ("file", "binary", "no UTF-8"),
        ("file", "large", "larger than"),
        ("file", "a\0b", "can't be opened"),
        ("fileexists", "out", "leads out"),
        ("fileexists", "pipe", "is a pipe"),
        ("filesha256", "../secret", "leads out"),
    ] {
        let error = run_in(root, name, &json!([path])).unwrap_err();
        assert_eq!(error.argument, Some(0), "{path}");
        assert!(error.message.contains(part), "{name} {path}: {error:?}");
    }
    for (path, pattern, part) in [
        ("..", "*", "leads out"),
        (".", "../*", "leads up"),
        (".", "o*", "leads out"),
        ("abc", "*", "is no directory"),
        (".", "[", "never closed"),
    ] {
        let error = run_in(root, "fileset", &json!([path, pattern])).unwrap_err();
        assert!(error.message.contains(part), "{path} {pattern}: {error:?}");
    }
    let text = read_file(&Context { root }, "abc");
    assert_eq!(text.as_deref(), Ok("abc"));
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
