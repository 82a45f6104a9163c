//! For tests: a configuration with all that rules look at.
//!
//! In: text. Out: its model, its texts, a plan, and the access that its grants give as they are
//! written. No provider evaluates anything: what is administrative or escalates is what the
//! examples need, said here in a line each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use remit_sdk::DeclarationAddress;
use remit_sdk::access::{Certainty, Escalation, Excess, Gain, Permission};
use remit_sdk::declaration::{Grant, Identity};
use remit_sdk::provider::{AuditDevice, Seen, Surroundings};

use super::{
    BASE, CeilingExcess, Checked, Effective, EscalationOf, Finding, InEffect, Input, Rule, check,
    find,
};
use crate::access::{AccessChange, Attributed};
use crate::config;
use crate::config::literals::{Literal, literals};
use crate::diagnostic::SourceMap;
use crate::evaluate::Inputs;
use crate::model::{self, Model};
use crate::observe::Observed;
use crate::plan::Plan;

/// Now, in tests.
pub(super) const NOW: &str = "2026-11-01T12:00:00Z";

/// A configuration, and what there is beside it.
pub(super) struct World {
    pub(super) model: Model,
    pub(super) sources: SourceMap,
    pub(super) literals: Vec<Literal>,
    pub(super) plan: Plan,
    pub(super) access: InEffect,
    pub(super) changes: Vec<AccessChange>,
    pub(super) observed: Observed,
}

impl World {
    /// The blocks of `text` beside those that every example stands in.
    pub(super) fn beside_base(text: &str) -> Self {
        Self::new(&[("base.remit.hcl", BASE), ("main.remit.hcl", text)])
    }

    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let mut sources = SourceMap::default();
        let mut configuration = config::syntax::Configuration::default();
        for (name, text) in files {
            let file = sources.add((*name).into(), (*text).into());
            let parsed = config::parse(text, file).unwrap_or_else(|error| panic!("{error:#?}"));
            configuration.blocks.extend(parsed.blocks);
            configuration.files.push(file);
        }
        let inputs = Inputs {
            root: PathBuf::new(),
            variables: [].into(),
            environment: &|name| {
                (name == "REMIT_VAR_database_password").then(|| "never used".to_owned())
            },
        };
        let providers: [&dyn remit_sdk::Lower; 2] = [&remit_vault::Vault, &remit_aws::Aws];
        let (model, _) = model::build(&configuration, &inputs, &providers, &sources)
            .unwrap_or_else(|errors| panic!("{errors:#?}"));
        let access = in_effect(&model);
        let mut plan = Plan::nothing();
        let text = files.iter().map(|(_, text)| *text).collect::<String>();
        if text.contains("remit-legacy") && model.resources.is_empty() {
            let key = "remit-legacy".to_owned();
            plan.unmanaged
                .insert(("vault".into(), "vault_policy".into(), key));
        }
        let observed = Observed {
            others: plan.unmanaged.clone(),
            surroundings: Some([("vault".to_owned(), surroundings(&text))].into()),
            ..Observed::default()
        };
        Self {
            literals: literals(&configuration),
            changes: Vec::new(),
            model,
            sources,
            plan,
            access,
            observed,
        }
    }

    /// With what changes since `before`, for the identities that were there then.
    pub(super) fn after(mut self, before: &Self) -> Self {
        for identity in self.model.identities.values() {
            let Some(earlier) = before.model.identities.get(&identity.address) else {
                continue;
            };
            let had: BTreeSet<_> = earlier.scopes.iter().map(|scope| &scope.value).collect();
            let gained: Vec<Attributed> = self
                .access
                .permissions
                .iter()
                .filter(|held| held.identity == identity.address)
                .filter(|held| held.scopes.iter().any(|scope| !had.contains(scope)))
                .map(|held| Attributed {
                    excess: excess(&held.permission),
                    scopes: held.scopes.clone(),
                    risk: None,
                })
                .collect();
            self.changes.push(AccessChange {
                gained,
                ..AccessChange::nothing(
                    identity.address.clone(),
                    ("vault_entity".into(), identity.name.clone()),
                )
            });
        }
        self
    }

    /// Everything that there is, looked at.
    pub(super) fn check(&self) -> Checked {
        self.check_with(|_| {})
    }

    /// Everything that there is but what `change` takes away.
    pub(super) fn check_with<'a>(&'a self, change: impl FnOnce(&mut Input<'a>)) -> Checked {
        let place = |span| Some(self.sources.place(span));
        let mut input = Input {
            model: &self.model,
            literals: Some(&self.literals),
            plan: Some(&self.plan),
            access: Some(&self.access),
            changes: Some(&self.changes),
            observed: Some(&self.observed),
            now: NOW,
            place: &|_| None,
        };
        change(&mut input);
        let input = Input {
            place: &place,
            ..input
        };
        check(&input)
    }

    /// The codes of the rules that found something.
    pub(super) fn codes(&self) -> Vec<String> {
        let found = self.check().findings;
        let codes: BTreeSet<String> = found.into_iter().map(|finding| finding.rule).collect();
        codes.into_iter().collect()
    }
}

/// What stands around the objects, as the comments of an example have it.
fn surroundings(text: &str) -> Surroundings {
    let device = AuditDevice {
        name: "file".into(),
        blind: None,
    };
    let has_device = !text.contains("has no audit device");
    let role = ("vault_database_role".to_owned(), "db/reports".to_owned());
    let leases = text.contains("two leases").then(|| {
        let what = "2 leases under `db/creds/reports`".to_owned();
        (role, Seen::Known(vec![what]))
    });
    Surroundings {
        audit: Some(Seen::Known(
            has_device.then_some(device).into_iter().collect(),
        )),
        left: leases.into_iter().collect(),
    }
}

/// The rule of this code.
pub(super) fn rule(code: &str) -> &'static Rule {
    find(code).unwrap()
}

/// The wrong example of a rule, after its right one.
pub(super) fn wrong(rule: &Rule) -> World {
    World::beside_base(rule.wrong).after(&right(rule))
}

/// The right example of a rule.
pub(super) fn right(rule: &Rule) -> World {
    World::beside_base(rule.right)
}

/// What is found of `code` beside the base.
pub(super) fn found(code: &str, text: &str) -> Vec<Finding> {
    let mut findings = World::beside_base(text).check().findings;
    findings.retain(|finding| finding.rule == code);
    findings
}

pub(super) fn permission(actions: &[&str], resources: &[&str]) -> Permission {
    let set = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Permission {
        actions: set(actions),
        resources: set(resources),
        conditions: [].into(),
        sources: [].into(),
    }
}

fn excess(permission: &Permission) -> Excess {
    Excess {
        permission: permission.clone(),
        example: None,
        certainty: Certainty::Surely,
    }
}

/// What the grants give as they are written.
fn in_effect(model: &Model) -> InEffect {
    let mut found = InEffect::default();
    for identity in model.identities.values() {
        let subject = ("vault_entity".to_owned(), identity.name.clone());
        let key = (model.instance_of(identity, "vault"), subject);
        found.subjects.insert(key, identity.address.clone());
        for held in &identity.scopes {
            let Some(scope) = model.scopes.get(&held.value) else {
                continue;
            };
            for grant in scope.grants_for(&identity.address) {
                add(&mut found, model, identity, &held.value, grant);
            }
        }
    }
    found
}

fn add(
    found: &mut InEffect,
    model: &Model,
    identity: &Identity,
    scope: &DeclarationAddress,
    grant: &Grant,
) {
    let permission = match grant {
        Grant::Vault(grant) => Permission {
            actions: grant.capabilities.value.clone(),
            resources: [grant.path.value.clone()].into(),
            ..permission(&[], &[])
        },
        Grant::Database(grant) => {
            let path = format!("{}/creds/{}", grant.mount.value, grant.connection.value);
            permission(&["read"], &[&path])
        }
        Grant::Aws(grant) => Permission {
            actions: grant.actions.value.clone(),
            resources: grant.resources.value.clone(),
            ..permission(&[], &[])
        },
    };
    let instance = model.instance_of(identity, grant.provider());
    let path = permission.resources.first().cloned().unwrap_or_default();
    let gain = match path.strip_prefix("auth/cluster/role/") {
        Some(name) => Some(Gain::Subject("vault_entity".into(), name.into())),
        None => path
            .starts_with("sys/policies/")
            .then_some(Gain::Everything),
    };
    if let Some(gain) = gain {
        found.escalations.push(EscalationOf {
            identity: identity.address.clone(),
            instance: instance.clone(),
            subject: ("vault_entity".into(), identity.name.clone()),
            escalation: Escalation {
                method: "write".into(),
                how: format!("writes {path}"),
                gain,
                by: [permission.clone()].into(),
                depends: Vec::new(),
            },
        });
    }
    let is_admin = permission.actions.contains("sudo");
    let agent = model.agents.get(&identity.agent);
    let ceiling = agent
        .map(|agent| &agent.ceiling)
        .filter(|all| !all.is_empty());
    if ceiling.is_some_and(|ceiling| !ceiling.contains(scope)) {
        found.excess.push(CeilingExcess {
            identity: identity.address.clone(),
            instance: instance.clone(),
            excess: excess(&permission),
            scopes: [scope.clone()].into(),
        });
    }
    found.permissions.push(Effective {
        identity: identity.address.clone(),
        instance,
        permission,
        scopes: [scope.clone()].into(),
        administrative: is_admin.then(|| "`sudo` is for administrators".to_owned()),
    });
}
