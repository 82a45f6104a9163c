//! Objects that are recorded with a live id and not found under their name: gone, or renamed
//! behind remit's back?
//!
//! In comes what was found under the id, out goes absence or a conflict that tells the new name.
//! A renamed object keeps our mark, its policies and everybody who logs in as it: taking it for
//! gone would make a second one and leave the first for ever.

use std::collections::BTreeMap;

use remit_sdk::provider::Reading;
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, Kind, ProviderError, Value};
use serde_json::Value as Json;

use super::{Mounts, malformed, text};
use crate::wire::encode_segment;

/// The path of an object by its id; `None` for a kind that is not read by one.
pub(super) fn path(kind: &str, id: &str) -> Option<String> {
    let folder = match kind {
        "vault_entity" => "entity",
        "vault_entity_alias" => "entity-alias",
        _ => return None,
    };
    Some(format!("identity/{folder}/id/{}", encode_segment(id)))
}

/// The mount of this accessor, if the table holds it.
fn of_accessor<'a>(mounts: &'a Mounts, accessor: &str) -> Option<&'a str> {
    mounts
        .iter()
        .find(|(_, mount)| text(mount, "accessor").as_deref() == Some(accessor))
        .map(|(path, _)| path.as_str())
}

/// A mount that isn't at its path: whether it is at another.
pub(super) fn mount(kind: &Kind, key: &str, id: &str, mounts: &Mounts) -> Reading {
    let Some(now) = of_accessor(mounts, id) else {
        return Reading::Absent;
    };
    let (folder, command) = match kind.name {
        "vault_auth_mount" => ("auth/", "auth"),
        _ => ("", "secrets"),
    };
    let (now, before) = (shown(folder, now), shown(folder, key));
    Reading::Unreadable(conflict(
        format!("the mount `{before}` was moved to `{now}`, with everything in it"),
        format!(
            "move it back (`bao {command} move {now} {before}`), or disable it if it may go, and plan \
             again"
        ),
    ))
}

/// An entity that isn't found by its name, and what stands under its id.
pub(super) fn entity(key: &str, id: &str, data: &Json) -> Reading {
    let path = "identity/entity/id";
    let (Some(name), Some(found)) = (text(data, "name"), text(data, "id")) else {
        return Reading::Unreadable(malformed(path));
    };
    let (now, before) = (safe(&name), safe(key));
    if found != id {
        return Reading::Unreadable(conflict(
            format!("the entity `{before}` was merged into `{now}`"),
            format!(
                "remove `{now}` if it may go, and plan again: both can't be told apart any more"
            ),
        ));
    }
    if name.to_lowercase() == key.to_lowercase() {
        return Reading::Unreadable(contradiction(path));
    }
    Reading::Unreadable(conflict(
        format!(
            "the entity that was made as `{before}` is called `{now}` now, and keeps its policies \
             and its logins"
        ),
        format!(
            "rename it back (`bao write identity/entity/id/{id} name={before}`), or remove it \
             (`bao delete identity/entity/id/{id}`), and plan again",
            id = safe(id)
        ),
    ))
}

/// An alias that isn't found by mount and name, and what stands under its id. One whose mount is
/// gone stays behind and lets nobody in: that one is absent.
pub(super) fn alias(
    parts: &BTreeMap<String, Value>,
    id: &str,
    data: &Json,
    mounts: &Mounts,
) -> Reading {
    let path = "identity/entity-alias/id";
    let part = |name: &str| parts.get(name).and_then(Value::as_str).unwrap_or_default();
    let (Some(name), Some(accessor)) = (text(data, "name"), text(data, "mount_accessor")) else {
        return Reading::Unreadable(malformed(path));
    };
    let Some(mount) = of_accessor(mounts, &accessor) else {
        return Reading::Absent;
    };
    if mount == part("mount") && name.to_lowercase() == part("name").to_lowercase() {
        return Reading::Unreadable(contradiction(path));
    }
    let before = format!("`{}` at `auth/{}`", safe(part("name")), safe(part("mount")));
    Reading::Unreadable(conflict(
        format!(
            "the alias that was made as {before} is `{}` at `auth/{}` now, and lets that login in",
            safe(&name),
            safe(mount)
        ),
        format!(
            "remove it (`bao delete identity/entity-alias/id/{}`), or make it {before} again, and \
             plan again",
            safe(id)
        ),
    ))
}

fn shown(folder: &str, path: &str) -> String {
    format!("{folder}{}", safe(path))
}

fn conflict(message: String, help: String) -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, message).help(help)
}

fn contradiction(path: &str) -> ProviderError {
    ProviderError::new(
        ErrorKind::Conflict,
        format!("{path}: the server says that it is there, and by its name that it isn't"),
    )
    .help("somebody may be changing it: plan again")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema;

    fn mounts() -> Mounts {
        [("jwt", "a1"), ("other", "a2")]
            .map(|(path, accessor)| (path.to_owned(), json!({"accessor": accessor})))
            .into()
    }

    fn why(reading: Reading) -> String {
        match reading {
            Reading::Unreadable(error) => {
                assert_eq!(error.kind, ErrorKind::Conflict, "{error}");
                format!("{} {}", error.message, error.help.unwrap())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mount_elsewhere_is_moved_and_a_dead_one_is_gone() {
        let kind = schema::kind("vault_auth_mount").unwrap();
        let moved = why(mount(kind, "old", "a1", &mounts()));
        assert!(
            moved.contains("`auth/old` was moved to `auth/jwt`"),
            "{moved}"
        );
        assert_eq!(mount(kind, "old", "a9", &mounts()), Reading::Absent);
    }

    #[test]
    fn an_entity_of_another_name_is_no_absence() {
        let renamed = why(entity("old", "i", &json!({"id": "i", "name": "new"})));
        assert!(renamed.contains("`old` is called `new` now"), "{renamed}");
        let merged = why(entity("old", "i", &json!({"id": "j", "name": "new"})));
        assert!(merged.contains("merged into `new`"), "{merged}");
        why(entity("old", "i", &json!({"id": "i", "name": "OLD"})));
        assert!(matches!(
            entity("old", "i", &json!({})),
            Reading::Unreadable(_)
        ));
    }

    #[test]
    fn an_alias_elsewhere_is_no_absence_and_one_of_a_dead_mount_is() {
        let kind = schema::kind("vault_entity_alias").unwrap();
        let parts = kind.parse_key("auth/jwt/alias/s").unwrap();
        let found = |name: &str, accessor: &str| {
            alias(
                &parts,
                "i",
                &json!({"name": name, "mount_accessor": accessor}),
                &mounts(),
            )
        };
        let renamed = why(found("t", "a1"));
        assert!(
            renamed.contains("`s` at `auth/jwt` is `t` at `auth/jwt` now"),
            "{renamed}"
        );
        assert!(why(found("s", "a2")).contains("`auth/other`"));
        why(found("S", "a1"));
        assert_eq!(found("s", "dead"), Reading::Absent);
    }
}
