//! The checked model: what is declared, with every reference resolved to something that exists.
//!
//! In: what evaluation gave. Out: a [`Model`], or every mistake. Never contacts anything.

use std::collections::BTreeMap;

use remit_sdk::declaration::{
    Agent, Environment, Identity, Issuer, Owner, ProviderConfig, Resource, Scope,
};
use remit_sdk::{DeclarationAddress, Span, Value};

mod build;
mod decode;
mod digest;
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
mod units;
mod workload;

pub use build::build;

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
    /// Outputs by name.
    pub outputs: BTreeMap<String, Output>,
    /// Root variables by name; a sensitive one holds a reference.
    pub variables: BTreeMap<String, Value>,
    /// SHA-256, in hex, over all sources and variable values that went in.
    pub digest: String,
}

/// The `remit` block.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The prefix of computed live names.
    pub prefix: String,
    /// The state directory, relative to the root.
    pub state_path: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "remit-".into(),
            state_path: ".remit".into(),
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
