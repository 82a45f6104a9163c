//! Ways that lead through groups: one with oneself in it, or with a group that one is in.
//!
//! In: the groups of a subject, and names and ids that rules have. Out: ways that work, as in the
//! module above. Tried on OpenBao 2.7.2: a write to a name that is there changes that group,
//! whatever the case of its letters, and leaves its members as they are where it doesn't say them.

use std::collections::BTreeSet;

use remit_sdk::access::{Gain, Subject, World};
use remit_sdk::text::safe;

use super::super::evaluate::texts;
use super::search::{Body, MORE, NEW, SOME, Search, Step, surest};
use super::{id_of, spellings};

const GROUP: &str = "vault_group";

impl Search<'_> {
    pub(super) fn groups(&mut self, world: &World<'_>, subject: &Subject) {
        let own = world.thing(&subject.0, &subject.1);
        let own = own.map(|own| texts(own, "group_ids")).unwrap_or_default();
        // Oneself is a member directly, and by a group that one is in.
        let mut members = vec![("member_entity_ids", id_of(world, subject))];
        members.extend(own.iter().map(|group| ("member_group_ids", group.as_str())));
        let (mut ways, mut joins) = (Vec::new(), Vec::new());
        for member in members {
            ways.extend(self.made(member));
            joins.extend(self.joined(member));
        }
        let how = "makes a group with any policy, and itself a member";
        self.keep("edit-group", Gain::Everything, how, surest(ways));
        if !self.has("edit-group", &Gain::Everything) {
            let gain = Gain::Foreign("groups".to_owned());
            let how = "makes itself a member of a group";
            self.keep("join-group", gain, how, surest(joins));
        }
        for group in &own {
            self.own_group(world, group);
        }
    }

    /// Ways to a group of any policy with this kind of member.
    fn made(&self, member: (&str, &str)) -> Vec<Option<Step>> {
        let make: Body<'_> = &[member, ("name", NEW), ("policies", MORE)];
        let fill: Body<'_> = &[member, ("policies", MORE)];
        let mut ways = vec![self.update("identity/group", &[make])];
        ways.extend(self.by_name(fill));
        ways.extend(self.by_id(fill));
        ways
    }

    fn joined(&self, member: (&str, &str)) -> Vec<Option<Step>> {
        let join: Body<'_> = &[member];
        let mut ways = vec![self.update(
            "identity/group",
            &[&[member, ("name", NEW)], &[("id", SOME), member]],
        )];
        ways.extend(self.by_name(join));
        ways.extend(self.by_id(join));
        ways
    }

    fn by_name(&self, body: Body<'_>) -> Vec<Option<Step>> {
        let names = self.names("identity/group/name/{}", NEW).into_iter();
        names
            .map(|name| self.update(&format!("identity/group/name/{name}"), &[body]))
            .collect()
    }

    fn by_id(&self, body: Body<'_>) -> Vec<Option<Step>> {
        let ids = self.names("identity/group/id/{}", SOME).into_iter();
        ids.map(|id| {
            let path = format!("identity/group/id/{id}");
            let shown = safe(&path.replace(SOME, "…"));
            let way = self.update(&path, &[body]);
            way.map(|way| way.given(format!("`{shown}` being a group")))
        })
        .collect()
    }

    /// A group that one is in needs no new member.
    fn own_group(&mut self, world: &World<'_>, id: &str) {
        let ways = self.of_own_group(world, id, ("policies", MORE));
        let how = "attaches any policy to a group that it is in";
        self.keep("edit-own-group", Gain::Everything, how, surest(ways));
    }

    /// Writing this of a group that one is in.
    pub(super) fn of_own_group(
        &self,
        world: &World<'_>,
        id: &str,
        what: (&str, &str),
    ) -> Vec<Option<Step>> {
        let mut ways = vec![
            self.update(&format!("identity/group/id/{id}"), &[&[what]]),
            self.update("identity/group", &[&[("id", id), what]]),
        ];
        let known = name_of(world, id);
        let names = self.names("identity/group/name/{}", NEW);
        let names: BTreeSet<String> = match &known {
            Some(name) => spellings(names, name),
            None => names,
        };
        for name in names {
            let by_path = self.update(&format!("identity/group/name/{name}"), &[&[what]]);
            let body: Body<'_> = &[("name", &name), what];
            let way = surest([by_path, self.update("identity/group", &[body])]);
            ways.push(match &known {
                Some(_) => way,
                None => way.map(|way| {
                    let shown = safe(&name.replace(NEW, "…"));
                    way.given(format!("`{shown}` being a group that it is in"))
                }),
            });
        }
        ways
    }
}

/// The name of a group, if it is known.
pub(super) fn name_of(world: &World<'_>, id: &str) -> Option<String> {
    let group = world.thing(GROUP, id)?;
    texts(group, "name").into_iter().next()
}
