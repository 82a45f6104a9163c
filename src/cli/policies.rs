//! The organisation's policies: read below the root, and asked about a plan in a process of
//! their own.
//!
//! In: the directories that the `remit` block names; a plan. Out: policies; findings, or what is
//! wrong with the policies. Whoever writes a policy may not be whoever runs remit, and no
//! evaluator bounds what a call of a built-in function takes. So a plan is judged by a second
//! process of the same program, which the system ends when it takes too much, which has nothing
//! in its environment, and which is given the JSON plan and nothing else: no secret can reach a
//! policy.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use clap::Args;
use remit_sdk::{Diagnostic, Span, Value};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::session::Session;
use super::{Global, Outcome, clock, providers};
use crate::diagnostic::SourceMap;
use crate::evaluate::functions::{self, Context};
use crate::gate::Review;
use crate::model::Settings;
use crate::organisation::{
    self, FILE_BYTES_MAX, FILES_MAX, Fault, Limits, PolicyFile, TOTAL_BYTES_MAX,
};
use crate::rules::Finding;
use crate::view::plan_json::{self, Frame};
use crate::view::report::DONE;

/// Memory of the process that judges: a plan of a thousand objects takes a twentieth of it.
const MEMORY_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Seconds of computing that all policies together may take.
const SECONDS_MAX: u64 = 20;

/// What the process that judges is given.
#[derive(Serialize, Deserialize)]
struct Task {
    policies: Vec<PolicyFile>,
    plan: Json,
}

/// What it answers.
#[derive(Serialize, Deserialize)]
enum Answer {
    Findings(Vec<Finding>),
    Faults(Vec<Fault>),
}

/// Reads the policies below the directories that the configuration names. Their texts are
/// sources like any other, so that mistakes in them are shown in place.
pub(super) fn read(
    root: &Path,
    settings: &Settings,
    sources: &mut SourceMap,
) -> Result<Vec<PolicyFile>, Vec<Diagnostic>> {
    let mut all = BTreeMap::new();
    let mut wrong = Vec::new();
    for (directory, span) in &settings.policy_directories {
        match below(root, directory) {
            Ok(found) => all.extend(found),
            Err(diagnostic) => wrong.push(diagnostic.at(*span)),
        }
    }
    let span = settings.policy_directories.first().map(|(_, span)| *span);
    if all.len() > FILES_MAX {
        wrong.push(too_much(
            format!("there are more than {FILES_MAX} policies"),
            span,
        ));
    }
    if all.values().map(String::len).sum::<usize>() > TOTAL_BYTES_MAX {
        let what = format!("the policies are larger than {TOTAL_BYTES_MAX} bytes together");
        wrong.push(too_much(what, span));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let policies: Vec<PolicyFile> = all
        .into_iter()
        .map(|(path, text)| PolicyFile { path, text })
        .collect();
    for policy in &policies {
        sources.add(PathBuf::from(&policy.path), policy.text.as_str().into());
    }
    organisation::read(&policies).map_err(|faults| diagnostics(&faults, sources))?;
    Ok(policies)
}

fn too_much(what: String, span: Option<Span>) -> Diagnostic {
    Diagnostic::error("too many policies", what)
        .help("name directories that hold policies alone")
        .at(span)
}

/// The policies in one directory and below it, by path. Tests of policies are left out.
fn below(root: &Path, directory: &str) -> Result<BTreeMap<String, String>, Diagnostic> {
    let context = Context { root };
    let fail = |error: functions::FunctionError| {
        let diagnostic = Diagnostic::error("policies can't be read", error.message);
        match error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    };
    let directory = directory.trim_start_matches("./").trim_end_matches('/');
    let arguments = [Value::string(directory), Value::string("**/*.rego")];
    let found = functions::call("fileset", &arguments, &context).map_err(fail)?;
    let names: Vec<&str> = match &found {
        Value::Set(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut out = BTreeMap::new();
    for name in names {
        if name.ends_with("_test.rego") {
            continue;
        }
        let path = match directory {
            "" | "." => name.to_owned(),
            directory => format!("{directory}/{name}"),
        };
        if out.len() == FILES_MAX {
            return Err(too_much(
                format!("there are more than {FILES_MAX} policies"),
                None,
            ));
        }
        let text = functions::read_file(&context, &path).map_err(fail)?;
        if text.len() > FILE_BYTES_MAX {
            let path = remit_sdk::text::safe(&path);
            let what = format!("{path} is larger than {FILE_BYTES_MAX} bytes");
            return Err(too_much(what, None));
        }
        out.insert(path, text);
    }
    if out.is_empty() {
        return Err(Diagnostic::error(
            "policies can't be read",
            format!(
                "there are no policies in the directory \"{}\"",
                remit_sdk::text::safe(directory)
            ),
        )
        .help("put files that end in `.rego` there, or remove it from `directories`; a path is relative to the configuration's root"));
    }
    Ok(out)
}

fn diagnostics(faults: &[Fault], sources: &SourceMap) -> Vec<Diagnostic> {
    faults
        .iter()
        .map(|fault| fault.diagnostic(sources))
        .collect()
}

/// What is wrong with the policies, for people.
pub(super) fn said(global: &Global, faults: &[Fault]) -> Vec<Diagnostic> {
    diagnostics(faults, &global.sources.borrow())
}

/// Asks the policies about a plan that was just made.
pub(super) async fn judge(
    session: &Session,
    review: &Review,
    is_sound: bool,
) -> Result<Vec<Finding>, Vec<Fault>> {
    if session.policies.is_empty() {
        return Ok(Vec::new());
    }
    let frame = Frame {
        header: None,
        errored: !is_sound,
    };
    let mut json = plan_json::json(review, &providers::catalog(), frame);
    if let Json::Object(all) = &mut json {
        all.entry("timestamp")
            .or_insert_with(|| Json::from(clock::now()));
    }
    let task = Task {
        policies: session.policies.clone(),
        plan: json,
    };
    match tokio::task::spawn_blocking(move || apart(&task)).await {
        Ok(result) => result,
        Err(_) => Err(unanswered("the thread that waited for them ended")),
    }
}

fn unanswered(why: &str) -> Vec<Fault> {
    vec![Fault {
        summary: "policies gave no answer".into(),
        detail: why.into(),
        help: Some("without their answer no plan goes on".into()),
        place: None,
    }]
}

/// This program: by what runs, not by its name, which an update may have given to another.
fn program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe()
    }
}

/// Has a task done by a process of its own.
fn apart(task: &Task) -> Result<Vec<Finding>, Vec<Fault>> {
    let fail = |error: &dyn std::fmt::Display| {
        unanswered(&format!("the process that asks them failed: {error}"))
    };
    let bytes = serde_json::to_vec(task).map_err(|error| fail(&error))?;
    let mut child = Command::new(program().map_err(|error| fail(&error))?)
        .arg("judge-policies")
        .env_clear()
        // "Local" means the same everywhere.
        .env("TZ", "UTC0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fail(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // If it has ended before it read everything, its status says why.
        let _ = stdin.write_all(&bytes);
    }
    let output = child.wait_with_output().map_err(|error| fail(&error))?;
    if !output.status.success() {
        return Err(ended(output.status));
    }
    match serde_json::from_slice(&output.stdout).map_err(|error| fail(&error))? {
        Answer::Findings(findings) => Ok(findings),
        Answer::Faults(faults) => Err(faults),
    }
}

/// Why the process that judges has ended without an answer.
fn ended(status: ExitStatus) -> Vec<Fault> {
    let fault = |summary: &str, detail: String, help: &str| {
        vec![Fault {
            summary: summary.into(),
            detail,
            help: Some(help.into()),
            place: None,
        }]
    };
    let is = |signal: Signal| status.signal() == Some(signal.as_raw());
    if is(Signal::XCPU) {
        return fault(
            "policies take too long",
            format!("they had no answer after {SECONDS_MAX} seconds"),
            "a rule looks at what it needs: join two lists by a key, not each with each",
        );
    }
    if is(Signal::ABORT) || is(Signal::SEGV) {
        return fault(
            "policies take too much",
            format!(
                "they took more than {} MiB of memory, or nested too deep",
                MEMORY_BYTES_MAX / (1024 * 1024)
            ),
            "a rule builds what it needs: no long ranges, no texts made from all pairs",
        );
    }
    unanswered(&format!("the process that asks them ended: {status}"))
}

/// The command that remit runs to judge a plan.
#[derive(Debug, Args)]
pub(super) struct JudgePolicies {}

impl JudgePolicies {
    /// Does it.
    pub(super) fn run(global: &Global) -> Outcome {
        let fail = |error: &dyn std::fmt::Display| {
            vec![Diagnostic::error(
                "policies can't be judged",
                error.to_string(),
            )]
        };
        bound().map_err(|error| fail(&error))?;
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| fail(&error))?;
        let task: Task = serde_json::from_slice(&bytes).map_err(|error| fail(&error))?;
        let none = Json::Object(serde_json::Map::new());
        let answer = match organisation::check(&task.policies, &none, &task.plan, Limits::default())
        {
            Ok(findings) => Answer::Findings(findings),
            Err(faults) => Answer::Faults(faults),
        };
        let text = serde_json::to_string(&answer).map_err(|error| fail(&error))?;
        global.output.data(&text);
        Ok(DONE)
    }
}

/// Has the system end this process where it takes too much, or outlives who started it.
fn bound() -> rustix::io::Result<()> {
    let limit = |resource, most: u64, at_once: u64| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(most),
                maximum: Some(at_once),
            },
        )
    };
    limit(Resource::Cpu, SECONDS_MAX, SECONDS_MAX + 1)?;
    limit(Resource::Data, MEMORY_BYTES_MAX, MEMORY_BYTES_MAX)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_process_says_why() {
        for (status, summary) in [
            (Signal::XCPU.as_raw(), "policies take too long"),
            (Signal::ABORT.as_raw(), "policies take too much"),
            (Signal::SEGV.as_raw(), "policies take too much"),
            (Signal::KILL.as_raw(), "policies gave no answer"),
            // Exit code 1.
            (1 << 8, "policies gave no answer"),
        ] {
            let faults = ended(ExitStatus::from_raw(status));
            assert_eq!(faults.len(), 1);
            assert_eq!(faults[0].summary, summary, "{status}");
        }
    }
}
