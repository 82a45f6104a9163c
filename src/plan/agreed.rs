//! A plan that is made again, held to what was agreed to before.
//!
//! In: a plan made just now, and one that was saved. Out: of the first, what the second says, and
//! nothing else; or the objects that aren't any more as they were when it was saved. What is done
//! afterwards is thus computed by whoever does it: of the saved plan nothing is believed.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::ObjectAddress;

use super::{Plan, Precondition, Step};

impl Plan {
    /// What of this plan was agreed to, or the objects for which that is no longer the plan.
    ///
    /// What came up since and nobody agreed to is left for the next plan, unless something agreed
    /// to waits for it.
    pub fn held_to(mut self, agreed: &Self) -> Result<Self, BTreeSet<ObjectAddress>> {
        let (now, before) = (by_object(&self.steps), by_object(&agreed.steps));
        let is_stale = |address: &&ObjectAddress| {
            self.changes.get(*address) != agreed.changes.get(*address)
                || !is_same(now.get(*address), before.get(*address))
        };
        let mut stale: BTreeSet<ObjectAddress> = agreed
            .changes
            .keys()
            .chain(before.keys().copied())
            .filter(is_stale)
            .cloned()
            .collect();
        let dropped: BTreeMap<usize, BTreeSet<usize>> = self
            .steps
            .iter()
            .filter(|step| !before.contains_key(&step.address))
            .map(|step| (step.id, &step.follows | &step.waits_for))
            .collect();
        let waits = |step: &&Step| step.waits_for.iter().any(|id| dropped.contains_key(id));
        stale.extend(
            self.steps
                .iter()
                .filter(|step| before.contains_key(&step.address))
                .filter(waits)
                .map(|step| step.address.clone()),
        );
        if !stale.is_empty() {
            return Err(stale);
        }
        self.steps.retain(|step| !dropped.contains_key(&step.id));
        for step in &mut self.steps {
            step.follows = kept(&step.follows, &dropped);
        }
        self.renumber();
        self.changes
            .retain(|address, _| agreed.changes.contains_key(address));
        self.drift
            .retain(|address, _| agreed.drift.contains_key(address));
        Ok(self)
    }

    /// Numbers the steps from 1 again.
    fn renumber(&mut self) {
        let numbers: BTreeMap<usize, usize> = self
            .steps
            .iter()
            .zip(1..)
            .map(|(step, number)| (step.id, number))
            .collect();
        let renamed = |id: &usize| numbers.get(id).copied();
        for step in &mut self.steps {
            step.id = renamed(&step.id).unwrap_or(step.id);
            step.waits_for = step.waits_for.iter().filter_map(renamed).collect();
            step.follows = step.follows.iter().filter_map(renamed).collect();
            if let Precondition::After(id) = &mut step.precondition {
                *id = renamed(id).unwrap_or(*id);
            }
        }
    }
}

fn by_object(steps: &[Step]) -> BTreeMap<&ObjectAddress, Vec<&Step>> {
    let mut found: BTreeMap<_, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        found.entry(&step.address).or_default().push(step);
    }
    found
}

/// Whether an object's steps do the same, whatever their numbers and order among others.
fn is_same(now: Option<&Vec<&Step>>, before: Option<&Vec<&Step>>) -> bool {
    let (Some(now), Some(before)) = (now, before) else {
        return now.is_none() && before.is_none();
    };
    now.len() == before.len()
        && now.iter().zip(before).all(|(now, before)| {
            let is_found = match (&now.precondition, &before.precondition) {
                (Precondition::After(_), Precondition::After(_)) => true,
                (now, before) => now == before,
            };
            let same = Step {
                id: before.id,
                waits_for: before.waits_for.clone(),
                follows: before.follows.clone(),
                precondition: before.precondition.clone(),
                ..(*now).clone()
            };
            is_found && same == **before
        })
}

/// What of `ids` is kept, and in place of what is dropped what that followed itself.
fn kept(ids: &BTreeSet<usize>, dropped: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<usize> = ids.iter().copied().collect();
    while let Some(id) = open.pop() {
        match dropped.get(&id) {
            None => drop(found.insert(id)),
            Some(before) => {
                if seen.insert(id) {
                    open.extend(before);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use remit_sdk::DeclarationAddress;
    use remit_sdk::provider::Expected;

    use super::*;
    use crate::plan::{Phase, StepOperation, StepRecord};
    use crate::state::Operation;

    fn address(label: &str) -> ObjectAddress {
        DeclarationAddress::new("vault_policy", label).object("vault_policy")
    }

    /// A step of `label` that waits for and follows others.
    fn step(id: usize, label: &str, waits_for: &[usize], follows: &[usize]) -> Step {
        Step {
            id,
            waits_for: waits_for.iter().copied().collect(),
            follows: follows.iter().copied().collect(),
            phase: Phase::Widen,
            operation: StepOperation::Write(Operation::Update),
            address: address(label),
            instance: "vault".into(),
            kind: "vault_policy".into(),
            key: label.into(),
            moved_from: None,
            precondition: Precondition::Live(Expected::Absent),
            attributes: BTreeMap::new(),
            changed: BTreeSet::new(),
            unset: BTreeSet::new(),
            record: StepRecord::default(),
        }
    }

    fn plan(steps: Vec<Step>) -> Plan {
        Plan {
            steps,
            ..Plan::nothing()
        }
    }

    #[test]
    fn the_order_is_the_new_plans() {
        let now = vec![
            step(1, "a", &[], &[]),
            step(2, "new", &[1], &[]),
            step(3, "b", &[], &[2]),
            step(4, "c", &[3], &[1, 2]),
        ];
        // Other numbers, and an order that was thinned out.
        let agreed = plan(vec![
            step(7, "c", &[], &[]),
            step(8, "a", &[], &[]),
            step(9, "b", &[], &[]),
        ]);
        let held = plan(now).held_to(&agreed).unwrap();
        let expected = vec![
            step(1, "a", &[], &[]),
            // What it followed is gone; what that waited for stays before it.
            step(2, "b", &[], &[1]),
            step(3, "c", &[2], &[1]),
        ];
        assert_eq!(held.steps, expected);
    }

    #[test]
    fn what_differs_is_named() {
        let stale = |now: Vec<Step>, agreed: Vec<Step>| -> Vec<String> {
            let stale = plan(now).held_to(&plan(agreed));
            let stale = stale.err().unwrap_or_default();
            stale.into_iter().map(|one| one.declaration.name).collect()
        };
        let a = || step(1, "a", &[], &[]);
        assert!(stale(vec![a()], vec![a()]).is_empty());
        assert!(stale(vec![a()], vec![]).is_empty());
        assert_eq!(stale(vec![], vec![a()]), ["a"]);
        // One of two steps, or one more.
        let twice = || vec![a(), step(2, "a", &[1], &[])];
        assert_eq!(stale(twice(), vec![a()]), ["a"]);
        assert_eq!(stale(vec![a()], twice()), ["a"]);
        // What it waits for came up since.
        let b = step(2, "b", &[1], &[]);
        assert_eq!(stale(vec![a(), b.clone()], vec![b]), ["b"]);
        let changes: [fn(&mut Step); 6] = [
            |one| one.phase = Phase::Narrow,
            |one| one.operation = StepOperation::Record,
            |one| one.key.push('x'),
            |one| one.precondition = Precondition::After(1),
            |one| {
                one.unset.insert("x".into());
            },
            |one| {
                one.record.holders.insert(address("x").declaration);
            },
        ];
        for change in changes {
            let mut other = a();
            change(&mut other);
            assert_eq!(stale(vec![a()], vec![other]), ["a"]);
        }
    }

    #[test]
    fn steps_after_steps_are_numbered_again() {
        let mut second = step(3, "a", &[2], &[1]);
        second.precondition = Precondition::After(2);
        let now = plan(vec![
            step(1, "new", &[], &[]),
            step(2, "a", &[], &[]),
            second,
        ]);
        let agreed = plan(now.steps.get(1..).unwrap_or_default().to_vec());
        let held = now.held_to(&agreed).unwrap();
        let mut second = step(2, "a", &[1], &[]);
        second.precondition = Precondition::After(1);
        assert_eq!(held.steps, [step(1, "a", &[], &[]), second]);
    }
}
