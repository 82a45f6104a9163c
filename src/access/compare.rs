//! What each subject gains and loses, and who may become it.
//!
//! In: moments and evaluators. Out: [`AccessChange`]s, ordered by identity and instance; only
//! subjects that a change reaches are looked at, since evaluating all would take longer than
//! reading them.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Excess, Login, Source, Subject, World};
use remit_sdk::{DeclarationAddress, ObjectAddress, Value};

use super::moments::{Around, Moment};
use super::{AccessChange, Attributed, Whose};
use crate::diff::{Action, Change};
use crate::lower::Catalog;
use crate::model::Model;

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
    /// they are themselves. An object that names none may concern anybody, but for an issuer's that
    /// is made: nobody logs in by it before an identity is changed that does.
    pub fn by<'c>(changes: impl IntoIterator<Item = (&'c ObjectAddress, &'c Change)>) -> Self {
        let mut found = Self::Only(BTreeSet::new());
        for (address, change) in changes {
            if matches!(change.action, Action::Keep | Action::Forget) {
                continue;
            }
            if change.action == Action::Create && address.declaration.kind == "issuer" {
                continue;
            }
            let details = &change.details;
            found.add([
                (address, &details.holders),
                (address, &details.former_holders),
            ]);
        }
        found
    }

    /// Adds whose access these objects are, each with the identities that it names as holders.
    pub fn add<'c>(
        &mut self,
        objects: impl IntoIterator<Item = (&'c ObjectAddress, &'c BTreeSet<DeclarationAddress>)>,
    ) {
        for (address, holders) in objects {
            let Self::Only(found) = self else { return };
            if address.declaration.kind == "identity" {
                found.insert(address.declaration.clone());
            } else if holders.is_empty() {
                *self = Self::All;
                return;
            }
            found.extend(holders.iter().cloned());
        }
    }

    /// Adds whose access these keys reach in ways that aren't declared: of subjects that name one,
    /// and of anybody where something does that nobody declared, as a group with a policy.
    pub fn spread(&mut self, world: &World<'_>, keys: &BTreeSet<String>) {
        for thing in world.things.values() {
            let Self::Only(found) = self else { return };
            if !thing.attributes.values().any(|value| names(value, keys)) {
                continue;
            }
            match thing.address {
                Some(address) => drop(found.insert(address.declaration.clone())),
                None => *self = Self::All,
            }
        }
    }

    /// Whether it is nobody's.
    pub fn is_nobody(&self) -> bool {
        *self == Self::Only(BTreeSet::new())
    }

    /// Whether a declaration's is.
    pub fn reaches(&self, declaration: &DeclarationAddress) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(declaration),
        }
    }
}

/// Whether a value holds one of these keys, in any case: by itself, or as what an ARN ends with.
fn names(value: &Value, keys: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => {
            let text = text.to_lowercase();
            let last = text.rsplit('/').next().unwrap_or_default();
            keys.contains(&text) || keys.contains(last)
        }
        Value::List(all) => all.iter().any(|one| names(one, keys)),
        Value::Set(all) => all.iter().any(|one| names(one, keys)),
        Value::Map(all) => all.values().any(|one| names(one, keys)),
        _ => false,
    }
}

/// What each subject that is `reached` gains and loses, and what of others' gifts becomes its own
/// where it is `touched`.
pub fn changes(
    moments: Moments<'_>,
    catalog: &Catalog<'_>,
    around: Around<'_>,
    (reached, touched): (&Reached, &Reached),
) -> Vec<AccessChange> {
    let instances: BTreeSet<&str> = [moments.recorded, moments.live, moments.planned]
        .into_iter()
        .flat_map(Moment::instances)
        .collect();
    let mut found = Vec::new();
    for instance in instances {
        let Some(evaluator) = catalog.evaluator_of_instance(instance) else {
            continue;
        };
        let recorded = moments.recorded.world(instance, around);
        let live = moments.live.world(instance, around);
        let planned = moments.planned.world(instance, around);
        let mut subjects = evaluator.subjects(&planned);
        subjects.extend(evaluator.subjects(&live));
        let of = |subject: &Subject| {
            let declaration = owner(&planned, subject).or_else(|| owner(&live, subject));
            declaration.filter(|one| reached.reaches(one)).cloned()
        };
        subjects.retain(|subject| of(subject).is_some());
        let [was, is, will_be] =
            [&recorded, &live, &planned].map(|world| evaluator.logins(world, &subjects));
        for subject in &subjects {
            let Some(declaration) = of(subject) else {
                continue;
            };
            let attributed = |excess: Vec<Excess>| -> Vec<Attributed> {
                let excess = excess.into_iter();
                excess.map(|one| attribute(one, around.model)).collect()
            };
            // What isn't recorded wasn't ours, and nobody changed it behind our back.
            let is_recorded = recorded.thing(&subject.0, &subject.1).is_some();
            let is_new = live.thing(&subject.0, &subject.1).is_none();
            let gained = attributed(evaluator.beyond(&planned, subject, &live));
            let lets_in = beyond(&will_be, &is, subject);
            let (mut drifted, mut drifted_in) = (Vec::new(), Vec::new());
            if is_recorded {
                drifted = attributed(evaluator.beyond(&live, subject, &recorded));
                drifted_in = beyond(&is, &was, subject);
            }
            let (mut adopted, mut adopted_in) = (Vec::new(), Vec::new());
            let may_adopt = !is_new && touched.reaches(&declaration);
            if may_adopt && (!is_recorded || !drifted.is_empty()) {
                adopted = attributed(evaluator.beyond(&planned, subject, &recorded));
                adopted.retain(|one| !gained.contains(one));
            }
            if may_adopt {
                adopted_in = beyond(&will_be, &was, subject);
                adopted_in.retain(|one| !lets_in.contains(one));
            }
            let mut change = AccessChange {
                whose: whose(&declaration, around.model),
                identity: declaration,
                instance: instance.to_owned(),
                is_new,
                is_gone: planned.thing(&subject.0, &subject.1).is_none(),
                gained,
                lost: attributed(evaluator.beyond(&live, subject, &planned)),
                drifted,
                adopted,
                lets_in,
                shuts_out: beyond(&is, &will_be, subject),
                drifted_in,
                adopted_in,
                logins: Vec::new(),
                held: BTreeSet::new(),
                subject: subject.clone(),
            };
            if !change.is_nothing() {
                let held = evaluator.permissions(&planned, subject);
                change.held = held.iter().flat_map(|one| scopes(&one.sources)).collect();
                change.logins = will_be
                    .get(subject)
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect();
                found.push(change);
            }
        }
    }
    found.sort_by(|a, b| {
        (&a.identity, &a.instance, &a.subject).cmp(&(&b.identity, &b.instance, &b.subject))
    });
    found
}

type Logins = BTreeMap<Subject, BTreeSet<Login>>;

/// The ways to become a subject on one side that none on the other holds.
fn beyond(over: &Logins, under: &Logins, subject: &Subject) -> Vec<Login> {
    let nobody = BTreeSet::new();
    let under = under.get(subject).unwrap_or(&nobody);
    let over = over.get(subject).into_iter().flatten();
    over.filter(|way| !under.iter().any(|wide| way.is_within(wide)))
        .cloned()
        .collect()
}

/// The declaration that a subject is of.
pub(super) fn owner<'s>(
    world: &'s World<'_>,
    subject: &'s Subject,
) -> Option<&'s DeclarationAddress> {
    let thing = world.thing(&subject.0, &subject.1)?;
    Some(&thing.address?.declaration)
}

pub(super) fn attribute(excess: Excess, model: &Model) -> Attributed {
    let scopes = scopes(&excess.permission.sources);
    let risk = scopes
        .iter()
        .filter_map(|scope| model.scopes.get(scope))
        .map(|scope| scope.risk)
        .max();
    Attributed {
        risk: risk.map(|risk| risk.name().to_owned()),
        scopes,
        excess,
    }
}

/// Whose an identity is; `None` for what is no identity, or not declared any more.
pub(super) fn whose(declaration: &DeclarationAddress, model: &Model) -> Option<Whose> {
    let identity = model.identities.get(declaration)?;
    let agent = model.agents.get(&identity.agent);
    let environment = model.environments.get(&identity.environment);
    Some(Whose {
        agent: identity.agent.clone(),
        owner: agent.map(|agent| agent.owner.clone()),
        environment: identity.environment_name.clone(),
        tier: environment.map(|environment| environment.tier.name().to_owned()),
    })
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
pub fn scope_of(address: &ObjectAddress) -> Option<DeclarationAddress> {
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

/// Whether a source is the policy that every identity holds for its own token.
pub fn is_self(source: &Source) -> bool {
    matches!(source, Source::Object(address)
        if address.declaration.kind == "provider" && address.part.as_deref() == Some("self"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_wherever_they_stand() {
        let keys = BTreeSet::from(["shared".to_owned(), "a:b/c".to_owned()]);
        let text = |text: &str| Value::string(text);
        for value in [
            text("Shared"),
            text("a:b/C"),
            text("arn:x:policy/path/shared"),
            Value::List(vec![text("x"), text("shared")]),
            Value::Set([text("shared")].into()),
            Value::Map([("k".to_owned(), Value::List(vec![text("shared")]))].into()),
        ] {
            assert!(names(&value, &keys), "{value:?}");
        }
        for value in [
            text("unshared"),
            text("shared/x"),
            text(""),
            Value::Bool(true),
            Value::List(vec![text("x")]),
            Value::Set([text("c")].into()),
            Value::Map([("shared".to_owned(), text("x"))].into()),
        ] {
            assert!(!names(&value, &keys), "{value:?}");
        }
    }
}
