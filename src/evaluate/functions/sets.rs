//! Sets: union, intersection, difference, product. A list stands wherever a set may.

use std::collections::BTreeSet;

use remit_sdk::Value;

use super::arguments::{Arguments, unify};
use super::room::{Room, size};
use super::{Function, FunctionError, Outcome, fixed, variadic};

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("setintersection", "setintersection(set, set)", 1, |a| {
        combine(a, |set, other| set.intersection(&other).cloned().collect())
    }),
    variadic("setproduct", "setproduct(set, set)", 2, product),
    fixed("setsubtract", "setsubtract(set, set)", 2, |a| {
        combine(a, |set, other| set.difference(&other).cloned().collect())
    }),
    variadic("setunion", "setunion(set, set)", 1, |a| {
        combine(a, |mut set, other| {
            set.extend(other);
            set
        })
    }),
];

/// All arguments as sets whose elements have one type, taken together from the first on.
fn combine(
    a: &Arguments<'_>,
    with: fn(BTreeSet<Value>, BTreeSet<Value>) -> BTreeSet<Value>,
) -> Outcome {
    let mut room = Room::new();
    let mut all = Vec::new();
    let mut counts = Vec::new();
    for position in 0..a.count() {
        room.take_value(a.value(position))?;
        let list = a.list(position)?;
        counts.push(list.len());
        all.extend(list);
    }
    let mut all = unify(all).into_iter().map(std::borrow::Cow::into_owned);
    counts
        .into_iter()
        .map(|count| all.by_ref().take(count).collect())
        .reduce(with)
        .map(Value::Set)
        .ok_or_else(|| FunctionError::new("a set is wanted"))
}

/// Every choice of one element from each argument, as lists; a set of them where all arguments
/// are sets.
fn product(a: &Arguments<'_>) -> Outcome {
    let lists = (0..a.count())
        .map(|position| a.list(position))
        .collect::<Result<Vec<_>, _>>()?;
    let sets = a.all().iter().all(|value| matches!(value, Value::Set(_)));
    // One empty argument leaves no choice, whatever the others would cost.
    let mut rows = Vec::new();
    if !lists.iter().any(Vec::is_empty) {
        rows.push(Vec::new());
        for list in lists {
            rows = lengthen(&rows, &list)?;
        }
    }
    let mut room = Room::new();
    let mut out = Vec::new();
    for row in rows {
        let bytes = row.iter().map(|value| size(value)).sum();
        room.take(bytes)?;
        room.take(size_of::<Value>())?;
        out.push(Value::List(row.into_iter().cloned().collect()));
    }
    Ok(if sets {
        Value::Set(out.into_iter().collect())
    } else {
        Value::List(out)
    })
}

/// Every row with every element of `list` behind it.
fn lengthen<'v>(
    rows: &[Vec<&'v Value>],
    list: &[&'v Value],
) -> Result<Vec<Vec<&'v Value>>, FunctionError> {
    let width = rows.first().map_or(0, Vec::len) + 1;
    let row = width.saturating_add(1).saturating_mul(size_of::<Value>());
    let count = rows.len().saturating_mul(list.len());
    Room::new().take(count.saturating_mul(row))?;
    Ok(rows
        .iter()
        .flat_map(|row| {
            list.iter().map(|value| {
                let mut row = row.clone();
                row.push(value);
                row
            })
        })
        .collect())
}
