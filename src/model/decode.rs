//! Values to the types declarations hold. Each function takes what was written and gives the
//! value, or what is wrong with it: what was found, what is wanted, what to write.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::{DeclarationAddress, Diagnostic, Span, Spanned, Value};

use super::reader::Written;
use super::units;
use crate::evaluate::{describe, did_you_mean};

/// What decoding gives.
pub(super) type Decoded<T> = Result<T, Diagnostic>;

/// A value of the wrong type.
pub(super) fn wrong_type(value: &Value, at: Span, wanted: &str, help: &str) -> Diagnostic {
    Diagnostic::error(
        "wrong type",
        format!("{wanted} is wanted here, and this is {}", describe(value)),
    )
    .at(at)
    .help(help)
}

/// A value of the right type that can't be.
pub(super) fn invalid(
    at: impl Into<Option<Span>>,
    detail: impl Into<String>,
    help: &str,
) -> Diagnostic {
    Diagnostic::error("invalid value", detail).at(at).help(help)
}

fn text_of(value: &Value, at: Span) -> Decoded<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_text().unwrap_or_default()),
        other => Err(wrong_type(
            other,
            at,
            "a string",
            match other {
                Value::Declaration(_) => {
                    "use one of its attributes, such as `.name`, or write the text"
                }
                Value::Pending(_) => "this must be known before anything is applied",
                Value::Secret(_) => "a secret can stand only in an attribute that takes one",
                _ => "write text in quotes",
            },
        )),
    }
}

/// Text that isn't empty.
pub(super) fn text(written: &Written<'_>) -> Decoded<String> {
    let text = text_of(&written.value, written.span())?;
    if text.trim().is_empty() {
        return Err(invalid(
            written.span(),
            "this is empty",
            if written.is_required {
                "write the text"
            } else {
                "write the text, or leave the attribute out"
            },
        ));
    }
    Ok(text)
}

/// Text that names one thing exactly: no control characters, no spaces around it.
pub(super) fn name(written: &Written<'_>) -> Decoded<String> {
    let text = text(written)?;
    plain(&text, written.span()).map(|()| text)
}

fn plain(text: &str, at: Span) -> Decoded<()> {
    if text.chars().any(remit_sdk::text::is_unsafe) || text.trim() != text {
        return Err(invalid(
            at,
            format!(
                "`{}` holds control or invisible characters, or spaces around it",
                remit_sdk::text::safe(text)
            ),
            "write the plain text",
        ));
    }
    Ok(())
}

/// Part of a subject: a name without wildcards.
pub(super) fn exact(written: &Written<'_>) -> Decoded<String> {
    let text = name(written)?;
    if text.contains('*') {
        return Err(invalid(
            written.span(),
            format!("`{text}` holds a wildcard, and a workload is bound exactly"),
            "write the whole name; one identity for each workload",
        ));
    }
    Ok(text)
}

/// A name with its place.
pub(super) fn spanned_name(written: &Written<'_>) -> Decoded<Spanned<String>> {
    Ok(Spanned::new(name(written)?, Some(written.span())))
}

/// True or false.
pub(super) fn boolean(written: &Written<'_>) -> Decoded<bool> {
    match &written.value {
        Value::Bool(b) => Ok(*b),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        other => Err(wrong_type(
            other,
            written.span(),
            "true or false",
            "write `true` or `false`",
        )),
    }
}

/// A whole number that isn't negative.
pub(super) fn count(written: &Written<'_>) -> Decoded<u64> {
    let number = match &written.value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| {
            wrong_type(
                &written.value,
                written.span(),
                "a whole number from 0 on",
                "write a number such as `1`",
            )
        })
}

/// Seconds, above zero.
pub(super) fn duration(written: &Written<'_>) -> Decoded<u64> {
    let seconds = match &written.value {
        Value::Number(number) => number.as_i64().and_then(|n| u64::try_from(n).ok()),
        Value::String(text) => units::duration_seconds(text),
        other => {
            return Err(wrong_type(
                other,
                written.span(),
                "a duration",
                "write `\"15m\"`, `\"1h30m\"`, `\"30d\"` or a number of seconds",
            ));
        }
    };
    match seconds {
        Some(0) => Err(invalid(
            written.span(),
            "a duration of zero stands for a server's own default in many places, so it isn't taken",
            "write how long, such as `\"15m\"`",
        )),
        Some(seconds) => Ok(seconds),
        None => Err(invalid(
            written.span(),
            format!("{} is no duration", describe(&written.value)),
            "write `\"15m\"`, `\"1h30m\"`, `\"30d\"` or a number of seconds",
        )),
    }
}

/// `YYYY-MM-DD`.
pub(super) fn date(written: &Written<'_>) -> Decoded<String> {
    let text = text_of(&written.value, written.span())?;
    if units::is_date(&text) {
        return Ok(text);
    }
    Err(invalid(
        written.span(),
        format!("{} is no date", describe(&written.value)),
        "write `\"2027-03-31\"`",
    ))
}

/// A date, or a time by RFC 3339.
pub(super) fn time(written: &Written<'_>) -> Decoded<String> {
    let text = text_of(&written.value, written.span())?;
    if units::is_time(&text) {
        return Ok(text);
    }
    Err(invalid(
        written.span(),
        format!(
            "{} is no date and no time with its offset",
            describe(&written.value)
        ),
        "write `\"2027-03-31\"` or `\"2027-03-31T18:00:00Z\"`",
    ))
}

/// One of some words, each with its meaning.
pub(super) fn one_of<T: Copy>(written: &Written<'_>, known: &[(&str, T)]) -> Decoded<T> {
    let text = text_of(&written.value, written.span())?;
    if let Some((_, meaning)) = known.iter().find(|(word, _)| *word == text) {
        return Ok(*meaning);
    }
    let words = || known.iter().map(|(word, _)| *word);
    let all: Vec<String> = words().map(|word| format!("`\"{word}\"`")).collect();
    let help =
        did_you_mean(&text, words()).unwrap_or_else(|| format!("write {}", all.join(" or ")));
    Err(invalid(
        written.span(),
        format!("{} is none of {}", describe(&written.value), all.join(", ")),
        &help,
    ))
}

/// The entries of a list or set of texts, each with its place.
pub(super) fn spanned_texts(written: &Written<'_>) -> Decoded<Vec<(String, Span)>> {
    let Some(items) = written.items() else {
        return Err(wrong_type(
            &written.value,
            written.span(),
            "a list of strings",
            "write `[\"…\"]`",
        ));
    };
    items
        .into_iter()
        .map(|(value, at)| {
            let text = text_of(value, at)?;
            if text.is_empty() {
                return Err(invalid(
                    at,
                    "this is empty",
                    "write the text, or take the entry out",
                ));
            }
            Ok((text, at))
        })
        .collect()
}

/// Texts in order.
pub(super) fn texts(written: &Written<'_>) -> Decoded<Vec<String>> {
    Ok(spanned_texts(written)?
        .into_iter()
        .map(|(text, _)| text)
        .collect())
}

/// Names without order.
pub(super) fn names(written: &Written<'_>) -> Decoded<BTreeSet<String>> {
    spanned_texts(written)?
        .into_iter()
        .map(|(text, at)| plain(&text, at).map(|()| text))
        .collect()
}

/// Address blocks.
pub(super) fn cidrs(written: &Written<'_>) -> Decoded<BTreeSet<String>> {
    spanned_texts(written)?
        .into_iter()
        .map(|(text, at)| {
            if units::is_cidr(&text) {
                return Ok(text);
            }
            Err(invalid(
                at,
                format!("`{}` is no address block: an address, `/`, the length of its prefix, and no bits beyond that", remit_sdk::text::safe(&text)),
                "write `\"10.20.0.0/16\"`, or `\"10.20.0.7/32\"` for one address",
            ))
        })
        .collect()
}

fn declaration(value: &Value, at: Span, kind: &str) -> Decoded<DeclarationAddress> {
    match value {
        Value::Declaration(address) if address.kind == kind => Ok(address.clone()),
        Value::Map(all)
            if all.values().any(
                |value| matches!(value, Value::Declaration(address) if address.kind == kind),
            ) =>
        {
            let keys: Vec<&str> = all.keys().take(5).map(String::as_str).collect();
            Err(wrong_type(
                value,
                at,
                &format!("one {kind}"),
                &format!(
                    "choose an instance by its key: {}",
                    keys.iter()
                        .map(|key| format!("[\"{key}\"]"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            ))
        }
        other => Err(wrong_type(
            other,
            at,
            &format!("a reference to {} {kind}", article(kind)),
            &format!("write `{kind}.NAME`"),
        )),
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    }
}

/// A reference to a declaration of this kind.
pub(super) fn reference(
    kind: &'static str,
) -> impl Fn(&Written<'_>) -> Decoded<DeclarationAddress> {
    move |written| declaration(&written.value, written.span(), kind)
}

/// References to declarations of this kind, each named once.
pub(super) fn references(
    kind: &'static str,
) -> impl Fn(&Written<'_>) -> Decoded<Vec<Spanned<DeclarationAddress>>> {
    move |written| {
        let Some(items) = written.items() else {
            return Err(wrong_type(
                &written.value,
                written.span(),
                &format!("a list of references to {kind} blocks"),
                &format!("write `[{kind}.NAME]`"),
            ));
        };
        let mut found: Vec<Spanned<DeclarationAddress>> = Vec::new();
        for (value, at) in items {
            let address = declaration(value, at, kind)?;
            if let Some(earlier) = found.iter().find(|earlier| earlier.value == address) {
                return Err(Diagnostic::error(
                    "named twice",
                    format!("`{address}` stands here a second time"),
                )
                .at(at)
                .label(earlier.span, "first named here")
                .help("take one of the two out"));
            }
            found.push(Spanned::new(address, Some(at)));
        }
        Ok(found)
    }
}

/// Declarations of any kind; a whole block with `for_each` stands for all its instances.
pub(super) fn any_references(written: &Written<'_>) -> Decoded<Vec<DeclarationAddress>> {
    let Some(items) = written.items() else {
        return Err(wrong_type(
            &written.value,
            written.span(),
            "a list of references",
            "write `[KIND.NAME]`",
        ));
    };
    let mut found = Vec::new();
    for (value, at) in items {
        match value {
            Value::Declaration(address) if address.kind != "provider" => {
                found.push(address.clone());
            }
            Value::Map(all)
                if all
                    .values()
                    .all(|value| matches!(value, Value::Declaration(_))) =>
            {
                found.extend(all.values().filter_map(|value| match value {
                    Value::Declaration(address) => Some(address.clone()),
                    _ => None,
                }));
            }
            other => {
                return Err(wrong_type(
                    other,
                    at,
                    "a reference to a declaration",
                    "write `KIND.NAME`",
                ));
            }
        }
    }
    Ok(found)
}

/// The instance that a reference to a provider names: `vault`, `vault.audit`.
pub(super) fn provider_instance(value: &Value, at: Span) -> Decoded<String> {
    match value {
        Value::Declaration(address) if address.kind == "provider" => Ok(match &address.key {
            Some(alias) => format!("{}.{alias}", address.name),
            None => address.name.clone(),
        }),
        other => Err(wrong_type(
            other,
            at,
            "a reference to a provider",
            "write `provider.vault`, or `provider.vault.ALIAS`",
        )),
    }
}

/// Sets of text by name; a single text stands for a set of one.
pub(super) fn map_of_texts(written: &Written<'_>) -> Decoded<BTreeMap<String, BTreeSet<String>>> {
    let at = written.span();
    let Value::Map(all) = &written.value else {
        return Err(wrong_type(
            &written.value,
            at,
            "a map",
            "write `{ name = \"value\" }`",
        ));
    };
    all.iter()
        .map(|(key, value)| {
            let texts: Vec<&Value> = match value {
                Value::List(all) => all.iter().collect(),
                Value::Set(all) => all.iter().collect(),
                single => vec![single],
            };
            let texts = texts
                .into_iter()
                .map(|value| text_of(value, at))
                .collect::<Decoded<BTreeSet<_>>>()?;
            Ok((key.clone(), texts))
        })
        .collect()
}
