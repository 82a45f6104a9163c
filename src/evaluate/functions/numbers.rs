//! Numbers: integers stay integers, and what doesn't fit is an error, never a float that looks
//! right.

use remit_sdk::{Number, Value};

use super::arguments::{Arguments, describe, number};
use super::{Function, FunctionError, Outcome, fixed, variadic};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("abs", "abs(number)", 1, |a| match a.number(0)? {
        Number::Integer(n) => n.checked_abs().map(Value::integer).ok_or_else(too_large),
        Number::Float(n) => float(n.abs()),
    }),
    fixed("ceil", "ceil(number)", 1, |a| whole(a, f64::ceil)),
    fixed("floor", "floor(number)", 1, |a| whole(a, f64::floor)),
    fixed("log", "log(number, base)", 2, log),
    variadic("max", "max(number, number)", 1, |a| {
        numbers(a).map(|all| all.into_iter().max().map_or(Value::Null, Value::Number))
    }),
    variadic("min", "min(number, number)", 1, |a| {
        numbers(a).map(|all| all.into_iter().min().map_or(Value::Null, Value::Number))
    }),
    fixed("parseint", "parseint(text, base)", 2, parseint),
    fixed("pow", "pow(number, power)", 2, pow),
    fixed("signum", "signum(number)", 1, |a| {
        Ok(Value::integer(match a.number(0)? {
            Number::Integer(n) => n.signum(),
            Number::Float(n) if n > 0.0 => 1,
            Number::Float(n) if n < 0.0 => -1,
            Number::Float(_) => 0,
        }))
    }),
    fixed("sum", "sum(list)", 1, sum),
];

fn too_large() -> FunctionError {
    FunctionError::new("the result is too large for a number")
}

/// A float as the language's number.
fn float(result: f64) -> Outcome {
    Number::from_f64(result)
        .map(Value::Number)
        .ok_or_else(too_large)
}

fn whole(a: &Arguments<'_>, round: fn(f64) -> f64) -> Outcome {
    match a.number(0)? {
        integer @ Number::Integer(_) => Ok(Value::Number(integer)),
        Number::Float(n) => float(round(n)),
    }
}

fn numbers(a: &Arguments<'_>) -> Result<Vec<Number>, FunctionError> {
    (0..a.count()).map(|position| a.number(position)).collect()
}

fn log(a: &Arguments<'_>) -> Outcome {
    let (of, base) = (a.number(0)?.as_f64(), a.number(1)?.as_f64());
    if of <= 0.0 {
        return Err(FunctionError::at(
            0,
            "only numbers above 0 have a logarithm",
        ));
    }
    if base <= 0.0 || (base - 1.0).abs() < f64::EPSILON {
        return Err(FunctionError::at(1, "a base is above 0 and isn't 1"));
    }
    float(of.ln() / base.ln())
}

fn pow(a: &Arguments<'_>) -> Outcome {
    let (base, power) = (a.number(0)?, a.number(1)?);
    if let (Number::Integer(base), Number::Integer(power @ 0..)) = (base, power) {
        // From 64 on, only -1, 0 and 1 have a power that fits, and that alternates.
        let power = u32::try_from(if power > 64 { 64 + power % 2 } else { power });
        return power
            .ok()
            .and_then(|power| base.checked_pow(power))
            .map(Value::integer)
            .ok_or_else(too_large);
    }
    let result = base.as_f64().powf(power.as_f64());
    if result.is_nan() {
        return Err(FunctionError::new("a negative number has no such power"));
    }
    float(result)
}

/// Digits are `0`-`9`, `a`-`z` and, beyond base 36, `A`-`Z` for 36 to 61; up to base 36 the case
/// of a letter doesn't matter.
fn parseint(a: &Arguments<'_>) -> Outcome {
    let Value::String(text) = a.value(0) else {
        let found = describe(a.value(0));
        return Err(FunctionError::at(
            0,
            format!("text is wanted, and this is {found}"),
        ));
    };
    let base = a.integer(1)?;
    if !(2..=62).contains(&base) {
        return Err(FunctionError::at(1, "a base is a whole number of 2 to 62"));
    }
    let bad = || {
        let found = describe(a.value(0));
        FunctionError::at(0, format!("{found} is no whole number in base {base}"))
    };
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return Err(bad());
    }
    let mut result = 0_i64;
    for c in digits.chars() {
        let digit = digit(c, base).ok_or_else(bad)?;
        let signed = if negative { -digit } else { digit };
        result = result
            .checked_mul(base)
            .and_then(|shifted| shifted.checked_add(signed))
            .ok_or_else(too_large)?;
    }
    Ok(Value::integer(result))
}

fn digit(c: char, base: i64) -> Option<i64> {
    let value = match c {
        'A'..='Z' if base > 36 => i64::from(u32::from(c) - u32::from('A')) + 36,
        _ => i64::from(c.to_digit(36)?),
    };
    (value < base).then_some(value)
}

fn sum(a: &Arguments<'_>) -> Outcome {
    let all = a.list(0)?;
    if all.is_empty() {
        return Err(FunctionError::at(0, "an empty list has no sum")
            .help("add a number that is always there, as in `sum(concat([0], LIST))`"));
    }
    let mut total = Number::Integer(0);
    for value in all {
        let next = number(value).map_err(|_| {
            let found = describe(value);
            FunctionError::at(
                0,
                format!("a list of numbers is wanted, and it holds {found}"),
            )
        })?;
        total = match (total, next) {
            (Number::Integer(a), Number::Integer(b)) => {
                Number::Integer(a.checked_add(b).ok_or_else(too_large)?)
            }
            (a, b) => Number::from_f64(a.as_f64() + b.as_f64()).ok_or_else(too_large)?,
        };
    }
    Ok(Value::Number(total))
}
