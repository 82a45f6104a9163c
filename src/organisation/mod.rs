//! An organisation's own policies, written in Rego, on the JSON plan. PURE.
//!
//! In: the policies' texts, data beside them, the JSON plan. Out: findings, or what is wrong with
//! the policies. A policy is a file of package `remit`, of conftest's `main`, or of a package
//! below one of them; its rules `deny`, `violation` and `warn`, alone or with an ending such as
//! `deny_fridays`, are sets of messages, or of objects with `msg` and where wanted `address`,
//! `why` and `help`. Files of other packages are libraries.
//!
//! The same policies and the same plan always give the same findings: `time.now_ns` is the
//! plan's own time, nothing draws a random number, reads a variable of the environment or asks
//! a server. What doesn't parse, is read by nobody, or fails on the way is a [`Fault`], and no
//! plan goes on with one: a policy that was not understood must never look like one that agreed.
//!
//! Evaluation is bounded by a timer, which a single call of a built-in function outlives, and
//! nothing bounds its memory: whoever doesn't trust the policies runs this in a process that
//! the system bounds.

use remit_sdk::{Diagnostic, FileId, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::diagnostic::SourceMap;
use crate::rules::Finding;

mod answer;
mod engine;
mod nesting;
#[cfg(test)]
mod tests;

/// The largest policy that is read: what the evaluator itself takes at most.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// All policies together: a hundred times what a large organisation's come to.
pub const TOTAL_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many policies there may be: each is parsed again by every plan.
pub const FILES_MAX: usize = 500;

/// Characters of what is wrong with a policy.
const DETAIL_CHARACTERS_MAX: usize = 4_000;

/// A policy as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFile {
    /// As people know it, relative to the configuration's root; no two are the same.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What an evaluation may take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Limits {
    /// How long each rule may take.
    pub milliseconds: u64,
    /// How many findings there may be: nobody reads more.
    pub findings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A rule over a plan of a thousand objects takes some ten milliseconds.
            milliseconds: 5_000,
            findings: 1_000,
        }
    }
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind of mistake, lower case.
    pub summary: String,
    /// The particulars.
    pub detail: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Path, line and column, both counted from 1, columns in bytes.
    pub place: Option<(String, usize, usize)>,
}

impl Fault {
    fn new(summary: &str, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self {
            summary: summary.to_owned(),
            // An error of the evaluator may quote what a policy made.
            detail: detail.chars().take(DETAIL_CHARACTERS_MAX).collect(),
            help: None,
            place: None,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn at(mut self, path: &str, line: usize, column: usize) -> Self {
        self.place = Some((path.to_owned(), line, column));
        self
    }

    /// For people; its place is underlined where `sources` has the file.
    pub fn diagnostic(&self, sources: &SourceMap) -> Diagnostic {
        let mut out = Diagnostic::error(self.summary.clone(), self.detail.clone());
        if let Some(help) = &self.help {
            out = out.help(help.clone());
        }
        let Some((path, line, column)) = &self.place else {
            return out;
        };
        match span(sources, path, *line, *column) {
            Some(span) => out.at(span),
            None => Diagnostic {
                detail: format!("{path}:{line}: {}", self.detail),
                ..out
            },
        }
    }
}

/// From a place to the end of the word that stands there.
fn span(sources: &SourceMap, path: &str, line: usize, column: usize) -> Option<Span> {
    let (index, file) = sources
        .files()
        .enumerate()
        .find(|(_, file)| file.path.to_str() == Some(path))?;
    let before: usize = file
        .text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = file.text.get(before..)?;
    let rest = rest.lines().next().unwrap_or_default();
    // The engine counts columns in bytes.
    let skipped = column.saturating_sub(1);
    let word: usize = rest
        .get(skipped..)?
        .chars()
        .take_while(|c| c.is_alphanumeric() || "_.".contains(*c))
        .map(char::len_utf8)
        .sum();
    let clamp = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let start = before + skipped;
    Some(Span::new(
        FileId(clamp(index)),
        clamp(start),
        clamp(start + word.max(1)),
    ))
}

/// Whether the policies parse and say something. Evaluates nothing.
pub fn read(policies: &[PolicyFile]) -> Result<(), Vec<Fault>> {
    engine::load(policies).map(|_| ())
}

/// What the policies find in a plan.
///
/// `plan` is the JSON plan with its `timestamp`, `data` an object that policies see as `data`.
pub fn check(
    policies: &[PolicyFile],
    data: &Json,
    plan: &Json,
    limits: Limits,
) -> Result<Vec<Finding>, Vec<Fault>> {
    let mut loaded = engine::load(policies)?;
    loaded.prepare(data, plan, limits)?;
    let mut found = Vec::new();
    let mut faults = Vec::new();
    for question in loaded.questions() {
        let answer = loaded.ask(&question);
        match answer.and_then(|answer| answer::findings(&question, &answer)) {
            Ok(findings) => found.extend(findings),
            Err(fault) => faults.push(fault),
        }
        if found.len() > limits.findings {
            faults.push(
                Fault::new(
                    "too many findings",
                    format!("the policies find more than {} things", limits.findings),
                )
                .help("let a rule say once what is true of many objects"),
            );
            break;
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults)
    }
}

/// The tests beside policies: each `test_…` rule of any package with whether it holds. Files
/// whose names end in `_test.rego` are read too.
pub fn test(policies: &[PolicyFile], limits: Limits) -> Result<Vec<(String, bool)>, Vec<Fault>> {
    engine::test(policies, limits)
}
