//! Ways to fill the templates in the paths of one's own policies with other values: one's name and
//! metadata, those of one's aliases, the metadata of groups that one is in.
//!
//! In: the policies that a subject holds, as they are written. Out: ways that work, as in the module
//! above. Tried on OpenBao 2.7.2: `identity/persona` writes an entity, but for its policies;
//! `identity/alias` leaves custom metadata as they are. Not looked for: what a login role copies to
//! an alias's metadata.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Gain, Subject, World};
use remit_sdk::{Value, text::safe};

use super::super::evaluate::{ENTITY, POLICY, texts};
use super::groups::name_of;
use super::search::{ANY, NEW, Search, Step, surest};
use super::{id_of, own_aliases, spellings};
use crate::policy;

const METADATA: (&str, &str) = ("metadata", ANY);

impl Search<'_> {
    pub(super) fn templates(&mut self, world: &World<'_>, subject: &Subject) {
        if subject.0 != ENTITY {
            return;
        }
        for (path, directives) in self.templated(world) {
            let ways = directives
                .iter()
                .map(|directive| self.filled(world, subject, directive));
            let way = surest(ways);
            let how = format!("fills the template in `{}` with another value", safe(&path));
            let gain = Gain::Foreign(format!("others in {path}"));
            self.keep("edit-own-metadata", gain, &how, way);
        }
    }

    /// The paths with templates of the policies held, each with its directives.
    fn templated(&self, world: &World<'_>) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in &self.holding.policies {
            let text = world
                .thing(POLICY, name)
                .and_then(|policy| policy.attributes.get("policy"))
                .and_then(Value::as_str)
                .filter(|text| text.contains("{{"));
            let Some(Ok(document)) = text.map(policy::parse) else {
                continue;
            };
            for (path, rule) in document.paths {
                let directives: BTreeSet<String> = path
                    .split("{{")
                    .skip(1)
                    .filter_map(|rest| rest.split_once("}}"))
                    .map(|(directive, _)| directive.trim().to_owned())
                    .collect();
                if !directives.is_empty() && !rule.capabilities.contains("deny") {
                    found.entry(path).or_default().extend(directives);
                }
            }
        }
        found
    }

    /// Writing what gives a directive its value.
    fn filled(&self, world: &World<'_>, subject: &Subject, directive: &str) -> Option<Step> {
        if directive.starts_with("identity.groups.") {
            return self.of_group(world, subject, directive);
        }
        let what = directive.strip_prefix("identity.entity.")?;
        if what == "name" {
            return surest(self.renamed(world, subject));
        }
        if what.starts_with("metadata.") {
            let mut ways = self.of_own_entity(world, subject, METADATA);
            ways.extend(self.persona(world, subject));
            return surest(ways);
        }
        let (_, what) = what.strip_prefix("aliases.")?.split_once('.')?;
        let own = own_aliases(world, subject);
        let alias = "identity/entity-alias";
        if what.starts_with("custom_metadata.") {
            let metadata = ("custom_metadata", ANY);
            let mut ways = self.by_alias(&format!("{alias}/id"), &own, &[metadata]);
            ways.push(self.update(
                alias,
                &[
                    &[metadata, ("id", ANY)],
                    &[metadata, ("mount_accessor", ANY), ("name", ANY)],
                ],
            ));
            return surest(ways);
        }
        if what == "name" {
            let trees = [alias, "identity/alias"];
            return surest(trees.iter().flat_map(|tree| {
                let mut ways = self.by_alias(&format!("{tree}/id"), &own, &[("name", ANY)]);
                ways.push(self.update(tree, &[&[("id", ANY), ("name", ANY)]]));
                ways
            }));
        }
        None
    }

    /// One's own entity under another name.
    fn renamed(&self, world: &World<'_>, subject: &Subject) -> Vec<Option<Step>> {
        let id = id_of(world, subject);
        let name = ("name", ANY);
        let mut ways = Vec::new();
        for tree in ["identity/entity", "identity/persona"] {
            ways.push(self.update(&format!("{tree}/id/{id}"), &[&[name]]));
            ways.push(self.update(tree, &[&[("id", id), name]]));
        }
        let names = self.names("identity/entity/name/{}", NEW);
        let own = spellings(names.clone(), &subject.1);
        for name in names.difference(&own) {
            ways.push(self.update(&format!("identity/entity/name/{name}"), &[&[("id", id)]]));
        }
        ways
    }

    /// What is left of an older tree writes the entity as well.
    fn persona(&self, world: &World<'_>, subject: &Subject) -> [Option<Step>; 2] {
        let id = id_of(world, subject);
        [
            self.update(&format!("identity/persona/id/{id}"), &[&[METADATA]]),
            self.update(
                "identity/persona",
                &[
                    &[("id", id), METADATA],
                    &[("name", subject.1.as_str()), METADATA],
                ],
            ),
        ]
    }

    /// The metadata of a group that one is in and that a directive names.
    fn of_group(&self, world: &World<'_>, subject: &Subject, directive: &str) -> Option<Step> {
        let own = world.thing(&subject.0, &subject.1);
        let own = own.map(|own| texts(own, "group_ids")).unwrap_or_default();
        let ways = own.iter().filter(|id| {
            let by_id = format!("identity.groups.ids.{id}.metadata.");
            let by_name = name_of(world, id).is_some_and(|name| {
                directive.starts_with(&format!("identity.groups.names.{name}.metadata."))
            });
            by_name || directive.starts_with(&by_id)
        });
        surest(ways.flat_map(|id| self.of_own_group(world, id, METADATA)))
    }
}
