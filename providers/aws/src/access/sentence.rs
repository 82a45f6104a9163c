//! Conditions as a reader understands them.
//!
//! In come a statement's conditions, or a single fact; out come short texts such as
//! `aws:SourceIp in 10.0.0.0/8`.

use std::collections::BTreeSet;

use super::condition::{Operator, Set, Test};
use super::formula::Atom;
use super::value::Order;
use crate::document::{Conditions, Effect};

/// One text for each condition of a statement.
pub(super) fn conditions(conditions: &Conditions) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (operator, keys) in conditions {
        for (key, values) in keys {
            let key = key.as_str();
            all.insert(match Operator::read(operator) {
                Some(read) => condition(read, key, values),
                None => format!("never: {operator} is no operator"),
            });
        }
    }
    all
}

fn condition(operator: Operator, key: &str, values: &BTreeSet<String>) -> String {
    let listed = values
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if operator.test == Test::Null {
        let is = |text: &str| values.iter().any(|one| one.eq_ignore_ascii_case(text));
        return match (is("true"), is("false")) {
            (true, true) => format!("{key} is absent or present"),
            (true, false) => format!("{key} is absent"),
            _ => format!("{key} is present"),
        };
    }
    let subject = subject(operator.set, key);
    let verb = verb(operator.test, operator.is_negated, values.len() > 1);
    let tail = if operator.if_exists {
        format!(", or {key} is absent")
    } else {
        String::new()
    };
    format!("{subject} {verb} {listed}{tail}")
}

pub(super) fn subject(set: Set, key: &str) -> String {
    match set {
        Set::One => key.to_owned(),
        Set::All => format!("every value of {key}"),
        Set::Any => format!("a value of {key}"),
    }
}

pub(super) fn verb(test: Test, is_negated: bool, several: bool) -> &'static str {
    match (test, is_negated, several) {
        (Test::Equals | Test::Binary, false, false) | (Test::Bool | Test::Null, ..) => "is",
        (Test::Equals | Test::Binary, false, true) => "is one of",
        (Test::Equals | Test::Binary, true, false) => "is not",
        (Test::Equals | Test::Binary, true, true) => "is none of",
        (Test::EqualsIgnoreCase, false, false) => "is, case aside,",
        (Test::EqualsIgnoreCase, false, true) => "is, case aside, one of",
        (Test::EqualsIgnoreCase, true, _) => "is not, case aside,",
        (Test::Like | Test::Arn, false, _) => "like",
        (Test::Like | Test::Arn, true, _) => "not like",
        (Test::Ip, false, _) => "in",
        (Test::Ip, true, _) => "not in",
        (Test::Number(Order::Equal) | Test::Date(Order::Equal), false, _) => "=",
        (Test::Number(Order::Equal) | Test::Date(Order::Equal), true, _) => "≠",
        (Test::Number(Order::Less), ..) => "<",
        (Test::Number(Order::LessOrEqual), ..) => "≤",
        (Test::Number(Order::Greater), ..) => ">",
        (Test::Number(Order::GreaterOrEqual), ..) => "≥",
        (Test::Date(Order::Less), ..) => "before",
        (Test::Date(Order::LessOrEqual), ..) => "until",
        (Test::Date(Order::Greater), ..) => "after",
        (Test::Date(Order::GreaterOrEqual), ..) => "from",
    }
}

/// A fact.
pub(super) fn atom(atom: &Atom) -> String {
    match atom {
        Atom::Null(key) => format!("{key} is absent"),
        Atom::Value {
            set,
            test,
            key,
            value,
        } => {
            format!(
                "{} {} {}",
                subject(*set, key),
                verb(*test, false, false),
                value.text
            )
        }
        Atom::All { test, key, values } => {
            let listed: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
            let verb = verb(*test, false, listed.len() > 1);
            format!("{} {verb} {}", subject(Set::All, key), listed.join(", "))
        }
        Atom::Resource(pattern) => format!("the resource is {}", pattern.text),
        Atom::Open(what) => what.clone(),
        Atom::Unknown(Effect::Allow, policy) => format!("{policy} allows it"),
        Atom::Unknown(Effect::Deny, policy) => format!("{policy} denies it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Use, parse};

    #[test]
    fn sentences() {
        for (condition, expected) in [
            (
                r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#,
                "aws:SourceIp in 10.0.0.0/8",
            ),
            (
                r#""NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","1.2.3.4"]}"#,
                "aws:SourceIp not in 1.2.3.4, 10.0.0.0/8",
            ),
            (r#""StringEquals":{"a:b":"x"}"#, "a:b is x"),
            (r#""StringEquals":{"a:b":["x","y"]}"#, "a:b is one of x, y"),
            (r#""StringNotEquals":{"a:b":"x"}"#, "a:b is not x"),
            (
                r#""StringNotEquals":{"a:b":["x","y"]}"#,
                "a:b is none of x, y",
            ),
            (
                r#""StringEqualsIfExists":{"a:b":"x"}"#,
                "a:b is x, or a:b is absent",
            ),
            (r#""StringLike":{"a:b":"x*"}"#, "a:b like x*"),
            (
                r#""ArnNotLike":{"a:b":"arn:aws:sns:*:*:*"}"#,
                "a:b not like arn:aws:sns:*:*:*",
            ),
            (r#""Null":{"a:b":"true"}"#, "a:b is absent"),
            (r#""Null":{"a:b":"false"}"#, "a:b is present"),
            (
                r#""Null":{"a:b":["false","true"]}"#,
                "a:b is absent or present",
            ),
            (r#""Bool":{"a:b":"true"}"#, "a:b is true"),
            (r#""NumericLessThan":{"a:b":"5"}"#, "a:b < 5"),
            (r#""NumericNotEquals":{"a:b":"5"}"#, "a:b ≠ 5"),
            (
                r#""DateLessThan":{"a:b":"2020-01-01"}"#,
                "a:b before 2020-01-01",
            ),
            (
                r#""DateGreaterThanEquals":{"a:b":"2020-01-01"}"#,
                "a:b from 2020-01-01",
            ),
            (
                r#""ForAllValues:StringEquals":{"a:b":"x"}"#,
                "every value of a:b is x",
            ),
            (
                r#""ForAnyValue:StringLike":{"a:b":"x"}"#,
                "a value of a:b like x",
            ),
            (
                r#""StringEqualsIgnoreCase":{"a:b":"x"}"#,
                "a:b is, case aside, x",
            ),
        ] {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{{{condition}}}}}]}}"#
            );
            let document = parse(&text, Use::Identity).unwrap();
            let found = conditions(&document.statements()[0].conditions);
            assert_eq!(found, BTreeSet::from([expected.to_owned()]));
        }
    }
}
