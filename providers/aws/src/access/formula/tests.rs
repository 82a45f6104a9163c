use proptest::prelude::*;

use super::super::condition::{self, Context, Truth};
use super::super::testing::any_request;
use super::*;

fn same(key: &str) -> String {
    key.to_owned()
}

/// One condition as a formula.
fn of(operator: &str, key: &str, values: &[&str]) -> Formula {
    let values = values.iter().map(ToString::to_string).collect();
    let operator = Operator::read(operator).unwrap();
    of_condition(operator, key, &values, Version::V2012, &same)
}

/// The one atom of a condition of one value.
fn atom(operator: &str, key: &str, value: &str) -> Atom {
    match of(operator, key, &[value]) {
        Formula::Or(parts) => match parts.as_slice() {
            [Formula::Is(atom, true)] => atom.clone(),
            other => panic!("{other:?}"),
        },
        Formula::Is(atom, true) => atom,
        other => panic!("{other:?}"),
    }
}

fn k(operator: &str, value: &str) -> Atom {
    atom(operator, "aws:k", value)
}

/// All values are among these.
fn all(values: &[&str]) -> Atom {
    match of("ForAllValues:StringEquals", "aws:k", values) {
        Formula::Is(atom, true) => atom,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whether_there_is_a_value() {
    let null = |holds: bool| Formula::Is(Atom::Null("aws:k".to_owned()), holds);
    for (values, expected) in [
        (&["true"][..], vec![null(true)]),
        (&["False"], vec![null(false)]),
        (&["false", "true"], vec![null(false), null(true)]),
        (&["maybe"], Vec::new()),
    ] {
        assert_eq!(of("Null", "aws:k", values), Formula::Or(expected));
    }
}

#[test]
fn implications() {
    for (narrow, wide) in [
        (k("StringEquals", "a"), k("StringLike", "a*")),
        (k("StringEquals", "a"), k("StringEqualsIgnoreCase", "A")),
        (
            k("StringEqualsIgnoreCase", "a"),
            k("StringEqualsIgnoreCase", "A"),
        ),
        (k("StringLike", "ab*"), k("StringLike", "a*")),
        (k("StringLike", "a"), k("StringEquals", "a")),
        (k("StringLike", "a"), k("StringEqualsIgnoreCase", "A")),
        (k("NumericLessThan", "5"), k("NumericLessThan", "6")),
        (k("NumericLessThan", "5"), k("NumericLessThanEquals", "5")),
        (k("NumericEquals", "5"), k("NumericGreaterThan", "4")),
        (
            k("NumericGreaterThan", "5"),
            k("NumericGreaterThanEquals", "5"),
        ),
        (k("NumericEquals", "5"), k("NumericEquals", "5.0")),
        (
            k("DateLessThan", "2020-01-01"),
            k("DateLessThanEquals", "2020-01-01T00:00:00Z"),
        ),
        (
            k("DateEquals", "2020-01-01"),
            k("DateGreaterThan", "2019-01-01"),
        ),
        (k("Bool", "true"), k("Bool", "True")),
        (k("IpAddress", "10.1.0.0/16"), k("IpAddress", "10.0.0.0/8")),
        (
            k("ArnLike", "arn:aws:s:::ab"),
            k("ArnEquals", "arn:aws:s:*::a*"),
        ),
        (
            k("ForAnyValue:StringEquals", "a"),
            k("ForAnyValue:StringLike", "a*"),
        ),
        (
            k("ForAllValues:StringEquals", "a"),
            k("ForAllValues:StringLike", "a*"),
        ),
        (
            Atom::Null("aws:k".to_owned()),
            k("ForAllValues:StringEquals", "a"),
        ),
        (k("StringEquals", "${aws:u}"), k("StringLike", "*")),
        // Keys count without their case.
        (k("StringEquals", "${aws:U}"), k("StringEquals", "${aws:u}")),
        (all(&["a"]), all(&["a", "b"])),
    ] {
        assert!(narrow.implies(&wide), "{narrow:?} {wide:?}");
        assert!(narrow.implies(&narrow));
    }
    for (one, two) in [
        (k("StringLike", "a*"), k("StringEquals", "a")),
        (k("StringLike", "a"), k("StringEquals", "b")),
        (k("StringLike", "a*"), k("StringLike", "ab*")),
        (k("StringEqualsIgnoreCase", "a"), k("StringEquals", "a")),
        (k("StringEquals", "a"), k("StringEquals", "b")),
        (k("NumericLessThanEquals", "5"), k("NumericLessThan", "5")),
        (k("NumericLessThan", "6"), k("NumericLessThan", "5")),
        (k("NumericGreaterThan", "5"), k("NumericLessThan", "5")),
        (
            k("NumericGreaterThanEquals", "5"),
            k("NumericGreaterThan", "5"),
        ),
        (k("NumericEquals", "1"), k("DateGreaterThan", "0")),
        (k("IpAddress", "10.0.0.0/8"), k("IpAddress", "10.1.0.0/16")),
        (
            k("ArnLike", "arn:aws:s:::a*"),
            k("ArnLike", "arn:aws:s:::ab"),
        ),
        (k("ArnLike", "arn:aws:s"), k("ArnLike", "*")),
        // A wildcard stays within its part.
        (
            k("ArnLike", "arn:aws:s:r:x:::y"),
            k("ArnLike", "arn:aws:*:::y"),
        ),
        (all(&["a", "b"]), all(&["a"])),
        (k("Bool", "true"), k("Bool", "false")),
        (k("BinaryEquals", "QQ=="), k("BinaryEquals", "Qg==")),
        (k("StringEquals", "a"), atom("StringEquals", "aws:l", "a")),
        (k("ForAnyValue:StringEquals", "a"), k("StringEquals", "a")),
        (
            k("ForAllValues:StringLike", "a*"),
            k("ForAllValues:StringEquals", "a"),
        ),
        (
            k("ForAllValues:StringEquals", "a"),
            atom("ForAllValues:StringEquals", "aws:l", "a"),
        ),
        (
            Atom::Null("aws:l".to_owned()),
            k("ForAllValues:StringEquals", "a"),
        ),
        (k("StringEquals", "a"), Atom::Null("aws:k".to_owned())),
        (k("StringEquals", "${aws:u}"), k("StringEquals", "${aws:v}")),
    ] {
        assert!(!one.implies(&two), "{one:?} {two:?}");
    }
}

#[test]
fn exclusions() {
    let null = Atom::Null("aws:k".to_owned());
    for (one, two) in [
        (k("StringEquals", "a"), k("StringEquals", "b")),
        (k("StringEquals", "a"), k("StringLike", "b*")),
        (k("StringLike", "a*"), k("StringLike", "b*")),
        (k("StringEquals", "a"), k("StringEqualsIgnoreCase", "b")),
        (
            k("StringEqualsIgnoreCase", "a"),
            k("StringEqualsIgnoreCase", "b"),
        ),
        (k("Bool", "true"), k("Bool", "false")),
        (
            k("NumericLessThan", "5"),
            k("NumericGreaterThanEquals", "5"),
        ),
        (k("NumericEquals", "5"), k("NumericEquals", "6")),
        (
            k("DateLessThan", "2020-01-01"),
            k("DateGreaterThan", "2020-01-01"),
        ),
        (k("IpAddress", "10.0.0.0/8"), k("IpAddress", "11.0.0.0/8")),
        (null.clone(), k("StringEquals", "a")),
        (null.clone(), k("ForAnyValue:StringEquals", "a")),
    ] {
        assert!(one.excludes(&two) && two.excludes(&one), "{one:?} {two:?}");
    }
    for (one, two) in [
        (k("StringLike", "a*"), k("StringLike", "*b")),
        (k("StringEquals", "a"), k("StringEqualsIgnoreCase", "A")),
        (k("StringEquals", "a"), k("StringEquals", "${aws:u}")),
        (k("StringLike", "${aws:u}"), k("StringLike", "b")),
        (
            k("NumericLessThanEquals", "5"),
            k("NumericGreaterThanEquals", "5"),
        ),
        (k("NumericLessThan", "1"), k("DateGreaterThan", "2")),
        (k("IpAddress", "10.0.0.0/8"), k("IpAddress", "10.1.0.0/16")),
        (k("StringEquals", "a"), atom("StringEquals", "aws:l", "b")),
        // A request may have both.
        (
            k("ForAnyValue:StringEquals", "a"),
            k("ForAnyValue:StringEquals", "b"),
        ),
        (
            atom("StringEquals", "aws:tagkeys", "a"),
            atom("StringEquals", "aws:tagkeys", "b"),
        ),
        (
            atom("StringEquals", "dynamodb:leadingkeys", "a"),
            atom("StringEquals", "dynamodb:leadingkeys", "b"),
        ),
        (null.clone(), k("ForAllValues:StringEquals", "a")),
        (null, atom("StringEquals", "aws:l", "a")),
    ] {
        assert!(
            !one.excludes(&two) && !two.excludes(&one),
            "{one:?} {two:?}"
        );
    }
}

#[test]
fn what_is_told_apart() {
    assert!(k("StringEquals", "a").is_told_from(&k("StringLike", "b*")));
    assert!(k("StringEquals", "a").is_told_from(&atom("StringEquals", "aws:l", "${aws:u}")));
    assert!(k("StringEquals", "a").is_told_from(&Atom::Null("aws:k".to_owned())));
    assert!(!k("StringEquals", "a").is_told_from(&k("ArnLike", "arn:aws:s:::a")));
    assert!(!k("StringEquals", "a").is_told_from(&k("StringEquals", "${aws:u}")));
    assert!(!k("StringEquals", "${aws:u}").is_told_from(&k("StringEquals", "a")));
    assert!(!k("StringEquals", "a").is_told_from(&k("ForAnyValue:StringEquals", "a")));
    assert!(
        !k("ForAllValues:StringEquals", "a").is_told_from(&k("ForAllValues:StringEquals", "b"))
    );
    let resource = |text: &str| Atom::Resource(Pattern::wild(text, Version::V2012));
    assert!(!resource("a/${aws:u}").is_told_from(&resource("a/${aws:v}")));
    assert!(resource("a/${aws:u}/b").implies(&resource("a/${aws:u}/*")));
    assert!(!resource("a/${aws:u}/*").implies(&resource("a/${aws:u}/b")));
}

#[test]
fn parts_of_a_cover() {
    let ip = |text: &str| k("IpAddress", text);
    assert!(ip("10.0.0.0/9").may_cover_in_part(&ip("10.0.0.0/8")));
    assert!(!ip("11.0.0.0/9").may_cover_in_part(&ip("10.0.0.0/8")));
    assert!(k("StringLike", "ab*").may_cover_in_part(&k("StringLike", "a*")));
    assert!(!k("StringEquals", "ab").may_cover_in_part(&k("StringLike", "a*")));
    assert!(!k("StringLike", "ab").may_cover_in_part(&k("StringLike", "a*")));
    assert!(k("NumericLessThan", "4").may_cover_in_part(&k("NumericLessThan", "5")));
    assert!(!k("NumericEquals", "4").may_cover_in_part(&k("NumericLessThan", "5")));
    assert!(!atom("IpAddress", "aws:l", "10.0.0.0/9").may_cover_in_part(&ip("10.0.0.0/8")));
    assert!(!ip("10.0.0.0/9").may_cover_in_part(&Atom::Null("aws:k".to_owned())));
}

#[test]
fn formulas_hold_together() {
    let is = |atom: Atom| Formula::Is(atom, true);
    let (a, b) = (is(k("StringEquals", "a")), is(k("StringEquals", "b")));
    assert!(matches!(together([&a]), Found::Together(all) if all.len() == 1));
    assert_eq!(together([&a, &b]), Found::Never);
    assert_eq!(together([&a, &a.clone().not()]), Found::Never);
    assert_eq!(together([&Formula::FALSE]), Found::Never);
    assert_eq!(together([&Formula::TRUE]), Found::Together(Vec::new()));
    let either = Formula::or([a.clone(), b.clone()]);
    assert!(matches!(
        together([&either, &a.clone().not()]),
        Found::Together(_)
    ));
    assert_eq!(
        together([&either, &a.clone().not(), &b.clone().not()]),
        Found::Never
    );
    assert_eq!(Formula::and([a.clone(), Formula::FALSE]), Formula::FALSE);
    assert_eq!(Formula::or([a.clone(), Formula::TRUE]), Formula::TRUE);
    assert_eq!(Formula::and([Formula::TRUE]), Formula::TRUE);
    assert_eq!(either.clone().not(), Formula::And(vec![a.not(), b.not()]));
}

#[test]
fn a_search_ends() {
    let choice = |number: usize| {
        let one = |text: &str| {
            Formula::Is(
                Atom::Unknown(Effect::Allow, format!("{number}{text}")),
                true,
            )
        };
        Formula::or([one("a"), one("b")])
    };
    let mut all: Vec<Formula> = (0..20).map(choice).collect();
    let never = |text: &str| {
        Formula::or([
            Formula::Is(Atom::Unknown(Effect::Deny, text.to_owned()), true),
            Formula::Is(Atom::Unknown(Effect::Deny, text.to_owned()), true),
        ])
    };
    all.push(never("x"));
    all.push(Formula::Is(
        Atom::Unknown(Effect::Deny, "y".to_owned()),
        true,
    ));
    assert!(matches!(together(&all), Found::Together(_)));
    // The contradiction stands behind all choices.
    let three = |text: &str| Formula::Or(vec![never(text), never(text), never(text)]);
    all.push(three("z"));
    all.push(Formula::Or(
        (0..3)
            .map(|_| Formula::And(vec![never("z").not(), never("w")]))
            .collect(),
    ));
    assert_eq!(together(&all), Found::TooMany);
}

#[test]
fn the_last_choice_is_made() {
    let is = |holds: bool| Formula::Is(Atom::Null("aws:k".to_owned()), holds);
    let choices = |count: usize| Formula::Or(vec![is(false); count]);
    assert_eq!(together([&is(true), &choices(CHOICES_MAX)]), Found::Never);
    assert_eq!(
        together([&is(true), &choices(CHOICES_MAX + 1)]),
        Found::TooMany
    );
}

/// Whether a formula holds for a request of which all is known.
fn holds(formula: &Formula, context: &Context) -> bool {
    match formula {
        Formula::And(parts) => parts.iter().all(|part| holds(part, context)),
        Formula::Or(parts) => parts.iter().any(|part| holds(part, context)),
        Formula::Is(atom, wanted) => atom_holds(atom, context) == *wanted,
    }
}

fn atom_holds(atom: &Atom, context: &Context) -> bool {
    let ask = |operator: &str, key: &str, values: &BTreeSet<String>| {
        condition::holds(operator, key, values, Version::V2012, context) == Truth::True
    };
    let operator = |set: Set, test: Test| {
        let set = match set {
            Set::One => "",
            Set::All => "ForAllValues:",
            Set::Any => "ForAnyValue:",
        };
        let test = match test {
            Test::Equals => "StringEquals",
            Test::EqualsIgnoreCase => "StringEqualsIgnoreCase",
            Test::Like => "StringLike",
            Test::Bool => "Bool",
            Test::Ip => "IpAddress",
            Test::Arn => "ArnLike",
            Test::Number(Order::Less) => "NumericLessThan",
            Test::Number(Order::Equal) => "NumericEquals",
            other => panic!("{other:?}"),
        };
        format!("{set}{test}")
    };
    let texts =
        |values: &BTreeSet<Pattern>| values.iter().map(|value| value.text.clone()).collect();
    match atom {
        Atom::Null(key) => ask("Null", key, &BTreeSet::from(["true".to_owned()])),
        Atom::Value {
            set,
            test,
            key,
            value,
        } => ask(
            &operator(*set, *test),
            key,
            &BTreeSet::from([value.text.clone()]),
        ),
        Atom::All { test, key, values } => ask(&operator(Set::All, *test), key, &texts(values)),
        other => panic!("{other:?}"),
    }
}

fn any_condition() -> impl Strategy<Value = (String, &'static str, Vec<&'static str>)> {
    let texts = proptest::sample::subsequence(&["a", "b", "a*", "A", "${aws:username}"][..], 1..3);
    let strings = proptest::sample::select(
        &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ][..],
    );
    let set = proptest::sample::select(&["", "ForAllValues:", "ForAnyValue:"][..]);
    (set, strings, proptest::bool::ANY, texts).prop_map(|(set, test, exists, values)| {
        let exists = if exists && set != "ForAnyValue:" {
            "IfExists"
        } else {
            ""
        };
        let key = if set.is_empty() {
            "aws:k"
        } else {
            "aws:tagkeys"
        };
        (format!("{set}{test}{exists}"), key, values)
    })
}

proptest! {
    /// A formula says what the condition says.
    #[test]
    fn formulas_mean_their_conditions((operator, key, values) in any_condition(), (_, _, context) in any_request()) {
        let formula = of(&operator, key, &values);
        let values = values.iter().map(ToString::to_string).collect();
        let expected = condition::holds(&operator, key, &values, Version::V2012, &context);
        prop_assert_eq!(Truth::from(holds(&formula, &context)), expected, "{}", operator);
        prop_assert_ne!(holds(&formula, &context), holds(&formula.not(), &context));
    }

    /// What holds for some request isn't said never to hold.
    #[test]
    fn what_holds_is_found(all in proptest::collection::vec(any_condition(), 1..4), (_, _, context) in any_request()) {
        let formulas: Vec<Formula> = all
            .iter()
            .map(|(operator, key, values)| {
                let formula = of(operator, key, values);
                if holds(&formula, &context) { formula } else { formula.not() }
            })
            .collect();
        prop_assert!(matches!(together(&formulas), Found::Together(_)));
    }
}
