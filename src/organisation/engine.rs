//! The evaluator: which rules there are, and what they say.
//!
//! In: policies, the plan. Out: a value for each rule that is asked. The only file that knows
//! regorus' engine.

use core::fmt::Write as _;
use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, LimitError, Value};
use serde_json::Value as Json;

use super::{Fault, Limits, PolicyFile, nesting};
use crate::rules::Severity;

/// The packages whose rules are asked: remit's own, and the one that conftest asks.
const PACKAGES: [&str; 2] = ["remit", "main"];

/// How many expressions are evaluated between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = match NonZeroU32::new(1_000) {
    Some(number) => number,
    None => NonZeroU32::MIN,
};

/// A rule that is asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    /// `data.remit.fridays.deny`.
    pub(super) path: String,
    /// What findings are named after: the file that alone has the rule, or the package.
    pub(super) name: String,
    /// The files that have it.
    pub(super) files: Vec<String>,
    /// What a finding of it is.
    pub(super) severity: Severity,
}

/// Policies that parse.
pub(super) struct Loaded {
    engine: Engine,
    questions: Vec<Question>,
    paths: Vec<String>,
    limits: Limits,
}

/// Parses policies and finds the rules to ask.
pub(super) fn load(policies: &[PolicyFile]) -> Result<Loaded, Vec<Fault>> {
    let (engine, packages) = parse(policies)?;
    let mut faults = Vec::new();
    // By package and rule: the files that declare it.
    let mut declared: BTreeMap<(Vec<String>, String), Vec<String>> = BTreeMap::new();
    let mut speaking: BTreeSet<Vec<String>> = BTreeSet::new();
    for (policy, package) in policies.iter().zip(&packages) {
        let rules = match rules(
            &engine,
            policy,
            r"\b(?:deny|violation|warn)(?:_[A-Za-z0-9_]*)?\b",
        ) {
            Ok(rules) => rules,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        let is_asked = package
            .first()
            .is_some_and(|first| PACKAGES.contains(&first.as_str()));
        if !is_asked && let Some(rule) = rules.first() {
            faults.push(
                Fault::new(
                    "policy that nobody asks",
                    format!(
                        "its package is `{}`, so that its rule `{rule}` would never be asked",
                        package.join(".")
                    ),
                )
                .help("write `package remit`, or `package remit.NAME`")
                .at(&policy.path, 1, 1),
            );
        }
        if is_asked {
            if !rules.is_empty() {
                speaking.insert(package.clone());
            }
            for rule in rules {
                declared
                    .entry((package.clone(), rule))
                    .or_default()
                    .push(policy.path.clone());
            }
        }
    }
    for (policy, package) in policies.iter().zip(&packages) {
        let is_asked = package
            .first()
            .is_some_and(|first| PACKAGES.contains(&first.as_str()));
        if is_asked && faults.is_empty() && !speaking.contains(package) {
            faults.push(
                Fault::new(
                    "policy without a rule",
                    format!(
                        "package `{}` has no rule `deny`, `violation` or `warn`",
                        package.join(".")
                    ),
                )
                .help("write `deny contains msg if { … }`; a library has a package outside `remit`")
                .at(&policy.path, 1, 1),
            );
        }
    }
    if faults.is_empty() && declared.is_empty() && !policies.is_empty() {
        faults.push(
            Fault::new(
                "no policies",
                "none of the policies' files has a rule `deny`, `violation` or `warn`",
            )
            .help("write `package remit` and `deny contains msg if { … }`"),
        );
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let questions = declared
        .into_iter()
        .map(|((package, rule), files)| Question {
            path: format!("{}.{rule}", path(&package)),
            name: match files.as_slice() {
                [file] => stem(file).to_owned(),
                _ => package.join("."),
            },
            severity: if rule.starts_with("warn") {
                Severity::Warning
            } else {
                Severity::Error
            },
            files,
        })
        .collect();
    Ok(Loaded {
        engine,
        questions,
        paths: policies.iter().map(|policy| policy.path.clone()).collect(),
        limits: Limits::default(),
    })
}

/// Parses policies; the package of each, in their order.
fn parse(policies: &[PolicyFile]) -> Result<(Engine, Vec<Vec<String>>), Vec<Fault>> {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    // Else it prints them.
    engine.set_gather_prints(true);
    let mut faults: Vec<Fault> = policies.iter().filter_map(nesting::too_deep).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    for policy in policies {
        if let Err(error) = engine.add_policy(policy.path.clone(), policy.text.clone()) {
            let paths = std::slice::from_ref(&policy.path);
            let fault = fault("policy can't be read", &error.to_string(), paths);
            faults.push(Fault {
                place: fault.place.or_else(|| Some((policy.path.clone(), 1, 1))),
                ..fault
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let packages = engine
        .get_policy_package_components()
        .map_err(|error| vec![Fault::new("policy can't be read", error.to_string())])?;
    let packages = packages.into_iter().map(|one| one.components).collect();
    Ok((engine, packages))
}

/// The rules that a policy declares, of those whose names match.
fn rules(engine: &Engine, policy: &PolicyFile, pattern: &str) -> Result<Vec<String>, Fault> {
    let fail = |why: String| Fault::new("policy can't be read", why).at(&policy.path, 1, 1);
    let pattern = Regex::new(pattern).map_err(|error| fail(error.to_string()))?;
    // Whatever is declared is somewhere in the text; whether it is, the parser has to say.
    let words: BTreeSet<&str> = pattern
        .find_iter(&policy.text)
        .map(|found| found.as_str())
        .collect();
    let mut out = Vec::new();
    for word in words {
        if engine
            .has_declared_rule_rooted_at(&policy.path, word)
            .map_err(|error| fail(error.to_string()))?
        {
            out.push(word.to_owned());
        }
    }
    Ok(out)
}

impl Loaded {
    /// Gives the policies what they look at.
    pub(super) fn prepare(
        &mut self,
        data: &Json,
        plan: &Json,
        limits: Limits,
    ) -> Result<(), Vec<Fault>> {
        self.limits = limits;
        let fail = |what: &str, error: &dyn core::fmt::Display| {
            vec![Fault::new(
                "policies can't be asked",
                format!("{what}: {error}"),
            )]
        };
        bound(&mut self.engine, limits);
        withhold(&mut self.engine, time(plan)).map_err(|error| fail("functions", &error))?;
        let data: Value =
            serde_json::from_value(data.clone()).map_err(|error| fail("the data", &error))?;
        self.engine
            .add_data(data)
            .map_err(|error| fail("the data", &error))?;
        let input: Value =
            serde_json::from_value(plan.clone()).map_err(|error| fail("the plan", &error))?;
        self.engine.set_input(input);
        Ok(())
    }

    /// The rules to ask, in order.
    pub(super) fn questions(&self) -> Vec<Question> {
        self.questions.clone()
    }

    /// Asks one.
    pub(super) fn ask(&mut self, question: &Question) -> Result<Value, Fault> {
        self.engine
            .eval_rule(question.path.clone())
            .map_err(|error| failed(&question.path, &error, &self.paths, self.limits))
    }
}

/// Runs the tests beside policies.
pub(super) fn test(
    policies: &[PolicyFile],
    limits: Limits,
) -> Result<Vec<(String, bool)>, Vec<Fault>> {
    let (mut engine, packages) = parse(policies)?;
    bound(&mut engine, limits);
    withhold(&mut engine, None)
        .map_err(|error| vec![Fault::new("policies can't be asked", error.to_string())])?;
    let paths: Vec<String> = policies.iter().map(|policy| policy.path.clone()).collect();
    let mut out = Vec::new();
    for (policy, package) in policies.iter().zip(&packages) {
        let rules =
            rules(&engine, policy, r"\btest_[A-Za-z0-9_]+\b").map_err(|fault| vec![fault])?;
        for rule in rules {
            let path = format!("{}.{rule}", path(package));
            let value = engine
                .eval_rule(path.clone())
                .map_err(|error| vec![failed(&path, &error, &paths, limits)])?;
            out.push((path, value == Value::Bool(true)));
        }
    }
    Ok(out)
}

fn bound(engine: &mut Engine, limits: Limits) {
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: Duration::from_millis(limits.milliseconds),
        check_interval: CHECK_INTERVAL,
    });
}

/// Puts functions of our own in the place of those whose answers differ from run to run; an
/// engine looks for them before its own.
fn withhold(engine: &mut Engine, now: Option<i64>) -> Result<(), impl core::fmt::Display> {
    engine
        .add_extension(
            "time.now_ns".to_owned(),
            0,
            Box::new(move |_: Vec<Value>| match now {
                Some(now) => Ok(Value::from(now)),
                None => Err(Withheld("the plan says no time").into()),
            }),
        )
        .and_then(|()| {
            engine.add_extension(
                "rand.intn".to_owned(),
                2,
                Box::new(|_: Vec<Value>| {
                    Err(Withheld("a plan is judged the same each time, so nothing is drawn").into())
                }),
            )
        })
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Withheld(&'static str);

/// The plan's own time, in nanoseconds since 1970.
fn time(plan: &Json) -> Option<i64> {
    let text = plan.get("timestamp")?.as_str()?;
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

fn path(package: &[String]) -> String {
    let mut out = "data".to_owned();
    for part in package {
        let is_plain = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_plain {
            out.push('.');
            out.push_str(part);
        } else {
            let _ = write!(out, "[{}]", Json::from(part.as_str()));
        }
    }
    out
}

/// `fridays` of `policy/fridays.rego`.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".rego").unwrap_or(name)
}

/// What an evaluation that failed is.
fn failed(
    rule: &str,
    error: &(impl core::fmt::Display + AsRef<dyn core::error::Error + Send + Sync>),
    paths: &[String],
    limits: Limits,
) -> Fault {
    let inner: &(dyn core::error::Error + Send + Sync) = error.as_ref();
    let inner: &(dyn core::error::Error + 'static) = inner;
    if let Some(LimitError::TimeLimitExceeded { .. }) = inner.downcast_ref() {
        return Fault::new(
            "policy takes too long",
            format!("`{rule}` had no answer after {} ms", limits.milliseconds),
        )
        .help("a rule looks at what it needs: join two lists by a key, not each with each");
    }
    let message = error.to_string();
    // What it says of rules below the name that is asked: `deny["x"] := …`, `deny.x := …`.
    if message.contains("not a valid rule path") {
        return Fault::new("policy fails", format!("`{rule}` is no set"))
            .help("in Rego v1 a set is written `deny contains msg if { … }`, not `deny[msg]`");
    }
    let mut fault = fault("policy fails", &message, paths);
    fault.detail = format!("`{rule}` has no answer: {}", fault.detail);
    fault
}

/// A message of the engine's, taken apart: `--> path:line:column`, an excerpt, `error: text`.
fn fault(summary: &str, message: &str, paths: &[String]) -> Fault {
    let detail = message
        .rsplit_once("error: ")
        .map_or(message, |(_, text)| text)
        .trim();
    let fault = Fault::new(summary, remit_sdk::text::safe(detail));
    let place = paths.iter().find_map(|path| {
        let (_, rest) = message.split_once(&format!("--> {path}:"))?;
        let mut numbers = rest.lines().next()?.split(':');
        let line: usize = numbers.next()?.trim().parse().ok()?;
        let column: usize = numbers.next()?.trim().parse().ok()?;
        Some((path.clone(), line, column))
    });
    Fault { place, ..fault }
}
