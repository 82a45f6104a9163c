//! The checked model: what is declared, with every reference resolved to something that exists.
//!
//! In: what evaluation gave. Out: a [`Model`], or every mistake. Never contacts anything.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{
    Agent, Environment, Grant, Identity, Issuer, Owner, ProviderConfig, Resource, Scope,
};
use remit_sdk::{DeclarationAddress, Span, Value};

mod approver;
mod build;
mod decode;
mod digest;
mod exception;
#[cfg(test)]
pub(crate) mod fixture;
mod grant;
mod identity;
mod issuer;
mod lifecycle;
mod people;
mod provider;
mod reader;
mod resource;
mod scope;
mod settings;
pub(crate) mod units;
mod workload;

pub use approver::ApproverKey;
pub use build::build;
pub use digest::with_policies;
pub use exception::Exception;

#[cfg(test)]
mod binding_tests;
#[cfg(test)]
mod tests;

/// Everything that is declared.
#[derive(Debug, Default)]
pub struct Model {
    /// The `remit` block.
    pub settings: Settings,
    /// Provider instances by name (`vault`, `vault.audit`), those used without a block included.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Owners.
    pub owners: BTreeMap<DeclarationAddress, Owner>,
    /// Environments.
    pub environments: BTreeMap<DeclarationAddress, Environment>,
    /// Issuers.
    pub issuers: BTreeMap<DeclarationAddress, Issuer>,
    /// Agents.
    pub agents: BTreeMap<DeclarationAddress, Agent>,
    /// Scopes, their grants evaluated for each holder.
    pub scopes: BTreeMap<DeclarationAddress, Scope>,
    /// Identities.
    pub identities: BTreeMap<DeclarationAddress, Identity>,
    /// Resources.
    pub resources: BTreeMap<DeclarationAddress, Resource>,
    /// Exceptions: waivers of rules.
    pub exceptions: BTreeMap<DeclarationAddress, Exception>,
    /// Outputs by name.
    pub outputs: BTreeMap<String, Output>,
    /// Root variables by name; a sensitive one holds a reference.
    pub variables: BTreeMap<String, Value>,
    /// SHA-256, in hex, over all sources and variable values that went in.
    pub digest: String,
}

impl Model {
    /// Whether an identity has anything in the targets of `provider`: its environment names an
    /// instance, or one of its scopes has a grant for it. Without grants for anything, it is in
    /// Vault: somebody can log in, and do nothing yet.
    pub fn is_in(&self, identity: &Identity, provider: &str) -> bool {
        let named = self
            .environments
            .get(&identity.environment)
            .is_some_and(|environment| environment.providers.contains_key(provider));
        let granted: BTreeSet<&str> = identity
            .scopes
            .iter()
            .filter_map(|scope| self.scopes.get(&scope.value))
            .flat_map(|scope| scope.grants_for(&identity.address))
            .map(Grant::provider)
            .collect();
        named || granted.contains(provider) || (granted.is_empty() && provider == "vault")
    }

    /// Where a declaration stands.
    pub fn span_of(&self, address: &DeclarationAddress) -> Option<Span> {
        let provider = || {
            let instance = match &address.key {
                Some(alias) => format!("{}.{alias}", address.name),
                None => address.name.clone(),
            };
            self.providers.get(&instance)?.span
        };
        match &*address.kind {
            "provider" => provider(),
            "issuer" => self.issuers.get(address).map(|one| one.span),
            "agent" => self.agents.get(address).map(|one| one.span),
            "scope" => self.scopes.get(address).map(|one| one.span),
            "identity" => self.identities.get(address).map(|one| one.span),
            _ => self.resources.get(address).map(|one| one.span),
        }
    }

    /// The instance of `provider` that an identity's environment names, or the default one.
    pub fn instance_of(&self, identity: &Identity, provider: &str) -> String {
        self.environments
            .get(&identity.environment)
            .and_then(|environment| environment.providers.get(provider))
            .cloned()
            .unwrap_or_else(|| provider.to_owned())
    }
}

/// The `remit` block.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The prefix of computed live names.
    pub prefix: String,
    /// The state directory, relative to the root.
    pub state_path: String,
    /// The directories with the organisation's policies, relative to the root.
    pub policy_directories: Vec<(String, Span)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "remit-".into(),
            state_path: ".remit".into(),
            policy_directories: Vec::new(),
        }
    }
}

/// An `output` block.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its value; may be pending.
    pub value: Value,
    /// Shown as `(sensitive)`.
    pub sensitive: bool,
    /// What it is for.
    pub description: Option<String>,
    /// The block's header.
    pub span: Span,
}
