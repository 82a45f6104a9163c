//! Namespaces that rules reach into: a path below one begins with its name.
//!
//! In: rules, and the secrets mounts that are known. Out: the beginnings of paths that may be
//! namespaces. A policy doesn't say which they are, since `ns1/sys/policies/acl/x` may be a secret
//! of a mount `ns1` as well; so a beginning counts where what follows is what a server has below
//! `sys`, `auth` or `identity`, unless it is within a known mount or has the `data` or `metadata`
//! of a versioned `kv` in it. `ns1/*` alone says nothing, and counts where another rule shows `ns1`
//! to be one.

use std::collections::BTreeSet;

use remit_sdk::access::{Permission, World};
use remit_sdk::text::safe;

use super::Entry;
use super::administrative::HELD;
use super::pattern::{Pattern, Segment};

const MOUNT: &str = "vault_secrets_mount";

/// What is below an auth mount and gives access, by what its path has there.
const LOGINS: [&str; 9] = [
    "certs", "config", "groups", "map", "role", "roles", "tune", "user", "users",
];

/// What no namespace is called, and what follows the mount of a versioned `kv`.
const RESERVED: [&str; 5] = ["audit", "auth", "cubbyhole", "identity", "sys"];
const VERSIONED: [&str; 2] = ["data", "metadata"];

/// The shortest beginning of a tree's name that is taken for it where `*` follows.
const BEGINNING_MIN: usize = 2;

/// The namespaces that rules reach into, as rules have them, with `+`.
pub(super) fn reached<'e>(
    world: &World<'_>,
    entries: impl Iterator<Item = &'e Entry>,
) -> BTreeSet<String> {
    entries
        .flat_map(|entry| namespaces(&entry.pattern))
        .filter(|found| !is_mounted(world, found))
        .collect()
}

/// The path below a namespace, of one that begins with it.
pub(super) fn below<'p>(namespace: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(namespace)?.strip_prefix('/')
}

/// What a permission depends on if its path begins with what may be a namespace.
pub(super) fn condition(namespace: &str) -> String {
    format!("`{}` being a namespace or a mount", safe(namespace))
}

/// The namespaces that a path of a permission may begin with, each with the rest.
pub(super) fn of<'p>(permission: &Permission, path: &'p str) -> Vec<(&'p str, &'p str)> {
    path.match_indices('/')
        .filter_map(|(at, _)| {
            let (namespace, rest) = path.split_at_checked(at)?;
            let known = permission.conditions.contains(&condition(namespace));
            known.then_some((namespace, rest.strip_prefix('/')?))
        })
        .collect()
}

fn namespaces(pattern: &Pattern) -> Vec<String> {
    let mut found = Vec::new();
    let mut before: Vec<&str> = Vec::new();
    for (at, segment) in pattern.segments.iter().enumerate() {
        let rest = pattern.segments.get(at..).unwrap_or_default();
        if at > 0 && is_of_server(rest, pattern.tail.as_deref()) {
            found.push(before.join("/"));
        }
        let name = match segment {
            Segment::Any => "+",
            Segment::Literal(text) => text,
        };
        let is_secret = at > 0 && VERSIONED.contains(&name);
        if is_secret || name.is_empty() || RESERVED.contains(&name) {
            return found;
        }
        before.push(name);
    }
    // The tree's own name is what `*` follows.
    if !before.is_empty() && is_of_server(&[], pattern.tail.as_deref()) {
        found.push(before.join("/"));
    }
    found
}

/// Whether a path that goes on so is one of the server's own.
fn is_of_server(rest: &[Segment], tail: Option<&str>) -> bool {
    let begins = |name: &str| tail.is_some_and(|tail| name.starts_with(tail));
    let is_one_of = |segment: Option<&Segment>, names: &[&str]| match segment {
        Some(Segment::Any) => true,
        Some(Segment::Literal(text)) => names.contains(&text.as_str()),
        None => names.iter().any(|name| begins(name)),
    };
    let Some((Segment::Literal(tree), rest)) = rest.split_first() else {
        let long = tail.is_some_and(|tail| tail.len() >= BEGINNING_MIN);
        return rest.is_empty() && long && HELD.iter().any(|(tree, _)| begins(tree));
    };
    let Some((_, names)) = HELD.iter().find(|(name, _)| name == tree) else {
        return false;
    };
    if is_one_of(rest.first(), names) {
        return true;
    }
    match (tree.as_str(), rest) {
        // `auth/m*` is any mount that begins so.
        ("auth", []) => tail.is_some(),
        ("auth", [_, below @ ..]) => is_one_of(below.first(), &LOGINS),
        _ => false,
    }
}

fn is_mounted(world: &World<'_>, namespace: &str) -> bool {
    world.of_kind(MOUNT).any(|mount| {
        let path = mount.key.trim_matches('/');
        namespace == path || below(path, namespace).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::Things;

    fn reached(path: &str) -> Vec<String> {
        let things = Things::default()
            .with("", MOUNT, "kv", &[("type", "kv")])
            .with("", MOUNT, "team/kv", &[("type", "kv")]);
        let found = namespaces(&Pattern::parse(path).unwrap());
        let world = things.world();
        found
            .into_iter()
            .filter(|one| !is_mounted(&world, one))
            .collect()
    }

    #[test]
    fn what_the_server_has_makes_what_comes_before_a_namespace() {
        for (path, namespace) in [
            ("ns1/sys/policies/acl/x", "ns1"),
            ("ns1/sys/policies/*", "ns1"),
            ("ns1/sys/po*", "ns1"),
            ("ns1/sys/*", "ns1"),
            ("ns1/sys*", "ns1"),
            ("ns1/sy*", "ns1"),
            ("ns1/sys/+/acl/x", "ns1"),
            ("ns1/sys/auth/m", "ns1"),
            ("a/b/sys/policy/x", "a/b"),
            ("team/sys/policy/x", "team"),
            ("data/sys/policy/x", "data"),
            ("+/sys/policies/acl/*", "+"),
            ("a/+/sys/policies/acl/*", "a/+"),
            ("ns1/identity/entity/id/x", "ns1"),
            ("ns1/identity/*", "ns1"),
            ("ns1/auth/token/create", "ns1"),
            ("ns1/auth/*", "ns1"),
            ("ns1/auth/m*", "ns1"),
            ("ns1/auth/m/*", "ns1"),
            ("ns1/auth/m/role/x", "ns1"),
            ("ns1/auth/m/ro*", "ns1"),
            ("ns1/auth/+/users/x", "ns1"),
        ] {
            assert_eq!(reached(path), [namespace], "{path}");
        }
    }

    #[test]
    fn secrets_that_are_called_like_it_do_not() {
        for path in [
            "ns1/*",
            "ns1/s*",
            "ns1/systems/x",
            "ns1/sys",
            "ns1/sys/passwords",
            "ns1/auth",
            "ns1/auth/github",
            "ns1/auth/m/secret",
            "ns1/identity/provider",
            "ns1/data/sys/policies/acl/x",
            "ns1/metadata/auth/*",
            "ns1/data/au*",
            "kv/sys/policies/acl/x",
            "kv/auth/*",
            "kv/a/auth/*",
            "team/kv/auth/*",
            "sys/auth/x",
            "auth/sys/role/x",
            "identity/auth/x",
            "cubbyhole/auth/*",
            "*",
            "+",
            "+/*",
            "a//sys/policies/acl/x",
        ] {
            assert_eq!(reached(path), [""; 0], "{path}");
        }
    }
}
