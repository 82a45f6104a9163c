//! The evaluator of IAM policies against another one, written by others: what one says, the other
//! does.
//!
//! Random policies in three layers over few actions, resources and condition keys, so that they
//! meet; requests of which everything is known. The other one is `iam-simulate`, which
//! `tests/install iam` installs; it is asked once for all cases. `REMIT_SWEEP=long` asks for much
//! more; a failure prints the seed, which `REMIT_SEED` takes.
//!
//! Where the other one doesn't do what AWS's documentation says, it is asked in other words that
//! mean the same ([`words`]), each with the page; what the documentation leaves open is a [`Known`]
//! difference. Everything else is a failure.

mod cases;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use remit_aws::access::decide::{Decision, Request};
use serde_json::Value as Json;

use crate::capabilities::{Random, rounds};
use cases::Case;

/// How many cases are asked: in the short form, and in the long one.
const CASES: (u64, u64) = (12_000, 200_000);

/// How many are asked at once.
const BATCH: u64 = 20_000;

/// How many unexplained differences are shown, the shortest first.
const SHOWN: usize = 20;

/// A difference that AWS's documentation leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    /// `ForAnyValue:…IfExists` where the request lacks the key: the pages of the set operators and
    /// of `IfExists` say the opposite of each other, so ours says that it depends.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists>
    AnyIfExists,
}

/// Why the two may differ on a case, if they may.
fn known(ours: &str) -> Option<Known> {
    let open = ours.contains("`ForAnyValue` or `IfExists`")
        && ours.matches("leaves open").count() == ours.matches("IfExists").count();
    open.then_some(Known::AnyIfExists)
}

/// The folder of the other one's modules.
fn modules() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("REMIT_TEST_IAM")
        .map_or_else(|| root.join(".tools/iam/node_modules"), PathBuf::from);
    assert!(
        folder.join("@cloud-copilot/iam-simulate").is_dir(),
        "no iam-simulate was found in {}: run tests/install iam, or name its folder `node_modules` in REMIT_TEST_IAM",
        folder.display()
    );
    folder
}

/// Node: the one of the virtual environment that `tests/install` makes, or of the PATH.
fn node() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/node/bin/node");
    if own.is_file() { own } else { "node".into() }
}

fn theirs(cases: &[Case]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("cases"), folder.path().join("answers"));
    let all: Vec<Json> = cases
        .iter()
        .map(|case| words::for_the_other(case.json()))
        .collect();
    std::fs::write(&from, serde_json::to_vec(&all).unwrap()).unwrap();
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/iam_evaluator/judge.mjs");
    let output = Command::new(node())
        .arg(judge)
        .arg(modules())
        .args([&from, &to])
        .output()
        .expect("node can't be run: tests/install iam");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&std::fs::read(to).unwrap()).unwrap()
}

fn ours(case: &Case) -> String {
    let request = Request {
        action: &case.action,
        resource: &case.resource,
        context: case.context(),
    };
    match case.holdings().decide(&request) {
        Decision::Allowed(_) => "Allowed".to_owned(),
        Decision::DeniedBy(_) => "ExplicitlyDenied".to_owned(),
        Decision::NotAllowed(_) => "ImplicitlyDenied".to_owned(),
        Decision::Depends { on, .. } => format!("depends on {on:?}"),
    }
}

#[test]
fn another_evaluator_says_the_same() {
    let mut random = Random::new();
    let mut left = rounds(CASES);
    let mut answers: BTreeMap<String, u64> = BTreeMap::new();
    let mut differences: BTreeMap<Known, u64> = BTreeMap::new();
    let mut unexplained: Vec<String> = Vec::new();
    while left > 0 {
        let batch = left.min(BATCH);
        left -= batch;
        let cases: Vec<Case> = (0..batch).map(|_| Case::any(&mut random)).collect();
        let theirs = theirs(&cases);
        assert_eq!(theirs.len(), cases.len());
        for (case, theirs) in cases.iter().zip(theirs) {
            let ours = ours(case);
            *answers.entry(ours.clone()).or_default() += 1;
            if ours == theirs {
                continue;
            }
            let Some(known) = known(&ours) else {
                let text = case.json();
                unexplained.push(format!("ours: {ours}\ntheirs: {theirs}\n{text}"));
                continue;
            };
            *differences.entry(known).or_default() += 1;
        }
    }
    println!("{answers:?}; {differences:?}");
    unexplained.sort_by_key(String::len);
    let shown: Vec<&String> = unexplained.iter().take(SHOWN).collect();
    assert!(
        unexplained.is_empty(),
        "{} unexplained: {shown:#?}",
        unexplained.len()
    );
    // A generator that makes one answer only tests nothing.
    for answer in ["Allowed", "ExplicitlyDenied", "ImplicitlyDenied"] {
        let share = answers.get(answer).copied().unwrap_or_default();
        assert!(share * 20 > rounds(CASES), "{answers:?}");
    }
}
