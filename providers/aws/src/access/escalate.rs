//! Ways in which permissions add up to more than they say.
//!
//! In comes a role or user with its account's objects; out goes each way of the table that its
//! policies leave open, with where it leads. Each action is asked of the evaluator, so what a
//! boundary or a denial forbids is none. What a policy that isn't known might allow is told by
//! its permission and not here; what it might deny is said with the way.

mod asking;
mod federated;
mod table;
mod unknown;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use remit_sdk::access::{Escalation, Gain, Permission, Thing};

use super::condition::{Context, Truth};
use super::pattern::{Filled, Match, Pattern};
use super::trust::Caller;
use super::world::{self, ASSUME, Holder, ROLE, USER};
use super::{Holdings, Layers, Policy};
use crate::arn::Arn;
use crate::document::{Document, Effect, Version};
use asking::Able;
use table::{COGNITO, Method, On, Target, methods};

const GROUP: &str = "aws_iam_group";
const PASS: &str = "iam:PassRole";

/// Stands for the name of something that isn't there yet.
const NEW: &str = "new";

/// What one that is new is made with, first of all that it is made.
const NEW_ROLE: &[&str] = &[
    "iam:CreateRole",
    "iam:AttachRolePolicy",
    "iam:PutRolePolicy",
];
const NEW_USER: &[&str] = &[
    "iam:CreateUser",
    "iam:AttachUserPolicy",
    "iam:PutUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
];

/// A role of which nothing is known.
const UNKNOWN: &str = "some role that isn't known here";

/// The ways that are open to a role or user, ordered.
pub(super) fn escalations(holder: Holder<'_>) -> Vec<Escalation> {
    let asker = Asker::new(holder);
    let mut found: Vec<Escalation> = methods().flat_map(|method| asker.ways(method)).collect();
    found.extend(asker.elsewhere());
    found.sort();
    found.dedup();
    found
}

/// What is taken as the target of a method.
struct Aim {
    /// Its ARN; `None` where it isn't known, and what is needed on it was asked before.
    arn: Option<String>,
    /// How it is called: `role x`.
    title: String,
    gain: Gain,
    /// What it depends on, its actions aside.
    depends: BTreeSet<String>,
    /// What it takes, the method's actions aside.
    by: BTreeSet<Permission>,
}

/// A text for each way in which patterns match together; `None` where those are too many.
type Told = Option<Rc<[String]>>;

struct Asker<'w> {
    holder: Holder<'w>,
    /// Its policies, without those of its own that aren't known.
    known: Holdings,
    /// The same, ready.
    layers: Layers,
    /// Those that aren't known.
    unread: Vec<String>,
    context: Context,
    arn: String,
    /// What was found for patterns.
    told: RefCell<BTreeMap<Vec<Pattern>, Told>>,
}

impl<'w> Asker<'w> {
    fn new(holder: Holder<'w>) -> Self {
        let mut known = holder.holdings();
        let (unread, identity): (Vec<Policy>, Vec<Policy>) = known
            .identity
            .into_iter()
            .partition(|policy| policy.document.is_none());
        known.identity = identity;
        Self {
            holder,
            layers: known.layers(),
            known,
            unread: unread.into_iter().map(|policy| policy.name).collect(),
            context: holder.context(),
            arn: holder.arn().unwrap_or_default(),
            told: RefCell::default(),
        }
    }

    fn ways(&self, method: &Method) -> Vec<Escalation> {
        let is_out_of_reach =
            |(actions, _): &(&[&str], On)| !actions.iter().any(|action| self.is_named(action));
        if method.needs.iter().any(is_out_of_reach) {
            return Vec::new();
        }
        // What is needed anywhere needn't be asked for each target.
        let mut anywhere = Vec::new();
        for (actions, on) in method.needs {
            if *on == On::Somewhere {
                let Some(able) = self.somewhere(actions) else {
                    return Vec::new();
                };
                anywhere.push(able);
            }
        }
        let aims = self.aims(method.target).into_iter();
        let mut found: Vec<Escalation> = aims
            .chain(self.aims_beyond(method))
            .filter_map(|aim| self.way(method, aim, &anywhere))
            .collect();
        // One name is enough, and they are many.
        if matches!(method.target, Target::NewRole | Target::NewUser) {
            found.sort_by_key(|one| one.depends.len());
            found.truncate(1);
        }
        found
    }

    fn way(&self, method: &Method, aim: Aim, anywhere: &[Able]) -> Option<Escalation> {
        let Aim {
            arn,
            title,
            gain,
            mut depends,
            mut by,
        } = aim;
        for able in anywhere {
            by.insert(able.permission.clone());
            depends.extend(able.depends.iter().cloned());
        }
        if let Some(arn) = &arn {
            for (actions, _) in method.needs.iter().filter(|(_, on)| *on == On::Target) {
                let able = actions
                    .iter()
                    .filter_map(|action| self.able(action, arn, self.context.clone()))
                    .min_by_key(|able| able.depends.len())?;
                by.insert(able.permission);
                depends.extend(able.depends);
            }
        }
        // Its boundary goes on holding for what it writes for itself.
        if gain == Gain::Everything && self.is_bounded(method, arn.as_deref()) {
            depends.insert("what its permission boundary leaves".to_owned());
        }
        // Becoming another with its policy rewritten leads as far as that policy.
        let gain = if method.writes_policies() {
            Gain::Everything
        } else {
            gain
        };
        Some(Escalation {
            method: method.name.to_owned(),
            how: method.how.replace("{}", &title),
            gain,
            by,
            depends: depends.into_iter().collect(),
        })
    }

    /// Whether its boundary holds whatever the method changes.
    fn is_bounded(&self, method: &Method, target: Option<&str>) -> bool {
        let changes_policy = matches!(
            method.target,
            Target::HeldPolicy
                | Target::ItselfAsRole
                | Target::ItselfAsUser
                | Target::Group
                | Target::RoleDeniedInline
                | Target::RoleDeniedAttached
        );
        changes_policy && self.known.boundary.is_some() && self.boundary() != target
    }

    fn boundary(&self) -> Option<&'w str> {
        self.holder
            .text("permissions_boundary")
            .filter(|arn| !arn.is_empty())
    }

    // ---- targets

    fn aims(&self, target: Target) -> Vec<Aim> {
        let own_kind = self.holder.thing.kind.name;
        let myself = |is_meant: bool| -> Vec<Aim> {
            is_meant
                .then(|| aim(&self.arn, self.holder.title(), Gain::Everything))
                .into_iter()
                .collect()
        };
        let (is_role, is_bounded) = (own_kind == ROLE, self.known.boundary.is_some());
        match target {
            Target::HeldPolicy => self.held_policies(),
            Target::ItselfAsRole => myself(is_role),
            Target::ItselfAsUser => myself(!is_role),
            Target::BoundedRole => limited(myself(is_role && is_bounded), "its boundary forbids"),
            Target::BoundedUser => limited(myself(!is_role && is_bounded), "its boundary forbids"),
            Target::RoleDeniedInline => limited(
                myself(is_role && self.is_denied_by("inline policy ")),
                "that policy denies",
            ),
            Target::RoleDeniedAttached => limited(
                myself(is_role && self.is_denied_by("")),
                "that policy denies",
            ),
            Target::User => self.entities(USER),
            Target::Group => self.joinable(),
            Target::TaggedRole => tagged(myself(is_role && self.asks_for_tags())),
            Target::TaggedUser => tagged(myself(!is_role && self.asks_for_tags())),
            Target::Role => self.entities(ROLE),
            Target::Vouched(change) => self.vouched(change),
            Target::AssumableRole => self.assumable().map(|(_, aim)| aim).collect(),
            Target::AssumablePolicy => self.assumable_policies(),
            Target::Passed(service) => self.passed(service),
            Target::Running(service) => self.running(service),
            Target::NewRole => self.new_one("role", NEW_ROLE),
            Target::NewUser => self.new_one("user", NEW_USER),
        }
    }

    fn held_policies(&self) -> Vec<Aim> {
        let mut arns = self.holder.attached();
        arns.extend(self.boundary());
        written_by_the_account(arns)
            .into_iter()
            .map(|arn| aim(arn, format!("policy {}", last(arn)), Gain::Everything))
            .collect()
    }

    /// Whether one of its known policies denies something; those inline have a name that begins
    /// so, and for others the beginning is empty.
    fn is_denied_by(&self, begins: &str) -> bool {
        const INLINE: &str = "inline policy ";
        self.known
            .identity
            .iter()
            .filter(|policy| policy.name.starts_with(INLINE) == (begins == INLINE))
            .filter(|policy| !policy.name.starts_with("the policy of secret "))
            .filter_map(|policy| policy.document.as_ref())
            .flat_map(Document::statements)
            .any(|statement| statement.effect == Effect::Deny)
    }

    /// Whether what its policies allow it may turn on its own tags.
    fn asks_for_tags(&self) -> bool {
        let is_tag = |key: &str| key.to_ascii_lowercase().starts_with("aws:principaltag/");
        self.layers.rules().any(|rule| {
            let values = |value: &String| {
                let value = Pattern::plain(value, rule.version);
                value.variables().any(is_tag)
            };
            let mut keys = rule.conditions.values().flatten();
            let mut resources = rule.resources.named().iter();
            keys.any(|(key, all)| is_tag(key.as_str()) || all.iter().any(values))
                || resources.any(|one| one.variables().any(is_tag))
        })
    }

    /// Others of a kind.
    fn others(&self, kind: &'static str) -> impl Iterator<Item = (Holder<'w>, String)> {
        let holder = self.holder;
        holder
            .world
            .of_kind(kind)
            .map(move |thing: &'w Thing<'w>| Holder {
                world: holder.world,
                thing,
            })
            .filter(move |other| {
                (other.thing.kind.name, other.thing.key)
                    != (holder.thing.kind.name, holder.thing.key)
            })
            .filter_map(|other| other.arn().map(|arn| (other, arn)))
    }

    fn entities(&self, kind: &'static str) -> Vec<Aim> {
        self.others(kind)
            .map(|(other, arn)| aim(&arn, other.title(), subject(other)))
            .collect()
    }

    /// Who is in which group isn't read, so joining or changing one may lead to any of them.
    fn joinable(&self) -> Vec<Aim> {
        if self.holder.is_role() {
            // Groups have users.
            return Vec::new();
        }
        self.groups()
            .map(|(thing, arn)| {
                let gain = Gain::Foreign(format!("{GROUP} {}", thing.key));
                aim(&arn, format!("group {}", thing.key), gain)
            })
            .collect()
    }

    fn groups(&self) -> impl Iterator<Item = (&'w Thing<'w>, String)> {
        self.holder.world.of_kind(GROUP).map(|thing| {
            let arn = world::text(thing, "arn").map_or_else(
                || self.beside(&format!("group/{}", thing.key)),
                str::to_owned,
            );
            (thing, arn)
        })
    }

    fn assumable(&self) -> impl Iterator<Item = (Holder<'w>, Aim)> {
        self.others(ROLE).filter_map(|(other, arn)| {
            let able = self.assumes(other, &arn)?;
            let aim = Aim {
                depends: able.depends,
                by: BTreeSet::from([able.permission]),
                ..aim(&arn, other.title(), subject(other))
            };
            Some((other, aim))
        })
    }

    fn assumable_policies(&self) -> Vec<Aim> {
        self.assumable()
            .flat_map(|(other, of_role)| {
                let held = written_by_the_account(other.attached());
                held.into_iter().map(move |arn| Aim {
                    depends: of_role.depends.clone(),
                    by: of_role.by.clone(),
                    ..aim(
                        arn,
                        format!("policy {} of {}", last(arn), other.title()),
                        Gain::Everything,
                    )
                })
            })
            .collect()
    }

    /// Whether it may assume another role: by its own policies where the role trusts the account,
    /// by being named in the role's trust policy else.
    fn assumes(&self, other: Holder<'w>, arn: &str) -> Option<Able> {
        let caller = Caller::Entity(&self.arn);
        let admission = other.admits(&caller, &self.context);
        let limit = |truth: Truth, able: Able| match truth {
            Truth::False => None,
            Truth::True => Some(able),
            Truth::Depends(on) => Some(Able {
                depends: able.depends.into_iter().chain(on).collect(),
                ..able
            }),
        };
        let by_account = self
            .able(ASSUME, arn, self.context.clone())
            .and_then(|able| limit(admission.by_account.or(admission.by_name.clone()), able));
        let by_name = || {
            let named = world::granted(self.holder, &self.known, other, admission.named);
            self.ask(&named.layers(), ASSUME, arn, self.context.clone())
                .and_then(|able| limit(admission.by_name, able))
        };
        by_account.or_else(by_name)
    }

    /// Roles that trust a service.
    fn trusting(
        &self,
        service: &'static str,
    ) -> impl Iterator<Item = (Holder<'w>, String, BTreeSet<String>)> {
        self.others(ROLE).filter_map(move |(other, arn)| {
            let caller = if service == COGNITO {
                Caller::Federated(service)
            } else {
                Caller::Service(service)
            };
            match other.admits(&caller, &Context::default()).by_name {
                Truth::False => None,
                Truth::True => Some((other, arn, BTreeSet::new())),
                Truth::Depends(on) => Some((other, arn, on)),
            }
        })
    }

    fn passed(&self, service: &'static str) -> Vec<Aim> {
        let contexts: Vec<Context> = self
            .called(service)
            .into_iter()
            .map(|name| self.context.clone().with("iam:PassedToService", name))
            .collect();
        let known = self.trusting(service).filter_map(|(other, arn, depends)| {
            let able = self.able_in(PASS, &arn, &contexts)?;
            Some(Aim {
                depends: depends.into_iter().chain(able.depends).collect(),
                by: BTreeSet::from([able.permission]),
                ..aim(&arn, other.title(), subject(other))
            })
        });
        known
            .chain(self.passed_beyond(service, &contexts))
            .collect()
    }

    /// How policies call a service. In China, some of the names end with `.cn`.
    fn called(&self, service: &str) -> Vec<String> {
        let mut names = vec![service.to_owned()];
        if Arn::parse(&self.arn).is_ok_and(|own| own.partition == "aws-cn") {
            names.push(format!("{service}.cn"));
        }
        names
    }

    /// Roles that what runs already may have, those that aren't known here included.
    fn running(&self, service: &'static str) -> Vec<Aim> {
        let known = self.trusting(service).map(|(other, arn, mut depends)| {
            depends.insert(format!("whether what it changes runs as {}", other.title()));
            Aim {
                depends,
                ..aim(&arn, other.title(), subject(other))
            }
        });
        let unknown = Aim {
            depends: [
                "whether what it changes runs as one",
                "what that role may do",
            ]
            .map(str::to_owned)
            .into(),
            arn: None,
            title: UNKNOWN.to_owned(),
            gain: Gain::Foreign(UNKNOWN.to_owned()),
            by: BTreeSet::new(),
        };
        known.chain([unknown]).collect()
    }

    /// One that it makes under any name that its policies tell from others; which of them it may
    /// do the rest to is found out with each.
    fn new_one(&self, kind: &str, actions: &[&str]) -> Vec<Aim> {
        if !actions.first().is_some_and(|create| self.is_named(create)) {
            return Vec::new();
        }
        let own = Pattern::wild(&self.beside(&format!("{kind}/?*")), Version::V2012);
        let mut arns = vec![self.beside(&format!("{kind}/{NEW}"))];
        arns.extend(actions.iter().flat_map(|action| self.named(action)));
        let apart = self.told_apart(actions, std::slice::from_ref(&own));
        arns.extend(apart.iter().flat_map(|all| all.iter().cloned()));
        arns.iter()
            .filter(|arn| own.matches(arn, &|_| Filled::Unknown) == Match::Yes)
            .map(|arn| aim(arn, format!("a {kind}"), Gain::Everything))
            .collect()
    }

    /// An ARN of IAM in its own account.
    fn beside(&self, resource: &str) -> String {
        match Arn::parse(&self.arn) {
            Ok(own) => Arn {
                resource: resource.to_owned(),
                ..own
            }
            .to_string(),
            Err(_) => format!("arn:aws:iam::{}:{resource}", "0".repeat(12)),
        }
    }
}

/// Nobody writes a policy of AWS.
fn written_by_the_account(arns: BTreeSet<&str>) -> Vec<&str> {
    let is_own = |arn: &&str| Arn::parse(arn).is_ok_and(|read| read.account != "aws");
    arns.into_iter().filter(is_own).collect()
}

/// The last part of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}

fn aim(arn: &str, title: String, gain: Gain) -> Aim {
    Aim {
        arn: Some(arn.to_owned()),
        title,
        gain,
        depends: BTreeSet::new(),
        by: BTreeSet::new(),
    }
}

/// What takes a limit away leads no further than its own policies.
fn limited(mut aims: Vec<Aim>, what: &str) -> Vec<Aim> {
    for aim in &mut aims {
        aim.depends
            .insert(format!("what its policies allow that {what}"));
    }
    aims
}

fn tagged(aims: Vec<Aim>) -> Vec<Aim> {
    limited(aims, "its tags don't give it now")
}

fn subject(other: Holder<'_>) -> Gain {
    Gain::Subject(other.thing.kind.name.to_owned(), other.thing.key.to_owned())
}

#[cfg(test)]
mod tests;
