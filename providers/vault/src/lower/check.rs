//! What concerns objects together: what they name, allowed roles, two subjects that would be one.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::Value;
use remit_sdk::declaration::Wanted;
use remit_sdk::drafting::text_of;
use remit_sdk::text::safe;

use super::Lowering;

/// The key of the connection that a database role uses.
fn connection_key(role: &Wanted) -> Option<String> {
    let (mount, connection) = (text_of(role, "mount")?, text_of(role, "db_name")?);
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
                && let Some(name) = text_of(wanted, "name")
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
}

/// What an object names beside its mount: the mount's config, the connection, policies.
pub(super) fn named_by(wanted: &Wanted) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    if wanted.kind.name == "vault_jwt_role"
        && let Some(mount) = text_of(wanted, "mount")
    {
        keys.push(("vault_jwt_config", format!("auth/{mount}/config")));
    }
    // A name that somebody else's policy has would give what nobody declared: whoever carries a
    // policy waits until it is known to be ours.
    for carried in ["policies", "token_policies"] {
        if let Some(Value::Set(names)) = wanted.attributes.get(carried) {
            let names = names.iter().filter_map(Value::as_str);
            keys.extend(names.map(|name| ("vault_policy", name.to_owned())));
        }
    }
    if wanted.kind.name == "vault_database_role" {
        keys.extend(connection_key(wanted).map(|key| ("vault_database_connection", key)));
    }
    keys
}

/// Two identities that the server would make one entity.
pub(super) fn one_subject(
    before: &Wanted,
    wanted: &Wanted,
) -> Option<(&'static str, String, &'static str)> {
    (wanted.kind.name == "vault_entity_alias").then(|| {
        (
            "two identities with one subject",
            format!(
                "`{}` and `{}` both are `{}` at the mount `{}`; the server would make them one entity with the access of both",
                before.address.declaration,
                wanted.address.declaration,
                safe(text_of(wanted, "name").unwrap_or_default()),
                safe(text_of(wanted, "mount").unwrap_or_default()),
            ),
            "give each workload a subject of its own",
        )
    })
}
