//! Conversions between types; null stays null.

use remit_sdk::Value;

use super::arguments::{Arguments, boolean, misfit, number, text, unify};
use super::{Function, FunctionError, Outcome, fixed};

pub(super) const FUNCTIONS: &[Function] = &[
    fixed("tobool", "tobool(value)", 1, |a| {
        unless_null(a, |value| boolean(value).map(Value::Bool))
    }),
    fixed("tolist", "tolist(value)", 1, |a| {
        unless_null(a, |_| {
            Ok(Value::List(
                unify(a.list(0)?)
                    .into_iter()
                    .map(std::borrow::Cow::into_owned)
                    .collect(),
            ))
        })
    }),
    fixed("tomap", "tomap(value)", 1, |a| {
        unless_null(a, |value| match value {
            Value::Map(all) => Ok(Value::Map(
                all.keys()
                    .cloned()
                    .zip(
                        unify(all.values())
                            .into_iter()
                            .map(std::borrow::Cow::into_owned),
                    )
                    .collect(),
            )),
            other => Err(misfit("a map", other)),
        })
    }),
    fixed("tonumber", "tonumber(value)", 1, |a| {
        unless_null(a, |value| number(value).map(Value::Number))
    }),
    fixed("toset", "toset(value)", 1, |a| {
        unless_null(a, |_| {
            Ok(Value::Set(
                unify(a.list(0)?)
                    .into_iter()
                    .map(std::borrow::Cow::into_owned)
                    .collect(),
            ))
        })
    }),
    fixed("tostring", "tostring(value)", 1, |a| {
        unless_null(a, |value| text(value).map(Value::string))
    }),
];

fn unless_null(
    a: &Arguments<'_>,
    convert: impl FnOnce(&Value) -> Result<Value, FunctionError>,
) -> Outcome {
    match a.value(0) {
        Value::Null => Ok(Value::Null),
        value => convert(value).map_err(|error| error.or_at(0)),
    }
}
