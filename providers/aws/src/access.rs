//! What policies of IAM let a role or user do: AWS's own rules, evaluated without AWS. Pure.
//!
//! In come parsed policies with what gives them; out come decisions about single requests
//! ([`Holdings::decide`]), who a trust policy lets in ([`trust::admits`]), permissions in effect,
//! and what one set of policies allows that another doesn't. What can't be known is said
//! ([`condition::Truth::Depends`]) and never guessed.
//!
//! The order of the layers is that of the IAM User Guide, "Policy evaluation logic": a `Deny`
//! anywhere wins; then each layer that is there must allow: the identity's own policies together,
//! the permission boundary, the session's policies together. What a resource's policy grants
//! directly to whom it names needs none of the layers, so it counts in each.

mod admin;
mod beyond;
pub mod condition;
pub mod decide;
mod escalate;
mod evaluate;
mod formula;
mod listing;
mod logins;
mod pattern;
mod sentence;
pub mod trust;
mod value;
mod world;

use std::collections::BTreeSet;

use crate::document::{Conditions, Document, Effect, Selection, Statement, Version};
use pattern::Pattern;
use remit_sdk::access::Source;

/// A policy and what gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What gives it.
    pub source: Source,
    /// How it is called in sentences: `inline policy x`, `arn:aws:iam::aws:policy/y`.
    pub name: String,
    /// What it says; `None` where that isn't known.
    pub document: Option<Document>,
}

/// All the policies that count for one identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Its own: inline, attached, and its groups'.
    pub identity: Vec<Policy>,
    /// Its permission boundary, if it has one.
    pub boundary: Option<Policy>,
    /// The policies that a session was begun with, if any.
    pub session: Option<Vec<Policy>>,
    /// What others' policies grant to it directly, which no other layer limits but by a `Deny`.
    pub direct: Vec<Policy>,
}

/// Which of the layers a policy is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The identity's own policies.
    Identity,
    /// The permission boundary.
    Boundary,
    /// The session's policies.
    Session,
}

impl Layer {
    /// As it stands in a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "the identity's policies",
            Self::Boundary => "the permission boundary",
            Self::Session => "the session's policies",
        }
    }
}

/// A statement, ready to be evaluated.
#[derive(Clone, Debug)]
struct Rule {
    layer: Layer,
    effect: Effect,
    actions: Selection<Vec<Pattern>>,
    resources: Selection<Vec<Pattern>>,
    conditions: Conditions,
    version: Version,
    source: Source,
    /// The policy's name.
    policy: String,
    /// The statement's id.
    sid: Option<String>,
    /// Whether it stands for what a policy that isn't known says.
    is_unread: bool,
}

impl Rule {
    fn new(layer: Layer, policy: &Policy, statement: &Statement, version: Version) -> Self {
        let everything = || Selection::Only(vec![Pattern::wild("*", version)]);
        Self {
            layer,
            effect: statement.effect,
            actions: map(&statement.actions, |all| {
                all.iter()
                    .map(|one| Pattern::action(one.as_str()))
                    .collect()
            }),
            // A trust policy is about the role that has it.
            resources: statement.resources.as_ref().map_or_else(everything, |all| {
                map(all, |all: &BTreeSet<String>| {
                    all.iter().map(|one| Pattern::wild(one, version)).collect()
                })
            }),
            conditions: statement.conditions.clone(),
            version,
            source: policy.source.clone(),
            policy: policy.name.clone(),
            sid: statement.sid.clone(),
            is_unread: false,
        }
    }

    /// The rules of a policy: where it isn't known, one that may allow and one that may deny
    /// anything.
    fn of(layer: Layer, policy: &Policy) -> Vec<Self> {
        if let Some(document) = &policy.document {
            return document
                .statements()
                .iter()
                .map(|statement| Self::new(layer, policy, statement, document.version()))
                .collect();
        }
        [
            Statement::allow(["*"], ["*"]),
            Statement::deny(["*"], ["*"]),
        ]
        .iter()
        .map(|statement| Self {
            is_unread: true,
            ..Self::new(layer, policy, statement, Version::V2012)
        })
        .collect()
    }

    /// How it is called in sentences.
    fn name(&self) -> String {
        match &self.sid {
            Some(sid) => format!("statement `{sid}` of {}", self.policy),
            None => self.policy.clone(),
        }
    }
}

fn map<T, U>(selection: &Selection<T>, make: impl Fn(&T) -> U) -> Selection<U> {
    match selection {
        Selection::Only(all) => Selection::Only(make(all)),
        Selection::AllBut(all) => Selection::AllBut(make(all)),
    }
}

/// Policies ready to be evaluated: the layers that are there, each with its rules.
struct Layers(Vec<(Layer, Vec<Rule>)>);

impl Layers {
    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().flat_map(|(_, rules)| rules)
    }
}

impl Holdings {
    fn layers(&self) -> Layers {
        let rules = |layer: Layer, all: &[Policy]| {
            let all = all.iter().chain(&self.direct);
            let rules = all.flat_map(|one| Rule::of(layer, one)).collect();
            (layer, rules)
        };
        let mut layers = vec![rules(Layer::Identity, &self.identity)];
        if let Some(boundary) = &self.boundary {
            layers.push(rules(Layer::Boundary, std::slice::from_ref(boundary)));
        }
        if let Some(session) = &self.session {
            layers.push(rules(Layer::Session, session));
        }
        Layers(layers)
    }
}

#[cfg(test)]
mod testing;
