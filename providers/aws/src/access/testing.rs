//! Policies for tests: written short, or made at random from few words, so that they meet often.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use remit_sdk::access::{Source, Thing, World};
use remit_sdk::{DeclarationAddress, ObjectAddress, Value};

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

// ---- worlds

/// Objects of one account, `111122223333`.
pub(super) struct Objects {
    things: Vec<Object>,
}

/// Kind, key, attributes and address.
type Object = (
    &'static str,
    String,
    BTreeMap<String, Value>,
    Option<ObjectAddress>,
);

pub(super) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::111122223333:role/{name}")
}

pub(super) fn policy_arn(name: &str) -> String {
    format!("arn:aws:iam::111122223333:policy/{name}")
}

/// A policy's text.
pub(super) fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// A trust policy's text: who is let in, as `"AWS":"…"`.
pub(super) fn trusts(principal: &str) -> String {
    document(&format!(
        r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{{principal}}}}}"#
    ))
}

pub(super) fn role(name: &str) -> (String, String) {
    ("aws_iam_role".to_owned(), name.to_owned())
}

pub(super) fn user(name: &str) -> (String, String) {
    ("aws_iam_user".to_owned(), name.to_owned())
}

impl Objects {
    pub(super) fn new() -> Self {
        Self { things: Vec::new() }
    }

    pub(super) fn with(
        mut self,
        kind: &'static str,
        key: &str,
        attributes: &[(&str, Value)],
    ) -> Self {
        let attributes = attributes
            .iter()
            .cloned()
            .map(|(name, value)| (name.to_owned(), value));
        self.things
            .push((kind, key.to_owned(), attributes.collect(), None));
        self
    }

    /// The last one is declared under this name.
    pub(super) fn declared(mut self, name: &str) -> Self {
        let (kind, _, _, address) = self.things.last_mut().unwrap();
        *address = Some(DeclarationAddress::new(*kind, name).object(*kind));
        self
    }

    /// The last one has this, too.
    pub(super) fn having(mut self, attribute: &str, value: Value) -> Self {
        let (_, _, attributes, _) = self.things.last_mut().unwrap();
        attributes.insert(attribute.to_owned(), value);
        self
    }

    pub(super) fn role(self, name: &str, trust: &str) -> Self {
        let attributes = [
            ("name", Value::string(name)),
            ("assume_role_policy", Value::string(trust)),
            ("arn", Value::string(role_arn(name))),
            ("permissions_boundary", Value::string("")),
        ];
        self.with("aws_iam_role", name, &attributes)
    }

    pub(super) fn user(self, name: &str) -> Self {
        let arn = format!("arn:aws:iam::111122223333:user/{name}");
        self.with(
            "aws_iam_user",
            name,
            &[("name", Value::string(name)), ("arn", Value::string(arn))],
        )
    }

    pub(super) fn inline(self, role: &str, name: &str, statements: &str) -> Self {
        let attributes = [
            ("role", Value::string(role)),
            ("name", Value::string(name)),
            ("policy", Value::string(document(statements))),
        ];
        self.with(
            "aws_iam_role_policy",
            &format!("{role}/{name}"),
            &attributes,
        )
    }

    pub(super) fn policy(self, name: &str, statements: &str) -> Self {
        let attributes = [
            ("name", Value::string(name)),
            ("policy", Value::string(document(statements))),
        ];
        self.with("aws_iam_policy", &format!("policy/{name}"), &attributes)
    }

    pub(super) fn attached(self, role: &str, arn: &str) -> Self {
        let attributes = [
            ("role", Value::string(role)),
            ("policy_arn", Value::string(arn)),
        ];
        self.with(
            "aws_iam_policy_attachment",
            &format!("{role}/{arn}"),
            &attributes,
        )
    }

    pub(super) fn world(&self) -> World<'_> {
        let mut world = World {
            instance: "aws",
            ..World::default()
        };
        for (kind, key, attributes, address) in &self.things {
            world.add(Thing {
                kind: crate::schema::kind(kind).unwrap(),
                key,
                attributes,
                address: address.as_ref(),
            });
        }
        world
    }
}
