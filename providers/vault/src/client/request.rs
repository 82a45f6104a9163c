//! Requests and answers as values.
//!
//! A request is a method, a path and a body; its secrets stand beside it until the moment it is
//! sent, and are wiped after. An answer is the parsed body of a 2xx, wiped when it is dropped.
//! Nothing is sent here.

use remit_sdk::{ErrorKind, ProviderError, Secret};
use serde_json::{Map, Value as Json};
use zeroize::{Zeroize, Zeroizing};

use super::error;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    /// A GET with `list=true`, which every proxy lets through.
    List,
    Post,
    Delete,
}

/// A request as a value.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Below `/v1/`, each segment encoded.
    pub(crate) path: String,
    pub(crate) body: Option<Map<String, Json>>,
    /// A POST that changes nothing: a lookup.
    pub(crate) reads: bool,
    /// The server works with a secret that it was given earlier, and may quote it.
    pub(crate) has_stored_secret: bool,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path, None)
    }

    pub(crate) fn list(path: impl Into<String>) -> Self {
        Self::new(Method::List, path, None)
    }

    pub(crate) fn post(path: impl Into<String>, body: Map<String, Json>) -> Self {
        Self::new(Method::Post, path, Some(body))
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::Delete, path, None)
    }

    /// A POST that only looks something up.
    pub(crate) fn lookup(path: impl Into<String>, body: Map<String, Json>) -> Self {
        Self {
            reads: true,
            ..Self::post(path, body)
        }
    }

    /// The same where the server works with a secret that it was given earlier: a database's
    /// password.
    pub(crate) fn with_stored_secret(self) -> Self {
        Self {
            has_stored_secret: true,
            ..self
        }
    }

    fn new(method: Method, path: impl Into<String>, body: Option<Map<String, Json>>) -> Self {
        Self {
            method,
            path: path.into(),
            body,
            reads: matches!(method, Method::Get | Method::List),
            has_stored_secret: false,
        }
    }

    /// The capability it needs, for a message.
    pub(super) const fn capability(&self) -> &'static str {
        match self.method {
            Method::Get => "read",
            Method::List => "list",
            Method::Post => "update",
            Method::Delete => "delete",
        }
    }
}

/// What came back: the parsed body of a 2xx; null where it was empty.
#[derive(Debug, Default)]
pub(crate) struct Answer(pub(crate) Json);

impl Answer {
    /// What stands under `data`; null where nothing does.
    pub(crate) fn data(&self) -> &Json {
        self.0.get("data").unwrap_or(&Json::Null)
    }

    /// What the server warns of, safe to show.
    pub(crate) fn warnings(&self, request: &Request, secrets: SecretFields<'_>) -> Vec<String> {
        let all = self.0.get("warnings").and_then(Json::as_array);
        all.into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(|text| error::said(request, secrets, text).text)
            .collect()
    }
}

impl Drop for Answer {
    /// Answers may hold tokens and secrets.
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

pub(super) fn wipe(json: &mut Json) {
    match json {
        Json::String(text) => text.zeroize(),
        Json::Array(all) => all.iter_mut().for_each(wipe),
        Json::Object(all) => all.values_mut().for_each(wipe),
        _ => {}
    }
}

/// Secret fields of a request, beside its body.
pub(crate) type SecretFields<'a> = &'a [(&'a str, &'a Secret)];

/// The body with its secrets in it, wiped when it was sent. Secrets never become a JSON value,
/// whose copies nobody would wipe.
pub(super) fn render(
    body: &Map<String, Json>,
    secrets: SecretFields<'_>,
) -> Result<Zeroizing<Vec<u8>>, ProviderError> {
    let bug = |_| ProviderError::new(ErrorKind::Bug, "a request can't be written as JSON");
    let expected: usize = secrets
        .iter()
        .map(|(_, secret)| secret.expose().len())
        .sum();
    let plain = serde_json::to_vec(body).map_err(bug)?;
    // Room for every character escaped, so that growing never leaves a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(plain.len() + 6 * expected + 1024));
    let inner = plain.strip_suffix(b"}").unwrap_or(&plain);
    bytes.extend_from_slice(inner);
    for (name, secret) in secrets {
        if bytes.len() > 1 {
            bytes.push(b',');
        }
        serde_json::to_writer(&mut *bytes, name).map_err(bug)?;
        bytes.push(b':');
        serde_json::to_writer(&mut *bytes, secret.expose()).map_err(bug)?;
    }
    bytes.push(b'}');
    Ok(bytes)
}
