//! The evaluator's face: questions about the objects of a world.
//!
//! In comes a world with a question; out comes the answer with what it comes from. Subjects are
//! roles and users.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{
    Answer, Escalation, Evaluate, Excess, Login, Permission, Source, Subject, Verdict, World,
};
use remit_sdk::text::safe;

use super::condition::Truth;
use super::decide::{By, Decision, Request};
use super::trust::Caller;
use super::world::{self, Holder, ROLE, USER};
use super::{Holdings, admin, beyond, escalate, listing, logins};
use crate::document;
use crate::lower::Aws;

impl Evaluate for Aws {
    fn provider(&self) -> &'static str {
        "aws"
    }

    fn missing(&self, world: &World<'_>) -> BTreeSet<(&'static str, String)> {
        world::missing(world)
    }

    fn subjects(&self, world: &World<'_>) -> BTreeSet<Subject> {
        world
            .of_kind(ROLE)
            .chain(world.of_kind(USER))
            .map(|thing| (thing.kind.name.to_owned(), thing.key.to_owned()))
            .collect()
    }

    fn logins(
        &self,
        world: &World<'_>,
        subjects: &BTreeSet<Subject>,
    ) -> BTreeMap<Subject, BTreeSet<Login>> {
        logins::logins(world, subjects)
    }

    fn permissions(&self, world: &World<'_>, subject: &Subject) -> Vec<Permission> {
        Holder::of(world, subject)
            .map_or_else(Vec::new, |holder| listing::permissions(&holder.holdings()))
    }

    fn beyond(&self, world: &World<'_>, subject: &Subject, than: &World<'_>) -> Vec<Excess> {
        let Some(holder) = Holder::of(world, subject) else {
            return Vec::new();
        };
        let (under, changed) = match Holder::of(than, subject) {
            Some(before) => {
                let mut changed = holder.changed(before);
                changed.extend(world::retagged(world, than));
                (before.holdings(), changed)
            }
            // No kind attaches policies to a user, so one that is made holds what secrets give it.
            None if !holder.is_role() => {
                let (direct, identity) = holder.of_secrets();
                let given = Holdings {
                    identity,
                    direct,
                    ..Holdings::default()
                };
                return beyond::beyond(&given, &Holdings::default(), &BTreeSet::new());
            }
            None => (Holdings::default(), BTreeSet::new()),
        };
        beyond::beyond(&holder.holdings(), &under, &changed)
    }

    fn can(&self, world: &World<'_>, subject: &Subject, request: &str) -> Result<Answer, String> {
        let (action, resource) = parse(request)?;
        let Some(holder) = Holder::of(world, subject) else {
            let (kind, key) = subject;
            return Ok(Answer {
                verdict: Verdict::Denied(format!("there is no {kind} {}", safe(key))),
                path: Vec::new(),
                sources: BTreeSet::new(),
            });
        };
        let request = Request {
            action,
            resource,
            context: holder.context(),
        };
        let holdings = holder.holdings();
        if !action.eq_ignore_ascii_case(world::ASSUME) {
            return Ok(answer(holder, holdings.decide(&request)));
        }
        let mut roles = world.of_kind(ROLE).map(|thing| Holder { world, thing });
        let target = roles.find(|other| other.arn().as_deref() == Some(resource));
        if let Some(target) = target {
            return Ok(assume(holder, &holdings, target, &request));
        }
        let on = "what the role's trust policy says, which isn't known here";
        let lets_in = Truth::Depends(BTreeSet::from([on.to_owned()]));
        let decision = holdings.decide(&request);
        let limited = limited(decision.clone(), lets_in);
        Ok(answer(holder, limited.unwrap_or(decision)))
    }

    fn is_administrative(&self, permission: &Permission) -> Option<String> {
        admin::why(permission)
    }

    fn stands_for(&self, permission: &Permission) -> Option<String> {
        let mut actions = permission.actions.iter();
        actions
            .find(|action| action.starts_with(beyond::WHATEVER))
            .cloned()
    }

    fn escalations(&self, world: &World<'_>, subject: &Subject) -> Vec<Escalation> {
        Holder::of(world, subject).map_or_else(Vec::new, escalate::escalations)
    }
}

/// An action and a resource.
fn parse(request: &str) -> Result<(&str, &str), String> {
    const HELP: &str = "write an action and an ARN, as in `s3:GetObject arn:aws:s3:::bucket/key`; \
        an action that is about no resource has `*` there";
    let mut words = request.split_whitespace();
    let (Some(action), Some(resource), None) = (words.next(), words.next(), words.next()) else {
        return Err(HELP.to_owned());
    };
    document::check_action(action).map_err(|why| format!("{why}; {HELP}"))?;
    if action.contains(['*', '?']) {
        return Err(format!(
            "`{}` is a pattern, and a request is about one action; {HELP}",
            safe(action)
        ));
    }
    if resource != "*" && !resource.starts_with("arn:") {
        return Err(format!("`{}` is no ARN; {HELP}", safe(resource)));
    }
    Ok((action, resource))
}

/// Whether it may assume a role: as its own policies and the role's trust policy have it together,
/// or as the trust policy alone, where that names it.
fn assume(
    holder: Holder<'_>,
    holdings: &Holdings,
    target: Holder<'_>,
    request: &Request<'_>,
) -> Answer {
    let own_arn = holder.arn().unwrap_or_default();
    let admission = target.admits(&Caller::Entity(&own_arn), &request.context);
    let own = holdings.decide(request);
    let lets_in = admission.by_account.or(admission.by_name.clone());
    let named = world::granted(holder, holdings, target, admission.named);
    let is_open =
        |found: &Decision| matches!(found, Decision::Allowed(_) | Decision::Depends { .. });
    let found = [
        limited(own.clone(), lets_in),
        limited(named.decide(request), admission.by_name),
    ];
    let open = found.into_iter().flatten().filter(is_open);
    let found = open.min_by_key(|found| matches!(found, Decision::Depends { .. }));
    match found {
        Some(decision) => answer(holder, decision),
        None if is_open(&own) => Answer {
            verdict: Verdict::Denied(format!(
                "the trust policy of {} doesn't let it in",
                target.title()
            )),
            path: vec![holder.title()],
            sources: BTreeSet::from([world::source(target.thing)]),
        },
        None => answer(holder, own),
    }
}

/// A decision that counts where something else holds, too; `None` where that doesn't.
fn limited(decision: Decision, truth: Truth) -> Option<Decision> {
    match (truth, decision) {
        (Truth::False, _) => None,
        (Truth::Depends(on), Decision::Allowed(by)) => Some(Decision::Depends { on, by }),
        (Truth::Depends(more), Decision::Depends { mut on, by }) => {
            on.extend(more);
            Some(Decision::Depends { on, by })
        }
        (_, decision) => Some(decision),
    }
}

fn answer(holder: Holder<'_>, decision: Decision) -> Answer {
    let mut path = vec![holder.title()];
    let mut sources: BTreeSet<Source> = BTreeSet::new();
    let mut tell = |all: Vec<By>| {
        for by in all {
            // What is granted directly counts in each layer.
            if !path.contains(&by.name) {
                path.push(by.name);
            }
            sources.insert(by.source);
        }
    };
    let verdict = match decision {
        Decision::Allowed(by) => {
            tell(by);
            Verdict::Allowed
        }
        Decision::DeniedBy(by) => {
            let why = format!("{} denies it", by.name);
            tell(vec![by]);
            Verdict::Denied(why)
        }
        Decision::NotAllowed(layer) => {
            Verdict::Denied(format!("no statement of {} allows it", layer.as_str()))
        }
        Decision::Depends { on, by } => {
            tell(by);
            Verdict::Depends(on.into_iter().collect())
        }
    };
    Answer {
        verdict,
        path,
        sources,
    }
}

#[cfg(test)]
mod tests;
