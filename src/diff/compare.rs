//! One object's attributes: wanted against live, and live against recorded.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::Wanted;
use remit_sdk::schema::{Attribute, Need, Shape};
use remit_sdk::{Kind, Object, Value};

use super::change::{Details, Difference, MARK};
use crate::state::Record;

/// What a comparison of attributes gives.
pub(super) struct Compared {
    pub(super) differences: Vec<Difference>,
    pub(super) drift: Vec<Difference>,
    /// What will be there afterwards.
    pub(super) after: BTreeMap<String, Value>,
    pub(super) details: Details,
}

/// What is to be sent for an object that is made: everything set, and the defaults, so that
/// what is made doesn't depend on what a server takes for a default.
pub(super) fn for_create(wanted: &Wanted, attributes: &BTreeMap<String, Value>) -> Compared {
    let mut details = details(wanted);
    let mut differences = Vec::new();
    let mut after = BTreeMap::new();
    for attribute in wanted.kind.attributes {
        let value = attributes
            .get(attribute.name)
            .filter(|value| **value != Value::Null)
            .cloned()
            .or_else(|| {
                (!attribute.write_only)
                    .then(|| attribute.default.value())
                    .flatten()
            });
        let Some(value) = value else { continue };
        if !attribute.write_only {
            after.insert(attribute.name.to_owned(), value.clone());
        }
        details
            .attributes
            .insert(attribute.name.to_owned(), value.clone());
        if details.set.contains(attribute.name) {
            differences.push(Difference {
                name: attribute.name.to_owned(),
                before: None,
                after: Some(value),
                drift: None,
                managed: true,
                replaces: false,
                document: attribute.shape == Shape::Policy,
                may_give: !is_access(attribute),
            });
        }
    }
    versions(wanted.kind, attributes, &mut details, &mut after);
    Compared {
        differences,
        drift: Vec::new(),
        after,
        details,
    }
}

/// Compares a live object with what is wanted and what was recorded. `attributes` are the wanted
/// ones, pending values filled in as far as they are known.
pub(super) fn with_live(
    wanted: &Wanted,
    attributes: &BTreeMap<String, Value>,
    record: Option<&Record>,
    object: &Object,
    expected_mark: Option<(&str, &str)>,
) -> Compared {
    let kind = wanted.kind;
    // A record made by another version of the schema tells who owns the object and nothing else.
    let record = record.filter(|record| record.schema_version == kind.version);
    let mut details = details(wanted);
    details.former_holders = record
        .into_iter()
        .flat_map(|record| record.holders.difference(&wanted.holders))
        .cloned()
        .collect();
    details.former_needs = record
        .into_iter()
        .flat_map(|record| record.depends_on.difference(&wanted.depends_on))
        .cloned()
        .collect();
    let mut after = object.attributes.clone();
    let (mut differences, mut drift) = (Vec::new(), Vec::new());
    let key: BTreeSet<&str> = kind.key_attributes().collect();
    for attribute in kind.attributes {
        let name = attribute.name;
        if attribute.write_only {
            if let Some(difference) = secret(kind, attribute, attributes, record) {
                details
                    .attributes
                    .extend(attributes.get(name).map(|v| (name.to_owned(), v.clone())));
                differences.push(difference);
            }
            continue;
        }
        let ignored = wanted.lifecycle.ignore_changes.contains(name)
            || wanted.lifecycle.ignore_changes.contains("*");
        let target = if key.contains(name) {
            attributes.get(name).cloned()
        } else if ignored {
            None
        } else {
            target(attribute, attributes, record, &mut details.unset)
        };
        let recorded = record.and_then(|record| record.attributes.get(name));
        let live = live(attribute, object, recorded);
        let told = record.is_some() && attribute.unverifiable.is_none() && !attribute.volatile;
        let drifted = (told && !same_value(attribute, recorded, live))
            .then(|| recorded.cloned().unwrap_or_default());
        let after_it = target.as_ref().or(live);
        let difference = Difference {
            name: name.to_owned(),
            before: live.cloned(),
            after: after_it.cloned(),
            drift: drifted.clone(),
            managed: target.is_some(),
            replaces: attribute.immutable,
            document: attribute.shape == Shape::Policy,
            may_give: !is_access(attribute) && !is_shorter(attribute, recorded, live, after_it),
        };
        if drifted.is_some() {
            drift.push(difference.clone());
        }
        let Some(target) = target else { continue };
        details.attributes.insert(name.to_owned(), target.clone());
        if !same_value(attribute, Some(&target), live) {
            after.insert(name.to_owned(), target);
            differences.push(difference);
        }
    }
    versions(kind, attributes, &mut details, &mut after);
    if let (Some(_), Some((lineage, address))) = (kind.mark, expected_mark) {
        let whose = |lineage: &str, address: &str| Value::string(format!("{address} ({lineage})"));
        let mark = object.mark.as_ref();
        if mark.is_none_or(|mark| mark.lineage != lineage || mark.address != address) {
            differences.push(Difference {
                name: MARK.to_owned(),
                before: mark.map(|mark| whose(&mark.lineage, &mark.address)),
                after: Some(whose(lineage, address)),
                drift: None,
                managed: true,
                replaces: false,
                document: false,
                may_give: false,
            });
        }
    }
    Compared {
        differences,
        drift,
        after,
        details,
    }
}

/// What an attribute is to be: what is set, else the default, else reset if remit set it
/// before; `None` where it is left alone.
fn target(
    attribute: &Attribute,
    attributes: &BTreeMap<String, Value>,
    record: Option<&Record>,
    unset: &mut BTreeSet<String>,
) -> Option<Value> {
    if attribute.need == Need::Computed {
        return None;
    }
    if let Some(value) = attributes
        .get(attribute.name)
        .filter(|value| **value != Value::Null)
    {
        return Some(value.clone());
    }
    if let Some(default) = attribute.default.value() {
        return Some(default);
    }
    if !attribute.lets_go && record.is_some_and(|record| record.set.contains(attribute.name)) {
        unset.insert(attribute.name.to_owned());
        return Some(attribute.shape.zero());
    }
    None
}

/// What counts as live: what was read, or what was recorded where it can't be read back.
fn live<'a>(
    attribute: &Attribute,
    object: &'a Object,
    recorded: Option<&'a Value>,
) -> Option<&'a Value> {
    if attribute.unverifiable.is_some() {
        recorded
    } else {
        object.attributes.get(attribute.name)
    }
}

/// Whether what is wanted or recorded, `a`, is what is live, `b`; a server that leaves an
/// attribute out means its zero.
pub fn same_value(attribute: &Attribute, a: Option<&Value>, b: Option<&Value>) -> bool {
    let zero = attribute.shape.zero();
    let value = |value: Option<&Value>| match value {
        None | Some(Value::Null) => zero.clone(),
        Some(value) => value.clone(),
    };
    match attribute.same {
        Some(same) => same(&value(a), &value(b)),
        None => value(a) == value(b),
    }
}

/// A write-only attribute differs where its reference or its version does: values are never
/// compared.
fn secret(
    kind: &Kind,
    attribute: &Attribute,
    attributes: &BTreeMap<String, Value>,
    record: Option<&Record>,
) -> Option<Difference> {
    let wanted = attributes
        .get(attribute.name)
        .filter(|value| **value != Value::Null)?;
    let version_name = format!("{}_version", attribute.name);
    let recorded = record.and_then(|record| record.attributes.get(attribute.name));
    let version = attributes
        .get(&version_name)
        .filter(|value| **value != Value::Null);
    let recorded_version = record.and_then(|record| record.attributes.get(&version_name));
    if recorded == Some(wanted) && recorded_version == version {
        return None;
    }
    debug_assert!(kind.versioned(&version_name).is_some());
    Some(Difference {
        name: attribute.name.to_owned(),
        before: recorded.cloned(),
        after: Some(wanted.clone()),
        drift: None,
        managed: true,
        replaces: false,
        document: false,
        may_give: true,
    })
}

/// Whether an attribute says who may do what.
fn is_access(attribute: &Attribute) -> bool {
    attribute.shape == Shape::Policy || attribute.grants || attribute.admits
}

/// Whether a life is shorter than it was, and no longer than was recorded: what somebody made longer
/// outside isn't agreed to. 0 is whatever somebody else says, or for ever.
fn is_shorter(
    attribute: &Attribute,
    recorded: Option<&Value>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> bool {
    let seconds = |value: Option<&Value>| value.and_then(Value::as_i64);
    let (Some(before), Some(after)) = (seconds(before), seconds(after)) else {
        return false;
    };
    attribute.shape == Shape::Duration
        && 0 < after
        && after < before
        && seconds(recorded).is_none_or(|recorded| after <= recorded)
}

/// Carries references of write-only attributes and their versions along, so that they are
/// recorded.
fn versions(
    kind: &Kind,
    attributes: &BTreeMap<String, Value>,
    details: &mut Details,
    after: &mut BTreeMap<String, Value>,
) {
    for (name, value) in attributes {
        let write_only = kind
            .attribute(name)
            .is_some_and(|attribute| attribute.write_only);
        if *value != Value::Null && (write_only || kind.versioned(name).is_some()) {
            after.insert(name.clone(), value.clone());
            if !write_only {
                details.attributes.insert(name.clone(), value.clone());
            }
        }
    }
}

fn details(wanted: &Wanted) -> Details {
    Details {
        attributes: BTreeMap::new(),
        set: wanted
            .attributes
            .iter()
            .filter(|(_, value)| **value != Value::Null)
            .map(|(name, _)| name.clone())
            .collect(),
        unset: BTreeSet::new(),
        depends_on: wanted.depends_on.clone(),
        holders: wanted.holders.clone(),
        former_holders: BTreeSet::new(),
        former_needs: BTreeSet::new(),
        prevent_destroy: wanted.lifecycle.prevent_destroy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_shorter_only_where_both_are_said() {
        let ttl = Attribute {
            shape: Shape::Duration,
            ..Attribute::PLAIN
        };
        let value = |seconds| Some(Value::integer(seconds));
        let shorter = |attribute, before, after| {
            is_shorter(
                attribute,
                None,
                value(before).as_ref(),
                value(after).as_ref(),
            )
        };
        assert!(shorter(&ttl, 86_400, 900));
        assert!(shorter(&ttl, 2, 1));
        for (before, after) in [(900, 86_400), (900, 900), (900, 0), (0, 900), (-1, -2)] {
            assert!(!shorter(&ttl, before, after), "{before} {after}");
        }
        let number = Attribute {
            shape: Shape::Integer,
            ..Attribute::PLAIN
        };
        assert!(!shorter(&number, 86_400, 900));
        assert!(!is_shorter(&ttl, None, None, value(900).as_ref()));
        assert!(!is_shorter(&ttl, None, value(900).as_ref(), None));
        // Made longer outside, and taken over but for a little.
        let taken_over = |after: i64| {
            let recorded = value(900);
            let (before, after) = (value(86_400), value(after));
            !is_shorter(&ttl, recorded.as_ref(), before.as_ref(), after.as_ref())
        };
        assert!(taken_over(86_399) && taken_over(901));
        assert!(!taken_over(900) && !taken_over(300));
    }
}
