//! Reading: in bulk for a plan, one object for the look before and after a write.
//!
//! In come kinds and keys, out go readings. What the server doesn't tell is unreadable and never
//! absent: a typed not-found counts only where the right to read is proven, by
//! `sys/capabilities-self` or by a list that was read whole.

mod around;
mod bulk;
mod check;
mod renamed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{
    BoxFuture, Observation, Query, Reading, Statistics, Surroundings, Target,
};
use remit_sdk::text::safe;
use remit_sdk::{Diagnostic, ErrorKind, Kind, ProviderError, Read, Value};
use serde_json::{Map, Value as Json};

use crate::client::{Client, Request, is_no_route};
use crate::{schema, wire};

/// How often the token's life is looked at: a fraction of the shortest life that makes sense.
const RENEWAL_TICK: Duration = Duration::from_secs(2);

/// Paths asked about in one `sys/capabilities-self`: some 50 KiB of body.
const PATHS_PER_QUESTION: usize = 500;

/// What reader and writer share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    /// Auth mounts as last read, for their accessors.
    auth: Mutex<Option<Arc<Mounts>>>,
    /// Paths whose reading is proven to be allowed.
    proven: Mutex<BTreeSet<String>>,
    renewing: std::sync::Once,
}

/// The reading half.
#[derive(Clone)]
pub struct Reader(pub(crate) Arc<Shared>);

/// Mounts by path, without the slash at the end, as the server tells them.
pub(crate) type Mounts = BTreeMap<String, Json>;

/// One answer, before it is known whether a not-found is to be believed.
pub(crate) enum Found {
    /// The fields of the object.
    Data(Json),
    /// The server says it isn't there; this path must be readable for that to count.
    Missing(String),
    /// It can't be there, since what would hold it isn't.
    Absent,
}

impl Shared {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            auth: Mutex::new(None),
            proven: Mutex::new(BTreeSet::new()),
            renewing: std::sync::Once::new(),
        }
    }

    /// Forgets accessors: an auth mount was made or removed.
    pub(crate) fn forget_mounts(&self) {
        if let Ok(mut auth) = self.auth.lock() {
            *auth = None;
        }
    }

    /// All mounts of a table: `sys/auth` or `sys/mounts`.
    pub(crate) async fn mounts(&self, table: &str) -> Result<Arc<Mounts>, ProviderError> {
        let answer = self.client.send(&Request::get(table)).await?;
        let all = Arc::new(all_mounts(table, answer.data())?);
        if table == "sys/auth"
            && let Ok(mut auth) = self.auth.lock()
        {
            *auth = Some(Arc::clone(&all));
        }
        Ok(all)
    }

    /// The accessor of an auth mount, and whether it was just read; `None` where there is no
    /// such mount.
    pub(crate) async fn accessor(
        &self,
        mount: &str,
        fresh: bool,
    ) -> Result<Option<String>, ProviderError> {
        let known = self.auth.lock().ok().and_then(|auth| auth.clone());
        let known = known.filter(|all| !fresh && all.contains_key(mount));
        let all = match known {
            Some(all) => all,
            None => self.mounts("sys/auth").await?,
        };
        Ok(all.get(mount).and_then(|mount| text(mount, "accessor")))
    }

    /// The object's fields, from as few requests as its kind takes.
    pub(crate) async fn fetch(&self, kind: &Kind, key: &str) -> Result<Found, ProviderError> {
        let parts = kind.parse_key(key).ok_or_else(|| {
            ProviderError::new(
                ErrorKind::Bug,
                format!("`{}` is no key of {}", safe(key), kind.name),
            )
        })?;
        match kind.name {
            "vault_auth_mount" => self.fetch_mount("sys/auth", key).await,
            "vault_secrets_mount" => self.fetch_mount("sys/mounts", key).await,
            "vault_entity_alias" => self.fetch_alias(&parts).await,
            _ => {
                let path = wire::object_path(kind, key)
                    .ok_or_else(|| ProviderError::new(ErrorKind::Bug, "a kind without a path"))?;
                self.fetch_plain(kind, path).await
            }
        }
    }

    /// A mount: by itself, and where the server says in free text that it isn't there, by the
    /// whole table, which is proof.
    async fn fetch_mount(&self, table: &str, path: &str) -> Result<Found, ProviderError> {
        let segments: Vec<_> = path.split('/').map(wire::encode_segment).collect();
        let request = Request::get(format!("{table}/{}", segments.join("/")));
        match self.client.send(&request).await {
            Ok(answer) => Ok(Found::Data(answer.data().clone())),
            Err(error) if matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound) => {
                let all = self.mounts(table).await?;
                Ok(all
                    .get(path)
                    .map_or(Found::Absent, |mount| Found::Data(mount.clone())))
            }
            Err(error) => Err(error),
        }
    }

    async fn fetch_plain(&self, kind: &Kind, path: String) -> Result<Found, ProviderError> {
        let answer = match self.client.send(&Request::get(&path)).await {
            Ok(answer) => answer,
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Found::Missing(path)),
            Err(error) if is_no_route(&error) => {
                return if self.is_mounted(kind, &path).await? {
                    Err(error)
                } else {
                    Ok(Found::Absent)
                };
            }
            Err(error) => return Err(error),
        };
        let mut data = answer.data().clone();
        if kind.name == "vault_jwt_config" && is_tombstone(&data) {
            return Ok(Found::Absent);
        }
        if kind.name == "vault_approle_role" {
            // Every role tells it: the role-id that is put beside would hide an empty answer.
            if data.get("bind_secret_id").is_none() {
                return Err(malformed(&path));
            }
            let path = format!("{path}/role-id");
            let answer = self.client.send(&Request::get(&path)).await;
            // Every role has one: an answer without it is no answer.
            let role_id = match answer {
                Ok(answer) => text(answer.data(), "role_id").ok_or_else(|| malformed(&path))?,
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return Ok(Found::Missing(path));
                }
                Err(error) => return Err(error),
            };
            let fields = data.as_object_mut().ok_or_else(|| malformed(&path))?;
            fields.insert("role_id".into(), Json::from(role_id));
        }
        Ok(Found::Data(data))
    }

    /// Whether what would hold the object is mounted.
    async fn is_mounted(&self, kind: &Kind, path: &str) -> Result<bool, ProviderError> {
        let (table, path) = match path.strip_prefix("auth/") {
            Some(path) => ("sys/auth", path),
            None => ("sys/mounts", path),
        };
        let all = self.mounts(table).await?;
        let is_below = |mount: &String| {
            path.strip_prefix(mount.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        };
        Ok(kind.container.is_none() || all.keys().any(is_below))
    }

    async fn fetch_alias(&self, parts: &BTreeMap<String, Value>) -> Result<Found, ProviderError> {
        let part = |name: &str| parts.get(name).and_then(Value::as_str).unwrap_or_default();
        let (mount, name) = (part("mount"), part("name"));
        let Some(accessor) = self.accessor(mount, false).await? else {
            return Ok(Found::Absent);
        };
        if let Some(entity) = self.entity_of(&accessor, name).await? {
            return alias_in(&entity, &accessor, name);
        }
        // The accessor may be that of a mount that was replaced since.
        let again = self.accessor(mount, true).await?;
        if again.as_deref() == Some(accessor.as_str()) {
            return Ok(Found::Absent);
        }
        match again {
            Some(accessor) => match self.entity_of(&accessor, name).await? {
                Some(entity) => alias_in(&entity, &accessor, name),
                None => Ok(Found::Absent),
            },
            None => Ok(Found::Absent),
        }
    }

    /// The entity that an alias belongs to. The server answers 204 where there is none, and 403
    /// where it may not be asked, so an empty answer is proof.
    pub(crate) async fn entity_of(
        &self,
        accessor: &str,
        name: &str,
    ) -> Result<Option<Json>, ProviderError> {
        let body = Map::from_iter([
            ("alias_name".to_owned(), Json::from(name)),
            ("alias_mount_accessor".to_owned(), Json::from(accessor)),
        ]);
        let request = Request::lookup("identity/lookup/entity", body);
        let answer = self.client.send(&request).await?;
        if answer.0.is_null() {
            return Ok(None);
        }
        told_entity(answer.data()).map(Some)
    }

    /// A reading out of what was found; a not-found is proven here, one question for one path.
    pub(crate) async fn reading(
        &self,
        kind: &Kind,
        key: &str,
        found: Result<Found, ProviderError>,
    ) -> Reading {
        match found {
            Ok(Found::Data(data)) if kind.name == schema::ENTITY_BY_ID => entity(&data),
            Ok(Found::Data(data)) => decoded(kind, key, &data),
            Ok(Found::Absent) => Reading::Absent,
            Ok(Found::Missing(path)) => match self.prove(&BTreeSet::from([path.clone()])).await {
                Ok(readable) if readable.contains(&path) => Reading::Absent,
                Ok(_) => Reading::Unreadable(unproven(&path)),
                Err(error) => Reading::Unreadable(error),
            },
            Err(error) => Reading::Unreadable(error),
        }
    }

    /// Which of these paths the token may read.
    pub(crate) async fn prove(
        &self,
        paths: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, ProviderError> {
        let known = self
            .proven
            .lock()
            .map(|proven| proven.clone())
            .unwrap_or_default();
        let open: Vec<&String> = paths.difference(&known).collect();
        let mut readable: BTreeSet<String> = paths.intersection(&known).cloned().collect();
        for chunk in open.chunks(PATHS_PER_QUESTION) {
            let asked: Vec<Json> = chunk
                .iter()
                .map(|path| Json::from(decoded_path(path)))
                .collect();
            let body = Map::from_iter([("paths".to_owned(), Json::Array(asked))]);
            let request = Request::lookup("sys/capabilities-self", body);
            let answer = self.client.send(&request).await.map_err(|error| {
                ProviderError::new(error.kind, error.message)
                    .help("remit proves that it may read before it believes that something is not there: give the token `update` on `sys/capabilities-self`")
            })?;
            for path in chunk {
                let all = answer
                    .data()
                    .get(decoded_path(path))
                    .and_then(Json::as_array);
                let may_read = all
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .any(|one| matches!(one, "read" | "root"));
                if may_read {
                    readable.insert((*path).clone());
                }
            }
        }
        if let Ok(mut proven) = self.proven.lock() {
            proven.extend(readable.iter().cloned());
        }
        Ok(readable)
    }
}

/// The mounts out of the answer of a table.
fn all_mounts(table: &str, data: &Json) -> Result<Mounts, ProviderError> {
    let data = data.as_object().ok_or_else(|| malformed(table))?;
    // Every table holds what the server mounts itself and nobody can remove: one without it is
    // not the table, and proves no absence.
    let own = if table == "sys/auth" {
        "token/"
    } else {
        "sys/"
    };
    if !data.contains_key(own) {
        return Err(malformed(table));
    }
    // By its accessor a mount is found again elsewhere, and what logs in through it.
    for (path, mount) in data {
        for field in ["type", "accessor"] {
            if text(mount, field).is_none() {
                let path = safe(path);
                return Err(not_understood(
                    table,
                    &format!("`{path}` has no text for `{field}`"),
                ));
            }
        }
    }
    let mounts = data
        .iter()
        .map(|(path, mount)| (path.trim_end_matches('/').to_owned(), mount.clone()));
    Ok(mounts.collect())
}

/// A path as the server's policies see it: without percent-encoding.
fn decoded_path(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let hex = if byte == b'%' {
            rest.clone().next().zip(rest.clone().nth(1))
        } else {
            None
        };
        let value = hex.and_then(|(a, b)| {
            let text = [a, b];
            u8::from_str_radix(std::str::from_utf8(&text).ok()?, 16).ok()
        });
        match value {
            Some(value) => {
                bytes.push(value);
                rest.next();
                rest.next();
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The entity of a lookup, which is the same whole answer as that of a read.
fn told_entity(data: &Json) -> Result<Json, ProviderError> {
    const PATH: &str = "identity/lookup/entity";
    let kind = schema::kind("vault_entity").filter(|_| data.is_object());
    let kind = kind.ok_or_else(|| malformed(PATH))?;
    wire::check_whole(kind, data).map_err(|why| not_understood(PATH, &why))?;
    Ok(data.clone())
}

/// The alias of this name among an entity's.
fn alias_in(entity: &Json, accessor: &str, name: &str) -> Result<Found, ProviderError> {
    let aliases = entity.get("aliases").and_then(Json::as_array);
    let alias = aliases
        .into_iter()
        .flatten()
        .find(|alias| is_alias(alias, accessor, name));
    // The lookup found the entity by this very alias.
    alias
        .map(|alias| Found::Data(alias.clone()))
        .ok_or_else(|| malformed("identity/lookup/entity"))
}

/// Whether a JSON alias has this name, in any case, as the server compares them.
pub(crate) fn is_alias(alias: &Json, accessor: &str, name: &str) -> bool {
    text(alias, "mount_accessor").as_deref() == Some(accessor)
        && text(alias, "name").is_some_and(|one| one.to_lowercase() == name.to_lowercase())
}

pub(crate) fn text(json: &Json, name: &str) -> Option<String> {
    json.get(name).and_then(Json::as_str).map(str::to_owned)
}

pub(crate) fn malformed(path: &str) -> ProviderError {
    ProviderError::new(
        ErrorKind::Invalid,
        format!("{path}: the answer is not what this server should give"),
    )
}

fn not_understood(place: &str, why: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, format!("{place}: {}", safe(why)))
}

fn unproven(path: &str) -> ProviderError {
    let path = safe(path);
    ProviderError::new(
        ErrorKind::Denied,
        format!(
            "`{path}` is not found, and may only look absent: the token has no right to read it"
        ),
    )
    .help(format!("give the token `read` on `{path}`"))
}

/// An entity that was asked for by its id, under its name.
fn entity(data: &Json) -> Reading {
    match (schema::kind("vault_entity"), text(data, "name")) {
        (Some(kind), Some(name)) => decoded(kind, &name, data),
        _ => Reading::Unreadable(malformed("identity/entity/id")),
    }
}

pub(crate) fn decoded(kind: &Kind, key: &str, data: &Json) -> Reading {
    match wire::decode(kind, key, data) {
        Ok(object) => Reading::Present(object),
        Err(why) => {
            let path = wire::object_path(kind, key).unwrap_or_default();
            let object = format!("{} `{}` ({})", kind.name, safe(key), safe(&path));
            Reading::Unreadable(not_understood(&object, &why))
        }
    }
}

// ---- deleted configs

/// The issuer of a config that was deleted. The API has no delete for a config, so it is written
/// over: an issuer in a domain that never resolves (RFC 2606), and [`TOMBSTONE_KEY`].
pub(crate) const TOMBSTONE_ISSUER: &str = "https://deleted.invalid";

/// A P-256 public key whose private key nobody has: its x is the SHA-256 of `remit: this key
/// belongs to nobody 2`, the first such number that gives a point, its y the even one.
pub(crate) const TOMBSTONE_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcbQJr/31idfhPmqmcW8dRuAWglF9
gWXm7Iy0VSLFM9J+1ytC+WPPK3G1CAEYDmcUS9h/6FU5mQZGD7fnCEaZ9g==
-----END PUBLIC KEY-----";

fn is_tombstone(data: &Json) -> bool {
    let keys = data.get("jwt_validation_pubkeys").and_then(Json::as_array);
    let only = keys.map(Vec::as_slice).unwrap_or_default();
    text(data, "bound_issuer").as_deref() == Some(TOMBSTONE_ISSUER)
        && matches!(only, [Json::String(key)] if key.trim() == TOMBSTONE_KEY)
}

impl Reader {
    /// Keeps the token alive while this run waits for something else.
    fn keep_renewing(&self) {
        self.0.renewing.call_once(|| {
            let shared = Arc::downgrade(&self.0);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(RENEWAL_TICK).await;
                    match shared.upgrade() {
                        Some(shared) => shared.client.renew().await,
                        None => return,
                    }
                }
            });
        });
    }
}

impl Read for Reader {
    fn target(&self) -> BoxFuture<'_, Result<Target, ProviderError>> {
        Box::pin(async {
            let target = self.0.client.target().await?;
            self.keep_renewing();
            Ok(target)
        })
    }

    fn observe<'a>(
        &'a self,
        queries: &'a [Query],
        parallelism: usize,
    ) -> BoxFuture<'a, Result<Observation, ProviderError>> {
        Box::pin(bulk::observe(&self.0, queries, parallelism.max(1)))
    }

    fn read<'a>(&'a self, kind: &'static Kind, key: &'a str) -> BoxFuture<'a, Reading> {
        Box::pin(async move {
            let found = self.0.fetch(kind, key).await;
            self.0.reading(kind, key, found).await
        })
    }

    fn check<'a>(&'a self, wanted: &'a [&'a Wanted]) -> BoxFuture<'a, Vec<Diagnostic>> {
        Box::pin(self.check_all(wanted))
    }

    fn surroundings<'a>(
        &'a self,
        removed: &'a [(&'static Kind, &'a str)],
    ) -> BoxFuture<'a, Surroundings> {
        Box::pin(around::surroundings(&self.0.client, removed))
    }

    fn statistics(&self) -> Statistics {
        self.0.client.statistics()
    }
}

#[cfg(test)]
mod tests;
