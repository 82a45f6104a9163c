//! What is recorded, for people and in the shape of Terraform's JSON state.
//!
//! In: [`Recorded`] and the tables of the kinds. Out: text or JSON. Records hold references to
//! secrets and never secrets, so everything in them may be shown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use remit_sdk::{Kind, ObjectAddress, text};
use serde_json::{Map, Value as Json, json};

use super::plan::Look;
use super::plan_json::address_fields;
use super::value::{self, Shown};
use super::{changes, count, lines, output};
use crate::state::{Record, Recorded};

/// The version of this format: Terraform's own, which tools look at.
const FORMAT: &str = "1.0";

/// One address a line, those that `is_wanted`.
pub fn list(recorded: &Recorded, is_wanted: impl Fn(&ObjectAddress) -> bool) -> String {
    lines(
        recorded
            .objects
            .keys()
            .filter(|address| is_wanted(address))
            .map(|address| text::safe(&address.to_string())),
    )
}

/// Everything recorded, an object a line, and the outputs.
pub fn people(recorded: &Recorded, look: Look<'_>) -> String {
    let Some(lineage) = &recorded.lineage else {
        return "Nothing is recorded: no state yet.\n".into();
    };
    let mut out = format!(
        "{} {}, lineage {}: {}\n",
        look.paint.heading("State serial"),
        recorded.serial,
        text::safe(lineage),
        count(recorded.objects.len(), "object"),
    );
    for (instance, target) in &recorded.targets {
        let _ = writeln!(
            out,
            "{}  {} ({})",
            text::safe(instance),
            text::safe(&target.address),
            text::safe(&target.description)
        );
    }
    if !recorded.open.is_empty() {
        let open = format!(
            "{} undecided: a run was cut off. `remit plan` decides it from what is live",
            count(recorded.open.len(), "call")
        );
        let _ = writeln!(out, "{}", look.paint.changed(&open));
    }
    let mut last = None;
    for (address, record) in &recorded.objects {
        if last != Some(&address.declaration) {
            let heading = text::safe(&address.declaration.to_string());
            let _ = writeln!(out, "\n{}", look.paint.heading(&heading));
            last = Some(&address.declaration);
        }
        let _ = writeln!(
            out,
            "  {}  {}",
            changes::short_address(address),
            text::safe(&record.key)
        );
    }
    if !recorded.outputs.is_empty() {
        let _ = writeln!(out, "\n{}", look.paint.heading("OUTPUTS"));
        out.push_str(&output::people(&recorded.outputs));
    }
    out
}

/// One record with everything in it.
pub fn record(address: &ObjectAddress, record: &Record, look: Look<'_>) -> String {
    let mut out = format!(
        "{}\n",
        look.paint.heading(&text::safe(&address.to_string()))
    );
    let mut line = |name: &str, text: String| {
        let _ = writeln!(out, "  {name:12}  {text}");
    };
    let safe = |text: &str| text::safe(text);
    let joined = |all: Vec<String>| safe(&all.join(", "));
    line("key", safe(&record.key));
    if let Some(id) = &record.id {
        line("id", safe(id));
    }
    line(
        "instance",
        format!("{} ({})", safe(&record.instance), safe(&record.target)),
    );
    line("fingerprint", safe(&record.fingerprint.to_string()));
    if !record.holders.is_empty() {
        let holders = record.holders.iter().map(ToString::to_string).collect();
        line("holders", joined(holders));
    }
    if !record.depends_on.is_empty() {
        let others = record.depends_on.iter().map(ToString::to_string).collect();
        line("depends on", joined(others));
    }
    if record.prevent_destroy {
        line("protected", "by prevent_destroy".into());
    }
    let _ = writeln!(out, "  {}", look.paint.faint("attributes"));
    let kind = look.catalog.kind(&record.kind);
    for text in attributes(record, kind, look) {
        out.push_str(&text);
        out.push('\n');
    }
    out
}

fn attributes(record: &Record, kind: Option<&Kind>, look: Look<'_>) -> Vec<String> {
    let width = record
        .attributes
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = Vec::new();
    for (name, one) in &record.attributes {
        let shape = kind
            .and_then(|kind| kind.attribute(name))
            .map(|attribute| attribute.shape);
        let set = if record.set.contains(name) {
            "  "
        } else {
            ". "
        };
        let name = text::safe(name);
        let document = shape == Some(remit_sdk::schema::Shape::Policy);
        match value::new(one, shape, document) {
            Shown::Inline(text) => out.push(format!("    {set}{name:width$}  {text}")),
            Shown::Block(lines) => {
                out.push(format!("    {set}{name}"));
                out.extend(
                    lines
                        .iter()
                        .map(|line| format!("          | {}", line.text)),
                );
            }
        }
    }
    if record
        .attributes
        .keys()
        .any(|name| !record.set.contains(name))
    {
        out.push(look.paint.faint("    . not set by the configuration"));
    }
    out
}

/// Everything recorded, in Terraform's shape.
pub fn json(recorded: &Recorded) -> Json {
    let resources: Vec<Json> = recorded
        .objects
        .iter()
        .map(|(address, record)| resource(address, record))
        .collect();
    json!({
        "format_version": FORMAT,
        "values": {
            "outputs": output::json(&recorded.outputs),
            "root_module": { "resources": resources },
        },
        "remit": {
            "lineage": recorded.lineage,
            "serial": recorded.serial,
            "targets": recorded.targets,
            "open": recorded.open.len(),
        },
    })
}

/// One record.
pub fn resource(address: &ObjectAddress, record: &Record) -> Json {
    let mut out = address_fields(address, &record.instance);
    out.insert("schema_version".into(), json!(record.schema_version));
    let values: Map<String, Json> = plain(&record.attributes);
    out.insert("values".into(), Json::Object(values));
    let sensitive: Map<String, Json> = record
        .attributes
        .iter()
        .filter(|(_, value)| matches!(value, remit_sdk::Value::Secret(_)))
        .map(|(name, _)| (name.clone(), Json::Bool(true)))
        .collect();
    out.insert("sensitive_values".into(), Json::Object(sensitive));
    out.insert("depends_on".into(), json!(record.depends_on));
    out.insert(
        "remit".into(),
        json!({
            "key": record.key,
            "id": record.id,
            "target": record.target,
            "set": record.set,
            "holders": record.holders,
            "fingerprint": record.fingerprint,
            "prevent_destroy": record.prevent_destroy,
        }),
    );
    Json::Object(out)
}

fn plain(all: &BTreeMap<String, remit_sdk::Value>) -> Map<String, Json> {
    all.iter()
        .map(|(name, value)| (name.clone(), value.to_plain_json()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use remit_sdk::{Fingerprint, SecretRef, Value};

    use super::super::{Paint, testing};
    use super::*;

    fn recorded() -> Recorded {
        let address = testing::address("identity.x[\"prod\"]/vault_jwt_role");
        let record = Record {
            instance: "vault".into(),
            target: "7f3a/agents".into(),
            kind: "vault_jwt_role".into(),
            schema_version: 1,
            key: "auth/eu/role/remit-x-prod".into(),
            id: None,
            attributes: [
                ("token_ttl".to_owned(), Value::integer(900)),
                ("bound_audiences".to_owned(), Value::strings(["vault"])),
                ("token_type".to_owned(), Value::string("service")),
            ]
            .into(),
            set: BTreeSet::from(["token_ttl".to_owned(), "bound_audiences".to_owned()]),
            fingerprint: Fingerprint::of(&json!({})),
            depends_on: BTreeSet::new(),
            holders: BTreeSet::from(["identity.x[\"prod\"]".parse().unwrap()]),
            prevent_destroy: true,
        };
        Recorded {
            lineage: Some("9c1e".into()),
            serial: 3,
            objects: [(address, record)].into(),
            ..Recorded::default()
        }
    }

    fn look() -> Look<'static> {
        Look {
            catalog: testing::catalog(),
            paint: Paint::PLAIN,
        }
    }

    #[test]
    fn the_state_at_a_glance() {
        assert_eq!(
            people(&recorded(), look()),
            "State serial 3, lineage 9c1e: 1 object\n\n\
             identity.x[\"prod\"]\n  vault_jwt_role  auth/eu/role/remit-x-prod\n"
        );
        assert_eq!(
            people(&Recorded::default(), look()),
            "Nothing is recorded: no state yet.\n"
        );
    }

    #[test]
    fn one_record() {
        let recorded = recorded();
        let (address, one) = recorded.objects.first_key_value().unwrap();
        let wanted = r#"identity.x["prod"]/vault_jwt_role
  key           auth/eu/role/remit-x-prod
  instance      vault (7f3a/agents)
  fingerprint   44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
  holders       identity.x["prod"]
  protected     by prevent_destroy
  attributes
      bound_audiences  ["vault"]
      token_ttl        15m
    . token_type       "service"
    . not set by the configuration
"#;
        let found = record(address, one, look());
        assert!(found == wanted, "found:\n{found}");
    }

    #[test]
    fn references_are_sensitive_in_json() {
        let mut recorded = recorded();
        for record in recorded.objects.values_mut() {
            let secret = Value::Secret(SecretRef::Variable("pg".into()));
            record.attributes.insert("password".into(), secret);
        }
        let json = json(&recorded);
        let one = &json["values"]["root_module"]["resources"][0];
        assert_eq!(one["values"]["password"], "var.pg");
        assert_eq!(one["sensitive_values"], json!({"password": true}));
        assert_eq!(one["index"], "prod");
    }
}
