//! Ways in which permissions add up to more than they say.
//!
//! In comes a role or user with its account's objects; out goes each way of the table that its
//! policies leave open, with where it leads. Each action is asked of the evaluator, so what a
//! boundary or a denial forbids is none. What a policy that isn't known might allow is told by
//! its permission and not here; what it might deny is said with the way.

mod table;

use std::collections::BTreeSet;

use remit_sdk::access::{Escalation, Gain, Permission, Source, Thing};

use super::condition::{Context, Truth};
use super::decide::{Decision, Request};
use super::listing::meets;
use super::pattern::{Pattern, Piece};
use super::trust::{Caller, admits};
use super::world::{self, Holder, ROLE, USER};
use super::{Holdings, Layer, Layers, Policy, Rule};
use crate::arn::Arn;
use crate::document::{Document, Effect, Selection, Statement};
use table::{METHODS, Method, On, Target};

const GROUP: &str = "aws_iam_group";
const ASSUME: &str = "sts:AssumeRole";
const PASS: &str = "iam:PassRole";

/// Stands for the name of something that isn't there yet.
const NEW: &str = "new";

/// The ways that are open to a role or user, ordered.
pub(super) fn escalations(holder: Holder<'_>) -> Vec<Escalation> {
    let asker = Asker::new(holder);
    let mut found: Vec<Escalation> = METHODS
        .iter()
        .flat_map(|method| asker.ways(method))
        .collect();
    found.extend(asker.elsewhere());
    found.sort();
    found.dedup();
    found
}

/// What is taken as the target of a method.
struct Aim {
    /// Its ARN.
    arn: String,
    /// How it is called: `role x`.
    title: String,
    gain: Gain,
    /// What it depends on, its actions aside.
    depends: BTreeSet<String>,
    /// What it takes, the method's actions aside.
    by: BTreeSet<Permission>,
}

/// An action that it may do.
struct Able {
    permission: Permission,
    depends: BTreeSet<String>,
}

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
        }
    }

    fn ways(&self, method: &Method) -> Vec<Escalation> {
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
        self.aims(method.target)
            .into_iter()
            .filter_map(|aim| self.way(method, aim, &anywhere))
            .collect()
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
        for (actions, _) in method.needs.iter().filter(|(_, on)| *on == On::Target) {
            let able = actions
                .iter()
                .filter_map(|action| self.able(action, &arn, self.context.clone()))
                .min_by_key(|able| able.depends.len())?;
            by.insert(able.permission);
            depends.extend(able.depends);
        }
        // Its boundary goes on holding for what it writes for itself.
        if gain == Gain::Everything && self.is_bounded(method, &arn) {
            depends.insert("what its permission boundary leaves".to_owned());
        }
        // Assuming another role with its policy rewritten leads as far as that policy.
        let gain = match method.name {
            "attach-policy-to-assumable-role" | "put-policy-of-assumable-role" => Gain::Everything,
            _ => gain,
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
    fn is_bounded(&self, method: &Method, target: &str) -> bool {
        let changes_policy = matches!(
            method.target,
            Target::HeldPolicy
                | Target::ItselfAsRole
                | Target::ItselfAsUser
                | Target::Group
                | Target::RoleDeniedInline
                | Target::RoleDeniedAttached
        );
        changes_policy && self.known.boundary.is_some() && self.boundary() != Some(target)
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
            Target::Group => self.groups(),
            Target::Role => self.entities(ROLE),
            Target::AssumableRole => self.assumable(),
            Target::Passed(service) => self.passed(service),
            Target::Running(service) => self.running(service),
            Target::NewRole => self.new_one("role"),
            Target::NewUser => self.new_one("user"),
        }
    }

    fn held_policies(&self) -> Vec<Aim> {
        let mut arns = self.holder.attached();
        arns.extend(self.boundary());
        let own_account = |arn: &&str| Arn::parse(arn).is_ok_and(|read| read.account != "aws");
        arns.into_iter()
            .filter(own_account)
            .map(|arn| {
                let name = arn.rsplit_once('/').map_or(arn, |(_, name)| name);
                aim(arn, format!("policy {name}"), Gain::Everything)
            })
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
    fn groups(&self) -> Vec<Aim> {
        if self.holder.is_role() {
            // Groups have users.
            return Vec::new();
        }
        let groups = self.holder.world.of_kind(GROUP);
        groups
            .map(|thing| {
                let arn = world::text(thing, "arn").map_or_else(
                    || self.beside(&format!("group/{}", thing.key)),
                    str::to_owned,
                );
                let gain = Gain::Foreign(format!("{GROUP} {}", thing.key));
                aim(&arn, format!("group {}", thing.key), gain)
            })
            .collect()
    }

    fn assumable(&self) -> Vec<Aim> {
        self.others(ROLE)
            .filter_map(|(other, arn)| {
                let able = self.assumes(other, &arn)?;
                Some(Aim {
                    depends: able.depends,
                    by: BTreeSet::from([able.permission]),
                    ..aim(&arn, other.title(), subject(other))
                })
            })
            .collect()
    }

    /// Whether it may assume another role: by its own policies where the role trusts the account,
    /// by being named in the role's trust policy else.
    fn assumes(&self, other: Holder<'w>, arn: &str) -> Option<Able> {
        let trust = other.trust()?;
        let caller = Caller::Entity(&self.arn);
        let admission = admits(&trust, &caller, ASSUME, &self.context);
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
            let mut named = self.known.clone();
            named.identity.push(Policy {
                source: world::source(other.thing),
                name: format!("the trust policy of {}", other.title()),
                document: Some(Document::of([Statement::allow([ASSUME], [arn])])),
            });
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
            let trust = other.trust()?;
            let caller = Caller::Service(service);
            match admits(&trust, &caller, ASSUME, &Context::default()).by_name {
                Truth::False => None,
                Truth::True => Some((other, arn, BTreeSet::new())),
                Truth::Depends(on) => Some((other, arn, on)),
            }
        })
    }

    fn passed(&self, service: &'static str) -> Vec<Aim> {
        self.trusting(service)
            .filter_map(|(other, arn, mut depends)| {
                let context = self.context.clone().with("iam:PassedToService", service);
                let able = self.able(PASS, &arn, context)?;
                depends.extend(able.depends);
                Some(Aim {
                    depends,
                    by: BTreeSet::from([able.permission]),
                    ..aim(&arn, other.title(), subject(other))
                })
            })
            .collect()
    }

    fn running(&self, service: &'static str) -> Vec<Aim> {
        self.trusting(service)
            .map(|(other, arn, mut depends)| {
                depends.insert(format!("whether what it changes runs as {}", other.title()));
                Aim {
                    depends,
                    ..aim(&arn, other.title(), subject(other))
                }
            })
            .collect()
    }

    fn new_one(&self, kind: &str) -> Vec<Aim> {
        // The name may be any that one of its policies names.
        let action = if kind == "role" {
            "iam:CreateRole"
        } else {
            "iam:CreateUser"
        };
        let mut arns: BTreeSet<String> = self.named(action).into_iter().collect();
        arns.insert(self.beside(&format!("{kind}/{NEW}")));
        arns.into_iter()
            .map(|arn| aim(&arn, format!("a {kind}"), Gain::Everything))
            .find(|aim| self.able(action, &aim.arn, self.context.clone()).is_some())
            .into_iter()
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

    // ---- what isn't in the account

    /// Roles that it may assume elsewhere, or that aren't among the objects.
    fn elsewhere(&self) -> Vec<Escalation> {
        let here: BTreeSet<String> = self.others(ROLE).map(|(_, arn)| arn).collect();
        let rules = self
            .layers
            .0
            .iter()
            .filter(|(layer, _)| *layer == Layer::Identity)
            .flat_map(|(_, rules)| rules)
            .filter(|rule| rule.effect == Effect::Allow && names_action(rule, ASSUME));
        let mut found = Vec::new();
        for rule in rules {
            let Selection::Only(resources) = &rule.resources else {
                continue;
            };
            for pattern in resources
                .iter()
                .filter(|one| !here.contains(&one.text) && one.text != self.arn)
            {
                let Some(able) = self.able(ASSUME, &filled(pattern), self.context.clone()) else {
                    continue;
                };
                let mut depends = able.depends;
                depends.insert(format!(
                    "whether roles that are `{}` trust it",
                    pattern.text
                ));
                found.push(Escalation {
                    method: "assume-role-elsewhere".to_owned(),
                    how: format!("assumes roles that are `{}`", pattern.text),
                    gain: Gain::Foreign(format!("{ROLE} {}", pattern.text)),
                    by: BTreeSet::from([Permission {
                        resources: BTreeSet::from([pattern.text.clone()]),
                        ..able.permission
                    }]),
                    depends: depends.into_iter().collect(),
                });
            }
        }
        found
    }

    // ---- asking

    /// Whether one of several actions may be done on anything.
    fn somewhere(&self, actions: &[&str]) -> Option<Able> {
        actions
            .iter()
            .flat_map(|action| {
                self.named(action)
                    .into_iter()
                    .map(move |resource| (action, resource))
            })
            .filter_map(|(action, resource)| self.able(action, &resource, self.context.clone()))
            .min_by_key(|able| able.depends.len())
    }

    /// A resource for each pattern with which its policies and its boundary allow an action.
    fn named(&self, action: &str) -> Vec<String> {
        let mut all: BTreeSet<String> = self
            .layers
            .rules()
            .filter(|rule| rule.effect == Effect::Allow && names_action(rule, action))
            .flat_map(|rule| match &rule.resources {
                Selection::Only(patterns) => patterns.iter().map(filled).collect(),
                Selection::AllBut(_) => Vec::new(),
            })
            .collect();
        all.insert("*".to_owned());
        all.into_iter().collect()
    }

    fn able(&self, action: &str, resource: &str, context: Context) -> Option<Able> {
        self.ask(&self.layers, action, resource, context)
    }

    fn ask(&self, layers: &Layers, action: &str, resource: &str, context: Context) -> Option<Able> {
        let (mut depends, by) = match layers.decide(&Request {
            action,
            resource,
            context,
        }) {
            Decision::Allowed(by) => (BTreeSet::new(), by),
            Decision::Depends { on, by } => (on, by),
            Decision::DeniedBy(_) | Decision::NotAllowed(_) => return None,
        };
        depends.extend(self.unread.iter().map(|name| format!("what {name} denies")));
        let sources: BTreeSet<Source> = by.into_iter().map(|by| by.source).collect();
        Some(Able {
            permission: Permission {
                actions: BTreeSet::from([action.to_owned()]),
                resources: BTreeSet::from([resource.to_owned()]),
                conditions: BTreeSet::new(),
                sources,
            },
            depends,
        })
    }
}

fn aim(arn: &str, title: String, gain: Gain) -> Aim {
    Aim {
        arn: arn.to_owned(),
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

fn subject(other: Holder<'_>) -> Gain {
    Gain::Subject(other.thing.kind.name.to_owned(), other.thing.key.to_owned())
}

fn names_action(rule: &Rule, action: &str) -> bool {
    meets(
        &rule.actions,
        &Selection::Only(vec![Pattern::action(action)]),
    )
}

/// A text that a pattern matches: one as short as it can be.
fn filled(pattern: &Pattern) -> String {
    if pattern.text == "*" {
        return pattern.text.clone();
    }
    pattern
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Char(c) => c.to_string(),
            Piece::One => "x".to_owned(),
            Piece::Any | Piece::Variable(_) => NEW.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
