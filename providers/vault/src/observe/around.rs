//! What stands around the objects: audit devices, and leases of what is removed.
//!
//! In come a client and the objects that a plan removes, out goes what rules look at. Both lists
//! take `sudo`, which remit's token seldom has; without it they aren't known.

use std::collections::BTreeMap;

use remit_sdk::provider::{AuditDevice, Seen, Surroundings};
use remit_sdk::text::safe;
use remit_sdk::{ErrorKind, Kind, ProviderError, Value};
use serde_json::{Map, Value as Json};

use super::text;
use crate::client::{Client, Request};
use crate::wire;

/// Where the devices are listed.
const AUDIT: &str = "sys/audit";

/// Auth methods by which people log in.
pub(super) const METHODS_OF_PEOPLE: [&str; 8] = [
    "github", "kerberos", "ldap", "oidc", "okta", "radius", "saml", "userpass",
];

/// What an entry must hold for it to say whose the request was; a device that leaves out one of
/// these, or what holds them, doesn't.
const NAMES_THE_AGENT: [&str; 2] = ["/auth/entity_id", "/auth/display_name"];

pub(super) async fn surroundings(
    client: &Client,
    removed: &[(&'static Kind, &str)],
) -> Surroundings {
    let answer = client.send(&Request::get(AUDIT)).await;
    let audit = match &answer {
        Ok(answer) => devices(answer.data()),
        Err(error) => unknown(AUDIT, error),
    };
    let mut left = BTreeMap::new();
    for (kind, key) in removed {
        if let Some(prefix) = leases_of(kind, key, removed) {
            let place = (kind.name.to_owned(), (*key).to_owned());
            left.insert(place, leases(client, &prefix).await);
        }
    }
    Surroundings {
        audit: Some(audit),
        left,
    }
}

fn unknown<T>(path: &str, error: &ProviderError) -> Seen<T> {
    let path = safe(path);
    let why = match error.kind {
        ErrorKind::Denied => format!("which take `read` and `sudo` on `{path}`"),
        ErrorKind::Invalid if error.message.contains("root namespace") => {
            "which are told in the root namespace only".to_owned()
        }
        _ => format!("which couldn't be read: {}", error.message),
    };
    Seen::Unknown(why)
}

fn malformed<T>(path: &str) -> Seen<T> {
    Seen::Unknown(format!(
        "which couldn't be read: the answer of `{}` is not what this server should give",
        safe(path)
    ))
}

/// The devices out of the answer, which holds each under its path.
fn devices(data: &Json) -> Seen<Vec<AuditDevice>> {
    let Some(all) = data.as_object() else {
        return malformed(AUDIT);
    };
    let mut found = Vec::new();
    for (path, device) in all {
        let blind = match device.get("options") {
            Some(Json::Object(options)) => blind(options),
            // None are set.
            Some(Json::Null) => None,
            _ => return malformed(AUDIT),
        };
        if text(device, "type").is_none() {
            return malformed(AUDIT);
        }
        found.push(AuditDevice {
            name: path.trim_end_matches('/').to_owned(),
            blind,
        });
    }
    Seen::Known(found)
}

/// Why a device with these options doesn't tell whose every request was.
fn blind(options: &Map<String, Json>) -> Option<String> {
    if let Some(filter) = options.get("filter").filter(|filter| is_set(filter)) {
        let what = filter
            .as_str()
            .map_or_else(|| filter.to_string(), str::to_owned);
        return Some(format!("it records only what `{}` lets pass", safe(&what)));
    }
    let exclude = options.get("exclude").filter(|exclude| is_set(exclude))?;
    let Some(fields) = exclude.as_str().and_then(left_out) else {
        return Some("what it leaves out can't be told".to_owned());
    };
    let hides = |field: &&String| {
        NAMES_THE_AGENT.iter().any(|name| {
            name.strip_prefix(field.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let field = fields.iter().find(hides)?;
    Some(format!("it leaves out `{}`", safe(field)))
}

fn is_set(option: &Json) -> bool {
    match option {
        Json::Null => false,
        Json::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// The fields that the rules of `exclude` name; `None` where one of them isn't understood.
fn left_out(exclude: &str) -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Rule {
        #[serde(default)]
        fields: Vec<String>,
    }
    let rules: Vec<Rule> = serde_json::from_str(exclude).ok()?;
    Some(rules.into_iter().flat_map(|rule| rule.fields).collect())
}

/// Under which prefix the leases are that an object gave out: those of a database role live on
/// when it goes; those of a mount go with it.
fn leases_of(kind: &Kind, key: &str, removed: &[(&'static Kind, &str)]) -> Option<String> {
    if kind.name != "vault_database_role" {
        return None;
    }
    let parts = kind.parse_key(key)?;
    let part = |name: &str| parts.get(name).and_then(Value::as_str);
    let (mount, name) = (part("mount")?, part("name")?);
    let goes = |(kind, key): &(&Kind, &str)| kind.name == "vault_secrets_mount" && *key == mount;
    (!removed.iter().any(goes)).then(|| format!("{mount}/creds/{name}"))
}

async fn leases(client: &Client, prefix: &str) -> Seen<Vec<String>> {
    let segments: Vec<_> = prefix.split('/').map(wire::encode_segment).collect();
    let path = format!("sys/leases/lookup/{}", segments.join("/"));
    match client.send(&Request::list(&path)).await {
        Ok(answer) => match answer.data().get("keys").and_then(Json::as_array) {
            Some(keys) => Seen::Known(counted(keys.len(), prefix)),
            None => malformed(&path),
        },
        // The right is asked for first: a not-found is said only to whoever may list.
        Err(error) if error.kind == ErrorKind::NotFound => Seen::Known(Vec::new()),
        Err(error) => unknown(&path, &error),
    }
}

fn counted(number: usize, prefix: &str) -> Vec<String> {
    let prefix = safe(prefix);
    match number {
        0 => Vec::new(),
        1 => vec![format!("a lease under `{prefix}`")],
        _ => vec![format!("{number} leases under `{prefix}`")],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(options: &Json) -> Option<String> {
        let Seen::Known(mut devices) =
            devices(&json!({ "file/": { "type": "file", "options": options } }))
        else {
            panic!("not known");
        };
        assert_eq!(devices.len(), 1);
        let device = devices.remove(0);
        assert_eq!(device.name, "file");
        device.blind
    }

    #[test]
    fn a_device_that_leaves_out_who_it_was_is_told() {
        assert_eq!(told(&json!({ "file_path": "/var/log/audit" })), None);
        assert_eq!(told(&json!({ "filter": " ", "exclude": "" })), None);
        let filter = told(&json!({ "filter": "mount_type == kv" })).unwrap();
        assert!(filter.contains("mount_type == kv"), "{filter}");
        let exclude = |fields: &[&str]| {
            let rules = json!([{ "condition": "x" }, { "fields": fields }]).to_string();
            told(&json!({ "exclude": rules }))
        };
        for field in ["/auth", "/auth/", "/auth/entity_id", "/auth/display_name"] {
            assert_eq!(
                exclude(&["/response/data", field]),
                Some(format!("it leaves out `{field}`"))
            );
        }
        assert_eq!(exclude(&["/response", "/auth/client_token", "/aut"]), None);
        let rules = |rules: Json| json!({ "exclude": rules.to_string() });
        for options in [
            json!({ "exclude": "no JSON" }),
            json!({ "exclude": [{ "fields": ["/auth"] }] }),
            rules(json!([{ "fields": "/auth" }])),
            rules(json!([{ "fields": [1] }])),
            rules(json!(["/auth"])),
        ] {
            let unread = told(&options).unwrap_or_default();
            assert!(unread.contains("can't be told"), "{options}: {unread}");
        }
        let filter = told(&json!({ "filter": ["mount_type == kv"] })).unwrap_or_default();
        assert!(filter.contains("records only"), "{filter}");
    }

    #[test]
    fn what_is_no_list_of_devices_is_not_known() {
        assert_eq!(devices(&json!({})), Seen::Known(Vec::new()));
        assert_eq!(told(&json!(null)), None);
        for answer in [
            json!(null),
            json!([]),
            json!({ "errors": [] }),
            json!({ "file/": { "type": "file" } }),
            json!({ "file/": { "type": "file", "options": [] } }),
            json!({ "file/": { "type": 1, "options": {} } }),
        ] {
            let Seen::Unknown(why) = devices(&answer) else {
                panic!("{answer}");
            };
            assert!(why.contains("`sys/audit`"), "{why}");
        }
    }

    #[test]
    fn why_it_is_not_known_is_told() {
        let why = |kind, message: &str| {
            let error = ProviderError::new(kind, message);
            let Seen::Unknown(why) = unknown::<()>(AUDIT, &error) else {
                panic!("known");
            };
            why
        };
        let denied = why(ErrorKind::Denied, "403");
        assert_eq!(denied, "which take `read` and `sudo` on `sys/audit`");
        let elsewhere = why(
            ErrorKind::Invalid,
            "operation only available in root namespace",
        );
        assert_eq!(elsewhere, "which are told in the root namespace only");
        let other = why(ErrorKind::Invalid, "something");
        assert_eq!(other, "which couldn't be read: something");
    }

    #[test]
    fn leases_are_counted_under_their_role() {
        let kind = |name| crate::schema::kind(name).unwrap();
        let role = kind("vault_database_role");
        let key = role
            .key_of(&BTreeMap::from([
                ("mount".to_owned(), Value::string("db")),
                ("name".to_owned(), Value::string("reports")),
            ]))
            .unwrap();
        let under = |kind, key, removed: &[_]| leases_of(kind, key, removed);
        let mount = kind("vault_secrets_mount");
        for others in [[(mount, "other")], [(kind("vault_auth_mount"), "db")]] {
            let found = under(role, &key, &others);
            assert_eq!(found.as_deref(), Some("db/creds/reports"));
        }
        assert_eq!(under(role, &key, &[(mount, "db")]), None);
        assert_eq!(under(kind("vault_policy"), "db", &[]), None);
        assert_eq!(counted(0, "db"), Vec::<String>::new());
        assert_eq!(counted(1, "db"), ["a lease under `db`"]);
        assert_eq!(counted(2, "db"), ["2 leases under `db`"]);
    }
}
