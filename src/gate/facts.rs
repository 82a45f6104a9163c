//! The facts of the gate: what a configuration says of them, and what is recorded after it.
//!
//! In: the model and the targets behind the provider instances; what was recorded. Out: [`Facts`].

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Identity, Tier};
use remit_sdk::provider::Target;

use crate::model::{ApproverKey, Exception, Model};
use crate::state::facts::{
    ApprovalFacts, EnvironmentFacts, ExceptionFacts, Facts, IdentityFacts, ScopeFacts,
};

/// What the configuration says, held against what is recorded: who answers for what an exception is
/// about isn't for the change to choose. `targets` are those of the plan and those recorded, by instance:
/// two environments share a server where their identities live in one target, whatever the
/// instances are called.
pub fn wanted(
    model: &Model,
    targets: &BTreeMap<String, Target>,
    recorded: Option<&Facts>,
) -> Facts {
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
            formerly: BTreeSet::new(),
        };
        (address.clone(), facts)
    });
    let with_ceiling = agents
        .clone()
        .filter(|(_, agent)| !agent.ceiling.is_empty());
    let ceilings = with_ceiling.map(|(address, agent)| {
        let ceiling = agent.ceiling.iter().cloned().collect();
        (address.clone(), ceiling)
    });
    Facts {
        owners: owners.collect(),
        agents: agents
            .map(|(address, agent)| (address.clone(), agent.owner.clone()))
            .collect(),
        ceilings: ceilings.collect(),
        scopes: scopes.collect(),
        environments: environments(model, targets),
        identities: identities.collect(),
        exceptions: exceptions(model, recorded),
        concerned: BTreeMap::new(),
        gone: BTreeSet::new(),
    }
}

/// The exceptions that are declared.
fn exceptions(
    model: &Model,
    recorded: Option<&Facts>,
) -> BTreeMap<DeclarationAddress, ExceptionFacts> {
    let all = model.exceptions.iter().map(|(address, exception)| {
        let facts = ExceptionFacts {
            what: format!(
                "{} for {} until {}",
                exception.rule.value, exception.applies_to, exception.expires_at
            ),
            owners: owners_of(model, exception, recorded),
        };
        (address.clone(), facts)
    });
    all.collect()
}

/// Who answers for what an exception is about: of what was there before, where any of it was. Where
/// nobody does by itself, who is said to have approved it.
fn owners_of(
    model: &Model,
    exception: &Exception,
    recorded: Option<&Facts>,
) -> BTreeSet<DeclarationAddress> {
    let mut agents: BTreeSet<&DeclarationAddress> = BTreeSet::new();
    let known = |identity: &Identity| {
        let identities = recorded.map(|facts| &facts.identities);
        identities.is_some_and(|all| all.contains_key(&identity.address))
    };
    let concerned = || {
        let all = model.identities.values();
        all.filter(|identity| is_about(model, exception, identity))
    };
    let is_old = concerned().any(known);
    let identities = concerned().filter(|identity| !is_old || known(identity));
    agents.extend(identities.map(|identity| &identity.agent));
    agents.extend(model.agents.keys().filter(|one| exception.covers(one)));
    let owners = agents.into_iter().filter_map(|agent| {
        let before = recorded.and_then(|facts| facts.agents.get(agent));
        before.or_else(|| Some(&model.agents.get(agent)?.owner))
    });
    let mut found: BTreeSet<DeclarationAddress> = owners.cloned().collect();
    let owners = model.owners.keys().filter(|one| exception.covers(one));
    found.extend(owners.cloned());
    if found.is_empty() {
        found.insert(exception.approved_by.clone());
    }
    found
}

/// Whether an exception is about an identity, or about what it is made from.
fn is_about(model: &Model, exception: &Exception, identity: &Identity) -> bool {
    let scopes = identity.scopes.iter().map(|scope| &scope.value);
    let issuers = identity.workloads.iter().map(|workload| &workload.issuer);
    let own = [&identity.address, &identity.environment];
    let mut parts = scopes.chain(issuers).chain(own);
    let provider = &exception.applies_to;
    let is_there = || {
        let instance = model.instance_of(identity, &provider.name);
        let alias = instance.split_once('.').map(|(_, alias)| alias);
        model.is_in(identity, &provider.name)
            && (provider.key.is_none() || provider.key.as_deref() == alias)
    };
    parts.any(|one| exception.covers(one)) || (provider.kind == "provider" && is_there())
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

/// What is recorded, under the labels that the objects of identities and scopes go to as well: what
/// is taken over is what it was. `moves` are the declarations that objects come from and go to.
pub fn moved<'m>(
    recorded: &Facts,
    moves: impl IntoIterator<Item = (&'m DeclarationAddress, &'m DeclarationAddress)>,
) -> Facts {
    let mut found = recorded.clone();
    for (from, to) in moves {
        if let Some(facts) = recorded.scopes.get(from) {
            let facts = || facts.clone();
            found.scopes.entry(to.clone()).or_insert_with(facts);
        }
        if let Some(owners) = recorded.concerned.get(from) {
            let concerned = found.concerned.entry(to.clone()).or_default();
            concerned.extend(owners.iter().cloned());
        }
        if let Some(facts) = recorded.identities.get(from) {
            let identity = found.identities.entry(to.clone());
            let identity = identity.or_insert_with(|| facts.clone());
            identity.scopes.extend(facts.scopes.iter().cloned());
            identity.formerly.extend(facts.environments().cloned());
        }
    }
    found
}

/// What is wanted by a plan of a part: identities that it leaves alone are as they were.
pub fn of_part(
    mut wanted: Facts,
    recorded: Option<&Facts>,
    is_changed: impl Fn(&DeclarationAddress) -> bool,
) -> Facts {
    wanted.identities.retain(|identity, _| is_changed(identity));
    let before = recorded.into_iter().flat_map(|facts| &facts.identities);
    let left = before.filter(|(identity, _)| !is_changed(identity));
    let left = left.map(|(identity, facts)| (identity.clone(), facts.clone()));
    wanted.identities.extend(left);
    wanted
}

/// What is recorded once a plan is applied, with the identities that are there after it though they
/// aren't declared: as they were.
pub fn with_those_left(
    mut next: Facts,
    recorded: Option<&Facts>,
    left: &BTreeSet<DeclarationAddress>,
) -> Facts {
    let before = recorded.into_iter().flat_map(|facts| &facts.identities);
    for (identity, facts) in before.filter(|(identity, _)| left.contains(identity)) {
        let identity = next.identities.entry(identity.clone());
        identity.or_insert_with(|| facts.clone());
    }
    next
}

/// What is recorded while a plan is applied that leads to `next`: it may be cut off, so an identity
/// holds what it held before too, comes into production only at the end, and is there until it is gone.
pub fn meanwhile(recorded: Option<&Facts>, next: &Facts) -> Facts {
    let mut meanwhile = next.clone();
    let Some(recorded) = recorded else {
        return meanwhile;
    };
    for (identity, before) in &recorded.identities {
        let comes = next.is_in_production(identity) && !recorded.is_in_production(identity);
        let after = meanwhile.identities.entry(identity.clone());
        let after = after.or_insert_with(|| before.clone());
        after.scopes.extend(before.scopes.iter().cloned());
        if comes {
            after.environment = before.environment.clone();
        }
    }
    meanwhile
}

/// Adds the owners whom scopes and environments concern by the identities of these facts.
fn concern(
    concerned: &mut BTreeMap<DeclarationAddress, BTreeSet<DeclarationAddress>>,
    facts: &Facts,
) {
    for identity in facts.identities.values() {
        let Some(owner) = facts.agents.get(&identity.agent) else {
            continue;
        };
        let tiers = identity.environments();
        let tiers = tiers.filter_map(|one| facts.environments.get(one));
        let tier = tiers.map(|facts| facts.tier).max();
        let tier = tier.unwrap_or(Tier::Development);
        // What takes no approval is had without being asked: it gives nobody a say, nor takes one.
        let takes_approval = |scope: &&DeclarationAddress| {
            let scope = facts.scopes.get(*scope);
            scope.is_some_and(|scope| scope.takes_approval_in(tier))
        };
        let gated: Vec<_> = identity.scopes.iter().filter(takes_approval).collect();
        let there = identity.environments().filter(|_| !gated.is_empty());
        for what in gated.iter().copied().chain(there) {
            let owners = concerned.entry(what.clone()).or_default();
            owners.insert(owner.clone());
        }
    }
}

/// What is recorded once a plan for `wanted` is applied: what is wanted, and of what is no longer
/// declared what was asked of it. Identities and exceptions go when they go: one that comes back
/// is a new one.
pub fn next(recorded: Option<&Facts>, wanted: &Facts) -> Facts {
    let mut next = wanted.clone();
    for exception in next.exceptions.values_mut() {
        exception.owners.clear();
    }
    concern(&mut next.concerned, wanted);
    let Some(recorded) = recorded else {
        return next;
    };
    // What is no longer held concerns whom it did.
    concern(&mut next.concerned, recorded);
    for (what, owners) in &recorded.concerned {
        let concerned = next.concerned.entry(what.clone()).or_default();
        concerned.extend(owners.iter().cloned());
    }
    for (identity, facts) in &mut next.identities {
        let before = recorded.identities.get(identity).into_iter();
        let before = before.flat_map(IdentityFacts::environments);
        let was_production = before.filter(|one| {
            let facts = recorded.environments.get(*one);
            facts.is_some_and(|facts| facts.tier == Tier::Production)
        });
        facts.formerly.extend(was_production.cloned());
        facts.formerly.remove(&facts.environment);
    }
    let keep = |address: &DeclarationAddress| address.clone();
    for (address, keys) in &recorded.owners {
        if !wanted.owners.contains_key(address) {
            next.owners.insert(keep(address), keys.clone());
            next.gone.insert(keep(address));
        }
    }
    for (address, owner) in &recorded.agents {
        let owner = || owner.clone();
        next.agents.entry(keep(address)).or_insert_with(owner);
    }
    for (address, ceiling) in &recorded.ceilings {
        if !wanted.agents.contains_key(address) {
            next.ceilings.insert(keep(address), ceiling.clone());
        }
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
