//! What an answer means: a result, or an error of a kind that says whether to try again. Pure.
//!
//! In come a request, the secrets that were sent with it and the whole answer, out go the answer
//! or an error for people. A server's text never gets out that holds a piece of such a secret;
//! and where the server works with a secret it was given earlier, which can't be known here,
//! nothing gets out of what it quotes.

use std::time::Duration;

use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, ProviderError};
use serde_json::Value as Json;

use super::{Answer, BODY_BYTES_MAX, Method, Request, SecretFields};

/// How much of a server's text is shown.
const SHOWN_CHARACTERS_MAX: usize = 300;

/// What is said instead of a text that holds a secret.
const WITHHELD: &str = "the server's answer is not shown, since it quotes the secret that was sent";

/// What a text that isn't shown may say, by words of it, in words of our own.
const HINTS: &[(&str, &str)] = &[
    (
        "connection refused",
        "nothing listens at the database's address",
    ),
    ("no such host", "the database's host name is not known"),
    ("timeout", "the database does not answer in time"),
    (
        "authentication failed",
        "the database refuses the user or the password",
    ),
    (
        "parse",
        "the connection's URL can't be read with this secret in it",
    ),
    (
        "escape",
        "the connection's URL can't be read with this secret in it",
    ),
];

/// A server's text, safe to show and short.
pub(super) fn short(text: &str) -> String {
    safe(&cut(text))
}

fn cut(text: &str) -> String {
    let mut cut: String = text.trim().chars().take(SHOWN_CHARACTERS_MAX).collect();
    if cut.len() < text.trim().len() {
        cut.push('…');
    }
    cut
}

/// A server's text as it may be shown.
pub(super) struct Said {
    pub(super) text: String,
    /// Whether something else stands for it.
    is_withheld: bool,
}

/// What of a server's answer to this request may be shown.
pub(super) fn said(request: &Request, secrets: SecretFields<'_>, text: &str) -> Said {
    let shown = cut(text);
    if secrets.iter().any(|(_, secret)| secret.is_told_by(&shown)) {
        let known = text.to_lowercase();
        let hint = HINTS.iter().find(|(word, _)| known.contains(word));
        let hint = hint.map_or_else(String::new, |(_, hint)| format!(": {hint}"));
        return Said {
            text: format!("{WITHHELD}{hint}"),
            is_withheld: true,
        };
    }
    let shown = if request.has_stored_secret {
        without_quoted(&shown)
    } else {
        shown
    };
    Said {
        text: safe(&shown),
        is_withheld: false,
    }
}

/// A text without what stands in quotes, from the first of a kind to the last of it: what is
/// quoted may hold quotes itself, and a text that was cut lacks the last.
fn without_quoted(text: &str) -> String {
    let Some(first) = text.find(['"', '\'', '`']) else {
        return text.to_owned();
    };
    let (before, rest) = text.split_at_checked(first).unwrap_or((text, ""));
    let quote = rest.chars().next().unwrap_or('"');
    let after = match rest.rfind(quote) {
        Some(last) if last > 0 && !rest.ends_with('…') => {
            without_quoted(rest.get(last + 1..).unwrap_or_default())
        }
        _ => String::new(),
    };
    format!("{before}(not shown){after}")
}

/// `GET sys/auth`, for a message. The path is encoded, but a key may have been anything.
pub(super) fn what(request: &Request) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::List => "LIST",
        Method::Post => "POST",
        Method::Delete => "DELETE",
    };
    format!("{method} {}", short(&request.path))
}

/// A request that got no answer.
pub(super) fn transport(request: &Request, error: &reqwest::Error) -> ProviderError {
    let what = what(request);
    // Its text may hold the URL of a proxy with its password; the causes below it don't.
    let mut cause = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    let cause = short(&cause);
    if error.is_connect() {
        // TLS faults don't pass by themselves.
        let is_tls = ["certificate", "tls", "TLS", "InvalidContentType"]
            .iter()
            .any(|word| cause.contains(word));
        let kind = if is_tls {
            ErrorKind::Invalid
        } else {
            ErrorKind::Transient
        };
        let error = ProviderError::new(kind, format!("{what}: no connection: {cause}"));
        return error.help(if cause.contains("InvalidContentType") {
            "the server speaks plain HTTP there: is the scheme or the port another one?"
        } else if is_tls {
            "give the server's CA as `ca_pem`, and its address by the name in its certificate"
        } else {
            "see that the address is right and that the server runs"
        });
    }
    if error.is_builder() {
        return ProviderError::new(ErrorKind::Bug, format!("{what}: the request can't be made"));
    }
    ProviderError::new(
        lost(request),
        format!("{what}: the connection broke: {cause}"),
    )
}

/// A request whose answer didn't come in time.
pub(super) fn late(request: &Request, limit: Duration) -> ProviderError {
    let message = format!("{}: no answer within {} s", what(request), limit.as_secs());
    ProviderError::new(lost(request), message)
}

/// An answer that is too long to be taken.
pub(super) fn too_long(request: &Request) -> ProviderError {
    let message = format!(
        "{}: the answer has more than {BODY_BYTES_MAX} bytes",
        what(request)
    );
    ProviderError::new(unreadable(request), message)
}

/// A lost answer to a write: it may have happened.
const fn lost(request: &Request) -> ErrorKind {
    if request.reads {
        ErrorKind::Transient
    } else {
        ErrorKind::Ambiguous
    }
}

/// An answer that can't be understood: for a write, it may have happened.
const fn unreadable(request: &Request) -> ErrorKind {
    if request.reads {
        ErrorKind::Invalid
    } else {
        ErrorKind::Ambiguous
    }
}

/// Refuses a server that can't do anything yet, by its answer to `sys/seal-status`.
pub(super) fn is_ready(answer: &Answer) -> Result<(), ProviderError> {
    let is = |name: &str| answer.0.get(name).and_then(Json::as_bool);
    let (what, help) = if is("initialized") == Some(false) {
        ("not initialised", "initialise it: `bao operator init`")
    } else if is("sealed") != Some(false) {
        (
            "sealed",
            "unseal it, or wait until whoever keeps its keys does",
        )
    } else {
        return Ok(());
    };
    let message = format!("the server is {what}");
    Err(ProviderError::new(ErrorKind::Unavailable, message).help(help))
}

/// What a whole answer means.
pub(super) fn judge(
    request: &Request,
    secrets: SecretFields<'_>,
    status: u16,
    location: Option<&str>,
    body: &[u8],
) -> Result<Answer, ProviderError> {
    if (200..300).contains(&status) {
        // For a read, only 204 says that there is nothing to tell: an empty 200 is no answer.
        if (status == 204 || !request.reads) && body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Answer(Json::Null));
        }
        return match serde_json::from_slice(body) {
            Ok(json @ Json::Object(_)) => Ok(Answer(json)),
            _ => Err(ProviderError::new(
                unreadable(request),
                format!("{}: the answer is no JSON object", what(request)),
            )),
        };
    }
    let errors = errors(body);
    Err(failure(
        request,
        secrets,
        status,
        location,
        errors.as_deref(),
    ))
}

/// What stands under `errors`, safe and short; `None` where the body has no such list. Bodies
/// may echo what was sent, so nothing else of them is kept.
fn errors(body: &[u8]) -> Option<Vec<String>> {
    let json: Json = serde_json::from_slice(body).ok()?;
    let all = json.get("errors")?.as_array()?;
    Some(
        all.iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
    )
}

fn failure(
    request: &Request,
    secrets: SecretFields<'_>,
    status: u16,
    location: Option<&str>,
    errors: Option<&[String]>,
) -> ProviderError {
    let what = what(request);
    // The server wraps its errors in a list of one.
    let raw = errors
        .map(|all| all.join("; ").replace("1 error occurred:\n\t* ", ""))
        .unwrap_or_default();
    let kind = kind(request, status, errors, &raw);
    let said = match metadata(&raw) {
        // A value the server refuses comes back in its text, quoted.
        Some(why) => Said {
            text: why.to_owned(),
            is_withheld: false,
        },
        None => said(request, secrets, &raw),
    };
    let location = location.map(|text| self::said(request, secrets, text).text);
    let tail = if said.text.is_empty() {
        String::new()
    } else {
        format!(": {}", said.text)
    };
    let message = match (status, location) {
        (300..400, Some(location)) => {
            format!("{what}: {status}, a redirect to {location}, which is not followed")
        }
        _ => format!("{what}: {status}{tail}"),
    };
    let error = ProviderError::new(kind, message);
    match (kind, status) {
        (_, 300..400) => {
            error.help("give the address of the active node, or of a load balancer in front of it")
        }
        (ErrorKind::Denied, _) => error.help(format!(
            "the token may have expired: log in again; else it needs the capability `{}` on `{}`",
            request.capability(),
            short(&request.path)
        )),
        (ErrorKind::Unavailable, _) => {
            error.help("unseal the server, or wait for it to become active")
        }
        _ if said.is_withheld => error.help(
            "does the secret hold what a URL or a connection string gives a meaning, such as `/`, \
             `:` or `%`? Leave `disable_escaping` out, or change the secret",
        ),
        _ => error,
    }
}

/// Why the server refuses a pair of metadata, in words of our own.
fn metadata(said: &str) -> Option<&'static str> {
    if !said.contains("load metadata pair") {
        return None;
    }
    // Its reason stands at the end, after the pair.
    let reason = said.rsplit("): ").next().unwrap_or_default();
    Some(if reason.starts_with("key contains") {
        "a key of the metadata holds characters other than letters, digits, `=`, `/`, `+`, `_` and `-`"
    } else if reason.starts_with("key") {
        "a key of the metadata is empty or too long"
    } else {
        "a value of the metadata is too long"
    })
}

fn kind(request: &Request, status: u16, errors: Option<&[String]>, said: &str) -> ErrorKind {
    match status {
        _ if said.contains("check-and-set") || said.contains("already in use") => {
            ErrorKind::Conflict
        }
        // The database can't be reached: nothing was revoked, and it may come back.
        400 if said.contains("failed to revoke") => ErrorKind::Transient,
        // With a text, it is the route or the namespace that isn't there; only the empty list
        // speaks of the object itself.
        404 if errors.is_some_and(<[String]>::is_empty) => ErrorKind::NotFound,
        401 | 403 => ErrorKind::Denied,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        472 | 473 | 501 | 503 => ErrorKind::Unavailable,
        500.. => lost(request),
        _ => ErrorKind::Invalid,
    }
}

/// Whether the server says that nothing is mounted at the path.
pub(crate) fn is_no_route(error: &ProviderError) -> bool {
    error.kind == ErrorKind::Invalid && error.message.contains("no handler for route")
}
