//! What a role or user may do, and to which resources that nobody told.
//!
//! In come actions; out goes whether the policies allow one on a resource, or on any at all.
//! Policies are asked of one text for each way in which their patterns match together, so what a
//! denial leaves of a pattern is found, too.

use std::collections::BTreeSet;
use std::rc::Rc;

use remit_sdk::access::{Permission, Source};

use super::{Asker, NEW, Told};
use crate::access::condition::Context;
use crate::access::decide::{Decision, Request};
use crate::access::listing::meets;
use crate::access::pattern::{Filled, Match, OTHER, Pattern, Piece, Reach, signatures};
use crate::access::{Layer, Layers, Rule};
use crate::document::{Effect, Selection};

/// An action that it may do.
pub(super) struct Able {
    pub(super) permission: Permission,
    pub(super) depends: BTreeSet<String>,
}

impl Asker<'_> {
    /// Whether one of several actions may be done on anything.
    pub(super) fn somewhere(&self, actions: &[&str]) -> Option<Able> {
        let named: Vec<&str> = actions
            .iter()
            .copied()
            .filter(|action| self.is_named(action))
            .collect();
        let on = |action: &str, resources: &[String]| {
            resources
                .iter()
                .filter_map(|resource| self.able(action, resource, self.context.clone()))
                .min_by_key(|able| able.depends.len())
        };
        named
            .iter()
            .filter_map(|action| on(action, &self.named(action)))
            .min_by_key(|able| able.depends.len())
            .or_else(|| {
                let left = named.iter().filter_map(|action| {
                    let Some(resources) = self.told_apart(&[action], &[]) else {
                        return Some(unclear(action));
                    };
                    on(action, &resources)
                });
                left.min_by_key(|able| able.depends.len())
            })
    }

    /// A resource for each pattern with which its policies and its boundary allow an action.
    pub(super) fn named(&self, action: &str) -> Vec<String> {
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

    /// Whether one of its own policies allows an action on something.
    pub(super) fn is_named(&self, action: &str) -> bool {
        self.layers.rules().any(|rule| {
            rule.layer == Layer::Identity
                && rule.effect == Effect::Allow
                && names_action(rule, action)
        })
    }

    /// A resource for each way in which what is said of some actions, and other patterns, match
    /// together: all that the policies can tell apart. `None` where those are too many.
    pub(super) fn told_apart(&self, actions: &[&str], more: &[Pattern]) -> Told {
        let rules: Vec<&Rule> = self
            .layers
            .rules()
            .filter(|rule| actions.iter().any(|action| names_action(rule, action)))
            .collect();
        let is_simple = |rule: &&Rule| {
            rule.layer == Layer::Identity
                && rule.effect == Effect::Allow
                && matches!(rule.resources, Selection::Only(_))
        };
        let named = || rules.iter().flat_map(|rule| rule.resources.named());
        // Another may be the very text that stands for one, or leave it out.
        let is_more = |one: &Pattern| {
            let filled = filled(one);
            let matches = |other: &Pattern| other.matches(&filled, &|_| Filled::Unknown);
            more.iter().any(|other| {
                let is_one = matches(other) == Match::Yes;
                is_one == other.is_literal()
            })
        };
        if actions.len() == 1 && rules.iter().all(is_simple) && !named().any(is_more) {
            // Nothing takes from what is allowed, and each pattern is asked by itself.
            return Some(Rc::default());
        }
        let mut patterns: Vec<Pattern> = named()
            .filter_map(|one| Some(one.fill(&|key| self.context.fill(key))?.0))
            .chain(more.iter().cloned())
            .collect();
        patterns.sort_by(|one, two| one.pieces.cmp(&two.pieces));
        patterns.dedup_by(|one, two| one.pieces == two.pieces);
        if let Some(known) = self.told.borrow().get(&patterns) {
            return known.clone();
        }
        let found = texts(&patterns);
        self.told.borrow_mut().insert(patterns, found.clone());
        found
    }

    /// Whether it may do an action in one of several contexts.
    pub(super) fn able_in(
        &self,
        action: &str,
        resource: &str,
        contexts: &[Context],
    ) -> Option<Able> {
        contexts
            .iter()
            .filter_map(|context| self.able(action, resource, context.clone()))
            .min_by_key(|able| able.depends.len())
    }

    pub(super) fn able(&self, action: &str, resource: &str, context: Context) -> Option<Able> {
        self.ask(&self.layers, action, resource, context)
    }

    pub(super) fn ask(
        &self,
        layers: &Layers,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Option<Able> {
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

/// A text for each way in which patterns match together.
fn texts(patterns: &[Pattern]) -> Told {
    let patterns: Vec<&Pattern> = patterns.iter().collect();
    let found = signatures(&patterns, Reach::Across, None)?;
    // Any text stands where no pattern has one of its own: a readable one, if it does as well.
    let texts = found.into_iter().map(|(matched, text)| {
        let readable = text.replace(OTHER, NEW);
        let is_same = patterns.iter().enumerate().all(|(number, one)| {
            let takes = one.matches(&readable, &|_| Filled::Unknown) != Match::No;
            takes == matched.contains(&number)
        });
        if is_same { readable } else { text }
    });
    Some(texts.collect())
}

/// It may be that an action is allowed.
pub(super) fn unclear(action: &str) -> Able {
    let why = "where its policies allow it, whose patterns overlap in too many ways to tell";
    Able {
        permission: Permission {
            actions: BTreeSet::from([action.to_owned()]),
            resources: BTreeSet::from(["*".to_owned()]),
            conditions: BTreeSet::new(),
            sources: BTreeSet::new(),
        },
        depends: BTreeSet::from([why.to_owned()]),
    }
}

pub(super) fn names_action(rule: &Rule, action: &str) -> bool {
    meets(
        &rule.actions,
        &Selection::Only(vec![Pattern::action(action)]),
    )
}

/// Whether a selection may take a resource.
pub(super) fn takes(selection: &Selection<Vec<Pattern>>, resource: &str) -> bool {
    let is_one = |one: &Pattern| one.matches(resource, &|_| Filled::Unknown) != Match::No;
    match selection {
        Selection::Only(all) => all.iter().any(is_one),
        Selection::AllBut(all) => !all.iter().any(is_one),
    }
}

/// A text that a pattern matches: one as short as it can be.
pub(super) fn filled(pattern: &Pattern) -> String {
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
