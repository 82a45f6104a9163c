//! What several rules ask of the model, computed once.

use std::collections::BTreeMap;

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Identity, Tier};

use crate::model::Model;

/// Which tier each thing reaches into: the one that matters most.
pub(super) struct Facts<'a> {
    model: &'a Model,
    /// Identities in the order written, so that of two that collide the later one is found.
    pub(super) identities: Vec<&'a Identity>,
    scopes: BTreeMap<&'a DeclarationAddress, Tier>,
    agents: BTreeMap<&'a DeclarationAddress, Tier>,
    instances: BTreeMap<String, Tier>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        let mut identities: Vec<&Identity> = model.identities.values().collect();
        identities.sort_by_key(|identity| (identity.span.file, identity.span.start));
        let mut facts = Self {
            model,
            identities,
            scopes: BTreeMap::new(),
            agents: BTreeMap::new(),
            instances: BTreeMap::new(),
        };
        for identity in model.identities.values() {
            let tier = facts.of_identity(identity);
            raise(&mut facts.agents, &identity.agent, tier);
            for scope in &identity.scopes {
                raise(&mut facts.scopes, &scope.value, tier);
            }
            for provider in ["vault", "aws"] {
                if model.is_in(identity, provider) {
                    let instance = model.instance_of(identity, provider);
                    raise(&mut facts.instances, instance, tier);
                }
            }
        }
        facts
    }

    /// The tier of an identity's environment.
    pub(super) fn of_identity(&self, identity: &Identity) -> Tier {
        let environment = self.model.environments.get(&identity.environment);
        environment.map_or(Tier::Development, |environment| environment.tier)
    }

    /// The highest tier that a declaration reaches into; development where nothing uses it.
    pub(super) fn of(&self, address: &DeclarationAddress) -> Tier {
        let found = match address.kind.as_str() {
            "identity" => {
                let identity = self.model.identities.get(address);
                identity.map(|identity| self.of_identity(identity))
            }
            "scope" => self.scopes.get(address).copied(),
            "agent" => self.agents.get(address).copied(),
            _ => {
                let resource = self.model.resources.get(address);
                resource.map(|resource| self.of_instance(&resource.instance))
            }
        };
        found.unwrap_or(Tier::Development)
    }

    /// The highest tier of the identities in a provider instance.
    pub(super) fn of_instance(&self, instance: &str) -> Tier {
        let found = self.instances.get(instance).copied();
        found.unwrap_or(Tier::Development)
    }
}

fn raise<K: Ord>(tiers: &mut BTreeMap<K, Tier>, key: K, tier: Tier) {
    let known = tiers.entry(key).or_insert(tier);
    *known = tier.max(*known);
}
