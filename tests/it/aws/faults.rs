//! Throttling, changes that spread slowly, lost requests and answers: it converges, nothing is made
//! twice, and nobody waits longer than there is something to wait for.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::Stage;
use super::contract::EVERYTHING;
use super::shim::fault::{Fault, Rule, Said};
use super::shim::{Asked, Shim};

/// The exit code for what was applied in part.
const PARTLY: i32 = 5;

/// Tests that run at once: those whose answer was lost mostly wait.
const AT_ONCE: usize = 6;

/// A write that may or may not have happened is looked at and made again, and not waited for.
const AMBIGUOUS_MAX: Duration = Duration::from_mins(1);

/// What tells one object of a request from another.
fn subject(asked: &Asked) -> String {
    const NAMES: [&str; 9] = [
        "RoleName",
        "UserName",
        "GroupName",
        "InstanceProfileName",
        "PolicyName",
        "PolicyArn",
        "Url",
        "Name",
        "SecretId",
    ];
    NAMES
        .iter()
        .filter_map(|name| asked.parameters.get(*name))
        .fold(asked.action.clone(), |all, one| format!("{all} {one}"))
}

/// Nothing is there twice: every name once, no version but the first, no key nobody asked for.
fn nothing_twice(shim: &Shim, what: &str) {
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for asked in shim.writes() {
        if asked.action.starts_with("Create") && asked.status == 200 {
            *made.entry(subject(&asked)).or_default() += 1;
        }
    }
    let twice: Vec<_> = made.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{what}: {twice:?}");
    let dump = shim.dump();
    assert_eq!(
        dump.len(),
        super::contract::OBJECTS - 2,
        "{what}: {dump:#?}"
    );
    assert!(!dump.concat().contains("<VersionId>v2<"), "{what}");
}

#[test]
fn throttled_requests_come_again() {
    // The account's bucket: all parts of a run ask at once, and are slowed down together.
    let stage = Stage::new(EVERYTHING);
    stage.shim.limit(15.0, 10.0);
    let started = Instant::now();
    stage.converge();
    let took = started.elapsed();
    nothing_twice(&stage.shim, "throttled");
    let requests = stage
        .shim
        .log()
        .iter()
        .filter(|one| one.status == 400)
        .count();
    assert!(requests > 0, "nothing was throttled");
    assert!(took < Duration::from_mins(1), "{took:?}");

    // Now and then, however slowly they come; and one action again and again.
    for rule in [
        Rule::all(Fault::Said(Said::Throttled)).every(10).times(4),
        Rule::on("CreateRole", Fault::Said(Said::Throttled)).times(4),
        Rule::on("CreateSecret", Fault::Said(Said::Throttled)).times(3),
    ] {
        let stage = Stage::new(EVERYTHING);
        stage.shim.rule(rule);
        let started = Instant::now();
        stage.converge();
        nothing_twice(&stage.shim, "throttled");
        let took = started.elapsed();
        assert!(took < Duration::from_mins(1), "{took:?}");
    }
}

#[test]
fn an_apply_waits_for_nothing_where_changes_are_seen_at_once() {
    let stage = Stage::new(EVERYTHING);
    let started = Instant::now();
    stage.converge();
    let took = started.elapsed();
    // Some forty requests; anything over this would be sleep.
    assert!(took < Duration::from_secs(15), "{took:?}");
    let requests = stage.shim.log().len();
    assert!(requests < 160, "{requests} requests");
}

/// Each thing is looked for until it is seen before what follows it is made: configuration,
/// roles, profiles and their roles, policies, what they bound, what hangs on that.
#[test]
fn where_changes_are_seen_later_an_apply_waits_as_long_and_not_much_longer() {
    // As long as IAM is known to take, where there is time for it.
    let is_long = std::env::var("REMIT_SWEEP").is_ok_and(|value| value == "long");
    let lag = Duration::from_secs(if is_long { 30 } else { 10 });
    let mut stage = Stage::lagging(EVERYTHING, lag);
    let started = Instant::now();
    stage.converge();
    let took = started.elapsed();
    nothing_twice(&stage.shim, "lagging");
    assert!(took > lag, "{took:?}");
    assert!(took < lag * 9, "{took:?}");
    // The same with less to wait for, since there is more that waits.
    let lag = Duration::from_secs(2);
    stage.shim.set_lag(lag);
    stage.edit("an agent", "the agent");
    stage.edit("\"s3:GetObject\", \"s3:ListBucket\"", "\"s3:GetObject\"");
    let started = Instant::now();
    stage.converge();
    let took = started.elapsed();
    assert!(took < lag * 10, "{took:?}");
    stage.destroy();
    assert!(stage.shim.dump().is_empty(), "{:?}", stage.shim.dump());
}

/// Each change of an honest run, lost on its way there or back, or answered with nonsense.
#[test]
fn a_lost_request_or_answer_makes_nothing_twice() {
    let honest = Stage::new(EVERYTHING);
    let one_by_one = ["apply", "--auto-approve", "--parallelism", "1"];
    honest.space.expect(0, &one_by_one);
    nothing_twice(&honest.shim, "honest");
    let writes = honest.shim.writes().len();
    assert!(writes >= super::contract::OBJECTS, "{writes}");
    let jobs: Vec<(usize, &str, Fault)> = (0..writes)
        .flat_map(|number| {
            // A failure is answered like a loss; now and then will do.
            let failed = (number % 4 == 0).then_some((number, "500", Fault::Said(Said::Failed)));
            [
                (number, "answer", Fault::LostAnswer),
                (number, "request", Fault::LostRequest),
            ]
            .into_iter()
            .chain(failed)
        })
        .collect();
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((number, name, fault)) = { jobs.lock().unwrap().pop() } {
                    lost(number, name, fault);
                }
            });
        }
    });
}

fn lost(number: usize, name: &str, fault: Fault) {
    let what = format!("{name} of write {number}");
    let stage = Stage::new(EVERYTHING);
    stage.shim.rule(Rule::nth_write(number, fault));
    let started = Instant::now();
    let output = stage
        .space
        .remit(&["apply", "--auto-approve", "--parallelism", "1"]);
    assert!(
        matches!(output.code, Some(0 | PARTLY)),
        "{what}: {output:?}"
    );
    if output.code == Some(PARTLY) {
        stage.apply();
    }
    stage.settled(&what);
    nothing_twice(&stage.shim, &what);
    assert!(started.elapsed() < AMBIGUOUS_MAX, "{what}");
}

/// The answers to removals and updates get lost too.
#[test]
fn a_lost_answer_while_changing_and_removing() {
    let mut stage = Stage::new(EVERYTHING);
    stage.converge();
    let number = Mutex::new(0);
    let lose_each = |stage: &Stage, command: &str| {
        let writes = 12;
        for at in 0..writes {
            stage.shim.heal();
            stage.shim.rule(Rule::nth_write(at, Fault::LostAnswer));
            let output = stage.space.remit(&[command, "--auto-approve"]);
            assert!(
                matches!(output.code, Some(0 | PARTLY)),
                "{command} {at}: {output:?}"
            );
            *number.lock().unwrap() += 1;
            if output.code == Some(0) && command == "destroy" {
                break;
            }
        }
        stage.shim.heal();
    };
    stage.edit("an agent", "the agent");
    stage.edit("team = \"x\"", "team = \"y\"");
    stage.edit("rate(10 days)", "rate(11 days)");
    lose_each(&stage, "apply");
    stage.converge();
    lose_each(&stage, "destroy");
    stage.destroy();
    assert!(stage.shim.dump().is_empty(), "{:?}", stage.shim.dump());
}
