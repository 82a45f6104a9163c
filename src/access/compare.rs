//! What each subject gains and loses, and who can do what.
//!
//! In: moments and evaluators. Out: [`AccessChange`]s, ordered by identity and instance; only
//! subjects that a change reaches are looked at, since evaluating all would take longer than
//! reading them.

use std::collections::BTreeSet;

use remit_sdk::access::{Evaluate, Excess, Source, Subject, World};
use remit_sdk::{DeclarationAddress, ObjectAddress};

use super::moments::{Around, Moment};
use super::{AccessChange, Attributed};
use crate::diff::{Action, Change};

/// The evaluators, by provider.
pub type Evaluators<'a> = &'a [&'a dyn Evaluate];

/// The evaluator of an instance: `vault` for `vault` and for `vault.audit`.
pub fn evaluator<'a>(evaluators: Evaluators<'a>, instance: &str) -> Option<&'a dyn Evaluate> {
    let provider = instance.split('.').next()?;
    evaluators
        .iter()
        .copied()
        .find(|evaluator| evaluator.provider() == provider)
}

/// Everything at the three moments of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Moments<'a> {
    /// As it was recorded.
    pub recorded: &'a Moment<'a>,
    /// As it is live.
    pub live: &'a Moment<'a>,
    /// As it will be.
    pub planned: &'a Moment<'a>,
}

/// Whose access may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// Anybody's.
    All,
    /// That of what these declarations became.
    Only(BTreeSet<DeclarationAddress>),
}

impl Reached {
    /// Whose access a plan's changes reach: of the identities they name as holders, and of what
    /// they are themselves. An object that names none may concern anybody.
    pub fn by<'c>(changes: impl IntoIterator<Item = (&'c ObjectAddress, &'c Change)>) -> Self {
        let mut found = BTreeSet::new();
        for (address, change) in changes {
            if matches!(change.action, Action::Keep | Action::Forget) {
                continue;
            }
            let details = &change.details;
            if details.holders.is_empty()
                && details.former_holders.is_empty()
                && address.declaration.kind != "identity"
            {
                return Self::All;
            }
            found.extend(details.holders.iter().cloned());
            found.extend(details.former_holders.iter().cloned());
            found.insert(address.declaration.clone());
        }
        Self::Only(found)
    }

    fn reaches(&self, declaration: &DeclarationAddress) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(declaration),
        }
    }
}

/// What each subject gains and loses.
pub fn changes(
    moments: Moments<'_>,
    evaluators: Evaluators<'_>,
    around: Around<'_>,
    reached: &Reached,
) -> Vec<AccessChange> {
    let instances: BTreeSet<&str> = [moments.recorded, moments.live, moments.planned]
        .into_iter()
        .flat_map(Moment::instances)
        .collect();
    let mut found = Vec::new();
    for instance in instances {
        let Some(evaluator) = evaluator(evaluators, instance) else {
            continue;
        };
        let recorded = moments.recorded.world(instance, around);
        let live = moments.live.world(instance, around);
        let planned = moments.planned.world(instance, around);
        let mut subjects = evaluator.subjects(&planned);
        subjects.extend(evaluator.subjects(&live));
        for subject in subjects {
            let Some(declaration) = owner(&planned, &subject).or_else(|| owner(&live, &subject))
            else {
                continue;
            };
            if !reached.reaches(declaration) {
                continue;
            }
            let attributed = |excess: Vec<Excess>| excess.into_iter().map(attribute).collect();
            let change = AccessChange {
                identity: declaration.clone(),
                instance: instance.to_owned(),
                is_new: live.thing(&subject.0, &subject.1).is_none(),
                gained: attributed(evaluator.beyond(&planned, &subject, &live)),
                lost: attributed(evaluator.beyond(&live, &subject, &planned)),
                // What isn't recorded wasn't ours, and nobody changed it behind our back.
                drifted: match recorded.thing(&subject.0, &subject.1) {
                    Some(_) => attributed(evaluator.beyond(&live, &subject, &recorded)),
                    None => Vec::new(),
                },
                subject,
            };
            if change.widens() || change.narrows() || !change.drifted.is_empty() {
                found.push(change);
            }
        }
    }
    found.sort_by(|a, b| {
        (&a.identity, &a.instance, &a.subject).cmp(&(&b.identity, &b.instance, &b.subject))
    });
    found
}

/// The declaration that a subject is of.
pub(super) fn owner<'s>(
    world: &'s World<'_>,
    subject: &'s Subject,
) -> Option<&'s DeclarationAddress> {
    let thing = world.thing(&subject.0, &subject.1)?;
    Some(&thing.address?.declaration)
}

fn attribute(excess: Excess) -> Attributed {
    Attributed {
        scopes: scopes(&excess.permission.sources),
        excess,
    }
}

/// The scopes that permissions come from.
pub fn scopes(sources: &BTreeSet<Source>) -> BTreeSet<DeclarationAddress> {
    sources
        .iter()
        .filter_map(|source| match source {
            Source::Object(address) => scope_of(address),
            Source::Foreign(_) => None,
        })
        .collect()
}

/// The scope that an object was made for: `scope.s/vault_policy` and
/// `identity.x/vault_policy/scope.s`, with a number behind where there are several.
fn scope_of(address: &ObjectAddress) -> Option<DeclarationAddress> {
    if address.declaration.kind == "scope" {
        return Some(address.declaration.clone());
    }
    let part = address.part.as_deref()?;
    let numbered = part
        .rsplit_once('/')
        .filter(|(_, number)| number.bytes().all(|digit| digit.is_ascii_digit()))
        .map(|(scope, _)| scope);
    [Some(part), numbered]
        .into_iter()
        .flatten()
        .filter_map(|text| text.parse::<DeclarationAddress>().ok())
        .find(|declaration| declaration.kind == "scope")
}
