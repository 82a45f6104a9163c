//! Answers as objects.
//!
//! In comes the `data` of an answer, out comes the object it tells of, or which of its fields
//! can't be understood. No field of a wrong type and no missing one counts as nothing: what it
//! would have given is not known.

use std::collections::BTreeMap;

use remit_sdk::schema::{Need, Shape};
use remit_sdk::{Attribute, Fingerprint, Kind, Mark, Object, Value, shape};
use serde_json::{Map, Value as Json};

use super::{Wire, wire};
use crate::{normal, policy};

/// The object that an answer's `data` holds.
///
/// A key's attributes are taken from `key`: the server compares some names without regard to
/// case and may write them otherwise. What the answer may leave out has its default.
pub fn decode(kind: &Kind, key: &str, data: &Json) -> Result<Object, String> {
    let wire = wire(kind).ok_or("no such kind on the wire")?;
    let mut attributes = kind.parse_key(key).ok_or("the key has another form")?;
    let mut raw = data.as_object().cloned().ok_or("`data` is no object")?;
    let mark = strip_mark(kind, &mut raw);
    let data = Json::Object(raw);
    let is_told = |one: &Attribute| !matches!(lookup(&data, wire.read(one.name)), Ok(None));
    if !kind.attributes.iter().any(is_told) {
        // It would be taken for one with nothing but defaults.
        return Err("the answer holds nothing of it".into());
    }
    check_whole(kind, &data)?;
    for attribute in kind.attributes {
        let skipped = attribute.write_only || attribute.unverifiable.is_some();
        if skipped || attributes.contains_key(attribute.name) {
            continue;
        }
        let field = wire.read(attribute.name);
        let value = match lookup(&data, field)? {
            None | Some(Json::Null) => unset(wire, attribute),
            Some(json) => {
                let is_free = wire.free.contains(&field);
                let value = shaped(attribute.shape, is_free, json);
                Some(value.map_err(|why| format!("`{field}`: {why}"))?)
            }
        };
        if let Some(value) = value {
            // A live value that has no normal form is shown as it stands.
            let value = match (attribute.shape, &value) {
                (Shape::Policy, _) => value,
                _ => normal::refine(kind, attribute.name, value.clone()).unwrap_or(value),
            };
            attributes.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(Object {
        kind: kind.name.to_owned(),
        key: key.to_owned(),
        id: id(kind, &data),
        version: data
            .get("version")
            .and_then(Json::as_u64)
            .filter(|_| kind.name == "vault_policy"),
        fingerprint: fingerprint(wire, &data),
        attributes,
        mark,
    })
}

/// Whether an answer holds all that every answer about this kind holds.
pub(crate) fn check_whole(kind: &Kind, data: &Json) -> Result<(), String> {
    let wire = wire(kind).ok_or("no such kind on the wire")?;
    for name in wire.always {
        if let Some(Json::Null) = always(data, name)? {
            return Err(format!("`{name}`: {}", wrong(&Json::Null)));
        }
    }
    for name in wire.always_or_null {
        always(data, name)?;
    }
    if kind.name == "vault_entity" {
        check_aliases(data).map_err(|why| format!("`aliases`: {why}"))?;
    }
    Ok(())
}

fn always<'a>(data: &'a Json, field: &str) -> Result<Option<&'a Json>, String> {
    match lookup(data, field)? {
        None => Err(format!("`{field}`: the server leaves it out")),
        found => Ok(found),
    }
}

/// Who logs in as an entity is told by its aliases, which are no attribute of it.
fn check_aliases(entity: &Json) -> Result<(), String> {
    let aliases = entity.get("aliases").unwrap_or(&Json::Null);
    for alias in aliases.as_array().ok_or_else(|| wrong(aliases))? {
        check_alias(alias)?;
    }
    Ok(())
}

/// Whether an alias in an entity or in a list tells whose login it is.
pub(crate) fn check_alias(alias: &Json) -> Result<(), String> {
    if !alias.is_object() {
        return Err(format!("an alias is {}", type_name(alias)));
    }
    for name in ["name", "mount_accessor", "canonical_id"] {
        match always(alias, name)? {
            Some(Json::String(_)) | None => {}
            Some(other) => return Err(format!("`{name}`: {}", wrong(other))),
        }
    }
    // Left out where the mount is gone.
    for name in ["mount_path", "mount_type"] {
        match alias.get(name) {
            Some(Json::String(_)) | None => {}
            Some(other) => return Err(format!("`{name}`: {}", wrong(other))),
        }
    }
    match always(alias, "custom_metadata")? {
        Some(Json::Object(_) | Json::Null) | None => Ok(()),
        Some(other) => Err(format!("`custom_metadata`: {}", wrong(other))),
    }
}

/// What an attribute is that the server gives as null or not at all.
fn unset(wire: &Wire, attribute: &Attribute) -> Option<Value> {
    if attribute.need != Need::Computed {
        return attribute.default.value();
    }
    let is_empty = wire.always_or_null.contains(&wire.read(attribute.name));
    is_empty.then(|| attribute.shape.zero())
}

/// The server's id of the object: another id is another object.
fn id(kind: &Kind, data: &Json) -> Option<String> {
    let field = match kind.name {
        "vault_auth_mount" | "vault_secrets_mount" => "accessor",
        "vault_entity" | "vault_entity_alias" => "id",
        _ => return None,
    };
    data.get(field).and_then(Json::as_str).map(str::to_owned)
}

/// Over all that was told, unknown fields included, but what is unstable and the mark.
fn fingerprint(wire: &Wire, data: &Json) -> Fingerprint {
    let mut stable = data.clone();
    if let Some(fields) = stable.as_object_mut() {
        for name in wire.unstable {
            fields.remove(*name);
        }
        // Not told where there is nothing: the same as null.
        fields.retain(|_, value| !value.is_null());
    }
    Fingerprint::of(&stable)
}

/// Takes the mark out of an answer.
fn strip_mark(kind: &Kind, data: &mut Map<String, Json>) -> Option<Mark> {
    match kind.name {
        "vault_policy" => {
            let text = data.get("policy")?.as_str()?;
            let (text, mark) = policy::live(text);
            data.insert("policy".into(), Json::String(text));
            mark
        }
        "vault_auth_mount" | "vault_secrets_mount" => {
            let text = data.get("description")?.as_str()?;
            let (text, mark) = normal::split_description(text);
            data.insert("description".into(), Json::String(text));
            mark
        }
        "vault_entity" => metadata_mark(data.get_mut("metadata")?),
        "vault_entity_alias" => metadata_mark(data.get_mut("custom_metadata")?),
        _ => None,
    }
}

fn metadata_mark(metadata: &mut Json) -> Option<Mark> {
    let metadata = metadata.as_object_mut()?;
    let places = [normal::MARK_LINEAGE, normal::MARK_ADDRESS];
    let is_text = |place: &&str| metadata.get(*place).is_none_or(Json::is_string);
    if !places.iter().all(is_text) {
        // Left where it is, for the map of texts to refuse.
        return None;
    }
    let [lineage, address] = places.map(|place| metadata.remove(place));
    Some(Mark {
        lineage: lineage?.as_str()?.to_owned(),
        address: address?.as_str()?.to_owned(),
    })
}

/// The field that dots lead to.
fn lookup<'a>(data: &'a Json, dotted: &str) -> Result<Option<&'a Json>, String> {
    let mut at = data;
    for name in dotted.split('.') {
        at = match at {
            Json::Null => return Ok(None),
            Json::Object(fields) => match fields.get(name) {
                Some(found) => found,
                None => return Ok(None),
            },
            other => return Err(format!("`{dotted}`: it stands in {}", type_name(other))),
        };
    }
    Ok(Some(at))
}

/// A server's JSON in an attribute's shape; `is_free`: the server keeps it as somebody wrote it.
fn shaped(shape: Shape, is_free: bool, json: &Json) -> Result<Value, String> {
    let wrong = || wrong(json);
    Ok(match shape {
        Shape::Bool => Value::Bool(json.as_bool().ok_or_else(wrong)?),
        Shape::Integer => Value::integer(json.as_i64().ok_or_else(wrong)?),
        Shape::Duration => match json {
            Json::Number(_) => Value::integer(json.as_i64().ok_or_else(wrong)?),
            Json::String(text) if text.is_empty() => Value::integer(0),
            Json::String(text) => Value::integer(shape::seconds(&Value::string(text))?),
            _ => return Err(wrong()),
        },
        Shape::String | Shape::OneOf(_) | Shape::Policy => match json {
            Json::String(text) => Value::string(text),
            one if is_free => scalar(one).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        },
        Shape::List => Value::List(texts(json)?),
        Shape::Set => Value::Set(texts(json)?.into_iter().collect()),
        Shape::Map => {
            let value = |(key, json): (&String, &Json)| {
                let value = match json {
                    Json::String(text) => Value::string(text),
                    _ if is_free => as_text(json),
                    _ => return Err(format!("`{key}` is {}", type_name(json))),
                };
                Ok((key.clone(), value))
            };
            let all = json.as_object().ok_or_else(wrong)?.iter().map(value);
            Value::Map(all.collect::<Result<_, String>>()?)
        }
        Shape::MapOfSets => {
            let value = |(key, json): (&String, &Json)| {
                let all = claims(json).map_err(|why| format!("`{key}` {why}"))?;
                Ok((key.clone(), Value::Set(all.into_iter().collect())))
            };
            let all = json.as_object().ok_or_else(wrong)?.iter().map(value);
            Value::Map(all.collect::<Result<BTreeMap<_, _>, String>>()?)
        }
    })
}

fn texts(json: &Json) -> Result<Vec<Value>, String> {
    let text = |one: &Json| match one {
        Json::String(text) => Ok(Value::string(text)),
        other => Err(holds(other)),
    };
    let all = json.as_array().ok_or_else(|| wrong(json))?;
    all.iter().map(text).collect()
}

/// The values that a claim is bound to: one, or a list of them.
fn claims(json: &Json) -> Result<Vec<Value>, String> {
    let Json::Array(all) = json else {
        let one = scalar(json).ok_or_else(|| format!("is {}", type_name(json)))?;
        return Ok(vec![one]);
    };
    let value = |one| scalar(one).ok_or_else(|| format!("is {}", list_with(one)));
    all.iter().map(value).collect()
}

/// A claim may be a number or a bool, and the server keeps it as one.
fn scalar(json: &Json) -> Option<Value> {
    match json {
        Json::String(_) | Json::Number(_) | Json::Bool(_) => Some(as_text(json)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A scalar as text, nested lists and objects as their JSON.
fn as_text(json: &Json) -> Value {
    Value::String(match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn wrong(json: &Json) -> String {
    format!("the server answers {}", type_name(json))
}

fn holds(element: &Json) -> String {
    format!("the server answers {}", list_with(element))
}

fn list_with(element: &Json) -> String {
    format!("a list with {} in it", type_name(element))
}

const fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
