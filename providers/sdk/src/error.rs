//! What can go wrong with a call to a target, and whether to try again.

use std::fmt;

/// What went wrong. Whether to try again follows from this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The server says, in so many words, that there is no such object.
    NotFound,
    /// The token may not do this, or is no longer good.
    Denied,
    /// The object is not as expected: compare-and-swap failed, or it exists already.
    Conflict,
    /// Too many requests.
    Throttled,
    /// A fault that passes, and the request did surely not take effect (or only reads).
    Transient,
    /// The answer was lost: it may have happened or not.
    Ambiguous,
    /// The server refuses the request as it is, or answers what can't be understood.
    Invalid,
    /// The server is sealed, standing by or not initialised: nothing will work for now.
    Unavailable,
    /// remit's own mistake.
    Bug,
}

impl ErrorKind {
    /// Whether the same request may be sent again at once or later.
    pub const fn may_retry(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient)
    }
}

/// A failed call. The message holds no secret and is safe to show: providers pass what servers
/// say through [`crate::text::safe`] and never quote a body they don't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// What was tried and what came back.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ProviderError {
    /// An error without help.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
        }
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProviderError {}
