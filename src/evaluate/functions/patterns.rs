//! Regular expressions: `regex`, `regexall` and `replace`.
//!
//! The syntax is that of Terraform (RE2) as far as the regex crate agrees with it. `\d`, `\w`,
//! `\s` and `\b` mean ASCII there, so they are written out as such before the pattern is
//! compiled. Neither has backreferences, so a search takes time in proportion to pattern times
//! text; finding all matches may square the text, so what they may look at has a limit.

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};
use remit_sdk::Value;

use super::arguments::Arguments;
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed};

/// Bytes of a pattern: the longest in use, for ARNs and addresses, have some hundred.
const PATTERN_BYTES_MAX: usize = 4096;

/// Bytes a compiled pattern may take, so that `(a{1000}){1000}` is refused.
const COMPILED_BYTES_MAX: usize = 1024 * 1024;

/// Bytes a pattern is looked for in: a whole policy document.
const TEXT_BYTES_MAX: usize = 128 * 1024;

/// Bytes looked at for all matches, if each search goes to the end of the text: about a second.
const SEARCHED_BYTES_MAX: usize = 1024 * 1024 * 1024;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("regex", "regex(pattern, text)", 2, first),
    fixed("regexall", "regexall(pattern, text)", 2, every),
    fixed("replace", "replace(text, part, replacement)", 3, replace),
];

fn first(a: &Arguments<'_>) -> Outcome {
    let pattern = compile(&a.text(0)?, 0)?;
    let text = searched(a, 1)?;
    let found = pattern.captures(&text).ok_or_else(|| {
        FunctionError::at(1, "the pattern doesn't match any part of the text")
            .help("use `regexall` where there may be no match, or `can(regex(…))` to ask")
    })?;
    matched(&pattern, &found, &mut Room::new())
}

fn every(a: &Arguments<'_>) -> Outcome {
    let pattern = compile(&a.text(0)?, 0)?;
    let text = searched(a, 1)?;
    let (mut room, mut effort) = (Room::new(), Effort::new());
    pattern
        .captures_iter(&text)
        .map(|found| {
            effort.count(&found, &text)?;
            matched(&pattern, &found, &mut room)
        })
        .collect::<Result<_, _>>()
        .map(Value::List)
}

/// A match: its text; a list of its groups where the pattern has groups; a map of them where
/// they have names.
fn matched(pattern: &Regex, found: &Captures<'_>, room: &mut Room) -> Outcome {
    room.take(size_of::<Value>())?;
    let mut group = |text: Option<regex::Match<'_>>| {
        text.map_or(Ok(Value::Null), |text| room.text(text.as_str()))
    };
    let names = || pattern.capture_names().skip(1);
    if pattern.captures_len() == 1 {
        return group(found.get(0));
    }
    if names().all(|name| name.is_none()) {
        let groups = found.iter().skip(1).map(group);
        return groups.collect::<Result<_, _>>().map(Value::List);
    }
    if !names().all(|name| name.is_some()) {
        return Err(FunctionError::at(
            0,
            "some groups of the pattern have names and some have not",
        )
        .help("name all of them, `(?P<NAME>…)`, or write `(?:…)` for a group that isn't wanted"));
    }
    names()
        .flatten()
        .map(|name| Ok((name.to_owned(), group(found.name(name))?)))
        .collect::<Result<_, _>>()
        .map(Value::Map)
}

/// Replaces text, or what a pattern between slashes matches; `$1` and `${NAME}` are its groups.
fn replace(a: &Arguments<'_>) -> Outcome {
    let (text, part, replacement) = (a.text(0)?, a.text(1)?, a.text(2)?);
    let pattern = part
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let Some(pattern) = pattern else {
        let mut room = Room::new();
        let times = text.matches(&*part).count();
        room.take(text.len())?;
        room.take(times.saturating_mul(replacement.len()))?;
        return Ok(Value::String(text.replace(&*part, &replacement)));
    };
    let pattern = compile(pattern, 1)?;
    let text = searched(a, 0)?;
    let (mut room, mut effort) = (Room::new(), Effort::new());
    room.take(text.len())?;
    let references = replacement.matches('$').count();
    let mut out = String::new();
    let mut end = 0;
    for found in pattern.captures_iter(&text) {
        effort.count(&found, &text)?;
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(end..whole.start()).unwrap_or_default());
        end = whole.end();
        // Every group is inside the match, and `$1` is the shortest reference to one.
        let most = references
            .saturating_mul(whole.len())
            .saturating_add(replacement.len());
        room.take(most)?;
        found.expand(&replacement, &mut out);
    }
    out.push_str(text.get(end..).unwrap_or_default());
    Ok(Value::String(out))
}

/// What looking for all matches may still cost.
struct Effort {
    left: usize,
}

impl Effort {
    const fn new() -> Self {
        Self {
            left: SEARCHED_BYTES_MAX,
        }
    }

    /// Counts the search that found something, as if it had looked at all the text from there.
    fn count(&mut self, found: &Captures<'_>, text: &str) -> Result<(), FunctionError> {
        let start = found.get(0).map_or(0, |whole| whole.start());
        let cost = text.len().saturating_sub(start);
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            FunctionError::new("the pattern matches too often in a text this long")
                .help("split the text first")
        })?;
        Ok(())
    }
}

fn searched<'a>(a: &Arguments<'a>, position: usize) -> Result<Cow<'a, str>, FunctionError> {
    let text = a.text(position)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(FunctionError::at(
            position,
            format!("a pattern is looked for in at most {TEXT_BYTES_MAX} bytes of text"),
        )
        .help("split the text first"));
    }
    Ok(text)
}

fn compile(pattern: &str, position: usize) -> Result<Regex, FunctionError> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(FunctionError::at(
            position,
            format!("a pattern has at most {PATTERN_BYTES_MAX} bytes"),
        ));
    }
    RegexBuilder::new(&ascii_classes(pattern))
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => FunctionError::at(
                position,
                format!("the pattern needs more than {COMPILED_BYTES_MAX} bytes of memory"),
            )
            .help("use smaller numbers of repetitions"),
            // The crate's text draws the pattern over several lines; the last one says why.
            other => {
                let text = other.to_string();
                let why = text.lines().last().unwrap_or_default();
                let why = why.strip_prefix("error: ").unwrap_or(why);
                FunctionError::at(
                    position,
                    format!("this is no pattern: {}", remit_sdk::text::safe(why)),
                )
                .help("patterns are RE2's, without backreferences and lookaround; `\\` is written `\\\\` in a string")
            }
        })
}

/// The pattern with `\d`, `\w`, `\s` and `\b` as ASCII.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[0-9A-Za-z_]"),
            Some('W') => out.push_str("[^0-9A-Za-z_]"),
            Some('s') => out.push_str(r"[\t\n\f\r ]"),
            Some('S') => out.push_str(r"[^\t\n\f\r ]"),
            Some('b') => out.push_str(r"(?-u:\b)"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
