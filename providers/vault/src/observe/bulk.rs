//! Reading all of a plan's objects at once.

mod aliases;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use remit_sdk::provider::{BoxFuture, Observation, Query, Reading};
use remit_sdk::{ErrorKind, Kind, ProviderError, Value};
use serde_json::Value as Json;

use super::{Found, Mounts, Shared, decoded, malformed, renamed, text, unproven};
use crate::client::{Answer, Request};
use crate::{schema, wire};

/// A mount table, or why it couldn't be read.
type Table = Result<Arc<Mounts>, ProviderError>;

/// What one request for one object found.
type Single<'a> = (&'static Kind, &'a str, Result<Found, ProviderError>);

/// What one request for the id of one object found: kind, key, id.
type ById<'a> = (
    &'static str,
    &'a str,
    &'a str,
    Result<Answer, ProviderError>,
);

/// What a LIST of names gave: of which kind, in which mount.
type Listed = (&'static Kind, Option<String>, Result<Answer, ProviderError>);

/// What a bulk reading knows so far.
struct Bulk<'a> {
    shared: &'a Shared,
    parallelism: usize,
    queries: BTreeMap<&'static str, BTreeSet<&'a str>>,
    /// The ids that objects are recorded with.
    ids: BTreeMap<(&'static str, &'a str), &'a str>,
    auth: Option<Table>,
    secrets: Option<Table>,
    out: Observation,
    /// Whether one LIST told all policies.
    policies_listed: bool,
    /// Not-found answers that wait for their proof: path, kind, key.
    unproven: Vec<(String, &'static str, String)>,
}

pub(super) async fn observe(
    shared: &Shared,
    queries: &[Query],
    parallelism: usize,
) -> Result<Observation, ProviderError> {
    let mut by_kind: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for query in queries {
        by_kind
            .entry(query.kind.name)
            .or_default()
            .insert(&query.key);
    }
    let ids = queries
        .iter()
        .filter_map(|query| Some(((query.kind.name, &*query.key), query.id.as_deref()?)));
    let mut bulk = Bulk {
        shared,
        parallelism,
        queries: by_kind,
        ids: ids.collect(),
        auth: None,
        secrets: None,
        out: Observation::default(),
        policies_listed: false,
        unproven: Vec::new(),
    };
    bulk.tables().await?;
    bulk.mounts("vault_auth_mount");
    bulk.mounts("vault_secrets_mount");
    bulk.policies().await?;
    bulk.aliases().await?;
    bulk.singles().await?;
    bulk.prove().await;
    bulk.renamed().await?;
    bulk.others().await;
    Ok(bulk.out)
}

/// What makes every reading impossible, not only this one.
fn is_fatal(error: &ProviderError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unavailable | ErrorKind::Transient | ErrorKind::Throttled | ErrorKind::Bug
    )
}

impl<'a> Bulk<'a> {
    fn keys(&self, kind: &str) -> Vec<&'a str> {
        self.queries
            .get(kind)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    fn note(&mut self, kind: &str, key: &str, reading: Reading) {
        self.out
            .readings
            .insert((kind.to_owned(), key.to_owned()), reading);
    }

    /// The mount tables that any of the queries needs.
    async fn tables(&mut self) -> Result<(), ProviderError> {
        let of = |kind: &'static Kind| match (kind.name, &kind.container) {
            ("vault_auth_mount", _) => "vault_auth_mount",
            ("vault_secrets_mount", _) => "vault_secrets_mount",
            (_, Some(container)) => container.kind,
            _ => "",
        };
        let needed: BTreeSet<&str> = self
            .queries
            .keys()
            .filter_map(|name| schema::kind(name))
            .map(of)
            .collect();
        for (kind, table) in [
            ("vault_auth_mount", "sys/auth"),
            ("vault_secrets_mount", "sys/mounts"),
        ] {
            if !needed.contains(kind) {
                continue;
            }
            let read = self.shared.mounts(table).await;
            if let Err(error) = &read
                && is_fatal(error)
            {
                return Err(error.clone());
            }
            let place = if table == "sys/auth" {
                &mut self.auth
            } else {
                &mut self.secrets
            };
            *place = Some(read);
        }
        Ok(())
    }

    fn table(&self, kind: &str) -> Option<&Table> {
        match kind {
            "vault_auth_mount" => self.auth.as_ref(),
            _ => self.secrets.as_ref(),
        }
    }

    /// Mounts, from their table: not in it is proof of absence.
    fn mounts(&mut self, name: &'static str) {
        let Some(kind) = schema::kind(name) else {
            return;
        };
        for key in self.keys(name) {
            let reading = match self.table(name) {
                Some(Ok(all)) => match (all.get(key), self.ids.get(&(name, key))) {
                    (Some(data), _) => decoded(kind, key, data),
                    (None, Some(id)) => renamed::mount(kind, key, id, all),
                    (None, None) => Reading::Absent,
                },
                Some(Err(error)) => Reading::Unreadable(error.clone()),
                None => continue,
            };
            self.note(name, key, reading);
        }
    }

    /// Whether what would hold the object is proven not to be there, or to be of another type.
    fn has_no_container(&self, kind: &Kind, key: &str) -> bool {
        let Some(container) = &kind.container else {
            return false;
        };
        let (Some(Ok(all)), Some(parts)) = (self.table(container.kind), kind.parse_key(key)) else {
            return false;
        };
        let mount = parts.get(container.attribute).and_then(Value::as_str);
        let types: &[&str] = match kind.name {
            "vault_jwt_config" | "vault_jwt_role" => &["jwt", "oidc"],
            "vault_approle_role" => &["approle"],
            "vault_database_connection" | "vault_database_role" => &["database"],
            _ => &[],
        };
        match mount.and_then(|mount| all.get(mount)) {
            None => true,
            Some(mount) => {
                !types.is_empty()
                    && text(mount, "type").is_some_and(|one| !types.contains(&one.as_str()))
            }
        }
    }

    /// The reading of an object that [`Bulk::has_no_container`]: what was moved with its mount is
    /// not gone.
    fn without_container(&self, kind: &Kind, key: &str) -> Reading {
        let parts = kind.parse_key(key).unwrap_or_default();
        let container = kind.container.as_ref().and_then(|container| {
            let mount = parts.get(container.attribute)?.as_str()?.to_owned();
            Some((container.kind.to_owned(), mount))
        });
        match container.and_then(|place| self.out.readings.get(&place)) {
            Some(Reading::Unreadable(error)) => Reading::Unreadable(error.clone()),
            _ => Reading::Absent,
        }
    }

    /// All policies with their text, where the server lists them so; what is left is read one
    /// by one.
    async fn policies(&mut self) -> Result<(), ProviderError> {
        let Some(kind) = schema::kind("vault_policy") else {
            return Ok(());
        };
        let keys = self.keys(kind.name);
        if keys.is_empty() || !self.shared.client.product().await?.is_openbao {
            return Ok(());
        }
        let answer = match self
            .shared
            .client
            .send(&Request::list("sys/policies/detailed/acl"))
            .await
        {
            Ok(answer) => answer,
            Err(error) if is_fatal(&error) => return Err(error),
            // Not allowed, not known, or too much for one answer.
            Err(_) => return Ok(()),
        };
        let Some(all) = answer.data().get("key_info").and_then(Json::as_object) else {
            return Ok(());
        };
        let names = answer.data().get("keys").and_then(Json::as_array);
        // Every namespace has a policy `default`, which can't be removed.
        if names.is_none_or(|names| names.len() != all.len()) || !all.contains_key("default") {
            // Not the whole list: it proves no absence.
            return Ok(());
        }
        self.policies_listed = true;
        for key in keys {
            if let Some(data) = all.get(key) {
                self.note(kind.name, key, decoded(kind, key, data));
            } else {
                // A list may leave out what may not be read: absence is proven apart.
                let path = wire::object_path(kind, key).unwrap_or_default();
                self.unproven.push((path, kind.name, key.to_owned()));
            }
        }
        let prefix = &self.shared.client.prefix;
        let asked = self.queries.get(kind.name);
        let others = all.keys().filter(|name| {
            name.starts_with(prefix.as_str())
                && asked.is_none_or(|asked| !asked.contains(name.as_str()))
        });
        self.out
            .others
            .extend(others.map(|name| (kind.name.to_owned(), name.clone())));
        Ok(())
    }

    /// Everything that no bulk call told, many at once.
    async fn singles(&mut self) -> Result<(), ProviderError> {
        let mut open = Vec::new();
        for (name, keys) in self.queries.clone() {
            let Some(kind) = schema::kind(name) else {
                continue;
            };
            for key in keys {
                if self
                    .out
                    .readings
                    .contains_key(&(name.to_owned(), key.to_owned()))
                {
                    continue;
                }
                if self.has_no_container(kind, key) {
                    self.note(name, key, self.without_container(kind, key));
                } else {
                    open.push((kind, key));
                }
            }
        }
        let shared = self.shared;
        // Boxed: the compiler can't see through a closure that gives futures of many lifetimes.
        let calls: Vec<BoxFuture<'_, Single<'a>>> = open
            .into_iter()
            .map(|(kind, key)| -> BoxFuture<'_, Single<'a>> {
                Box::pin(async move { (kind, key, shared.fetch(kind, key).await) })
            })
            .collect();
        let mut found = stream::iter(calls).buffer_unordered(self.parallelism);
        let mut all = Vec::new();
        while let Some((kind, key, found)) = found.next().await {
            match found {
                Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
                found => all.push((kind, key, found)),
            }
        }
        drop(found);
        for (kind, key, found) in all {
            let reading = match found {
                Ok(Found::Data(data)) => {
                    if kind.name == "vault_entity" {
                        self.logins(&data);
                    }
                    decoded(kind, key, &data)
                }
                Ok(Found::Absent) => Reading::Absent,
                Ok(Found::Missing(path)) => {
                    self.unproven.push((path, kind.name, key.to_owned()));
                    continue;
                }
                Err(error) => Reading::Unreadable(error),
            };
            self.note(kind.name, key, reading);
        }
        Ok(())
    }

    /// Whether anybody asked for this key; letters of another case are the same to the server.
    fn is_asked(&self, kind: &Kind, key: &str) -> bool {
        let asked = self.queries.get(kind.name);
        asked.is_some_and(|asked| {
            asked
                .iter()
                .any(|one| one.to_lowercase() == key.to_lowercase())
        })
    }

    /// Believes a not-found where the right to read is proven, all in one question.
    async fn prove(&mut self) {
        let waiting = std::mem::take(&mut self.unproven);
        if waiting.is_empty() {
            return;
        }
        let paths = waiting.iter().map(|(path, ..)| path.clone()).collect();
        let proof = self.shared.prove(&paths).await;
        for (path, kind, key) in waiting {
            let reading = match &proof {
                Ok(readable) if readable.contains(&path) => Reading::Absent,
                Ok(_) => Reading::Unreadable(unproven(&path)),
                Err(error) => Reading::Unreadable(error.clone()),
            };
            self.note(kind, &key, reading);
        }
    }

    /// Asks by id for what is recorded with one and was not found by its name.
    async fn renamed(&mut self) -> Result<(), ProviderError> {
        let shared = self.shared;
        let is_absent = |name: &str, key: &str| {
            let place = (name.to_owned(), key.to_owned());
            self.out.readings.get(&place) == Some(&Reading::Absent)
        };
        let calls: Vec<BoxFuture<'_, ById<'a>>> = self
            .ids
            .iter()
            .filter(|((name, key), _)| is_absent(name, key))
            .filter_map(|((name, key), id)| Some((*name, *key, *id, renamed::path(name, id)?)))
            .map(|(name, key, id, path)| -> BoxFuture<'_, ById<'a>> {
                Box::pin(
                    async move { (name, key, id, shared.client.send(&Request::get(path)).await) },
                )
            })
            .collect();
        let mut answers = stream::iter(calls).buffer_unordered(self.parallelism);
        let mut found = Vec::new();
        while let Some(one) = answers.next().await {
            found.push(one);
        }
        drop(answers);
        for (name, key, id, answer) in found {
            let reading = match (answer, self.auth.as_ref()) {
                (Ok(answer), _) if name == "vault_entity" => {
                    renamed::entity(key, id, answer.data())
                }
                (Ok(answer), Some(Ok(mounts))) => {
                    let kind = schema::kind(name);
                    let parts = kind
                        .and_then(|kind| kind.parse_key(key))
                        .unwrap_or_default();
                    renamed::alias(&parts, id, answer.data(), mounts)
                }
                (Err(error), _) if error.kind == ErrorKind::NotFound => continue,
                (Err(error), _) if error.kind == ErrorKind::Unavailable => return Err(error),
                (Err(error), _) => Reading::Unreadable(error),
                (Ok(_), Some(Err(error))) => Reading::Unreadable(error.clone()),
                (Ok(_), None) => Reading::Unreadable(malformed("sys/auth")),
            };
            self.note(name, key, reading);
        }
        Ok(())
    }

    /// What stands under the prefix, or in a mount that is managed, and wasn't asked for. A list
    /// that can't be read gives none: it is a hint, no proof.
    async fn others(&mut self) {
        for (table, kind) in [
            (&self.auth, "vault_auth_mount"),
            (&self.secrets, "vault_secrets_mount"),
        ] {
            if let Some(Ok(all)) = table {
                let asked = self.queries.get(kind);
                let prefix = &self.shared.client.prefix;
                let others = all.keys().filter(|path| {
                    path.starts_with(prefix.as_str())
                        && asked.is_none_or(|asked| !asked.contains(path.as_str()))
                });
                self.out
                    .others
                    .extend(others.map(|path| (kind.to_owned(), path.clone())));
            }
        }
        let shared = self.shared;
        let lists = self.lists();
        let calls: Vec<BoxFuture<'_, Listed>> = lists
            .into_iter()
            .map(|(kind, mount, path)| -> BoxFuture<'_, Listed> {
                Box::pin(
                    async move { (kind, mount, shared.client.send(&Request::list(path)).await) },
                )
            })
            .collect();
        let mut answers = stream::iter(calls).buffer_unordered(self.parallelism);
        let mut found = Vec::new();
        while let Some((kind, mount, answer)) = answers.next().await {
            let Ok(answer) = answer else { continue };
            let names = answer.data().get("keys").and_then(Json::as_array);
            let names: Vec<_> = names
                .into_iter()
                .flatten()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect();
            found.push((kind, mount, names));
        }
        drop(answers);
        for (kind, mount, names) in found {
            for name in names {
                self.other(kind, mount.as_deref(), &name);
            }
        }
    }

    /// Lists worth asking for: kind, mount, path.
    fn lists(&self) -> Vec<(&'static Kind, Option<String>, String)> {
        let mut lists = BTreeMap::new();
        for (name, keys) in &self.queries {
            let (Some(kind), false) = (schema::kind(name), keys.is_empty()) else {
                continue;
            };
            let Some(list) = wire::wire(kind).and_then(|wire| wire.list) else {
                continue;
            };
            if kind.name == "vault_policy" && self.policies_listed {
                continue;
            }
            for key in keys {
                let parts = kind.parse_key(key).unwrap_or_default();
                let mount = parts
                    .get("mount")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                if mount.is_some() && self.has_no_container(kind, key) {
                    continue;
                }
                if let Some(path) = wire::path(list, &parts) {
                    lists.entry((kind.name, mount)).or_insert((kind, path));
                }
            }
        }
        lists
            .into_iter()
            .map(|((_, mount), (kind, path))| (kind, mount, path))
            .collect()
    }

    fn other(&mut self, kind: &'static Kind, mount: Option<&str>, name: &str) {
        let mut parts = BTreeMap::from([("name".to_owned(), Value::string(name))]);
        let mut is_managed = name
            .to_lowercase()
            .starts_with(self.shared.client.prefix.as_str());
        if let (Some(mount), Some(container)) = (mount, &kind.container) {
            parts.insert("mount".to_owned(), Value::string(mount));
            let mounts = self.queries.get(container.kind);
            is_managed |= mounts.is_some_and(|mounts| mounts.contains(mount));
        }
        let Some(key) = kind.key_of(&parts) else {
            return;
        };
        if is_managed && !self.is_asked(kind, &key) {
            self.out.others.insert((kind.name.to_owned(), key));
        }
    }
}
