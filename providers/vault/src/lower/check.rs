//! What concerns objects together: dependencies, allowed roles, two objects that would be one.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::text::safe;
use remit_sdk::{Address, Diagnostic, ObjectAddress, Value};

use super::Lowering;
use crate::normal;

/// Text of an attribute.
fn attribute<'a>(wanted: &'a Wanted, name: &str) -> Option<&'a str> {
    wanted.attributes.get(name).and_then(Value::as_str)
}

/// The key of the connection that a database role uses.
fn connection_key(role: &Wanted) -> Option<String> {
    let (mount, connection) = (attribute(role, "mount")?, attribute(role, "db_name")?);
    Some(format!("{mount}/config/{connection}"))
}

impl Lowering<'_> {
    /// A managed connection allows the roles that scopes became on it.
    pub(super) fn allow_roles(&mut self) {
        let mut roles: BTreeMap<String, BTreeSet<Value>> = BTreeMap::new();
        for wanted in &self.out.objects {
            // A role that is a resource itself is allowed by whoever wrote the connection.
            let from_scope = wanted.address.declaration.kind != wanted.kind.name;
            if wanted.kind.name == "vault_database_role"
                && from_scope
                && let Some(connection) = connection_key(wanted)
                && let Some(name) = attribute(wanted, "name")
            {
                roles
                    .entry(connection)
                    .or_default()
                    .insert(Value::string(name));
            }
        }
        for wanted in &mut self.out.objects {
            if wanted.kind.name != "vault_database_connection" {
                continue;
            }
            let Some(names) = roles.get(&wanted.key) else {
                continue;
            };
            let allowed = wanted
                .attributes
                .entry("allowed_roles".to_owned())
                .or_insert_with(|| Value::Set(BTreeSet::new()));
            if let Value::Set(allowed) = allowed
                && !allowed.contains(&Value::string("*"))
            {
                allowed.extend(names.iter().cloned());
            }
        }
    }

    /// What an object names, it depends on: its mount, its config or connection, and what its
    /// pending values wait for.
    pub(super) fn infer_dependencies(&mut self) {
        let by_key: BTreeMap<(&str, &str), &ObjectAddress> = self
            .out
            .objects
            .iter()
            .map(|wanted| ((wanted.kind.name, wanted.key.as_str()), &wanted.address))
            .collect();
        let inferred: Vec<BTreeSet<ObjectAddress>> = self
            .out
            .objects
            .iter()
            .map(|wanted| {
                let mut all = named_by(wanted, &by_key);
                for value in wanted.attributes.values() {
                    value.walk(&mut |value| {
                        if let Value::Pending(pending) = value {
                            all.extend(pending.objects().cloned());
                        }
                    });
                }
                all
            })
            .collect();
        for (wanted, all) in self.out.objects.iter_mut().zip(inferred) {
            wanted.depends_on.extend(all);
            wanted.depends_on.remove(&wanted.address);
        }
    }

    /// `depends_on` of a declaration names declarations: every object of theirs comes first.
    pub(super) fn declared_dependencies(&mut self) {
        let addresses: Vec<_> = self
            .out
            .objects
            .iter()
            .map(|one| one.address.clone())
            .collect();
        for wanted in &mut self.out.objects {
            for declaration in &wanted.lifecycle.depends_on {
                let before = Address::Declaration(declaration.clone());
                let own = &wanted.address.declaration;
                let covered = addresses
                    .iter()
                    .filter(|one| one.declaration != *own && before.covers(one));
                wanted.depends_on.extend(covered.cloned());
            }
        }
    }

    /// Two declarations that would fight over one live object.
    pub(super) fn same_live_object(&mut self) {
        let mut seen: BTreeMap<(&str, String), &Wanted> = BTreeMap::new();
        let mut found = Vec::new();
        for wanted in &self.out.objects {
            let folded = normal::folded_key(wanted.kind, &wanted.key);
            if let Some(before) = seen.insert((wanted.kind.name, folded), wanted) {
                found.push(same(before, wanted));
            }
        }
        self.out.diagnostics.extend(found);
    }
}

fn named_by(
    wanted: &Wanted,
    by_key: &BTreeMap<(&str, &str), &ObjectAddress>,
) -> BTreeSet<ObjectAddress> {
    let mut keys = Vec::new();
    if let Some(container) = &wanted.kind.container
        && let Some(path) = attribute(wanted, container.attribute)
    {
        keys.push((container.kind, path.to_owned()));
        if wanted.kind.name == "vault_jwt_role" {
            keys.push(("vault_jwt_config", format!("auth/{path}/config")));
        }
    }
    if wanted.kind.name == "vault_database_role" {
        keys.extend(connection_key(wanted).map(|key| ("vault_database_connection", key)));
    }
    keys.iter()
        .filter_map(|(kind, key)| by_key.get(&(*kind, key.as_str())))
        .map(|address| (*address).clone())
        .collect()
}

fn same(before: &Wanted, wanted: &Wanted) -> Diagnostic {
    let (summary, detail, help) = if wanted.kind.name == "vault_entity_alias" {
        (
            "two identities with one subject",
            format!(
                "`{}` and `{}` both are `{}` at the mount `{}`; the server would make them one entity with the access of both",
                before.address.declaration,
                wanted.address.declaration,
                safe(attribute(wanted, "name").unwrap_or_default()),
                safe(attribute(wanted, "mount").unwrap_or_default()),
            ),
            "give each workload a subject of its own",
        )
    } else {
        (
            "two declarations of one live object",
            format!(
                "`{}` and `{}` both are the {} `{}`",
                before.address,
                wanted.address,
                wanted.kind.name,
                safe(&wanted.key)
            ),
            "give one of them another name, or remove it",
        )
    };
    Diagnostic::error(summary, detail)
        .help(help)
        .at(wanted.span)
        .label(before.span, "the other one")
        .about(Address::Declaration(wanted.address.declaration.clone()))
}
