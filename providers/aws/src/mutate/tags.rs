//! Tags, by difference: what is to be set and what is to be taken away.
//!
//! In come the tags as they are and a write request, out goes what has to change. The ownership
//! mark is stamped with every write that finds another one. Tags that AWS gives itself, and where
//! the configuration says nothing of tags everybody's, are left alone.

use std::collections::BTreeMap;

use aws_sdk_iam::types as iam;
use aws_sdk_secretsmanager::types as secrets;
use remit_sdk::provider::WriteRequest;
use remit_sdk::{Mark, Value};

use super::{Failure, bug, is_changed, wanted};
use crate::normal;
use crate::observe::decode::{RECOVERY_TAG, Tags};
use crate::schema::RECOVERY_SECONDS_DEFAULT;

const DAY_SECONDS: i64 = 86_400;

/// What has to change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TagChanges {
    pub(super) set: Tags,
    pub(super) remove: Vec<String>,
}

/// All tags of an object that is made.
pub(super) fn all(request: &WriteRequest<'_>) -> Tags {
    let mut tags = written(request.attributes.get("tags"));
    tags.extend(recovery(request.attributes.get("recovery_window")));
    tags.extend(normal::mark_tags(request.mark));
    tags
}

/// What has to change of an object's tags.
pub(super) fn changes(request: &WriteRequest<'_>, live: &Tags) -> TagChanges {
    let is_ours = |key: &str| key.starts_with("remit:");
    let mut remove = Vec::new();
    let mut set = mark(request.mark);
    if is_changed(request, "tags") {
        let wanted = written(Some(&wanted(request, "tags")));
        let gone = live
            .keys()
            .filter(|key| !wanted.contains_key(*key) && !key.starts_with("aws:") && !is_ours(key));
        remove.extend(gone.cloned());
        set.extend(wanted);
    }
    if is_changed(request, "recovery_window") {
        let recovery = recovery(Some(&wanted(request, "recovery_window")));
        if recovery.is_none() && live.contains_key(RECOVERY_TAG) {
            remove.push(RECOVERY_TAG.to_owned());
        }
        set.extend(recovery);
    }
    set.retain(|key, value| live.get(key) != Some(value));
    TagChanges { set, remove }
}

fn mark(mark: &Mark) -> Tags {
    normal::mark_tags(mark).into_iter().collect()
}

fn written(tags: Option<&Value>) -> Tags {
    let Some(Value::Map(all)) = tags else {
        return BTreeMap::new();
    };
    all.iter()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The tag for a time to restore that isn't AWS's own.
fn recovery(window: Option<&Value>) -> Option<(String, String)> {
    let seconds = window.and_then(Value::as_i64)?;
    (seconds != RECOVERY_SECONDS_DEFAULT)
        .then(|| (RECOVERY_TAG.to_owned(), (seconds / DAY_SECONDS).to_string()))
}

/// As IAM takes them.
pub(super) fn to_iam(tags: &Tags) -> Result<Vec<iam::Tag>, Failure> {
    tags.iter()
        .map(|(key, value)| {
            iam::Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|_| bug("a tag without key or value"))
        })
        .collect()
}

/// As Secrets Manager takes them.
pub(super) fn to_secrets(tags: &Tags) -> Vec<secrets::Tag> {
    tags.iter()
        .map(|(key, value)| secrets::Tag::builder().key(key).value(value).build())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use remit_sdk::provider::Expected;

    use super::*;
    use crate::schema;

    fn changed(
        kind: &str,
        attributes: &[(&str, Value)],
        unset: &[&str],
        live: &[(&str, &str)],
    ) -> TagChanges {
        let attributes: BTreeMap<String, Value> = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let unset: BTreeSet<String> = unset.iter().map(|name| (*name).to_owned()).collect();
        let changed = attributes.keys().chain(&unset).cloned().collect();
        let mark = Mark {
            lineage: "l".into(),
            address: "a".into(),
        };
        let live = live
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let request = WriteRequest {
            kind: schema::kind(kind).unwrap(),
            key: "x",
            expected: &Expected::Absent,
            attributes: &attributes,
            changed: &changed,
            unset: &unset,
            secrets: &BTreeMap::new(),
            mark: &mark,
        };
        changes(&request, &live)
    }

    fn map(all: &[(&str, &str)]) -> Value {
        let all = all.iter();
        Value::Map(
            all.map(|(key, value)| ((*key).to_owned(), Value::string(*value)))
                .collect(),
        )
    }

    const MARKED: [(&str, &str); 2] = [("remit:lineage", "l"), ("remit:address", "a")];

    #[test]
    fn only_what_differs_is_written() {
        let mut live = vec![("same", "1"), ("other", "1"), ("gone", "1"), ("aws:x", "1")];
        live.extend(MARKED);
        let wanted = map(&[("same", "1"), ("other", "2"), ("new", "3")]);
        let found = changed("aws_iam_role", &[("tags", wanted)], &[], &live);
        let set: Vec<_> = found
            .set
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        assert_eq!(set, [("new", "3"), ("other", "2")]);
        assert_eq!(found.remove, ["gone"]);
    }

    #[test]
    fn tags_that_are_not_asked_about_stay_and_the_mark_is_stamped() {
        let found = changed(
            "aws_iam_role",
            &[],
            &[],
            &[("theirs", "1"), ("remit:lineage", "z")],
        );
        let keys: Vec<_> = found.set.keys().map(String::as_str).collect();
        assert_eq!(keys, ["remit:address", "remit:lineage"]);
        assert!(found.remove.is_empty());
        assert_eq!(
            changed("aws_iam_role", &[], &[], &MARKED),
            TagChanges::default()
        );
    }

    #[test]
    fn a_time_to_restore_comes_and_goes() {
        let days = |days: i64| Value::integer(days * DAY_SECONDS);
        let kind = "aws_secretsmanager_secret";
        let found = changed(kind, &[("recovery_window", days(0))], &[], &MARKED);
        assert_eq!(found.set.get(RECOVERY_TAG).map(String::as_str), Some("0"));
        let mut live = MARKED.to_vec();
        live.push((RECOVERY_TAG, "7"));
        for (attributes, unset) in [
            (vec![("recovery_window", days(30))], vec![]),
            (vec![], vec!["recovery_window"]),
        ] {
            let found = changed(kind, &attributes, &unset, &live);
            assert_eq!(found.remove, [RECOVERY_TAG]);
            assert!(found.set.is_empty());
        }
        // Other tags are one's own business.
        let found = changed(kind, &[("tags", map(&[]))], &[], &live);
        assert_eq!(found, TagChanges::default());
    }
}
