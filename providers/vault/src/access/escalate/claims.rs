//! Ways to be taken for another by what a login role reads of a token: the claim that names the
//! entity, and the one that names groups.
//!
//! In: a mount of `jwt` or `oidc`, and the aliases and groups of the world. Out: ways that work, as
//! in the module above. Tried on OpenBao 2.7.2: a role of which `user_claim` is `aud` lets a token
//! in as the entity of the alias that is called as its audience, which most issuers let a workload
//! choose; `groups_claim` may be `aud` too.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Gain, Subject, Thing, World};

use super::super::evaluate::{ENTITY, texts};
use super::super::logins::mount_of;
use super::ALIAS;
use super::logins::{LETS_IN, Mount, subject_of};
use super::search::{ANY, NEW, Search, Step, surest};

const GROUP: &str = "vault_group";

impl Search<'_> {
    pub(super) fn claims(&mut self, world: &World<'_>, subject: &Subject, mount: &Mount<'_>) {
        if let Some(way) = self.claim(world, subject, mount, "user_claim") {
            let how = format!(
                "writes which claim names the entity in a login role of `{}`",
                mount.shown()
            );
            for gain in others(world, subject, mount) {
                self.keep("edit-user-claim", gain, &how, Some(way.clone()));
            }
        }
        if has_groups(world, mount) {
            let way = self.claim(world, subject, mount, "groups_claim");
            let way = way.map(|way| way.given("an external group that gives more"));
            let how = format!(
                "writes which claim names groups in a login role of `{}`",
                mount.shown()
            );
            let gain = Gain::Foreign("groups".to_owned());
            self.keep("edit-groups-claim", gain, &how, way);
        }
    }

    /// Writing this claim of a role that lets oneself in: of one's own, of another's or a new one
    /// with what lets one in.
    fn claim(
        &self,
        world: &World<'_>,
        subject: &Subject,
        mount: &Mount<'_>,
        claim: &str,
    ) -> Option<Step> {
        let place = format!("auth/{}/role/{{}}", mount.path);
        let mut names = self.names(&place, NEW);
        names.retain(|name| !mount.has_role(name));
        let mut ways = Vec::new();
        for name in names {
            let path = place.replace("{}", &name);
            for body in LETS_IN {
                // A new role takes a claim that names the entity, whatever else.
                let body = [body, &[("user_claim", NEW), (claim, ANY)]].concat();
                ways.push(self.write(&path, &[&body]));
            }
        }
        for role in &mount.roles {
            let is_own = subject_of(world, role) == *subject;
            for name in texts(role, "name") {
                let path = place.replace("{}", &name);
                if is_own {
                    ways.push(self.update(&path, &[&[("role_type", "jwt"), (claim, ANY)]]));
                    continue;
                }
                for body in LETS_IN {
                    let body = [body, &[(claim, ANY)]].concat();
                    ways.push(self.update(&path, &[&body]));
                }
            }
        }
        let way = mount.vouched(mount.of_type(&["jwt", "oidc"], surest(ways)));
        way.map(|way| way.given("the issuer letting it choose that claim"))
    }
}

/// Whom the aliases on a mount belong to, the subject apart.
fn others(world: &World<'_>, subject: &Subject, mount: &Mount<'_>) -> BTreeSet<Gain> {
    let by_id: BTreeMap<String, &Thing<'_>> = world
        .of_kind(ENTITY)
        .flat_map(|entity| texts(entity, "id").into_iter().map(move |id| (id, entity)))
        .collect();
    let aliases = world.of_kind(ALIAS);
    aliases
        .filter(|alias| mount_of(alias) == mount.path)
        .map(|alias| {
            let ids = texts(alias, "canonical_id");
            match ids.iter().find_map(|id| by_id.get(id)) {
                Some(entity) => (ENTITY.to_owned(), entity.key.to_owned()),
                None => subject_of(world, alias),
            }
        })
        .filter(|of| of != subject)
        .map(|(kind, key)| {
            // An alias that nothing is declared with is somebody's.
            if kind == ALIAS {
                Gain::Foreign(format!("the login {key}"))
            } else {
                Gain::Subject(kind, key)
            }
        })
        .collect()
}

/// Whether somebody is in an external group, or a login here may be.
fn has_groups(world: &World<'_>, mount: &Mount<'_>) -> bool {
    let is_external = |group: &Thing<'_>| texts(group, "type").contains("external");
    world.of_kind(GROUP).any(is_external) || mount.names_groups()
}
