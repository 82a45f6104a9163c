//! `exception` blocks: a waiver of one rule for one declaration, until a date.
//!
//! Which rules there are is not known here; `rules` says which exceptions name none.

use remit_sdk::{DeclarationAddress, Diagnostic, Span, Spanned, Value};

use super::decode::{Decoded, reference, spanned_name, text, time, wrong_type};
use super::reader::{Reader, Written};
use crate::evaluate::Evaluated;

/// A waiver of one rule for one declaration.
#[derive(Clone, Debug)]
pub struct Exception {
    /// `exception.legacy_etl`.
    pub address: DeclarationAddress,
    /// The rule's code.
    pub rule: Spanned<String>,
    /// What it counts for; without a key, for all instances of that block.
    pub applies_to: DeclarationAddress,
    /// Why it must be so for now.
    pub reason: String,
    /// Who answers for it.
    pub approved_by: DeclarationAddress,
    /// When it ends: RFC 3339 or `YYYY-MM-DD`.
    pub expires_at: String,
    /// The block's header.
    pub span: Span,
}

impl Exception {
    /// Whether it counts for a declaration.
    pub fn covers(&self, address: &DeclarationAddress) -> bool {
        self.applies_to == *address || self.applies_to == address.block()
    }
}

/// Reads an `exception` block.
pub(super) fn exception(
    reader: &Reader<'_, '_>,
    address: DeclarationAddress,
) -> Evaluated<Exception> {
    let rule = reader.required("rule", spanned_name);
    let applies_to = reader.required("applies_to", declaration);
    let reason = reader.required("reason", text);
    let approved_by = reader.required("approved_by", reference("owner"));
    let expires_at = reader.required("expires_at", time);
    reader.finish();
    Ok(Exception {
        address,
        rule: rule?,
        applies_to: applies_to?,
        reason: reason?,
        approved_by: approved_by?,
        expires_at: expires_at?,
        span: reader.header,
    })
}

/// One declaration, or all instances of one block.
fn declaration(written: &Written<'_>) -> Decoded<DeclarationAddress> {
    let wrong = || -> Diagnostic {
        wrong_type(
            &written.value,
            written.span(),
            "a reference to a declaration",
            "write `identity.NAME`, or another declaration that the rule is about",
        )
    };
    match &written.value {
        Value::Declaration(address) => Ok(address.clone()),
        Value::Map(all) => {
            let mut blocks = all.values().map(|value| match value {
                Value::Declaration(address) => Some(address.block()),
                _ => None,
            });
            let first = blocks.next().flatten().ok_or_else(wrong)?;
            if blocks.all(|block| block.as_ref() == Some(&first)) {
                Ok(first)
            } else {
                Err(wrong())
            }
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use crate::model::fixture::{model, one_mistake};

    const OWNER: &str = "owner \"o\" {\n contact = \"o@example.com\"\n}\n";
    const GOOD: &str = "exception \"x\" {\n rule = \"RMT104\"\n applies_to = owner.o\n reason = \
                        \"r\"\n approved_by = owner.o\n expires_at = \"2027-01-01\"\n}\n";

    #[test]
    fn everything_in_it_is_required() {
        let model = model(&format!("{OWNER}{GOOD}"));
        let exception = model.exceptions.values().next().unwrap();
        assert_eq!(exception.applies_to.to_string(), "owner.o");
        assert!(exception.covers(&exception.applies_to));
        for name in ["rule", "applies_to", "reason", "approved_by", "expires_at"] {
            let lines = GOOD.lines().filter(|line| !line.trim().starts_with(name));
            let text = lines.collect::<Vec<_>>().join("\n");
            let header = "exception \"x\"";
            one_mistake(&format!("{OWNER}{text}"), "missing attribute", header);
        }
    }

    #[test]
    fn each_must_be_what_it_is_for() {
        for (before, after, summary, underlined) in [
            ("\"RMT104\"", "[]", "wrong type", "[]"),
            (
                "applies_to = owner.o",
                "applies_to = \"o\"",
                "wrong type",
                "\"o\"",
            ),
            (
                "approved_by = owner.o",
                "approved_by = \"o\"",
                "wrong type",
                "\"o\"",
            ),
            ("\"2027-01-01\"", "\"soon\"", "invalid value", "\"soon\""),
            ("\"r\"", "\"\"", "invalid value", "\"\""),
        ] {
            let text = GOOD.replace(before, after);
            one_mistake(&format!("{OWNER}{text}"), summary, underlined);
        }
    }
}
