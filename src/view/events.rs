//! The JSON lines of `plan --json`, `apply --json` and `destroy --json`.
//!
//! In: a plan, a step and what became of it, a diagnostic, and the time. Out: one object a line
//! with the fields and event types of Terraform's machine-readable UI, so that tools made for
//! that one work; what it has no word for (skipped, unknown) is an `apply_errored` whose
//! `remit.result` tells.

use std::time::Duration;

use remit_sdk::{Diagnostic, ObjectAddress, Severity, text};
use serde_json::{Map, Value as Json, json};

use super::count;
use crate::apply::StepResult;
use crate::diagnostic::{SourceMap, to_json};
use crate::diff::{Action, Change, Reason};
use crate::plan::{Mode, Plan, Step, StepOperation};
use crate::rules::{self, Finding};
use crate::state::{Operation, OutputRecord};

/// The version of Terraform's machine-readable UI whose event types these are.
const UI: &str = "1.2";

/// Makes events that all carry the time they are made at: RFC 3339.
#[derive(Debug, Clone, Copy)]
pub struct Events<'a> {
    /// The time.
    pub now: &'a str,
}

impl Events<'_> {
    fn line(self, level: &str, message: &str, kind: &str, fields: Json) -> String {
        let mut all = Map::new();
        all.insert("@level".into(), json!(level));
        all.insert("@message".into(), json!(text::safe(message)));
        all.insert("@module".into(), json!("remit.ui"));
        all.insert("@timestamp".into(), json!(self.now));
        all.insert("type".into(), json!(kind));
        if let Json::Object(fields) = fields {
            all.extend(fields);
        }
        Json::Object(all).to_string()
    }

    /// The first line.
    pub fn version(self, version: &str) -> String {
        let fields = json!({ "remit": version, "ui": UI });
        self.line("info", &format!("remit {version}"), "version", fields)
    }

    /// A mistake, or something worth knowing.
    pub fn diagnostic(self, diagnostic: &Diagnostic, sources: &SourceMap) -> String {
        let (level, word) = match diagnostic.severity {
            Severity::Error => ("error", "Error"),
            Severity::Warning => ("warn", "Warning"),
        };
        let message = format!("{word}: {}", diagnostic.summary);
        let fields = json!({ "diagnostic": to_json(diagnostic, sources) });
        self.line(level, &message, "diagnostic", fields)
    }

    /// What a rule or a policy found.
    pub fn finding(self, finding: &Finding) -> String {
        let level = match finding.severity {
            rules::Severity::Error => "error",
            rules::Severity::Warning => "warn",
        };
        let message = format!("{} {}: {}", finding.rule, finding.name, finding.what);
        self.line(level, &message, "finding", json!({ "finding": finding }))
    }

    /// What a plan says: drift, changes, and their number.
    pub fn plan(self, plan: &Plan) -> Vec<String> {
        let mut out = Vec::new();
        for address in plan.drift.keys() {
            let fields = json!({ "change": { "resource": resource(address), "action": "update" } });
            let message = format!("{address}: Drift detected (update)");
            out.push(self.line("info", &message, "resource_drift", fields));
        }
        for change in plan.changes.values() {
            if change.reason == Reason::Gone {
                let fields = json!({
                    "change": { "resource": resource(&change.address), "action": "delete" },
                });
                let message = format!("{}: Drift detected (delete)", change.address);
                out.push(self.line("info", &message, "resource_drift", fields));
            }
        }
        out.extend(plan.changes.values().filter_map(|one| self.planned(one)));
        let counts = plan.counts();
        let imports = counts.adopt;
        let operation = if plan.mode == Mode::Destroy {
            "destroy"
        } else {
            "plan"
        };
        let fields = json!({ "changes": {
            "add": counts.create,
            "change": counts.update,
            "import": imports,
            "remove": counts.delete,
            "operation": operation,
        }});
        let message = format!(
            "Plan: {} to add, {} to change, {} to destroy.",
            counts.create, counts.update, counts.delete
        );
        out.push(self.line("info", &message, "change_summary", fields));
        out
    }

    fn planned(self, change: &Change) -> Option<String> {
        let action = match change.action {
            Action::Keep | Action::Refresh => return None,
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Adopt => "import",
            Action::Forget => "remove",
        };
        let mut body = json!({ "resource": resource(&change.address), "action": action });
        let reason = match &change.reason {
            Reason::Immutable(_) => Some("cannot_update"),
            Reason::Requested => Some("requested"),
            Reason::ReplaceOn(_) => Some("replace_triggered_by"),
            Reason::Undeclared => Some("delete_because_no_resource_config"),
            _ => None,
        };
        if let (Some(reason), Json::Object(all)) = (reason, &mut body) {
            all.insert("reason".into(), json!(reason));
        }
        let message = format!("{}: Plan to {action}", change.address);
        Some(self.line(
            "info",
            &message,
            "planned_change",
            json!({ "change": body }),
        ))
    }

    /// A step begins.
    pub fn started(self, step: &Step) -> String {
        let message = format!("{}: {}...", step.address, doing(step));
        let hook = hook(step, None);
        self.line("info", &message, "apply_start", json!({ "hook": hook }))
    }

    /// A step is still going on.
    pub fn going_on(self, step: &Step, elapsed: Duration) -> String {
        let message = format!(
            "{}: Still {}... [{}s elapsed]",
            step.address,
            doing(step).to_lowercase(),
            elapsed.as_secs()
        );
        let hook = hook(step, Some(elapsed));
        self.line("info", &message, "apply_progress", json!({ "hook": hook }))
    }

    /// A step ended, or never began.
    pub fn ended(self, step: &Step, result: &StepResult, elapsed: Duration) -> String {
        let hook = hook(step, Some(elapsed));
        let (result, detail) = match result {
            StepResult::Done { warnings } => {
                let message = format!(
                    "{}: {} complete after {}s",
                    step.address,
                    noun(step),
                    elapsed.as_secs()
                );
                let fields = json!({ "hook": hook, "remit": { "warnings": warnings } });
                return self.line("info", &message, "apply_complete", fields);
            }
            StepResult::Failed(failure) => ("failed", failure.message.clone()),
            StepResult::Unknown(failure) => ("unknown", failure.message.clone()),
            StepResult::Skipped(other) => ("skipped", format!("step {other} is not done")),
            StepResult::NotStarted => ("not_started", "the run was interrupted".into()),
        };
        let message = format!("{}: {} {result}: {detail}", step.address, noun(step));
        let fields = json!({ "hook": hook, "remit": { "result": result, "detail": detail } });
        self.line("error", &message, "apply_errored", fields)
    }

    /// The last numbers of an apply: what of a plan is done.
    pub fn summary(self, plan: &Plan, done: &[&Step]) -> String {
        let number = |operation: Operation| {
            done.iter()
                .filter(|step| step.operation == StepOperation::Write(operation))
                .count()
        };
        let (add, change, remove) = (
            number(Operation::Create),
            number(Operation::Update),
            number(Operation::Delete),
        );
        let operation = if plan.mode == Mode::Destroy {
            "destroy"
        } else {
            "apply"
        };
        let fields = json!({ "changes": {
            "add": add, "change": change, "import": 0, "remove": remove, "operation": operation,
        }});
        let message = format!(
            "{} of {} done: {add} added, {change} changed, {remove} destroyed.",
            done.len(),
            count(plan.steps.len(), "step")
        );
        self.line("info", &message, "change_summary", fields)
    }

    /// The outputs as they are now.
    pub fn outputs<'b>(
        self,
        outputs: impl IntoIterator<Item = (&'b String, &'b OutputRecord)>,
    ) -> String {
        let all: Map<String, Json> = outputs
            .into_iter()
            .map(|(name, output)| {
                let mut one = json!({ "sensitive": output.sensitive });
                if let (false, Json::Object(all)) = (output.sensitive, &mut one) {
                    all.insert("value".into(), output.value.to_plain_json());
                }
                (name.clone(), one)
            })
            .collect();
        let message = format!("Outputs: {}", all.len());
        self.line("info", &message, "outputs", json!({ "outputs": all }))
    }
}

/// An object as Terraform's events name it.
fn resource(address: &ObjectAddress) -> Json {
    let declaration = &address.declaration;
    let module: Vec<String> = declaration
        .module
        .iter()
        .map(|name| format!("module.{name}"))
        .collect();
    let provider = address.kind.split('_').next().unwrap_or_default();
    json!({
        "addr": address,
        "module": module.join("."),
        "resource": format!("{}.{}", declaration.kind, declaration.name),
        "implied_provider": provider,
        "resource_type": address.kind,
        "resource_name": declaration.name,
        "resource_key": declaration.key,
    })
}

fn hook(step: &Step, elapsed: Option<Duration>) -> Json {
    let action = match step.operation {
        StepOperation::Write(Operation::Create) => "create",
        StepOperation::Write(Operation::Update) => "update",
        StepOperation::Write(Operation::Delete) => "delete",
        StepOperation::Record => "read",
        StepOperation::Forget => "remove",
        StepOperation::Move => "move",
    };
    let mut out = json!({
        "resource": resource(&step.address),
        "action": action,
        "id_key": "key",
        "id_value": step.key,
    });
    if let (Some(elapsed), Json::Object(all)) = (elapsed, &mut out) {
        all.insert("elapsed_seconds".into(), json!(elapsed.as_secs()));
    }
    out
}

const fn doing(step: &Step) -> &'static str {
    match step.operation {
        StepOperation::Write(Operation::Create) => "Creating",
        StepOperation::Write(Operation::Update) => "Modifying",
        StepOperation::Write(Operation::Delete) => "Destroying",
        StepOperation::Record => "Recording",
        StepOperation::Forget => "Forgetting",
        StepOperation::Move => "Moving",
    }
}

const fn noun(step: &Step) -> &'static str {
    match step.operation {
        StepOperation::Write(Operation::Create) => "Creation",
        StepOperation::Write(Operation::Update) => "Modification",
        StepOperation::Write(Operation::Delete) => "Destruction",
        StepOperation::Record => "Recording",
        StepOperation::Forget => "Forgetting",
        StepOperation::Move => "Moving",
    }
}

#[cfg(test)]
mod tests {
    use remit_sdk::ErrorKind;

    use super::super::testing;
    use super::*;
    use crate::apply::Failure;

    const EVENTS: Events<'static> = Events {
        now: "2026-11-24T02:00:00Z",
    };

    fn parse(line: &str) -> Json {
        assert!(!line.contains('\n'));
        serde_json::from_str(line).unwrap()
    }

    #[test]
    fn every_line_has_terraforms_head() {
        for line in EVENTS
            .plan(&testing::everything())
            .iter()
            .chain([&EVENTS.version("0.1.0")])
        {
            let json = parse(line);
            for field in ["@level", "@message", "@module", "@timestamp", "type"] {
                assert!(json[field].is_string(), "{field} in {line}");
            }
        }
    }

    #[test]
    fn the_last_line_of_a_plan_counts() {
        let lines = EVENTS.plan(&testing::everything());
        let last = parse(lines.last().unwrap());
        assert_eq!(last["type"], "change_summary");
        assert_eq!(
            last["changes"],
            json!({"add": 4, "change": 3, "import": 1, "remove": 3, "operation": "plan"})
        );
        let types: Vec<Json> = lines
            .iter()
            .map(|line| parse(line)["type"].clone())
            .collect();
        assert_eq!(types[0], "resource_drift");
        assert_eq!(types[3], "planned_change");
    }

    #[test]
    fn a_step_begins_and_ends() {
        let plan = testing::first();
        let step = &plan.steps[1];
        let start = parse(&EVENTS.started(step));
        assert_eq!(start["type"], "apply_start");
        assert_eq!(start["hook"]["action"], "create");
        assert_eq!(start["hook"]["resource"]["resource_key"], "prod");
        let done = StepResult::Done { warnings: vec![] };
        let end = parse(&EVENTS.ended(step, &done, Duration::from_secs(2)));
        assert_eq!(end["type"], "apply_complete");
        assert_eq!(end["hook"]["elapsed_seconds"], 2);
        let unknown = StepResult::Unknown(Failure {
            kind: ErrorKind::Ambiguous,
            message: "the answer\nwas lost".into(),
            help: None,
            mismatches: vec![],
        });
        let end = parse(&EVENTS.ended(step, &unknown, Duration::ZERO));
        assert_eq!(end["type"], "apply_errored");
        assert_eq!(end["remit"]["result"], "unknown");
    }
}
