//! As much of JSON Schema as `docs/schema` uses: `$ref`, `type`, `const`, `enum`, `required`,
//! `properties`, `additionalProperties`, `items`. Any other keyword is an error, so that nothing
//! is taken for checked that isn't.

use serde_json::Value as Json;

/// Everything in `json` that `schema` doesn't allow.
pub(in crate::view) fn violations(schema: &Json, json: &Json) -> Vec<String> {
    let mut out = Vec::new();
    check(schema, schema, json, "", &mut out);
    out
}

fn check(root: &Json, schema: &Json, json: &Json, path: &str, out: &mut Vec<String>) {
    let keywords = schema.as_object().unwrap();
    for (keyword, rule) in keywords {
        match keyword.as_str() {
            // The last two are looked at below, for each property.
            "$schema"
            | "$defs"
            | "title"
            | "description"
            | "properties"
            | "additionalProperties" => {}
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), json, path, out);
            }
            "const" if rule == json => {}
            "enum" if rule.as_array().unwrap().contains(json) => {}
            "const" | "enum" => out.push(format!("{path}: {json} is not {rule}")),
            "type" => {
                let one = std::slice::from_ref(rule);
                let types = rule.as_array().map_or(one, Vec::as_slice);
                if !types.iter().any(|name| is(json, name.as_str().unwrap())) {
                    out.push(format!("{path}: {json} is no {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if json.get(name.as_str().unwrap()).is_none() {
                        out.push(format!("{path}: {name} is missing"));
                    }
                }
            }
            "items" => {
                for (index, one) in json.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, one, &format!("{path}/{index}"), out);
                }
            }
            other => panic!("the keyword {other} is not checked"),
        }
    }
    for (name, one) in json.as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        match (
            schema.pointer(&format!("/properties/{name}")),
            keywords.get("additionalProperties"),
        ) {
            (Some(rule), _) | (None, Some(rule @ Json::Object(_))) => {
                check(root, rule, one, &path, out);
            }
            (None, Some(Json::Bool(false))) => out.push(format!("{path}: not in the schema")),
            (None, _) => {}
        }
    }
}

fn is(json: &Json, name: &str) -> bool {
    match name {
        "null" => json.is_null(),
        "boolean" => json.is_boolean(),
        "integer" => json.is_i64() || json.is_u64(),
        "string" => json.is_string(),
        "array" => json.is_array(),
        "object" => json.is_object(),
        other => panic!("the type {other} is not checked"),
    }
}
