//! Answers that go wrong when told: for testing what comes of it.

use remit_sdk::ErrorKind;

use crate::store::{Operation, Request};

/// Which request a fault is for. Empty, it is for every one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Only this operation.
    pub operation: Option<Operation>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this key.
    pub key: Option<String>,
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only this operation.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only this kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    pub(crate) fn fits(&self, request: &Request) -> bool {
        self.operation
            .is_none_or(|operation| operation == request.operation)
            && self.kind.as_ref().is_none_or(|kind| *kind == request.kind)
            && self.key.as_ref().is_none_or(|key| *key == request.key)
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request fails and has no effect. For a reading, it is unreadable.
    Before(ErrorKind),
    /// The request takes effect, and the answer is lost: ambiguous.
    LostResponse,
    /// The request is accepted, and this attribute of it is dropped.
    Ignore {
        /// The attribute.
        attribute: String,
    },
    /// The request is accepted, and this number is made smaller, with a warning.
    Cap {
        /// The attribute.
        attribute: String,
        /// What it is at most.
        most: i64,
    },
    /// The object can't be read: the right to is missing.
    Unreadable,
}

/// A fault that waits.
#[derive(Clone, Debug)]
pub(crate) struct Armed {
    pub(crate) matcher: Matcher,
    pub(crate) fault: Fault,
    pub(crate) once: bool,
}

impl Armed {
    pub(crate) fn fits(&self, request: &Request) -> bool {
        let reading = request.operation == Operation::Read;
        let sensible = match self.fault {
            Fault::Before(_) => true,
            Fault::Unreadable => reading,
            Fault::LostResponse => !reading,
            Fault::Ignore { .. } | Fault::Cap { .. } => {
                matches!(request.operation, Operation::Create | Operation::Update)
            }
        };
        sensible && self.matcher.fits(request)
    }
}
