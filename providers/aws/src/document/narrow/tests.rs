use proptest::prelude::*;

use super::super::Effect;
use super::{contains, narrows};

/// A policy of these statements, each without its braces.
fn policy(statements: &[&str]) -> String {
    let all: Vec<_> = statements.iter().map(|one| format!("{{{one}}}")).collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        all.join(",")
    )
}

fn allow(action: &str, resource: &str) -> String {
    format!(r#""Effect":"Allow","Action":{action},"Resource":{resource}"#)
}

#[test]
fn what_takes_away_narrows() {
    let one = allow("[\"s3:Get*\",\"sqs:SendMessage\"]", "\"arn:aws:s3:::a/*\"");
    let fewer = allow("\"S3:getObject\"", "\"arn:aws:s3:::a/b*\"");
    let everything = allow("\"*\"", "\"*\"");
    let deny = r#""Effect":"Deny","Action":"iam:*","Resource":"*""#;
    let small_deny = r#""Effect":"Deny","Action":"iam:Get*","Resource":"*","Condition":{"Bool":{"aws:a":"true"}}"#;
    let not = r#""Effect":"Allow","NotAction":"iam:*","Resource":"*""#;
    let not_more = r#""Effect":"Allow","NotAction":["iam:*","s3:*"],"Resource":"*""#;
    for (before, after) in [
        (vec![one.as_str()], vec![one.as_str()]),
        (vec![&one], vec![&fewer]),
        (vec![&one, &everything], vec![&one]),
        (vec![&everything], vec![&one, &fewer, not]),
        (vec![&one], vec![&one, deny]),
        (vec![&one, small_deny], vec![&one, deny]),
        (vec![not], vec![not_more]),
    ] {
        let (before, after) = (policy(&before), policy(&after));
        assert!(narrows(&before, &after), "{before}\n{after}");
        assert_eq!(
            narrows(&after, &before),
            before == after,
            "{before}\n{after}"
        );
    }
}

#[test]
fn conditions_narrow_by_their_sense() {
    let with = |operator: &str, values: &str| {
        let base = allow("\"s3:*\"", "\"*\"");
        policy(&[&format!(
            r#"{base},"Condition":{{"{operator}":{{"aws:A":{values}}}}}"#
        )])
    };
    let bare = policy(&[&allow("\"s3:*\"", "\"*\"")]);
    for operator in [
        "StringEquals",
        "ForAnyValue:StringLike",
        "IpAddressIfExists",
    ] {
        let (one, two) = (with(operator, "\"x\""), with(operator, "[\"x\",\"y\"]"));
        assert!(narrows(&two, &one) && !narrows(&one, &two), "{operator}");
        assert!(narrows(&bare, &one) && !narrows(&one, &bare), "{operator}");
    }
    for operator in ["StringNotEquals", "NotIpAddress", "ForAllValues:ArnNotLike"] {
        let (one, two) = (with(operator, "\"x\""), with(operator, "[\"x\",\"y\"]"));
        assert!(narrows(&one, &two) && !narrows(&two, &one), "{operator}");
    }
    let null = with("Null", "[\"true\",\"false\"]");
    assert!(!narrows(&null, &with("Null", "\"true\"")));
    assert!(!narrows(
        &with("StringLike", "\"x\""),
        &with("StringEquals", "\"x\"")
    ));
}

#[test]
fn principals_narrow_by_name() {
    let trust = |principal: &str| {
        policy(&[&format!(
            r#""Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole""#
        )])
    };
    let one = trust(r#"{"AWS":"arn:aws:iam::123456789012:role/x"}"#);
    let two = trust(r#"{"AWS":["arn:aws:iam::123456789012:role/x","123456789012"]}"#);
    let root = trust(r#"{"AWS":"arn:aws:iam::123456789012:root"}"#);
    let service = trust(r#"{"Service":"ec2.amazonaws.com"}"#);
    let all = trust("\"*\"");
    assert!(narrows(&two, &one) && !narrows(&one, &two));
    assert!(narrows(&two, &root));
    assert!(narrows(&all, &two) && !narrows(&two, &all));
    // Named itself, a role needs no leave of its account.
    assert!(!narrows(&root, &one));
    assert!(!narrows(&all, &service));
    assert!(!narrows(
        &one,
        &policy(&[&allow("\"sts:AssumeRole\"", "\"*\"")])
    ));
    let but = |who: &str| {
        one.replace(
            "\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:role/x\"}",
            who,
        )
    };
    let but_one = but(r#""NotPrincipal":{"AWS":"a"}"#);
    let but_two = but(r#""NotPrincipal":{"AWS":["a","b"]}"#);
    assert_ne!(but_one, one);
    assert!(narrows(&but_one, &but_two) && !narrows(&but_two, &but_one));
    let services = trust(r#"{"Service":"*"}"#);
    assert!(!narrows(&services, &service) && !narrows(&but_one, &but(r#""NotPrincipal":"*""#)));
    // All others but everybody is nobody, which is no reason to think it covers somebody.
    assert!(!narrows(&but(r#""NotPrincipal":"*""#), &but_one));
}

#[test]
fn a_policy_that_is_not_there_allows_nothing() {
    let some = policy(&[&allow("\"s3:*\"", "\"*\"")]);
    let deny = policy(&[r#""Effect":"Deny","Action":"s3:*","Resource":"*""#]);
    assert!(narrows(&some, "") && !narrows("", &some));
    assert!(narrows("", &deny) && !narrows(&deny, ""));
    assert!(narrows("", "") && !narrows("{", &some) && !narrows(&some, "{"));
}

#[test]
fn a_variable_in_the_older_language_is_text() {
    let modern = policy(&[&allow("\"s3:*\"", "\"arn:aws:s3:::${aws:username}/*\"")]);
    let older = modern.replace("2012", "2008");
    assert!(!narrows(&modern, &older) && !narrows(&older, &modern));
    let plain = policy(&[&allow("\"s3:*\"", "\"*\"")]);
    assert!(narrows(&plain.replace("2012", "2008"), &plain));
    assert!(narrows(&plain, &modern));
}

#[test]
fn a_long_text_is_not_weighed() {
    let long = format!("\"arn:aws:s3:::{}\"", "a".repeat(super::RESOURCE_SIZE_MAX));
    let (short, long) = (
        policy(&[&allow("\"s3:*\"", "\"*\"")]),
        policy(&[&allow("\"s3:*\"", &long)]),
    );
    assert!(!narrows(&short, &long));
}

#[test]
fn patterns_contain_part_by_part() {
    for (wide, narrow) in [
        ("*", "arn:aws:s3:::a"),
        ("*", "*"),
        ("arn:aws:s3:::*", "arn:aws:s3:::a:b/c?*"),
        ("arn:aws:s3:::a*c", "arn:aws:s3:::abc*c"),
        ("arn:aws:sqs:*:1:*", "arn:aws:sqs:eu:1:a"),
        ("a?*", "a?b*"),
        ("a**", "a*b*"),
        ("*/${x:y}", "a/${x:y}"),
        ("a*", "a${x:y}"),
        ("*a*b*", "aab"),
        ("a:b*", "a:b:c"),
    ] {
        assert!(contains(wide, narrow), "{wide} {narrow}");
    }
    for (wide, narrow) in [
        ("a", "*"),
        ("a?", "a*"),
        ("a?", "a"),
        ("?", "${x:y}"),
        // The same unless a `*` in the middle keeps to its part.
        ("a*?", "a?*"),
        ("${x:y}", "${x:z}"),
        ("*b", "${x:y}b"),
        ("arn:aws:sqs:*:1:a", "arn:aws:sqs:eu:2:b:1:a"),
        ("a*b", "a:b"),
        ("a:b", "a"),
        ("a*b*", "ac:db"),
        ("A", "a"),
    ] {
        assert!(!contains(wide, narrow), "{wide} {narrow}");
    }
}

// ---- against an evaluator that tries every request

/// A statement in the small world.
#[derive(Clone, Debug)]
struct Rule {
    effect: Effect,
    principals: Vec<&'static str>,
    all_but_principals: bool,
    actions: Vec<&'static str>,
    all_but_actions: bool,
    resources: Vec<&'static str>,
    all_but_resources: bool,
    conditions: Vec<(&'static str, Vec<&'static str>)>,
}

struct Request<'a> {
    principal: &'a str,
    action: &'a str,
    resource: &'a str,
    /// The values of the one condition key; none is a key that isn't there.
    values: &'a [&'a str],
    /// What the one variable holds.
    variable: &'a str,
    /// Whether a `?`, and a `*` that isn't at the end of a part, reach across colons.
    spans: bool,
}

const PRINCIPALS: &[&str] = &["p", "q"];
const ACTIONS: &[&str] = &["s:a", "s:b", "s:ab", "s:ba", "t:a"];
const RESOURCES: &[&str] = &["a", "b", "ab", "aa", "ba", "a:b", "a:a:b", "aab", ""];
const VALUES: &[&[&str]] = &[&[], &["x"], &["y"], &["x", "y"], &["z"]];
const VARIABLES: &[&str] = &["a", "b", "a:b"];

const ACTION_PATTERNS: &[&str] = &["*", "s:*", "s:a", "s:A*", "s:?", "t:a", "s:*b"];
const RESOURCE_PATTERNS: &[&str] = &[
    "*", "a", "a*", "*b", "a*b", "?", "??", "a:*", "a:b", "a*:b", "${v:v}", "${v:v}*", "*${v:v}",
    "a*?",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIfExists",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringNotEquals",
    "Null",
];

/// Whether `pattern` matches, tried in every way.
fn matches(pattern: &[char], text: &[char], spans: bool) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => {
            let over_colons = spans || rest.is_empty() || rest.first() == Some(&':');
            (0..=text.len())
                .take_while(|taken| over_colons || !text[..*taken].contains(&':'))
                .any(|taken| matches(rest, &text[taken..], spans))
        }
        Some((c, rest)) => text.split_first().is_some_and(|(first, text)| {
            let wild = *c == '?' && (spans || *first != ':');
            (wild || c == first) && matches(rest, text, spans)
        }),
    }
}

fn any_matches(patterns: &[&str], text: &str, request: &Request<'_>) -> bool {
    patterns.iter().any(|pattern| {
        let pattern: Vec<char> = pattern
            .replace("${v:v}", request.variable)
            .chars()
            .collect();
        let text: Vec<char> = text.chars().collect();
        matches(&pattern, &text, request.spans)
    })
}

fn holds(operator: &str, values: &[&str], request: &Request<'_>) -> bool {
    let is = |one: &&str| values.contains(one);
    let has = request.values;
    match operator {
        "StringEquals" => has.iter().any(is),
        "StringNotEquals" => !has.iter().any(is),
        "StringEqualsIfExists" => has.is_empty() || has.iter().any(is),
        "ForAllValues:StringEquals" => has.iter().all(is),
        "ForAnyValue:StringNotEquals" => has.iter().any(|one| !is(one)),
        "Null" => values.contains(&if has.is_empty() { "true" } else { "false" }),
        other => panic!("{other}"),
    }
}

impl Rule {
    fn applies(&self, request: &Request<'_>) -> bool {
        let lower: Vec<String> = self.actions.iter().map(|a| a.to_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let named = self.principals.contains(&"*") || self.principals.contains(&request.principal);
        named != self.all_but_principals
            && any_matches(&lower, request.action, request) != self.all_but_actions
            && any_matches(&self.resources, request.resource, request) != self.all_but_resources
            && self
                .conditions
                .iter()
                .all(|(operator, values)| holds(operator, values, request))
    }

    fn text(&self) -> String {
        let list = |all: &[&str]| serde_json::to_string(all).unwrap();
        let not = |no: bool| if no { "Not" } else { "" };
        let conditions: Vec<_> = self
            .conditions
            .iter()
            .map(|(operator, values)| format!(r#""{operator}":{{"aws:K":{}}}"#, list(values)))
            .collect();
        format!(
            r#""Effect":"{}","{}Principal":{{"AWS":{}}},"{}Action":{},"{}Resource":{},"Condition":{{{}}}"#,
            self.effect.as_str(),
            not(self.all_but_principals),
            list(&self.principals),
            not(self.all_but_actions),
            list(&self.actions),
            not(self.all_but_resources),
            list(&self.resources),
            conditions.join(",")
        )
    }
}

fn text_of(rules: &[Rule]) -> String {
    let texts: Vec<String> = rules.iter().map(Rule::text).collect();
    policy(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn allows(rules: &[Rule], request: &Request<'_>) -> bool {
    let any = |effect| {
        rules
            .iter()
            .any(|rule| rule.effect == effect && rule.applies(request))
    };
    any(Effect::Allow) && !any(Effect::Deny)
}

/// A request that `after` allows and `before` doesn't.
fn widened(before: &[Rule], after: &[Rule]) -> Option<String> {
    for principal in PRINCIPALS {
        for action in ACTIONS {
            for resource in RESOURCES {
                for values in VALUES {
                    for variable in VARIABLES {
                        for spans in [true, false] {
                            let request = Request {
                                principal,
                                action,
                                resource,
                                values,
                                variable,
                                spans,
                            };
                            if allows(after, &request) && !allows(before, &request) {
                                return Some(format!(
                                    "{principal} {action} {resource} {values:?} {variable} {spans}"
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    None
}

fn some(all: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::btree_set(prop::sample::select(all), 1..3)
        .prop_map(|set| set.into_iter().collect())
}

fn rule() -> impl Strategy<Value = Rule> {
    let seldom = || prop::bool::weighted(0.2);
    let condition = prop::sample::select(OPERATORS).prop_flat_map(|operator| {
        let values: &'static [&'static str] = match operator {
            "Null" => &["true", "false"],
            _ => &["x", "y", "z"],
        };
        (Just(operator), some(values))
    });
    (
        prop_oneof![3 => Just(Effect::Allow), 1 => Just(Effect::Deny)],
        (some(&["p", "q", "*"]), seldom()),
        (some(ACTION_PATTERNS), seldom()),
        (some(RESOURCE_PATTERNS), seldom()),
        prop::option::weighted(0.4, condition),
    )
        .prop_map(|(effect, principals, actions, resources, condition)| Rule {
            effect,
            principals: principals.0,
            all_but_principals: principals.1,
            actions: actions.0,
            all_but_actions: actions.1,
            resources: resources.0,
            all_but_resources: resources.1,
            conditions: condition.into_iter().collect(),
        })
}

/// Rules and the same after one small change of one of them.
fn before_and_after() -> impl Strategy<Value = (Vec<Rule>, Vec<Rule>)> {
    let rules = prop::collection::vec(rule(), 1..4);
    (rules, rule(), any::<prop::sample::Index>(), 0..7).prop_map(|(before, new, at, change)| {
        let mut after = before.clone();
        let at = at.index(after.len());
        let rule = &mut after[at];
        match change {
            0 => rule.actions = new.actions,
            1 => rule.resources = new.resources,
            2 => rule.principals = new.principals,
            3 => rule.conditions = new.conditions,
            4 => rule.effect = new.effect,
            5 => after.push(new),
            _ => {
                after.remove(at);
            }
        }
        (before, after)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_narrows_allows_nothing_new((before, after) in before_and_after()) {
        let or_nothing = |rules: &[Rule]| match rules {
            [] => String::new(),
            rules => text_of(rules),
        };
        let (one, other) = (or_nothing(&before), or_nothing(&after));
        for (before, after, one, other) in [
            (&before, &after, &one, &other),
            (&after, &before, &other, &one),
        ] {
            if narrows(one, other) {
                prop_assert_eq!(widened(before, after), None, "{}\n{}", one, other);
            }
        }
    }

    #[test]
    fn plain_narrowing_is_recognised(
        before in prop::collection::vec(rule(), 1..4),
        more in rule(),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(before.len());
        let text = text_of(&before);
        let denies = |mut rule: Rule| { rule.effect = Effect::Deny; rule };
        let mut added = before.clone();
        added.push(denies(more.clone()));
        prop_assert!(narrows(&text, &text_of(&added)));
        if before[at].effect == Effect::Allow {
            let mut less = before.clone();
            less.remove(at);
            let less = match less.as_slice() {
                [] => String::new(),
                less => text_of(less),
            };
            prop_assert!(narrows(&text, &less));
            let mut fewer = before.clone();
            if !fewer[at].all_but_actions && fewer[at].actions.len() > 1 {
                fewer[at].actions.pop();
            }
            if fewer[at].conditions.is_empty() {
                fewer[at].conditions.clone_from(&more.conditions);
            }
            prop_assert!(narrows(&text, &text_of(&fewer)));
        }
    }

    #[test]
    fn a_pattern_that_is_within_matches_no_more(
        wide in "[ab*?:]{0,6}",
        narrow in "[ab*?:]{0,6}",
        text in "[ab:]{0,6}",
        spans in any::<bool>(),
    ) {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        if contains(&wide, &narrow) && matches(&chars(&narrow), &chars(&text), spans) {
            prop_assert!(matches(&chars(&wide), &chars(&text), spans), "{wide} {narrow} {text}");
        }
    }

    #[test]
    fn a_pattern_is_within_itself(pattern in "([ab*?:]|\\$\\{v:v\\}){0,8}") {
        prop_assert!(contains(&pattern, &pattern));
        prop_assert!(contains("*", &pattern));
    }
}
