//! Roles, users and groups that aren't among the objects.
//!
//! In come actions; out goes what the policies allow them on beyond what is known here, in the
//! policies' own words for it. What such a thing may do isn't known, so each way says that it
//! depends on that.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use remit_sdk::access::{Escalation, Gain, Permission};

use super::asking::{Able, filled, names_action, takes, unclear};
use super::table::{Method, On, Target};
use super::{Aim, Asker, GROUP, NEW, PASS};
use crate::access::Layer;
use crate::access::condition::Context;
use crate::access::pattern::{Filled, Match, Pattern};
use crate::access::world::{ASSUME, ROLE, USER};
use crate::document::{Effect, Selection, Version};

/// What is looked for beyond the objects.
pub(super) struct Beyond {
    /// The ARNs of those that are known.
    here: BTreeSet<String>,
    /// What its ARN matches; `None` is any account's role.
    among: Option<Pattern>,
    /// One that may be there.
    another: String,
}

/// What the policies allow some actions on.
pub(super) struct Reached {
    /// As the policies name it.
    pub(super) text: String,
    pub(super) by: BTreeSet<Permission>,
    pub(super) depends: BTreeSet<String>,
}

/// Of these one is needed.
type Actions<'a> = &'a [&'a str];

const MAY_DO: &str = "what they may do";

impl Asker<'_> {
    /// Roles that it may assume elsewhere, or that aren't among the objects.
    pub(super) fn elsewhere(&self) -> Vec<Escalation> {
        let contexts = std::slice::from_ref(&self.context);
        self.foreign(&self.any_role(), &[&[ASSUME]], contexts)
            .into_iter()
            .map(|Reached { text, by, depends }| Escalation {
                method: "assume-role-elsewhere".to_owned(),
                how: format!("assumes roles that are `{text}`"),
                gain: Gain::Foreign(format!("{ROLE} {text}")),
                by,
                depends: depends.into_iter().chain([trusts_it(&text)]).collect(),
            })
            .collect()
    }

    /// Roles that it may pass to a service.
    pub(super) fn passed_beyond(&self, service: &str, contexts: &[Context]) -> Vec<Aim> {
        self.foreign(&self.any_role(), &[&[PASS]], contexts)
            .into_iter()
            .map(|reached| {
                let text = &reached.text;
                let trusts = format!("whether roles that are `{text}` trust {service}");
                let title = format!("some role that is `{text}`");
                let gain = Gain::Foreign(format!("{ROLE} {text}"));
                reached.aim(title, gain, [trusts, MAY_DO.to_owned()])
            })
            .collect()
    }

    /// What a method is done to beyond the objects. All that it needs on that is asked here.
    pub(super) fn aims_beyond(&self, method: &Method) -> Vec<Aim> {
        let contexts = std::slice::from_ref(&self.context);
        let on_it = method.needs.iter().filter(|(_, on)| *on == On::Target);
        let needs: Vec<Actions<'_>> = on_it.map(|(actions, _)| *actions).collect();
        let entities = |kind: &'static str, word: &str| -> Vec<Aim> {
            self.foreign(&self.beside_known(kind, word), &needs, contexts)
                .into_iter()
                .map(|reached| {
                    let text = &reached.text;
                    let title = format!("{word}s that are `{text}`");
                    let (gain, depends) = if method.writes_policies() {
                        (Gain::Everything, format!("whether there are {title}"))
                    } else {
                        (Gain::Foreign(format!("{kind} {text}")), MAY_DO.to_owned())
                    };
                    reached.aim(title, gain, [depends])
                })
                .collect()
        };
        match method.target {
            Target::User => entities(USER, "user"),
            Target::Role => entities(ROLE, "role"),
            // Groups have users.
            Target::Group if !self.holder.is_role() => entities(GROUP, "group"),
            Target::AssumableRole => self.assumable_beyond(needs),
            Target::AssumablePolicy => self.policies_beyond(&needs),
            Target::Vouched(change) => self
                .foreign(&self.all_beside(change.provider()), &needs, contexts)
                .into_iter()
                .map(|reached| {
                    let text = &reached.text;
                    let trust = format!("whether roles that aren't known here trust `{text}`");
                    let title = format!("roles that trust `{text}`");
                    let gain = Gain::Foreign(format!("roles that trust {text}"));
                    let depends = change.depends().map(str::to_owned);
                    let depends = depends.into_iter().chain([trust, MAY_DO.to_owned()]);
                    reached.aim(title, gain, depends)
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Roles to which something is done, and which it may assume.
    fn assumable_beyond(&self, mut needs: Vec<Actions<'_>>) -> Vec<Aim> {
        if needs.is_empty() {
            // Told as roles elsewhere.
            return Vec::new();
        }
        needs.push(&[ASSUME]);
        let contexts = std::slice::from_ref(&self.context);
        self.foreign(&self.beside_known(ROLE, "role"), &needs, contexts)
            .into_iter()
            .map(|reached| {
                let title = format!("roles that are `{}`", reached.text);
                let trusts = trusts_it(&reached.text);
                reached.aim(title, Gain::Everything, [trusts])
            })
            .collect()
    }

    /// Policies that a role may hold which isn't known here, and which it may assume.
    fn policies_beyond(&self, needs: &[Actions<'_>]) -> Vec<Aim> {
        let contexts = std::slice::from_ref(&self.context);
        let roles = self.foreign(&self.beside_known(ROLE, "role"), &[&[ASSUME]], contexts);
        let Some(role) = roles.into_iter().min_by_key(|role| role.depends.len()) else {
            return Vec::new();
        };
        self.foreign(&self.all_beside("policy"), needs, contexts)
            .into_iter()
            .map(|mut policy| {
                let title = format!(
                    "policies that are `{}` of roles that are `{}`",
                    policy.text, role.text
                );
                policy.by.extend(role.by.iter().cloned());
                let hold = format!("whether they hold policies that are `{}`", policy.text);
                let depends = role.depends.iter().cloned();
                let depends = depends.chain([trusts_it(&role.text), hold]);
                policy.aim(title, Gain::Everything, depends)
            })
            .collect()
    }

    /// Roles of any account.
    fn any_role(&self) -> Beyond {
        Beyond {
            among: None,
            ..self.beside_known(ROLE, "role")
        }
    }

    /// Those of a kind in its own account.
    fn beside_known(&self, kind: &'static str, word: &str) -> Beyond {
        let mut here: BTreeSet<String> = match kind {
            GROUP => self.groups().map(|(_, arn)| arn).collect(),
            _ => self.others(kind).map(|(_, arn)| arn).collect(),
        };
        here.insert(self.arn.clone());
        Beyond {
            here,
            ..self.all_beside(word)
        }
    }

    /// The same, the known ones among them.
    fn all_beside(&self, word: &str) -> Beyond {
        let all = self.beside(&format!("{word}/?*"));
        Beyond {
            here: BTreeSet::new(),
            among: Some(Pattern::wild(&all, Version::V2012)),
            another: self.beside(&format!("{word}/{NEW}")),
        }
    }

    /// What isn't among the objects and may have all that is needed done to it, in one of several
    /// contexts; as the policies name it that allow the first.
    fn foreign(
        &self,
        beyond: &Beyond,
        needs: &[Actions<'_>],
        contexts: &[Context],
    ) -> Vec<Reached> {
        let Some(first) = needs.first() else {
            return Vec::new();
        };
        let actions = needs.concat();
        let apart: Vec<Pattern> = beyond
            .here
            .iter()
            .map(|arn| Pattern::plain(arn, Version::V2012))
            .chain(beyond.among.clone())
            .collect();
        let others = LazyCell::new(|| self.told_apart(&actions, &apart));
        self.meant(first)
            .into_iter()
            .filter(|(_, selection)| beyond.is_reached_by(selection))
            .filter_map(|(text, selection)| {
                let own: Vec<String> = match &selection {
                    Selection::Only(all) => all.iter().map(filled).collect(),
                    Selection::AllBut(_) => Vec::new(),
                };
                let find = |arns: &mut dyn Iterator<Item = &String>| {
                    arns.filter(|arn| beyond.has(arn) && takes(&selection, arn))
                        .find_map(|arn| self.all_able(needs, arn, contexts))
                };
                let all = find(&mut own.iter().chain([&beyond.another])).or_else(|| {
                    let Some(others) = others.as_ref() else {
                        let actions = needs.iter().filter_map(|actions| actions.first());
                        return Some(actions.map(|action| unclear(action)).collect());
                    };
                    find(&mut others.iter())
                })?;
                Some(Reached::of(text, all))
            })
            .collect()
    }

    /// What its policies allow one of some actions on, each as it is named there.
    fn meant(&self, actions: Actions<'_>) -> Vec<(String, Selection<Vec<Pattern>>)> {
        let rules = self
            .layers
            .0
            .iter()
            .filter(|(layer, _)| *layer == Layer::Identity)
            .flat_map(|(_, rules)| rules)
            .filter(|rule| rule.effect == Effect::Allow)
            .filter(|rule| actions.iter().any(|action| names_action(rule, action)));
        let mut meant: Vec<(String, Selection<Vec<Pattern>>)> = Vec::new();
        for rule in rules {
            match &rule.resources {
                Selection::Only(all) => meant.extend(
                    all.iter()
                        .map(|one| (one.text.clone(), Selection::Only(vec![one.clone()]))),
                ),
                Selection::AllBut(all) => {
                    let left_out: Vec<&str> = all.iter().map(|one| one.text.as_str()).collect();
                    let text = format!("all but {}", left_out.join(", "));
                    meant.push((text, rule.resources.clone()));
                }
            }
        }
        meant.sort();
        meant.dedup();
        meant
    }

    /// Whether it may do all that is needed to a thing.
    fn all_able(
        &self,
        needs: &[Actions<'_>],
        arn: &str,
        contexts: &[Context],
    ) -> Option<Vec<Able>> {
        needs
            .iter()
            .map(|actions| {
                actions
                    .iter()
                    .filter_map(|action| self.able_in(action, arn, contexts))
                    .min_by_key(|able| able.depends.len())
            })
            .collect()
    }
}

impl Beyond {
    /// Whether an ARN is of something that isn't known.
    fn has(&self, arn: &str) -> bool {
        let is_among = |among: &Pattern| among.matches(arn, &|_| Filled::Unknown) == Match::Yes;
        arn != "*" && !self.here.contains(arn) && self.among.as_ref().is_none_or(is_among)
    }

    /// Whether a selection may take one of its kind.
    fn is_reached_by(&self, selection: &Selection<Vec<Pattern>>) -> bool {
        let Some(among) = &self.among else {
            return true;
        };
        match selection {
            Selection::Only(all) => all.iter().any(|one| one.overlaps(among)),
            Selection::AllBut(all) => !all.iter().any(|one| one.contains(among)),
        }
    }
}

impl Reached {
    /// The first of what is allowed is told as the policies name it.
    fn of(text: String, all: Vec<Able>) -> Self {
        let mut reached = Self {
            text,
            by: BTreeSet::new(),
            depends: BTreeSet::new(),
        };
        for (number, able) in all.into_iter().enumerate() {
            let mut permission = able.permission;
            if number == 0 {
                permission.resources = BTreeSet::from([reached.text.clone()]);
            }
            reached.by.insert(permission);
            reached.depends.extend(able.depends);
        }
        reached
    }

    fn aim(self, title: String, gain: Gain, depends: impl IntoIterator<Item = String>) -> Aim {
        Aim {
            arn: None,
            title,
            gain,
            depends: self.depends.into_iter().chain(depends).collect(),
            by: self.by,
        }
    }
}

fn trusts_it(text: &str) -> String {
    format!("whether roles that are `{text}` trust it")
}
