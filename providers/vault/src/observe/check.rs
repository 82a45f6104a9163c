//! What this server can't do of what is wanted, and what of its surroundings stands in the way.
//!
//! In come the wanted objects, out go diagnostics of the plan. Nothing is written, and what can't
//! be read is a warning: the plan has said so already.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::Reading;
use remit_sdk::text::safe;
use remit_sdk::{Address, Diagnostic, Read as _, Value};

use super::Reader;
use crate::policy::{self, Document};
use crate::schema;

impl Reader {
    pub(super) async fn check_all(&self, wanted: &[&Wanted]) -> Vec<Diagnostic> {
        let mut found = self.check_connections(wanted).await;
        found.extend(self.check_kv_versions(wanted).await);
        if let Ok(product) = self.0.client.product().await {
            let vocabulary = if product.is_openbao {
                policy::VAULT_ONLY
            } else {
                policy::OPENBAO_ONLY
            };
            for one in wanted {
                let text = one.attributes.get("policy").and_then(Value::as_str);
                let document = text.and_then(|text| policy::parse(text).ok());
                found.extend(document.and_then(|document| foreign(one, &document, vocabulary)));
            }
        }
        found
    }

    /// A `kv` mount of version 2 can't go back to version 1.
    async fn check_kv_versions(&self, wanted: &[&Wanted]) -> Vec<Diagnostic> {
        let option = |attributes: &BTreeMap<String, Value>| match attributes.get("options") {
            Some(Value::Map(all)) => all.get("version").and_then(Value::as_str) == Some("2"),
            _ => false,
        };
        let mut found = Vec::new();
        for one in wanted {
            let is_kv = one.kind.name == "vault_secrets_mount"
                && one.attributes.get("type").and_then(Value::as_str) == Some("kv");
            if !is_kv || option(&one.attributes) {
                continue;
            }
            if let Reading::Present(object) = self.read(one.kind, &one.key).await
                && option(&object.attributes)
            {
                found.push(
                    Diagnostic::error(
                        "kv mount that can't go back",
                        format!(
                            "`{}` is a kv mount of version 2, and the server can't make it version 1",
                            safe(&one.key)
                        ),
                    )
                    .help("write `options = { version = \"2\" }`")
                    .at(one.span)
                    .about(Address::Object(one.address.clone())),
                );
            }
        }
        found
    }

    /// Roles whose connection isn't managed must be allowed by it.
    async fn check_connections(&self, wanted: &[&Wanted]) -> Vec<Diagnostic> {
        let Some(kind) = schema::kind("vault_database_connection") else {
            return Vec::new();
        };
        let managed: BTreeSet<&str> = wanted
            .iter()
            .filter(|one| one.kind.name == kind.name)
            .map(|one| one.key.as_str())
            .collect();
        let text = |one: &Wanted, name: &str| {
            one.attributes
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let mut by_connection: BTreeMap<String, Vec<&Wanted>> = BTreeMap::new();
        for one in wanted
            .iter()
            .filter(|one| one.kind.name == "vault_database_role")
        {
            if let (Some(mount), Some(connection)) = (text(one, "mount"), text(one, "db_name")) {
                let key = format!("{mount}/config/{connection}");
                if !managed.contains(key.as_str()) {
                    by_connection.entry(key).or_default().push(one);
                }
            }
        }
        let mut found = Vec::new();
        for (key, roles) in by_connection {
            let reading = self.read(kind, &key).await;
            found.extend(
                roles
                    .into_iter()
                    .filter_map(|role| not_allowed(role, &key, &reading)),
            );
        }
        found
    }
}

fn not_allowed(role: &Wanted, connection: &str, reading: &Reading) -> Option<Diagnostic> {
    let name = role.attributes.get("name").cloned().unwrap_or_default();
    let shown = safe(connection);
    let diagnostic = match reading {
        Reading::Present(object) => match object.attributes.get("allowed_roles") {
            Some(Value::Set(all)) if all.contains(&name) || all.contains(&Value::string("*")) => {
                return None;
            }
            _ => Diagnostic::error(
                "database role not allowed",
                format!(
                    "the connection `{shown}` doesn't allow the role `{}`",
                    safe(name.as_str().unwrap_or_default())
                ),
            )
            .help("add it to the connection's `allowed_roles`, or let remit manage the connection"),
        },
        Reading::Absent => Diagnostic::error(
            "database connection missing",
            format!("there is no connection `{shown}`"),
        )
        .help("make it, or declare it as a `resource \"vault_database_connection\"`"),
        Reading::Unreadable(error) => Diagnostic::warning(
            "database connection not read",
            format!("whether `{shown}` allows the role can't be seen: {error}"),
        ),
    };
    Some(
        diagnostic
            .at(role.span)
            .about(Address::Object(role.address.clone())),
    )
}

/// What the policy says that this server doesn't know.
fn foreign(
    wanted: &Wanted,
    document: &Document,
    vocabulary: (&str, &[&str]),
) -> Option<Diagnostic> {
    let (only, capabilities) = vocabulary;
    let used: BTreeSet<&str> = document
        .paths
        .values()
        .flat_map(|rule| &rule.capabilities)
        .map(String::as_str)
        .filter(|one| capabilities.contains(one))
        .collect();
    if used.is_empty() {
        return None;
    }
    let used: Vec<_> = used.into_iter().collect();
    Some(
        Diagnostic::error(
            "capability this server doesn't know",
            format!(
                "`{}` is known to {only} only, and the server would refuse the policy",
                used.join("`, `")
            ),
        )
        .at(wanted.span)
        .about(Address::Object(wanted.address.clone())),
    )
}
