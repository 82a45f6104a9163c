//! A mistake, as plain data: what is wrong, why, and what to write instead.
//!
//! The summary is one fixed lower-case phrase for each kind of mistake; what differs from case
//! to case stands in the detail. Rendering is done elsewhere.

use crate::address::Address;
use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is stopped.
    Warning,
    /// Stops what was asked.
    Error,
}

/// Another place that matters, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// Why it matters.
    pub text: String,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of mistake, lower case, without the particulars.
    pub summary: String,
    /// The particulars: what was found and why it is wrong.
    pub detail: String,
    /// What to write or do instead.
    pub help: Option<String>,
    /// The exact text that is wrong.
    pub span: Option<Span>,
    /// Other places that matter.
    pub labels: Vec<Label>,
    /// The declaration or object it is about.
    pub address: Option<Address>,
    /// Whether the text that is wrong may be a secret: its place is shown, the text isn't.
    pub hides_text: bool,
    /// Another text that may be a secret and isn't shown: the value beside a wrong name.
    pub hidden: Option<Span>,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            help: None,
            span: None,
            labels: Vec::new(),
            address: None,
            hides_text: false,
            hidden: None,
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// With what to write or do instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With the text that is wrong; `None` leaves it as it is.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.span = span.into().or(self.span);
        self
    }

    /// With another place that matters.
    #[must_use]
    pub fn label(mut self, span: impl Into<Option<Span>>, text: impl Into<String>) -> Self {
        if let Some(span) = span.into() {
            self.labels.push(Label {
                span,
                text: text.into(),
            });
        }
        self
    }

    /// With what it is about.
    #[must_use]
    pub fn about(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }

    /// With a text that may be a secret, and is never shown.
    #[must_use]
    pub fn hiding_text(mut self) -> Self {
        self.hides_text = true;
        self
    }

    /// Whether it stops what was asked.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
