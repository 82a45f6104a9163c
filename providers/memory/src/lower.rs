//! What `resource` blocks become: one object each, checked against the table of kinds. Pure.
//!
//! In: a [`Part`], of which only the resources count: agents and scopes mean nothing here. Out:
//! the objects wanted, and a diagnostic for each mistake, all of them at once. Works for any
//! provider's kinds.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Resource, Wanted};
use remit_sdk::provider::{Lowered, Part};
use remit_sdk::schema::{Attribute, Kind, Need};
use remit_sdk::text::safe;
use remit_sdk::{Address, Diagnostic, Lower, ObjectAddress, Span, Spanned, Value};

use crate::normal::normalise;
use crate::schema::KINDS;

/// Lowers `resource` blocks.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLower {
    kinds: &'static [Kind],
}

impl Default for MemoryLower {
    fn default() -> Self {
        Self { kinds: KINDS }
    }
}

impl MemoryLower {
    /// For these kinds.
    pub const fn new(kinds: &'static [Kind]) -> Self {
        Self { kinds }
    }
}

impl Lower for MemoryLower {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn kinds(&self) -> &'static [Kind] {
        self.kinds
    }

    fn normalise(&self, kind: &Kind, attribute: &str, value: &Value) -> Result<Value, String> {
        match kind.attribute(attribute) {
            Some(attribute) => normalise(attribute.shape, value),
            None => Err(format!(
                "`{}` is no attribute of {}",
                safe(attribute),
                kind.name
            )),
        }
    }

    fn lower(&self, part: &Part<'_>) -> Lowered {
        let mut lowered = Lowered::default();
        for resource in &part.resources {
            let mut found = Vec::new();
            let wanted = lower_resource(part.instance, resource, &mut found);
            if let Some(wanted) = wanted.filter(|_| !found.iter().any(Diagnostic::is_error)) {
                lowered.objects.push(wanted);
            }
            lowered.diagnostics.extend(found);
        }
        order(&mut lowered.objects);
        lowered
    }
}

fn address_of(instance: &str, resource: &Resource) -> ObjectAddress {
    let alias = instance.split_once('.').map(|(_, alias)| alias.to_owned());
    resource
        .address
        .object(resource.kind.name)
        .with_alias(alias)
}

fn lower_resource(
    instance: &str,
    resource: &Resource,
    found: &mut Vec<Diagnostic>,
) -> Option<Wanted> {
    let kind = resource.kind;
    let about = Address::Declaration(resource.address.clone());
    let mut attributes = BTreeMap::new();
    for (name, written) in &resource.attributes {
        if written.value == Value::Null {
            continue;
        }
        match lower_attribute(resource, name, written) {
            Ok(value) => {
                attributes.insert(name.clone(), value);
            }
            Err(diagnostic) => found.push(
                diagnostic
                    .at(written.span.or(Some(resource.span)))
                    .about(about.clone()),
            ),
        }
    }
    let unwritten = |attribute: &&Attribute| {
        let written = resource.attributes.get(attribute.name);
        attribute.need == Need::Required && written.is_none_or(|w| w.value == Value::Null)
    };
    for attribute in kind.attributes.iter().filter(unwritten) {
        let detail = format!("a {} needs `{}`", kind.name, attribute.name);
        found.push(
            Diagnostic::error("missing attribute", detail)
                .help(format!(
                    "{} Write: `{} = …`",
                    attribute.summary, attribute.name
                ))
                .at(resource.span)
                .about(about.clone()),
        );
    }
    for name in kind.key_attributes() {
        if let Some(value) = attributes.get(name).filter(|value| value.has_pending()) {
            let span = resource
                .attributes
                .get(name)
                .and_then(|written| written.span);
            let detail = format!(
                "`{name}` is part of what tells one {} from another, and this is {}",
                kind.name,
                value.type_name()
            );
            found.push(
                Diagnostic::error("value known only after apply", detail)
                    .help("write a value that the configuration alone gives")
                    .at(span.or(Some(resource.span)))
                    .about(about.clone()),
            );
        }
    }
    let key = kind.key_of(&attributes)?;
    let mut depends_on = BTreeSet::new();
    for value in attributes.values() {
        value.walk(&mut |value| {
            if let Value::Pending(pending) = value {
                depends_on.extend(pending.objects().cloned());
            }
        });
    }
    Some(Wanted {
        address: address_of(instance, resource),
        instance: instance.to_owned(),
        kind,
        key,
        attributes,
        depends_on,
        holders: BTreeSet::new(),
        lifecycle: resource.lifecycle.clone(),
        span: resource.span,
    })
}

fn lower_attribute(
    resource: &Resource,
    name: &str,
    written: &Spanned<Value>,
) -> Result<Value, Diagnostic> {
    let kind = resource.kind;
    let value = &written.value;
    if kind.attribute(name).is_none() && kind.versioned(name).is_some() {
        return match value.as_i64() {
            Some(_) => Ok(value.clone()),
            None => Err(Diagnostic::error(
                "wrong type",
                format!(
                    "`{name}` is {}, and wanted is an integer",
                    value.type_name()
                ),
            )),
        };
    }
    let Some(attribute) = kind.attribute(name) else {
        let names = kind.attributes.iter().filter(|a| a.need != Need::Computed);
        let names: Vec<String> = names.map(|a| format!("`{}`", a.name)).collect();
        let detail = format!("a {} has no attribute `{}`", kind.name, safe(name));
        return Err(Diagnostic::error("unknown attribute", detail)
            .help(format!("it has {}", names.join(", "))));
    };
    if attribute.need == Need::Computed {
        let detail = format!("`{name}` is given by the server");
        return Err(Diagnostic::error("computed attribute", detail).help("leave it out"));
    }
    let mut secret = false;
    value.walk(&mut |value| secret |= matches!(value, Value::Secret(_)));
    if attribute.write_only {
        if !matches!(value, Value::Secret(_)) {
            let detail = format!("`{name}` takes a secret, and this is {}", value.type_name());
            return Err(Diagnostic::error("secret in the configuration", detail)
                .help("give a sensitive variable, whole"));
        }
        let version = format!("{name}_version");
        if !resource.attributes.contains_key(&version) {
            let detail =
                format!("`{name}` can't be read back, so a version must tell when it changes");
            return Err(Diagnostic::error("missing version", detail).help(format!(
                "add `{version} = 1`, and raise it when the secret changes"
            )));
        }
        return Ok(value.clone());
    }
    if secret {
        let detail = format!("`{name}` can be read back, so it can't hold a secret");
        return Err(Diagnostic::error("secret in a readable attribute", detail));
    }
    normalise(attribute.shape, value)
        .map_err(|why| Diagnostic::error("wrong value", format!("`{name}`: {why}")))
}

/// Adds what `depends_on` says and what lies in what.
fn order(objects: &mut [Wanted]) {
    let known: Vec<(ObjectAddress, &'static str, String)> = objects
        .iter()
        .map(|wanted| (wanted.address.clone(), wanted.kind.name, wanted.key.clone()))
        .collect();
    let by_key: BTreeMap<(&str, &str), &ObjectAddress> = known
        .iter()
        .map(|(address, kind, key)| ((*kind, key.as_str()), address))
        .collect();
    let mut by_block: BTreeMap<_, Vec<&ObjectAddress>> = BTreeMap::new();
    for (address, _, _) in &known {
        let declaration = &address.declaration;
        by_block
            .entry(declaration.clone())
            .or_default()
            .push(address);
        if declaration.key.is_some() {
            by_block
                .entry(declaration.block())
                .or_default()
                .push(address);
        }
    }
    for wanted in objects {
        for declaration in &wanted.lifecycle.depends_on {
            let all = by_block.get(declaration).into_iter().flatten();
            wanted
                .depends_on
                .extend(all.map(|address| (*address).clone()));
        }
        let container = wanted.kind.container.as_ref().and_then(|container| {
            let holder = wanted.attributes.get(container.attribute)?.as_str()?;
            by_key.get(&(container.kind, holder))
        });
        wanted
            .depends_on
            .extend(container.map(|address| (*address).clone()));
        wanted.depends_on.remove(&wanted.address);
    }
}

/// A place for what nobody wrote, in tests and examples.
pub const NOWHERE: Span = Span::new(remit_sdk::FileId(0), 0, 0);

#[cfg(test)]
mod tests {
    use remit_sdk::declaration::Lifecycle;
    use remit_sdk::{DeclarationAddress, Pending, SecretRef};

    use super::*;

    fn resource(kind: &'static str, name: &str, attributes: &[(&str, Value)]) -> Resource {
        Resource {
            address: DeclarationAddress::new(kind, name),
            instance: "memory".into(),
            kind: MemoryLower::default().kind(kind).unwrap(),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Spanned::new(value.clone(), None)))
                .collect(),
            names: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            span: NOWHERE,
        }
    }

    fn lowered(instance: &str, resources: &[Resource]) -> Lowered {
        MemoryLower::default().lower(&Part {
            instance,
            resources: resources.iter().collect(),
            ..Part::default()
        })
    }

    fn mistakes(resource: Resource) -> Vec<String> {
        let found = lowered("memory", &[resource]).diagnostics;
        found.into_iter().map(|d| d.summary).collect()
    }

    fn text(text: &str) -> Value {
        Value::string(text)
    }

    #[test]
    fn objects_in_normal_form_and_in_order() {
        let boxed = resource("memory_box", "b", &[("name", text("b"))]);
        let item = resource(
            "memory_item",
            "i",
            &[
                ("box", text("b")),
                ("name", text("i")),
                ("ttl", text("15m")),
                ("rules", Value::List(vec![text("y"), text("x")])),
                ("note", Value::Null),
            ],
        );
        let id = Pending::attribute(item.address.object("memory_item"), "id");
        let mut pass = resource(
            "memory_pass",
            "p",
            &[
                ("name", text("p")),
                ("item", Value::Pending(id)),
                ("audiences", Value::List(vec![text("a")])),
                ("password", Value::Secret(SecretRef::Variable("x".into()))),
                ("password_version", Value::integer(1)),
            ],
        );
        pass.lifecycle.depends_on = vec![DeclarationAddress::new("memory_box", "b")];
        let lowered = lowered("memory.eu", &[boxed, item, pass]);
        assert_eq!(lowered.diagnostics, []);
        let keys: Vec<&str> = lowered.objects.iter().map(|w| w.key.as_str()).collect();
        assert_eq!(keys, ["b", "box/b/item/i", "pass/p"]);
        let item = &lowered.objects[1];
        assert_eq!(item.address.to_string(), "memory_item.i@eu/memory_item");
        assert_eq!(item.attributes["ttl"], Value::integer(900));
        assert_eq!(item.attributes["rules"], Value::strings(["x", "y"]));
        assert!(!item.attributes.contains_key("note"));
        assert_eq!(
            item.depends_on,
            BTreeSet::from([lowered.objects[0].address.clone()])
        );
        let after: Vec<String> = lowered.objects[2]
            .depends_on
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            after,
            ["memory_box.b@eu/memory_box", "memory_item.i/memory_item"]
        );
    }

    #[test]
    fn every_mistake_is_said() {
        let rule =
            |attributes: &[(&str, Value)]| mistakes(resource("memory_rule", "r", attributes));
        assert_eq!(rule(&[("name", text("r"))]), ["missing attribute"]);
        let good = [("name", text("r")), ("text", text("x"))];
        assert_eq!(rule(&good), [""; 0]);
        let with = |name, value| rule(&[good[0].clone(), good[1].clone(), (name, value)]);
        assert_eq!(with("colour", text("x")), ["unknown attribute"]);
        assert_eq!(with("text", Value::Bool(true)), ["wrong value"]);
        let secret = Value::Secret(SecretRef::Env("X".into()));
        assert_eq!(
            with("text", secret.clone()),
            ["secret in a readable attribute"]
        );
        let other = DeclarationAddress::new("memory_item", "i").object("memory_item");
        let pending = Value::Pending(Pending::attribute(other, "id"));
        assert_eq!(with("name", pending), ["value known only after apply"]);
        let pass = |password| {
            mistakes(resource(
                "memory_pass",
                "p",
                &[
                    ("name", text("p")),
                    ("item", text("i")),
                    ("audiences", Value::strings(["a"])),
                    ("password", password),
                ],
            ))
        };
        assert_eq!(pass(text("hunter2")), ["secret in the configuration"]);
        assert_eq!(pass(secret), ["missing version"]);
        let item = [("box", text("b")), ("name", text("i")), ("id", text("x"))];
        assert_eq!(
            mistakes(resource("memory_item", "i", &item)),
            ["computed attribute"]
        );
    }
}
