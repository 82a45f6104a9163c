//! Findings of a plan that is about a part of the configuration only.
//!
//! In: what rules found for the world that the plan leaves and for the one that it finds, and what
//! it touches. Out: the findings that are the plan's matter, and the others: about something
//! declared that it doesn't touch, and there before. A way to more access that the plan opens is
//! its matter, whoever may go it.

use std::collections::BTreeSet;

use remit_sdk::{Address, DeclarationAddress, ObjectAddress};

use super::finding::Finding;
use crate::access::AccessChange;
use crate::model::Model;

/// What a plan of a part touches.
#[derive(Debug)]
pub struct Touched(BTreeSet<DeclarationAddress>);

impl Touched {
    /// The declarations of what is changed, those who hold that, whose access changes, and what
    /// these identities are made from.
    pub fn new<'o>(
        changed: impl IntoIterator<Item = (&'o ObjectAddress, &'o BTreeSet<DeclarationAddress>)>,
        access: &[AccessChange],
        model: &Model,
    ) -> Self {
        let mut all: BTreeSet<_> = access.iter().map(|one| one.identity.clone()).collect();
        for (address, holders) in changed {
            all.insert(address.declaration.clone());
            all.extend(holders.iter().cloned());
        }
        let mut parts = BTreeSet::new();
        for identity in all.iter().filter_map(|one| model.identities.get(one)) {
            parts.insert(identity.agent.clone());
            parts.insert(identity.environment.clone());
            let agent = model.agents.get(&identity.agent);
            parts.extend(agent.map(|agent| agent.owner.clone()));
            parts.extend(identity.scopes.iter().map(|scope| scope.value.clone()));
            let workloads = identity.workloads.iter();
            parts.extend(workloads.map(|workload| workload.issuer.clone()));
        }
        all.append(&mut parts);
        Self(all)
    }

    fn holds(&self, finding: &Finding) -> bool {
        let declaration = match &finding.address {
            Some(Address::Declaration(address)) => address,
            Some(Address::Object(object)) => &object.declaration,
            None => return true,
        };
        // What is wrong with a target or with an exception is wrong with every plan.
        ["provider", "exception"].contains(&declaration.kind.as_str())
            || self.0.contains(declaration)
    }

    /// The findings that are the plan's matter, and those that aren't.
    pub fn split(&self, found: Vec<Finding>, before: &[Finding]) -> (Vec<Finding>, Vec<Finding>) {
        fn said(one: &Finding) -> (&String, &Option<Address>, &String) {
            (&one.rule, &one.address, &one.what)
        }
        let before: BTreeSet<_> = before.iter().map(said).collect();
        found
            .into_iter()
            .partition(|finding| self.holds(finding) || !before.contains(&said(finding)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;

    fn touched(world: &World, changed: &[&str], holders: &[&str]) -> Touched {
        let changed: Vec<ObjectAddress> = changed.iter().map(|one| one.parse().unwrap()).collect();
        let holder = |label: &&str| DeclarationAddress::new("identity", *label);
        let holders = holders.iter().map(holder).collect();
        let changed = changed.iter().map(|one| (one, &holders));
        Touched::new(changed, &world.changes, &world.model)
    }

    /// What is kept, of findings that were all there before.
    fn kept(world: &World, touched: &Touched) -> Vec<String> {
        let found = world.check().findings;
        let (kept, left_out) = touched.split(found.clone(), &found);
        assert_eq!(kept.len() + left_out.len(), found.len());
        kept.iter().map(|one| one.rule.clone()).collect()
    }

    #[test]
    fn what_a_plan_does_not_touch_is_not_its_matter() {
        let wrong = super::super::find("RMT107").unwrap().wrong;
        let world = World::beside_base(wrong);
        let kept =
            |changed: &[&str], holders: &[&str]| kept(&world, &touched(&world, changed, holders));
        assert!(kept(&[], &[]).is_empty());
        assert!(kept(&["identity.triage/vault_entity"], &["triage"]).is_empty());
        let all = ["RMT107"];
        assert_eq!(kept(&["identity.reporting/vault_entity"], &[]), all);
        assert_eq!(kept(&["scope.other/vault_policy"], &["reporting"]), all);
    }

    #[test]
    fn whose_access_changes_is_touched() {
        let wrong = super::super::find("RMT107").unwrap().wrong;
        let world = World::beside_base(wrong).after(&World::beside_base(wrong));
        assert_eq!(kept(&world, &touched(&world, &[], &[])), ["RMT107"]);
    }

    #[test]
    fn what_the_plan_opens_is_its_matter_whoever_may_go_it() {
        let wrong = super::super::find("RMT107").unwrap().wrong;
        let world = World::beside_base(wrong);
        let found = world.check().findings;
        let nothing = touched(&world, &[], &[]);
        assert_eq!(nothing.split(found.clone(), &[]).0, found);
        let mut other = found.clone();
        other[0].what.push('x');
        assert_eq!(nothing.split(found.clone(), &other).0, found);
    }

    #[test]
    fn targets_exceptions_and_what_has_no_address_are_every_plan_s_matter() {
        let world = World::beside_base(super::super::find("RMT107").unwrap().wrong);
        let nothing = touched(&world, &[], &[]);
        let mut finding = world.check().findings.remove(0);
        for (address, is_kept) in [
            (None, true),
            (Some("provider.vault"), true),
            (Some("exception.x"), true),
            (Some("agent.x"), false),
            (Some("scope.x/vault_policy"), false),
        ] {
            finding.address = address.map(|text| text.parse().unwrap());
            let all = vec![finding.clone()];
            assert_eq!(
                nothing.split(all.clone(), &all).0.len(),
                usize::from(is_kept)
            );
        }
    }

    #[test]
    fn what_an_identity_is_made_from_is_touched_with_it() {
        let world = World::beside_base("");
        let identity = world.model.identities.values().next().unwrap();
        let changed = format!("{}/vault_entity", identity.address);
        let only = touched(&world, &[&changed], &[]).0;
        let agent = &world.model.agents[&identity.agent];
        for part in [&identity.agent, &identity.environment, &agent.owner] {
            assert!(only.contains(part), "{part}");
        }
        assert!(identity.scopes.iter().all(|one| only.contains(&one.value)));
        assert!(
            identity
                .workloads
                .iter()
                .all(|one| only.contains(&one.issuer))
        );
    }
}
