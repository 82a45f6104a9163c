//! Outputs, for people, as JSON in Terraform's shape, and one alone as it is.
//!
//! In: the outputs recorded. Out: text. A sensitive output is shown only when it is asked for by
//! its name, with `--raw` or `--json`.

use std::collections::BTreeMap;

use remit_sdk::{Value, text};
use serde_json::{Map, Value as Json, json};

use super::{lines, value};
use crate::state::OutputRecord;

/// All outputs, one a line.
pub fn people(outputs: &BTreeMap<String, OutputRecord>) -> String {
    let width = outputs
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    lines(
        outputs
            .iter()
            .map(|(name, output)| format!("{:width$} = {}", text::safe(name), one(output))),
    )
}

/// One output for people.
pub fn one(output: &OutputRecord) -> String {
    if output.sensitive {
        "(sensitive)".into()
    } else {
        value::inline(&output.value, None)
    }
}

/// One output with nothing around it, for scripts; `None` for what is no single text.
pub fn raw(output: &OutputRecord) -> Option<String> {
    output.value.to_text()
}

/// All outputs in Terraform's shape; sensitive ones too, as Terraform does.
pub fn json(outputs: &BTreeMap<String, OutputRecord>) -> Json {
    Json::Object(
        outputs
            .iter()
            .map(|(name, output)| {
                let mut one = Map::new();
                one.insert("sensitive".into(), json!(output.sensitive));
                one.insert("type".into(), type_of(&output.value));
                one.insert("value".into(), output.value.to_plain_json());
                (name.clone(), Json::Object(one))
            })
            .collect(),
    )
}

/// A value's type as Terraform writes it.
fn type_of(value: &Value) -> Json {
    match value {
        Value::Null | Value::Pending(_) => json!("dynamic"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) | Value::Declaration(_) | Value::Secret(_) => json!("string"),
        Value::List(all) => json!(["tuple", all.iter().map(type_of).collect::<Vec<_>>()]),
        Value::Set(all) => json!(["set", all.first().map_or(json!("dynamic"), type_of)]),
        Value::Map(all) => {
            let types: Map<String, Json> = all
                .iter()
                .map(|(name, value)| (name.clone(), type_of(value)))
                .collect();
            json!(["object", types])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitive_values_are_not_shown_by_the_way() {
        let output = |value: &str, sensitive| OutputRecord {
            value: Value::string(value),
            sensitive,
        };
        let all = BTreeMap::from([
            ("a".to_owned(), output("x", false)),
            ("role_id".to_owned(), output("hidden", true)),
        ]);
        assert_eq!(people(&all), "a       = \"x\"\nrole_id = (sensitive)\n");
        assert_eq!(
            json(&all)["a"],
            json!({"sensitive": false, "type": "string", "value": "x"})
        );
        assert_eq!(raw(&all["role_id"]).as_deref(), Some("hidden"));
    }
}
