//! Ways in which permissions in a Vault add up to more than they say.
//!
//! In: a subject with its policies, and the world around it. Out: escalations: writing a policy
//! that one holds, or the entity, group or alias that one is, or a login role; making tokens;
//! changing what an auth mount believes; taking another workload's secret-id. Each is tried as a
//! request against the policies, so that a `deny` or a limit on a parameter that stands in the way
//! counts.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Escalation, Gain, Permission, Subject, Thing, World};
use remit_sdk::{Value, text::safe};

use super::decide::{Operation, Parameters, Request, Verdict, Wrapping};
use super::evaluate::{ENTITY, Holding, ROLES, texts};

/// A name that nothing has, for paths that name something new.
const NEW: &str = "remit-probe-0";

/// What stands for any object of others, where an id is needed and none is known.
const SOME: &str = "00000000-0000-0000-0000-000000000000";

/// What a request must be able to say for the escalation to work: parameter by parameter, where
/// the value is known; every other parameter may be left out.
type Body<'a> = &'a [(&'a str, &'a str)];

pub(super) fn escalations(
    world: &World<'_>,
    subject: &Subject,
    holding: &Holding<'_>,
) -> Vec<Escalation> {
    let mut search = Search {
        holding,
        found: BTreeMap::new(),
    };
    if holding.acl.is_root() {
        let all = Permission {
            actions: ["anything".to_owned()].into(),
            resources: ["everything".to_owned()].into(),
            conditions: BTreeSet::new(),
            sources: holding.sources(["root".to_owned()].iter()),
        };
        let escalation = Escalation {
            method: "root".to_owned(),
            how: "holds the policy `root`".to_owned(),
            gain: Gain::Everything,
            by: [all].into(),
            depends: Vec::new(),
        };
        search.found.insert(("root", Gain::Everything), escalation);
    }
    search.own_policies();
    search.own_entity(world, subject);
    search.tokens();
    search.server();
    search.mounts(world, subject);
    search.found.into_values().collect()
}

struct Search<'a> {
    holding: &'a Holding<'a>,
    /// The first way for each method and gain.
    found: BTreeMap<(&'static str, Gain), Escalation>,
}

impl Search<'_> {
    /// Tries to write, in each way that the endpoint takes, and keeps what works.
    fn write(&mut self, method: &'static str, path: &str, body: Body<'_>, gain: Gain, how: String) {
        self.attempt(
            method,
            &[Operation::Update, Operation::Create],
            path,
            body,
            gain,
            how,
        );
    }

    fn attempt(
        &mut self,
        method: &'static str,
        operations: &[Operation],
        path: &str,
        body: Body<'_>,
        gain: Gain,
        how: String,
    ) {
        let key = (method, gain.clone());
        if self
            .found
            .get(&key)
            .is_some_and(|found| found.depends.is_empty())
        {
            return;
        }
        let parameters: BTreeMap<String, Value> = body
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::string(*value)))
            .collect();
        for operation in operations {
            let request = Request {
                operation: *operation,
                path,
                parameters: Parameters::Known(parameters.clone()),
                wrapping: Wrapping::Unknown,
            };
            let (rules, by, depends) = match self.holding.acl.decide(&request) {
                Verdict::Allowed { rule, by } => (BTreeSet::from([rule]), by, Vec::new()),
                Verdict::Depends { on, rules, by } => {
                    (rules, by, on.iter().map(ToString::to_string).collect())
                }
                Verdict::Denied { .. } => continue,
            };
            let better = self
                .found
                .get(&key)
                .is_none_or(|found| depends.len() < found.depends.len());
            if !better {
                continue;
            }
            let permission = Permission {
                actions: [operation.capability().to_owned()].into(),
                resources: rules,
                conditions: BTreeSet::new(),
                sources: self.holding.sources(by.iter()),
            };
            let escalation = Escalation {
                method: method.to_owned(),
                how: how.clone(),
                gain: gain.clone(),
                by: [permission].into(),
                depends,
            };
            self.found.insert(key.clone(), escalation);
        }
    }

    fn own_policies(&mut self) {
        for name in self.holding.policies.clone() {
            for tree in ["sys/policies/acl", "sys/policy"] {
                let how = format!("writes the policy `{}`, which it holds", safe(&name));
                let path = format!("{tree}/{name}");
                self.write(
                    "write-own-policy",
                    &path,
                    &[("policy", "…")],
                    Gain::Everything,
                    how,
                );
            }
        }
    }

    fn own_entity(&mut self, world: &World<'_>, subject: &Subject) {
        let everything = || Gain::Everything;
        if subject.0 == ENTITY {
            let id = world
                .thing(ENTITY, &subject.1)
                .and_then(|entity| entity.attributes.get("id"))
                .and_then(Value::as_str)
                .unwrap_or(SOME);
            for (path, body) in [
                (
                    format!("identity/entity/name/{}", subject.1),
                    [("policies", "…")],
                ),
                (format!("identity/entity/id/{id}"), [("policies", "…")]),
            ] {
                let how = "attaches any policy to its own entity".to_owned();
                self.write("edit-own-entity", &path, &body, everything(), how);
            }
            let how = "attaches any policy to its own entity".to_owned();
            let body = [("name", subject.1.as_str()), ("policies", "…")];
            self.write(
                "edit-own-entity",
                "identity/entity",
                &body,
                everything(),
                how,
            );
        }
        let how = "makes a group with any policy, and itself a member".to_owned();
        for (path, body) in [
            (
                "identity/group".to_owned(),
                vec![("member_entity_ids", "…"), ("name", NEW), ("policies", "…")],
            ),
            (
                format!("identity/group/name/{NEW}"),
                vec![("member_entity_ids", "…"), ("policies", "…")],
            ),
        ] {
            self.write("edit-group", &path, &body, everything(), how.clone());
        }
        let how = "lets its own login stand for any entity".to_owned();
        let body = [
            ("canonical_id", "…"),
            ("mount_accessor", "…"),
            ("name", "…"),
        ];
        self.write(
            "edit-alias",
            "identity/entity-alias",
            &body,
            everything(),
            how,
        );
        let how = "merges any entity into its own".to_owned();
        let body = [("from_entity_ids", "…"), ("to_entity_id", "…")];
        self.write(
            "merge-entities",
            "identity/entity/merge",
            &body,
            everything(),
            how,
        );
    }

    /// A token holds at most its maker's policies, unless `sudo` is given where it is made.
    fn tokens(&mut self) {
        let capabilities = self.holding.acl.capabilities("auth/token/create");
        if capabilities.contains("sudo") {
            let how = "makes tokens with any policy".to_owned();
            self.write(
                "create-token",
                "auth/token/create",
                &[("policies", "…")],
                Gain::Everything,
                how,
            );
        }
        let how = "makes a token role that allows any policy".to_owned();
        let path = format!("auth/token/roles/{NEW}");
        self.write(
            "write-token-role",
            &path,
            &[("allowed_policies", "…")],
            Gain::Everything,
            how,
        );
        let how = "makes tokens of a token role, with the policies that the role allows".to_owned();
        let gain = Gain::Foreign("token roles".to_owned());
        let path = format!("auth/token/create/{NEW}");
        self.write("create-token-of-role", &path, &[], gain, how);
    }

    fn server(&mut self) {
        for (method, path, how) in [
            (
                "enable-auth",
                format!("sys/auth/{NEW}"),
                "makes an auth mount that vouches for anybody",
            ),
            (
                "write-storage",
                format!("sys/raw/{NEW}"),
                "writes the server's storage",
            ),
            (
                "register-plugin",
                format!("sys/plugins/catalog/auth/{NEW}"),
                "lets the server run a program of its own",
            ),
            (
                "restore-snapshot",
                "sys/storage/raft/snapshot".to_owned(),
                "replaces the server's storage by its own",
            ),
        ] {
            self.write(method, &path, &[], Gain::Everything, how.to_owned());
        }
    }

    fn mounts(&mut self, world: &World<'_>, subject: &Subject) {
        let mut mounts: BTreeSet<String> = world
            .of_kind("vault_auth_mount")
            .map(|mount| mount.key.to_owned())
            .collect();
        let roles: Vec<&Thing<'_>> = ROLES.iter().flat_map(|kind| world.of_kind(kind)).collect();
        mounts.extend(roles.iter().filter_map(|role| mount_of(role)));
        for mount in &mounts {
            let on_mount = roles
                .iter()
                .filter(|role| mount_of(role).as_deref() == Some(mount.as_str()));
            let how = format!("writes a login role on `{}` with any policy", safe(mount));
            let path = format!("auth/{mount}/role/{NEW}");
            self.write(
                "write-login-role",
                &path,
                &[("token_policies", "…")],
                Gain::Everything,
                how,
            );
            let is_jwt = world
                .thing("vault_jwt_config", &format!("auth/{mount}/config"))
                .is_some();
            for role in on_mount {
                let name = role.attributes.get("name").and_then(Value::as_str);
                let Some(name) = name else { continue };
                let of = subject_of(world, role);
                let is_own = of == *subject;
                let path = format!("auth/{mount}/role/{name}");
                let how = format!(
                    "writes the login role `{}`, so that it gives any policy",
                    safe(name)
                );
                self.write(
                    "write-login-role",
                    &path,
                    &[("token_policies", "…")],
                    Gain::Everything,
                    how,
                );
                if is_own {
                    continue;
                }
                let gain = Gain::Subject(of.0, of.1);
                if role.kind.name == "vault_approle_role" {
                    let how = format!("makes itself a secret-id of the role `{}`", safe(name));
                    self.write(
                        "make-secret-id",
                        &format!("{path}/secret-id"),
                        &[],
                        gain,
                        how,
                    );
                } else if is_jwt {
                    let how = format!("changes whose tokens `{}` believes", safe(mount));
                    let path = format!("auth/{mount}/config");
                    let body = [("jwt_validation_pubkeys", "…")];
                    self.write("edit-auth-mount", &path, &body, gain, how);
                }
            }
        }
    }
}

/// The auth mount of a login role.
fn mount_of(role: &Thing<'_>) -> Option<String> {
    texts(role, "mount")
        .into_iter()
        .next()
        .map(|mount| mount.trim_end_matches('/').to_owned())
}

/// The subject that logs in by a role.
fn subject_of(world: &World<'_>, role: &Thing<'_>) -> Subject {
    let entity = role.address.and_then(|address| {
        world
            .of_declaration(&address.declaration)
            .find(|thing| thing.kind.name == ENTITY)
            .map(|thing| thing.key.to_owned())
    });
    match entity {
        Some(key) => (ENTITY.to_owned(), key),
        None => (role.kind.name.to_owned(), role.key.to_owned()),
    }
}
