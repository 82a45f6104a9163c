//! What the gate holds a change against: the approvers, risks, tiers and exceptions as of the last
//! apply. Plain data; what it means is the gate's to say.
//!
//! Owners, agents, ceilings, scopes and environments stay when they are no longer declared, so that
//! a label that comes back comes back with what was asked of it. So do the owners whom a scope or an
//! environment concerned.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::DeclarationAddress;
use remit_sdk::declaration::{Risk, Tier};
use serde::{Deserialize, Serialize};

use super::invariants::Violation;

/// What the gate holds a change against.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The approvers of each owner: SSH public keys, the type and the key, without a comment.
    pub owners: BTreeMap<DeclarationAddress, BTreeSet<String>>,
    /// The owner of each agent.
    pub agents: BTreeMap<DeclarationAddress, DeclarationAddress>,
    /// The scopes that agents with a ceiling may never exceed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ceilings: BTreeMap<DeclarationAddress, BTreeSet<DeclarationAddress>>,
    /// What each scope asks for.
    pub scopes: BTreeMap<DeclarationAddress, ScopeFacts>,
    /// What each environment is.
    pub environments: BTreeMap<DeclarationAddress, EnvironmentFacts>,
    /// Whose each identity is and where it runs.
    pub identities: BTreeMap<DeclarationAddress, IdentityFacts>,
    /// The exceptions.
    pub exceptions: BTreeMap<DeclarationAddress, ExceptionFacts>,
    /// The owners whom each scope and each environment ever concerned, by an identity whose gain takes
    /// approval: whose access is taken away is still asked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub concerned: BTreeMap<DeclarationAddress, BTreeSet<DeclarationAddress>>,
    /// The owners who are recorded and no longer declared.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub gone: BTreeSet<DeclarationAddress>,
}

/// What a scope asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeFacts {
    /// How bad misuse would be.
    pub risk: Risk,
    /// Whose approval a widening takes.
    pub approval: Option<ApprovalFacts>,
}

impl ScopeFacts {
    /// Whether a widening by it takes approval anywhere.
    pub fn takes_approval(&self) -> bool {
        self.takes_approval_in(Tier::Production)
    }

    /// Whether a widening by it takes approval in an environment of this tier.
    pub fn takes_approval_in(&self, tier: Tier) -> bool {
        self.approval.is_some() || (self.risk >= Risk::High && tier == Tier::Production)
    }
}

/// Whose approval a widening takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalFacts {
    /// How many different people.
    pub required: u32,
    /// Of which owners.
    pub from: BTreeSet<DeclarationAddress>,
}

/// What an environment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFacts {
    /// How much it matters.
    pub tier: Tier,
    /// The ids of the targets in which its identities live.
    pub targets: BTreeSet<String>,
}

/// Whose an identity is and where it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityFacts {
    /// The agent.
    pub agent: DeclarationAddress,
    /// The environment.
    pub environment: DeclarationAddress,
    /// The scopes it holds.
    pub scopes: BTreeSet<DeclarationAddress>,
    /// Environments of production that it was in before: what it got since counts as got there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub formerly: BTreeSet<DeclarationAddress>,
}

impl IdentityFacts {
    /// The environments that it is or was in.
    pub fn environments(&self) -> impl Iterator<Item = &DeclarationAddress> {
        self.formerly.iter().chain([&self.environment])
    }
}

/// An exception to a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionFacts {
    /// What it waives, where and until when, in one text: another text is another exception.
    pub what: String,
    /// The owners of what it is about, where a configuration says it. They come and go with identities,
    /// and aren't recorded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub owners: BTreeSet<DeclarationAddress>,
}

impl Facts {
    /// S9.
    pub(super) fn check(&self) -> Result<(), Violation> {
        let wrong = |what: String| Err(Violation::new("S9", what));
        for (scope, facts) in &self.scopes {
            let Some(approval) = &facts.approval else {
                continue;
            };
            if approval.required == 0 {
                return wrong(format!("{scope} is recorded to ask for nobody's approval"));
            }
        }
        for (owner, keys) in &self.owners {
            for key in keys {
                let words: Vec<&str> = key.split(' ').collect();
                if words.len() != 2 || words.iter().any(|word| word.is_empty()) {
                    return wrong(format!("an approver of {owner} is recorded that is no key"));
                }
            }
        }
        Ok(())
    }

    /// Whether an identity is in production as far as these facts say, or was.
    pub fn is_in_production(&self, identity: &DeclarationAddress) -> bool {
        let environments = self.identities.get(identity).into_iter();
        environments
            .flat_map(IdentityFacts::environments)
            .filter_map(|environment| self.environments.get(environment))
            .any(|facts| facts.tier == Tier::Production)
    }

    /// Every key that may approve anything.
    pub fn keys(&self) -> BTreeSet<String> {
        self.owners.values().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{begin, facts};
    use super::super::{Entry, Recorded};

    #[test]
    fn an_old_state_has_none_and_a_new_one_keeps_them() {
        let mut recorded = Recorded::default();
        recorded.fold(&begin()).unwrap();
        let text = serde_json::to_string(&recorded).unwrap();
        assert!(!text.contains("gate"), "{text}");
        let old: Recorded = serde_json::from_str(&text).unwrap();
        assert_eq!(old.gate, None);
        let facts = facts(true);
        recorded
            .fold(&Entry::Gate {
                facts: facts.clone(),
            })
            .unwrap();
        let text = serde_json::to_string(&recorded).unwrap();
        let new: Recorded = serde_json::from_str(&text).unwrap();
        assert_eq!(new.gate, Some(facts));
    }

    #[test]
    fn who_approved_a_run_stays_recorded() {
        let mut recorded = Recorded::default();
        let mut approved = begin();
        if let Entry::Begin { approved_by, .. } = &mut approved {
            approved_by.insert("SHA256:a".into());
        }
        for entry in [begin(), approved, begin()] {
            recorded.fold(&entry).unwrap();
        }
        assert_eq!(recorded.approved.len(), 1);
        assert!(recorded.approved[&2].by.contains("SHA256:a"));
    }

    #[test]
    fn what_nobody_could_be_asked_is_refused() {
        let mut recorded = Recorded::default();
        recorded.fold(&begin()).unwrap();
        let before = recorded.clone();
        let wrong = recorded.fold(&Entry::Gate {
            facts: facts(false),
        });
        assert_eq!(wrong.unwrap_err().invariant, "S9");
        let mut no_key = facts(true);
        for keys in no_key.owners.values_mut() {
            keys.insert("approver-1".into());
        }
        let wrong = recorded.fold(&Entry::Gate { facts: no_key });
        assert_eq!(wrong.unwrap_err().invariant, "S9");
        assert_eq!(recorded, before);
    }
}
