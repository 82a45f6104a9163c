//! `format` and `formatlist`: text with verbs such as `%s` and `%05.1f` in it.
//!
//! A verb is `%[flags][width][.precision][[argument]]letter`. Flags are `-` (pad at the right),
//! `0` (pad with zeros), `+` and space (show a sign) and `#` (for `%v`, as JSON). `%[2]s` takes
//! the second value, and the verbs after it go on from there.

use std::borrow::Cow;

use remit_sdk::{Number, Value};

use super::arguments::{self, Arguments, describe, elements};
use super::json;
use super::room::Room;
use super::{Function, FunctionError, Outcome, variadic};

/// Characters one verb may be padded to, and digits it may show: beyond any table, and below
/// what would make rendering a number costly.
const WIDTH_MAX: usize = 1024;

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("format", "format(text, value)", 1, |a| {
        let pieces = parse(&a.text(0)?)?;
        let values: Vec<&Value> = a.all().iter().skip(1).collect();
        check_count(&pieces, values.len())?;
        render(&pieces, &values, &mut Room::new()).map(Value::String)
    }),
    variadic("formatlist", "formatlist(text, list)", 1, format_list),
];

/// A piece of the format.
enum Piece {
    Text(String),
    Verb(Verb),
}

#[derive(Default)]
struct Verb {
    letter: char,
    plus: bool,
    space: bool,
    minus: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    /// Which value, counted from 0.
    value: usize,
    /// The verb as it was written.
    written: String,
}

fn format_list(a: &Arguments<'_>) -> Outcome {
    let pieces = parse(&a.text(0)?)?;
    let rest = a.all().iter().skip(1);
    let columns: Vec<(usize, &Value, Option<Vec<&Value>>)> = rest
        .enumerate()
        .map(|(index, value)| (index + 1, value, elements(value)))
        .collect();
    check_count(&pieces, columns.len())?;
    let mut rows = None;
    for (position, _, list) in &columns {
        let Some(list) = list else { continue };
        let wanted = *rows.get_or_insert(list.len());
        if list.len() != wanted {
            return Err(FunctionError::at(
                *position,
                format!(
                    "all lists must be of one length; this one has {} elements, one before it {wanted}",
                    list.len()
                ),
            ));
        }
    }
    let mut room = Room::new();
    (0..rows.unwrap_or(1))
        .map(|row| {
            let values: Vec<&Value> = columns
                .iter()
                .map(|(_, value, list)| match list {
                    Some(list) => list.get(row).copied().unwrap_or(&Value::Null),
                    None => *value,
                })
                .collect();
            room.take(size_of::<Value>())?;
            render(&pieces, &values, &mut room).map(Value::String)
        })
        .collect::<Result<_, _>>()
        .map(Value::List)
}

/// Every value is used, and every verb has one.
fn check_count(pieces: &[Piece], count: usize) -> Result<(), FunctionError> {
    let verbs = || {
        pieces.iter().filter_map(|piece| match piece {
            Piece::Verb(verb) => Some(verb),
            Piece::Text(_) => None,
        })
    };
    if let Some(verb) = verbs().find(|verb| verb.value >= count) {
        return Err(FunctionError::at(
            0,
            format!(
                "`{}` takes value {}, and the call has {count}",
                verb.written,
                verb.value + 1
            ),
        )
        .help("add a value for each verb; a percent sign is written `%%`"));
    }
    let used = verbs().map(|verb| verb.value + 1).max().unwrap_or(0);
    if used < count {
        return Err(
            FunctionError::at(used + 1, "no verb of the format takes this value")
                .help("add a verb such as `%s`, or leave the value out"),
        );
    }
    Ok(())
}

fn parse(text: &str) -> Result<Vec<Piece>, FunctionError> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            plain.push('%');
            rest = after;
            continue;
        }
        pieces.push(Piece::Text(std::mem::take(&mut plain)));
        let (verb, after) = parse_verb(after, next)?;
        next = verb.value + 1;
        pieces.push(Piece::Verb(verb));
        rest = after;
    }
    plain.push_str(rest);
    pieces.push(Piece::Text(plain));
    Ok(pieces)
}

/// Reads what follows a `%`; `next` is the value a verb without number takes.
fn parse_verb(text: &str, next: usize) -> Result<(Verb, &str), FunctionError> {
    let mut verb = Verb {
        value: next,
        ..Verb::default()
    };
    let mut rest = text;
    loop {
        let mut chars = rest.chars();
        match chars.next() {
            Some('+') => verb.plus = true,
            Some(' ') => verb.space = true,
            Some('-') => verb.minus = true,
            Some('0') => verb.zero = true,
            Some('#') => verb.sharp = true,
            _ => break,
        }
        rest = chars.as_str();
    }
    verb.width = take_number(&mut rest)?.unwrap_or(0);
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        verb.precision = Some(take_number(&mut rest)?.unwrap_or(0));
    }
    if let Some(after) = rest.strip_prefix('[') {
        rest = after;
        let number = take_number(&mut rest)?.and_then(|number| number.checked_sub(1));
        let closed = rest.strip_prefix(']');
        let (Some(number), Some(after)) = (number, closed) else {
            return Err(
                FunctionError::at(0, "`[` in a verb begins no number of a value")
                    .help("write `%[1]s` for the first value"),
            );
        };
        verb.value = number;
        rest = after;
    }
    let mut chars = rest.chars();
    let letter = chars.next();
    let after = chars.as_str();
    let written = text.get(..text.len() - after.len()).unwrap_or_default();
    let written = remit_sdk::text::safe(written);
    verb.letter =
        match letter {
            Some(letter) if "vtbdoxXeEfFgGsq".contains(letter) => letter,
            _ => {
                return Err(FunctionError::at(0, format!("`%{written}` is no verb")).help(
                "verbs are %v %s %q %d %f %g %e %t %b %o %x; a percent sign is written `%%`",
            ));
            }
        };
    verb.written = format!("%{written}");
    Ok((verb, after))
}

fn take_number(rest: &mut &str) -> Result<Option<usize>, FunctionError> {
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, after) = rest.split_at_checked(end).unwrap_or(("", rest));
    *rest = after;
    if digits.is_empty() {
        return Ok(None);
    }
    match digits.parse() {
        Ok(number) if number <= WIDTH_MAX => Ok(Some(number)),
        _ => Err(FunctionError::at(
            0,
            format!("a number in a verb is at most {WIDTH_MAX}"),
        )),
    }
}

fn render(pieces: &[Piece], values: &[&Value], room: &mut Room) -> Result<String, FunctionError> {
    let mut out = String::new();
    for piece in pieces {
        let text = match piece {
            Piece::Text(text) => Cow::Borrowed(text),
            Piece::Verb(verb) => {
                let value = values.get(verb.value).copied().unwrap_or(&Value::Null);
                let rendered = verb.render(value).map_err(|mut error| {
                    error.message = format!("`{}`: {}", verb.written, error.message);
                    error.or_at(verb.value + 1)
                })?;
                Cow::Owned(rendered)
            }
        };
        room.take(text.len())?;
        out.push_str(&text);
    }
    Ok(out)
}

impl Verb {
    fn render(&self, value: &Value) -> Result<String, FunctionError> {
        match self.letter {
            'v' => self.any(value),
            't' => {
                let truth = arguments::boolean(value)?;
                Ok(self.pad(truth.to_string()))
            }
            's' | 'q' => {
                let text = arguments::text(value)?;
                let text: String = match self.precision {
                    Some(precision) => text.chars().take(precision).collect(),
                    None => text.into_owned(),
                };
                Ok(self.pad(if self.letter == 'q' {
                    json::quoted(&text)
                } else {
                    text
                }))
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let number = arguments::number(value)?;
                let number = number
                    .as_i64()
                    .ok_or_else(|| arguments::misfit("a whole number", value))?;
                Ok(self.pad_number(number < 0, self.integer(number.unsigned_abs())))
            }
            _ => {
                let number = arguments::number(value)?.as_f64();
                Ok(self.pad_number(number.is_sign_negative(), self.float(number.abs())))
            }
        }
    }

    /// `%v`: what is natural for the value.
    fn any(&self, value: &Value) -> Result<String, FunctionError> {
        if self.sharp {
            return json::encode(value).map(|text| self.pad(text));
        }
        match value {
            Value::Null => Ok(self.pad("null".into())),
            Value::Number(Number::Integer(n)) => {
                Ok(self.pad_number(*n < 0, n.unsigned_abs().to_string()))
            }
            Value::Number(Number::Float(n)) => {
                Ok(self.pad_number(n.is_sign_negative(), n.abs().to_string()))
            }
            Value::Bool(_) | Value::String(_) => Ok(self.pad(arguments::text(value)?.into_owned())),
            Value::List(_) | Value::Set(_) | Value::Map(_) => {
                json::encode(value).map(|text| self.pad(text))
            }
            other => Err(FunctionError::new(format!(
                "{} can't be made text",
                describe(other)
            ))),
        }
    }

    fn integer(&self, number: u64) -> String {
        let digits = match self.letter {
            'b' => format!("{number:b}"),
            'o' => format!("{number:o}"),
            'x' => format!("{number:x}"),
            'X' => format!("{number:X}"),
            _ => number.to_string(),
        };
        let missing = self.precision.unwrap_or(0).saturating_sub(digits.len());
        "0".repeat(missing) + &digits
    }

    fn float(&self, number: f64) -> String {
        let text = match self.letter {
            'e' | 'E' => exponent(&format!("{number:.*e}", self.precision.unwrap_or(6))),
            'f' | 'F' => format!("{number:.*}", self.precision.unwrap_or(6)),
            _ => self.shortest(number),
        };
        if self.letter.is_ascii_uppercase() {
            text.to_ascii_uppercase()
        } else {
            text
        }
    }

    /// `%g`: with an exponent for what is very large or very small, and no more digits than
    /// needed.
    fn shortest(&self, number: f64) -> String {
        /// Without precision, `%g` writes numbers out up to this many digits.
        const PLAIN_DIGITS: i32 = 21;
        let scientific = match self.precision {
            Some(precision) => format!("{number:.*e}", precision.max(1) - 1),
            None => format!("{number:e}"),
        };
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let power: i32 = power.parse().unwrap_or(0);
        let mantissa = if mantissa.contains('.') {
            mantissa.trim_end_matches('0').trim_end_matches('.')
        } else {
            mantissa
        };
        let digits = self.precision.map_or(PLAIN_DIGITS, |precision| {
            i32::try_from(precision.max(1)).unwrap_or(PLAIN_DIGITS)
        });
        if power < -4 || power >= digits {
            return exponent(&format!("{mantissa}e{power}"));
        }
        // The rounded number again, now without exponent.
        format!("{mantissa}e{power}")
            .parse::<f64>()
            .unwrap_or(number)
            .to_string()
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    /// Zeros go between sign and digits.
    fn pad_number(&self, negative: bool, digits: String) -> String {
        let sign = self.sign(negative);
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        if self.zero && !self.minus {
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        self.pad(format!("{sign}{digits}"))
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.minus {
            text + &" ".repeat(missing)
        } else if self.zero {
            "0".repeat(missing) + &text
        } else {
            " ".repeat(missing) + &text
        }
    }
}

/// An exponent with its sign and two digits or more: `1e5` as `1e+05`.
fn exponent(text: &str) -> String {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.unsigned_abs())
}
