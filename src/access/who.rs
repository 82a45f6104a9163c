//! Who can do what, now: the answers of `remit access`.
//!
//! In: one moment and the evaluators. Out: what subjects can do, or whether they can do one thing.

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Answer, Escalation, Login, Permission, Subject};

use super::compare::owner;
use super::moments::{Around, Moment};
use crate::lower::Catalog;

/// What one subject can do.
#[derive(Debug, Clone)]
pub struct Can {
    /// The declaration it belongs to.
    pub identity: DeclarationAddress,
    /// The provider instance.
    pub instance: String,
    /// The object that carries the permissions.
    pub subject: Subject,
    /// What it can do.
    pub permissions: Vec<Permission>,
    /// The ways in which somebody becomes it.
    pub logins: Vec<Login>,
    /// Ways in which that adds up to more.
    pub escalations: Vec<Escalation>,
}

/// What the subjects of one declaration can do, or of all.
pub fn can(
    moment: &Moment<'_>,
    catalog: &Catalog<'_>,
    around: Around<'_>,
    of: Option<&DeclarationAddress>,
) -> Vec<Can> {
    let mut found = Vec::new();
    for instance in moment.instances() {
        let Some(evaluator) = catalog.evaluator_of_instance(instance) else {
            continue;
        };
        let world = moment.world(instance, around);
        let mut subjects = evaluator.subjects(&world);
        subjects.retain(|subject| {
            let identity = owner(&world, subject);
            identity.is_some_and(|identity| of.is_none_or(|of| of == identity))
        });
        let mut logins = evaluator.logins(&world, &subjects);
        for subject in subjects {
            let Some(identity) = owner(&world, &subject).cloned() else {
                continue;
            };
            let ways = logins.remove(&subject).unwrap_or_default();
            found.push(Can {
                logins: ways.into_iter().collect(),
                permissions: evaluator.permissions(&world, &subject),
                escalations: evaluator.escalations(&world, &subject),
                identity,
                instance: instance.to_owned(),
                subject,
            });
        }
    }
    found.sort_by(|a, b| (&a.identity, &a.instance).cmp(&(&b.identity, &b.instance)));
    found
}

/// Whether subjects can do `request`, each with the path of the answer. Targets that don't
/// understand the request aren't asked; the error is for when none does.
pub fn answers(
    moment: &Moment<'_>,
    catalog: &Catalog<'_>,
    around: Around<'_>,
    of: Option<&DeclarationAddress>,
    request: &str,
) -> Result<Vec<(DeclarationAddress, Answer)>, Vec<String>> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    let mut understood = false;
    for instance in moment.instances() {
        let Some(evaluator) = catalog.evaluator_of_instance(instance) else {
            continue;
        };
        let world = moment.world(instance, around);
        for subject in evaluator.subjects(&world) {
            let Some(identity) = owner(&world, &subject) else {
                continue;
            };
            if of.is_some_and(|of| of != identity) {
                continue;
            }
            match evaluator.can(&world, &subject, request) {
                Ok(answer) => {
                    understood = true;
                    found.push((identity.clone(), answer));
                }
                Err(why) => {
                    errors.push(format!("{instance}: {why}"));
                    break;
                }
            }
        }
    }
    if !understood && !errors.is_empty() {
        return Err(errors);
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}
