use proptest::prelude::*;

use super::*;

fn wild(text: &str) -> Pattern {
    Pattern::wild(text, Version::V2012)
}

fn nothing(_: &str) -> Filled {
    Filled::Absent
}

#[test]
fn wildcards() {
    let all = [
        ("*", "", true),
        ("*", "anything:at/all", true),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a*c", "ac", true),
        ("a*c", "abcbc", true),
        ("a*c", "abcb", false),
        ("a**", "a", true),
        ("A", "a", false),
        ("*.txt", "a.txt.txt", true),
        ("a", "ab", false),
        ("?", "é", true),
    ];
    for (pattern, text, expected) in all {
        let expected = if expected { Match::Yes } else { Match::No };
        assert_eq!(
            wild(pattern).matches(text, &nothing),
            expected,
            "{pattern} {text}"
        );
    }
}

#[test]
fn actions_count_without_case_and_have_no_variables() {
    let action = Pattern::action("S3:Get*");
    assert_eq!(action.text, "S3:Get*");
    assert_eq!(action.matches("s3:getobject", &nothing), Match::Yes);
    assert!(!Pattern::action("s3:${a}").has_variables());
}

#[test]
fn variables() {
    let value = |key: &str| match key {
        "aws:username" => Filled::Text("a*".to_owned()),
        "aws:principaltag/x" => Filled::Unknown,
        _ => Filled::Absent,
    };
    let yes = |pattern: &str, text: &str| wild(pattern).matches(text, &value);
    assert_eq!(yes("home/${aws:UserName}/*", "home/a*/k"), Match::Yes);
    assert_eq!(yes("home/${aws:username}/*", "home/ab/k"), Match::No);
    assert_eq!(yes("${none}", ""), Match::No);
    assert_eq!(yes("${none, 'd'}", "d"), Match::Yes);
    assert_eq!(yes("${aws:username, 'd'}", "d"), Match::No);
    assert_eq!(yes("a${*}${?}${$}", "a*?$"), Match::Yes);
    assert_eq!(yes("a${*}", "ab"), Match::No);
    assert_eq!(yes("${", "${"), Match::Yes);
    let unknown = BTreeSet::from(["aws:principaltag/x".to_owned()]);
    assert_eq!(yes("t/${aws:PrincipalTag/x}", "t/q"), Match::Maybe(unknown));
    assert_eq!(yes("t/${aws:PrincipalTag/x}", "u/q"), Match::No);
    // Plain text in the older language.
    let old = Pattern::wild("${aws:username}", Version::V2008);
    assert_eq!(old.matches("${aws:username}", &value), Match::Yes);
    let plain = Pattern::plain("a*?${*}", Version::V2012);
    assert_eq!(plain.literal().as_deref(), Some("a*?*"));
    assert!(plain.is_literal());
    assert_eq!(wild("a*").literal(), None);
    assert!(!wild("a?").is_literal());
}

#[test]
fn containment() {
    for (wide, narrow) in [
        ("*", "a*b?"),
        ("a*", "ab"),
        ("a*", "a*b"),
        ("a?", "ab"),
        ("a?", "a?"),
        ("a*c", "a*b*c"),
        ("a/${v}/*", "a/${v}/b"),
        ("a/*", "a/${v}"),
        ("a*", "a"),
    ] {
        assert!(wild(wide).contains(&wild(narrow)), "{wide} {narrow}");
        assert!(
            wide == narrow || !wild(narrow).contains(&wild(wide)),
            "{narrow} {wide}"
        );
    }
    assert!(!wild("a/${v}").contains(&wild("a/${w}")));
    assert!(!wild("?").contains(&wild("*")));
    assert!(!wild("a/?").contains(&wild("a/${v}")));
}

#[test]
fn overlap() {
    assert!(wild("a*").overlaps(&wild("*b")));
    assert!(!wild("a*").overlaps(&wild("b*")));
    assert!(wild("a${v}").overlaps(&wild("ab")));
    assert!(!wild("s3:get?").overlaps(&wild("s3:get")));
}

#[test]
fn reach() {
    let within = |pattern: &str, text: &str| wild(pattern).matches_within_segments(text);
    assert!(within("a:b*", "a:bc"));
    assert!(within("a:b*", "a:bc:d"));
    assert!(within("a:*:d", "a:b:c:d"));
    assert!(!within("a:b*c", "a:b:c"));
    assert!(within("a:b*c", "a:bbc"));
    assert!(!within("a?b", "a:b"));
    assert!(within("a${v}b", "a:b"));
    assert!(wild("a?").is_ambiguous());
    assert!(wild("a*b").is_ambiguous());
    assert!(!wild("a*:b:*").is_ambiguous());
}

#[test]
fn signatures_tell_every_way() {
    let patterns = [wild("a*"), wild("*b"), wild("ab"), wild("c")];
    let all: Vec<&Pattern> = patterns.iter().collect();
    let found = signatures(&all, Reach::Across, None).unwrap();
    let sets: BTreeSet<Vec<usize>> = found
        .keys()
        .map(|one| one.iter().copied().collect())
        .collect();
    let expected = [vec![], vec![0], vec![1], vec![0, 1], vec![0, 1, 2], vec![3]];
    assert_eq!(sets, BTreeSet::from(expected));
    for (matched, text) in &found {
        for (number, pattern) in patterns.iter().enumerate() {
            let expected = if matched.contains(&number) {
                Match::Yes
            } else {
                Match::No
            };
            assert_eq!(pattern.matches(text, &nothing), expected);
        }
    }
}

#[test]
fn too_many_ways_are_not_walked() {
    let texts: Vec<Pattern> = (0..14)
        .map(|n| wild(&format!("*{}*", char::from(b'a' + n)).repeat(3)))
        .collect();
    let all: Vec<&Pattern> = texts.iter().collect();
    assert_eq!(signatures(&all, Reach::Across, None), None);
}

fn any_pattern() -> impl Strategy<Value = String> {
    "[ab:*?]{0,6}"
}

proptest! {
    #[test]
    fn contained_patterns_match_no_more(wide in any_pattern(), narrow in any_pattern(), text in "[ab:]{0,7}") {
        let (wide, narrow) = (wild(&wide), wild(&narrow));
        if wide.contains(&narrow) && narrow.matches(&text, &nothing) == Match::Yes {
            prop_assert_eq!(wide.matches(&text, &nothing), Match::Yes);
        }
    }

    #[test]
    fn overlap_is_a_text_that_both_match(one in any_pattern(), two in any_pattern()) {
        let (one, two) = (wild(&one), wild(&two));
        let found = signatures(&[&one, &two], Reach::Across, None).unwrap();
        let both_empty = one.matches("", &nothing) == Match::Yes && two.matches("", &nothing) == Match::Yes;
        let together = both_empty || found.keys().any(|matched| matched.len() == 2);
        prop_assert_eq!(one.overlaps(&two), together);
    }

    #[test]
    fn each_text_has_a_signature(patterns in proptest::collection::vec(any_pattern(), 1..4), text in "[ab:]{1,7}") {
        let patterns: Vec<Pattern> = patterns.iter().map(|one| wild(one)).collect();
        let all: Vec<&Pattern> = patterns.iter().collect();
        for reach in [Reach::Across, Reach::Segment] {
            let found = signatures(&all, reach, None).unwrap();
            let own = signatures(&all, reach, Some(&text)).unwrap();
            for matched in own.keys() {
                prop_assert!(found.contains_key(matched));
            }
        }
        let own = signatures(&all, Reach::Across, Some(&text)).unwrap();
        let expected: BTreeSet<usize> = patterns
            .iter()
            .enumerate()
            .filter(|(_, pattern)| pattern.matches(&text, &nothing) == Match::Yes)
            .map(|(number, _)| number)
            .collect();
        prop_assert!(own.contains_key(&expected));
    }

    #[test]
    fn within_segments_is_less(pattern in any_pattern(), text in "[ab:]{0,7}") {
        let pattern = wild(&pattern);
        if pattern.matches_within_segments(&text) {
            prop_assert_eq!(pattern.matches(&text, &nothing), Match::Yes);
        }
        if !pattern.is_ambiguous() && pattern.matches(&text, &nothing) == Match::Yes {
            prop_assert!(pattern.matches_within_segments(&text));
        }
    }
}
