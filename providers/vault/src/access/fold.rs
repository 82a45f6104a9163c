//! Names of which OpenBao folds the case before it looks a request up in policies.
//!
//! In: the path of a request. Out: the path that rules are compared with. Tried on OpenBao 2.7.2:
//! names of policies, of AppRoles with what is below them, of users of `userpass` and certificates
//! of `cert`; not names of other roles, of token roles, of entities and groups. A rule with an
//! upper-case letter there matches no request. `sys/capabilities` doesn't fold, and says otherwise.

use std::borrow::Cow;

use remit_sdk::Value;
use remit_sdk::access::World;

use super::evaluate::texts;

const MOUNT: &str = "vault_auth_mount";
const APPROLE: &str = "vault_approle_role";

const POLICIES: [&str; 2] = ["sys/policies/acl/", "sys/policy/"];

/// Folds what the server folds whatever is mounted.
pub(super) fn policies(path: &str) -> Cow<'_, str> {
    let found = POLICIES.iter().find_map(|tree| {
        let name = path.strip_prefix(tree)?;
        Some(format!("{tree}{}", name.to_lowercase()))
    });
    found.map_or(Cow::Borrowed(path), Cow::Owned)
}

/// Folds what the server folds by the auth method that is mounted there.
pub(super) fn logins<'p>(world: &World<'_>, path: &'p str) -> Cow<'p, str> {
    let folded = || {
        let below = path.strip_prefix("auth/")?;
        // A mount's own path may have several segments.
        below.match_indices('/').find_map(|(at, _)| {
            let (mount, rest) = below.split_at_checked(at)?;
            let rest = folded_on(method(world, mount)?, rest.strip_prefix('/')?)?;
            Some(format!("auth/{mount}/{rest}"))
        })
    };
    folded().map_or(Cow::Borrowed(path), Cow::Owned)
}

fn method<'w>(world: &'w World<'_>, mount: &'w str) -> Option<&'w str> {
    let declared = world.thing(MOUNT, mount);
    let declared = declared.and_then(|mount| mount.attributes.get("type"));
    declared.and_then(Value::as_str).or_else(|| {
        let mut roles = world.of_kind(APPROLE);
        let is_here = |role: &str| role.trim_matches('/') == mount;
        let found = roles.any(|role| texts(role, "mount").iter().any(|role| is_here(role)));
        found.then_some("approle")
    })
}

fn folded_on(method: &str, path: &str) -> Option<String> {
    let (place, rest) = path.split_once('/')?;
    let (name, below) = match rest.split_once('/') {
        Some((name, below)) => (name, Some(below)),
        None => (rest, None),
    };
    let name = match (method, place, below) {
        ("approle", "role", _) | ("userpass", "users", None) | ("cert", "certs", None) => {
            name.to_lowercase()
        }
        _ => return None,
    };
    Some(match below {
        Some(below) => format!("{place}/{name}/{below}"),
        None => format!("{place}/{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::Things;

    #[test]
    fn names_are_folded_and_nothing_else() {
        let mounts = ["approle", "userpass", "cert", "jwt"];
        let mut things = Things::default().with(
            "",
            APPROLE,
            "auth/r/approle/a",
            &[("mount", "r"), ("name", "a")],
        );
        for mount in mounts {
            things = things.with("", MOUNT, mount, &[("type", mount)]);
        }
        things = things.with("", MOUNT, "a/b", &[("type", "approle")]);
        let world = things.world();
        let folded = |path: &str| logins(&world, &policies(path)).into_owned();
        for (path, as_looked_up) in [
            ("sys/policies/acl/CI-x", "sys/policies/acl/ci-x"),
            ("sys/policies/acl/A/B", "sys/policies/acl/a/b"),
            ("sys/policies/acl/É", "sys/policies/acl/é"),
            ("sys/policy/CI", "sys/policy/ci"),
            ("auth/approle/role/A", "auth/approle/role/a"),
            (
                "auth/approle/role/A/Secret-id",
                "auth/approle/role/a/Secret-id",
            ),
            ("auth/a/b/role/A/role-id", "auth/a/b/role/a/role-id"),
            ("auth/r/role/A", "auth/r/role/a"),
            ("auth/userpass/users/A", "auth/userpass/users/a"),
            ("auth/cert/certs/A", "auth/cert/certs/a"),
        ] {
            assert_eq!(folded(path), as_looked_up);
        }
        for path in [
            "SYS/policies/acl/A",
            "sys/policies/ACL/A",
            "sys/policies/password/A",
            "kv/data/A",
            "auth/approle/Role/A",
            "auth/userpass/users/A/password",
            "auth/jwt/role/A",
            "auth/unknown/role/A",
            "auth/token/roles/A",
            "identity/entity/name/A",
        ] {
            assert_eq!(folded(path), path);
        }
    }
}
