//! Worlds for tests, of objects written as text.

use std::collections::BTreeMap;

use remit_sdk::access::{Answer, Evaluate, Subject, Thing, World};
use remit_sdk::{Kind, ObjectAddress, Value};

use super::tests::text;
use crate::{Vault, schema};

/// Kind, key, attributes and address of an object.
type One = (
    &'static str,
    String,
    BTreeMap<String, Value>,
    Option<ObjectAddress>,
);

/// Objects that worlds are made of.
#[derive(Clone, Default)]
pub(super) struct Things(Vec<One>);

/// `true`, `[a, b]`, `{a: b}`, or a text.
fn value(text: &str) -> Value {
    let inside = |open, close| {
        text.strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
    };
    let parts = |text: &str| -> Vec<String> {
        text.split(',')
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    if let Some(all) = inside('[', ']') {
        return Value::Set(parts(all).into_iter().map(Value::string).collect());
    }
    if let Some(all) = inside('{', '}').filter(|all| !all.contains(['{', '}', '"'])) {
        let pairs = parts(all).into_iter().map(|pair| {
            let (name, value) = pair.split_once(':').unwrap();
            (name.to_owned(), Value::string(value.trim()))
        });
        return Value::Map(pairs.collect());
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        other => Value::string(other),
    }
}

fn any_kind(name: &str) -> &'static Kind {
    let held = || schema::held().iter().find(|kind| kind.name == name);
    schema::kind(name).or_else(held).unwrap()
}

impl Things {
    /// An object of a declaration (`identity.a`), or of somebody else (an empty text).
    pub(super) fn with(
        mut self,
        declaration: &str,
        kind: &str,
        key: &str,
        attributes: &[(&str, &str)],
    ) -> Self {
        let kind = any_kind(kind).name;
        let attributes = attributes
            .iter()
            .map(|(name, text)| ((*name).to_owned(), value(text)))
            .collect();
        let address =
            (!declaration.is_empty()).then(|| format!("{declaration}/{kind}").parse().unwrap());
        self.0.push((kind, key.to_owned(), attributes, address));
        self
    }

    /// An attribute of the object of this key, which a text can't write.
    pub(super) fn set(mut self, key: &str, attribute: &str, value: Value) -> Self {
        for (_, own, attributes, _) in &mut self.0 {
            if own == key {
                attributes.insert(attribute.to_owned(), value.clone());
            }
        }
        self
    }

    /// A policy of rules as [`text`] takes them.
    pub(super) fn policy(self, name: &str, lines: &str) -> Self {
        let scope = format!("scope.{name}");
        self.with(&scope, "vault_policy", name, &[("policy", &text(lines))])
    }

    pub(super) fn world(&self) -> World<'_> {
        self.world_on("OpenBao 2.7.2")
    }

    pub(super) fn world_on<'a>(&'a self, server: &'a str) -> World<'a> {
        let mut world = World {
            instance: "vault",
            server,
            ..World::default()
        };
        for (kind, key, attributes, address) in &self.0 {
            world.add(Thing {
                kind: any_kind(kind),
                key,
                attributes,
                address: address.as_ref(),
            });
        }
        world
    }
}

pub(super) fn entity(name: &str) -> Subject {
    ("vault_entity".to_owned(), name.to_owned())
}

/// An entity `a` with the policy `p`.
pub(super) fn holder(lines: &str) -> Things {
    Things::default()
        .with("identity.a", "vault_entity", "a", &[("policies", "[p]")])
        .policy("p", lines)
}

pub(super) fn can(things: &Things, request: &str) -> Answer {
    Vault.can(&things.world(), &entity("a"), request).unwrap()
}
