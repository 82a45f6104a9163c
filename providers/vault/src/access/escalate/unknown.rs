//! Ways into logins that nobody declared: roles and users of others on an auth mount, and what the
//! mount believes.
//!
//! In: an auth mount that the world has, or that a rule names or leaves open. Out: ways that work,
//! as in the module above. That a mount is of the type that a way takes, and that there is a role
//! of the name that a rule has, is said where it isn't known.

use std::collections::BTreeSet;

use remit_sdk::access::{Gain, Subject, World};
use remit_sdk::text::safe;

use super::logins::{LETS_IN, Mount, subject_of};
use super::methods::BELIEFS;
use super::search::{ANY, NEW, Search, Step, surest};

const JWT: &[&str] = &["jwt", "oidc"];
const APPROLE: &[&str] = &["approle"];
const USERPASS: &[&str] = &["userpass"];

impl Search<'_> {
    /// Login roles of others that aren't known.
    pub(super) fn unknown_roles(&mut self, mount: &Mount<'_>) {
        let gain = Gain::Foreign(format!("logins at {}", mount.shown()));
        let place = format!("auth/{}/role/{{}}", mount.path);
        let there = |path: &str, way: Option<Step>| {
            let shown = safe(&path.replace(NEW, "…"));
            way.map(|way| way.given(format!("`{shown}` being a login role")))
        };
        let mut secrets = Vec::new();
        for end in ["secret-id", "custom-secret-id"] {
            for name in self.unknown(mount, &format!("{place}/{end}")) {
                let path = place.replace("{}", &name);
                let way = self.secret_id(&path).zip(self.guessed_role_id(&path));
                let way = way.map(|(secret, id)| secret.then(id));
                let way = way.filter(|_| self.counts(&name));
                secrets.push(mount.of_type(APPROLE, there(&path, way)));
            }
        }
        let how = format!("makes itself a secret-id of a role of `{}`", mount.shown());
        self.keep("make-secret-id", gain.clone(), &how, surest(secrets));
        let mut opened = Vec::new();
        for name in self.unknown(mount, &place) {
            let path = place.replace("{}", &name);
            let way = self.opened(&path).filter(|_| self.counts(&name));
            opened.push(mount.of_type(APPROLE, there(&path, way)));
            let way = self.update(&path, &LETS_IN);
            opened.push(mount.vouched(mount.of_type(JWT, there(&path, way))));
        }
        let how = format!(
            "writes a login role of `{}`, so that it lets it in",
            mount.shown()
        );
        self.keep("open-login-role", gain, &how, surest(opened));
    }

    /// The names of roles that rules have and that aren't known. What a rule leaves open are those
    /// that are known, where others are.
    fn unknown(&self, mount: &Mount<'_>, template: &str) -> BTreeSet<String> {
        let mut names = self.names(template, NEW);
        names.retain(|name| {
            if name.contains(NEW) {
                !mount.has_others
            } else {
                !mount.has_role(name)
            }
        });
        names
    }

    /// Whether a rule for this AppRole or user counts: OpenBao folds their names before it looks a
    /// rule up.
    fn counts(&self, name: &str) -> bool {
        !self.is_openbao() || name.to_lowercase() == name
    }

    pub(super) fn beliefs(&mut self, world: &World<'_>, subject: &Subject, mount: &Mount<'_>) {
        let (mut kinds, mut ways) = (BTreeSet::new(), Vec::new());
        for (kind, place, parameters) in BELIEFS {
            if mount.kind.as_deref().is_some_and(|known| known != kind) {
                continue;
            }
            let place = format!("auth/{}/{place}", mount.path);
            let paths: BTreeSet<String> = if place.contains("{}") {
                let names = self.names(&place, NEW).into_iter();
                names.map(|name| place.replace("{}", &name)).collect()
            } else {
                [place].into()
            };
            for path in paths {
                let by = |name: &&str| self.update(&path, &[&[(*name, ANY)]]);
                let way = surest(parameters.iter().map(by));
                if way.is_some() {
                    kinds.insert(kind);
                }
                ways.push(way);
            }
        }
        // Most mounts are called as their type.
        if kinds.contains(mount.path.as_str()) {
            kinds.retain(|kind| *kind == mount.path);
        }
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let way = mount.of_type(&kinds, surest(ways));
        let how = format!("changes whom `{}` believes", mount.shown());
        let others: BTreeSet<Subject> = mount
            .roles
            .iter()
            .map(|role| subject_of(world, role))
            .filter(|of| of != subject)
            .collect();
        if mount.roles.is_empty() {
            let gain = Gain::Foreign(format!("logins at {}", mount.shown()));
            self.keep("edit-auth-mount", gain, &how, way.clone());
        }
        for of in others {
            let gain = Gain::Subject(of.0, of.1);
            self.keep("edit-auth-mount", gain, &how, way.clone());
        }
    }

    pub(super) fn passwords(&mut self, mount: &Mount<'_>) {
        let place = format!("auth/{}/users/{{}}", mount.path);
        let mut ways = Vec::new();
        for end in ["/password", ""] {
            let place = format!("{place}{end}");
            for name in self.names(&place, NEW) {
                // Below a user nothing is folded.
                if !end.is_empty() || self.counts(&name) {
                    let path = place.replace("{}", &name);
                    let way =
                        self.update(&path, &[&[("password", NEW)], &[("password_hash", NEW)]]);
                    ways.push(mount.of_type(USERPASS, way));
                }
            }
        }
        let gain = Gain::Foreign(format!("users of {}", mount.shown()));
        let how = format!("sets the password of a user of `{}`", mount.shown());
        self.keep("set-password", gain, &how, surest(ways));
    }
}
