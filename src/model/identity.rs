//! `identity` blocks: one agent in one environment in one privilege domain, bound to its
//! workloads.

use remit_sdk::declaration::{Identity, Session};
use remit_sdk::naming::{LIVE_NAME_CHARACTERS_MAX, live_name};
use remit_sdk::{DeclarationAddress, Diagnostic, Span};

use super::Model;
use super::decode::{Decoded, cidrs, duration, invalid, name, reference, references, time};
use super::lifecycle::lifecycle;
use super::reader::{Reader, Written};
use super::units::duration_text;
use super::workload::workloads;
use crate::evaluate::{Evaluated, Failed, declaration_name};

/// How long credentials live by default.
const TTL_SECONDS: u64 = 15 * 60;
/// How long they may be renewed by default.
const MAX_TTL_SECONDS: u64 = 60 * 60;

/// Reads an `identity` block; the model holds what it may refer to.
pub(super) fn identity(
    reader: &Reader<'_, '_>,
    address: DeclarationAddress,
    model: &Model,
) -> Evaluated<Identity> {
    let agent = reader.required("agent", reference("agent"));
    let environment = reader.required("environment", reference("environment"));
    let domain = reader.required("domain", name);
    let scopes = reader.required("scopes", references("scope"));
    let given_name = reader.optional("live_name", given_name);
    let expires_at = reader.optional("expires_at", time);
    let workloads = workloads(reader, &model.issuers);
    let lifecycle = lifecycle(reader);
    // An environment that isn't there had a mistake of its own.
    let environment = environment.and_then(|address| {
        let found = model.environments.get(&address);
        found.ok_or(Failed)
    });
    let session = session(reader, environment.map(|found| found.max_session_seconds));
    reader.finish();
    let (agent, environment) = (agent?, environment?);
    let owner = &model.agents.get(&agent).ok_or(Failed)?.owner;
    Ok(Identity {
        name: given_name?.unwrap_or_else(|| live_name(&model.settings.prefix, &address)),
        address,
        agent_name: declaration_name(&agent),
        owner_name: declaration_name(owner),
        agent,
        environment: environment.address.clone(),
        environment_name: environment.name.clone(),
        domain: domain?,
        scopes: scopes?,
        workloads: workloads?,
        session: session?,
        expires_at: expires_at?,
        lifecycle: lifecycle?,
        span: reader.header,
    })
}

/// Vault writes role and policy names in lower case, so others would name two things as one.
fn given_name(written: &Written<'_>) -> Decoded<String> {
    let text = name(written)?;
    let fits = text.len() <= LIVE_NAME_CHARACTERS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
        && !text.contains("..");
    if fits {
        return Ok(text);
    }
    Err(invalid(
        written.span(),
        format!(
            "`{text}` can't be the name of a live object: at most {LIVE_NAME_CHARACTERS_MAX} lower-case letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
        ),
        "choose another name, or leave `live_name` out to have one computed",
    ))
}

fn with_place(written: &Written<'_>) -> Decoded<(u64, Span)> {
    Ok((duration(written)?, written.span()))
}

fn session(reader: &Reader<'_, '_>, longest: Evaluated<u64>) -> Evaluated<Session> {
    let block = reader.one_block("session");
    let Some(block) = block else {
        let longest = longest?;
        return Ok(Session {
            ttl_seconds: TTL_SECONDS.min(longest),
            max_ttl_seconds: MAX_TTL_SECONDS.min(longest),
            bound_cidrs: std::collections::BTreeSet::new(),
        });
    };
    reader.no_labels(block);
    let inner = reader.inner(block);
    let ttl = inner.optional("ttl", with_place);
    let max_ttl = inner.optional("max_ttl", with_place);
    let bound_cidrs = inner.optional("bound_cidrs", cidrs);
    inner.finish();
    let (ttl, max_ttl, longest) = (ttl?, max_ttl?, longest?);
    for (seconds, at) in [ttl, max_ttl].into_iter().flatten() {
        if seconds > longest {
            return Err(reader.report(
                Diagnostic::error(
                    "session longer than its environment allows",
                    format!(
                        "this is {}, and the environment's `max_session` is {}",
                        duration_text(seconds),
                        duration_text(longest)
                    ),
                )
                .at(at)
                .help("shorten the session, or raise `max_session` for the whole environment"),
            ));
        }
    }
    let max_ttl_seconds = max_ttl.map_or(MAX_TTL_SECONDS.min(longest), |(seconds, _)| seconds);
    let ttl_seconds = ttl.map_or(TTL_SECONDS.min(max_ttl_seconds), |(seconds, _)| seconds);
    if let Some((_, at)) = ttl
        && ttl_seconds > max_ttl_seconds
    {
        return Err(reader.report(
            Diagnostic::error(
                "`ttl` above `max_ttl`",
                format!(
                    "credentials would live for {} and could be kept for {} at most",
                    duration_text(ttl_seconds),
                    duration_text(max_ttl_seconds)
                ),
            )
            .at(at)
            .label(max_ttl.map(|(_, at)| at), "`max_ttl`")
            .help("shorten `ttl`, or write a longer `max_ttl`"),
        ));
    }
    Ok(Session {
        ttl_seconds,
        max_ttl_seconds,
        bound_cidrs: bound_cidrs?.unwrap_or_default(),
    })
}
