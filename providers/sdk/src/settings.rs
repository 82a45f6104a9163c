//! Reading a `provider` block: what every provider's settings share.
//!
//! In come the attributes of a block, evaluated; out go typed values, and a diagnostic for each
//! mistake, all of them at once and each at the text that is wrong. Which attributes there are,
//! and what their texts mean, is the provider's own. Nothing is read from the environment or from
//! a file here, and no value of an attribute that isn't known is ever shown: it may be a secret.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::shape;
use crate::span::{Span, Spanned};
use crate::text::safe;
use crate::value::Value;

/// Attributes of a block by name.
pub type Attributes = BTreeMap<String, Spanned<Value>>;

/// The summary of a mistake that is in an attribute's name. Its place is the value, since a name has
/// none here; who has the block at hand moves it to the name.
pub const UNKNOWN_ATTRIBUTE: &str = "unknown attribute";

/// A block being read.
pub struct Reader {
    provider: &'static str,
    span: Option<Span>,
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    /// For a block of this provider whose header is at `span`.
    pub const fn new(provider: &'static str, span: Option<Span>) -> Self {
        Self {
            provider,
            span,
            mistakes: Vec::new(),
        }
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, detail: impl Into<String>, span: Option<Span>) {
        let diagnostic = self.diagnostic(detail, span);
        self.mistakes.push(diagnostic);
    }

    /// A mistake about a text that may be a secret, put where none belongs: it is not shown.
    pub fn hidden_mistake(&mut self, detail: impl Into<String>, span: Option<Span>) {
        let diagnostic = self.diagnostic(detail, span).hiding_text();
        self.mistakes.push(diagnostic);
    }

    fn diagnostic(&self, detail: impl Into<String>, span: Option<Span>) -> Diagnostic {
        let summary = format!("provider \"{}\" is not understood", self.provider);
        Diagnostic::error(summary, detail).at(self.span).at(span)
    }

    /// Every attribute must be one of `known`; those of `refused` are explained.
    pub fn known(
        &mut self,
        attributes: &Attributes,
        known: &[&'static str],
        refused: &[(&'static str, &'static str)],
    ) {
        for (name, written) in attributes {
            if known.contains(&name.as_str()) {
                continue;
            }
            if let Some((_, why)) = refused.iter().find(|(refused, _)| refused == name) {
                self.hidden_mistake(*why, written.span);
                continue;
            }
            self.unknown(name, written.span, known);
        }
    }

    fn unknown(&mut self, name: &str, span: Option<Span>, known: &[&'static str]) {
        let detail = format!(
            "provider \"{}\" has no attribute `{}` here",
            self.provider,
            safe(name)
        );
        let mistake = Diagnostic::error(UNKNOWN_ATTRIBUTE, detail)
            .at(self.span)
            .at(span);
        self.mistakes
            .push(match shape::nearest(name, known.iter().copied()) {
                Some(nearest) => mistake.help(format!("did you mean `{nearest}`?")),
                // What was meant isn't known, and it may be a password.
                None => mistake
                    .help(format!("it has {}", known.join(", ")))
                    .hiding_text(),
            });
    }

    /// Text, if there is any.
    pub fn text(&mut self, attributes: &Attributes, name: &str) -> Option<String> {
        let written = attributes.get(name)?;
        match &written.value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => {
                let detail = format!("`{name}` must be a string, not {}", other.type_name());
                self.mistake(detail, written.span);
                None
            }
        }
    }

    /// True or false; false where nothing is written.
    pub fn bool(&mut self, attributes: &Attributes, name: &str) -> bool {
        match attributes.get(name).map(|written| &written.value) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                let detail = format!("`{name}` must be a bool, not {}", other.type_name());
                self.mistake(detail, span_of(attributes, name));
                false
            }
        }
    }

    /// What was read, if nothing was wrong.
    pub fn finish<T>(self, settings: T) -> Result<T, Vec<Diagnostic>> {
        if self.mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(self.mistakes)
        }
    }
}

/// Where the value of an attribute stands.
pub fn span_of(attributes: &Attributes, name: &str) -> Option<Span> {
    attributes.get(name).and_then(|written| written.span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::FileId;

    fn span(at: u32) -> Span {
        Span::new(FileId(0), at, at + 1)
    }

    #[test]
    fn every_mistake_is_told_where_it_stands() {
        let attributes: Attributes = [
            ("adress", Value::string("x"), 1),
            ("password", Value::string("never shown"), 2),
            ("name", Value::integer(1), 3),
            ("flag", Value::string("yes"), 4),
            ("zzzzzzzz", Value::Null, 5),
        ]
        .into_iter()
        .map(|(name, value, at)| (name.to_owned(), Spanned::new(value, Some(span(at)))))
        .collect();
        let mut reader = Reader::new("p", Some(span(0)));
        reader.known(
            &attributes,
            &["address", "name", "flag"],
            &[("password", "no passwords here")],
        );
        assert_eq!(reader.text(&attributes, "name"), None);
        assert_eq!(reader.text(&attributes, "address"), None);
        assert!(!reader.bool(&attributes, "flag"));
        let found: Vec<_> = reader
            .finish(())
            .unwrap_err()
            .into_iter()
            .map(|one| {
                let at = one.span.map(|span| span.start);
                (one.detail, one.help.unwrap_or_default(), one.hides_text, at)
            })
            .collect();
        let wanted = [
            (
                "provider \"p\" has no attribute `adress` here",
                "did you mean `address`?",
                false,
                1,
            ),
            ("no passwords here", "", true, 2),
            (
                "provider \"p\" has no attribute `zzzzzzzz` here",
                "it has address, name, flag",
                true,
                5,
            ),
            ("`name` must be a string, not a number", "", false, 3),
            ("`flag` must be a bool, not a string", "", false, 4),
        ]
        .map(|(detail, help, hides, at)| (detail.to_owned(), help.to_owned(), hides, Some(at)));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_block_without_mistakes_is_read() {
        let attributes: Attributes = [
            ("name".to_owned(), Spanned::new(Value::string("x"), None)),
            ("flag".to_owned(), Spanned::new(Value::Bool(true), None)),
            ("none".to_owned(), Spanned::new(Value::Null, None)),
        ]
        .into();
        let mut reader = Reader::new("p", None);
        let read = (
            reader.text(&attributes, "name"),
            reader.text(&attributes, "none"),
            reader.bool(&attributes, "flag"),
            reader.bool(&attributes, "none"),
        );
        assert_eq!(
            reader.finish(read).unwrap(),
            (Some("x".to_owned()), None, true, false)
        );
    }
}
