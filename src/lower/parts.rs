//! Which part of the model belongs to which provider instance.
//!
//! An identity is in every provider that one of its scopes has a grant for, and in those whose
//! instance its environment names; the environment says which instance. An issuer and a scope go
//! wherever the identities that use them are; a resource says its instance itself. A scope that
//! becomes one policy for each holder is handed over with the holders of that instance only.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{
    Agent, Identity, Issuer, ProviderConfig, Resource, Scope, ScopeGrants,
};
use remit_sdk::provider::Part;
use remit_sdk::{DeclarationAddress, Diagnostic};

use super::Catalog;
use crate::model::Model;

/// A part that owns its scopes, since they are narrowed to the instance's holders.
pub(super) struct OwnedPart<'a> {
    pub(super) instance: String,
    config: Option<&'a ProviderConfig>,
    agents: Vec<&'a Agent>,
    ceilings: Vec<&'a Scope>,
    issuers: Vec<&'a Issuer>,
    scopes: Vec<Scope>,
    identities: Vec<&'a Identity>,
    resources: Vec<&'a Resource>,
}

impl OwnedPart<'_> {
    pub(super) fn borrow<'b>(&'b self, prefix: &'b str) -> Part<'b> {
        Part {
            instance: &self.instance,
            prefix,
            config: self.config,
            agents: self.agents.clone(),
            ceilings: self.ceilings.clone(),
            issuers: self.issuers.clone(),
            scopes: self.scopes.iter().collect(),
            identities: self.identities.clone(),
            resources: self.resources.clone(),
        }
    }
}

/// One part for each instance that anything belongs to, in order of instance names.
pub(super) fn split<'a>(
    model: &'a Model,
    catalog: &Catalog<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<OwnedPart<'a>> {
    let mut identities: BTreeMap<String, Vec<&Identity>> = BTreeMap::new();
    for identity in model.identities.values() {
        for provider in catalog.providers() {
            if model.is_in(identity, provider.name()) {
                let instance = model.instance_of(identity, provider.name());
                identities.entry(instance).or_default().push(identity);
            }
        }
    }
    let mut resources: BTreeMap<String, Vec<&Resource>> = BTreeMap::new();
    for resource in model.resources.values() {
        if catalog.provider_of_instance(&resource.instance).is_none() {
            diagnostics.push(
                Diagnostic::error(
                    "unknown provider",
                    format!("this version knows no provider for `{}`", resource.instance),
                )
                .at(resource.span),
            );
        }
        resources
            .entry(resource.instance.clone())
            .or_default()
            .push(resource);
    }
    let instances: BTreeSet<String> = identities.keys().chain(resources.keys()).cloned().collect();
    instances
        .into_iter()
        .map(|instance| {
            let identities = identities.remove(&instance).unwrap_or_default();
            let resources = resources.remove(&instance).unwrap_or_default();
            let issuers: BTreeSet<&DeclarationAddress> = identities
                .iter()
                .flat_map(|identity| &identity.workloads)
                .map(|workload| &workload.issuer)
                .collect();
            let agents: BTreeSet<&DeclarationAddress> =
                identities.iter().map(|identity| &identity.agent).collect();
            let agents: Vec<&Agent> = agents
                .into_iter()
                .filter_map(|address| model.agents.get(address))
                .collect();
            let ceilings: BTreeSet<&DeclarationAddress> =
                agents.iter().flat_map(|agent| &agent.ceiling).collect();
            OwnedPart {
                config: model.providers.get(&instance),
                ceilings: ceilings
                    .into_iter()
                    .filter_map(|address| model.scopes.get(address))
                    .collect(),
                agents,
                issuers: issuers
                    .iter()
                    .filter_map(|address| model.issuers.get(*address))
                    .collect(),
                scopes: scopes_of(model, &identities),
                instance,
                identities,
                resources,
            }
        })
        .collect()
}

fn scopes_of(model: &Model, identities: &[&Identity]) -> Vec<Scope> {
    let mut held: BTreeMap<&DeclarationAddress, BTreeSet<&DeclarationAddress>> = BTreeMap::new();
    for identity in identities {
        for scope in &identity.scopes {
            held.entry(&scope.value)
                .or_default()
                .insert(&identity.address);
        }
    }
    held.into_iter()
        .filter_map(|(address, holders)| Some((model.scopes.get(address)?, holders)))
        .map(|(scope, holders)| {
            let mut scope = scope.clone();
            if let ScopeGrants::PerHolder(grants) = &mut scope.grants {
                grants.retain(|holder, _| holders.contains(holder));
            }
            scope
        })
        .collect()
}
