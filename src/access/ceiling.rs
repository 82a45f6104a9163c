//! What identities can do beyond the ceiling of their agent.
//!
//! In: a moment, and the moment in which every such identity holds its whole ceiling and nothing
//! else. Out: what exceeds, each with the scopes it comes from. What can't be decided counts.

use remit_sdk::DeclarationAddress;

use super::Attributed;
use super::compare::{attribute, is_self, owner};
use super::moments::{Around, Moment};
use crate::lower::Catalog;

/// Something that an identity can do and its agent's ceiling doesn't hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Exceeding {
    /// The identity.
    pub identity: DeclarationAddress,
    /// The provider instance.
    pub instance: String,
    /// What it is.
    pub what: Attributed,
}

/// What exceeds a ceiling. `most` holds the ceilings.
pub fn exceeding(
    moment: &Moment<'_>,
    most: &Moment<'_>,
    catalog: &Catalog<'_>,
    around: Around<'_>,
) -> Vec<Exceeding> {
    let has_ceiling = |identity: &DeclarationAddress| {
        around
            .model
            .identities
            .get(identity)
            .and_then(|identity| around.model.agents.get(&identity.agent))
            .is_some_and(|agent| !agent.ceiling.is_empty())
    };
    let mut found = Vec::new();
    for instance in moment.instances() {
        let Some(evaluator) = catalog.evaluator_of_instance(instance) else {
            continue;
        };
        let world = moment.world(instance, around);
        let ceilings = most.world(instance, around);
        for subject in evaluator.subjects(&world) {
            let Some(identity) = owner(&world, &subject).filter(|one| has_ceiling(one)) else {
                continue;
            };
            for excess in evaluator.beyond(&world, &subject, &ceilings) {
                let sources = &excess.permission.sources;
                // A ceiling in one target says nothing of a token's right to itself in another.
                let is_own = !sources.is_empty() && sources.iter().all(is_self);
                if is_own && evaluator.is_administrative(&excess.permission).is_none() {
                    continue;
                }
                found.push(Exceeding {
                    identity: identity.clone(),
                    instance: instance.to_owned(),
                    what: attribute(excess, around.model),
                });
            }
        }
    }
    found
}
