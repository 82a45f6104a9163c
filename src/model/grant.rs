//! `grant` blocks: one permission each.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{AwsCondition, AwsGrant, DatabaseGrant, Grant, VaultGrant};
use remit_sdk::{Diagnostic, Spanned, Value};

use super::decode::{
    Decoded, duration, invalid, map_of_texts, names, spanned_name, spanned_texts, texts, wrong_type,
};
use super::reader::{Reader, Written};
use super::units::duration_text;
use crate::config::syntax::Block;
use crate::evaluate::{Evaluated, Scope, did_you_mean};

/// Capabilities of policies. `subscribe` and `recover` are Vault's, `scan` is OpenBao's.
const CAPABILITIES: [&str; 11] = [
    "create",
    "read",
    "update",
    "patch",
    "delete",
    "list",
    "sudo",
    "deny",
    "subscribe",
    "recover",
    "scan",
];

/// How long a database user lives by default.
const TTL_SECONDS: u64 = 15 * 60;
/// How long it may be renewed by default.
const MAX_TTL_SECONDS: u64 = 60 * 60;

/// Reads a `grant` block with the names of one holder.
pub(super) fn grant<'r>(
    reader: &'r Reader<'r, '_>,
    block: &'r Block,
    scope: &'r Scope<'r>,
) -> Evaluated<Grant> {
    const KNOWN: [&str; 3] = ["vault", "database", "aws"];
    let label = reader.label(block, &KNOWN).ok_or(crate::evaluate::Failed)?;
    let what = format!("a grant of type `{}`", remit_sdk::text::safe(&label.value));
    let inner = Reader::block(reader.evaluator, block, scope, what);
    match label.value.as_str() {
        "vault" => vault(&inner).map(Grant::Vault),
        "database" => database(&inner).map(Grant::Database),
        "aws" => aws(&inner).map(Grant::Aws),
        wrong => Err(inner.report(
            Diagnostic::error(
                "unknown type of grant",
                format!(
                    "there is no {what}",
                    what = format_args!("grant of type `{}`", remit_sdk::text::safe(wrong))
                ),
            )
            .at(label.span)
            .help(
                did_you_mean(wrong, KNOWN)
                    .unwrap_or_else(|| format!("types are {}", KNOWN.join(", "))),
            ),
        )),
    }
}

fn vault(reader: &Reader<'_, '_>) -> Evaluated<VaultGrant> {
    let path = reader.required("path", path);
    let capabilities = reader.required("capabilities", capabilities);
    let allowed = reader.optional("allowed_parameters", parameters);
    let denied = reader.optional("denied_parameters", parameters);
    let required = reader.optional("required_parameters", names);
    reader.finish();
    Ok(VaultGrant {
        path: path?,
        capabilities: capabilities?,
        allowed_parameters: allowed?.unwrap_or_default(),
        denied_parameters: denied?.unwrap_or_default(),
        required_parameters: required?.unwrap_or_default(),
        span: reader.header,
    })
}

/// A policy's path: no slash before it, `*` only at its end, `+` only as a whole segment.
fn path(written: &Written<'_>) -> Decoded<Spanned<String>> {
    let path = spanned_name(written)?;
    let text = &path.value;
    let before_end = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let segments = || text.split('/');
    let (why, help) = if text.starts_with('/') {
        (
            "a path of a policy has no `/` before it",
            "write it without",
        )
    } else if before_end.contains('*') {
        (
            "`*` counts only at the end of a path",
            "use `+` for one segment",
        )
    } else if segments().any(|segment| segment.len() > 1 && segment.contains('+')) {
        ("`+` counts only as a whole segment", "write `a/+/b`")
    } else if segments().any(|segment| segment == "..") {
        ("a path holds no `..`", "write the path itself")
    } else if text.contains(['{', '}', '"', '\\']) {
        (
            "a path holds no quotes, backslashes, or templates of the server",
            "use `identity.name`, `identity.agent`, `identity.environment` or `identity.domain` of the language",
        )
    } else {
        return Ok(path);
    };
    Err(invalid(written.span(), format!("`{text}`: {why}"), help))
}

fn capabilities(written: &Written<'_>) -> Decoded<Spanned<BTreeSet<String>>> {
    let mut found = BTreeSet::new();
    for (text, at) in spanned_texts(written)? {
        if !CAPABILITIES.contains(&text.as_str()) {
            let help = did_you_mean(&text, CAPABILITIES)
                .unwrap_or_else(|| format!("capabilities are {}", CAPABILITIES.join(", ")));
            let detail = format!("`{}` is no capability", remit_sdk::text::safe(&text));
            return Err(invalid(at, detail, &help));
        }
        found.insert(text);
    }
    if found.is_empty() {
        return Err(invalid(
            written.span(),
            "a grant without capabilities permits nothing",
            "write `[\"read\"]`, or remove the grant",
        ));
    }
    Ok(Spanned::new(found, Some(written.span())))
}

/// Parameters and the values they may have; an empty list is any value.
fn parameters(written: &Written<'_>) -> Decoded<BTreeMap<String, Vec<Value>>> {
    const HELP: &str = "write `{ parameter = [\"value\"] }`; an empty list is any value";
    let at = written.span();
    let Value::Map(all) = &written.value else {
        return Err(wrong_type(&written.value, at, "a map of lists", HELP));
    };
    all.iter()
        .map(|(name, values)| {
            let values: Vec<Value> = match values {
                Value::List(all) => all.clone(),
                Value::Set(all) => all.iter().cloned().collect(),
                other => return Err(wrong_type(other, at, "a list of values", HELP)),
            };
            match values.iter().find(|value| value.to_text().is_none()) {
                Some(wrong) => Err(wrong_type(wrong, at, "a string, number or bool", HELP)),
                None => Ok((name.clone(), values)),
            }
        })
        .collect()
}

fn database(reader: &Reader<'_, '_>) -> Evaluated<DatabaseGrant> {
    let mount = reader.required("mount", spanned_name);
    let connection = reader.required("connection", spanned_name);
    let statements = reader.required("statements", |written| {
        let statements = texts(written)?;
        if statements.is_empty() {
            return Err(invalid(
                written.span(),
                "there is nothing here that creates the user",
                "write the statements in full, creating the user included",
            ));
        }
        Ok(statements)
    });
    let revocation = reader.optional("revocation_statements", texts);
    let ttl = reader.optional("ttl", |written| Ok((duration(written)?, written.span())));
    let max_ttl = reader.optional("max_ttl", duration);
    reader.finish();
    let (ttl, max_ttl) = (ttl?, max_ttl?);
    let max_ttl_seconds = max_ttl.unwrap_or(MAX_TTL_SECONDS);
    let ttl_seconds = ttl.map_or(TTL_SECONDS.min(max_ttl_seconds), |(seconds, _)| seconds);
    if ttl_seconds > max_ttl_seconds {
        return Err(reader.report(
            Diagnostic::error(
                "`ttl` above `max_ttl`",
                format!(
                    "a user would live for {} and could be kept for {} at most",
                    duration_text(ttl_seconds),
                    duration_text(max_ttl_seconds)
                ),
            )
            .at(ttl.map(|(_, at)| at))
            .help("shorten `ttl`, or write a longer `max_ttl`"),
        ));
    }
    Ok(DatabaseGrant {
        mount: mount?,
        connection: connection?,
        statements: statements?,
        revocation_statements: revocation?.unwrap_or_default(),
        ttl_seconds,
        max_ttl_seconds,
        span: reader.header,
    })
}

/// What an action or an ARN may be is the provider's to say, when it lowers.
fn aws(reader: &Reader<'_, '_>) -> Evaluated<AwsGrant> {
    let actions = reader.required("actions", some_texts);
    let resources = reader.required("resources", some_texts);
    let conditions: Vec<Evaluated<AwsCondition>> = reader
        .blocks("condition")
        .map(|block| condition(reader, block))
        .collect();
    reader.finish();
    Ok(AwsGrant {
        actions: actions?,
        resources: resources?,
        conditions: conditions.into_iter().collect::<Evaluated<_>>()?,
        span: reader.header,
    })
}

fn condition<'r>(reader: &Reader<'r, '_>, block: &'r Block) -> Evaluated<AwsCondition> {
    let operator = reader.label(block, &["StringEquals", "ArnLike", "IpAddress", "Bool"]);
    let inner = reader.inner(block);
    let values = inner.required("values", |written| {
        let values = map_of_texts(written)?;
        if values.is_empty() || values.values().any(BTreeSet::is_empty) {
            return Err(invalid(
                written.span(),
                "a condition without a key or without values would hold for nothing",
                "write `values = { \"aws:PrincipalTag/domain\" = \"billing\" }`",
            ));
        }
        Ok(values)
    });
    inner.finish();
    Ok(AwsCondition {
        operator: operator.ok_or(crate::evaluate::Failed)?.value.clone(),
        values: values?,
        span: block.span,
    })
}

fn some_texts(written: &Written<'_>) -> Decoded<Spanned<BTreeSet<String>>> {
    let all = names(written)?;
    if all.is_empty() {
        return Err(invalid(
            written.span(),
            "this is empty, and a grant of nothing permits nothing",
            "name what is permitted, or remove the grant",
        ));
    }
    Ok(Spanned::new(all, Some(written.span())))
}
