use super::*;

fn ask(operator: &str, key: &str, values: &[&str], context: &Context) -> Truth {
    let values = values.iter().map(ToString::to_string).collect();
    holds(operator, key, &values, Version::V2012, context)
}

/// Asks about the key `k`, whose values are `own`; none is a request without it.
fn k(operator: &str, values: &[&str], own: &[&str]) -> bool {
    let mut context = Context::default().and_nothing_else();
    for value in own {
        context = context.with("K", *value);
    }
    match ask(operator, "k", values, &context) {
        Truth::True => true,
        Truth::False => false,
        Truth::Depends(on) => panic!("depends on {on:?}"),
    }
}

#[test]
fn strings() {
    assert!(k("StringEquals", &["a", "b"], &["b"]));
    assert!(!k("StringEquals", &["a"], &["A"]));
    assert!(!k("StringEquals", &["a*"], &["ab"]));
    assert!(k("StringNotEquals", &["a", "b"], &["c"]));
    assert!(!k("StringNotEquals", &["a", "b"], &["b"]));
    assert!(k("StringEqualsIgnoreCase", &["aB"], &["Ab"]));
    assert!(!k("StringEqualsIgnoreCase", &["a"], &["b"]));
    assert!(!k("StringNotEqualsIgnoreCase", &["aB"], &["Ab"]));
    assert!(k("StringLike", &["a*", "b?"], &["bc"]));
    assert!(!k("StringLike", &["a*", "b?"], &["b"]));
    assert!(!k("StringNotLike", &["a*"], &["ab"]));
    assert!(k("StringNotLike", &["a*"], &["ba"]));
    assert!(k("BinaryEquals", &["QQ=="], &["QQ=="]));
    assert!(!k("BinaryEquals", &["QQ=="], &["qq=="]));
    assert!(k("Bool", &["true"], &["True"]));
    assert!(!k("Bool", &["true"], &["false"]));
}

#[test]
fn numbers_and_dates() {
    for (suffix, less, equal, greater) in [
        ("Equals", false, true, false),
        ("NotEquals", true, false, true),
        ("LessThan", true, false, false),
        ("LessThanEquals", true, true, false),
        ("GreaterThan", false, false, true),
        ("GreaterThanEquals", false, true, true),
    ] {
        let numeric = format!("Numeric{suffix}");
        let date = format!("Date{suffix}");
        for (own, day, expected) in [
            ("9", "2019-12-31T23:59:59Z", less),
            ("10.0", "2020-01-01T00:00:00Z", equal),
            ("11", "2020-01-02", greater),
        ] {
            assert_eq!(k(&numeric, &["10"], &[own]), expected, "{numeric} {own}");
            assert_eq!(k(&date, &["2020-01-01"], &[day]), expected, "{date} {day}");
        }
    }
    assert!(!k("NumericEquals", &["x"], &["1"]));
    assert!(!k("NumericLessThan", &["1"], &["x"]));
}

#[test]
fn addresses() {
    assert!(k("IpAddress", &["10.0.0.0/8", "::1"], &["10.2.3.4"]));
    assert!(!k("IpAddress", &["10.0.0.0/8"], &["11.2.3.4"]));
    assert!(k("NotIpAddress", &["10.0.0.0/8"], &["11.2.3.4"]));
    assert!(!k("NotIpAddress", &["10.0.0.0/8"], &["10.2.3.4"]));
}

#[test]
fn arns_match_part_by_part() {
    let topic = "arn:aws:sns:eu-west-1:111122223333:a:b";
    for operator in ["ArnEquals", "ArnLike"] {
        assert!(k(operator, &["arn:aws:sns:*:111122223333:*"], &[topic]));
        assert!(k(operator, &["arn:aws:sns:eu-west-?:*:a*"], &[topic]));
        assert!(!k(operator, &["arn:aws:sns:*:a:b"], &[topic]));
        assert!(!k(operator, &["arn:aws:sns:*:*:*:c"], &[topic]));
        assert!(!k(operator, &["arn:aws:sns:*:*:*"], &["topic"]));
    }
    assert!(!k("ArnNotLike", &["arn:aws:sns:*:*:*"], &[topic]));
    assert!(k("ArnNotEquals", &["arn:aws:sqs:*:*:*"], &[topic]));
}

#[test]
fn what_the_request_lacks() {
    for (operator, expected) in [
        ("StringEquals", false),
        ("StringNotEquals", true),
        ("StringLike", false),
        ("StringNotLike", true),
        ("NumericLessThan", false),
        ("NumericNotEquals", true),
        ("DateNotEquals", true),
        ("Bool", false),
        ("IpAddress", false),
        ("NotIpAddress", true),
        ("ArnLike", false),
        ("ArnNotLike", true),
        ("StringEqualsIfExists", true),
        ("BoolIfExists", true),
        ("StringNotEqualsIfExists", true),
        ("ForAllValues:StringEquals", true),
        ("ForAllValues:StringNotEquals", true),
        ("ForAnyValue:StringEquals", false),
        ("ForAnyValue:StringNotEquals", false),
        ("ForAllValues:StringLikeIfExists", true),
    ] {
        assert_eq!(k(operator, &["1"], &[]), expected, "{operator}");
        let empty = Context::default().with_no_values("k");
        assert_eq!(
            ask(operator, "k", &["1"], &empty),
            expected.into(),
            "{operator}"
        );
        let unknown = ask(operator, "k", &["1"], &Context::default());
        assert_eq!(unknown, Truth::Depends(BTreeSet::from(["k".to_owned()])));
    }
}

#[test]
fn any_value_if_exists_is_left_open() {
    let absent = Context::default().without("k");
    for operator in [
        "ForAnyValue:StringEqualsIfExists",
        "ForAnyValue:StringNotLikeIfExists",
    ] {
        let found = ask(operator, "k", &["a"], &absent);
        assert!(matches!(found, Truth::Depends(on) if on.first().unwrap().contains("leaves open")));
        assert!(k(
            operator,
            &[if operator.contains("Not") { "b" } else { "a" }],
            &["a"]
        ));
    }
}

#[test]
fn null() {
    assert!(k("Null", &["true"], &[]));
    assert!(!k("Null", &["false"], &[]));
    assert!(!k("Null", &["true"], &["x"]));
    assert!(k("Null", &["False"], &["x"]));
    assert!(k("Null", &["true", "false"], &["x"]));
    let empty = Context::default().with_no_values("k");
    assert_eq!(ask("Null", "k", &["true"], &empty), Truth::True);
}

#[test]
fn sets() {
    assert!(k("ForAllValues:StringEquals", &["a", "b"], &["a", "b"]));
    assert!(!k("ForAllValues:StringEquals", &["a", "b"], &["a", "c"]));
    assert!(k("ForAnyValue:StringEquals", &["a", "b"], &["a", "c"]));
    assert!(!k("ForAnyValue:StringEquals", &["a", "b"], &["c", "d"]));
    assert!(k("ForAllValues:StringNotEquals", &["a"], &["b", "c"]));
    assert!(!k("ForAllValues:StringNotEquals", &["a"], &["a", "c"]));
    assert!(k("ForAnyValue:StringNotEquals", &["a"], &["a", "c"]));
    assert!(!k("ForAnyValue:StringNotEquals", &["a"], &["a"]));
    let several = Context::default().with("k", "a").with("k", "b");
    assert!(matches!(
        ask("StringEquals", "k", &["a"], &several),
        Truth::Depends(_)
    ));
}

#[test]
fn values_with_variables() {
    let context = Context::default()
        .with("aws:username", "a*")
        .with("k", "a*")
        .without("gone");
    assert_eq!(
        ask("StringEquals", "k", &["${aws:username}"], &context),
        Truth::True
    );
    assert_eq!(
        ask("StringEquals", "k", &["${gone}"], &context),
        Truth::False
    );
    assert_eq!(
        ask("StringNotEquals", "k", &["${gone}"], &context),
        Truth::True
    );
    assert_eq!(
        ask("StringEquals", "k", &["${gone, 'a*'}"], &context),
        Truth::True
    );
    assert_eq!(ask("StringLike", "k", &["a${*}"], &context), Truth::True);
    let on = BTreeSet::from(["who".to_owned()]);
    for operator in ["StringEquals", "StringEqualsIgnoreCase", "StringNotLike"] {
        let found = ask(operator, "k", &["${who}"], &context);
        assert_eq!(found, Truth::Depends(on.clone()), "{operator}");
    }
    assert_eq!(
        ask("StringEquals", "k", &["${who}", "a*"], &context),
        Truth::True
    );
    assert_eq!(
        ask("StringEquals", "k", &["${who}x"], &context),
        Truth::False
    );
    let arn = Context::default()
        .with("k", "arn:aws:iam::1:user/a")
        .with("n", "a");
    let user = ["arn:aws:iam::*:user/${n}"];
    assert_eq!(ask("ArnLike", "k", &user, &arn), Truth::True);
    assert_eq!(
        ask("ArnLike", "k", &["${gone2,x}"], &arn.and_nothing_else()),
        Truth::False
    );
}

#[test]
fn operators() {
    let read = |text: &str| Operator::read(text);
    assert_eq!(
        read("ForAnyValue:StringNotLikeIfExists"),
        Some(Operator {
            set: Set::Any,
            test: Test::Like,
            is_negated: true,
            if_exists: true
        })
    );
    assert_eq!(
        read("DateLessThan"),
        Some(Operator {
            set: Set::One,
            test: Test::Date(Order::Less),
            is_negated: false,
            if_exists: false
        })
    );
    for text in [
        "",
        "stringEquals",
        "NullIfExists",
        "ForAllValues:Null",
        "NumericLike",
        "Equals",
        "DateNot",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(
        ask("Nonsense", "k", &["a"], &Context::default()),
        Truth::False
    );
}

#[test]
fn three_values() {
    let on = |text: &str| Truth::Depends(BTreeSet::from([text.to_owned()]));
    let both = Truth::Depends(BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    assert_eq!(on("a").and(on("b")), both);
    assert_eq!(on("a").or(on("b")), both);
    assert_eq!(on("a").and(Truth::False), Truth::False);
    assert_eq!(on("a").and(Truth::True), on("a"));
    assert_eq!(on("a").or(Truth::True), Truth::True);
    assert_eq!(on("a").or(Truth::False), on("a"));
    assert_eq!(on("a").not(), on("a"));
    assert_eq!(Truth::True.not(), Truth::False);
}

#[test]
fn the_last_word_on_a_key_counts() {
    let context = Context::default().without("a").with("a", "x");
    assert_eq!(
        context.get("A"),
        Given::Values(BTreeSet::from(["x".to_owned()]))
    );
    assert_eq!(context.without("A").get("a"), Given::Absent);
    assert_eq!(
        Context::default().with("a", "1").with("a", "2").fill("a"),
        Filled::Absent
    );
}

/// AWS's documentation says that each of an ARN's six parts is compared.
#[test]
fn patterns_of_fewer_parts_than_an_arn_has() {
    let context = Context::default().with("k", "arn:aws:iam::1:role/x");
    for pattern in ["*", "arn:aws:iam::*", "arn:*/x"] {
        for operator in ["ArnLike", "ArnNotLike"] {
            let found = ask(operator, "k", &[pattern], &context);
            assert!(matches!(found, Truth::Depends(_)), "{pattern}: {found:?}");
        }
    }
    let found = ask("ArnLike", "k", &["arn:aws:s3:*"], &context);
    assert_eq!(found, Truth::False);
}
