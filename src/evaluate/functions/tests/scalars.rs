//! Text, patterns, numbers, conversions.

use serde_json::json;

use super::{mistakes, table};

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
        ("regexall", json!(["(?i)A", "aA"]), json!(["a", "A"])),
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
