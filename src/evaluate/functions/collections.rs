//! Maps, and what works on collections of every type.
//!
//! A set stands wherever a list may: its elements come in order.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;

use super::arguments::{Arguments, describe, elements, misfit, text, unify};
use super::room::Room;
use super::{Function, FunctionError, Outcome, fixed, variadic};

pub(super) const FUNCTIONS: &[Function] = &[
    variadic("coalesce", "coalesce(value, value)", 1, coalesce),
    fixed("keys", "keys(map)", 1, |a| {
        Ok(Value::List(a.map(0)?.keys().map(Value::string).collect()))
    }),
    fixed("length", "length(collection)", 1, length),
    Function {
        name: "lookup",
        usage: "lookup(map, key, default)",
        least: 2,
        most: Some(3),
        run: lookup,
    },
    fixed("matchkeys", "matchkeys(values, keys, wanted)", 3, matchkeys),
    variadic("merge", "merge(map, map)", 0, merge),
    fixed("one", "one(list)", 1, one),
    fixed("transpose", "transpose(map)", 1, transpose),
    fixed("values", "values(map)", 1, |a| {
        Ok(Value::List(a.map(0)?.values().cloned().collect()))
    }),
    fixed("zipmap", "zipmap(keys, values)", 2, zipmap),
];

/// The first argument that is neither null nor an empty string.
fn coalesce(a: &Arguments<'_>) -> Outcome {
    unify(a.all())
        .into_iter()
        .find(|value| **value != Value::Null && value.as_str() != Some(""))
        .map(std::borrow::Cow::into_owned)
        .ok_or_else(|| {
            FunctionError::new("every argument is null or an empty string")
                .help("add a last argument that always has a value, or write a conditional")
        })
}

fn length(a: &Arguments<'_>) -> Outcome {
    let count = match a.value(0) {
        Value::List(all) => all.len(),
        Value::Set(all) => all.len(),
        Value::Map(all) => all.len(),
        Value::String(text) => text.chars().count(),
        other => return Err(misfit("a list, a set, a map or a string", other).or_at(0)),
    };
    Ok(Value::integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn lookup(a: &Arguments<'_>) -> Outcome {
    let (map, key) = (a.map(0)?, a.text(1)?);
    if let Some(value) = map.get(&*key) {
        return Ok(value.clone());
    }
    if a.count() == 3 {
        return Ok(a.value(2).clone());
    }
    let key = describe(&Value::string(key));
    Err(
        FunctionError::at(1, format!("the map has no key that is {key}"))
            .help("add a third argument: the value where the key is missing"),
    )
}

/// The values whose keys, at the same position, are among the wanted ones.
fn matchkeys(a: &Arguments<'_>) -> Outcome {
    let (values, keys) = (a.list(0)?, a.list(1)?);
    if values.len() != keys.len() {
        return Err(unequal(1, keys.len(), values.len()));
    }
    let both = keys.len();
    let keys = unify(keys.into_iter().chain(a.list(2)?));
    let (keys, wanted) = keys.split_at_checked(both).unwrap_or_default();
    let wanted: BTreeSet<&Value> = wanted.iter().map(|value| &**value).collect();
    Ok(Value::List(
        values
            .into_iter()
            .zip(keys)
            .filter(|(_, key)| wanted.contains(&***key))
            .map(|(value, _)| value.clone())
            .collect(),
    ))
}

fn unequal(position: usize, found: usize, wanted: usize) -> FunctionError {
    FunctionError::at(
        position,
        format!(
            "both lists must be of one length; this one has {found} elements, the one before it {wanted}"
        ),
    )
}

/// All maps in one; where two have the same key, the later one counts. Nulls are skipped.
fn merge(a: &Arguments<'_>) -> Outcome {
    let mut room = Room::new();
    let mut out = BTreeMap::new();
    for (position, value) in a.all().iter().enumerate() {
        if *value == Value::Null {
            continue;
        }
        room.take_value(value)?;
        for (key, value) in a.map(position)? {
            out.insert(key.clone(), value.clone());
        }
    }
    Ok(Value::Map(out))
}

fn one(a: &Arguments<'_>) -> Outcome {
    match a.list(0)?.as_slice() {
        [] => Ok(Value::Null),
        [only] => Ok((*only).clone()),
        more => Err(FunctionError::at(
            0,
            format!("one element or none is wanted, and it has {}", more.len()),
        )),
    }
}

/// A map of lists turned around: by each text, the keys whose lists hold it.
fn transpose(a: &Arguments<'_>) -> Outcome {
    let mut room = Room::new();
    let mut out: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (key, list) in a.map(0)? {
        let list = elements(list).ok_or_else(|| misfit("a map of lists", list).or_at(0))?;
        for value in list {
            let value = text(value).map_err(|error| error.or_at(0))?;
            room.take_text(key)?;
            room.take_text(&value)?;
            let keys = out.entry(value.into_owned()).or_default();
            let key = Value::string(key);
            // Keys come in order, so a repetition is the last one.
            if keys.last() != Some(&key) {
                keys.push(key);
            }
        }
    }
    let out = out.into_iter().map(|(key, all)| (key, Value::List(all)));
    Ok(Value::Map(out.collect()))
}

fn zipmap(a: &Arguments<'_>) -> Outcome {
    let (keys, values) = (a.texts(0)?, a.list(1)?);
    if keys.len() != values.len() {
        return Err(unequal(1, values.len(), keys.len()));
    }
    let pairs = keys.into_iter().zip(values);
    Ok(Value::Map(
        pairs
            .map(|(key, value)| (key.into_owned(), value.clone()))
            .collect(),
    ))
}
