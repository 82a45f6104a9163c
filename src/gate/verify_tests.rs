//! Which signatures meet which requirements, and what is said of those that lack some.

use std::collections::BTreeSet;

use super::Requirement;
use super::changes::{People, Person};
use super::signature::NAMESPACE;
use super::signature_tests::{MESSAGE, ed25519, signed as sign};
use super::verify::{Signatures, diagnostics, missing, shown, unmeetable_warnings, verify};
use crate::model::ApproverKey;

fn key(number: u8) -> ApproverKey {
    ApproverKey {
        text: format!("ssh-ed25519 key-{number}"),
        fingerprint: format!("SHA256:{number}"),
        comment: String::new(),
    }
}

fn signed(numbers: &[u8]) -> Signatures {
    Signatures {
        by: numbers.iter().map(|n| (key(*n).text, key(*n))).collect(),
        refused: Vec::new(),
    }
}

fn requirement(required: u32, approvers: &[u8]) -> Requirement {
    Requirement {
        loosens: false,
        why: format!("{required} of {approvers:?}"),
        required,
        approvers: approvers.iter().map(|n| key(*n).text).collect(),
    }
}

#[test]
fn each_requirement_is_looked_at_on_its_own() {
    let two = requirement(2, &[1, 2, 3]);
    let other = requirement(1, &[3, 4]);
    let all = [two.clone(), other.clone()];
    // One signature counts for both.
    let by = verify(&all, &signed(&[1, 3])).unwrap();
    assert_eq!(by, BTreeSet::from(["SHA256:1".into(), "SHA256:3".into()]));
    let missing = verify(&all, &signed(&[1, 2])).unwrap_err();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].requirement, other);
    let missing = verify(&all, &signed(&[3, 9])).unwrap_err();
    assert_eq!(missing.len(), 1);
    assert_eq!(
        (missing[0].requirement.clone(), missing[0].more()),
        (two, 1)
    );
    assert!(verify(&[], &Signatures::default()).unwrap().is_empty());
}

#[test]
fn who_is_not_asked_is_no_evidence() {
    let by = verify(&[requirement(1, &[1])], &signed(&[1, 9])).unwrap();
    assert_eq!(by, BTreeSet::from(["SHA256:1".into()]));
}

#[test]
fn one_approver_listed_twice_is_one() {
    let twice = requirement(2, &[1, 1]);
    let missing = verify(std::slice::from_ref(&twice), &signed(&[1])).unwrap_err();
    assert_eq!(missing[0].more(), 1);
    assert_eq!(unmeetable_warnings(&[twice]).len(), 1);
    assert_eq!(unmeetable_warnings(&[requirement(1, &[1])]).len(), 0);
    let help = unmeetable_warnings(&[requirement(1, &[])]).remove(0).help;
    assert!(help.unwrap().contains("`approvers`"));
}

#[test]
fn who_signed_is_told_from_what_counts_for_nothing() {
    let [one, two] = [1, 2].map(|seed| sign(&ed25519(seed), NAMESPACE, MESSAGE));
    let other = sign(&ed25519(3), "file", MESSAGE);
    let files = [("a", &one), ("b", &other), ("c", &two), ("d", &one)];
    let found = Signatures::check(MESSAGE, files.map(|(name, text)| (name, text.as_bytes())));
    let keys: Vec<String> = [1, 2]
        .map(|seed| ed25519(seed).public_key().to_openssh().unwrap())
        .map(|line| line.trim_end_matches(" approver-1").to_owned())
        .into();
    assert_eq!(
        found.by.keys().collect::<BTreeSet<_>>(),
        keys.iter().collect()
    );
    let refused: Vec<&str> = found
        .refused
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(refused, ["b"]);
}

#[test]
fn a_key_is_shown_with_its_comment() {
    let line = ed25519(1).public_key().to_openssh().unwrap();
    let key = line.trim_end_matches(" approver-1");
    let somebody = Person {
        comment: "somebody".to_owned(),
        ..Person::default()
    };
    let people = People::from([(key.to_owned(), somebody)]);
    let named = shown(key, &people);
    assert!(
        named.starts_with("SHA256:") && named.contains("somebody"),
        "{named}"
    );
    let bare = shown(key, &People::new());
    assert!(
        bare.starts_with("SHA256:") && !bare.contains("somebody"),
        "{bare}"
    );
    assert_eq!(shown("no key", &people), "a key that can't be read");
}

/// What is said of a requirement, as (detail, help).
fn told(required: u32, approvers: &[u8], by: &[u8], plan: Option<&str>) -> (String, String) {
    let one = [requirement(required, approvers)];
    let lacking = missing(&one, &signed(by));
    let mut found = diagnostics(&lacking, &People::new(), plan);
    assert_eq!(found.len(), 1);
    let found = found.remove(0);
    assert_eq!(found.summary, "plan is not approved");
    (found.detail, found.help.unwrap())
}

#[test]
fn what_is_missing_is_told_with_how_to_give_it() {
    let (detail, help) = told(2, &[1, 2, 3], &[], Some("p"));
    assert_eq!(detail, "2 of [1, 2, 3]: 2 more approvals are missing");
    assert!(help.starts_with("remit approve p\nby one of\n"), "{help}");
    assert_eq!(help.lines().count(), 5, "{help}");
    // Who signed isn't asked again.
    let (detail, help) = told(2, &[1, 2, 3], &[2], Some("p"));
    assert_eq!(detail, "2 of [1, 2, 3]: 1 more approval is missing");
    assert_eq!(help.lines().count(), 4, "{help}");
    // All of them, and one too few.
    assert!(
        told(2, &[1, 2], &[], Some("p"))
            .1
            .starts_with("remit approve p")
    );
    let (_, help) = told(3, &[1, 2], &[], Some("p"));
    assert!(help.starts_with("it takes 3 and 2 could sign"), "{help}");
    let (_, help) = told(1, &[1], &[], None);
    assert!(help.starts_with("save the plan"), "{help}");
}
