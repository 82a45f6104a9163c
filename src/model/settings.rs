//! The `remit` block: what is needed before anything else is read, so plain values only.

use remit_sdk::Diagnostic;

use super::Settings;
use super::decode::{Decoded, invalid, name, spanned_texts, text};
use super::reader::{Reader, Written};
use crate::config::syntax::Block;
use crate::evaluate::{Evaluated, Evaluator, Frame, Scope};

/// A name is at most 64 characters; what tells names apart needs its share of them.
const PREFIX_CHARACTERS_MAX: usize = 24;

/// Where a state may live, by the language; this version has the first.
const STATES: [&str; 6] = ["local", "s3", "gcs", "azure", "vault", "postgres"];

/// Reads the block; what is wrong in it is reported, and a default stands in its place.
pub(super) fn settings(evaluator: &Evaluator<'_>) -> Settings {
    let mut settings = Settings::default();
    let Some(block) = evaluator.index.settings else {
        return settings;
    };
    let plain = Scope::root(Frame::Plain("the `remit` block"));
    let reader = Reader::block(evaluator, block, &plain, "the `remit` block");
    let _ = reader.optional("required_version", |written| {
        required_version(written, env!("CARGO_PKG_VERSION"))
    });
    if let Some(naming) = reader.one_block("naming") {
        reader.no_labels(naming);
        let inner = reader.inner(naming);
        if let Ok(Some(prefix)) = inner.optional("prefix", prefix) {
            settings.prefix = prefix;
        }
        inner.finish();
    }
    if let Some(state) = reader.one_block("state")
        && let Ok(Some(path)) = state_path(&reader, state)
    {
        settings.state_path = path;
    }
    if let Some(policy) = reader.one_block("policy") {
        reader.no_labels(policy);
        let inner = reader.inner(policy);
        if let Ok(directories) = inner.required("directories", spanned_texts) {
            settings.policy_directories = directories;
        }
        inner.finish();
    }
    reader.finish();
    settings
}

fn state_path<'r>(reader: &Reader<'r, '_>, block: &'r Block) -> Evaluated<Option<String>> {
    let Some(label) = reader.label(block, &["local"]) else {
        return Ok(None);
    };
    if label.value != "local" {
        let error = if STATES.contains(&label.value.as_str()) {
            Diagnostic::error(
                "not in this version",
                format!(
                    "this version of remit keeps no state in `{}` yet",
                    label.value
                ),
            )
        } else {
            Diagnostic::error(
                "unknown state backend",
                format!(
                    "there is no state backend `{}`",
                    remit_sdk::text::safe(&label.value)
                ),
            )
        };
        return Err(reader.report(
            error
                .at(label.span)
                .help("write `state \"local\" { path = \".remit\" }`"),
        ));
    }
    let inner = reader.inner(block);
    let path = inner.optional("path", name);
    inner.finish();
    path
}

fn prefix(written: &Written<'_>) -> Decoded<String> {
    let text = written.value.as_str().unwrap_or("?");
    let fits = text.len() <= PREFIX_CHARACTERS_MAX
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if fits {
        return Ok(text.to_owned());
    }
    Err(invalid(
        written.span(),
        format!(
            "a prefix has at most {PREFIX_CHARACTERS_MAX} lower-case letters, digits, `-` and `_`"
        ),
        "write `prefix = \"remit-\"`",
    ))
}

/// A version as three numbers, and how many of them were written.
fn version(text: &str) -> Option<([u64; 3], usize)> {
    let mut numbers = [0; 3];
    let mut written = 0;
    for part in text.split('.') {
        if part.is_empty() || !part.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        *numbers.get_mut(written)? = part.parse().ok()?;
        written += 1;
    }
    Some((numbers, written))
}

/// Whether `ours` meets one constraint, such as `>= 0.1`; `None` where that is none.
fn meets(constraint: &str, ours: [u64; 3]) -> Option<bool> {
    let constraint = constraint.trim();
    let operator: String = constraint
        .chars()
        .take_while(|c| !c.is_ascii_digit() && !c.is_whitespace())
        .collect();
    let (theirs, written) = version(constraint.get(operator.len()..)?.trim())?;
    Some(match operator.as_str() {
        ">=" => ours >= theirs,
        ">" => ours > theirs,
        "<=" => ours <= theirs,
        "<" => ours < theirs,
        "=" | "" => ours == theirs,
        "!=" => ours != theirs,
        // The last number written may grow, those before it may not.
        "~>" => {
            let kept = written.saturating_sub(1);
            ours >= theirs && ours.iter().take(kept).eq(theirs.iter().take(kept))
        }
        _ => return None,
    })
}

fn required_version(written: &Written<'_>, ours: &str) -> Decoded<()> {
    let text = text(written)?;
    let numbers = version(ours)
        .map(|(numbers, _)| numbers)
        .unwrap_or_default();
    for constraint in text.split(',') {
        match meets(constraint, numbers) {
            Some(true) => {}
            Some(false) => {
                return Err(Diagnostic::error(
                    "another version is required",
                    format!(
                        "this is remit {ours}, and the configuration requires `{}`",
                        constraint.trim()
                    ),
                )
                .at(written.span())
                .help("use a version that meets it, or change the requirement"));
            }
            None => {
                return Err(invalid(
                    written.span(),
                    format!(
                        "`{}` is no version requirement",
                        remit_sdk::text::safe(constraint.trim())
                    ),
                    "write `\">= 0.1\"` or `\">= 0.1, < 2\"`; there are =, !=, <, <=, >, >= and ~>",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::meets;

    #[test]
    fn version_requirements() {
        for (constraint, result) in [
            (">= 0.1", Some(true)),
            ("> 0.1.0", Some(true)),
            (">1.2.3", Some(false)),
            ("< 1.2.3", Some(false)),
            ("<= 1.2.3", Some(true)),
            ("1.2.3", Some(true)),
            ("= 1.2", Some(false)),
            ("!= 1.2.3", Some(false)),
            ("~> 1.2", Some(true)),
            ("~> 1.1.0", Some(false)),
            ("~> 0.9", Some(false)),
            ("=> 1", None),
            (">= x", None),
            (">= 1.2.3.4", None),
            ("", None),
        ] {
            assert_eq!(meets(constraint, [1, 2, 3]), result, "{constraint}");
        }
    }
}
