//! Owners, environments and agents: who answers for what, where.

use std::collections::BTreeMap;

use remit_sdk::declaration::{Agent, Environment, Owner, Tier};
use remit_sdk::{DeclarationAddress, Diagnostic, Value};

use super::approver::ApproverKey;
use super::decode::{
    Decoded, date, duration, invalid, one_of, provider_instance, reference, references,
    spanned_texts, text, wrong_type,
};
use super::reader::{Reader, Written};
use crate::evaluate::{Evaluated, Evaluator, declaration_name};

/// The longest session where an environment says nothing: an hour.
const MAX_SESSION_SECONDS: u64 = 3600;

/// Reads an `owner` block.
pub(super) fn owner(reader: &Reader<'_, '_>, address: DeclarationAddress) -> Evaluated<Owner> {
    let contact = reader.required("contact", text);
    let approvers = reader.optional("approvers", ssh_keys);
    let escalation = reader.optional("escalation", text);
    reader.finish();
    Ok(Owner {
        address,
        contact: contact?,
        approvers: approvers?.unwrap_or_default(),
        escalation: escalation?,
        span: reader.header,
    })
}

fn ssh_keys(written: &Written<'_>) -> Decoded<Vec<String>> {
    spanned_texts(written)?
        .into_iter()
        .map(|(key, at)| {
            let help = "write the line of a `.pub` file: \"ssh-ed25519 AAAA… name\"";
            // As `file` gives it.
            let key = key.trim_end_matches(['\r', '\n']).to_owned();
            if key.contains(char::is_control) {
                return Err(invalid(at, "this is no SSH public key", help));
            }
            // A key that no signature can be checked with would be found out when it is needed.
            match ApproverKey::parse(&key) {
                Ok(_) => Ok(key),
                Err(why) => Err(invalid(
                    at,
                    format!("this is no SSH public key that can approve: {why}"),
                    help,
                )),
            }
        })
        .collect()
}

/// Reads an `environment` block. Its name is unique, since labels are and hold no `-`.
pub(super) fn environment(
    reader: &Reader<'_, '_>,
    address: DeclarationAddress,
) -> Evaluated<Environment> {
    let tier = reader.required("tier", |written| {
        one_of(
            written,
            &[
                ("production", Tier::Production),
                ("staging", Tier::Staging),
                ("development", Tier::Development),
            ],
        )
    });
    let max_session = reader.optional("max_session", duration);
    let providers = reader.optional("providers", |written| instances(written, reader.evaluator));
    reader.finish();
    Ok(Environment {
        name: declaration_name(&address),
        address,
        tier: tier?,
        max_session_seconds: max_session?.unwrap_or(MAX_SESSION_SECONDS),
        providers: providers?.unwrap_or_default(),
        span: reader.header,
    })
}

fn instances(
    written: &Written<'_>,
    evaluator: &Evaluator<'_>,
) -> Decoded<BTreeMap<String, String>> {
    const HELP: &str = "write `{ vault = provider.vault.ALIAS }`";
    let at = written.span();
    let Value::Map(all) = &written.value else {
        return Err(wrong_type(&written.value, at, "a map of providers", HELP));
    };
    let mut found = BTreeMap::new();
    for (provider, value) in all {
        let known = evaluator.providers.iter().map(|provider| provider.name());
        if !known.clone().any(|name| name == provider) {
            return Err(crate::evaluate::unknown_provider(provider, Some(at), known));
        }
        let instance = provider_instance(value, at)?;
        if instance.split('.').next() != Some(provider) {
            return Err(Diagnostic::error(
                "wrong provider",
                format!("`{instance}` is no instance of the provider `{provider}`"),
            )
            .at(at)
            .help(HELP));
        }
        found.insert(provider.clone(), instance);
    }
    Ok(found)
}

/// Reads an `agent` block.
pub(super) fn agent(reader: &Reader<'_, '_>, address: DeclarationAddress) -> Evaluated<Agent> {
    let owner = reader.required("owner", reference("owner"));
    let purpose = reader.required("purpose", text);
    let autonomous = reader.optional("autonomy", |written| {
        one_of(written, &[("supervised", false), ("autonomous", true)])
    });
    let review_by = reader.optional("review_by", date);
    let ceiling = reader.optional("ceiling", references("scope"));
    reader.finish();
    Ok(Agent {
        address,
        owner: owner?,
        purpose: purpose?,
        autonomous: autonomous?.unwrap_or(false),
        review_by: review_by?,
        ceiling: ceiling?
            .unwrap_or_default()
            .into_iter()
            .map(|scope| scope.value)
            .collect(),
        span: reader.header,
    })
}
