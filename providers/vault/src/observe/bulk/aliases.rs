//! Aliases: all of them in one LIST, and those that nobody asked for.

use std::collections::BTreeMap;

use remit_sdk::provider::Reading;
use remit_sdk::{ErrorKind, ProviderError, Value};
use serde_json::Value as Json;

use super::{Bulk, is_fatal};
use crate::client::Request;
use crate::observe::around::METHODS_OF_PEOPLE;
use crate::observe::{decoded, text};
use crate::{schema, wire};

/// From how many aliases on one LIST of all of them is cheaper than a lookup for each. A lookup
/// tells the whole entity, a LIST a third of that for every alias there is.
const ALIASES_FOR_LIST: usize = 16;

/// Aliases by the accessor of their mount and their name in lower case.
type ByName = BTreeMap<(String, String), Json>;

impl Bulk<'_> {
    /// All aliases at once where many are asked for; what this doesn't tell is looked up one by
    /// one.
    pub(super) async fn aliases(&mut self) -> Result<(), ProviderError> {
        let Some(kind) = schema::kind("vault_entity_alias") else {
            return Ok(());
        };
        let keys: Vec<_> = self
            .keys(kind.name)
            .into_iter()
            .filter(|key| !self.has_no_container(kind, key))
            .collect();
        let Some(Ok(mounts)) = self.auth.clone() else {
            return Ok(());
        };
        if keys.len() < ALIASES_FOR_LIST {
            return Ok(());
        }
        let answer = match self
            .shared
            .client
            .send(&Request::list("identity/entity-alias/id"))
            .await
        {
            Ok(answer) => answer,
            // None at all, or nothing that may be seen.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            Err(error) if is_fatal(&error) => return Err(error),
            Err(_) => return Ok(()),
        };
        let Some(by_name) = listed(answer.data()) else {
            return Ok(());
        };
        for key in keys {
            let parts = kind.parse_key(key).unwrap_or_default();
            let part = |name: &str| parts.get(name).and_then(Value::as_str).unwrap_or_default();
            let mount = mounts.get(part("mount"));
            let Some(accessor) = mount.and_then(|mount| text(mount, "accessor")) else {
                continue;
            };
            let reading = by_name
                .get(&(accessor, part("name").to_lowercase()))
                .map_or(Reading::Absent, |data| decoded(kind, key, data));
            self.note(kind.name, key, reading);
        }
        Ok(())
    }

    /// Aliases of an entity that nobody asked for: whoever logs in by one has all that the entity
    /// may do, whatever the alias is called and wherever its mount is.
    pub(super) fn logins(&mut self, entity: &Json) {
        let Some(kind) = schema::kind("vault_entity_alias") else {
            return;
        };
        let aliases = entity.get("aliases").and_then(Json::as_array);
        for alias in aliases.into_iter().flatten() {
            // One without a path belongs to a mount that is gone, and lets nobody in.
            let mount = text(alias, "mount_path").filter(|path| !path.is_empty());
            let (Some(mount), Some(name)) = (mount, text(alias, "name")) else {
                continue;
            };
            let mount = mount.trim_end_matches('/');
            let mount = mount.strip_prefix("auth/").unwrap_or(mount);
            let parts = BTreeMap::from([
                ("mount".to_owned(), Value::string(mount)),
                ("name".to_owned(), Value::string(name)),
            ]);
            if let Some(key) = kind.key_of(&parts).filter(|key| !self.is_asked(kind, key)) {
                let place = (kind.name.to_owned(), key);
                let method = text(alias, "mount_type").unwrap_or_default();
                if METHODS_OF_PEOPLE.contains(&method.as_str()) {
                    self.out.people.insert(place.clone(), method);
                }
                self.out.others.insert(place);
            }
        }
    }
}

/// The aliases of a LIST; `None` where it isn't understood whole, and so proves no absence.
fn listed(data: &Json) -> Option<ByName> {
    let all = data.get("key_info")?.as_object()?;
    let keys = data.get("keys")?.as_array()?;
    if keys.len() != all.len() {
        return None;
    }
    let mut by_name = ByName::new();
    for (id, info) in all {
        wire::check_alias(info).ok()?;
        let place = (
            text(info, "mount_accessor")?,
            text(info, "name")?.to_lowercase(),
        );
        let mut info = info.clone();
        info.as_object_mut()?
            .insert("id".into(), Json::from(id.as_str()));
        by_name.insert(place, info);
    }
    Some(by_name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Json {
        let alias = |name: &str| {
            json!({
                "name": name, "canonical_id": "e", "mount_accessor": "a1", "custom_metadata": null,
                "mount_path": "auth/jwt/", "mount_type": "jwt", "local": false, "metadata": null,
            })
        };
        json!({ "keys": ["1", "2"], "key_info": { "1": alias("Sub"), "2": alias("other") } })
    }

    #[test]
    fn a_whole_list_tells_every_alias() {
        let by_name = listed(&answer()).unwrap();
        assert_eq!(by_name.len(), 2);
        let found = &by_name[&("a1".to_owned(), "sub".to_owned())];
        assert_eq!(found["id"], json!("1"));
        // One of a mount that is gone has no path.
        let mut dead = answer();
        let info = dead["key_info"]["2"].as_object_mut().unwrap();
        info.remove("mount_path");
        info.remove("mount_type");
        assert!(listed(&dead).is_some());
    }

    #[test]
    fn a_list_that_is_not_understood_proves_no_absence() {
        for answer in [
            json!(null),
            json!({}),
            json!({ "keys": [], "key_info": [] }),
        ] {
            assert!(listed(&answer).is_none(), "{answer}");
        }
        let mut short = answer();
        short["key_info"].as_object_mut().unwrap().remove("2");
        assert!(listed(&short).is_none());
        for (field, value) in [
            ("name", json!(1)),
            ("name", json!(null)),
            ("mount_accessor", json!(["a1"])),
            ("canonical_id", json!(null)),
            ("mount_path", json!(1)),
            ("custom_metadata", json!("x")),
        ] {
            let mut wrong = answer();
            wrong["key_info"]["2"][field] = value;
            assert!(listed(&wrong).is_none(), "{wrong}");
        }
        for field in ["name", "mount_accessor", "canonical_id", "custom_metadata"] {
            let mut without = answer();
            let info = without["key_info"]["2"].as_object_mut().unwrap();
            info.remove(field);
            assert!(listed(&without).is_none(), "{field}");
        }
    }
}
