//! The reference page of a kind, from its table.
//!
//! In: a kind. Out: text for a terminal, Markdown for the documentation, or JSON. What can't be
//! verified or was never tried on a server is said with its reason, so that nobody takes a quiet
//! plan for more than it is.

use remit_sdk::schema::{Default, Need, Role};
use remit_sdk::{Attribute, Kind, Value};
use serde_json::{Map, Value as Json, json};
use std::fmt::Write as _;

use super::{Paint, lines, value};
use crate::lower::Catalog;

/// All kinds, one a line.
pub fn list(catalog: &Catalog<'_>) -> String {
    let kinds: Vec<&Kind> = kinds(catalog).collect();
    let width = kinds.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    lines(
        kinds
            .iter()
            .map(|kind| format!("{:width$}  {}", kind.name, kind.summary)),
    )
}

fn kinds<'a>(catalog: &Catalog<'a>) -> impl Iterator<Item = &'static Kind> + use<'a> {
    catalog
        .providers()
        .iter()
        .flat_map(|provider| provider.kinds())
}

/// A kind, for a terminal.
pub fn people(kind: &Kind, paint: Paint) -> String {
    let mut out = format!("{}\n{}\n\n", paint.heading(kind.name), kind.summary);
    for (name, text) in facts(kind) {
        let _ = writeln!(out, "  {name:9}  {text}");
    }
    for (heading, need) in [
        ("REQUIRED", Need::Required),
        ("OPTIONAL", Need::Optional),
        ("READ ONLY", Need::Computed),
    ] {
        let attributes: Vec<&Attribute> = kind
            .attributes
            .iter()
            .filter(|attribute| attribute.need == need)
            .collect();
        if attributes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", paint.heading(heading));
        for attribute in attributes {
            let _ = writeln!(
                out,
                "  {}  {}",
                attribute.name,
                paint.faint(&attribute.shape.describe().replace('`', ""))
            );
            let _ = writeln!(out, "      {}.", attribute.summary.trim_end_matches('.'));
            for note in notes(kind, attribute) {
                let _ = writeln!(out, "      - {note}");
            }
        }
    }
    out
}

/// A kind, for the documentation.
pub fn markdown(kind: &Kind) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut out = format!("# `{}`\n\n{}\n\n", kind.name, kind.summary);
    for (name, text) in facts(kind) {
        let _ = writeln!(out, "- {name}: {}", cell(&text));
    }
    out.push_str("\n| attribute | value | need | meaning |\n|---|---|---|---|\n");
    for attribute in kind.attributes {
        let mut meaning = attribute.summary.trim_end_matches('.').to_owned();
        for note in notes(kind, attribute) {
            let _ = write!(meaning, "; {note}");
        }
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {}. |",
            attribute.name,
            cell(&attribute.shape.describe()),
            need(attribute),
            cell(&meaning)
        );
    }
    out
}

/// A kind, for machines.
pub fn json(kind: &Kind) -> Json {
    let attributes: Map<String, Json> = kind
        .attributes
        .iter()
        .map(|attribute| {
            let one = json!({
                "type": attribute.shape.describe().replace('`', ""),
                "need": need(attribute),
                "default": attribute.default.value().map(|value| value.to_plain_json()),
                "immutable": attribute.immutable,
                "write_only": attribute.write_only,
                "unverifiable": attribute.unverifiable,
                "untested": attribute.untested,
                "volatile": attribute.volatile,
                "description": attribute.summary,
            });
            (attribute.name.to_owned(), one)
        })
        .collect();
    json!({
        "name": kind.name,
        "version": kind.version,
        "description": kind.summary,
        "key": kind.key,
        "container": kind.container.as_ref().map(|one| json!({
            "type": one.kind, "attribute": one.attribute,
        })),
        "role": role(kind.role),
        "mark": kind.mark,
        "requests": kind.requests,
        "attributes": attributes,
    })
}

/// All kinds, for machines.
pub fn json_list(catalog: &Catalog<'_>) -> Json {
    let all: Map<String, Json> = kinds(catalog)
        .map(|kind| (kind.name.to_owned(), json(kind)))
        .collect();
    json!({ "format_version": "1.0", "kinds": all })
}

/// What there is to know about a kind as a whole.
fn facts(kind: &Kind) -> Vec<(&'static str, String)> {
    let mut out = vec![("key", format!("{}  (what `import` takes)", kind.key))];
    if let Some(container) = &kind.container {
        out.push((
            "lives in",
            format!(
                "the {} that `{}` names",
                container.kind, container.attribute
            ),
        ));
    }
    out.push(("access", role(kind.role).to_owned()));
    out.push((
        "ownership",
        kind.mark.map_or_else(
            || "carries no mark: ours only by the state, or by what holds it".to_owned(),
            |place| format!("marked in {place}"),
        ),
    ));
    out.push(("requests", kind.requests.to_owned()));
    out
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Container => "holds other objects",
        Role::Config => "lets nobody in by itself",
        Role::Subject => "is who gets access",
        Role::Binding => "lets workloads in",
        Role::Grant => "says what may be done",
    }
}

const fn need(attribute: &Attribute) -> &'static str {
    match attribute.need {
        Need::Required => "required",
        Need::Optional => "optional",
        Need::Computed => "read only",
    }
}

/// What there is to know about an attribute beside what it is.
fn notes(kind: &Kind, attribute: &Attribute) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(default) = attribute.default.value() {
        let is_zero =
            default == attribute.shape.zero() && attribute.default != Default::Bool(false);
        if !is_zero {
            out.push(format!("default {}", shown(&default, attribute)));
        }
    }
    if kind.key_attributes().any(|name| name == attribute.name) {
        out.push("part of the key: a change replaces the object".into());
    } else if attribute.immutable && attribute.need != Need::Computed {
        out.push("a change replaces the object".into());
    }
    if attribute.write_only {
        out.push(format!(
            "takes a reference to a secret, which is sent and never recorded; written again when \
             the reference or `{}_version` changes",
            attribute.name
        ));
    }
    if attribute.grants {
        out.push("adding to it widens access, taking from it narrows".into());
    }
    if attribute.admits {
        out.push("decides who is let in".into());
    }
    if attribute.volatile {
        out.push("changes by itself: no drift".into());
    }
    if let Some(why) = attribute.unverifiable {
        out.push(format!("drift can't be seen: {why}"));
    }
    if let Some(why) = attribute.untested {
        out.push(format!("drift was not tried on a server: {why}"));
    }
    out
}

fn shown(default: &Value, attribute: &Attribute) -> String {
    value::inline(default, Some(attribute.shape))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn kind(name: &str) -> &'static Kind {
        testing::catalog().kind(name).unwrap()
    }

    #[test]
    fn a_page_for_people() {
        let wanted = r"vault_database_connection
A kind for tests.

  key        {mount}/config/{name}  (what `import` takes)
  access     lets nobody in by itself
  ownership  marked in the field `description`
  requests   read 1, write 2

REQUIRED
  mount  string
      The mount.
      - part of the key: a change replaces the object
  name  string
      Its name.
      - part of the key: a change replaces the object

OPTIONAL
  password  string
      The password of the user that makes users.
      - takes a reference to a secret, which is sent and never recorded; written again when the reference or `password_version` changes
      - drift can't be seen: the server never tells it
  verify_connection  bool
      Whether to try it at once.
      - default true
      - drift can't be seen: a parameter of the request
      - drift was not tried on a server: needs a database that is down
";
        let found = people(kind("vault_database_connection"), Paint::PLAIN);
        assert!(found == wanted, "found:\n{found}");
    }

    #[test]
    fn a_page_of_the_documentation() {
        let page = markdown(kind("vault_policy"));
        let wanted = "# `vault_policy`\n\nA kind for tests.\n\n- key: {name}  (what `import` takes)\n- access: says what may be done\n- ownership: marked in the field `description`\n- requests: read 1, write 2\n\n| attribute | value | need | meaning |\n|---|---|---|---|\n| `name` | string | required | Its name; part of the key: a change replaces the object. |\n| `policy` | policy document | required | The policy's text. |\n";
        assert!(page == wanted, "found:\n{page}");
    }

    #[test]
    fn kinds_are_listed() {
        assert_eq!(list(&testing::catalog()).lines().count(), 5);
        let json = json_list(&testing::catalog());
        let ttl = &json["kinds"]["vault_jwt_role"]["attributes"]["token_ttl"];
        assert_eq!(
            (&ttl["need"], &ttl["default"]),
            (&json!("optional"), &json!(0))
        );
    }
}
