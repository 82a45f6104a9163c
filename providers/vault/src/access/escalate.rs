//! Ways in which permissions in a Vault add up to more than they say.
//!
//! In: a subject with its policies, and the world around it. Out: escalations: writing a policy
//! that one holds, or the entity, group or alias that one is, or a login role; making tokens;
//! changing what an auth mount believes; taking another workload's secret-id; writing what a
//! database role does, or where a database is. Each is tried as requests against the policies, so that a `deny` or a limit
//! on a parameter that stands in the way counts.
//!
//! What each way takes was tried on OpenBao 2.7.2: whether the server takes a write for a create
//! or an update (the identity store and policies know updates only, login roles and token roles
//! both), which parameters it can't do without, and what else must hold. In other namespaces
//! logins and tokens are looked for; a group there has no members of this one on OpenBao. Not
//! looked for: endpoints of plugins that aren't known here, secrets that are
//! credentials to something else.

mod claims;
mod databases;
mod groups;
mod logins;
mod methods;
mod mounts;
mod search;
mod templates;
mod unknown;

use std::collections::BTreeSet;

use remit_sdk::access::{Escalation, Gain, Permission, Subject, World};
use remit_sdk::{Value, text::safe};

use super::administrative::is_harmless;
use super::decide::Operation;
use super::evaluate::{ANYTHING, ENTITY, EVERYTHING, Holding, POLICY, is_true, texts};
use search::{ANY, Body, MORE, NEW, OTHER, SOME, Search, Step, surest};

/// An entity can have one alias at each mount.
const ELSEWHERE: &str = "an entity that doesn't log in at the same mount yet";

const ALIAS: &str = "vault_entity_alias";

pub(super) fn escalations(
    world: &World<'_>,
    subject: &Subject,
    holding: &Holding<'_>,
) -> Vec<Escalation> {
    if holding.acl.is_root() {
        return vec![root(holding)];
    }
    // Most hold nothing but what they read and write of their own: looking no further keeps the
    // whole from growing with the square of the subjects.
    let mounts = databases::mounts(world);
    let firsts = mounts.iter().filter_map(|mount| mount.split('/').next());
    let in_server = writes_in(holding, &["sys", "auth", "identity"].into());
    let in_databases = writes_in(holding, &firsts.collect());
    let mut search = Search::new(holding, id_of(world, subject));
    if in_databases {
        search.databases(world, &mounts);
    }
    if in_server {
        search.own_policies(world);
        search.own_entity(world, subject);
        search.templates(world, subject);
        search.groups(world, subject);
        search.aliases(world, subject);
        search.merge();
        search.tokens();
        search.server();
        search.remount();
        search.logins(world, subject);
    }
    // Nothing of what is declared is in another namespace.
    let nothing = World::default();
    for namespace in &holding.namespaces {
        search.go_to(namespace);
        if !search.is_openbao() {
            search.groups(&nothing, subject);
        }
        search.tokens();
        search.remount();
        search.logins(&nothing, subject);
    }
    search.into_found()
}

/// Whether a rule lets anything be written in one of these trees, each by its first segment.
fn writes_in(holding: &Holding<'_>, trees: &BTreeSet<&str>) -> bool {
    let writes = ["create", "update", "patch", "delete", "sudo"];
    holding
        .acl
        .entries()
        .filter(|entry| {
            let given = &entry.grant.capabilities;
            writes.iter().any(|name| given.contains_key(name)) && !is_harmless(entry.path())
        })
        .any(|entry| {
            let first = entry.path().split('/').next().unwrap_or_default();
            // A template may come to anything.
            let is_any = first == "+" || first.contains("{{");
            let begins = first.strip_suffix('*');
            is_any
                || trees.contains(first)
                || begins.is_some_and(|begin| trees.iter().any(|tree| tree.starts_with(begin)))
        })
}

fn root(holding: &Holding<'_>) -> Escalation {
    let all = Permission {
        actions: [ANYTHING.to_owned()].into(),
        resources: [EVERYTHING.to_owned()].into(),
        conditions: BTreeSet::new(),
        sources: holding.sources(["root".to_owned()].iter()),
    };
    Escalation {
        method: "root".to_owned(),
        how: "holds the policy `root`".to_owned(),
        gain: Gain::Everything,
        by: [all].into(),
        depends: Vec::new(),
    }
}

impl Search<'_> {
    fn own_policies(&mut self, world: &World<'_>) {
        for name in &self.holding.policies {
            let guarded = world
                .thing(POLICY, name)
                .is_some_and(|policy| is_true(policy, "cas_required"));
            let body: Body<'_> = if guarded {
                &[("cas", NEW), ("policy", ANY)]
            } else {
                &[("policy", ANY)]
            };
            let path = format!("sys/policies/acl/{name}");
            let patch = self
                .is_openbao()
                .then(|| self.request(Operation::Patch, &path, &[body]))
                .flatten();
            // Vault compares a deny with the path as it is written, which the policy's name isn't.
            let other_case = || {
                let way = self.update(
                    &format!("sys/policies/acl/{}", name.to_uppercase()),
                    &[body],
                )?;
                Some(way.given("the server being older than Vault 2.2.2"))
            };
            let way = surest([
                self.update(&path, &[body]),
                patch,
                self.update(&format!("sys/policy/{name}"), &[body]),
                (!self.is_openbao()).then(other_case).flatten(),
            ]);
            let how = format!("writes the policy `{}`, which it holds", safe(name));
            self.keep("write-own-policy", Gain::Everything, &how, way);
        }
    }

    fn own_entity(&mut self, world: &World<'_>, subject: &Subject) {
        if subject.0 != ENTITY {
            return;
        }
        let ways = self.of_own_entity(world, subject, ("policies", MORE));
        let how = "attaches any policy to its own entity";
        self.keep("edit-own-entity", Gain::Everything, how, surest(ways));
    }

    /// Writing this of one's own entity.
    fn of_own_entity(
        &self,
        world: &World<'_>,
        subject: &Subject,
        what: (&str, &str),
    ) -> Vec<Option<Step>> {
        let id = id_of(world, subject);
        let mut ways = vec![
            self.update(&format!("identity/entity/name/{}", subject.1), &[&[what]]),
            self.update(&format!("identity/entity/id/{id}"), &[&[what]]),
            self.update(
                "identity/entity",
                &[&[("name", subject.1.as_str()), what], &[("id", id), what]],
            ),
        ];
        let names = self.names("identity/entity/name/{}", NEW);
        for name in spellings(names, &subject.1) {
            ways.push(self.update(&format!("identity/entity/name/{name}"), &[&[what]]));
        }
        ways
    }

    fn aliases(&mut self, world: &World<'_>, subject: &Subject) {
        let own = own_aliases(world, subject);
        let mut ways = Vec::new();
        let trees = ["identity/entity-alias", "identity/alias"];
        // The server takes the entity by its old name, too.
        for (tree, entity) in trees
            .iter()
            .flat_map(|tree| ENTITIES.map(|one| (tree, one)))
        {
            ways.push(self.update(
                tree,
                &[
                    &[(entity, OTHER), ("mount_accessor", ANY), ("name", ANY)],
                    &[(entity, OTHER), ("id", ANY)],
                ],
            ));
            ways.extend(self.by_alias(&format!("{tree}/id"), &own, &[(entity, OTHER)]));
        }
        let way = surest(ways).map(|way| way.given(ELSEWHERE));
        let how = "lets its own login stand for another entity";
        self.keep("edit-alias", Gain::Everything, how, way);
    }

    /// Writing one's own alias by its id.
    fn by_alias(&self, place: &str, own: &BTreeSet<String>, body: Body<'_>) -> Vec<Option<Step>> {
        let by_id = |id: &str| self.update(&format!("{place}/{id}"), &[body]);
        if own.is_empty() {
            let its = |way: Step| way.given("the id of its own alias");
            return vec![by_id(SOME).map(its)];
        }
        own.iter().map(|id| by_id(id)).collect()
    }

    /// What is merged into another entity takes its logins along, and so do its tokens.
    fn merge(&mut self) {
        const PAIR: Body<'_> = &[("from_entity_ids", ANY), ("to_entity_id", OTHER)];
        const KEEP: Body<'_> = &[
            ("conflicting_alias_ids_to_keep", ANY),
            ("from_entity_ids", ANY),
            ("to_entity_id", OTHER),
        ];
        let pair = self.update("identity/entity/merge", &[PAIR]);
        let way = surest([
            self.update("identity/entity/merge", &[KEEP]),
            pair.map(|way| way.given(ELSEWHERE)),
        ]);
        let how = "merges its own entity into another";
        self.keep("merge-entities", Gain::Everything, how, way);
    }

    /// A token holds at most its maker's policies, unless `sudo` is given where it is made, or a
    /// token role says otherwise.
    fn tokens(&mut self) {
        for path in ["auth/token/create", "auth/token/create-orphan"] {
            if self.has_sudo(path) {
                let way = self.update(path, &[POLICIES]);
                let how = "makes tokens with any policy";
                self.keep("create-token", Gain::Everything, how, way);
            }
        }
        let mut names = self.names("auth/token/create/{}", NEW);
        // A namespace gives no tokens to those of another without it.
        let may_make = |search: &Self, name: &str| {
            let path = format!("auth/token/create/{name}");
            !search.in_namespace() || search.has_sudo(&path)
        };
        names.retain(|name| may_make(self, name));
        for name in &names {
            let way = self.update(&format!("auth/token/create/{name}"), &[&[]]);
            let (gain, how) = if name.contains(NEW) {
                ("token roles".to_owned(), "of a token role".to_owned())
            } else {
                let role = format!("token role {}", safe(name));
                (role, format!("of the token role `{}`", safe(name)))
            };
            let how = format!("makes tokens {how}, with the policies that the role allows");
            self.keep("create-token-of-role", Gain::Foreign(gain), &how, way);
        }
        names.extend(self.names("auth/token/roles/{}", NEW));
        names.retain(|name| may_make(self, name));
        for name in names {
            let write = |body: Body<'_>, make: Body<'_>| {
                let role = self.write(&format!("auth/token/roles/{name}"), &[body])?;
                let token = self.update(&format!("auth/token/create/{name}"), &[make])?;
                Some(role.then(token))
            };
            let way = surest([
                write(&[("allowed_policies", MORE)], &[]),
                write(&[("allowed_policies_glob", MORE)], POLICIES),
                write(&[("allowed_entity_aliases", ANY)], &[("entity_alias", ANY)]),
            ]);
            let how = "writes a token role that allows any policy, and makes tokens of it";
            self.keep("write-token-role", Gain::Everything, how, way);
        }
    }

    fn server(&mut self) {
        let raw = "the server's setting `raw_storage_endpoint`";
        let how = "writes the server's storage";
        for path in self.paths_below("sys/raw") {
            let way = self.update(&path, &[&[("value", ANY)]]);
            let way = way.map(|way| way.given(raw));
            self.keep("write-storage", Gain::Everything, how, way);
        }
        let how = "lets the server run a program of its own";
        for kind in ["auth", "database", "secret"] {
            let place = format!("sys/plugins/catalog/{kind}");
            for name in self.names(&format!("{place}/{{}}"), NEW) {
                let body: Body<'_> = &[("command", ANY), ("sha256", ANY)];
                let way = self.update(&format!("{place}/{name}"), &[body]);
                let way = way
                    .map(|way| way.given("a program of its own in the server's plugin directory"));
                self.keep("register-plugin", Gain::Everything, how, way);
            }
        }
        let how = "replaces the server's storage by its own";
        for end in ["snapshot", "snapshot-force"] {
            let way = self.update(&format!("sys/storage/raft/{end}"), &[&[]]);
            let way = way.map(|way| way.given("the server's storage being `raft`"));
            self.keep("restore-snapshot", Gain::Everything, how, way);
        }
    }
}

const POLICIES: Body<'static> = &[("policies", MORE)];

/// What says whose an alias is; each is enough.
const ENTITIES: [&str; 2] = ["canonical_id", "entity_id"];

/// The spellings of a name in the identity store that rules have, and the usual ones: the server
/// doesn't tell cases apart there, and rules for its path do, so that one that denies it in one
/// spelling leaves the others.
fn spellings(mut names: BTreeSet<String>, name: &str) -> BTreeSet<String> {
    names.retain(|one| one.eq_ignore_ascii_case(name));
    names.extend([
        name.to_owned(),
        name.to_ascii_uppercase(),
        name.to_ascii_lowercase(),
    ]);
    names
}

fn id_of<'w>(world: &'w World<'_>, subject: &'w Subject) -> &'w str {
    world
        .thing(ENTITY, &subject.1)
        .and_then(|entity| entity.attributes.get("id"))
        .and_then(Value::as_str)
        .unwrap_or(SOME)
}

/// The ids of the aliases that are declared with a subject, as far as they are known.
fn own_aliases(world: &World<'_>, subject: &Subject) -> BTreeSet<String> {
    world
        .thing(&subject.0, &subject.1)
        .and_then(|thing| thing.address)
        .into_iter()
        .flat_map(|address| world.of_declaration(&address.declaration))
        .filter(|thing| thing.kind.name == ALIAS)
        .flat_map(|alias| texts(alias, "id"))
        .collect()
}
