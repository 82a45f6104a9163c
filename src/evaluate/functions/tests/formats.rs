//! Encodings, hashes, dates, networks.

use serde_json::json;

use super::{mistakes, table};

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
