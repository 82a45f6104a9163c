//! Ways that lead through database mounts: what a role does as the user of its connection, users
//! of the database whose passwords become known, and where the server sends its own password.
//!
//! In: the connections and roles of the world, and those that rules name on a mount of databases.
//! Out: ways that work, as in the module above. Tried on OpenBao 2.7.2, where a write of nothing
//! but a connection's URL sends the password that the server keeps to whoever listens there.

use std::collections::BTreeSet;

use remit_sdk::access::{Gain, Thing, World};
use remit_sdk::{Value, text::safe};

use super::super::decide::Operation;
use super::super::evaluate::texts;
use super::super::grant::Glob;
use super::search::{ANY, Body, NEW, Search, Step, surest};

const CONNECTION: &str = "vault_database_connection";
const ROLE: &str = "vault_database_role";
const MOUNT: &str = "vault_secrets_mount";

/// What a role runs as the user of its connection: when somebody asks for a user of it, when that
/// fails, when the user's lease is renewed, and when the user is removed.
const STATEMENTS: [&str; 4] = [
    "creation_statements",
    "renew_statements",
    "revocation_statements",
    "rollback_statements",
];

/// The mounts of databases, as far as they are known.
pub(super) fn mounts(world: &World<'_>) -> BTreeSet<String> {
    let of_things = [CONNECTION, ROLE]
        .into_iter()
        .flat_map(|kind| world.of_kind(kind))
        .filter_map(|thing| word(thing, "mount"));
    let declared = world
        .of_kind(MOUNT)
        .filter(|mount| word(mount, "type").as_deref() == Some("database"))
        .map(|mount| mount.key.to_owned());
    of_things
        .chain(declared)
        .map(|mount| mount.trim_matches('/').to_owned())
        .collect()
}

impl Search<'_> {
    pub(super) fn databases(&mut self, world: &World<'_>, mounts: &BTreeSet<String>) {
        self.database_roles(world);
        for connection in world.of_kind(CONNECTION) {
            let (Some(mount), Some(name)) = (word(connection, "mount"), word(connection, "name"))
            else {
                continue;
            };
            self.new_roles(world, connection, &mount, &name);
            self.static_roles(connection, &mount, &name);
        }
        for mount in mounts {
            self.connections(world, mount);
        }
    }

    /// A dynamic role that is there.
    fn database_roles(&mut self, world: &World<'_>) {
        for role in world.of_kind(ROLE) {
            // Before anything else, since there are as many as subjects.
            let Some(mount) = role.attributes.get("mount").and_then(Value::as_str) else {
                continue;
            };
            let place: Vec<&str> = mount.split('/').chain(["roles"]).collect();
            if !self.writes_below(&place, None) {
                continue;
            }
            let (Some(name), Some(connection)) = (word(role, "name"), word(role, "db_name")) else {
                continue;
            };
            let path = format!("{mount}/creds/{name}");
            let read = self.request(Operation::Read, &path, &[&[]]);
            let others = format!("somebody else reading `{}`", safe(&path));
            let role = format!("{mount}/roles/{name}");
            let write = STATEMENTS.map(|one| self.update(&role, &[&[(one, ANY)]]));
            let write = surest(write);
            let way = write.map(|write| match read {
                Some(read) => write.then(read),
                None => write.given(others),
            });
            self.database(mount, &connection, &name, way);
        }
    }

    /// A dynamic role of its own.
    fn new_roles(&mut self, world: &World<'_>, connection: &Thing<'_>, mount: &str, name: &str) {
        let mut roles = self.allowed(connection, &format!("{mount}/roles/{{}}"));
        roles.retain(|role| {
            world
                .thing(ROLE, &format!("{mount}/roles/{role}"))
                .is_none()
        });
        for role in roles {
            let body: Body<'_> = &[("creation_statements", ANY), ("db_name", name)];
            let way = self
                .write(&format!("{mount}/roles/{role}"), &[body])
                .zip(self.request(Operation::Read, &format!("{mount}/creds/{role}"), &[&[]]))
                .map(|(write, read)| write.then(read));
            self.database(mount, name, &role, way);
        }
    }

    /// A static role takes over any user of the database: the server sets its password, and tells
    /// it. Whose it is can't be changed later.
    fn static_roles(&mut self, connection: &Thing<'_>, mount: &str, name: &str) {
        let mut ways = Vec::new();
        for role in self.allowed(connection, &format!("{mount}/static-roles/{{}}")) {
            let bodies: [Body<'_>; 2] = [
                &[
                    ("db_name", name),
                    ("rotation_period", ANY),
                    ("username", ANY),
                ],
                &[
                    ("db_name", name),
                    ("rotation_schedule", ANY),
                    ("username", ANY),
                ],
            ];
            let path = format!("{mount}/static-roles/{role}");
            let make = self.request(Operation::Create, &path, &bodies);
            let make = make.map(|make| {
                if role.contains(NEW) {
                    make
                } else {
                    make.given(format!("`{}` not being there yet", safe(&path)))
                }
            });
            let path = format!("{mount}/static-creds/{role}");
            let read = self.request(Operation::Read, &path, &[&[]]);
            ways.push(make.zip(read).map(|(make, read)| make.then(read)));
        }
        let gain = format!("users of the database of {mount}/config/{name}");
        let how = format!(
            "takes over a user of the database by a static role on `{}`",
            safe(mount)
        );
        self.keep("make-static-role", Gain::Foreign(gain), &how, surest(ways));
    }

    /// The names below a place that a connection allows.
    fn allowed(&self, connection: &Thing<'_>, template: &str) -> BTreeSet<String> {
        let allowed = texts(connection, "allowed_roles");
        let mut roles = self.names(template, NEW);
        roles.extend(allowed.iter().map(|role| role.replace('*', NEW)));
        roles.retain(|role| {
            let is_allowed = |one: &String| one == "*" || Glob::new(one).matches(role);
            allowed.iter().any(is_allowed)
        });
        roles
    }

    /// A connection's URL says where the server goes with the password that it keeps.
    fn connections(&mut self, world: &World<'_>, mount: &str) {
        let known: BTreeSet<String> = world
            .of_kind(CONNECTION)
            .filter(|one| word(one, "mount").is_some_and(|of| of.trim_matches('/') == mount))
            .filter_map(|one| word(one, "name"))
            .collect();
        let mut names = self.names(&format!("{mount}/config/{{}}"), NEW);
        // What a rule leaves open are those that are known.
        names.retain(|name| known.is_empty() || !name.contains(NEW));
        for name in names.union(&known) {
            let path = format!("{mount}/config/{name}");
            let body: Body<'_> = &[("connection_url", ANY)];
            let shown = path.replace(NEW, "…");
            let way = self.update(&path, &[body]).map(|way: Step| {
                if known.contains(name) {
                    way
                } else {
                    way.given(format!("`{}` being a connection", safe(&shown)))
                }
            });
            let gain = Gain::Foreign(format!("the user of the connection {shown}"));
            let how = format!(
                "lets the server send the password of `{}` to itself",
                safe(&shown)
            );
            self.keep("redirect-database", gain, &how, way);
        }
    }

    fn database(&mut self, mount: &str, connection: &str, role: &str, way: Option<Step>) {
        let role = if role.contains(NEW) {
            "a database role of its own".to_owned()
        } else {
            format!("the database role `{}`", safe(role))
        };
        let how = format!("writes what {role} on `{}` does, and uses it", safe(mount));
        let gain = format!("the user of the connection {mount}/config/{connection}");
        self.keep("write-database-role", Gain::Foreign(gain), &how, way);
    }
}

fn word(thing: &Thing<'_>, what: &str) -> Option<String> {
    let value = thing.attributes.get(what)?;
    value.as_str().map(str::to_owned)
}
