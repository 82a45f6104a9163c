//! Maps, lists, sets.

use serde_json::json;

use super::{mistakes, table};

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
