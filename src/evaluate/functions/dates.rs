//! Times, which are given in RFC 3339 and never read from a clock.

use std::borrow::Cow;

use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, civil};
use remit_sdk::Value;

use super::arguments::{Arguments, describe};
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("formatdate", "formatdate(format, time)", 2, format_date),
    fixed("timeadd", "timeadd(time, duration)", 2, time_add),
    fixed("timecmp", "timecmp(time, time)", 2, |a| {
        let (first, second) = (Time::parse(a, 0)?, Time::parse(a, 1)?);
        Ok(Value::integer(first.at.cmp(&second.at) as i64))
    }),
];

/// A point in time and the offset it was written with.
struct Time {
    at: Timestamp,
    offset: Offset,
}

impl Time {
    fn parse(a: &Arguments<'_>, position: usize) -> Result<Self, FunctionError> {
        let text = a.text(position)?;
        Self::read(&text).ok_or_else(|| {
            let found = describe(a.value(position));
            FunctionError::at(position, format!("{found} is no time in RFC 3339"))
                .help("write it as `2030-01-31T12:00:00Z`")
        })
    }

    fn read(text: &str) -> Option<Self> {
        if !is_rfc_3339(text) {
            return None;
        }
        let pieces = Pieces::parse(text).ok()?;
        let offset = pieces.to_numeric_offset()?;
        let local = civil::DateTime::from_parts(pieces.date(), pieces.time()?);
        let at = offset.to_timestamp(local).ok()?;
        Some(Self { at, offset })
    }

    fn local(&self) -> civil::DateTime {
        self.offset.to_datetime(self.at)
    }

    /// The offset as `+02:00`, with the given text between hours and minutes.
    fn offset_text(&self, between: &str) -> String {
        let seconds = self.offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60)
    }
}

/// Whether the text has RFC 3339's shape: jiff reads all of ISO 8601, and takes second 60.
fn is_rfc_3339(text: &str) -> bool {
    let fits = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(byte, shape)| match shape {
                    b'0' => byte.is_ascii_digit(),
                    b'+' => byte == b'+' || byte == b'-',
                    shape => byte == shape,
                })
    };
    let Some((date, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let rest = match rest.strip_prefix('.') {
        // jiff keeps nanoseconds.
        Some(fraction) => {
            let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if !(1..=9).contains(&(fraction.len() - after.len())) {
                return false;
            }
            after
        }
        None => rest,
    };
    fits(date, "0000-00-00T00:00:00")
        && !date.ends_with(":60")
        && (rest == "Z" || fits(rest, "+00:00"))
}

/// The time plus a duration such as `1h30m` or `-10m`, in whole seconds.
fn time_add(a: &Arguments<'_>) -> Outcome {
    let (time, duration) = (Time::parse(a, 0)?, a.text(1)?);
    let duration = read_duration(&duration).ok_or_else(|| {
        FunctionError::at(1, format!("{} is no duration", describe(a.value(1))))
            .help("write numbers with a unit of `h`, `m`, `s`, `ms`, `us` or `ns`, such as `1h30m`")
    })?;
    let at = time.at.checked_add(duration).map_err(|_| too_far())?;
    let time = Time { at, ..time };
    let year = time.local().year();
    if !(0..=9999).contains(&year) {
        return Err(too_far());
    }
    let offset = match time.offset.seconds() {
        0 => Cow::Borrowed("Z"),
        _ => Cow::Owned(time.offset_text(":")),
    };
    let local = time.local().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    Ok(Value::String(format!("{local}{offset}")))
}

fn too_far() -> FunctionError {
    FunctionError::new("the result is no time between the years 0 and 9999")
}

/// A duration as Go writes it: a sign, then numbers with units; `0` needs no unit.
fn read_duration(text: &str) -> Option<SignedDuration> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let digits_of = |text: &str| {
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let mut total = 0_i128;
    while !rest.is_empty() {
        let (whole, after) = rest.split_at_checked(digits_of(rest))?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at_checked(digits_of(after))?,
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let (_, nanoseconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        if !whole.is_empty() {
            let whole: i128 = i128::from(whole.parse::<u64>().ok()?);
            total = total.checked_add(whole.checked_mul(*nanoseconds)?)?;
        }
        // Each digit of the fraction is worth a tenth of the one before.
        let mut worth = *nanoseconds;
        for digit in fraction.chars() {
            worth /= 10;
            total = total.checked_add(worth * i128::from(digit.to_digit(10)?))?;
        }
        rest = after;
    }
    let seconds = i64::try_from(total / 1_000_000_000).ok()?;
    let nanoseconds = i32::try_from(total % 1_000_000_000).ok()?;
    let duration = SignedDuration::new(seconds, nanoseconds);
    Some(if negative { -duration } else { duration })
}

/// Runs of one letter are parts of the time, text between single quotes and whatever is no
/// letter stands for itself.
fn format_date(a: &Arguments<'_>) -> Outcome {
    let (format, time) = (a.text(0)?, Time::parse(a, 1)?);
    let local = time.local();
    let mut room = Room::new();
    let mut out = String::new();
    let mut rest = &*format;
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            let (text, after) = quoted(rest)?;
            room.take(text.len())?;
            out.push_str(&text);
            rest = after;
            continue;
        }
        let after = rest.trim_start_matches(c);
        let (run, after) = rest
            .split_at_checked(rest.len() - after.len())
            .unwrap_or((rest, ""));
        if c.is_ascii_alphabetic() {
            let part = part(run, &time, local)?;
            room.take(part.len())?;
            out.push_str(&part);
        } else {
            room.take(run.len())?;
            out.push_str(run);
        }
        rest = after;
    }
    Ok(Value::String(out))
}

/// Reads quoted text from the front; two quotes inside are one.
fn quoted(text: &str) -> Result<(String, &str), FunctionError> {
    let mut out = String::new();
    let mut rest = text.strip_prefix('\'').unwrap_or(text);
    while let Some((inner, after)) = rest.split_once('\'') {
        out.push_str(inner);
        match after.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok((out, after)),
        }
    }
    Err(FunctionError::at(
        0,
        "a quote in the format is never closed",
    ))
}

fn part(run: &str, time: &Time, local: civil::DateTime) -> Result<String, FunctionError> {
    let hour = local.hour();
    let half = if hour % 12 == 0 { 12 } else { hour % 12 };
    Ok(match run {
        "YYYY" => format!("{:04}", local.year()),
        "YY" => format!("{:02}", local.year().rem_euclid(100)),
        "MMMM" => local.strftime("%B").to_string(),
        "MMM" => local.strftime("%b").to_string(),
        "MM" => format!("{:02}", local.month()),
        "M" => local.month().to_string(),
        "DD" => format!("{:02}", local.day()),
        "D" => local.day().to_string(),
        "EEEE" => local.strftime("%A").to_string(),
        "EEE" => local.strftime("%a").to_string(),
        "hh" => format!("{hour:02}"),
        "h" => hour.to_string(),
        "HH" => format!("{half:02}"),
        "H" => half.to_string(),
        "AA" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        "mm" => format!("{:02}", local.minute()),
        "m" => local.minute().to_string(),
        "ss" => format!("{:02}", local.second()),
        "s" => local.second().to_string(),
        "ZZZ" if time.offset.seconds() == 0 => "UTC".to_owned(),
        "Z" if time.offset.seconds() == 0 => "Z".to_owned(),
        "ZZZZZ" | "Z" => time.offset_text(":"),
        "ZZZZ" | "ZZZ" => time.offset_text(""),
        _ => {
            // A long run would hide the message.
            let run: String = run.chars().take(8).collect();
            return Err(
                FunctionError::at(0, format!("`{run}` is no part of a time")).help(
                    "parts are YYYY MM DD hh mm ss ZZZZZ and their shorter forms; text stands between single quotes",
                ),
            );
        }
    })
}
