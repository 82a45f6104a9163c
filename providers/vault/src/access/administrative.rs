//! Permissions that only administrators of a Vault should have.
//!
//! In: one permission. Out: why it is one, if it is: `sudo`, all paths, or writing where the
//! server keeps policies, identities, logins and itself. Reading and writing secrets, database
//! credentials included, is what agents are for, and so is what a token does with itself.

use remit_sdk::access::Permission;
use remit_sdk::text::safe;

use super::pattern::{Pattern, Segment};

/// Capabilities that change something.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "recover"];

/// Where the server keeps itself.
const HELD: [&str; 3] = ["sys", "auth", "identity"];

/// Writes below these that concern only who asks, or what was handed to it: the paths, and what
/// ends in `/` with everything below.
const HARMLESS: [&str; 13] = [
    "auth/token/lookup-self",
    "auth/token/renew-self",
    "auth/token/revoke-self",
    "sys/capabilities-self",
    "sys/leases/lookup",
    "sys/leases/renew",
    "sys/renew",
    "sys/wrapping/wrap",
    "sys/wrapping/lookup",
    "sys/wrapping/unwrap",
    "sys/tools/hash",
    "sys/tools/random",
    "identity/oidc/introspect",
];

pub(super) fn reason(permission: &Permission) -> Option<String> {
    if permission.actions.contains("anything") {
        let what = permission.resources.iter().next()?;
        return (what == "everything").then(|| "it is the policy `root`".to_owned());
    }
    if permission.actions.contains("sudo") {
        return Some("`sudo` reaches what only administrators should".to_owned());
    }
    let writes: Vec<&str> = WRITES
        .into_iter()
        .filter(|name| permission.actions.contains(*name))
        .collect();
    permission.resources.iter().find_map(|path| {
        if ["*", "+/*"].contains(&path.as_str()) {
            return Some(format!("`{path}` is every path"));
        }
        if writes.is_empty() || HARMLESS.contains(&path.as_str()) {
            return None;
        }
        let held = held(path)?;
        Some(format!(
            "`{}` at `{}` changes {}",
            writes.join("`, `"),
            safe(path),
            match held {
                "sys" => "the server itself, its policies or its mounts",
                "auth" => "who may log in, or makes tokens",
                _ => "identities and what they carry",
            }
        ))
    })
}

/// Which of the server's own trees a path may reach into.
fn held(path: &str) -> Option<&'static str> {
    let pattern = Pattern::parse(path).ok()?;
    HELD.into_iter()
        .find(|tree| match pattern.segments.first() {
            Some(Segment::Any) => true,
            Some(Segment::Literal(text)) => text == tree,
            // Only a beginning, which `*` follows.
            None => pattern
                .tail
                .as_ref()
                .is_some_and(|tail| tree.starts_with(tail.as_str())),
        })
}
