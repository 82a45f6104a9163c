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
use crate::client::Product;
use crate::policy::{self, Document};
use crate::schema;

impl Reader {
    pub(super) async fn check_all(&self, wanted: &[&Wanted]) -> Vec<Diagnostic> {
        let mut found = self.check_connections(wanted).await;
        found.extend(self.check_kv_versions(wanted).await);
        if let Ok(product) = self.0.client.product().await {
            found.extend(older(product).filter(|_| !wanted.is_empty()));
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

/// The first versions that evaluate policies as [`crate::access`] does.
const OPENBAO: [u64; 3] = [2, 6, 0];
const VAULT: [u64; 3] = [2, 0, 3];

/// That a server is older than what is evaluated.
fn older(product: &Product) -> Option<Diagnostic> {
    let (name, first) = if product.is_openbao {
        ("OpenBao", OPENBAO)
    } else {
        ("Vault", VAULT)
    };
    if numbers(&product.version)? >= first {
        return None;
    }
    let [major, minor, patch] = first;
    Some(
        Diagnostic::warning(
            "server older than what is evaluated",
            format!(
                "{name} {} may list what a policy denies, and take a wildcard from the value of a \
                 template; what remit says of access is right from {name} {major}.{minor}.{patch} on",
                safe(&product.version)
            ),
        )
        .help("update the server"),
    )
}

/// `2.7.2`, `2.0.3+ent`, `2.6.0-beta1`.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let end = version.find(['-', '+']).unwrap_or(version.len());
    let mut parts = version.get(..end)?.trim_start_matches('v').split('.');
    let mut next = || parts.next()?.parse().ok();
    Some([next()?, next()?, next()?])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_evaluates_otherwise_is_named() {
        let told = |is_openbao: bool, version: &str| {
            let product = Product {
                is_openbao,
                version: version.to_owned(),
                cluster_id: String::new(),
            };
            older(&product).map(|found| found.detail)
        };
        for (is_openbao, version, is_older) in [
            (true, "2.5.9", true),
            (true, "2.0.0", true),
            (true, "2.6.0", false),
            (true, "2.6.0-beta1", false),
            (true, "2.7.2", false),
            (true, "2.10.0", false),
            (false, "1.21.4+ent", true),
            (false, "2.0.2", true),
            (false, "2.0.3", false),
            (false, "v2.0.3+ent.hsm", false),
            (false, "2.2.2", false),
            (true, "unknown", false),
            (true, "2.5", false),
        ] {
            let found = told(is_openbao, version);
            assert_eq!(found.is_some(), is_older, "{version}: {found:?}");
        }
        assert_eq!(
            told(true, "2.5.9").unwrap(),
            "OpenBao 2.5.9 may list what a policy denies, and take a wildcard from the value of a \
             template; what remit says of access is right from OpenBao 2.6.0 on"
        );
    }
}
