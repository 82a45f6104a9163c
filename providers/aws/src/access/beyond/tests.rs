use proptest::prelude::*;

use super::super::decide::{Decision, Request};
use super::super::testing::*;
use super::*;

fn compare(over: &str, under: &str) -> Vec<Excess> {
    beyond(&holds(over), &holds(under), &BTreeSet::new())
}

/// One excess: its actions, resources, conditions, and how sure it is.
fn one(
    over: &str,
    under: &str,
) -> (
    BTreeSet<String>,
    BTreeSet<String>,
    BTreeSet<String>,
    Certainty,
) {
    let mut found = compare(over, under);
    assert_eq!(found.len(), 1, "{found:#?}");
    let excess = found.remove(0);
    let permission = excess.permission;
    (
        permission.actions,
        permission.resources,
        permission.conditions,
        excess.certainty,
    )
}

#[test]
fn narrowings_give_nothing() {
    let if_b = r#""Bool":{"aws:b":"true"}"#;
    let both = |one: &str, two: &str| format!("{one},{two}");
    for (over, under) in [
        (String::new(), allow("s:*", "*")),
        (allow("s:GA", "*"), allow("s:GA s:PA", "*")),
        (allow("s:GA", "*"), allow("S:g*", "*")),
        (
            allow("s:GA", "arn:aws:s:::a"),
            allow("s:GA", "arn:aws:s:::a*"),
        ),
        (allow_if("s:GA", "*", if_b), allow("s:GA", "*")),
        (
            both(&allow("s:*", "*"), &deny("s:P*", "*")),
            allow("s:*", "*"),
        ),
        // In parts.
        (
            both(&allow("s:G*", "*"), &allow("s:P*", "*")),
            allow("s:*", "*"),
        ),
        (
            allow("s:GA s:PA", "*"),
            both(&allow("s:GA", "*"), &allow("s:PA", "*")),
        ),
        (
            both(&allow("s:GA", "*"), &allow("s:PA", "*")),
            allow("s:GA s:PA", "*"),
        ),
        (
            allow("s:*", "*"),
            both(
                &allow("s:A*", "*"),
                &allow("s:* !s:A*".split(' ').next().unwrap(), "*"),
            ),
        ),
        (
            allow("*", "*"),
            both(&allow("s:*", "*"), &allow("!s:*", "*")),
        ),
        (allow("*", "*"), allow("*:*", "*")),
        (
            both(&allow("*", "*"), &deny("!s:GA", "*")),
            allow("s:GA", "*"),
        ),
        (both(&allow("s:GA", "*"), &deny("s:GA", "*")), String::new()),
        (
            allow_if("s:GA", "*", r#""StringEquals":{"aws:k":["a","b"]}"#),
            both(
                &allow_if("s:GA", "*", r#""StringEquals":{"aws:k":"a"}"#),
                &allow_if("s:GA", "*", r#""StringEquals":{"aws:k":"b"}"#),
            ),
        ),
        (
            allow("s:GA", "arn:aws:s:::a/${aws:username}"),
            allow("s:GA", "arn:aws:s:::a/*"),
        ),
        (
            allow("s:GA", "arn:aws:s:::a/${aws:username}"),
            allow("s:G*", "arn:aws:s:::a/${aws:UserName}"),
        ),
    ] {
        assert_eq!(compare(&over, &under), [], "{over} | {under}");
    }
}

#[test]
fn what_is_gained() {
    let (actions, resources, conditions, certainty) =
        one(&allow("s:GA s:PA", "arn:aws:s:::a"), &allow("s:GA", "*"));
    assert_eq!(
        (actions, resources),
        (set(["s:PA"]), set(["arn:aws:s:::a"]))
    );
    assert_eq!((conditions, certainty), (set([]), Certainty::Surely));

    // A wildcard that grew, without what was there.
    let (actions, _, conditions, certainty) = one(&allow("s:*", "*"), &allow("s:G*", "*"));
    assert_eq!(actions, set(["s:*"]));
    assert_eq!(conditions, set(["but not s:G*"]));
    assert_eq!(certainty, Certainty::Surely);

    // A denial that went.
    let (actions, resources, ..) = one(
        &allow("s:*", "*"),
        &format!("{},{}", allow("s:*", "*"), deny("s:P*", "arn:aws:s:::a*")),
    );
    assert_eq!(
        (actions, resources),
        (set(["s:P*"]), set(["arn:aws:s:::a*"]))
    );

    let (actions, ..) = one(
        &allow("!iam:*", "*"),
        &allow("!iam:* !s:*".split(' ').next().unwrap(), "arn:aws:s:::a"),
    );
    assert_eq!(actions, set(["all but iam:*"]));
    let (actions, ..) = one(&allow("!iam:*", "*"), &allow("!iam:* s:*", "*"));
    assert_eq!(actions, set(["s:*"]));

    let (_, resources, ..) = one(
        &allow("s:GA", "arn:aws:s:::a arn:aws:s:::b"),
        &allow("s:GA", "arn:aws:s:::b"),
    );
    assert_eq!(resources, set(["arn:aws:s:::a"]));
    let both = "arn:aws:s:::a arn:aws:s:::b";
    let (_, resources, ..) = one(&allow("s:GA", both), "");
    assert_eq!(resources, set(["arn:aws:s:::a", "arn:aws:s:::b"]));
}

/// What a statement gives no more of is left out of it, whatever others give more of.
#[test]
fn what_was_there_is_left_out() {
    let under = allow("s:GA", "arn:aws:s:::a");
    let over = format!(
        "{},{}",
        allow("s:*", "arn:aws:s:::a"),
        allow("s:GA", "arn:aws:s:::b")
    );
    let found: Vec<_> = compare(&over, &under)
        .into_iter()
        .map(|one| (one.permission.actions, one.permission.conditions))
        .collect();
    let expected = [
        (set(["s:*"]), set(["but not s:GA"])),
        (set(["s:GA"]), set([])),
    ];
    assert_eq!(found, expected);
    let (.., conditions, _) = one(&allow("s:*G*", "*"), &allow("s:G", "*"));
    assert_eq!(conditions, set(["but not s:G"]));
}

#[test]
fn the_narrowest_pattern() {
    for texts in [["s:a", "s:*a*"], ["s:*a*", "s:a"]] {
        let mut table = Table::default();
        let numbers = texts.map(|text| table.number(&Pattern::action(text)));
        let narrowest = table.narrowest(&numbers.into()).unwrap();
        assert_eq!(table.patterns[narrowest].text, "s:a");
    }
}

#[test]
fn examples() {
    let found = compare(
        &allow("s:GA", "arn:aws:s:::a*"),
        &allow("s:GA", "arn:aws:s:::a/*"),
    );
    assert_eq!(found[0].permission.resources, set(["arn:aws:s:::a*"]));
    assert_eq!(found[0].example.as_deref(), Some("arn:aws:s:::a"));
    for resource in ["arn:aws:s:::a", "*", "arn:aws:s:::${*}*"] {
        let found = compare(&allow("s:GA", resource), "");
        assert_eq!(found[0].example, None, "{resource}");
    }
}

#[test]
fn looser_conditions() {
    let ip = |net: &str| {
        allow_if(
            "s:GA",
            "*",
            &format!(r#""IpAddress":{{"aws:SourceIp":"{net}"}}"#),
        )
    };
    let (.., conditions, certainty) = one(&ip("10.0.0.0/8"), &ip("10.1.0.0/16"));
    assert_eq!(conditions, set(["aws:SourceIp in 10.0.0.0/8"]));
    assert_eq!(
        certainty,
        Certainty::Looser("without aws:sourceip in 10.1.0.0/16".to_owned())
    );
    assert_eq!(compare(&ip("10.1.0.0/16"), &ip("10.0.0.0/8")), []);
    let (.., certainty) = one(&allow("s:GA", "*"), &ip("10.1.0.0/16"));
    assert!(matches!(certainty, Certainty::Looser(_)));
    let k = |operator: &str, key: &str| {
        allow_if("s:GA", "*", &format!(r#""{operator}":{{"{key}":"true"}}"#))
    };
    let (.., certainty) = one(
        &k("StringEquals", "aws:k"),
        &format!("{},{}", k("Bool", "aws:b"), k("Bool", "aws:c")),
    );
    assert_eq!(
        certainty,
        Certainty::Looser("without aws:b is true and without aws:c is true".to_owned())
    );
    // A condition under which the other denies.
    let denied = statement(
        "Deny",
        "s:*",
        "*",
        r#""Bool":{"aws:SecureTransport":"false"}"#,
    );
    let (.., certainty) = one(
        &allow("s:GA", "*"),
        &format!("{},{denied}", allow("s:GA", "*")),
    );
    assert_eq!(
        certainty,
        Certainty::Looser("where aws:securetransport is false".to_owned())
    );
}

#[test]
fn what_cannot_be_told() {
    let k = |value: &str| {
        allow_if(
            "s:GA",
            "*",
            &format!(r#""StringEquals":{{"aws:k":"{value}"}}"#),
        )
    };
    let (.., certainty) = one(&k("${aws:username}"), &k("a"));
    assert!(
        matches!(certainty, Certainty::Undecided(_)),
        "{certainty:?}"
    );
    // Two halves of a network.
    let ip = |net: &str| {
        allow_if(
            "s:GA",
            "*",
            &format!(r#""IpAddress":{{"aws:SourceIp":{net}}}"#),
        )
    };
    let (.., certainty) = one(
        &ip(r#""10.0.0.0/8""#),
        &ip(r#"["10.0.0.0/9","10.128.0.0/9"]"#),
    );
    assert!(
        matches!(certainty, Certainty::Undecided(_)),
        "{certainty:?}"
    );
    // A resource that a variable names may be the denied one.
    let own = allow("s:GA", "arn:aws:s:::${aws:username}");
    let (.., certainty) = one(&own, &format!("{own},{}", deny("s:GA", "arn:aws:s:::a")));
    assert_eq!(certainty, Certainty::Surely);
    let (.., certainty) = one(&allow("s:GA", "arn:aws:s:::a"), &own);
    assert!(matches!(certainty, Certainty::Looser(_)), "{certainty:?}");
}

#[test]
fn what_the_documentation_leaves_open() {
    let any = |exists: &str| {
        allow_if(
            "s:GA",
            "*",
            &format!(r#""ForAnyValue:StringEquals{exists}":{{"aws:TagKeys":"a"}}"#),
        )
    };
    assert_eq!(compare(&any(""), &any("IfExists")), []);
    let (.., certainty) = one(&any("IfExists"), &any(""));
    assert!(
        matches!(&certainty, Certainty::Undecided(why) if why.contains("leaves open")),
        "{certainty:?}"
    );
    let (.., certainty) = one(&allow("s:GA", "*"), &any("IfExists"));
    assert!(!matches!(certainty, Certainty::Surely));
    // It may be denied all that it allows.
    let absent = allow_if("s:GA", "*", r#""Null":{"aws:TagKeys":"true"}"#);
    let denied = any("IfExists").replace("Allow", "Deny");
    let (.., certainty) = one(&format!("{absent},{denied}"), "");
    assert!(
        matches!(&certainty, Certainty::Undecided(why) if why.contains("leaves open")),
        "{certainty:?}"
    );
}

#[test]
fn wildcards_within_segments() {
    let found = compare(
        &allow("s:GA", "arn:aws:logs:r:123456789012:a*b"),
        &allow("s:GA", "arn:aws:logs:r:123456789012:a*"),
    );
    assert_eq!(found, []);
    let found = compare(
        &allow("s:GA", "arn:aws:logs:r:123456789012:a:b"),
        &allow("s:GA", "arn:aws:logs:r:123456789012:a*b"),
    );
    assert_eq!(found.len(), 1);
    assert!(matches!(found[0].certainty, Certainty::Undecided(_)));
}

#[test]
fn policies_that_are_not_known() {
    let with = |mut holdings: Holdings, more: &str| {
        holdings.identity.push(unread(more));
        holdings
    };
    let (plain, nothing) = (holds(&allow("s:*", "*")), BTreeSet::new());
    let found = beyond(&with(plain.clone(), "x"), &plain, &nothing);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].permission.actions, set(["whatever x gives"]));
    assert!(
        matches!(&found[0].certainty, Certainty::Undecided(why) if why == "what x allows isn't known here")
    );
    // It may have denied something.
    let found = beyond(&plain, &with(plain.clone(), "x"), &nothing);
    assert_eq!(found.len(), 1);
    assert!(
        matches!(&found[0].certainty, Certainty::Undecided(why) if why == "what x denies isn't known here")
    );
    assert_eq!(
        beyond(
            &with(plain.clone(), "x"),
            &with(plain.clone(), "x"),
            &nothing
        ),
        []
    );
    let less = holds(&allow("s:GA", "*"));
    assert_eq!(
        beyond(
            &with(less.clone(), "x"),
            &with(plain.clone(), "x"),
            &nothing
        ),
        []
    );
    let found = beyond(&with(plain, "x"), &with(less, "x"), &nothing);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        matches!(&found[0].certainty, Certainty::Undecided(why) if why == "what x allows isn't known here")
    );
}

#[test]
fn boundaries() {
    let bounded = |own: &str, boundary: &str| Holdings {
        boundary: Some(policy("b", boundary)),
        ..holds(own)
    };
    let nothing = BTreeSet::new();
    let all = allow("s:*", "*");
    let get = allow("s:G*", "*");
    assert_eq!(beyond(&bounded(&all, &get), &holds(&get), &nothing), []);
    assert_eq!(
        beyond(&bounded(&get, &all), &bounded(&all, &get), &nothing),
        []
    );
    let found = beyond(&holds(&all), &bounded(&all, &get), &nothing);
    assert_eq!(found[0].permission.actions, set(["s:*"]));
    let found = beyond(&bounded(&all, &all), &bounded(&all, &get), &nothing);
    assert_eq!(found[0].permission.actions, set(["s:*"]));
    let sessions = Holdings {
        session: Some(vec![policy("s", &get)]),
        ..holds(&all)
    };
    assert_eq!(beyond(&sessions, &holds(&get), &nothing), []);
}

/// As large as a role's policies can be, and compared within the time that a plan may take.
#[test]
fn large_policies_are_compared_in_full() {
    let many = |last: usize| -> String {
        let statement = |number: usize| {
            allow(
                &format!("s3:Get* s3:List{number}* sqs:*{number} dynamodb:Put{number}"),
                &format!(
                    "arn:aws:s3:::bucket-{number} arn:aws:s3:::bucket-{number}/* arn:aws:sqs:eu-west-1:111122223333:q{number}*"
                ),
            )
        };
        (0..last).map(statement).collect::<Vec<_>>().join(",")
    };
    let started = std::time::Instant::now();
    assert_eq!(compare(&many(40), &many(40)), []);
    assert_eq!(compare(&many(39), &many(40)), []);
    let found = compare(&many(40), &many(39));
    assert!(
        found.iter().all(|one| one.certainty == Certainty::Surely),
        "{found:#?}"
    );
    assert!(!found.is_empty());
    println!("{:?}", started.elapsed());
    // Wildcards that may each take what follows the others multiply: that is said, not waited for.
    let wide = |number: usize| allow("s3:Get*", &format!("arn:aws:s3:*:*:q{number}*z*"));
    let all: Vec<String> = (0..30).map(wide).collect();
    let found = compare(&all.join(","), &all[..29].join(","));
    assert_eq!(found.len(), 1);
    assert!(
        matches!(&found[0].certainty, Certainty::Undecided(why) if why.contains("too many ways"))
    );
    println!("{:?}", started.elapsed());
}

/// What stays, or has nothing to do with what is new, makes no walk too long.
#[test]
fn what_stays_is_not_walked() {
    let wide = |number: usize| allow("s3:Get*", &format!("arn:aws:s3:*:*:q{number}*z*"));
    let all: Vec<String> = (0..30).map(wide).collect();
    let (all, less) = (all.join(","), all[..29].join(","));
    assert_eq!(compare(&less, &all), []);
    assert_eq!(compare(&all, &all.replace("s3:Get", "s3:")), []);
    let bounded = |own: &str| Holdings {
        boundary: Some(policy("b", &allow("s3:*", "*"))),
        ..holds(own)
    };
    assert_eq!(
        beyond(&bounded(&less), &bounded(&all), &BTreeSet::new()),
        []
    );
    let (.., certainty) = one(&allow("s3:Get*", "arn:aws:s3:::a"), &all);
    assert_eq!(certainty, Certainty::Surely);
}

#[test]
fn one_walk_that_is_cut_is_enough() {
    let walked = |is_cut: bool| Places {
        is_cut,
        ..Places::default()
    };
    for (one, other) in [(false, false), (false, true), (true, false)] {
        let mut both = walked(one);
        both.extend(walked(other));
        assert_eq!(both.is_cut, one || other);
    }
}

#[test]
fn keys_that_changed() {
    let tagged = holds(&allow_if(
        "s:GA",
        "*",
        r#""StringEquals":{"aws:PrincipalTag/t":"a"}"#,
    ));
    let changed = set(["aws:principaltag/t"]);
    assert_eq!(beyond(&tagged, &tagged, &BTreeSet::new()), []);
    let found = beyond(&tagged, &tagged, &changed);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].certainty,
        Certainty::Looser("without aws:principaltag/t is a".to_owned())
    );
    let own = holds(&allow("s:GA", "arn:aws:s:::${aws:PrincipalTag/t}"));
    assert_eq!(beyond(&own, &own, &changed).len(), 1);
    assert_eq!(beyond(&own, &own, &set(["aws:principaltag/u"])), []);
}

fn is_allowed(
    holdings: &Holdings,
    request: &(&str, &str, super::super::condition::Context),
) -> Option<bool> {
    let (action, resource, context) = request;
    match holdings.decide(&Request {
        action,
        resource,
        context: context.clone(),
    }) {
        Decision::Allowed(_) => Some(true),
        Decision::DeniedBy(_) | Decision::NotAllowed(_) => Some(false),
        Decision::Depends { .. } => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What one allows and the other doesn't is found, whatever it is.
    #[test]
    fn no_excess_is_missed(
        over in any_holdings(),
        under in any_holdings(),
        requests in proptest::collection::vec(any_request(), 60),
    ) {
        let found = beyond(&over, &under, &BTreeSet::new());
        for request in &requests {
            if is_allowed(&over, request) == Some(true) && is_allowed(&under, request) == Some(false) {
                prop_assert!(!found.is_empty(), "{request:?}");
            }
        }
    }

    /// A policy that lost statements that allow, or got some that deny, allows no more.
    #[test]
    fn what_narrows_is_no_excess(all in any_statements(), at in 0usize..4, more in any_statement()) {
        let mut less = all.clone();
        if at < less.len() && less[at].contains("\"Allow\"") {
            less.remove(at);
        }
        if more.contains("\"Deny\"") {
            less.push(more);
        }
        let found = compare(&less.join(","), &all.join(","));
        prop_assert_eq!(found, []);
    }

    /// The order of statements, and which policy has them, makes no difference.
    #[test]
    fn the_same_in_parts_is_no_excess(all in any_statements()) {
        let whole = holds(&all.join(","));
        let parts = Holdings {
            identity: all.iter().map(|one| policy("q", one)).collect(),
            ..Holdings::default()
        };
        prop_assert_eq!(beyond(&whole, &parts, &BTreeSet::new()), []);
        prop_assert_eq!(beyond(&parts, &whole, &BTreeSet::new()), []);
    }
}
