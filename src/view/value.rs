//! Values as text.
//!
//! In: a value and, where it is known, the shape its attribute has. Out: one line, or the lines
//! of a block: policies and other texts of several lines, collections too long for one. Nothing
//! is shortened, since what a plan leaves out nobody has agreed to.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use remit_sdk::schema::Shape;
use remit_sdk::{Value, text};
use similar::{ChangeTag, TextDiff};

/// A collection whose text is longer than this is shown one member a line.
const INLINE_MAX: usize = 72;

/// Lines of context around a change of a text.
const CONTEXT: usize = 3;

/// What becomes of a line of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// It stays.
    Kept,
    /// Lines that stay were left out here.
    Gap,
}

/// A line of a block; its text is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) sign: Sign,
    pub(super) text: String,
}

/// How a value, or a change of one, is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// On the attribute's own line.
    Inline(String),
    /// Below it.
    Block(Vec<Line>),
}

/// Seconds as people say them, exact: `1h30m`, `30d`, `45s`; `0` where there are none.
pub fn duration(seconds: i64) -> String {
    const UNITS: [(i64, char); 4] = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    if seconds <= 0 {
        return seconds.to_string();
    }
    let mut rest = seconds;
    let mut out = String::new();
    for (unit, letter) in UNITS {
        if rest >= unit {
            let _ = write!(out, "{}{letter}", rest / unit);
            rest %= unit;
        }
    }
    out
}

/// `text` between quotes, with nothing in it that could end them or steer a terminal.
pub(super) fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text::safe(&escaped))
}

/// A value on one line.
pub(super) fn inline(value: &Value, shape: Option<Shape>) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(number) => match (shape, number.as_i64()) {
            (Some(Shape::Duration), Some(seconds)) => duration(seconds),
            _ => number.to_string(),
        },
        Value::String(text) => quote(text),
        Value::List(all) => list(all.iter()),
        Value::Set(all) => list(all.iter()),
        Value::Map(all) if all.is_empty() => "{}".into(),
        Value::Map(all) => {
            let entries: Vec<String> = all
                .iter()
                .map(|(name, value)| format!("{} = {}", name_of(name), inline(value, None)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Declaration(address) => text::safe(&address.to_string()),
        Value::Secret(reference) => text::safe(&reference.to_string()),
        Value::Pending(pending) => pending.to_string(),
    }
}

fn list<'a>(all: impl Iterator<Item = &'a Value>) -> String {
    let members: Vec<String> = all.map(|value| inline(value, None)).collect();
    format!("[{}]", members.join(", "))
}

/// A name in a map: bare where it is a plain word.
fn name_of(name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain { name.to_owned() } else { quote(name) }
}

/// A value that is new.
pub(super) fn new(value: &Value, shape: Option<Shape>, document: bool) -> Shown {
    if let Some(text) = block_text(value, document) {
        return Shown::Block(document_lines(text, Sign::Added));
    }
    let text = inline(value, shape);
    match members(value) {
        Some(members) if text.chars().count() > INLINE_MAX => Shown::Block(
            members
                .into_iter()
                .flat_map(|one| lines_of(&one, Sign::Added))
                .collect(),
        ),
        _ => Shown::Inline(text),
    }
}

/// A value that becomes another.
pub(super) fn change(
    before: Option<&Value>,
    after: Option<&Value>,
    shape: Option<Shape>,
    document: bool,
) -> Shown {
    let empty = Value::string("");
    let as_text = |value: Option<&Value>| value.unwrap_or(&empty).as_str().map(str::to_owned);
    let is_block = [before, after]
        .iter()
        .flatten()
        .any(|value| block_text(value, document).is_some());
    if is_block && let (Some(before), Some(after)) = (as_text(before), as_text(after)) {
        return Shown::Block(diff(&before, &after));
    }
    let show =
        |value: Option<&Value>| value.map_or_else(|| "(none)".into(), |one| inline(one, shape));
    let text = format!("{} -> {}", show(before), show(after));
    if text.chars().count() > INLINE_MAX
        && let (Some(before), Some(after)) = (before, after)
        && let Some(lines) = member_diff(before, after)
    {
        return Shown::Block(lines);
    }
    Shown::Inline(text)
}

/// The text, if it is one that needs several lines.
fn block_text(value: &Value, document: bool) -> Option<&str> {
    value
        .as_str()
        .filter(|text| (document && !text.is_empty()) || text.trim_end().contains('\n'))
}

/// The lines of a member.
fn lines_of(member: &str, sign: Sign) -> Vec<Line> {
    member
        .split('\n')
        .map(|line| Line {
            sign,
            text: block_line(line),
        })
        .collect()
}

/// All lines of a document, none left out.
fn document_lines(text: &str, sign: Sign) -> Vec<Line> {
    text.trim_end_matches('\n')
        .split('\n')
        .map(|line| Line {
            sign,
            text: block_line(line),
        })
        .collect()
}

/// A line of a document, safe to show. CI systems take commands from lines that begin with `::`
/// or `##`, spaces aside, so those are broken.
fn block_line(line: &str) -> String {
    let safe = text::safe_block(line);
    let start = safe.trim_start();
    if start.starts_with("::") || start.starts_with("##[") || start.starts_with("##vso") {
        let spaces = safe.len() - start.len();
        let (indent, rest) = safe.split_at_checked(spaces).unwrap_or(("", &safe));
        return format!("{indent}\\{rest}");
    }
    safe
}

/// The lines that differ, with some around them.
fn diff(before: &str, after: &str) -> Vec<Line> {
    let split = |text: &str| -> Vec<String> {
        text.trim_end_matches('\n')
            .split('\n')
            .map(str::to_owned)
            .collect()
    };
    let (old, new) = (split(before), split(after));
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    // `"".split` gives one empty line, which is no line of an empty document.
    let old = if before.is_empty() { Vec::new() } else { old };
    let new = if after.is_empty() { Vec::new() } else { new };
    let diff = TextDiff::from_slices(&old, &new);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        let from = group.first().map_or(0, |op| op.old_range().start);
        if index > 0 || from > 0 {
            lines.push(gap());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => Sign::Kept,
                ChangeTag::Delete => Sign::Removed,
                ChangeTag::Insert => Sign::Added,
            };
            lines.push(Line {
                sign,
                text: block_line(change.value()),
            });
        }
        let to = group.last().map_or(old.len(), |op| op.old_range().end);
        if index + 1 == diff.grouped_ops(CONTEXT).len() && to < old.len() {
            lines.push(gap());
        }
    }
    if lines.is_empty() {
        lines.push(Line {
            sign: Sign::Kept,
            text: "(differs in line ends only)".into(),
        });
    }
    lines
}

fn gap() -> Line {
    Line {
        sign: Sign::Gap,
        text: "...".into(),
    }
}

/// The members of a collection; `None` for what is no collection. A member of several lines, a
/// key in PEM for one, stands on as many.
fn members(value: &Value) -> Option<Vec<String>> {
    let member = |value: &Value| match value.as_str() {
        Some(text) if text.trim_end().contains('\n') => {
            format!("\"{}\"", text.trim_end().replace('\n', "\n "))
        }
        _ => inline(value, None),
    };
    Some(match value {
        Value::List(all) => all.iter().map(member).collect(),
        Value::Set(all) => all.iter().map(member).collect(),
        Value::Map(all) => all
            .iter()
            .map(|(name, value)| format!("{} = {}", name_of(name), member(value)))
            .collect(),
        _ => return None,
    })
}

/// Which members of a collection come and go. The order of a list matters, so a list is
/// compared line by line.
fn member_diff(before: &Value, after: &Value) -> Option<Vec<Line>> {
    let (old, new) = (members(before)?, members(after)?);
    if matches!(before, Value::List(_)) || matches!(after, Value::List(_)) {
        return Some(diff(&old.join("\n"), &new.join("\n")));
    }
    let old: BTreeSet<String> = old.into_iter().collect();
    let new: BTreeSet<String> = new.into_iter().collect();
    let gone = old
        .difference(&new)
        .flat_map(|one| lines_of(one, Sign::Removed));
    let come = new
        .difference(&old)
        .flat_map(|one| lines_of(one, Sign::Added));
    let mut lines: Vec<Line> = gone.chain(come).collect();
    let kept = old.intersection(&new).count();
    if kept > 0 {
        lines.push(Line {
            sign: Sign::Kept,
            text: format!("({kept} unchanged)"),
        });
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use remit_sdk::SecretRef;

    use super::*;

    fn text(shown: Shown) -> String {
        match shown {
            Shown::Inline(text) => text,
            Shown::Block(all) => super::super::lines(all.iter().map(|line| {
                let sign = match line.sign {
                    Sign::Added => '+',
                    Sign::Removed => '-',
                    Sign::Kept => ' ',
                    Sign::Gap => '.',
                };
                format!("{sign}|{}", line.text)
            })),
        }
    }

    #[test]
    fn durations_are_exact() {
        for (seconds, text) in [
            (0, "0"),
            (-1, "-1"),
            (45, "45s"),
            (900, "15m"),
            (5_400, "1h30m"),
            (86_400, "1d"),
            (2_764_801, "32d1s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn nothing_steers_the_terminal_or_ends_the_quotes() {
        let value = Value::string("a\"b\\\u{1b}]52;c;x\u{7}\u{202e}");
        assert_eq!(
            inline(&value, None),
            "\"a\\\"b\\\\\\u{1b}]52;c;x\\u{7}\\u{202e}\""
        );
        let secret = Value::Secret(SecretRef::Env("PG\u{1b}[2J".into()));
        assert_eq!(inline(&secret, None), "env(\"PG\\u{1b}[2J\")");
    }

    #[test]
    fn a_document_can_give_no_command_to_a_ci_system() {
        let shown = change(
            Some(&Value::string("a\n  ::add-mask::x\nb")),
            Some(&Value::string("a\n  ::add-mask::x\nc")),
            None,
            true,
        );
        assert_eq!(text(shown), " |a\n |  \\::add-mask::x\n-|b\n+|c\n");
    }

    #[test]
    fn far_lines_are_left_out_and_it_shows() {
        let before: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        let after = before.join("\n").replace("\n6\n", "\nsix\n");
        let shown = change(
            Some(&Value::string(before.join("\n"))),
            Some(&Value::string(after)),
            None,
            true,
        );
        assert_eq!(
            text(shown),
            ".|...\n |3\n |4\n |5\n-|6\n+|six\n |7\n |8\n |9\n.|...\n"
        );
    }

    #[test]
    fn long_sets_show_what_comes_and_goes() {
        let set = |names: &[&str]| {
            Value::strings(
                names
                    .iter()
                    .map(|name| format!("{name}-with-a-rather-long-tail")),
            )
        };
        let shown = change(
            Some(&set(&["a", "b", "c"])),
            Some(&set(&["b", "c", "d"])),
            Some(Shape::Set),
            false,
        );
        assert_eq!(
            text(shown),
            "-|\"a-with-a-rather-long-tail\"\n+|\"d-with-a-rather-long-tail\"\n |(2 unchanged)\n"
        );
    }

    #[test]
    fn a_key_in_pem_stands_on_its_lines() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\u{1b}\n-----END PUBLIC KEY-----\n";
        assert_eq!(
            text(new(
                &Value::List(vec![Value::string(pem)]),
                Some(Shape::List),
                false
            )),
            "+|\"-----BEGIN PUBLIC KEY-----\n+| MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\\u{1b}\n+| -----END PUBLIC KEY-----\"\n"
        );
    }

    #[test]
    fn line_ends_alone_are_said() {
        let shown = change(
            Some(&Value::string("a\n")),
            Some(&Value::string("a")),
            None,
            true,
        );
        assert_eq!(text(shown), " |(differs in line ends only)\n");
    }

    #[test]
    fn a_document_that_comes_is_shown_in_full() {
        assert_eq!(
            text(change(None, Some(&Value::string("a\nb")), None, true)),
            "+|a\n+|b\n"
        );
        assert_eq!(
            text(new(&Value::string("a\nb\n"), None, true)),
            "+|a\n+|b\n"
        );
    }
}
