//! Whether a request is allowed.
//!
//! In come an identity's policies and a request, as far as it is known; out goes a [`Decision`]
//! with what it comes from. IAM User Guide, "Policy evaluation logic".

use std::collections::BTreeSet;

use remit_sdk::access::Source;

use super::condition::{self, Context, Truth};
use super::pattern::{Filled, Match, Pattern};
use super::{Holdings, Layer, Layers, Rule};
use crate::document::{Effect, Selection};

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `s3:GetObject`.
    pub action: &'a str,
    /// An ARN, or `*` for what is about none.
    pub resource: &'a str,
    /// What is known of the rest.
    pub context: Context,
}

/// A statement that decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct By {
    /// Its layer.
    pub layer: Layer,
    /// Its policy and id, for sentences.
    pub name: String,
    /// What gives its policy.
    pub source: Source,
}

/// Whether a request is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is; these statements allow it.
    Allowed(Vec<By>),
    /// A statement denies it.
    DeniedBy(By),
    /// No statement of this layer allows it.
    NotAllowed(Layer),
    /// It may be either.
    Depends {
        /// Condition keys and facts on which it depends.
        on: BTreeSet<String>,
        /// The statements that would decide.
        by: Vec<By>,
    },
}

impl Rule {
    fn by(&self) -> By {
        By {
            layer: self.layer,
            name: self.name(),
            source: self.source.clone(),
        }
    }

    /// Whether it is about a request.
    pub(super) fn is_about(&self, request: &Request<'_>) -> Truth {
        let found = self
            .names_action(request.action)
            .and(self.names_resource(request))
            .and(self.conditions_hold(&request.context));
        if self.is_unread {
            let verb = match self.effect {
                Effect::Allow => "allows",
                Effect::Deny => "denies",
            };
            let on = format!("what {} {verb}, which isn't known here", self.policy);
            return found.and(Truth::Depends(BTreeSet::from([on])));
        }
        found
    }

    fn names_action(&self, action: &str) -> Truth {
        let action = action.to_ascii_lowercase();
        selects(&self.actions, |pattern| {
            pattern.matches(&action, &|_| Filled::Absent).into()
        })
    }

    fn names_resource(&self, request: &Request<'_>) -> Truth {
        selects(&self.resources, |pattern| {
            resource_matches(pattern, request.resource, &request.context)
        })
    }

    fn conditions_hold(&self, context: &Context) -> Truth {
        let mut all = Truth::True;
        for (operator, keys) in &self.conditions {
            for (key, values) in keys {
                let one = condition::holds(operator, key.as_str(), values, self.version, context);
                all = all.and(one);
            }
        }
        all
    }
}

fn selects(selection: &Selection<Vec<Pattern>>, matches: impl Fn(&Pattern) -> Truth) -> Truth {
    let named = selection
        .named()
        .iter()
        .fold(Truth::False, |found, pattern| found.or(matches(pattern)));
    match selection {
        Selection::Only(_) => named,
        Selection::AllBut(_) => named.not(),
    }
}

fn resource_matches(pattern: &Pattern, resource: &str, context: &Context) -> Truth {
    let found = pattern.matches(resource, &|key| context.fill(key));
    if found != Match::Yes {
        return found.into();
    }
    let filled = pattern.fill(&|key| context.fill(key));
    if filled.is_some_and(|(filled, _)| !filled.matches_within_segments(resource)) {
        let on = format!(
            "whether a wildcard of `{}` reaches across a colon, which AWS's documentation leaves open",
            pattern.text
        );
        return Truth::Depends(BTreeSet::from([on]));
    }
    Truth::True
}

impl Holdings {
    /// Whether a request is allowed.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        self.layers().decide(request)
    }
}

impl Layers {
    pub(super) fn decide(&self, request: &Request<'_>) -> Decision {
        let mut on = BTreeSet::new();
        let mut unsure = Vec::new();
        let denying = self.rules().filter(|rule| rule.effect == Effect::Deny);
        for rule in denying {
            match rule.is_about(request) {
                Truth::True => return Decision::DeniedBy(rule.by()),
                Truth::False => {}
                Truth::Depends(more) => {
                    on.extend(more);
                    unsure.push(rule.by());
                }
            }
        }
        let mut allowing = Vec::new();
        for (layer, rules) in &self.0 {
            let mut sure = Vec::new();
            let mut maybe = Vec::new();
            let mut depends = BTreeSet::new();
            for rule in rules.iter().filter(|rule| rule.effect == Effect::Allow) {
                match rule.is_about(request) {
                    Truth::True => sure.push(rule.by()),
                    Truth::False => {}
                    Truth::Depends(more) => {
                        depends.extend(more);
                        maybe.push(rule.by());
                    }
                }
            }
            if !sure.is_empty() {
                allowing.extend(sure);
            } else if maybe.is_empty() {
                return Decision::NotAllowed(*layer);
            } else {
                on.extend(depends);
                unsure.extend(maybe);
            }
        }
        if on.is_empty() {
            Decision::Allowed(allowing)
        } else {
            unsure.extend(allowing);
            Decision::Depends { on, by: unsure }
        }
    }
}

#[cfg(test)]
mod tests;
