//! Reading: in bulk for a plan, one object for the look before and after a write.
//!
//! In come kinds and keys, out go readings. Nothing is sent before the account is known to be the
//! pinned one. Absent is what a list that was read whole doesn't hold, or what AWS says in so many
//! words is not there; a refusal, a broken list or another spelling of a name is unreadable and
//! never absent.

mod bulk;
pub(crate) mod decode;
mod listing;
mod pages;
mod single;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{BoxFuture, Observation, Query, Reading, Settles, Statistics, Target};
use remit_sdk::text::safe;
use remit_sdk::{Address, Diagnostic, ErrorKind, Kind, Object, ProviderError, Read, Value};

use crate::client::{Client, Failure};
use crate::{document, normal};
pub(crate) use pages::{End, all as all_pages};
pub(crate) use single::part;

/// How long a reading may still tell what was before a write. IAM's own word is minutes; it has
/// been measured at three to four seconds, and a minute is what a person waits.
const SETTLES: Duration = Duration::from_mins(1);

/// What reader and writer share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    notes: Mutex<Notes>,
}

/// What the last bulk reading saw, for [`Read::check`].
#[derive(Debug, Default)]
struct Notes {
    /// Unique ids that stand in a policy where a principal was deleted, by kind and key.
    broken: BTreeMap<(String, String), Vec<String>>,
    /// Names of secrets that are scheduled for deletion.
    deleted_secrets: BTreeSet<String>,
}

/// The reading half.
#[derive(Clone)]
pub struct Reader(pub(crate) Arc<Shared>);

impl Shared {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            notes: Mutex::default(),
        }
    }
}

/// What a whole answer doesn't have, which every such answer has.
pub(crate) fn malformed(operation: &str) -> Failure {
    Failure::own(ProviderError::new(
        ErrorKind::Invalid,
        format!("{operation}: the answer is not what AWS should give"),
    ))
}

/// The principals of an object's policies that were deleted.
fn broken(kind: &Kind, attributes: &BTreeMap<String, Value>) -> Vec<String> {
    let texts = attributes.iter().filter_map(|(name, value)| {
        let usage = normal::use_of(kind, name)?;
        document::parse(value.as_str()?, usage).ok()
    });
    texts
        .flat_map(|document| document::broken_principals(&document))
        .collect()
}

impl Reader {
    fn check_all(&self, wanted: &[&Wanted]) -> Vec<Diagnostic> {
        let Ok(notes) = self.0.notes.lock() else {
            return Vec::new();
        };
        wanted
            .iter()
            .filter_map(|wanted| {
                let name = (wanted.kind.name.to_owned(), wanted.key.clone());
                let found = notes.broken.get(&name);
                let found = found.and_then(|ids| broken_trust(wanted, ids));
                let is_secret = wanted.kind.name == "aws_secretsmanager_secret";
                let deleted = is_secret && notes.deleted_secrets.contains(&wanted.key);
                found.or_else(|| deleted.then(|| still_taken(wanted)))
            })
            .collect()
    }
}

/// Ids in place of principals, where the configuration doesn't name those very ids.
fn broken_trust(wanted: &Wanted, ids: &[String]) -> Option<Diagnostic> {
    let named = broken(wanted.kind, &wanted.attributes);
    let lost: Vec<_> = ids
        .iter()
        .filter(|id| !named.contains(id))
        .map(|id| safe(id))
        .collect();
    if lost.is_empty() {
        return None;
    }
    let (verb, whom) = if lost.len() == 1 {
        ("stands", "a principal that was")
    } else {
        ("stand", "principals that were")
    };
    Some(
        Diagnostic::warning(
            "broken trust",
            format!(
                "in the policy of {} `{}`, `{}` {verb} in place of {whom} deleted: whoever has the \
                 name now is somebody else to AWS, and is not let in",
                wanted.kind.name,
                safe(&wanted.key),
                lost.join("`, `")
            ),
        )
        .help("an apply writes the policy again, for whoever has the name then")
        .at(wanted.span)
        .about(Address::Object(wanted.address.clone())),
    )
}

/// A secret that is scheduled for deletion holds its name until then.
fn still_taken(wanted: &Wanted) -> Diagnostic {
    let name = safe(&wanted.key);
    Diagnostic::error(
        "secret scheduled for deletion",
        format!("a secret `{name}` is scheduled for deletion, and holds its name until it is gone"),
    )
    .help(format!(
        "restore it with `aws secretsmanager restore-secret --secret-id {name}` and import it, or \
         remove it for good with `aws secretsmanager delete-secret --secret-id {name} --force-delete-without-recovery`"
    ))
    .at(wanted.span)
    .about(Address::Object(wanted.address.clone()))
}

/// A reading out of what was found.
fn reading(found: Result<Option<Object>, Failure>) -> Reading {
    match found {
        Ok(Some(object)) => Reading::Present(object),
        Ok(None) => Reading::Absent,
        Err(failure) => Reading::Unreadable(failure.error),
    }
}

impl Read for Reader {
    fn target(&self) -> BoxFuture<'_, Result<Target, ProviderError>> {
        Box::pin(self.0.client.target())
    }

    fn observe<'a>(
        &'a self,
        queries: &'a [Query],
        parallelism: usize,
    ) -> BoxFuture<'a, Result<Observation, ProviderError>> {
        Box::pin(bulk::observe(&self.0, queries, parallelism.max(1)))
    }

    fn read<'a>(&'a self, kind: &'static Kind, key: &'a str) -> BoxFuture<'a, Reading> {
        Box::pin(async move { reading(self.0.fetch(kind, key).await) })
    }

    fn check<'a>(&'a self, wanted: &'a [&'a Wanted]) -> BoxFuture<'a, Vec<Diagnostic>> {
        Box::pin(std::future::ready(self.check_all(wanted)))
    }

    fn statistics(&self) -> Statistics {
        self.0.client.statistics()
    }

    fn settles(&self) -> Settles {
        Settles {
            within: SETTLES,
            in_parts: true,
        }
    }
}

#[cfg(test)]
mod tests;
