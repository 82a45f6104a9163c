//! Policies for tests: written short, or made at random from few words, so that they meet often.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use remit_sdk::access::Source;

use super::condition::Context;
use super::{Holdings, Policy};
use crate::document::{Use, parse};

/// A policy of these statements.
pub(super) fn policy(name: &str, statements: &str) -> Policy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    Policy {
        source: Source::Foreign(name.to_owned()),
        name: name.to_owned(),
        document: Some(parse(&text, Use::Identity).unwrap_or_else(|why| panic!("{why}: {text}"))),
    }
}

/// One that isn't known.
pub(super) fn unread(name: &str) -> Policy {
    Policy {
        source: Source::Foreign(name.to_owned()),
        name: name.to_owned(),
        document: None,
    }
}

/// The holdings of one policy, where there is a statement.
pub(super) fn holds(statements: &str) -> Holdings {
    Holdings {
        identity: (!statements.is_empty())
            .then(|| policy("p", statements))
            .into_iter()
            .collect(),
        ..Holdings::default()
    }
}

/// Lists as JSON.
fn json(all: &[&str]) -> String {
    serde_json::to_string(all).unwrap()
}

/// One statement: actions and resources separated by spaces, `!` before those left out.
pub(super) fn statement(effect: &str, actions: &str, resources: &str, conditions: &str) -> String {
    let element = |name: &str, text: &str| match text.strip_prefix('!') {
        Some(rest) => (
            format!("Not{name}"),
            json(&rest.split(' ').collect::<Vec<_>>()),
        ),
        None => (name.to_owned(), json(&text.split(' ').collect::<Vec<_>>())),
    };
    let (action, actions) = element("Action", actions);
    let (resource, resources) = element("Resource", resources);
    format!(
        r#"{{"Effect":"{effect}","{action}":{actions},"{resource}":{resources},"Condition":{{{conditions}}}}}"#
    )
}

pub(super) fn allow(actions: &str, resources: &str) -> String {
    statement("Allow", actions, resources, "")
}

pub(super) fn allow_if(actions: &str, resources: &str, conditions: &str) -> String {
    statement("Allow", actions, resources, conditions)
}

pub(super) fn deny(actions: &str, resources: &str) -> String {
    statement("Deny", actions, resources, "")
}

const ACTIONS: &[&str] = &[
    "*", "s:*", "s:G*", "s:GA", "s:?A", "s:PA", "t:*", "t:GA", "*:*A",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s:::a",
    "arn:aws:s:::a*",
    "arn:aws:s:::a/*",
    "arn:aws:s:::*/x",
    "arn:aws:s:::b",
    "arn:aws:s:::${aws:username}",
    "arn:aws:s:::a/${aws:username}",
    "arn:aws:s:::a/${aws:username, 'x'}",
];
const CONDITIONS: &[&str] = &[
    "",
    "",
    "",
    r#""StringEquals":{"aws:k":"a"}"#,
    r#""StringEquals":{"aws:k":["a","b"]}"#,
    r#""StringNotEquals":{"aws:k":"a"}"#,
    r#""StringNotEquals":{"aws:k":["a","b"]}"#,
    r#""StringLike":{"aws:k":"a*"}"#,
    r#""StringNotLike":{"aws:k":"a*"}"#,
    r#""StringEqualsIfExists":{"aws:k":"a"}"#,
    r#""StringNotEqualsIfExists":{"aws:k":"a"}"#,
    r#""StringEqualsIgnoreCase":{"aws:k":"A"}"#,
    r#""StringEquals":{"aws:k":"${aws:username}"}"#,
    r#""StringLike":{"aws:k":"${aws:username}*"}"#,
    r#""Null":{"aws:k":"true"}"#,
    r#""Null":{"aws:k":"false"}"#,
    r#""NumericLessThan":{"aws:n":"5"}"#,
    r#""NumericLessThanEquals":{"aws:n":"5"}"#,
    r#""NumericGreaterThan":{"aws:n":"5"}"#,
    r#""NumericGreaterThanEquals":{"aws:n":"6"}"#,
    r#""NumericNotEquals":{"aws:n":"5"}"#,
    r#""NumericEquals":{"aws:n":["5","6"]}"#,
    r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
    r#""IpAddress":{"aws:SourceIp":"10.1.0.0/16"}"#,
    r#""NotIpAddress":{"aws:SourceIp":"10.1.0.0/16"}"#,
    r#""ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}"#,
    r#""ForAllValues:StringEquals":{"aws:TagKeys":"a"}"#,
    r#""ForAllValues:StringNotEquals":{"aws:TagKeys":"a"}"#,
    r#""ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}"#,
    r#""ForAnyValue:StringEquals":{"aws:TagKeys":"a"}"#,
    r#""ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}"#,
    r#""ForAnyValue:StringLike":{"aws:TagKeys":"*"}"#,
    r#""ArnLike":{"aws:a":"arn:aws:s:::a*"}"#,
    r#""ArnEquals":{"aws:a":"arn:aws:s:::ab"}"#,
    r#""ArnNotLike":{"aws:a":"arn:aws:s:::ab"}"#,
    r#""DateLessThan":{"aws:d":"2020-01-01"}"#,
    r#""DateGreaterThan":{"aws:d":"2019-01-01T00:00:00Z"}"#,
    r#""Bool":{"aws:b":"true"}"#,
    r#""BoolIfExists":{"aws:b":"false"}"#,
    r#""StringEquals":{"aws:k":"a"},"Bool":{"aws:b":"true"}"#,
    r#""NumericLessThan":{"aws:n":"5"},"StringNotEquals":{"aws:k":"b"}"#,
];

fn words(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    (subsequence(all, 1..=2), prop::bool::weighted(0.15))
        .prop_map(|(words, not)| format!("{}{}", if not { "!" } else { "" }, words.join("§")))
}

/// One statement at random.
pub(super) fn any_statement() -> impl Strategy<Value = String> {
    (prop::bool::weighted(0.75), words(ACTIONS), words(RESOURCES), select(CONDITIONS)).prop_map(
        |(allows, actions, resources, conditions)| {
            // A variable's default stands behind a space.
            let list = |text: &str| {
                let (not, rest) = text.strip_prefix('!').map_or(("", text), |rest| ("Not", rest));
                (not, json(&rest.split('§').collect::<Vec<_>>()))
            };
            let ((not_a, actions), (not_r, resources)) = (list(&actions), list(&resources));
            let effect = if allows { "Allow" } else { "Deny" };
            format!(
                r#"{{"Effect":"{effect}","{not_a}Action":{actions},"{not_r}Resource":{resources},"Condition":{{{conditions}}}}}"#
            )
        },
    )
}

/// Statements of one policy.
pub(super) fn any_statements() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(any_statement(), 1..4)
}

/// Policies of an identity, with a boundary at times.
pub(super) fn any_holdings() -> impl Strategy<Value = Holdings> {
    (
        any_statements(),
        proptest::option::weighted(0.3, any_statements()),
    )
        .prop_map(|(own, boundary)| Holdings {
            boundary: boundary.map(|all| policy("b", &all.join(","))),
            ..holds(&own.join(","))
        })
}

/// A request of which all is known.
pub(super) fn any_request() -> impl Strategy<Value = (&'static str, &'static str, Context)> {
    let one = |key: &'static str, all: &'static [&'static str]| {
        proptest::option::of(select(all)).prop_map(move |value| (key, value))
    };
    let keys = (
        one("aws:k", &["a", "b", "ab", "A", "c"]),
        one("aws:n", &["4", "5", "6", "7"]),
        one("aws:SourceIp", &["10.1.2.3", "10.2.3.4", "11.0.0.1"]),
        one(
            "aws:a",
            &["arn:aws:s:::a", "arn:aws:s:::ab", "arn:aws:s:::b"],
        ),
        one("aws:d", &["2018-05-01", "2019-05-01", "2020-05-01"]),
        one("aws:b", &["true", "false"]),
        one("aws:username", &["a", "b", "x"]),
        subsequence(&["a", "b", "c"][..], 0..=2),
    );
    (
        select(&["s:GA", "s:PA", "s:GB", "t:GA", "u:XA", "u:X"][..]),
        select(
            &[
                "*",
                "arn:aws:s:::a",
                "arn:aws:s:::ab",
                "arn:aws:s:::a/x",
                "arn:aws:s:::b",
                "arn:aws:s:::c/x",
                "arn:aws:s:::a/b",
            ][..],
        ),
        keys,
    )
        .prop_map(
            |(action, resource, (k, n, ip, arn, date, bool, user, tags))| {
                let mut context = Context::default();
                for (key, value) in [k, n, ip, arn, date, bool, user] {
                    if let Some(value) = value {
                        context = context.with(key, value);
                    }
                }
                for tag in tags {
                    context = context.with("aws:TagKeys", tag);
                }
                (action, resource, context.and_nothing_else())
            },
        )
}

/// A set of texts.
pub(super) fn set<const N: usize>(all: [&str; N]) -> BTreeSet<String> {
    all.map(str::to_owned).into()
}
