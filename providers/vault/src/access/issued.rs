//! What a holder is given besides what paths say: the users that a database makes for it.
//!
//! In: a world and what a holder may read there. Out: for each path of credentials, what it gives
//! as far as that is written: the role's statements, the connection, and for how long. What SQL
//! grants isn't evaluated, so other statements may always give more.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::access::{Thing, World};
use remit_sdk::{Value, text::safe};

use super::Acl;
use super::decide::{Operation, Request, Verdict};

const ROLE: &str = "vault_database_role";
const CONNECTION: &str = "vault_database_connection";

/// What of a role says nothing of what its users may do: where it is, and what is compared apart.
const APART: [&str; 5] = ["id", "mount", "name", DEFAULT_TTL, MAX_TTL];

const DEFAULT_TTL: &str = "default_ttl";
const MAX_TTL: &str = "max_ttl";

/// What of a connection says which database it is, and as whom.
const WHERE: [&str; 4] = [
    "connection_url",
    "username",
    "plugin_name",
    "username_template",
];

/// What one path of credentials gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issued {
    /// The policies that let it be read.
    pub(super) policies: BTreeSet<String>,
    /// Everything that is written of it but how long it lasts, by what it is.
    written: BTreeMap<String, String>,
    /// How long it lasts, in seconds; 0 is what the mount says.
    lasts: [u64; 2],
}

/// What a holder may have made for it, by path.
pub(super) fn issued(world: &World<'_>, acl: &Acl) -> BTreeMap<String, Issued> {
    let mut found = BTreeMap::new();
    for role in world.of_kind(ROLE) {
        let (Some(mount), Some(name)) = (word(role, "mount"), word(role, "name")) else {
            continue;
        };
        let path = format!("{mount}/creds/{name}");
        let by = match acl.decide(&Request::new(Operation::Read, &path)) {
            Verdict::Allowed { by, .. } | Verdict::Depends { by, .. } => by,
            Verdict::Denied { .. } => continue,
        };
        let connection = word(role, "db_name").and_then(|db| {
            let of_mount = |one: &&Thing<'_>| word(one, "mount") == Some(mount);
            let mut all = world.of_kind(CONNECTION).filter(of_mount);
            all.find(|one| word(one, "name") == Some(db))
        });
        let own = role.attributes.iter();
        let own = own.filter(|(attribute, _)| !APART.contains(&attribute.as_str()));
        let there = connection.into_iter().flat_map(|one| one.attributes);
        let there = there.filter(|(attribute, _)| WHERE.contains(&attribute.as_str()));
        // What isn't set and what is empty are the same to the server.
        let written = own.chain(there).filter(|(_, value)| !is_empty(value));
        let issued = Issued {
            policies: by,
            written: written
                .map(|(attribute, value)| (attribute.clone(), value.to_json().to_string()))
                .collect(),
            lasts: [DEFAULT_TTL, MAX_TTL].map(|attribute| seconds(role, attribute)),
        };
        found.insert(path, issued);
    }
    found
}

impl Issued {
    /// Why it gives more where nothing was given under its path.
    pub(super) fn anew() -> String {
        "users are made by it that weren't before, and what they may do in the database isn't \
         evaluated"
            .to_owned()
    }

    /// Why this may give more than another, if it may.
    pub(super) fn more_than(&self, other: &Self) -> Option<String> {
        let all: BTreeSet<&String> = self.written.keys().chain(other.written.keys()).collect();
        let mut differs = all
            .into_iter()
            .filter(|what| self.written.get(*what) != other.written.get(*what));
        if let Some(what) = differs.next() {
            let what = safe(what);
            return Some(format!(
                "other users than before are made by it (`{what}`), and what they may do in the database isn't \
                 evaluated"
            ));
        }
        let longer =
            |(now, then): (u64, u64)| now != then && (now == 0 || (then != 0 && now > then));
        let pairs = self.lasts.into_iter().zip(other.lasts);
        pairs
            .into_iter()
            .any(longer)
            .then(|| "users that last longer are made by it".to_owned())
    }
}

fn word<'w>(thing: &'w Thing<'_>, attribute: &str) -> Option<&'w str> {
    thing.attributes.get(attribute).and_then(Value::as_str)
}

/// A duration; what isn't known or not set counts as what the mount says.
fn seconds(thing: &Thing<'_>, attribute: &str) -> u64 {
    let value = thing.attributes.get(attribute).map(Value::to_json);
    value.and_then(|json| json.as_u64()).unwrap_or_default()
}

/// Whether a value says as little as none.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::List(all) => all.is_empty(),
        Value::Set(all) => all.is_empty(),
        Value::Map(all) => all.is_empty(),
        _ => false,
    }
}
