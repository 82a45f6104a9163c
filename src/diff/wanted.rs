//! What becomes of an object that is wanted.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::provider::{Expected, Reading};
use remit_sdk::{Address, Diagnostic, Object, ObjectAddress, Value};

use super::change::{Action, Change, Difference, OldObject, Reason};
use super::compare::{self, Compared};
use super::refusal::unreadable;
use super::{Differences, Snapshots, is_instance, ownership};
use crate::state::Record;

/// Decides one object. What it depends on is decided already.
pub(super) fn decide(
    snapshots: &Snapshots<'_>,
    address: &ObjectAddress,
    result: &mut Differences,
    blocked: &mut BTreeSet<ObjectAddress>,
) {
    let Some(wanted) = snapshots.desired.objects.get(address) else {
        return;
    };
    if let Some(blocker) = wanted
        .depends_on
        .iter()
        .find(|other| blocked.contains(other))
    {
        result.diagnostics.push(
            Diagnostic::warning(
                "waits for a blocked object",
                format!("{address} is left as it is, because {blocker} can't be decided"),
            )
            .at(wanted.span)
            .about(Address::Object(address.clone())),
        );
        blocked.insert(address.clone());
        return;
    }
    let attributes = resolve(wanted, &result.known);
    let moved_from = moved_from(snapshots, wanted);
    let record = snapshots
        .recorded
        .objects
        .get(moved_from.unwrap_or(address));
    let reading = snapshots
        .observed
        .reading(&wanted.instance, wanted.kind.name, &wanted.key);
    let object = match reading {
        Reading::Present(object) => Some(object),
        Reading::Absent => None,
        Reading::Unreadable(error) => {
            result.diagnostics.push(unreadable(wanted, &error));
            blocked.insert(address.clone());
            return;
        }
    };
    let decision = Decision {
        snapshots,
        wanted,
        attributes: &attributes,
    };
    if record.is_some()
        && let Some(other) = decision.held(result, false)
    {
        result.diagnostics.push(decision.in_use(&other));
        blocked.insert(address.clone());
        return;
    }
    let moved =
        record.filter(|record| record.key != wanted.key || record.instance != wanted.instance);
    let outcome = match (moved, record, object) {
        (Some(record), ..) if snapshots.options.refresh_only => decision.stays(record),
        (Some(record), _, object) => decision.moved(record, object.as_ref()),
        (None, record, None) if snapshots.options.refresh_only => {
            Ok(decision.gone(record, &attributes))
        }
        (None, record, None) => Ok(decision.create(record, result)),
        (None, Some(record), Some(object)) if ownership::recorded(snapshots, record, &object) => {
            Ok(decision.compare(Some(record), &object, result))
        }
        (None, _, Some(object)) => decision.unrecorded(&object, result),
    };
    match outcome {
        Ok(mut change) => {
            if let Some(from) = moved_from {
                result.moved.insert(from.clone());
                change.moved_from = Some(from.clone());
                if change.action == Action::Keep {
                    change.action = Action::Refresh;
                }
                if change.action == Action::Refresh {
                    change.reason = Reason::Moved;
                }
            }
            know(address, &change, result, snapshots, wanted);
            if change.action == Action::Replace {
                let place = (
                    change.instance.clone(),
                    change.kind.clone(),
                    wanted.key.clone(),
                );
                result.replaced.insert(place, address.clone());
            }
            if change.action != Action::Keep {
                result.changes.insert(address.clone(), change);
            } else if !snapshots.options.refresh_only {
                result.kept.insert(address.clone());
            }
        }
        Err(diagnostic) => {
            result.diagnostics.push(diagnostic);
            blocked.insert(address.clone());
        }
    }
}

/// The address that records the live object that is declared here now, if that is another one and
/// nothing is declared there any more.
fn moved_from<'a>(snapshots: &Snapshots<'a>, wanted: &'a Wanted) -> Option<&'a ObjectAddress> {
    if snapshots.options.refresh_only || snapshots.recorded.objects.contains_key(&wanted.address) {
        return None;
    }
    let from = snapshots.claim(wanted)?;
    if snapshots.desired.objects.contains_key(from) {
        return None;
    }
    let record = snapshots.recorded.objects.get(from)?;
    let reading = snapshots
        .observed
        .reading(&wanted.instance, wanted.kind.name, &wanted.key);
    match reading {
        Reading::Present(object) if ownership::recorded(snapshots, record, &object) => Some(from),
        _ => None,
    }
}

/// The wanted attributes with every pending value that is known filled in.
fn resolve(
    wanted: &Wanted,
    known: &BTreeMap<ObjectAddress, BTreeMap<String, Value>>,
) -> BTreeMap<String, Value> {
    let look_up =
        |address: &ObjectAddress, attribute: &str| known.get(address)?.get(attribute).cloned();
    wanted
        .attributes
        .iter()
        .map(|(name, value)| (name.clone(), value.resolve(&look_up)))
        .collect()
}

/// Remembers what others may refer to: everything live of an object that stays.
fn know(
    address: &ObjectAddress,
    change: &Change,
    result: &mut Differences,
    snapshots: &Snapshots<'_>,
    wanted: &Wanted,
) {
    if matches!(change.action, Action::Create | Action::Replace) {
        return;
    }
    let reading = snapshots
        .observed
        .reading(&wanted.instance, wanted.kind.name, &wanted.key);
    if let Reading::Present(object) = reading {
        let mut known = object.attributes;
        known.extend(
            change
                .after
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        if let Some(id) = object.id {
            known.entry("id".to_owned()).or_insert(Value::String(id));
        }
        result.known.insert(address.clone(), known);
    }
}

/// The state of the art about one wanted object.
pub(super) struct Decision<'a> {
    pub(super) snapshots: &'a Snapshots<'a>,
    pub(super) wanted: &'a Wanted,
    attributes: &'a BTreeMap<String, Value>,
}

impl Decision<'_> {
    /// Nothing is live under the key.
    fn create(&self, record: Option<&Record>, result: &Differences) -> Change {
        let reason = match (self.container(result), record) {
            (Some(container), _) => Reason::Container(container),
            (None, Some(_)) => Reason::Gone,
            (None, None) => Reason::New,
        };
        let compared = compare::for_create(self.wanted, self.attributes);
        self.change(
            Action::Create,
            reason,
            BTreeMap::new(),
            compared,
            Expected::Absent,
        )
    }

    /// Nothing is live, and only records may change.
    fn gone(&self, record: Option<&Record>, attributes: &BTreeMap<String, Value>) -> Change {
        let action = if record.is_some() {
            Action::Forget
        } else {
            Action::Keep
        };
        let mut compared = compare::for_create(self.wanted, attributes);
        compared.after.clear();
        compared.differences.clear();
        let before = record
            .map(|record| record.attributes.clone())
            .unwrap_or_default();
        self.change(action, Reason::Gone, before, compared, Expected::Absent)
    }

    /// The record is of another key or instance, and only records may change.
    fn stays(&self, record: &Record) -> Result<Change, Diagnostic> {
        let reading = self
            .snapshots
            .observed
            .reading(&record.instance, &record.kind, &record.key);
        let mut change = match reading {
            Reading::Absent => self.gone(Some(record), self.attributes),
            Reading::Present(_) => self.gone(None, self.attributes),
            Reading::Unreadable(error) => return Err(unreadable(self.wanted, &error)),
        };
        change.instance.clone_from(&record.instance);
        change.key.clone_from(&record.key);
        Ok(change)
    }

    /// The record is of another key or instance: the old object goes, a new one comes.
    fn moved(&self, record: &Record, new: Option<&Object>) -> Result<Change, Diagnostic> {
        if let Some(new) = new {
            return Err(self.claimed().unwrap_or_else(|| self.foreign(new)));
        }
        let reading = self
            .snapshots
            .observed
            .reading(&record.instance, &record.kind, &record.key);
        let expected = match reading {
            Reading::Present(object) if ownership::recorded(self.snapshots, record, &object) => {
                Some(expected(&object))
            }
            Reading::Present(_) | Reading::Absent => None,
            Reading::Unreadable(error) => return Err(unreadable(self.wanted, &error)),
        };
        let compared = compare::for_create(self.wanted, self.attributes);
        let names: Vec<String> = self
            .wanted
            .kind
            .key_attributes()
            .filter(|name| record.attributes.get(*name) != self.attributes.get(*name))
            .map(str::to_owned)
            .collect();
        let mut change = self.change(
            Action::Replace,
            Reason::Immutable(names),
            record.attributes.clone(),
            compared,
            Expected::Absent,
        );
        for difference in &mut change.differences {
            difference.before = record.attributes.get(&difference.name).cloned();
            difference.replaces = self
                .wanted
                .kind
                .key_attributes()
                .any(|key| key == difference.name)
                && difference.before != difference.after;
        }
        change
            .differences
            .retain(|difference| difference.before != difference.after);
        change.old = Some(OldObject {
            instance: record.instance.clone(),
            key: record.key.clone(),
            expected,
        });
        Ok(change)
    }

    /// Live, and not what is recorded: adopted if it is ours, refused if not.
    fn unrecorded(&self, object: &Object, result: &mut Differences) -> Result<Change, Diagnostic> {
        if let Some(diagnostic) = self.claimed() {
            return Err(diagnostic);
        }
        let ours = ownership::unrecorded(
            self.snapshots,
            &self.wanted.instance,
            self.wanted.kind,
            object,
        );
        if ours {
            Ok(self.compare(None, object, result))
        } else {
            Err(self.foreign(object))
        }
    }

    /// Live and ours.
    fn compare(
        &self,
        record: Option<&Record>,
        object: &Object,
        result: &mut Differences,
    ) -> Change {
        let address = self.wanted.address.to_string();
        let mark = self
            .snapshots
            .recorded
            .lineage
            .as_deref()
            .map(|lineage| (lineage, &*address));
        let compared = compare::with_live(self.wanted, self.attributes, record, object, mark);
        let drift = compared.drift.clone();
        if !drift.is_empty() {
            result
                .drift
                .insert(self.wanted.address.clone(), drift.clone());
        }
        if self.snapshots.options.refresh_only {
            return self.refresh(record, object, compared, drift);
        }
        if let Some(container) = self.container(result) {
            let reason = Reason::Container(container);
            if !self.takes_along() || self.held(result, true).is_some() {
                // It goes before the container does, and is made again in the new one.
                let mut fresh = compare::for_create(self.wanted, self.attributes);
                fresh.differences = compared.differences;
                let before = object.attributes.clone();
                return self.change(Action::Replace, reason, before, fresh, expected(object));
            }
            // The container is removed and takes this object along; it is made again in the new one.
            let compared = compare::for_create(self.wanted, self.attributes);
            return self.change(
                Action::Create,
                reason,
                BTreeMap::new(),
                compared,
                Expected::Absent,
            );
        }
        if let Some(reason) = self.replace_reason(&compared, result) {
            let mut fresh = compare::for_create(self.wanted, self.attributes);
            fresh.differences = compared.differences;
            let before = object.attributes.clone();
            return self.change(Action::Replace, reason, before, fresh, expected(object));
        }
        let recorded_differently = record.is_none_or(|record| {
            record.depends_on != compared.details.depends_on
                || record.holders != compared.details.holders
                || record.prevent_destroy != compared.details.prevent_destroy
                || record.set != compared.details.set
                || record.schema_version != self.wanted.kind.version
        });
        let configured = compared
            .differences
            .iter()
            .any(|difference| difference.drift.is_none());
        let (action, reason) = match (record, compared.differences.is_empty()) {
            (None, _) => (Action::Adopt, Reason::Unrecorded),
            (Some(_), false) if configured => (Action::Update, Reason::Configuration),
            (Some(_), false) => (Action::Update, Reason::Drift),
            // Drift nobody declared, or to what the configuration now asks for.
            (Some(_), true) if !drift.is_empty() => (Action::Refresh, Reason::Drift),
            (Some(_), true) if recorded_differently => (Action::Refresh, Reason::Configuration),
            (Some(_), true) => (Action::Keep, Reason::Same),
        };
        let mut change = self.change(
            action,
            reason,
            object.attributes.clone(),
            compared,
            expected(object),
        );
        if action == Action::Refresh {
            change.differences = drift;
        }
        change
    }

    /// Only the record may change: to what is live, where that drifted.
    fn refresh(
        &self,
        record: Option<&Record>,
        object: &Object,
        mut compared: Compared,
        drift: Vec<Difference>,
    ) -> Change {
        let refresh = record.is_some() && !drift.is_empty();
        let action = if refresh {
            Action::Refresh
        } else {
            Action::Keep
        };
        compared.after.clone_from(&object.attributes);
        compared.differences = drift;
        let before = object.attributes.clone();
        self.change(action, Reason::Drift, before, compared, expected(object))
    }

    /// The container, or what else it lives with, whose replacing takes this object along.
    fn container(&self, result: &Differences) -> Option<ObjectAddress> {
        if let Some(other) = self.lives_with(result).or_else(|| self.held(result, true)) {
            return Some(other);
        }
        let container = self.wanted.kind.container.as_ref()?;
        let key = self.attributes.get(container.attribute)?.as_str()?;
        let place = (
            self.wanted.instance.clone(),
            container.kind.to_owned(),
            key.to_owned(),
        );
        result.replaced.get(&place).cloned()
    }

    /// The replaced object that an attribute of this one refers to, where it takes this one along.
    fn lives_with(&self, result: &Differences) -> Option<ObjectAddress> {
        let attributes = self.wanted.kind.attributes.iter();
        let pending = attributes
            .filter(|attribute| attribute.lives_with)
            .filter_map(|attribute| self.wanted.attributes.get(attribute.name))
            .filter_map(|value| match value {
                Value::Pending(pending) => Some(pending),
                _ => None,
            });
        pending
            .flat_map(remit_sdk::Pending::objects)
            .find(|address| {
                result
                    .changes
                    .get(*address)
                    .is_some_and(|change| change.action == Action::Replace)
            })
            .cloned()
    }

    /// The replaced object that can't be removed while this one refers to it.
    fn held(&self, result: &Differences, anew: bool) -> Option<ObjectAddress> {
        let attributes = self.wanted.kind.attributes.iter();
        let kinds: BTreeSet<&str> = attributes
            .filter(|attribute| self.wanted.attributes.contains_key(attribute.name))
            .filter_map(|attribute| attribute.holds)
            .filter(|holds| holds.anew == anew)
            .map(|holds| holds.kind)
            .collect();
        let needed = self.wanted.depends_on.iter();
        needed
            .filter(|address| kinds.contains(address.kind.as_str()))
            .find(|address| {
                result
                    .changes
                    .get(*address)
                    .is_some_and(|change| change.action == Action::Replace)
            })
            .cloned()
    }

    /// Whether removing the container removes this object.
    fn takes_along(&self) -> bool {
        self.wanted
            .kind
            .container
            .as_ref()
            .is_none_or(|container| container.takes_along)
    }

    fn replace_reason(&self, compared: &Compared, result: &Differences) -> Option<Reason> {
        let immutable: Vec<String> = compared
            .differences
            .iter()
            .filter(|difference| difference.replaces)
            .map(|difference| difference.name.clone())
            .collect();
        if !immutable.is_empty() {
            return Some(Reason::Immutable(immutable));
        }
        if self
            .snapshots
            .options
            .replace
            .iter()
            .any(|one| one.covers(&self.wanted.address))
        {
            return Some(Reason::Requested);
        }
        self.wanted
            .lifecycle
            .replace_on
            .iter()
            .find(|named| {
                result.changes.values().any(|change| {
                    (is_instance(named, &change.address.declaration)
                        || change.address.part.as_deref() == Some(&*named.to_string()))
                        && matches!(
                            change.action,
                            Action::Create | Action::Update | Action::Replace
                        )
                })
            })
            .map(|named| Reason::ReplaceOn(named.clone()))
    }

    fn change(
        &self,
        action: Action,
        reason: Reason,
        before: BTreeMap<String, Value>,
        compared: Compared,
        expected: Expected,
    ) -> Change {
        Change {
            address: self.wanted.address.clone(),
            instance: self.wanted.instance.clone(),
            kind: self.wanted.kind.name.to_owned(),
            key: self.wanted.key.clone(),
            action,
            reason,
            before,
            after: compared.after,
            differences: compared.differences,
            expected,
            old: None,
            moved_from: None,
            details: compared.details,
            place: None,
        }
    }
}

/// What a write of this object must find.
pub(super) fn expected(object: &Object) -> Expected {
    Expected::Present {
        id: object.id.clone(),
        version: object.version,
        fingerprint: object.fingerprint.clone(),
    }
}
