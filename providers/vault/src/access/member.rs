//! Whom the logins of a subject stand for, and what that entity holds through groups.
//!
//! In: a world. Out: the entity whose policies count, the names of all its policies with the groups
//! that give them, and what isn't known of either. An alias that somebody moved makes the login
//! another entity, whatever is declared. An internal group gives its policies to its members and
//! to those of the groups in it, which is what the server tells as an entity's `group_ids`; whether
//! one is in an external group is decided anew at each login.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Subject, Thing, World};
use remit_sdk::{Value, text::safe};

use super::Identity;
use super::evaluate::{ENTITY, is_true, own_policies, roles_of, texts};
use crate::schema::ENTITY_BY_ID;

const ALIAS: &str = "vault_entity_alias";
const GROUP: &str = "vault_group";

/// The name of a policy whose name isn't known yet: it may be any.
pub(super) const PENDING: &str = "(known after apply)";

/// What a subject is to the server, and what it holds.
pub(super) struct Member<'w> {
    /// The entity, or the login role that stands alone, whose policies count; `None` for an
    /// entity that isn't known.
    thing: Option<&'w Thing<'w>>,
    /// The login that stands for it, where that isn't as declared.
    pub(super) login: Option<&'w str>,
    /// The names of its policies, each with the groups that give it; with none where it is held
    /// without any.
    policies: BTreeMap<String, BTreeSet<String>>,
    /// What it has of which it isn't known what it gives: what that is, and why.
    pub(super) unknown: BTreeMap<String, String>,
    groups: Vec<&'w Thing<'w>>,
}

impl<'w> Member<'w> {
    /// `None` where the subject isn't there, or its tokens are refused.
    pub(super) fn new(world: &'w World<'w>, subject: &'w Subject) -> Option<Self> {
        let own = world.thing(&subject.0, &subject.1)?;
        let logins = Logins::new(world, own);
        let mut member = Self {
            thing: Some(own),
            login: None,
            policies: BTreeMap::new(),
            unknown: BTreeMap::new(),
            groups: Vec::new(),
        };
        if let (false, Some((id, login)), 1) = (
            logins.stay,
            logins.elsewhere.first_key_value(),
            logins.elsewhere.len(),
        ) && let Some(other) = entity_of_id(world, id)
        {
            member.thing = Some(other);
            member.login = Some(login);
        } else {
            if !logins.stay {
                member.thing = None;
            }
            for (id, login) in logins.elsewhere {
                let why = format!(
                    "the login `{}` belongs to the entity `{}`, which isn't the one declared with it",
                    safe(login),
                    safe(id)
                );
                member.unknown.insert(format!("entity `{}`", safe(id)), why);
            }
        }
        if member.thing.is_some_and(|thing| is_true(thing, "disabled")) {
            return None;
        }
        for role in roles_of(world, subject) {
            member.hold(own_policies(role), None);
        }
        member.of_entity(world);
        Some(member)
    }

    fn of_entity(&mut self, world: &'w World<'w>) {
        let Some(thing) = self.thing else { return };
        if has_pending(thing) {
            self.hold([PENDING.to_owned()], None);
        }
        if thing.kind.name != ENTITY {
            return;
        }
        self.hold(texts(thing, "policies"), None);
        for id in texts(thing, "group_ids") {
            let group = world.of_kind(GROUP).find(|group| group.key == id);
            let why = match group.map(|group| (group, word(group, "type"))) {
                Some((group, Some("internal"))) => {
                    self.hold(texts(group, "policies"), Some(name(group)));
                    self.groups.push(group);
                    continue;
                }
                Some((_, Some("external"))) => "which each login may join or leave",
                Some(_) => "which is of no known type",
                None => "which couldn't be read",
            };
            let name = safe(group.map_or(&id, name));
            let why = format!("the entity is in the group `{name}`, {why}");
            self.unknown.insert(format!("group `{name}`"), why);
        }
    }

    fn hold(&mut self, names: impl IntoIterator<Item = String>, group: Option<&str>) {
        for name in names {
            // The server trims and folds names before it looks a policy up.
            let name = name.trim().to_lowercase();
            match group {
                None => self.policies.insert(name, BTreeSet::new()),
                Some(group) => {
                    let by = self.policies.entry(name);
                    let by = by.or_insert_with(|| BTreeSet::from([group.to_owned()]));
                    if !by.is_empty() {
                        by.insert(group.to_owned());
                    }
                    None
                }
            };
        }
    }

    /// The names of its policies.
    pub(super) fn policies(&self) -> BTreeSet<String> {
        self.policies.keys().cloned().collect()
    }

    /// The groups that give a policy, where it isn't held without them.
    pub(super) fn groups_of(&self, policy: &str) -> impl Iterator<Item = &String> {
        self.policies.get(policy).into_iter().flatten()
    }

    /// The name of the entity that the login stands for, where that isn't as declared.
    pub(super) fn name(&self) -> Option<&str> {
        self.thing.map(name)
    }

    /// What templates may know of it; `None` for a token without an entity. Its aliases are known
    /// to the server by accessor only, so they stay unknown.
    pub(super) fn identity(&self) -> Option<Identity> {
        let Some(entity) = self.thing else {
            return Some(Identity::default());
        };
        if entity.kind.name != ENTITY {
            return None;
        }
        let mut known = Identity::default().with_name(name(entity));
        match entity.attributes.get("metadata") {
            // There may be any.
            Some(Value::Pending(_)) => {}
            Some(Value::Map(all)) => {
                known = known.with_metadata(&metadata(entity));
                for (key, _) in all.iter().filter(|(_, value)| value.has_pending()) {
                    known = known.with_unknown_metadata(key);
                }
            }
            _ => known = known.with_metadata(&BTreeMap::new()),
        }
        if let Some(id) = word(entity, "id") {
            known = known.with_id(id);
        }
        for group in &self.groups {
            known = known.with_group(Some(group.key), name(group), &metadata(group));
        }
        if self.groups.len() == texts(entity, "group_ids").len() {
            known = known.without_other_groups();
        }
        Some(known)
    }
}

/// What else must be read to know what a subject holds, its policies apart.
pub(super) fn missing<'w>(
    world: &'w World<'w>,
    subject: &'w Subject,
) -> BTreeSet<(&'static str, String)> {
    let Some(own) = world.thing(&subject.0, &subject.1) else {
        return BTreeSet::new();
    };
    let logins = Logins::new(world, own);
    let mut found = BTreeSet::new();
    let mut entities = vec![own];
    for id in logins.elsewhere.keys() {
        match entity_of_id(world, id) {
            Some(other) => entities.push(other),
            None => drop(found.insert((ENTITY_BY_ID, (*id).to_owned()))),
        }
    }
    entities.retain(|entity| !is_true(entity, "disabled"));
    let groups = entities
        .into_iter()
        .flat_map(|entity| texts(entity, "group_ids"));
    found.extend(
        groups
            .filter(|id| world.thing(GROUP, id).is_none())
            .filter(|id| !world.absent.contains(&(GROUP, id)))
            .map(|id| (GROUP, id)),
    );
    found
}

/// Whom the logins that are declared with an entity stand for.
struct Logins<'w> {
    /// Whether one still stands for it, or there is none, or that can't be told.
    stay: bool,
    /// The ids of other entities, each with the login.
    elsewhere: BTreeMap<&'w str, &'w str>,
}

impl<'w> Logins<'w> {
    fn new(world: &'w World<'w>, own: &'w Thing<'w>) -> Self {
        let mut logins = Self {
            stay: false,
            elsewhere: BTreeMap::new(),
        };
        let declared: Vec<&Thing<'_>> = own
            .address
            .filter(|_| own.kind.name == ENTITY)
            .into_iter()
            .flat_map(|address| world.of_declaration(&address.declaration))
            .collect();
        let of_kind = |kind: &'static str| {
            let declared = declared.iter().copied();
            declared.filter(move |thing| thing.kind.name == kind)
        };
        let ids: Option<BTreeSet<&str>> =
            of_kind(ENTITY).map(|entity| word(entity, "id")).collect();
        for alias in of_kind(ALIAS) {
            let of = word(alias, "canonical_id");
            match (of, &ids) {
                (Some(of), Some(ids)) if !of.is_empty() && !ids.contains(of) => {
                    logins.elsewhere.insert(of, alias.key);
                }
                _ => logins.stay = true,
            }
        }
        logins.stay |= logins.elsewhere.is_empty();
        logins
    }
}

fn entity_of_id<'w>(world: &'w World<'w>, id: &str) -> Option<&'w Thing<'w>> {
    world
        .of_kind(ENTITY)
        .find(|entity| word(entity, "id") == Some(id))
}

/// Whether a policy's name is one that isn't known yet.
fn has_pending(thing: &Thing<'_>) -> bool {
    ["policies", "token_policies"]
        .iter()
        .filter_map(|name| thing.attributes.get(*name))
        .any(Value::has_pending)
}

fn word<'w>(thing: &'w Thing<'_>, attribute: &str) -> Option<&'w str> {
    thing.attributes.get(attribute).and_then(Value::as_str)
}

/// The key may be folded; a template gets the name as it is.
fn name<'w>(thing: &'w Thing<'_>) -> &'w str {
    word(thing, "name").unwrap_or(thing.key)
}

fn metadata(thing: &Thing<'_>) -> BTreeMap<String, String> {
    let Some(Value::Map(all)) = thing.attributes.get("metadata") else {
        return BTreeMap::new();
    };
    let text = |(name, value): (&String, &Value)| {
        let value = value.as_str()?.to_owned();
        Some((name.clone(), value))
    };
    all.iter().filter_map(text).collect()
}
