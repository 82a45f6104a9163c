//! What the shim has to know about an account without asking moto each time.
//!
//! In: every change that moto accepted. Out: names in use, whose ARN and unique id is whose, which
//! trust policies name whom, since when a thing may be seen. It is told of everything that happens
//! in the account, because everything goes through the shim.
//!
//! It must never be asked what an object looks like: that is moto's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::wire::{Answer, Call, Service};
use super::xml;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sort {
    Role,
    User,
    Group,
    Policy,
    Profile,
    Provider,
}

/// Sort, the action's noun, the parameter with the name, how AWS calls it, the element of its id.
const SORTS: [(Sort, &str, &str, &str, &str); 5] = [
    (Sort::Role, "Role", "RoleName", "Role with name", "RoleId"),
    (Sort::User, "User", "UserName", "User with name", "UserId"),
    (
        Sort::Group,
        "Group",
        "GroupName",
        "Group with name",
        "GroupId",
    ),
    (
        Sort::Policy,
        "Policy",
        "PolicyName",
        "A policy called",
        "PolicyId",
    ),
    (
        Sort::Profile,
        "InstanceProfile",
        "InstanceProfileName",
        "Instance Profile",
        "InstanceProfileId",
    ),
];

/// A thing of the account.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) id: String,
    /// Of a role: its trust policy.
    pub(crate) trust: String,
    /// Of a role or user: the ARN of its boundary.
    pub(crate) boundary: String,
    /// When it has spread.
    pub(crate) visible: Instant,
}

#[derive(Default)]
pub(crate) struct Ledger {
    /// By sort and name in lower case.
    pub(crate) entities: BTreeMap<(Sort, String), Entity>,
    /// Resource policies by the secret as the request named it.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Principals of other accounts that exist.
    pub(crate) abroad: BTreeSet<String>,
}

impl Ledger {
    pub(crate) fn named(&self, sort: Sort, name: &str) -> Option<&Entity> {
        self.entities
            .get(&(sort, name.to_lowercase()))
            .filter(|entity| entity.name == name)
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<&Entity> {
        self.entities.values().find(|entity| entity.arn == arn)
    }

    /// Whether a principal, by ARN or unique id, is there and has spread.
    pub(crate) fn knows(&self, principal: &str, now: Instant) -> bool {
        self.abroad.contains(principal)
            || self.entities.iter().any(|((sort, _), entity)| {
                matches!(sort, Sort::Role | Sort::User)
                    && (entity.arn == principal || entity.id == principal)
                    && entity.visible <= now
            })
    }

    /// What a `Create…` makes: its sort, its name, and how AWS calls it.
    pub(crate) fn made_by(call: &Call) -> Option<(Sort, &str, &'static str)> {
        let noun = call.action.strip_prefix("Create")?;
        SORTS
            .iter()
            .find(|(_, action, ..)| *action == noun)
            .map(|(sort, _, parameter, words, _)| (*sort, call.get(parameter), *words))
    }

    /// The entities a call needs: what a parameter names, and what AWS says where it is not there.
    pub(crate) fn needed_by(&self, call: &Call) -> Vec<(Option<&Entity>, String)> {
        let mut all = Vec::new();
        let made = Self::made_by(call).map(|(sort, ..)| sort);
        for (sort, _, parameter, ..) in SORTS {
            let name = call.get(parameter);
            // An inline policy has a name of its own, which is nobody else's.
            if name.is_empty() || made == Some(sort) || sort == Sort::Policy {
                continue;
            }
            let noun = parameter.trim_end_matches("Name").to_lowercase();
            let said = format!("The {noun} with name {name} cannot be found.");
            all.push((self.named(sort, name), said));
        }
        for (parameter, words) in [
            ("PolicyArn", "Policy"),
            ("PermissionsBoundary", "Scope ARN:"),
            ("OpenIDConnectProviderArn", "OpenIDConnect Provider"),
        ] {
            let arn = call.get(parameter);
            // Policies of AWS's own are there for everybody.
            if !arn.is_empty() && !arn.contains("::aws:") {
                let said = format!("{words} {arn} does not exist or is not attachable.");
                all.push((self.by_arn(arn), said));
            }
        }
        all
    }

    /// Takes note of a change that was made.
    pub(crate) fn note(&mut self, call: &Call, answer: &Answer, visible: Instant) {
        if call.service == Service::Secrets {
            match call.action.as_str() {
                "PutResourcePolicy" => {
                    let policy = call.get("ResourcePolicy").to_owned();
                    self.secrets.insert(call.get("SecretId").to_owned(), policy);
                }
                "DeleteResourcePolicy" | "DeleteSecret" => {
                    self.secrets.remove(call.get("SecretId"));
                }
                _ => {}
            }
            return;
        }
        let told = |name: &str| xml::text(&answer.body, name).unwrap_or_default();
        if let Some((sort, name, _)) = Self::made_by(call) {
            let id = SORTS
                .iter()
                .find(|one| one.0 == sort)
                .map_or("", |one| one.4);
            let entity = Entity {
                name: name.to_owned(),
                arn: told("Arn"),
                id: told(id),
                trust: call.get("AssumeRolePolicyDocument").to_owned(),
                boundary: call.get("PermissionsBoundary").to_owned(),
                visible,
            };
            self.entities.insert((sort, name.to_lowercase()), entity);
            return;
        }
        match call.action.as_str() {
            "CreateOpenIDConnectProvider" => {
                let arn = told("OpenIDConnectProviderArn");
                let entity = Entity {
                    name: arn.clone(),
                    arn: arn.clone(),
                    id: String::new(),
                    trust: String::new(),
                    boundary: String::new(),
                    visible,
                };
                self.entities.insert((Sort::Provider, arn), entity);
            }
            "DeleteOpenIDConnectProvider" => {
                let arn = call.get("OpenIDConnectProviderArn").to_owned();
                self.entities.remove(&(Sort::Provider, arn));
            }
            "DeletePolicy" => {
                let arn = call.get("PolicyArn");
                self.entities.retain(|_, entity| entity.arn != arn);
            }
            "DeleteRole" | "DeleteUser" | "DeleteGroup" | "DeleteInstanceProfile" => {
                for (sort, noun, parameter, ..) in SORTS {
                    if call.action.strip_prefix("Delete") == Some(noun) {
                        self.entities
                            .remove(&(sort, call.get(parameter).to_lowercase()));
                    }
                }
            }
            action => self.note_update(action, call),
        }
    }

    fn note_update(&mut self, action: &str, call: &Call) {
        let (sort, name) = match call.get("RoleName") {
            "" => (Sort::User, call.get("UserName")),
            role => (Sort::Role, role),
        };
        let (sort, name) = match action {
            "UpdateGroup" => (Sort::Group, call.get("GroupName")),
            _ => (sort, name),
        };
        let Some(entity) = self.entities.get_mut(&(sort, name.to_lowercase())) else {
            return;
        };
        match action {
            "UpdateAssumeRolePolicy" => call.get("PolicyDocument").clone_into(&mut entity.trust),
            "PutRolePermissionsBoundary" | "PutUserPermissionsBoundary" => {
                call.get("PermissionsBoundary")
                    .clone_into(&mut entity.boundary);
            }
            "DeleteRolePermissionsBoundary" | "DeleteUserPermissionsBoundary" => {
                entity.boundary.clear();
            }
            "UpdateUser" | "UpdateGroup" if !call.get("NewPath").is_empty() => {
                let sort = if sort == Sort::User {
                    ":user"
                } else {
                    ":group"
                };
                if let Some((account, _)) = entity.arn.split_once(sort) {
                    entity.arn = format!("{account}{sort}{}{name}", call.get("NewPath"));
                }
            }
            _ => {}
        }
    }
}
