//! The facts of the gate: what a configuration says of them, and what is recorded after it.
//!
//! In: the model and the targets behind the provider instances; what was recorded. Out: [`Facts`].

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::Identity;
use remit_sdk::provider::Target;

use crate::model::{ApproverKey, Model};
use crate::state::facts::{
    ApprovalFacts, EnvironmentFacts, ExceptionFacts, Facts, IdentityFacts, ScopeFacts,
};

/// What the configuration says. `targets` are those of the plan and those recorded, by instance:
/// two environments share a server where their identities live in one target, whatever the
/// instances are called.
pub fn wanted(model: &Model, targets: &BTreeMap<String, Target>) -> Facts {
    let owners = model.owners.iter().map(|(address, owner)| {
        let keys = owner.approvers.iter();
        // The model refuses what is no key.
        let keys = keys.filter_map(|line| ApproverKey::parse(line).ok());
        (address.clone(), keys.map(|key| key.text).collect())
    });
    let agents = model.agents.iter();
    let scopes = model.scopes.iter().map(|(address, scope)| {
        let approval = scope.approval.as_ref().map(|approval| ApprovalFacts {
            required: approval.required,
            from: approval.from.iter().cloned().collect(),
        });
        let risk = scope.risk;
        (address.clone(), ScopeFacts { risk, approval })
    });
    let identities = model.identities.iter().map(|(address, identity)| {
        let facts = IdentityFacts {
            agent: identity.agent.clone(),
            environment: identity.environment.clone(),
            scopes: identity.scopes.iter().map(|s| s.value.clone()).collect(),
        };
        (address.clone(), facts)
    });
    Facts {
        owners: owners.collect(),
        agents: agents
            .map(|(address, agent)| (address.clone(), agent.owner.clone()))
            .collect(),
        scopes: scopes.collect(),
        environments: environments(model, targets),
        identities: identities.collect(),
        exceptions: exceptions(model),
    }
}

/// The comments of the approvers, by key, for people.
pub fn comments(model: &Model) -> BTreeMap<String, String> {
    let lines = model.owners.values().flat_map(|owner| &owner.approvers);
    let keys = lines.filter_map(|line| ApproverKey::parse(line).ok());
    keys.map(|key| (key.text, key.comment)).collect()
}

/// The exceptions that are declared. None are yet: whoever reads `exception` blocks fills this in.
fn exceptions(_: &Model) -> BTreeMap<DeclarationAddress, ExceptionFacts> {
    BTreeMap::new()
}

fn environments(
    model: &Model,
    targets: &BTreeMap<String, Target>,
) -> BTreeMap<DeclarationAddress, EnvironmentFacts> {
    let mut found: BTreeMap<DeclarationAddress, EnvironmentFacts> = model
        .environments
        .iter()
        .map(|(address, environment)| {
            let facts = EnvironmentFacts {
                tier: environment.tier,
                targets: BTreeSet::new(),
            };
            (address.clone(), facts)
        })
        .collect();
    let providers: BTreeSet<&str> = model
        .providers
        .keys()
        .map(String::as_str)
        .chain(targets.keys().map(String::as_str))
        .filter_map(|instance| instance.split('.').next())
        .collect();
    for identity in model.identities.values() {
        let Some(facts) = found.get_mut(&identity.environment) else {
            continue;
        };
        let lives_in = providers
            .iter()
            .filter_map(|provider| target(model, identity, provider, targets));
        facts.targets.extend(lives_in);
    }
    found
}

fn target(
    model: &Model,
    identity: &Identity,
    provider: &str,
    targets: &BTreeMap<String, Target>,
) -> Option<String> {
    if !model.is_in(identity, provider) {
        return None;
    }
    let instance = model.instance_of(identity, provider);
    targets.get(&instance).map(|target| target.id.clone())
}

/// What is recorded once a plan for `wanted` is applied: what is wanted, and of what is no longer
/// declared what was asked of it. Identities and exceptions go when they go: one that comes back
/// is a new one.
pub fn next(recorded: Option<&Facts>, wanted: &Facts) -> Facts {
    let mut next = wanted.clone();
    let Some(recorded) = recorded else {
        return next;
    };
    let keep = |address: &DeclarationAddress| address.clone();
    for (address, keys) in &recorded.owners {
        let keys = || keys.clone();
        next.owners.entry(keep(address)).or_insert_with(keys);
    }
    for (address, owner) in &recorded.agents {
        let owner = || owner.clone();
        next.agents.entry(keep(address)).or_insert_with(owner);
    }
    for (address, facts) in &recorded.scopes {
        let facts = || facts.clone();
        next.scopes.entry(keep(address)).or_insert_with(facts);
    }
    for (address, facts) in &recorded.environments {
        match next.environments.get_mut(address) {
            // Where it lived still counts: a plan that leaves a target may be applied in part.
            Some(wanted) => wanted.targets.extend(facts.targets.iter().cloned()),
            None => {
                next.environments.insert(keep(address), facts.clone());
            }
        }
    }
    next
}
