//! What a plan changes of the facts of the gate, and whose the keys are. PURE.
//!
//! In: the facts as recorded and as they will be; the model. Out: [`GateChange`]s and [`People`],
//! which is what whoever approves looks at. Of what is new only approvers and exceptions are told:
//! the rest of it changes nothing that was there.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use serde::{Deserialize, Serialize};

use crate::model::{ApproverKey, Model};
use crate::state::Facts;
use crate::state::facts::ApprovalFacts;

/// One fact that will be another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateChange {
    /// The declaration it is said of.
    pub address: DeclarationAddress,
    /// Which fact.
    pub what: Fact,
    /// What is recorded; of an approver, the key.
    pub before: Option<String>,
    /// What will be.
    pub after: Option<String>,
}

/// The facts that are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Of an owner: a key that may approve.
    Approver,
    /// Of an agent: who answers for it.
    Owner,
    /// Of an agent: the scopes it may never exceed.
    Ceiling,
    /// Of a scope: how bad misuse would be.
    Risk,
    /// Of a scope: how many must approve, and whose.
    Approval,
    /// Of an environment: how much it matters.
    Tier,
    /// Of an identity: whose it is.
    Agent,
    /// Of an identity: where it runs.
    Environment,
    /// What is waived, where and until when.
    Exception,
    /// Of an owner: whether it is in the configuration. Who isn't is no longer asked, in later plans.
    Declared,
}

impl Fact {
    /// The word for it, as in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Approver => "approver",
            Self::Owner => "owner",
            Self::Ceiling => "ceiling",
            Self::Risk => "risk",
            Self::Approval => "approval",
            Self::Tier => "tier",
            Self::Agent => "agent",
            Self::Environment => "environment",
            Self::Exception => "exception",
            Self::Declared => "declared",
        }
    }
}

impl GateChange {
    /// Whether it only takes away: an approver, an exception, an owner.
    pub fn takes_away(&self) -> bool {
        match self.what {
            Fact::Approver | Fact::Exception => self.after.is_none(),
            Fact::Declared => self.after.as_deref() == Some("no"),
            _ => false,
        }
    }

    /// Whether somebody may be given something by it, whatever else the plan does. What is asked for
    /// and loosened takes approval.
    pub fn may_give(&self) -> bool {
        let is_asked = matches!(
            self.what,
            Fact::Risk | Fact::Tier | Fact::Approval | Fact::Ceiling
        );
        !is_asked && !self.takes_away()
    }
}

/// What becomes of the facts.
pub fn changes(recorded: Option<&Facts>, next: &Facts) -> Vec<GateChange> {
    let nothing = Facts::default();
    let mut found = Found {
        all: Vec::new(),
        before: recorded.unwrap_or(&nothing),
        after: next,
    };
    found.approvers();
    found.agents();
    found.scopes();
    found.places();
    found.exceptions();
    found.all
}

struct Found<'a> {
    all: Vec<GateChange>,
    before: &'a Facts,
    after: &'a Facts,
}

impl Found<'_> {
    fn add(
        &mut self,
        address: &DeclarationAddress,
        what: Fact,
        before: Option<String>,
        after: Option<String>,
    ) {
        if before != after {
            let address = address.clone();
            self.all.push(GateChange {
                address,
                what,
                before,
                after,
            });
        }
    }

    fn approvers(&mut self) {
        for (owner, after) in &self.after.owners {
            let before = self.before.owners.get(owner).cloned().unwrap_or_default();
            for key in before.difference(after) {
                self.add(owner, Fact::Approver, Some(key.clone()), None);
            }
            for key in after.difference(&before) {
                self.add(owner, Fact::Approver, None, Some(key.clone()));
            }
            if self.before.owners.contains_key(owner) {
                let declared = |facts: &Facts| {
                    let word = if facts.gone.contains(owner) {
                        "no"
                    } else {
                        "yes"
                    };
                    Some(word.to_owned())
                };
                let (from, to) = (declared(self.before), declared(self.after));
                self.add(owner, Fact::Declared, from, to);
            }
        }
    }

    fn agents(&mut self) {
        for (agent, before, owner) in both(&self.before.agents, &self.after.agents) {
            let (from, to) = (before.to_string(), owner.to_string());
            self.add(agent, Fact::Owner, Some(from), Some(to));
            let ceiling = |facts: &Facts| Some(listed(facts.ceilings.get(agent)?));
            let (from, to) = (ceiling(self.before), ceiling(self.after));
            self.add(agent, Fact::Ceiling, from, to);
        }
    }

    fn scopes(&mut self) {
        for (scope, before, after) in both(&self.before.scopes, &self.after.scopes) {
            let [from, to] = [before, after].map(|facts| Some(facts.risk.name().to_owned()));
            self.add(scope, Fact::Risk, from, to);
            let [from, to] = [before, after].map(|facts| facts.approval.as_ref().map(asked));
            self.add(scope, Fact::Approval, from, to);
        }
    }

    fn places(&mut self) {
        for (environment, before, after) in
            both(&self.before.environments, &self.after.environments)
        {
            let [from, to] = [before, after].map(|facts| Some(facts.tier.name().to_owned()));
            self.add(environment, Fact::Tier, from, to);
        }
        for (identity, before, after) in both(&self.before.identities, &self.after.identities) {
            let [from, to] = [before, after].map(|facts| Some(facts.agent.to_string()));
            self.add(identity, Fact::Agent, from, to);
            let [from, to] = [before, after].map(|facts| Some(facts.environment.to_string()));
            self.add(identity, Fact::Environment, from, to);
        }
    }

    fn exceptions(&mut self) {
        let (before, after) = (&self.before.exceptions, &self.after.exceptions);
        let new = after.keys().filter(|one| !before.contains_key(*one));
        for exception in before.keys().chain(new) {
            let what = |facts: &Facts| Some(facts.exceptions.get(exception)?.what.clone());
            let (from, to) = (what(self.before), what(self.after));
            self.add(exception, Fact::Exception, from, to);
        }
    }
}

/// What is recorded and stays.
fn both<'f, T>(
    before: &'f BTreeMap<DeclarationAddress, T>,
    after: &'f BTreeMap<DeclarationAddress, T>,
) -> impl Iterator<Item = (&'f DeclarationAddress, &'f T, &'f T)> {
    let all = after.iter();
    all.filter_map(|(address, after)| Some((address, before.get(address)?, after)))
}

fn asked(approval: &ApprovalFacts) -> String {
    format!("{} of {}", approval.required, listed(&approval.from))
}

fn listed<'a>(all: impl IntoIterator<Item = &'a DeclarationAddress>) -> String {
    let all: Vec<String> = all.into_iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// Whose keys are, by key.
pub type People = BTreeMap<String, Person>;

/// Whose a key is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The key's comment in the configuration.
    pub comment: String,
    /// The owners it approves for, as declared or recorded, with how to reach them where they are
    /// declared.
    pub owners: BTreeMap<DeclarationAddress, Option<String>>,
}

/// Whose these keys are.
pub fn people<'a>(
    model: &Model,
    recorded: Option<&Facts>,
    keys: impl IntoIterator<Item = &'a String>,
) -> People {
    let keys = keys.into_iter().map(|key| (key.clone(), Person::default()));
    let mut people: People = keys.collect();
    for (address, keys) in recorded.into_iter().flat_map(|facts| &facts.owners) {
        for key in keys {
            if let Some(person) = people.get_mut(key) {
                person.owners.insert(address.clone(), None);
            }
        }
    }
    // One key may be written more than once.
    let mut comments: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (address, owner) in &model.owners {
        for line in &owner.approvers {
            // The model refuses what is no key.
            if let Ok(key) = ApproverKey::parse(line)
                && let Some(person) = people.get_mut(&key.text)
            {
                comments.entry(key.text).or_default().insert(key.comment);
                person.owners.insert(address.clone(), None);
            }
        }
        for person in people.values_mut() {
            if let Some(contact) = person.owners.get_mut(address) {
                *contact = Some(owner.contact.clone());
            }
        }
    }
    for (key, comments) in comments {
        if let Some(person) = people.get_mut(&key) {
            let comments = comments.into_iter().filter(|one| !one.is_empty());
            person.comment = comments.collect::<Vec<_>>().join(", ");
        }
    }
    people
}
