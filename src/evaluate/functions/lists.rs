//! Lists. A set stands wherever a list may: its elements come in order.

use std::collections::BTreeSet;

use remit_sdk::{Number, Value};

use super::arguments::{Arguments, boolean, describe, elements, unify};
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed, variadic};

/// Numbers one `range` may give: as many as one `for_each` may make instances.
const RANGE_MAX: usize = 10_000;

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("alltrue", "alltrue(list)", 1, |a| {
        truths(a).map(|all| Value::Bool(all.iter().all(|truth| *truth == Some(true))))
    }),
    fixed("anytrue", "anytrue(list)", 1, |a| {
        truths(a).map(|all| Value::Bool(all.contains(&Some(true))))
    }),
    fixed("chunklist", "chunklist(list, size)", 2, chunklist),
    variadic("coalescelist", "coalescelist(list, list)", 1, coalescelist),
    fixed("compact", "compact(list)", 1, compact),
    variadic("concat", "concat(list, list)", 1, concat),
    fixed("contains", "contains(list, value)", 2, |a| {
        Ok(Value::Bool(a.list(0)?.contains(&a.value(1))))
    }),
    fixed("distinct", "distinct(list)", 1, distinct),
    fixed("element", "element(list, index)", 2, element),
    fixed("flatten", "flatten(list)", 1, |a| {
        let mut out = Vec::new();
        flatten(a.list(0)?, &mut out);
        Ok(Value::List(out))
    }),
    fixed("index", "index(list, value)", 2, index),
    Function {
        name: "range",
        usage: "range(start, limit, step)",
        least: 1,
        most: Some(3),
        run: range,
    },
    fixed("reverse", "reverse(list)", 1, |a| {
        Ok(Value::List(a.list(0)?.into_iter().rev().cloned().collect()))
    }),
    fixed("slice", "slice(list, start, end)", 3, slice),
    fixed("sort", "sort(list)", 1, |a| {
        let mut all = a.texts(0)?;
        all.sort_unstable();
        Ok(Value::List(all.into_iter().map(Value::string).collect()))
    }),
];

/// Elements as true, false or null.
fn truths(a: &Arguments<'_>) -> Result<Vec<Option<bool>>, FunctionError> {
    a.list(0)?
        .into_iter()
        .map(|value| match value {
            Value::Null => Ok(None),
            value => boolean(value).map(Some).map_err(|_| {
                let found = describe(value);
                FunctionError::at(
                    0,
                    format!("a list of bools is wanted, and it holds {found}"),
                )
            }),
        })
        .collect()
}

/// Lists of `size` elements each; one list of all where `size` is 0.
fn chunklist(a: &Arguments<'_>) -> Outcome {
    let (list, size) = (a.list(0)?, a.size(1)?);
    let size = if size == 0 { list.len().max(1) } else { size };
    Ok(Value::List(
        list.chunks(size)
            .map(|chunk| Value::List(chunk.iter().copied().cloned().collect()))
            .collect(),
    ))
}

fn coalescelist(a: &Arguments<'_>) -> Outcome {
    for position in 0..a.count() {
        let value = a.value(position);
        if *value != Value::Null && !a.list(position)?.is_empty() {
            return Ok(value.clone());
        }
    }
    Err(FunctionError::new("every list is empty"))
}

fn compact(a: &Arguments<'_>) -> Outcome {
    let mut out = Vec::new();
    for value in a.list(0)? {
        if *value == Value::Null {
            continue;
        }
        let text = super::arguments::text(value).map_err(|_| {
            let found = describe(value);
            FunctionError::at(
                0,
                format!("a list of strings is wanted, and it holds {found}"),
            )
        })?;
        if !text.is_empty() {
            out.push(Value::string(text));
        }
    }
    Ok(Value::List(out))
}

fn concat(a: &Arguments<'_>) -> Outcome {
    let mut room = Room::new();
    let mut out = Vec::new();
    for position in 0..a.count() {
        room.take_value(a.value(position))?;
        out.extend(a.list(position)?.into_iter().cloned());
    }
    Ok(Value::List(out))
}

fn distinct(a: &Arguments<'_>) -> Outcome {
    let mut seen = BTreeSet::new();
    let all = unify(a.list(0)?);
    Ok(Value::List(
        all.iter()
            .filter(|value| seen.insert(&***value))
            .map(|value| Value::clone(value))
            .collect(),
    ))
}

/// The element at an index that goes round: after the last comes the first, before it the last.
fn element(a: &Arguments<'_>) -> Outcome {
    let (list, index) = (a.list(0)?, a.integer(1)?);
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    index
        .checked_rem_euclid(length)
        .and_then(|index| list.get(usize::try_from(index).ok()?))
        .map(|value| Value::clone(value))
        .ok_or_else(|| FunctionError::at(0, "the list is empty"))
}

fn flatten(list: Vec<&Value>, out: &mut Vec<Value>) {
    for value in list {
        match elements(value) {
            Some(inner) => flatten(inner, out),
            None => out.push(value.clone()),
        }
    }
}

fn index(a: &Arguments<'_>) -> Outcome {
    let wanted = a.value(1);
    a.list(0)?
        .into_iter()
        .position(|value| value == wanted)
        .and_then(|position| i64::try_from(position).ok())
        .map(Value::integer)
        .ok_or_else(|| {
            let wanted = describe(wanted);
            FunctionError::at(1, format!("the list doesn't hold {wanted}"))
                .help("ask with `contains` first")
        })
}

/// Numbers from `start`, 0 unless given, up to but without `limit`.
fn range(a: &Arguments<'_>) -> Outcome {
    let (start, limit) = match a.count() {
        1 => (Number::Integer(0), a.number(0)?),
        _ => (a.number(0)?, a.number(1)?),
    };
    let down = limit < start;
    let step = match a.count() {
        3 => a.number(2)?,
        _ => Number::Integer(if down { -1 } else { 1 }),
    };
    let zero = Number::Integer(0);
    if step.as_f64() == 0.0 {
        return Err(FunctionError::at(2, "a step of 0 never reaches the limit"));
    }
    if start != limit && (step < zero) != down {
        return Err(FunctionError::at(
            2,
            format!("steps of {step} lead away from {limit}"),
        ));
    }
    let mut out = Vec::new();
    let mut next = Some(start);
    while let Some(number) = next {
        if (down && number <= limit) || (!down && number >= limit) {
            break;
        }
        if out.len() >= RANGE_MAX {
            return Err(FunctionError::new(format!(
                "a range has at most {RANGE_MAX} numbers"
            )));
        }
        out.push(Value::Number(number));
        next = nth(start, step, out.len());
    }
    Ok(Value::List(out))
}

/// `start + step * times`; `None` beyond all numbers, hence beyond the limit.
#[allow(clippy::cast_precision_loss)] // at most `RANGE_MAX`
fn nth(start: Number, step: Number, times: usize) -> Option<Number> {
    match (start, step) {
        (Number::Integer(start), Number::Integer(step)) => step
            .checked_mul(i64::try_from(times).ok()?)
            .and_then(|way| start.checked_add(way))
            .map(Number::Integer),
        _ => Number::from_f64(step.as_f64().mul_add(times as f64, start.as_f64())),
    }
}

/// Elements from `start` up to but without `end`.
fn slice(a: &Arguments<'_>) -> Outcome {
    let (list, start, end) = (a.list(0)?, a.size(1)?, a.size(2)?);
    if end > list.len() {
        return Err(FunctionError::at(
            2,
            format!(
                "the list has {} elements, and {end} is beyond them",
                list.len()
            ),
        ));
    }
    let part = list.get(start..end).ok_or_else(|| {
        FunctionError::at(1, format!("the start, {start}, is behind the end, {end}"))
    })?;
    Ok(Value::List(part.iter().copied().cloned().collect()))
}
