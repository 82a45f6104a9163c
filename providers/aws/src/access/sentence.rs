//! Conditions as a reader understands them.
//!
//! In come a statement's conditions, or a single fact; out come short texts such as
//! `aws:SourceIp in 10.0.0.0/8`. Texts of conditions are compared as well as read, so two that
//! differ in what they mean are never told in the same words.

use std::collections::BTreeSet;

use super::condition::{Operator, Set, Test};
use super::formula::Atom;
use super::value::Order;
use crate::document::{Conditions, Effect, Version};

/// Words that the texts are made of.
const WORDS: &[&str] = &[
    "a", "absent", "and", "anybody", "arn", "at", "base64", "by", "case", "every", "in", "is",
    "like", "none", "not", "of", "one", "or", "present", "value", "where",
];

/// A text that somebody wrote, so that it can't be taken for several, or for words around it.
pub(super) fn exact(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, ',' | '"' | '(' | ')' | '\\');
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if !text.is_empty() && !is_word && text.chars().all(is_plain) {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

/// A value as it is read in this version: what is a variable in one is plain text in the other.
pub(super) fn value(text: &str, version: Version) -> String {
    let exact = exact(text);
    if version == Version::V2008 && text.contains("${") {
        return format!("{exact} (as it stands)");
    }
    exact
}

/// One text for each condition of a statement.
pub(super) fn conditions(conditions: &Conditions, version: Version) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (operator, keys) in conditions {
        for (key, values) in keys {
            all.insert(condition(operator, &exact(key.as_str()), values, version));
        }
    }
    all
}

fn condition(operator: &str, key: &str, values: &BTreeSet<String>, version: Version) -> String {
    let all: Vec<String> = values.iter().map(|one| value(one, version)).collect();
    let listed = all.join(", ");
    let Some(read) = Operator::read(operator) else {
        let operator = exact(operator);
        return format!("never: {operator} is no operator ({key}, {listed})");
    };
    let is = |text: &str| values.iter().any(|one| one.eq_ignore_ascii_case(text));
    if read.test == Test::Null {
        return match (is("true"), is("false"), values.len()) {
            (true, true, 2) => format!("{key} is absent or present"),
            (true, false, 1) => format!("{key} is absent"),
            (false, true, 1) => format!("{key} is present"),
            _ => format!("whether {key} is absent is one of {listed}"),
        };
    }
    let subject = subject(read.set, key);
    let verb = match read.test {
        Test::Bool if values.len() != 1 || !(is("true") || is("false")) => "is, as a boolean,",
        // Text that looks like one is no boolean.
        Test::Equals if (is("true") || is("false")) && read.is_negated => "is not, as text,",
        Test::Equals if is("true") || is("false") => "is, as text,",
        test => verb(test, read.is_negated, values.len() > 1),
    };
    let tail = if read.if_exists {
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
        (Test::Equals, false, false) | (Test::Bool | Test::Null, ..) => "is",
        (Test::Equals, false, true) => "is one of",
        (Test::Equals, true, false) => "is not",
        (Test::Equals, true, true) => "is none of",
        (Test::Binary, ..) => "is base64",
        (Test::EqualsIgnoreCase, false, false) => "is, case aside,",
        (Test::EqualsIgnoreCase, false, true) => "is, case aside, one of",
        (Test::EqualsIgnoreCase, true, _) => "is not, case aside,",
        (Test::Like, false, _) => "like",
        (Test::Like, true, _) => "not like",
        (Test::Arn, false, _) => "like ARN",
        (Test::Arn, true, _) => "not like ARN",
        (Test::Ip, false, _) => "in",
        (Test::Ip, true, _) => "not in",
        (Test::Number(Order::Equal), false, _) => "=",
        (Test::Number(Order::Equal), true, _) => "≠",
        (Test::Date(Order::Equal), false, _) => "at",
        (Test::Date(Order::Equal), true, _) => "not at",
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
    use super::super::pattern::Pattern;
    use super::*;
    use crate::document::{Use, parse};

    #[test]
    fn a_variable_is_none_in_the_old_version() {
        let both = |text: &str| [Version::V2008, Version::V2012].map(|one| value(text, one));
        assert_eq!(both("x"), ["x", "x"]);
        assert_eq!(both("${a:b}"), ["${a:b} (as it stands)", "${a:b}"]);
    }

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
                "a:b not like ARN arn:aws:sns:*:*:*",
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
            let found = conditions(&document.statements()[0].conditions, document.version());
            assert_eq!(found, BTreeSet::from([expected.to_owned()]));
        }
    }

    /// Conditions that don't mean the same have other words.
    #[test]
    fn no_two_meanings_have_one_sentence() {
        const ONES: &[&str] = &[
            r#""StringLike":{"a:b":["x","y"]}"#,
            r#""StringLike":{"a:b":"x, y"}"#,
            r#""StringLike":{"a:b":"x\", \"y"}"#,
            r#""ArnLike":{"a:b":["x","y"]}"#,
            r#""ForAnyValue:StringLike":{"a:b":["x","y"]}"#,
            r#""ForAllValues:StringLike":{"a:b":["x","y"]}"#,
            r#""StringLike":{"a value of a:b":["x","y"]}"#,
            r#""StringLikeIfExists":{"a:b":"x"}"#,
            r#""StringLike":{"a:b":["or a:b is absent","x"]}"#,
            r#""StringEquals":{"a:b":"x"}"#,
            r#""StringEquals":{"a:b":"like"}"#,
            r#""StringNotEquals":{"a:b":"x"}"#,
            r#""StringEquals":{"a:b":"not x"}"#,
            r#""BinaryEquals":{"a:b":"x"}"#,
            r#""Bool":{"a:b":"x"}"#,
            r#""Bool":{"a:b":"true"}"#,
            r#""StringEquals":{"a:b":"true"}"#,
            r#""StringNotEquals":{"a:b":"true"}"#,
            r#""Bool":{"a:b":["true","false"]}"#,
            r#""StringEquals":{"a:b":["true","false"]}"#,
            r#""NumericEquals":{"a:b":"1"}"#,
            r#""DateEquals":{"a:b":"1"}"#,
            r#""NumericNotEquals":{"a:b":"1"}"#,
            r#""DateNotEquals":{"a:b":"1"}"#,
            r#""Null":{"a:b":"true"}"#,
            r#""Null":{"a:b":"false"}"#,
            r#""Null":{"a:b":"x"}"#,
            r#""Null":{"a:b":["true","x"]}"#,
            r#""StringEquals":{"a:b":""}"#,
            r#""StringEquals":{"a:b":["","x"]}"#,
            r#""StringEquals":{"a:b":"${aws:username}"}"#,
            r#""StringEquals":{"a:b":"${aws:username} (as it stands)"}"#,
        ];
        let mut seen = std::collections::BTreeMap::new();
        for version in ["2012-10-17", "2008-10-17"] {
            for condition in ONES {
                let text = format!(
                    r#"{{"Version":"{version}","Statement":[{{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{{{condition}}}}}]}}"#
                );
                let document = crate::document::meaning(&text).unwrap();
                let statement = &document.statements()[0];
                let found = conditions(&statement.conditions, document.version());
                let has_variable = condition.contains("${");
                let meant = (has_variable.then_some(version), condition);
                let before = seen.insert(found.clone(), meant);
                assert!(
                    before.is_none_or(|before| before == meant),
                    "{found:?}: {before:?}"
                );
            }
        }
    }

    #[test]
    fn facts() {
        let all = |values: &[&str]| {
            let values = values
                .iter()
                .map(|one| Pattern::plain(one, Version::V2012))
                .collect();
            atom(&Atom::All {
                test: Test::Equals,
                key: "a:b".to_owned(),
                values,
            })
        };
        assert_eq!(all(&["x"]), "every value of a:b is x");
        assert_eq!(all(&["x", "y"]), "every value of a:b is one of x, y");
    }
}
