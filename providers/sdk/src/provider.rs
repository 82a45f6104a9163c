//! The faces of a provider that do something: read, write, lower. What policies allow is
//! [`crate::access`].
//!
//! They are apart so that a stage is given only what it may use: observing is given `Read`,
//! applying `Write`, lowering `Lower`.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};

use crate::declaration::{Agent, Identity, Issuer, ProviderConfig, Resource, Scope, Wanted};
use crate::diagnostic::Diagnostic;
use crate::error::ProviderError;
use crate::object::{Fingerprint, Mark, Object};
use crate::schema::Kind;
use crate::secret::Secret;
use crate::value::Value;

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a provider instance talks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Tells this target from every other: cluster id and namespace, or the account.
    pub id: String,
    /// Where it is, for people: the address.
    pub address: String,
    /// What it is, for people: `OpenBao 2.7.2, cluster 7f3a…`.
    pub description: String,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct Query {
    /// The kind.
    pub kind: &'static Kind,
    /// The object's key.
    pub key: String,
    /// The live id it is recorded with. Where the key isn't found, an object of this id that has
    /// another name is no absence: the reading is unreadable, with a conflict that says so.
    pub id: Option<String>,
}

/// What became of a reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// It is there.
    Present(Object),
    /// The server says it isn't, and the right to read is proven.
    Absent,
    /// Nobody knows. Never the same as absent.
    Unreadable(ProviderError),
}

/// What a bulk reading found.
#[derive(Debug, Default)]
pub struct Observation {
    /// One reading for each query, by kind name and key.
    pub readings: BTreeMap<(String, String), Reading>,
    /// Keys of objects nobody asked for, that stand under the naming prefix or share in what an
    /// object that was asked for gives: kind name and key.
    pub others: BTreeSet<(String, String)>,
    /// Those of them by which people log in, each with the method: `ldap`.
    pub people: BTreeMap<(String, String), String>,
}

/// Something that is only looked at, or why it isn't known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen<T> {
    /// It was read.
    Known(T),
    /// Nobody knows; the text says why. Never the same as nothing.
    Unknown(String),
}

/// What stands around the objects of a target. Nothing of it is declared; rules look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The devices that record who did what; `None` where that isn't this target's to say.
    pub audit: Option<Seen<Vec<AuditDevice>>>,
    /// What lives on of objects that are removed, in words, by kind name and key: `3 leases under
    /// db/creds/x`.
    pub left: BTreeMap<(String, String), Seen<Vec<String>>>,
}

/// Where requests are recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDevice {
    /// Its name.
    pub name: String,
    /// Why it doesn't say of every request whose it was, where that is so.
    pub blind: Option<String>,
}

/// Requests sent, for `--stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Requests that read.
    pub reads: u64,
    /// Requests that write.
    pub writes: u64,
    /// Requests sent again.
    pub retries: u64,
    /// Bytes of bodies received.
    pub bytes_received: u64,
    /// Bytes of bodies sent.
    pub bytes_sent: u64,
}

/// How readings of a target catch up with writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settles {
    /// How long a reading may still tell what was before a write.
    pub within_milliseconds: u64,
    /// Whether parts of one object may be told anew before others are.
    pub in_parts: bool,
}

/// A second and a half, whole: what a standby of Vault takes at most.
impl Default for Settles {
    fn default() -> Self {
        Self {
            within_milliseconds: 1550,
            in_parts: false,
        }
    }
}

/// The reading half. It can't change anything.
pub trait Read: Send + Sync {
    /// Which target this is. Asked once before anything else.
    fn target(&self) -> BoxFuture<'_, Result<Target, ProviderError>>;

    /// Reads all of `queries`, in bulk where the server offers it, at most `parallelism`
    /// requests at a time. An error is for what makes every reading impossible (login, sealed);
    /// what concerns one object is its `Reading`.
    fn observe<'a>(
        &'a self,
        queries: &'a [Query],
        parallelism: usize,
    ) -> BoxFuture<'a, Result<Observation, ProviderError>>;

    /// Reads one object as it is now.
    fn read<'a>(&'a self, kind: &'static Kind, key: &'a str) -> BoxFuture<'a, Reading>;

    /// What this target can't do of what is wanted, and what of its surroundings stands in the
    /// way, as diagnostics of the plan. Called after `observe`.
    fn check<'a>(&'a self, wanted: &'a [&'a Wanted]) -> BoxFuture<'a, Vec<Diagnostic>>;

    /// What stands around the objects, and what will be left of those that are removed: kind and
    /// key. Never fails: what can't be read isn't known.
    fn surroundings<'a>(
        &'a self,
        _removed: &'a [(&'static Kind, &'a str)],
    ) -> BoxFuture<'a, Surroundings> {
        Box::pin(std::future::ready(Surroundings::default()))
    }

    /// Requests sent so far.
    fn statistics(&self) -> Statistics;

    /// How readings catch up with writes.
    fn settles(&self) -> Settles {
        Settles::default()
    }
}

/// What a write must find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// Nothing under this key.
    Absent,
    /// The object that was read for the plan.
    Present {
        /// Its live id.
        id: Option<String>,
        /// Its version, for compare-and-swap.
        version: Option<u64>,
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
}

/// One write. All values are known; secrets are beside them.
pub struct WriteRequest<'a> {
    /// The kind.
    pub kind: &'static Kind,
    /// The key.
    pub key: &'a str,
    /// What was read just before. The writer uses it for compare-and-swap where the server
    /// offers that.
    pub expected: &'a Expected,
    /// Everything that is wanted, in normal form, without write-only attributes.
    pub attributes: &'a BTreeMap<String, Value>,
    /// For an update: the attributes that differ, those in `unset` included.
    pub changed: &'a BTreeSet<String>,
    /// Attributes that are to be reset to the shape's zero, explicitly.
    pub unset: &'a BTreeSet<String>,
    /// Write-only attributes to send.
    pub secrets: &'a BTreeMap<String, Secret>,
    /// The mark to stamp, where the kind holds one.
    pub mark: &'a Mark,
}

/// What a write gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// What the server warned of.
    pub warnings: Vec<String>,
}

/// The writing half. It never decides: it is told what to do and what it must find.
pub trait Write: Send + Sync {
    /// Makes an object that must not exist yet.
    fn create<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>>;

    /// Changes an object that must be as expected.
    fn update<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>>;

    /// Removes an object that must be as expected.
    fn delete<'a>(
        &'a self,
        kind: &'static Kind,
        key: &'a str,
        expected: &'a Expected,
    ) -> BoxFuture<'a, Result<Written, ProviderError>>;

    /// Fetches a secret that lives in this target: path and field.
    fn secret<'a>(
        &'a self,
        path: &'a str,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Secret, ProviderError>>;
}

/// The part of a configuration that one provider instance is to hold.
#[derive(Debug, Default)]
pub struct Part<'a> {
    /// `vault`, or `vault.audit`.
    pub instance: &'a str,
    /// The prefix of computed live names.
    pub prefix: &'a str,
    /// The instance's `provider` block.
    pub config: Option<&'a ProviderConfig>,
    /// The agents of the identities.
    pub agents: Vec<&'a Agent>,
    /// Scopes that the agents may never exceed, held or not, their grants evaluated for each
    /// identity.
    pub ceilings: Vec<&'a Scope>,
    /// Issuers that the identities use.
    pub issuers: Vec<&'a Issuer>,
    /// Scopes that the identities hold.
    pub scopes: Vec<&'a Scope>,
    /// The identities.
    pub identities: Vec<&'a Identity>,
    /// Resources of this instance.
    pub resources: Vec<&'a Resource>,
}

/// What a part becomes.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The objects.
    pub objects: Vec<Wanted>,
    /// What can't be.
    pub diagnostics: Vec<Diagnostic>,
}

/// What declarations become here. Pure.
pub trait Lower: Send + Sync {
    /// The provider's name: `vault`.
    fn name(&self) -> &'static str;

    /// Its kinds.
    fn kinds(&self) -> &'static [Kind];

    /// What is wrong with a `provider` block of this provider. Doing without one is for `lower`.
    fn check_config(&self, _config: &ProviderConfig) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// The normal form of a written value of an attribute, in which equal means the same;
    /// the message says what is wrong and what to write instead.
    fn normalise(&self, kind: &Kind, attribute: &str, value: &Value) -> Result<Value, String>;

    /// What a part of the configuration becomes.
    fn lower(&self, part: &Part<'_>) -> Lowered;

    /// Whether a change of a grant from `before` to `after` only takes access away. `false` where
    /// that can't be told.
    fn narrows(&self, _kind: &Kind, _attribute: &str, _before: &Value, _after: &Value) -> bool {
        false
    }

    /// A computed attribute that follows from the configuration alone, such as an ARN: known at
    /// plan. `attributes` are those that are set, in normal form.
    fn computed(
        &self,
        _kind: &Kind,
        _attribute: &str,
        _attributes: &BTreeMap<String, Value>,
        _config: Option<&ProviderConfig>,
    ) -> Option<Value> {
        None
    }

    /// What an identity of this live name exports, such as `aws_role_arn`; `None` where this
    /// provider exports no such thing, or its block doesn't say enough.
    fn identity_export(
        &self,
        _export: &str,
        _name: &str,
        _config: Option<&ProviderConfig>,
    ) -> Option<Value> {
        None
    }

    /// The kind of this name.
    fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds().iter().find(|kind| kind.name == name)
    }
}
