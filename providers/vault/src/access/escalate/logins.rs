//! Ways that lead through auth mounts: login roles and users that give any policy, secret-ids of
//! others, mounts of one's own.
//!
//! In: the login roles and auth mounts of the world, and those that rules name. Out: ways that
//! work, as in the module above. What a method needs is a row of `METHODS`; a mount of which the
//! method isn't known is tried as each of them, and that it is one is said.

use std::collections::BTreeSet;

use remit_sdk::access::{Gain, Subject, Thing, World};
use remit_sdk::text::safe;

use super::super::decide::Operation;
use super::super::evaluate::{ENTITY, ROLES, has_entity, own_policies, texts};
use super::super::pattern::Segment;
use super::methods::{METHODS, Method, TOKEN, value};
use super::search::{ANY, Body, MORE, NEW, SOME, Search, Step, surest};

/// What makes a role of a `jwt` mount let somebody in; each is enough.
pub(super) const LETS_IN: [Body<'static>; 3] = [
    &[("bound_subject", ANY), ("role_type", "jwt")],
    &[("bound_audiences", ANY), ("role_type", "jwt")],
    &[("bound_claims", ANY), ("role_type", "jwt")],
];

const MOUNT: &str = "vault_auth_mount";
const APPROLE: &str = "vault_approle_role";
const JWT_CONFIG: &str = "vault_jwt_config";

/// An auth mount that the world has, or that a rule names or leaves open.
pub(super) struct Mount<'w> {
    pub(super) path: String,
    /// Its type, where that is known.
    pub(super) kind: Option<String>,
    /// The login roles on it.
    pub(super) roles: Vec<&'w Thing<'w>>,
    /// Whether the subject logs in here.
    pub(super) is_own: bool,
    /// Whether a role here is another's.
    pub(super) has_others: bool,
    /// Whether the world has it.
    is_there: bool,
}

impl Mount<'_> {
    pub(super) fn shown(&self) -> String {
        safe(&self.path.replace(NEW, "…"))
    }

    /// Whether the world has a login role of this name here.
    pub(super) fn has_role(&self, name: &str) -> bool {
        let is_it = |role: &&Thing<'_>| texts(role, "name").contains(name);
        self.roles.iter().any(is_it)
    }

    /// Whether a login role here reads groups of a token.
    pub(super) fn names_groups(&self) -> bool {
        let claims = |role: &&Thing<'_>| texts(role, "groups_claim");
        let mut claims = self.roles.iter().flat_map(claims);
        claims.any(|claim| !claim.is_empty())
    }

    /// A way that takes a mount of one of these types.
    pub(super) fn of_type(&self, kinds: &[&str], way: Option<Step>) -> Option<Step> {
        match &self.kind {
            Some(kind) => way.filter(|_| kinds.contains(&kind.as_str())),
            None => way.map(|way| {
                let kinds = kinds.join(" or ");
                way.given(format!(
                    "`{}` being an auth mount of type {kinds}",
                    self.shown()
                ))
            }),
        }
    }

    /// A way that takes what the mount's issuer gives.
    pub(super) fn vouched(&self, way: Option<Step>) -> Option<Step> {
        if self.is_own {
            return way;
        }
        way.map(|way| way.given(format!("a credential that `{}` accepts", self.shown())))
    }
}

impl Search<'_> {
    pub(super) fn logins(&mut self, world: &World<'_>, subject: &Subject) {
        // Most subjects write nothing of this, and looking at each login for each subject would
        // cost the square of their number.
        let some = self.writes_below(&["auth"], Some("token"))
            || self.writes_below(&["identity", "group-alias"], None);
        if !some {
            return;
        }
        let mounts = self.mounts(world, subject);
        for mount in &mounts {
            self.group_aliases(mount);
            let place: Vec<&str> = ["auth"].into_iter().chain(mount.path.split('/')).collect();
            if !self.writes_below(&place, None) {
                continue;
            }
            let gives_any = self.new_logins(mount);
            for role in &mount.roles {
                self.role(world, subject, mount, role);
            }
            // Whoever makes a login with any policy needs no other.
            if !gives_any {
                self.unknown_roles(mount);
                self.claims(world, subject, mount);
            }
            if !gives_any || mount.kind.is_some() {
                self.beliefs(world, subject, mount);
                self.passwords(mount);
            }
        }
        self.own_mount(&mounts);
    }

    fn mounts<'w>(&self, world: &'w World<'_>, subject: &Subject) -> Vec<Mount<'w>> {
        let roles: Vec<&Thing<'_>> = ROLES.iter().flat_map(|kind| world.of_kind(kind)).collect();
        let mut paths: BTreeSet<String> = world
            .of_kind(MOUNT)
            .map(|mount| mount.key.to_owned())
            .collect();
        paths.extend(roles.iter().filter_map(|role| mount_of(role)));
        paths.extend(self.named_mounts());
        // There may be one that isn't known where rules leave it open.
        paths.insert(NEW.to_owned());
        paths.extend(self.names("auth/{}", NEW));
        // The token store is one, too, and has ways of its own.
        paths.remove("token");
        paths
            .into_iter()
            .map(|path| {
                let roles: Vec<&Thing<'_>> = roles
                    .iter()
                    .copied()
                    .filter(|role| mount_of(role).as_deref() == Some(path.as_str()))
                    .collect();
                let declared = world
                    .thing(MOUNT, &path)
                    .and_then(|mount| texts(mount, "type").into_iter().next());
                let by_role = roles.first().map(|role| {
                    let is_approle = role.kind.name == APPROLE;
                    (if is_approle { "approle" } else { "jwt" }).to_owned()
                });
                let by_config = world
                    .thing(JWT_CONFIG, &format!("auth/{path}/config"))
                    .map(|_| "jwt".to_owned());
                let is_there = world.thing(MOUNT, &path).is_some() || !roles.is_empty();
                Mount {
                    is_there,
                    kind: declared.or(by_role).or(by_config),
                    is_own: roles.iter().any(|role| subject_of(world, role) == *subject),
                    has_others: roles.iter().any(|role| subject_of(world, role) != *subject),
                    path,
                    roles,
                }
            })
            .collect()
    }

    /// Mounts that rules name, of one segment.
    fn named_mounts(&self) -> BTreeSet<String> {
        let name = |segments: &[Segment]| match segments {
            [tree, Segment::Literal(mount), ..]
                if tree.matches("auth") && !mount.is_empty() && !mount.contains("{{") =>
            {
                Some(mount.clone())
            }
            _ => None,
        };
        let entries = self.holding.acl.entries();
        entries
            .filter(|entry| !entry.grant.denies())
            .filter_map(|entry| name(self.segments(entry)?))
            .collect()
    }

    /// Writing a login role or user that nothing has yet, or of which nothing is known. Whether
    /// one gives any policy is told.
    fn new_logins(&mut self, mount: &Mount<'_>) -> bool {
        let mut ways = Vec::new();
        for method in &METHODS {
            let place = format!("auth/{}/{}", mount.path, method.place);
            for name in self.names(&place, NEW) {
                if mount.has_role(&name) {
                    continue;
                }
                let way = self.new_login(method, &place.replace("{}", &name));
                let way = mount.of_type(method.kinds, way);
                ways.push(if method.vouched {
                    mount.vouched(way)
                } else {
                    way
                });
            }
        }
        let how = format!("writes a login on `{}` with any policy", mount.shown());
        let way = surest(ways);
        let gives_any = way.as_ref().is_some_and(Step::gives_any);
        self.keep("write-login-role", Gain::Everything, &how, way);
        gives_any
    }

    fn new_login(&self, method: &Method, path: &str) -> Option<Step> {
        let mut ways = Vec::new();
        for body in method.bodies {
            for policies in method.policies {
                let all: Vec<(&str, &str)> = body
                    .iter()
                    .map(|name| (*name, value(name)))
                    .chain([(*policies, MORE)])
                    .collect();
                ways.push(if method.creates {
                    self.write(path, &[&all])
                } else {
                    self.update(path, &[&all])
                });
            }
        }
        // A role of another's choosing takes its ids as well.
        if method.kinds.contains(&"approle") {
            for policies in method.policies {
                let way = self.write(path, &[&[(*policies, MORE)]]);
                let ids = self.role_id(path).zip(self.secret_id(path));
                ways.push(
                    way.zip(ids)
                        .map(|(way, (one, two))| way.then(one).then(two)),
                );
            }
        }
        surest(ways)
    }

    /// What can be done to a login role that is there.
    fn role(&mut self, world: &World<'_>, subject: &Subject, mount: &Mount<'_>, role: &Thing<'_>) {
        let Some(name) = texts(role, "name").into_iter().next() else {
            return;
        };
        let of = subject_of(world, role);
        let is_own = of == *subject;
        let is_approle = role.kind.name == APPROLE;
        let path = format!("auth/{}/role/{name}", mount.path);
        let shown = safe(&name);
        let enter = self.enter(role, &path, is_own);
        let mut ways = Vec::new();
        for policies in TOKEN {
            if is_approle {
                let given = surest([
                    self.update(&path, &[&[(*policies, MORE)]]),
                    self.update(&format!("{path}/policies"), &[&[(*policies, MORE)]]),
                ]);
                ways.push(given.zip(enter.clone()).map(|(way, enter)| way.then(enter)));
            } else if is_own {
                let body = [("role_type", "jwt"), (*policies, MORE)];
                ways.push(self.update(&path, &[&body]));
            }
        }
        if !is_own && let Some(method) = METHODS.iter().find(|one| one.kinds.contains(&kind(role)))
        {
            for body in method.bodies {
                for policies in TOKEN {
                    let all: Vec<(&str, &str)> = body
                        .iter()
                        .filter(|name| **name != "user_claim")
                        .map(|name| (*name, value(name)))
                        .chain([(*policies, MORE)])
                        .collect();
                    let way = self.update(&path, &[&all]);
                    ways.push(if method.vouched {
                        mount.vouched(way)
                    } else {
                        way
                    });
                }
            }
        }
        let how = format!("writes the login role `{shown}`, so that it gives any policy");
        self.keep("write-login-role", Gain::Everything, &how, surest(ways));
        if is_own {
            return;
        }
        let gain = Gain::Subject(of.0, of.1);
        if is_approle {
            let how = format!("makes itself a secret-id of the role `{shown}`");
            let way = self.secret_id(&path).zip(self.known_role_id(role, &path));
            let way = way.map(|(secret, id)| secret.then(id));
            self.keep("make-secret-id", gain.clone(), &how, way);
        }
        let opened = if is_approle {
            self.opened(&path)
        } else if !has_entity(world, role) && !own_policies(role).is_empty() {
            mount.vouched(self.update(&path, &LETS_IN))
        } else {
            // Who comes in gets the entity that its token names; see the module `claims`.
            None
        };
        let how = format!("writes the login role `{shown}`, so that it lets it in");
        self.keep("open-login-role", gain, &how, opened);
    }

    /// Logging in by a role: by one's own as ever, by another's with ids that one makes.
    fn enter(&self, role: &Thing<'_>, path: &str, is_own: bool) -> Option<Step> {
        if is_own {
            return Some(Step::default());
        }
        let (secret, id) = self.secret_id(path).zip(self.known_role_id(role, path))?;
        Some(secret.then(id))
    }

    /// A role that asks for no secret-id lets in whoever knows its role-id, which can be written.
    pub(super) fn opened(&self, path: &str) -> Option<Step> {
        self.update(
            path,
            &[
                &[
                    ("bind_secret_id", "false"),
                    ("role_id", NEW),
                    ("secret_id_bound_cidrs", ANY),
                ],
                &[
                    ("bind_secret_id", "false"),
                    ("role_id", NEW),
                    ("token_bound_cidrs", ANY),
                ],
            ],
        )
    }

    pub(super) fn secret_id(&self, path: &str) -> Option<Step> {
        surest([
            self.update(&format!("{path}/secret-id"), &[&[]]),
            self.update(
                &format!("{path}/custom-secret-id"),
                &[&[("secret_id", NEW)]],
            ),
        ])
    }

    fn role_id(&self, path: &str) -> Option<Step> {
        let path = format!("{path}/role-id");
        surest([
            self.request(Operation::Read, &path, &[&[]]),
            self.update(&path, &[&[("role_id", NEW)]]),
        ])
    }

    /// The role-id of a role that is there: one that is its name is no secret.
    fn known_role_id(&self, role: &Thing<'_>, path: &str) -> Option<Step> {
        if texts(role, "role_id") == texts(role, "name") {
            return Some(Step::default());
        }
        self.guessed_role_id(path)
    }

    pub(super) fn guessed_role_id(&self, path: &str) -> Option<Step> {
        let guess = Step::default().given("knowing the role's role-id");
        surest([self.role_id(path), Some(guess)])
    }

    /// A login that names groups is in each of which an alias has that name.
    fn group_aliases(&mut self, mount: &Mount<'_>) {
        if !mount.is_own || !mount.names_groups() {
            return;
        }
        let renamed: Body<'_> = &[("mount_accessor", ANY), ("name", ANY)];
        let new = [renamed, &[("canonical_id", ANY)]].concat();
        let by_id = [renamed, &[("id", SOME)]].concat();
        let mut ways = vec![
            self.update("identity/group-alias", &[&new]),
            self.update("identity/group-alias", &[&by_id])
                .map(|way| way.given("the id of its alias")),
        ];
        // Another group's alias, called as one that its login names.
        for id in self.names("identity/group-alias/id/{}", SOME) {
            let path = format!("identity/group-alias/id/{id}");
            let shown = safe(&path.replace(SOME, "…"));
            let way = self.update(&path, &[renamed]);
            ways.push(way.map(|way| way.given(format!("`{shown}` being an alias of a group"))));
        }
        let way = surest(ways).map(|way| way.given("an external group that gives more"));
        let how = "lets a group that its login names stand for another";
        self.keep(
            "edit-group-alias",
            Gain::Foreign("groups".to_owned()),
            how,
            way,
        );
    }

    /// A mount of its own, with a login on it.
    fn own_mount(&mut self, mounts: &[Mount<'_>]) {
        let is_taken = |path: &String| {
            let there = |mount: &Mount<'_>| mount.path == *path && mount.is_there;
            path == "token" || mounts.iter().any(there)
        };
        let mut free = self.names("sys/auth/{}", NEW);
        free.retain(|path| !is_taken(path));
        let mut ways = Vec::new();
        for mount in free {
            for method in METHODS.iter().filter(|method| !method.vouched) {
                let Some(kind) = method.kinds.first() else {
                    continue;
                };
                let enable = self.update(&format!("sys/auth/{mount}"), &[&[("type", kind)]]);
                let place = format!("auth/{mount}/{}", method.place);
                let names = self.names(&place, NEW);
                let login = surest(
                    names
                        .iter()
                        .map(|name| self.new_login(method, &place.replace("{}", name)))
                        .collect::<Vec<_>>(),
                );
                ways.push(enable.zip(login).map(|(one, two)| one.then(two)));
            }
        }
        let how = "makes an auth mount of its own, and a login on it with any policy";
        self.keep("enable-auth", Gain::Everything, how, surest(ways));
    }
}

/// The type of the mount that a role is of.
fn kind(role: &Thing<'_>) -> &'static str {
    if role.kind.name == APPROLE {
        "approle"
    } else {
        "jwt"
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
pub(super) fn subject_of(world: &World<'_>, role: &Thing<'_>) -> Subject {
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
