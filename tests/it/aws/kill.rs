//! SIGKILL before the intent, after it, after the call and before the outcome, at every step that
//! makes, changes or removes an object of every kind: the next apply converges, nothing is lost
//! and nothing is made twice.
//!
//! With one step at a time the n-th pass of a point belongs to the n-th step of the plan.

use std::sync::Mutex;

use super::Stage;
use super::contract::{EVERYTHING, OBJECTS};

const POINTS: [&str; 4] = [
    "before-intent",
    "after-intent",
    "after-call",
    "before-outcome",
];

/// Tests that run at once.
const AT_ONCE: usize = 3;

/// Attributes that are changed in place, of every kind that has one.
const CHANGES: [(&str, &str); 5] = [
    ("\"s3:GetObject\", \"s3:ListBucket\"", "\"s3:GetObject\""),
    ("an agent", "the agent"),
    ("team = \"x\"", "team = \"y\""),
    ("path = \"/robots/\"", "path = \"/machines/\""),
    ("[\"aws\"]", "[\"aws\", \"other\"]"),
];
/// Steps that these changes make: the two managed policies and the inline one, the role, the
/// provider, the user, the group, the profile, the secret.
const CHANGED: usize = 9;

/// Runs a command that must be killed at the n-th pass of a point.
fn killed(stage: &Stage, command: &str, point: &str, number: usize) {
    let at = format!("{point}#{number}");
    let output = stage.space.remit_with(
        &[command, "--auto-approve", "--parallelism", "1"],
        &[("REMIT_CRASH_AT", &at)],
    );
    assert_eq!(
        output.code, None,
        "{command} {at}: {}\n{}",
        output.stdout, output.stderr
    );
}

/// Every point with every number, several at once.
fn everywhere(numbers: usize, each: impl Fn(&str, usize) + Sync) {
    let jobs: Vec<(&str, usize)> = POINTS
        .iter()
        .flat_map(|point| (1..=numbers).map(move |number| (*point, number)))
        .collect();
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((point, number)) = { jobs.lock().unwrap().pop() } {
                    each(point, number);
                }
            });
        }
    });
}

#[test]
fn while_making() {
    everywhere(OBJECTS, |point, number| {
        let stage = Stage::new(EVERYTHING);
        killed(&stage, "apply", point, number);
        // Deciding what the crash left is the same, looked at or recorded.
        stage.space.expect(0, &["plan"]);
        stage.apply();
        stage.settled(&format!("{point} {number}"));
        let made = stage.shim.dump().len();
        assert_eq!(made, OBJECTS - 2, "{point} {number}");
    });
}

#[test]
fn while_changing() {
    let mut stage = Stage::new(EVERYTHING);
    stage.apply();
    let mut forward = true;
    for point in POINTS {
        for number in 1..=CHANGED {
            for (from, to) in CHANGES {
                let (from, to) = if forward { (from, to) } else { (to, from) };
                stage.edit(from, to);
            }
            forward = !forward;
            killed(&stage, "apply", point, number);
            stage.apply();
            stage.settled(&format!("{point} {number}"));
            assert_eq!(stage.shim.dump().len(), OBJECTS - 2, "{point} {number}");
        }
    }
}

#[test]
fn while_removing() {
    everywhere(OBJECTS, |point, number| {
        let stage = Stage::new(EVERYTHING);
        stage.apply();
        killed(&stage, "destroy", point, number);
        stage.destroy();
        assert!(stage.shim.dump().is_empty(), "{point} {number}");
    });
}
