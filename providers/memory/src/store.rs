//! Objects by kind and key, read and written.
//!
//! A [`Memory`] is a handle: clones share their objects, so that a test keeps one to look and
//! to meddle with, and gives the others away as the reading and the writing half. Every request
//! is logged in the order in which it came.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{
    BoxFuture, Expected, Observation, Query, Reading, Statistics, Target, WriteRequest, Written,
};
use remit_sdk::schema::{Kind, Need, Shape};
use remit_sdk::text::safe;
use remit_sdk::{
    Diagnostic, ErrorKind, Fingerprint, Mark, Object, ProviderError, Read, Secret, Value, Write,
};

use crate::accept;
use crate::fault::{Armed, Fault, Matcher};

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Reads one object, alone or in bulk.
    Read,
    /// Makes one.
    Create,
    /// Changes one.
    Update,
    /// Removes one.
    Delete,
    /// Fetches a secret.
    Secret,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What it does.
    pub operation: Operation,
    /// The kind; empty for a secret.
    pub kind: String,
    /// The key; for a secret its path.
    pub key: String,
    /// Names of the secrets that came with it.
    pub secrets: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Stored {
    id: Option<String>,
    attributes: BTreeMap<String, Value>,
    version: u64,
    mark: Option<Mark>,
}

type Key = (String, String);

#[derive(Default)]
struct Inner {
    objects: BTreeMap<Key, Stored>,
    log: Vec<Request>,
    faults: Vec<Armed>,
    secrets: BTreeMap<(String, String), Secret>,
    made: u64,
    statistics: Statistics,
}

/// A target in memory.
#[derive(Clone)]
pub struct Memory {
    kinds: &'static [Kind],
    target: Target,
    prefix: String,
    inner: Arc<Mutex<Inner>>,
}

impl Memory {
    /// An empty target that knows these kinds.
    pub fn new(kinds: &'static [Kind]) -> Self {
        Self {
            kinds,
            target: Target {
                id: "memory".into(),
                address: "memory".into(),
                description: "in memory".into(),
            },
            prefix: "remit-".into(),
            inner: Arc::default(),
        }
    }

    /// The same, with another id.
    #[must_use]
    pub fn with_target(mut self, id: impl Into<String>) -> Self {
        self.target.id = id.into();
        self
    }

    /// The same, with another naming prefix.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A test that panicked while it held the lock has failed already.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// The next request that fits goes wrong like this.
    pub fn fail_next(&self, matcher: Matcher, fault: Fault) {
        let once = true;
        self.inner().faults.push(Armed {
            matcher,
            fault,
            once,
        });
    }

    /// Every request that fits goes wrong like this, until [`Memory::mend`].
    pub fn fail_always(&self, matcher: Matcher, fault: Fault) {
        let once = false;
        self.inner().faults.push(Armed {
            matcher,
            fault,
            once,
        });
    }

    /// No request goes wrong any more.
    pub fn mend(&self) {
        self.inner().faults.clear();
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Request> {
        self.inner().log.clone()
    }

    /// Every request so far that wrote, as `create KIND KEY`.
    pub fn writes(&self) -> Vec<String> {
        let log = self.log();
        let lines = log.iter().filter_map(|request| {
            let verb = match request.operation {
                Operation::Create => "create",
                Operation::Update => "update",
                Operation::Delete => "delete",
                Operation::Read | Operation::Secret => return None,
            };
            Some(format!("{verb} {} {}", request.kind, request.key))
        });
        lines.collect()
    }

    /// Forgets the requests so far.
    pub fn clear_log(&self) {
        self.inner().log.clear();
    }

    /// An object, without a request.
    pub fn get(&self, kind: &str, key: &str) -> Option<Object> {
        let stored = self.inner().objects.get(&id_of(kind, key)).cloned();
        Some(object(self.kind(kind)?, key, &stored?))
    }

    /// Every object, without a request, by kind and key.
    pub fn objects(&self) -> Vec<Object> {
        let inner = self.inner();
        let all = inner.objects.iter();
        all.filter_map(|((kind, key), stored)| Some(object(self.kind(kind)?, key, stored)))
            .collect()
    }

    /// Puts an object there, as somebody else would: defaults and computed attributes are
    /// filled in, nothing is checked. Gives its key; `None` where the kind or the key's
    /// attributes are missing.
    pub fn put(&self, kind: &str, attributes: BTreeMap<String, Value>) -> Option<String> {
        let kind = self.kind(kind)?;
        let key = kind.key_of(&attributes)?;
        let mut all: BTreeMap<String, Value> = kind
            .attributes
            .iter()
            .filter_map(|a| Some((a.name.to_owned(), a.default.value()?)))
            .collect();
        all.extend(attributes);
        self.inner().insert(kind, &key, all, None);
        Some(key)
    }

    /// Changes an object, as somebody else would. False where it isn't there.
    pub fn meddle(
        &self,
        kind: &str,
        key: &str,
        change: impl FnOnce(&mut BTreeMap<String, Value>, &mut Option<Mark>),
    ) -> bool {
        let mut inner = self.inner();
        let found = inner.objects.get_mut(&id_of(kind, key));
        found.is_some_and(|stored| {
            change(&mut stored.attributes, &mut stored.mark);
            stored.version += 1;
            true
        })
    }

    /// Removes an object and what it holds, as somebody else would.
    pub fn remove(&self, kind: &str, key: &str) -> bool {
        let mut inner = self.inner();
        let there = inner.objects.contains_key(&id_of(kind, key));
        inner.remove(self.kinds, kind, key);
        there
    }

    /// Puts a secret there, to be fetched.
    pub fn put_secret(&self, path: &str, field: &str, secret: Secret) {
        self.inner().secrets.insert(id_of(path, field), secret);
    }

    fn reading(&self, inner: &mut Inner, kind: &Kind, key: &str) -> Reading {
        match inner.receive(Operation::Read, kind.name, key, BTreeSet::new()) {
            Some(Fault::Before(kind)) => return Reading::Unreadable(failed(kind)),
            Some(_) => return Reading::Unreadable(failed(ErrorKind::Denied)),
            None => {}
        }
        if self.kind(kind.name).is_none() {
            let message = format!("the kind `{}` is unknown here", kind.name);
            return Reading::Unreadable(ProviderError::new(ErrorKind::Invalid, message));
        }
        let Some(stored) = inner.objects.get_mut(&id_of(kind.name, key)) else {
            return Reading::Absent;
        };
        for attribute in kind.attributes.iter().filter(|a| a.volatile) {
            if let Some(Value::Number(n)) = stored.attributes.get(attribute.name) {
                let next = n.as_i64().unwrap_or(0).wrapping_add(1);
                let name = attribute.name.to_owned();
                stored.attributes.insert(name, Value::integer(next));
            }
        }
        Reading::Present(object(kind, key, stored))
    }

    fn write(
        &self,
        operation: Operation,
        request: &WriteRequest<'_>,
    ) -> Result<Written, ProviderError> {
        let mut inner = self.inner();
        let secrets = request.secrets.keys().cloned().collect();
        let (kind, key) = (request.kind, request.key);
        inner.statistics.writes += 1;
        let fault = inner.receive(operation, kind.name, key, secrets);
        if let Some(Fault::Before(kind)) = fault {
            return Err(failed(kind));
        }
        if self.kind(kind.name).is_none() {
            return Err(failed(ErrorKind::Invalid));
        }
        let found = inner.objects.get(&id_of(kind.name, key)).cloned();
        let (mut after, before) = match (operation, found) {
            (Operation::Create, Some(found)) => {
                accept::as_expected(kind, &Expected::Absent, &object(kind, key, &found))?;
                return Err(failed(ErrorKind::Conflict));
            }
            (Operation::Create, None) => (accept::create(request)?, BTreeMap::new()),
            (_, None) => return Err(failed(ErrorKind::NotFound)),
            (_, Some(found)) => {
                accept::as_expected(kind, request.expected, &object(kind, key, &found))?;
                (
                    accept::update(request, &found.attributes)?,
                    found.attributes,
                )
            }
        };
        if let Some(container) = &kind.container {
            let holder = after.get(container.attribute).and_then(Value::as_str);
            let holder = id_of(container.kind, holder.unwrap_or_default());
            if !inner.objects.contains_key(&holder) {
                let message = format!("there is no {} `{}`", holder.0, safe(&holder.1));
                return Err(ProviderError::new(ErrorKind::Invalid, message));
            }
        }
        let mut warnings = Vec::new();
        match &fault {
            Some(Fault::Ignore { attribute }) => {
                let default = kind.attribute(attribute).and_then(|a| a.default.value());
                match before.get(attribute).cloned().or(default) {
                    Some(value) => after.insert(attribute.clone(), value),
                    None => after.remove(attribute),
                };
            }
            Some(Fault::Cap { attribute, most }) => {
                let over = after.get(attribute).and_then(Value::as_i64);
                if over.is_some_and(|number| number > *most) {
                    after.insert(attribute.clone(), Value::integer(*most));
                    warnings.push(format!("`{attribute}` was reduced to {most}"));
                }
            }
            _ => {}
        }
        let mark = kind.mark.map(|_| request.mark.clone());
        if operation == Operation::Create {
            inner.insert(kind, key, after, mark);
        } else if let Some(stored) = inner.objects.get_mut(&id_of(kind.name, key)) {
            stored.attributes = after;
            stored.version += 1;
            stored.mark = mark;
        }
        if fault == Some(Fault::LostResponse) {
            return Err(failed(ErrorKind::Ambiguous));
        }
        Ok(Written { warnings })
    }

    fn erase(
        &self,
        kind: &'static Kind,
        key: &str,
        expected: &Expected,
    ) -> Result<Written, ProviderError> {
        let mut inner = self.inner();
        inner.statistics.writes += 1;
        let fault = inner.receive(Operation::Delete, kind.name, key, BTreeSet::new());
        if let Some(Fault::Before(kind)) = fault {
            return Err(failed(kind));
        }
        let found = inner.objects.get(&id_of(kind.name, key));
        let found = found.ok_or_else(|| failed(ErrorKind::NotFound))?;
        if *expected == Expected::Absent {
            return Err(ProviderError::new(
                ErrorKind::Bug,
                "a delete that expects nothing",
            ));
        }
        accept::as_expected(kind, expected, &object(kind, key, found))?;
        inner.remove(self.kinds, kind.name, key);
        match fault {
            Some(Fault::LostResponse) => Err(failed(ErrorKind::Ambiguous)),
            _ => Ok(Written::default()),
        }
    }
}

impl Inner {
    /// Logs a request and gives the fault that waits for it.
    fn receive(
        &mut self,
        operation: Operation,
        kind: &str,
        key: &str,
        secrets: BTreeSet<String>,
    ) -> Option<Fault> {
        let request = Request {
            operation,
            kind: kind.to_owned(),
            key: key.to_owned(),
            secrets,
        };
        let at = self.faults.iter().position(|armed| armed.fits(&request));
        self.log.push(request);
        let armed = self.faults.get(at?)?.clone();
        if armed.once {
            self.faults.remove(at?);
        }
        Some(armed.fault)
    }

    /// Makes an object, its computed attributes included.
    fn insert(
        &mut self,
        kind: &Kind,
        key: &str,
        mut attributes: BTreeMap<String, Value>,
        mark: Option<Mark>,
    ) {
        self.made += 1;
        for attribute in kind.attributes.iter().filter(|a| a.need == Need::Computed) {
            let value = match attribute.shape {
                Shape::String => Value::string(format!("{}-{}", attribute.name, self.made)),
                shape => shape.zero(),
            };
            attributes.entry(attribute.name.to_owned()).or_insert(value);
        }
        let computed = kind.attribute("id").filter(|a| a.need == Need::Computed);
        let id = computed.and_then(|_| attributes.get("id")?.as_str().map(str::to_owned));
        let stored = Stored {
            id,
            attributes,
            version: 1,
            mark,
        };
        self.objects.insert(id_of(kind.name, key), stored);
    }

    /// Removes an object and what it holds.
    fn remove(&mut self, kinds: &'static [Kind], kind: &str, key: &str) {
        if self.objects.remove(&id_of(kind, key)).is_none() {
            return;
        }
        for held in kinds {
            let Some(container) = held.container.as_ref().filter(|c| c.kind == kind) else {
                continue;
            };
            let within = self.objects.iter().filter(|((kind, _), stored)| {
                let holder = stored.attributes.get(container.attribute);
                kind == held.name && holder.and_then(Value::as_str) == Some(key)
            });
            let within: Vec<String> = within.map(|((_, key), _)| key.clone()).collect();
            for key in within {
                self.remove(kinds, held.name, &key);
            }
        }
    }
}

fn id_of(a: &str, b: &str) -> Key {
    (a.to_owned(), b.to_owned())
}

fn failed(kind: ErrorKind) -> ProviderError {
    let message = match kind {
        ErrorKind::NotFound => "there is no such object",
        ErrorKind::Denied => "permission denied",
        ErrorKind::Conflict => "the object is not as expected",
        ErrorKind::Throttled => "too many requests",
        ErrorKind::Transient => "try again",
        ErrorKind::Ambiguous => "the answer was lost",
        ErrorKind::Invalid => "the request is refused",
        ErrorKind::Unavailable => "the server is sealed",
        ErrorKind::Bug => "a mistake",
    };
    ProviderError::new(kind, message)
}

/// The object as it is read; its fingerprint covers everything that nobody but a writer changes.
fn object(kind: &Kind, key: &str, stored: &Stored) -> Object {
    let lasting = stored.attributes.iter().filter(|(name, _)| {
        let attribute = kind.attribute(name);
        !attribute.is_some_and(|attribute| attribute.volatile)
    });
    let json = lasting.map(|(name, value)| (name.clone(), value.to_json()));
    Object {
        kind: kind.name.to_owned(),
        key: key.to_owned(),
        id: stored.id.clone(),
        attributes: stored.attributes.clone(),
        version: Some(stored.version),
        mark: stored.mark.clone(),
        fingerprint: Fingerprint::of(&serde_json::Value::Object(json.collect())),
    }
}

impl Read for Memory {
    fn target(&self) -> BoxFuture<'_, Result<Target, ProviderError>> {
        Box::pin(async { Ok(self.target.clone()) })
    }

    fn observe<'a>(
        &'a self,
        queries: &'a [Query],
        _parallelism: usize,
    ) -> BoxFuture<'a, Result<Observation, ProviderError>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.statistics.reads += 1;
            let mut observation = Observation::default();
            for query in queries {
                let reading = self.reading(&mut inner, query.kind, &query.key);
                let id = id_of(query.kind.name, &query.key);
                observation.readings.insert(id, reading);
            }
            let ours = inner.objects.keys().filter(|(kind, key)| {
                let name = self.kind(kind).and_then(|kind| {
                    let parts = kind.parse_key(key)?;
                    let last = kind.key_attributes().last()?;
                    Some(parts.get(last)?.as_str()?.starts_with(&self.prefix))
                });
                name == Some(true)
            });
            let others = ours.filter(|id| !observation.readings.contains_key(*id));
            observation.others = others.cloned().collect();
            Ok(observation)
        })
    }

    fn read<'a>(&'a self, kind: &'static Kind, key: &'a str) -> BoxFuture<'a, Reading> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.statistics.reads += 1;
            self.reading(&mut inner, kind, key)
        })
    }

    fn check<'a>(&'a self, _wanted: &'a [&'a Wanted]) -> BoxFuture<'a, Vec<Diagnostic>> {
        Box::pin(async { Vec::new() })
    }

    fn statistics(&self) -> Statistics {
        self.inner().statistics
    }
}

impl Write for Memory {
    fn create<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(async move { self.write(Operation::Create, &request) })
    }

    fn update<'a>(
        &'a self,
        request: WriteRequest<'a>,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(async move { self.write(Operation::Update, &request) })
    }

    fn delete<'a>(
        &'a self,
        kind: &'static Kind,
        key: &'a str,
        expected: &'a Expected,
    ) -> BoxFuture<'a, Result<Written, ProviderError>> {
        Box::pin(async move { self.erase(kind, key, expected) })
    }

    fn secret<'a>(
        &'a self,
        path: &'a str,
        field: &'a str,
    ) -> BoxFuture<'a, Result<Secret, ProviderError>> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.statistics.reads += 1;
            match inner.receive(Operation::Secret, "", path, BTreeSet::new()) {
                Some(Fault::Before(kind)) => return Err(failed(kind)),
                Some(_) => return Err(failed(ErrorKind::Ambiguous)),
                None => {}
            }
            let secret = inner.secrets.get(&id_of(path, field));
            let secret = secret.ok_or_else(|| failed(ErrorKind::NotFound))?;
            Ok(Secret::new(secret.expose().to_owned()))
        })
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
