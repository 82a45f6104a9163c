//! Text: cutting, joining, trimming, changing case.
//!
//! Case is changed character by character, as Terraform does: a character whose other case is
//! more than one character (`ß`) stays as it is.

use remit_sdk::Value;

use super::arguments::Arguments;
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed, variadic};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("chomp", "chomp(text)", 1, |a| {
        Ok(Value::string(a.text(0)?.trim_end_matches(['\r', '\n'])))
    }),
    fixed("endswith", "endswith(text, end)", 2, |a| {
        Ok(Value::Bool(a.text(0)?.ends_with(&*a.text(1)?)))
    }),
    fixed("indent", "indent(spaces, text)", 2, indent),
    variadic("join", "join(separator, list)", 2, join),
    fixed("lower", "lower(text)", 1, |a| {
        Ok(Value::String(a.text(0)?.chars().map(lower).collect()))
    }),
    fixed("split", "split(separator, text)", 2, split),
    fixed("startswith", "startswith(text, start)", 2, |a| {
        Ok(Value::Bool(a.text(0)?.starts_with(&*a.text(1)?)))
    }),
    fixed("strcontains", "strcontains(text, part)", 2, |a| {
        Ok(Value::Bool(a.text(0)?.contains(&*a.text(1)?)))
    }),
    fixed("strrev", "strrev(text)", 1, |a| {
        Ok(Value::String(a.text(0)?.chars().rev().collect()))
    }),
    fixed("substr", "substr(text, offset, length)", 3, substr),
    fixed("title", "title(text)", 1, |a| {
        Ok(Value::String(title(&a.text(0)?)))
    }),
    fixed("trim", "trim(text, characters)", 2, |a| {
        let (text, cut) = (a.text(0)?, a.text(1)?);
        Ok(Value::string(text.trim_matches(|c| cut.contains(c))))
    }),
    fixed("trimprefix", "trimprefix(text, prefix)", 2, |a| {
        let (text, prefix) = (a.text(0)?, a.text(1)?);
        Ok(Value::string(text.strip_prefix(&*prefix).unwrap_or(&text)))
    }),
    fixed("trimspace", "trimspace(text)", 1, |a| {
        Ok(Value::string(a.text(0)?.trim()))
    }),
    fixed("trimsuffix", "trimsuffix(text, suffix)", 2, |a| {
        let (text, suffix) = (a.text(0)?, a.text(1)?);
        Ok(Value::string(text.strip_suffix(&*suffix).unwrap_or(&text)))
    }),
    fixed("upper", "upper(text)", 1, |a| {
        Ok(Value::String(a.text(0)?.chars().map(upper).collect()))
    }),
];

fn upper(c: char) -> char {
    let mut other = c.to_uppercase();
    match (other.next(), other.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}

fn lower(c: char) -> char {
    let mut other = c.to_lowercase();
    match (other.next(), other.next()) {
        (Some(lower), None) => lower,
        _ => c,
    }
}

/// The first letter of each word in upper case. Words are made of letters, digits and `_`.
fn title(text: &str) -> String {
    let mut before = ' ';
    text.chars()
        .map(|c| {
            let begins = !(before.is_alphanumeric() || before == '_')
                && (before.is_ascii() || before.is_whitespace());
            before = c;
            if begins { upper(c) } else { c }
        })
        .collect()
}

fn indent(a: &Arguments<'_>) -> Outcome {
    let (spaces, text) = (a.size(0)?, a.text(1)?);
    let breaks = text.matches('\n').count();
    let mut room = Room::new();
    room.take(breaks.saturating_mul(spaces).saturating_add(text.len()))?;
    if breaks == 0 {
        return Ok(Value::String(text.into_owned()));
    }
    let mut line = String::from("\n");
    line.extend(std::iter::repeat_n(' ', spaces));
    Ok(Value::String(text.replace('\n', &line)))
}

fn join(a: &Arguments<'_>) -> Outcome {
    let separator = a.text(0)?;
    let mut room = Room::new();
    let mut out = String::new();
    let mut first = true;
    for position in 1..a.count() {
        for part in a.texts(position)? {
            room.take(separator.len().saturating_add(part.len()))?;
            if !first {
                out.push_str(&separator);
            }
            out.push_str(&part);
            first = false;
        }
    }
    Ok(Value::String(out))
}

fn split(a: &Arguments<'_>) -> Outcome {
    let (separator, text) = (a.text(0)?, a.text(1)?);
    let mut room = Room::new();
    if separator.is_empty() {
        return text
            .chars()
            .map(|c| room.text(c.encode_utf8(&mut [0; 4])))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    text.split(&*separator)
        .map(|part| room.text(part))
        .collect::<Result<_, _>>()
        .map(Value::List)
}

/// `length` characters from `offset`, which counts from the end where it is negative; -1 is all
/// of them.
fn substr(a: &Arguments<'_>) -> Outcome {
    let (text, offset, length) = (a.text(0)?, a.integer(1)?, a.integer(2)?);
    if length < -1 {
        return Err(FunctionError::at(2, format!("{length} is no length"))
            .help("write -1 for all of the text that follows"));
    }
    let start = match usize::try_from(offset) {
        Ok(start) => start,
        Err(_) => text
            .chars()
            .count()
            .saturating_sub(usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Value::String(
        text.chars().skip(start).take(length).collect(),
    ))
}
