//! Writing. It never decides: it is told what to do and what it must find, and where the server
//! would silently overwrite something that the look before can't see, it refuses.
//!
//! In come write requests with everything known, out go the server's warnings. Policies use
//! compare-and-swap where the server has it (OpenBao); objects with an id are written by their
//! id, so that another object under the same name is never hit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use remit_sdk::provider::{BoxFuture, Expected, WriteRequest, Written};
use remit_sdk::text::safe;
use remit_sdk::{Attribute, ErrorKind, Kind, ProviderError, Secret, Value, Write};
use serde_json::{Map, Value as Json};

use crate::client::{Request, SecretFields};
use crate::observe::{Found, Shared, TOMBSTONE_ISSUER, TOMBSTONE_KEY, is_alias, malformed, text};
use crate::wire::{self, Body};

/// The writing half.
#[derive(Clone)]
pub struct Writer(pub(crate) Arc<Shared>);

/// The attribute that holds a kind's mark.
fn mark_attribute(kind: &Kind) -> Option<&'static str> {
    match kind.name {
        "vault_policy" => Some("policy"),
        "vault_auth_mount" | "vault_secrets_mount" => Some("description"),
        "vault_entity" => Some("metadata"),
        "vault_entity_alias" => Some("custom_metadata"),
        _ => None,
    }
}

fn bug(why: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Bug, why.to_owned())
}

fn id_of(expected: &Expected) -> Option<&str> {
    match expected {
        Expected::Present { id, .. } => id.as_deref(),
        Expected::Absent => None,
    }
}

fn version_of(expected: &Expected) -> Option<u64> {
    match expected {
        Expected::Present { version, .. } => *version,
        Expected::Absent => None,
    }
}

fn object_path(kind: &Kind, key: &str) -> Result<String, ProviderError> {
    wire::object_path(kind, key).ok_or_else(|| bug("a key of another form"))
}

fn part(kind: &Kind, key: &str, name: &str) -> Result<String, ProviderError> {
    let parts = kind.parse_key(key);
    parts
        .and_then(|parts| parts.get(name).and_then(Value::as_str).map(str::to_owned))
        .ok_or_else(|| bug("a key of another form"))
}

impl Writer {
    fn body(
        request: &WriteRequest<'_>,
        attributes: &BTreeMap<String, Value>,
        names: &BTreeSet<String>,
    ) -> Result<Map<String, Json>, ProviderError> {
        let wanted = Body {
            attributes,
            names,
            mark: request.mark,
        };
        wire::body(request.kind, &wanted).map_err(|why| bug(&why))
    }

    async fn post(
        &self,
        request: &WriteRequest<'_>,
        path: String,
        body: Map<String, Json>,
    ) -> Result<Written, ProviderError> {
        let secrets: Vec<(&str, &Secret)> = request
            .secrets
            .iter()
            .map(|(name, secret)| (name.as_str(), secret))
            .collect();
        let mut post = Request::post(path, body);
        let is_there = matches!(request.expected, Expected::Present { .. });
        let is_stored = |one: &Attribute| one.write_only && !request.secrets.contains_key(one.name);
        if is_there && request.kind.attributes.iter().any(is_stored) {
            post = post.with_stored_secret();
        }
        self.send(&post, &secrets).await
    }

    async fn send(
        &self,
        request: &Request,
        secrets: SecretFields<'_>,
    ) -> Result<Written, ProviderError> {
        let answer = self.0.client.send_with(request, secrets).await?;
        Ok(Written {
            warnings: answer.warnings(request, secrets),
        })
    }

    async fn create_object(&self, request: WriteRequest<'_>) -> Result<Written, ProviderError> {
        let kind = request.kind;
        let mut names: BTreeSet<String> = request.attributes.keys().cloned().collect();
        names.extend(mark_attribute(kind).map(str::to_owned));
        if kind.name == "vault_jwt_role" {
            // The server's own default is `oidc`.
            names.insert("role_type".into());
        }
        let mut body = Self::body(&request, request.attributes, &names)?;
        match kind.name {
            "vault_policy" => self.write_policy(&request, -1).await,
            "vault_entity_alias" => self.create_alias(&request, body).await,
            "vault_jwt_config" => {
                body.entry("namespace_in_state").or_insert(Json::Bool(true));
                self.post(&request, object_path(kind, request.key)?, body)
                    .await
            }
            "vault_auth_mount" | "vault_secrets_mount" => {
                let written = self
                    .post(&request, object_path(kind, request.key)?, body)
                    .await;
                self.0.forget_mounts();
                written
            }
            _ => {
                self.post(&request, object_path(kind, request.key)?, body)
                    .await
            }
        }
    }

    /// A policy is written whole: what a POST doesn't name is reset.
    async fn write_policy(
        &self,
        request: &WriteRequest<'_>,
        cas: i64,
    ) -> Result<Written, ProviderError> {
        let mut names: BTreeSet<String> = BTreeSet::from(["policy".to_owned()]);
        for (name, value) in request.attributes {
            let attribute = request.kind.attribute(name);
            // Only what isn't the default: Vault knows none of these.
            if attribute.is_some_and(|attribute| attribute.default.value().as_ref() != Some(value))
            {
                names.insert(name.clone());
            }
        }
        let mut body = Self::body(request, request.attributes, &names)?;
        if self.0.client.product().await?.is_openbao {
            body.insert("cas".into(), Json::from(cas));
        }
        self.post(request, object_path(request.kind, request.key)?, body)
            .await
    }

    /// POST would silently point an existing alias elsewhere: look first. One that a login made
    /// by itself belongs to nobody, and is taken.
    async fn create_alias(
        &self,
        request: &WriteRequest<'_>,
        mut body: Map<String, Json>,
    ) -> Result<Written, ProviderError> {
        let (mount, name) = (
            part(request.kind, request.key, "mount")?,
            part(request.kind, request.key, "name")?,
        );
        let accessor = self.0.accessor(&mount, true).await?.ok_or_else(|| {
            ProviderError::new(
                ErrorKind::Conflict,
                format!("there is no auth mount `{}`", safe(&mount)),
            )
        })?;
        if let Some(entity) = self.0.entity_of(&accessor, &name).await? {
            let wanted = body.get("canonical_id").and_then(Json::as_str);
            let is_same = text(&entity, "id").as_deref() == wanted;
            if !is_same && !made_by_login(&entity, &accessor, &name) {
                let owner = safe(&text(&entity, "name").unwrap_or_default());
                return Err(ProviderError::new(
                    ErrorKind::Conflict,
                    format!(
                        "`{}` at `{}` belongs to the entity `{owner}` already",
                        safe(&name),
                        safe(&mount)
                    ),
                )
                .help("two entities can't share a login; remove the alias there, or import it"));
            }
        }
        body.insert("name".into(), Json::from(name));
        body.insert("mount_accessor".into(), Json::from(accessor));
        self.post(request, "identity/entity-alias".into(), body)
            .await
    }

    async fn update_object(&self, request: WriteRequest<'_>) -> Result<Written, ProviderError> {
        let kind = request.kind;
        if kind.name == "vault_policy" {
            let version =
                version_of(request.expected).and_then(|version| i64::try_from(version).ok());
            return self.write_policy(&request, version.unwrap_or(-1)).await;
        }
        if matches!(kind.name, "vault_jwt_config" | "vault_jwt_role") {
            return self.write_whole(&request).await;
        }
        let mut names: BTreeSet<String> = request.changed.union(request.unset).cloned().collect();
        let mut attributes = request.attributes.clone();
        let mut live_options = None;
        if let Some(name) = mark_attribute(kind) {
            // The mark is stamped with every write; what it stands in is kept as it is, unless
            // it is to change.
            let live = self.live(kind, request.key).await?;
            live_options = live.get("options").cloned();
            if !names.contains(name)
                && let Some(value) = live.get(name)
            {
                attributes.insert(name.to_owned(), value.clone());
            }
            names.insert(name.to_owned());
        }
        match kind.name {
            "vault_entity_alias" => names.extend(["canonical_id".to_owned()]),
            "vault_database_connection" => {
                // Asked for with each write, or the server's default counts again.
                let wanted = attributes.contains_key("verify_connection");
                names.extend(wanted.then(|| "verify_connection".to_owned()));
            }
            _ => {}
        }
        let body = Self::body(&request, &attributes, &names)?;
        let (path, body) = match (kind.name, id_of(request.expected)) {
            ("vault_auth_mount" | "vault_secrets_mount", _) => (
                format!("{}/tune", object_path(kind, request.key)?),
                wire::tune(body, live_options.as_ref()),
            ),
            ("vault_entity", Some(id)) => (
                format!("identity/entity/id/{}", wire::encode_segment(id)),
                body,
            ),
            ("vault_entity_alias", Some(id)) => (
                format!("identity/entity-alias/id/{}", wire::encode_segment(id)),
                body,
            ),
            ("vault_entity_alias", None) => return Err(bug("an alias without an id")),
            _ => (object_path(kind, request.key)?, body),
        };
        self.post(&request, path, body).await
    }

    /// The object's attributes as they are now.
    async fn live(&self, kind: &Kind, key: &str) -> Result<BTreeMap<String, Value>, ProviderError> {
        match self.0.fetch(kind, key).await? {
            Found::Data(data) => wire::decode(kind, key, &data)
                .map(|object| object.attributes)
                .map_err(|_| malformed(key)),
            _ => Err(ProviderError::new(
                ErrorKind::Conflict,
                format!("{} `{}` is gone", kind.name, safe(key)),
            )),
        }
    }

    /// What a POST doesn't name is reset: all of a config, and of a role the callback mode and
    /// the confirmation (tried on OpenBao 2.7.2). So what isn't to change is sent as it is.
    async fn write_whole(&self, request: &WriteRequest<'_>) -> Result<Written, ProviderError> {
        let kind = request.kind;
        let mut attributes = self.live(kind, request.key).await?;
        let client = attributes.get("oidc_client_id").and_then(Value::as_str);
        if client.is_some_and(|client| !client.is_empty()) {
            return Err(ProviderError::new(
                ErrorKind::Invalid,
                format!(
                    "`{}` has an OIDC client, whose secret a write would lose",
                    safe(request.key)
                ),
            )
            .help("change it by hand, with its secret, or use a mount without an OIDC client"));
        }
        let touched: BTreeSet<&String> = request.changed.union(request.unset).collect();
        attributes.retain(|name, _| !touched.contains(name));
        attributes.extend(request.attributes.clone());
        // The default is what isn't sent means, and not every server knows every attribute.
        let is_sent = |name: &str, value: Option<&Value>| {
            let default = kind
                .attribute(name)
                .and_then(|attribute| attribute.default.value());
            name == "role_type" || value.is_some_and(|value| Some(value) != default.as_ref())
        };
        let mut names: BTreeSet<String> = attributes
            .iter()
            .filter(|(name, value)| is_sent(name, Some(value)))
            .map(|(name, _)| name.clone())
            .collect();
        // Of the rest most stays as it is in a role, and `namespace_in_state` in a config: what
        // goes back to its default is said.
        names.extend(touched.into_iter().cloned());
        let mut body = Self::body(request, &attributes, &names)?;
        if kind.name == "vault_jwt_config" {
            // It takes one source of keys, and is reset where nothing is sent.
            body.retain(|_, value| !is_empty(value));
        }
        self.post(request, object_path(kind, request.key)?, body)
            .await
    }

    async fn delete_object(
        &self,
        kind: &Kind,
        key: &str,
        expected: &Expected,
    ) -> Result<Written, ProviderError> {
        let by_id = |folder: &str| {
            id_of(expected).map(|id| format!("identity/{folder}/id/{}", wire::encode_segment(id)))
        };
        match kind.name {
            "vault_jwt_config" => self.bury_config(kind, key).await,
            "vault_database_role" => self.delete_database_role(kind, key).await,
            "vault_entity_alias" => {
                let path = by_id("entity-alias").ok_or_else(|| bug("an alias without an id"))?;
                self.send(&Request::delete(path), &[]).await
            }
            "vault_entity" => {
                let path = by_id("entity").map_or_else(|| object_path(kind, key), Ok)?;
                self.send(&Request::delete(path), &[]).await
            }
            "vault_auth_mount" | "vault_secrets_mount" => {
                let written = self
                    .send(&Request::delete(object_path(kind, key)?), &[])
                    .await;
                self.0.forget_mounts();
                written
            }
            _ => {
                self.send(&Request::delete(object_path(kind, key)?), &[])
                    .await
            }
        }
    }

    /// There is no delete: the config is written over with a key that nobody holds.
    async fn bury_config(&self, kind: &Kind, key: &str) -> Result<Written, ProviderError> {
        let body = Map::from_iter([
            ("bound_issuer".to_owned(), Json::from(TOMBSTONE_ISSUER)),
            (
                "jwt_validation_pubkeys".to_owned(),
                Json::from(vec![TOMBSTONE_KEY]),
            ),
        ]);
        self.send(&Request::post(object_path(kind, key)?, body), &[])
            .await
    }

    /// The users that the role made go first, and are seen to be gone: without the role, nobody
    /// could say how to remove them.
    async fn delete_database_role(&self, kind: &Kind, key: &str) -> Result<Written, ProviderError> {
        let (mount, name) = (part(kind, key, "mount")?, part(kind, key, "name")?);
        let mount: Vec<_> = mount.split('/').map(wire::encode_segment).collect();
        let leases = format!("{}/creds/{}", mount.join("/"), wire::encode_segment(&name));
        let body = Map::from_iter([("sync".to_owned(), Json::Bool(true))]);
        let revoke =
            Request::post(format!("sys/leases/revoke-prefix/{leases}"), body).with_stored_secret();
        let mut written = self.send(&revoke, &[]).await?;
        let listed = self
            .0
            .client
            .send(&Request::list(format!("sys/leases/lookup/{leases}")))
            .await;
        let left = match listed {
            Ok(answer) => answer
                .data()
                .get("keys")
                .and_then(Json::as_array)
                .map_or(0, Vec::len),
            Err(error) if error.kind == ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if left > 0 {
            return Err(ProviderError::new(
                ErrorKind::Conflict,
                format!("{left} users of the role `{}` are still there", safe(key)),
            )
            .help(
                "look at their leases with `bao list sys/leases/lookup/…`, and at the database",
            ));
        }
        let deleted = self
            .send(&Request::delete(object_path(kind, key)?), &[])
            .await?;
        written.warnings.extend(deleted.warnings);
        Ok(written)
    }

    async fn fetch_secret(&self, path: &str, field: &str) -> Result<Secret, ProviderError> {
        let segments: Vec<_> = path
            .trim_matches('/')
            .split('/')
            .map(wire::encode_segment)
            .collect();
        let answer = self
            .0
            .client
            .send(&Request::get(segments.join("/")))
            .await?;
        let data = answer.data();
        // Version 2 of KV holds the fields in a `data` of its own, beside `metadata`.
        let inner = data
            .get("data")
            .filter(|_| data.get("metadata").is_some_and(Json::is_object));
        match inner.unwrap_or(data).get(field) {
            Some(Json::String(text)) if !text.is_empty() => Ok(Secret::new(text.clone())),
            Some(Json::Number(number)) => Ok(Secret::new(number.to_string())),
            _ => Err(ProviderError::new(
                ErrorKind::NotFound,
                format!(
                    "`{}` has no text in the field `{}`",
                    safe(path),
                    safe(field)
                ),
            )
            .help("for version 2 of KV the path has `data/` after the mount")),
        }
    }
}

/// Whether an entity is what a login makes by itself: no policies, no metadata, this one alias.
fn made_by_login(entity: &Json, accessor: &str, name: &str) -> bool {
    let is_none = |field: &str| entity.get(field).is_none_or(is_empty);
    let aliases = entity
        .get("aliases")
        .and_then(Json::as_array)
        .map(Vec::as_slice);
    let only = matches!(aliases, Some([alias]) if is_alias(alias, accessor, name) && alias.get("custom_metadata").is_none_or(is_empty));
    only && is_none("policies") && is_none("metadata") && is_none("group_ids")
}

fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(all) => all.is_empty(),
        Json::Object(all) => all.is_empty(),
        Json::Bool(_) | Json::Number(_) => false,
    }
}

impl Write for Writer {
    fn create<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(self.create_object(request))
    }

    fn update<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(self.update_object(request))
    }

    fn delete<'a>(
        &'a self,
        kind: &'static Kind,
        key: &'a str,
        expected: &'a Expected,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(self.delete_object(kind, key, expected))
    }

    fn secret<'a>(
        &'a self,
        path: &'a str,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(self.fetch_secret(path, field))
    }
}
