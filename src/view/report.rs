//! What an apply did, for people, and the exit code that says so.
//!
//! In: the plan, the report, the tables of the kinds. Out: text. When everything was done it is
//! short. When not, it lists what is done, skipped, not started, unknown and failed, the worst last, where the
//! eye is; and it says what to do next. Nothing in it is a guess: unknown is called unknown.

use remit_sdk::{Value, text};
use std::fmt::Write as _;

use super::plan::Look;
use super::{changes, count, value};
use crate::apply::{Failure, Mismatch, Report, StepResult};
use crate::diff::Action;
use crate::plan::{Plan, Step, StepOperation};
use crate::state::Operation;

/// Exit code: done.
pub const DONE: u8 = 0;
/// Exit code: an error, wrong usage included; nothing was applied.
pub const ERROR: u8 = 1;
/// Exit code: `plan --detailed-exitcode` found changes.
pub const CHANGES: u8 = 2;
/// Exit code: a rule, a waiver or an approval stopped it.
pub const REFUSED: u8 = 4;
/// Exit code: the apply began and did not do everything.
pub const IN_PART: u8 = 5;
/// Exit code: interrupted.
pub const INTERRUPTED: u8 = 130;

/// The exit code of an apply.
pub fn exit_code(plan: &Plan, report: &Report) -> u8 {
    if report.is_complete(plan) {
        DONE
    } else if report.interrupted {
        INTERRUPTED
    } else {
        IN_PART
    }
}

/// The report as text, its last lines the ones to act on.
pub fn people(plan: &Plan, report: &Report, look: Look<'_>) -> String {
    let mut out = warnings(plan, report, look);
    if report.is_complete(plan) {
        out.push_str(&complete(plan, look));
        return out;
    }
    let paint = look.paint;
    let sections: [(&str, Vec<String>); 5] = [
        ("DONE", lines(plan, report, StepResult::is_done, look)),
        (
            "SKIPPED, since what they wait for is not done",
            lines(
                plan,
                report,
                |result| matches!(result, StepResult::Skipped(_)),
                look,
            ),
        ),
        (
            "NOT STARTED",
            lines(
                plan,
                report,
                |result| matches!(result, StepResult::NotStarted),
                look,
            ),
        ),
        (
            "UNKNOWN, the answer was lost: it may have happened or not",
            lines(
                plan,
                report,
                |result| matches!(result, StepResult::Unknown(_)),
                look,
            ),
        ),
        (
            "FAILED",
            lines(
                plan,
                report,
                |result| matches!(result, StepResult::Failed(_)),
                look,
            ),
        ),
    ];
    for (heading, lines) in sections {
        if !lines.is_empty() {
            let _ = writeln!(out, "{}", paint.heading(heading));
            out.push_str(&super::lines(lines));
            out.push('\n');
        }
    }
    if let Some(failure) = &report.stopped {
        let why = format!("The run stopped: {}", text::safe(&failure.message));
        let _ = writeln!(out, "{}", paint.removed(&why));
        if let Some(help) = &failure.help {
            let _ = writeln!(out, "  help: {}", text::safe(help));
        }
        out.push('\n');
    }
    out.push_str(&total(plan, report, look));
    out
}

fn total(plan: &Plan, report: &Report, look: Look<'_>) -> String {
    let tally = report.tally();
    let head = if report.interrupted {
        "Interrupted"
    } else if tally.done == 0 {
        "Nothing was applied"
    } else {
        "Applied in part"
    };
    let mut out = format!(
        "{} {} of {} done, {} failed, {} skipped, {} unknown, {} not started.\n",
        look.paint.heading(&format!("{head}:")),
        tally.done,
        count(plan.steps.len(), "step"),
        tally.failed,
        tally.skipped,
        tally.unknown,
        tally.not_started,
    );
    out.push_str(
        "What is done is recorded. Once the cause is gone, `remit plan` shows what is left to do",
    );
    out.push_str(if tally.unknown > 0 {
        ", and finds out what is unknown.\n"
    } else {
        ".\n"
    });
    out
}

fn complete(plan: &Plan, look: Look<'_>) -> String {
    let counts = plan.counts();
    let records = plan
        .steps
        .iter()
        .filter(|step| !matches!(step.operation, StepOperation::Write(_)))
        .count();
    let mut out = format!(
        "{} {} created, {} updated, {} deleted",
        look.paint.added("Applied:"),
        counts.create,
        counts.update,
        counts.delete,
    );
    if counts.adopt > 0 {
        let _ = write!(out, ", {} adopted", counts.adopt);
    }
    let _ = match records {
        0 => Ok(()),
        1 => write!(out, "; 1 record changed alone"),
        number => write!(out, "; {number} records changed alone"),
    };
    out.push_str(".\n");
    out
}

/// What servers said about steps that are done.
fn warnings(plan: &Plan, report: &Report, look: Look<'_>) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        if let Some(StepResult::Done { warnings }) = report.results.get(&step.id) {
            for warning in warnings {
                let _ = writeln!(
                    out,
                    "{} {}: {}",
                    look.paint.changed("warning:"),
                    text::safe(&step.address.to_string()),
                    text::safe(warning)
                );
            }
        }
    }
    out
}

/// What a step does, as the plan's words say it.
pub fn step_word(step: &Step) -> &'static str {
    changes::word(action(step)).1
}

const fn action(step: &Step) -> Action {
    match step.operation {
        StepOperation::Write(Operation::Create) => Action::Create,
        StepOperation::Write(Operation::Update) => Action::Update,
        StepOperation::Write(Operation::Delete) => Action::Delete,
        StepOperation::Forget => Action::Forget,
        StepOperation::Record | StepOperation::Move => Action::Refresh,
    }
}

/// A step on one line: what it does to what.
pub fn step_line(step: &Step, look: Look<'_>) -> String {
    let (symbol, word) = changes::word(action(step));
    let sign = format!("{symbol} {word:7}");
    format!(
        "{} {}  {}",
        changes::paint_action(look.paint, action(step), &sign),
        text::safe(&step.address.to_string()),
        look.paint.faint(&text::safe(&step.key)),
    )
}

/// Why a step is not done, as lines to stand below it.
pub fn because(plan: &Plan, step: &Step, result: &StepResult, look: Look<'_>) -> Vec<String> {
    match result {
        StepResult::Done { .. } | StepResult::NotStarted => Vec::new(),
        StepResult::Skipped(other) => {
            let other = plan.steps.iter().find(|one| one.id == *other).map_or_else(
                || format!("step {other}"),
                |one| text::safe(&format!("{} of {}", step_word(one), one.address)),
            );
            vec![format!("waits for the {other}")]
        }
        StepResult::Failed(failure) | StepResult::Unknown(failure) => failed(step, failure, look),
    }
}

fn failed(step: &Step, failure: &Failure, look: Look<'_>) -> Vec<String> {
    let mut out: Vec<String> = text::safe_block(&failure.message)
        .lines()
        .map(|line| look.paint.removed(line))
        .collect();
    out.extend(
        failure
            .mismatches
            .iter()
            .map(|one| mismatch(step, one, look)),
    );
    if let Some(help) = &failure.help {
        out.push(format!("help: {}", text::safe(help)));
    }
    out
}

fn mismatch(step: &Step, mismatch: &Mismatch, look: Look<'_>) -> String {
    let attribute = look
        .catalog
        .kind(&step.kind)
        .and_then(|kind| kind.attribute(&mismatch.attribute));
    let shape = attribute.map(|attribute| attribute.shape);
    let show = |value: &Value| {
        if attribute.is_some_and(|attribute| attribute.write_only) {
            "(sensitive)".into()
        } else {
            value::inline(value, shape)
        }
    };
    let name = text::safe(&mismatch.attribute);
    match &mismatch.found {
        Some(found) => format!(
            "{name}: wanted {}, the server kept {}",
            show(&mismatch.wanted),
            show(found)
        ),
        None => format!(
            "{name}: wanted {}, the server kept nothing",
            show(&mismatch.wanted)
        ),
    }
}

fn lines(
    plan: &Plan,
    report: &Report,
    wanted: impl Fn(&StepResult) -> bool,
    look: Look<'_>,
) -> Vec<String> {
    let mut out = Vec::new();
    for step in &plan.steps {
        let result = report
            .results
            .get(&step.id)
            .unwrap_or(&StepResult::NotStarted);
        if wanted(result) {
            out.push(format!("  {}", step_line(step, look)));
            let why = because(plan, step, result, look);
            out.extend(why.iter().map(|line| format!("      {line}")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use remit_sdk::ErrorKind;

    use super::super::{Paint, testing};
    use super::*;

    fn look() -> Look<'static> {
        Look {
            catalog: testing::catalog(),
            paint: Paint::PLAIN,
        }
    }

    fn done() -> StepResult {
        StepResult::Done { warnings: vec![] }
    }

    fn failure(message: &str) -> Failure {
        Failure {
            kind: ErrorKind::Denied,
            message: message.into(),
            help: None,
            mismatches: vec![],
        }
    }

    #[test]
    fn all_done_is_short() {
        let plan = testing::first();
        let report = Report {
            results: plan.steps.iter().map(|step| (step.id, done())).collect(),
            ..Report::default()
        };
        assert_eq!(
            people(&plan, &report, look()),
            "Applied: 5 created, 0 updated, 0 deleted.\n"
        );
        assert_eq!(exit_code(&plan, &report), DONE);
    }

    #[test]
    fn what_is_not_done_is_listed_and_the_worst_comes_last() {
        let plan = testing::first();
        let mut report = Report::default();
        report.results.insert(1, done());
        report.results.insert(
            2,
            StepResult::Failed(Failure {
                help: Some("raise the mount's maximum, or ask for less".into()),
                mismatches: vec![Mismatch {
                    attribute: "token_max_ttl".into(),
                    wanted: Value::integer(86_400),
                    found: Some(Value::integer(3600)),
                }],
                ..failure("the server kept something else than it was sent")
            }),
        );
        report.results.insert(
            3,
            StepResult::Unknown(failure("connection reset\n\u{1b}[2J")),
        );
        report.results.insert(4, StepResult::Skipped(3));
        report.results.insert(5, StepResult::NotStarted);
        let wanted = r#"DONE
  + create  identity.invoice_triage["prod"]/vault_entity  remit-invoice_triage-prod

SKIPPED, since what they wait for is not done
  + create  scope.invoices_read/vault_policy  remit-invoices_read
      waits for the create of issuer.prod_eu/vault_auth_mount

NOT STARTED
  + create  vault_database_connection.orders/vault_database_connection  database/config/orders

UNKNOWN, the answer was lost: it may have happened or not
  + create  issuer.prod_eu/vault_auth_mount  auth/prod-eu
      connection reset
      \u{1b}[2J

FAILED
  + create  identity.invoice_triage["prod"]/vault_jwt_role/issuer.prod_eu  auth/prod-eu/role/remit-invoice_triage-prod
      the server kept something else than it was sent
      token_max_ttl: wanted 1d, the server kept 1h
      help: raise the mount's maximum, or ask for less

Applied in part: 1 of 5 steps done, 1 failed, 1 skipped, 1 unknown, 1 not started.
What is done is recorded. Once the cause is gone, `remit plan` shows what is left to do, and finds out what is unknown.
"#;
        let found = people(&plan, &report, look());
        assert!(found == wanted, "found:\n{found}");
        assert_eq!(exit_code(&plan, &report), IN_PART);
        report.interrupted = true;
        assert_eq!(exit_code(&plan, &report), INTERRUPTED);
    }
}
