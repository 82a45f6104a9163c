//! Which part of the model belongs to which provider instance.
//!
//! An environment names the instances of its identities; an issuer and a scope go wherever the
//! identities that use them are; a resource says its instance itself. A scope that becomes one
//! policy for each holder is handed over with the holders of that instance only.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::{Identity, Issuer, Resource, Scope, ScopeGrants};
use remit_sdk::provider::Part;
use remit_sdk::{DeclarationAddress, Diagnostic};

use super::Catalog;
use crate::model::Model;

/// A part that owns its scopes, since they are narrowed to the instance's holders.
pub(super) struct OwnedPart<'a> {
    pub(super) instance: String,
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
            let instance = instance_of(model, identity, provider.name());
            identities.entry(instance).or_default().push(identity);
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
            OwnedPart {
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

/// The instance of `provider` that holds `identity`.
fn instance_of(model: &Model, identity: &Identity, provider: &str) -> String {
    model
        .environments
        .get(&identity.environment)
        .and_then(|environment| environment.providers.get(provider))
        .cloned()
        .unwrap_or_else(|| provider.to_owned())
}

fn scopes_of(model: &Model, identities: &[&Identity]) -> Vec<Scope> {
    let holders: BTreeSet<&DeclarationAddress> = identities
        .iter()
        .map(|identity| &identity.address)
        .collect();
    let held: BTreeSet<&DeclarationAddress> = identities
        .iter()
        .flat_map(|identity| &identity.scopes)
        .map(|scope| &scope.value)
        .collect();
    held.into_iter()
        .filter_map(|address| model.scopes.get(address))
        .map(|scope| {
            let mut scope = scope.clone();
            if let ScopeGrants::PerHolder(grants) = &mut scope.grants {
                grants.retain(|holder, _| holders.contains(holder));
            }
            scope
        })
        .collect()
}
