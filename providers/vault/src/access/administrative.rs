//! Permissions that only administrators of a Vault should have.
//!
//! In: one permission. Out: why it is one, if it is: `sudo`, all paths, or writing where the
//! server keeps policies, identities, logins and itself. Reading and writing secrets, database
//! credentials included, is what agents are for, and so is what a token does with itself. What
//! the same paths do in a namespace counts where a permission says that it may be in one.

use remit_sdk::access::Permission;
use remit_sdk::text::safe;

use super::evaluate::{ANYTHING, EVERYTHING};
use super::namespace;
use super::pattern::{Pattern, Segment};

/// Capabilities that change something.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "recover"];

/// Where the server keeps itself, and what stands below, as far as only the server names it: a
/// `+` may stand for the tree, and then only these make it one.
pub(super) const HELD: [(&str, &[&str]); 3] = [
    (
        "sys",
        &[
            "audit",
            "auth",
            "config",
            "generate-root",
            "host-info",
            "in-flight-req",
            "init",
            "internal",
            "key-status",
            "leases",
            "loggers",
            "managed-keys",
            "mfa",
            "mounts",
            "namespaces",
            "plugins",
            "policies",
            "policy",
            "quotas",
            "raw",
            "rekey",
            "remount",
            "replication",
            "rotate",
            "seal",
            "step-down",
            "storage",
            "sync",
            "unseal",
        ],
    ),
    ("auth", &["token"]),
    (
        "identity",
        &[
            "alias",
            "entity",
            "entity-alias",
            "group",
            "group-alias",
            "mfa",
            "oidc",
            "persona",
        ],
    ),
];

/// Writes below these that concern only who asks, or what was handed to it, or that only look
/// something up; `+` is any name, and what ends in `/` everything below. What the server's own
/// policy `default` gives is among them.
const HARMLESS: [&str; 24] = [
    "auth/+/login",
    "auth/+/login/+",
    "auth/token/lookup",
    "auth/token/lookup-accessor",
    "auth/token/lookup-self",
    "auth/token/renew",
    "auth/token/renew-self",
    "auth/token/revoke-self",
    "identity/lookup/",
    "identity/oidc/introspect",
    "identity/oidc/provider/+/authorize",
    "sys/capabilities",
    "sys/capabilities-accessor",
    "sys/capabilities-self",
    "sys/control-group/request",
    "sys/leases/lookup",
    "sys/leases/renew",
    "sys/mfa/validate",
    "sys/renew",
    "sys/tools/hash",
    "sys/tools/hash/",
    "sys/tools/random",
    "sys/tools/random/",
    "sys/wrapping/",
];

pub(super) fn reason(permission: &Permission) -> Option<String> {
    if permission.actions.contains(ANYTHING) {
        return permission
            .resources
            .contains(EVERYTHING)
            .then(|| "it is the policy `root`".to_owned());
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
        if writes.is_empty() || is_harmless(path) {
            return None;
        }
        let in_namespace = || {
            namespace::of(permission, path)
                .into_iter()
                .filter(|(_, rest)| !is_harmless(rest))
                .find_map(|(namespace, rest)| {
                    let given = format!(", if `{}` is a namespace", safe(namespace));
                    Some((held(rest)?, given))
                })
        };
        let here = held(path).map(|held| (held, String::new()));
        let (held, given) = here.or_else(in_namespace)?;
        Some(format!(
            "`{}` at `{}` changes {}{given}",
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

/// Whether all that a path may match is harmless.
pub(super) fn is_harmless(path: &str) -> bool {
    HARMLESS.into_iter().any(|harmless| {
        if harmless.ends_with('/') {
            return path.starts_with(harmless);
        }
        let wanted: Vec<&str> = harmless.split('/').collect();
        let given: Vec<&str> = path.split('/').collect();
        let each = wanted
            .iter()
            .zip(&given)
            .all(|(wanted, given)| wanted == given || (*wanted == "+" && !given.contains('*')));
        wanted.len() == given.len() && each
    })
}

/// Which of the server's own trees a path may reach into.
fn held(path: &str) -> Option<&'static str> {
    let pattern = Pattern::parse(path).ok()?;
    let found = HELD.into_iter().find(|(tree, below)| {
        match (pattern.segments.as_slice(), &pattern.tail) {
            ([Segment::Literal(text), ..], _) => text == tree,
            ([Segment::Any, Segment::Literal(text), ..], _) => below.contains(&text.as_str()),
            ([Segment::Any], Some(tail)) => {
                below.iter().any(|name| name.starts_with(tail.as_str()))
            }
            // No tree is written itself.
            ([Segment::Any], None) => false,
            ([Segment::Any, Segment::Any, ..], _) => true,
            // Only a beginning, which `*` follows.
            ([], tail) => tail
                .as_ref()
                .is_some_and(|tail| tree.starts_with(tail.as_str())),
        }
    });
    found.map(|(tree, _)| tree)
}
