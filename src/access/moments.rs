//! The objects of all targets at one moment, as worlds for the evaluators.
//!
//! In: what is recorded, what is live, and a plan's changes. Out: a [`Moment`] each: as it was
//! recorded, as it is live, as it will be once the plan is applied. What can't be read is in none
//! of them, and isn't absent either; the plan says so itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Thing, World};
use remit_sdk::provider::{Reading, Target};
use remit_sdk::{Kind, ObjectAddress, Value};

use crate::diff::{Action, Change};
use crate::lower::{Catalog, Desired};
use crate::model::Model;
use crate::observe::{Observed, Place};
use crate::state::Recorded;

/// The objects of all targets at one moment.
#[derive(Debug, Clone, Default)]
pub struct Moment<'a> {
    objects: BTreeMap<Place, Held<'a>>,
    /// What is known not to be there.
    absent: BTreeSet<Place>,
}

#[derive(Debug, Clone)]
struct Held<'a> {
    kind: &'static Kind,
    address: Option<&'a ObjectAddress>,
    attributes: Cow<'a, BTreeMap<String, Value>>,
}

/// What the worlds of a moment have beside their objects.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The `provider` blocks.
    pub model: &'a Model,
    /// What the instances talk to.
    pub targets: &'a BTreeMap<String, Target>,
}

impl<'a> Moment<'a> {
    /// Everything as it was recorded.
    pub fn recorded(recorded: &'a Recorded, catalog: &Catalog<'_>) -> Self {
        let objects = recorded.objects.iter().filter_map(|(address, record)| {
            let held = Held {
                kind: catalog.kind(&record.kind)?,
                address: Some(address),
                attributes: Cow::Borrowed(&record.attributes),
            };
            let place = (
                record.instance.clone(),
                record.kind.clone(),
                record.key.clone(),
            );
            Some((place, held))
        });
        Self {
            objects: objects.collect(),
            absent: BTreeSet::new(),
        }
    }

    /// This moment with what `other` has of others, whom nobody recorded: what isn't known to
    /// have changed is as it was.
    #[must_use]
    pub fn with_others_of(mut self, other: &Self) -> Self {
        for (place, held) in &other.objects {
            if held.address.is_none() {
                let entry = self.objects.entry(place.clone());
                entry.or_insert_with(|| held.clone());
            }
        }
        self
    }

    /// Everything that was read: what is recorded or wanted, and what belongs to others.
    pub fn live(
        recorded: &'a Recorded,
        desired: &'a Desired,
        observed: &'a Observed,
        catalog: &Catalog<'_>,
    ) -> Self {
        let mut addresses: BTreeMap<(&str, &str, &str), &'a ObjectAddress> = BTreeMap::new();
        for (address, wanted) in &desired.objects {
            addresses.insert((&wanted.instance, wanted.kind.name, &wanted.key), address);
        }
        for (address, record) in &recorded.objects {
            addresses.insert((&record.instance, &record.kind, &record.key), address);
        }
        let objects = observed.readings.iter().filter_map(|(place, reading)| {
            let Reading::Present(object) = reading else {
                return None;
            };
            let (instance, kind, key) = place;
            let held = Held {
                kind: catalog.kind_or_held(kind)?,
                address: addresses
                    .get(&(instance.as_str(), kind.as_str(), key.as_str()))
                    .copied(),
                attributes: Cow::Borrowed(&object.attributes),
            };
            Some((place.clone(), held))
        });
        let absent = observed
            .readings
            .iter()
            .filter(|(_, reading)| **reading == Reading::Absent)
            .map(|(place, _)| place.clone());
        Self {
            objects: objects.collect(),
            absent: absent.collect(),
        }
    }

    /// What is wanted and nothing else.
    pub fn wanted(desired: &'a Desired) -> Self {
        let objects = desired.objects.iter().map(|(address, wanted)| {
            let held = Held {
                kind: wanted.kind,
                address: Some(address),
                attributes: Cow::Borrowed(&wanted.attributes),
            };
            let place = (
                wanted.instance.clone(),
                wanted.kind.name.to_owned(),
                wanted.key.clone(),
            );
            (place, held)
        });
        Self {
            objects: objects.collect(),
            absent: BTreeSet::new(),
        }
    }

    /// This moment once `changes` are made.
    #[must_use]
    pub fn after(
        &self,
        changes: &'a BTreeMap<ObjectAddress, Change>,
        catalog: &Catalog<'_>,
    ) -> Self {
        let mut after = self.clone();
        // What goes first: another change may put something in its place.
        for change in changes.values() {
            if let Some(old) = &change.old {
                after.remove((old.instance.clone(), change.kind.clone(), old.key.clone()));
            }
            if matches!(change.action, Action::Delete | Action::Replace) {
                after.remove(place(change));
            }
        }
        for (address, change) in changes {
            if !matches!(
                change.action,
                Action::Create | Action::Update | Action::Replace | Action::Adopt
            ) {
                continue;
            }
            let Some(kind) = catalog.kind(&change.kind) else {
                continue;
            };
            // Computed attributes stay what they were.
            let mut attributes = after
                .objects
                .get(&place(change))
                .map(|held| held.attributes.clone().into_owned())
                .unwrap_or_default();
            attributes.extend(change.after.clone());
            let held = Held {
                kind,
                address: Some(address),
                attributes: Cow::Owned(attributes),
            };
            after.put(place(change), held);
        }
        after
    }

    fn remove(&mut self, place: Place) {
        self.objects.remove(&place);
        self.absent.insert(place);
    }

    fn put(&mut self, place: Place, held: Held<'a>) {
        self.absent.remove(&place);
        self.objects.insert(place, held);
    }

    /// The instances that have objects.
    pub fn instances(&self) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .objects
            .keys()
            .map(|(instance, _, _)| instance.as_str())
            .collect();
        found.dedup();
        found
    }

    /// The objects of one instance.
    pub fn world<'s>(&'s self, instance: &'s str, around: Around<'s>) -> World<'s> {
        let mut world = World {
            instance,
            server: around
                .targets
                .get(instance)
                .map_or("", |target| target.description.as_str()),
            config: around.model.providers.get(instance),
            ..World::default()
        };
        let from = (instance.to_owned(), String::new(), String::new());
        let here = self
            .objects
            .range(from..)
            .take_while(|((of, _, _), _)| of == instance);
        for ((_, _, key), held) in here {
            world.add(Thing {
                kind: held.kind,
                key,
                attributes: &held.attributes,
                address: held.address,
            });
        }
        let gone = self.absent.iter().filter(|(of, _, _)| of == instance);
        world.absent = gone.map(|(_, kind, key)| (&**kind, &**key)).collect();
        world
    }
}

fn place(change: &Change) -> Place {
    (
        change.instance.clone(),
        change.kind.clone(),
        change.key.clone(),
    )
}
