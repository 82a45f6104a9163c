//! As much of JSON Schema as `docs/schema` and the schema of SARIF use: `$ref`, `type`, `const`,
//! `enum`, `required`, `properties`, `additionalProperties`, `items`, `uniqueItems`, `anyOf`,
//! `oneOf`, `pattern` and the limits of numbers and lists. Any other keyword is an error, so that
//! nothing is taken for checked that isn't; of `format` only URIs are looked at.

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
            | "$id"
            | "$defs"
            | "definitions"
            | "default"
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
            "anyOf" | "oneOf" => {
                let fits = |one: &&Json| {
                    let mut wrong = Vec::new();
                    check(root, one, json, path, &mut wrong);
                    wrong.is_empty()
                };
                let fitting = rule.as_array().unwrap().iter().filter(fits).count();
                if fitting == 0 || (keyword == "oneOf" && fitting > 1) {
                    out.push(format!("{path}: {fitting} of {keyword} fit"));
                }
            }
            "uniqueItems" | "minItems" | "minimum" | "maximum" | "pattern" | "format" => {
                if !is_within(keyword, rule, json) {
                    out.push(format!("{path}: {json} is not within {keyword} {rule}"));
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

/// Whether a value meets a keyword that limits it; one of another type does.
fn is_within(keyword: &str, rule: &Json, json: &Json) -> bool {
    let (list, text) = (json.as_array(), json.as_str());
    let number = || json.as_f64().zip(rule.as_f64());
    match keyword {
        "uniqueItems" => list.is_none_or(|list| {
            let twice = |at: usize| list[at + 1..].contains(&list[at]);
            rule != &Json::Bool(true) || !(0..list.len()).any(twice)
        }),
        "minItems" => list.is_none_or(|list| list.len() as u64 >= rule.as_u64().unwrap()),
        "minimum" => number().is_none_or(|(number, least)| number >= least),
        "maximum" => number().is_none_or(|(number, most)| number <= most),
        "pattern" => {
            let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
            text.is_none_or(|text| pattern.is_match(text))
        }
        "format" => text.is_none_or(|text| match rule.as_str().unwrap() {
            "uri" => text.contains("://") && !text.contains(' '),
            "uri-reference" => !text.contains([' ', '\\', '"', '<', '>', '`', '{', '}']),
            _ => true,
        }),
        other => panic!("the keyword {other} is not checked"),
    }
}

fn is(json: &Json, name: &str) -> bool {
    match name {
        "number" => json.is_number(),
        "null" => json.is_null(),
        "boolean" => json.is_boolean(),
        "integer" => json.is_i64() || json.is_u64(),
        "string" => json.is_string(),
        "array" => json.is_array(),
        "object" => json.is_object(),
        other => panic!("the type {other} is not checked"),
    }
}
