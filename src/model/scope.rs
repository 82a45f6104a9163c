//! `scope` blocks: the least permissions for one task, their grants evaluated for each holder.
//!
//! Whether a scope is shared is decided by its syntax, so that it doesn't change with who holds
//! it: one that uses none of `identity.name`, `.agent`, `.environment` and `.domain` becomes one
//! policy, others one for each holder. What a holder's strings put into a path must not widen
//! it, so they may hold nothing that a policy or a template would take for more than text.

use std::collections::BTreeMap;

use remit_sdk::declaration::{Approval, Grant, Identity, Risk, Scope, ScopeGrants};
use remit_sdk::{DeclarationAddress, Diagnostic};

use super::Model;
use super::decode::{Decoded, count, invalid, name, one_of, references, text, time};
use super::grant::grant;
use super::lifecycle::lifecycle;
use super::reader::{Reader, Written};
use crate::config::syntax::Block;
use crate::evaluate::{Evaluated, Failed, Frame, Holder, uses};

/// What a holder's strings may not contain, since a path or a template would read it as more
/// than text.
const WIDENING: [&str; 5] = ["*", "+", "/", "..", "{{"];

/// Reads a `scope` block for the identities that hold it, and for those whose agent has it as a
/// ceiling.
pub(super) fn scope(
    reader: &Reader<'_, '_>,
    address: DeclarationAddress,
    block: &Block,
    model: &Model,
) -> Evaluated<Scope> {
    let description = reader.required("description", text);
    let domain = reader.required("domain", name);
    let risk = reader.required("risk", |written| {
        one_of(
            written,
            &[
                ("low", Risk::Low),
                ("medium", Risk::Medium),
                ("high", Risk::High),
                ("critical", Risk::Critical),
            ],
        )
    });
    let expires_at = reader.optional("expires_at", time);
    let approval = approval(reader);
    let lifecycle = lifecycle(reader);
    let holders = model.identities.values().filter(|identity| {
        let ceiling = model
            .agents
            .get(&identity.agent)
            .map(|agent| &agent.ceiling);
        identity.scopes.iter().any(|held| held.value == address)
            || ceiling.is_some_and(|ceiling| ceiling.contains(&address))
    });
    let grants = scope_grants(reader, block, holders);
    reader.finish();
    Ok(Scope {
        address,
        description: description?,
        domain: domain?,
        risk: risk?,
        approval: approval?,
        expires_at: expires_at?,
        grants: grants?,
        lifecycle: lifecycle?,
        span: reader.header,
    })
}

fn approval(reader: &Reader<'_, '_>) -> Evaluated<Option<Approval>> {
    let Some(block) = reader.one_block("approval") else {
        return Ok(None);
    };
    reader.no_labels(block);
    let inner = reader.inner(block);
    let required = inner.required("required", approvals);
    let from = inner.required("from", references("owner"));
    inner.finish();
    Ok(Some(Approval {
        required: required?,
        from: from?.into_iter().map(|owner| owner.value).collect(),
    }))
}

fn approvals(written: &Written<'_>) -> Decoded<u32> {
    match u32::try_from(count(written)?) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(invalid(
            written.span(),
            "an approval takes at least one person",
            "write `required = 1`, or leave the block out",
        )),
    }
}

fn scope_grants<'i>(
    reader: &Reader<'_, '_>,
    block: &Block,
    holders: impl Iterator<Item = &'i Identity>,
) -> Evaluated<ScopeGrants> {
    // Known also where a holder is refused before its grants are read.
    let _ = reader.blocks("grant");
    let used = uses::holder_names(block);
    if used.is_empty() {
        return grants(reader, &Holder::default()).map(ScopeGrants::Shared);
    }
    let mut found = BTreeMap::new();
    let mut result = Ok(());
    for identity in holders {
        let holder = Holder {
            name: identity.name.clone(),
            agent: identity.agent_name.clone(),
            environment: identity.environment_name.clone(),
            domain: identity.domain.clone(),
        };
        let evaluated = used
            .iter()
            .try_for_each(|name| harmless(reader, identity, name, holder.get(name)))
            .and_then(|()| grants(reader, &holder));
        match evaluated {
            Ok(grants) => {
                found.insert(identity.address.clone(), grants);
            }
            Err(Failed) => result = Err(Failed),
        }
    }
    if found.is_empty() && result.is_ok() {
        // Nobody holds it: its mistakes are looked for all the same.
        let nobody = Holder {
            name: "name".into(),
            agent: "agent".into(),
            environment: "environment".into(),
            domain: "domain".into(),
        };
        result = grants(reader, &nobody).map(|_| ());
    }
    result.map(|()| ScopeGrants::PerHolder(found))
}

fn harmless(
    reader: &Reader<'_, '_>,
    identity: &Identity,
    name: &str,
    text: Option<&str>,
) -> Evaluated<()> {
    let text = text.unwrap_or_default();
    let Some(found) = WIDENING.iter().find(|found| text.contains(**found)) else {
        return Ok(());
    };
    Err(reader.report(
        Diagnostic::error(
            "holder that would widen a grant",
            format!(
                "the {name} of `{}` is `{}`, and `{found}` in it would be read as part of a path or template by a grant that uses `identity.{name}`",
                identity.address,
                remit_sdk::text::safe(text)
            ),
        )
        .at(identity.span)
        .label(reader.header, "the scope it holds")
        .help("rename it, or write a scope that doesn't use it"),
    ))
}

fn grants(reader: &Reader<'_, '_>, holder: &Holder) -> Evaluated<Vec<Grant>> {
    let inner = reader.scope.with(Frame::Holder(holder));
    let mut found = Vec::new();
    let mut result = Ok(());
    for block in reader.blocks("grant") {
        match grant(reader, block, &inner) {
            Ok(grant) => found.push(grant),
            Err(Failed) => result = Err(Failed),
        }
    }
    result.map(|()| found)
}
