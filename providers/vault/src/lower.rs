//! What issuers, scopes, identities and resources become on a Vault or an OpenBao. Pure.
//!
//! In comes the part of a configuration that one provider instance is to hold; out go the
//! objects it becomes, in normal form, with the order they need, and every mistake at once.
//!
//! An issuer becomes an auth mount and its config, unless it names an existing mount, which is
//! used and never owned. A scope becomes a policy, and a database role for each database grant.
//! An identity becomes an entity that carries the policies, and for each workload an alias and a
//! login role without policies of its own.

mod check;
mod identity;
mod resource;
mod scope;

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::ProviderConfig;
use remit_sdk::drafting::{Draft, Drafts};
use remit_sdk::provider::{Lowered, Part};
use remit_sdk::{DeclarationAddress, Diagnostic, Kind, Lower, ObjectAddress, Value};

use crate::settings::Settings;
use crate::{normal, schema};

/// The provider's lowering face.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vault;

impl Lower for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn kinds(&self) -> &'static [Kind] {
        schema::kinds()
    }

    fn check_config(&self, config: &ProviderConfig) -> Vec<Diagnostic> {
        Settings::from_config(config).err().unwrap_or_default()
    }

    fn normalise(&self, kind: &Kind, attribute: &str, value: &Value) -> Result<Value, String> {
        normal::normalise(kind, attribute, value)
    }

    fn narrows(&self, kind: &Kind, attribute: &str, before: &Value, after: &Value) -> bool {
        let document = |value: &Value| {
            value
                .as_str()
                .and_then(|text| crate::policy::parse(text).ok())
        };
        kind.name == "vault_policy"
            && attribute == "policy"
            && matches!((document(before), document(after)), (Some(before), Some(after))
                if after.narrows(&before))
    }

    fn lower(&self, part: &Part<'_>) -> Lowered {
        let mut lowering = Lowering::new(part);
        lowering.issuers();
        lowering.scopes();
        lowering.identities();
        for resource in &part.resources {
            lowering.out.resource(resource, resource::secret_in_url);
        }
        lowering.finish()
    }
}

/// An auth mount as its issuer's logins need it.
#[derive(Clone)]
struct Mount {
    path: String,
    /// Objects that make it up; none where it isn't ours.
    objects: BTreeSet<ObjectAddress>,
}

/// A lowering under way.
struct Lowering<'a> {
    part: &'a Part<'a>,
    out: Drafts<'a>,
    mounts: BTreeMap<DeclarationAddress, Mount>,
    /// Names of policies by scope, and by holder where there is one policy for each.
    policies: BTreeMap<(DeclarationAddress, Option<DeclarationAddress>), String>,
}

impl<'a> Lowering<'a> {
    fn new(part: &'a Part<'a>) -> Self {
        Self {
            part,
            out: Drafts::new(part.instance, "vault", schema::kinds(), normal::normalise),
            mounts: BTreeMap::new(),
            policies: BTreeMap::new(),
        }
    }

    fn address(&self, declaration: &DeclarationAddress, kind: &str) -> ObjectAddress {
        self.out.address(declaration, kind)
    }

    fn mistake(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }

    fn keep(&mut self, draft: Draft) {
        self.out.keep(draft);
    }

    fn finish(mut self) -> Lowered {
        self.allow_roles();
        self.out.infer_dependencies(check::named_by);
        self.out.declared_dependencies();
        self.out
            .same_live_object(normal::folded_key, check::one_subject);
        self.out.finish()
    }
}

#[cfg(test)]
mod tests;
