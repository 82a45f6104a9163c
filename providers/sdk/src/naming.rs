//! Live names, computed from addresses and never random, so that what a crash left behind can
//! be found again.
//!
//! A name is the prefix, then the path of the address joined by `-`, in lower case, at most 64
//! characters (IAM's limit for role names). Labels hold no `-`, so one to three plain segments
//! are unambiguous by themselves; wherever anything was altered, shortened or could be read two
//! ways, 8 hex digits of the SHA-256 of the address follow.

use sha2::{Digest, Sha256};

use crate::address::DeclarationAddress;

/// IAM refuses role names over 64 characters; Vault allows more.
pub const LIVE_NAME_CHARACTERS_MAX: usize = 64;

/// How many hex digits of the address's SHA-256 tell two shortened names apart.
const HASH_DIGITS: usize = 8;

/// The name of what belongs to one declaration: `PREFIXname` or `PREFIXname-key`.
pub fn live_name(prefix: &str, address: &DeclarationAddress) -> String {
    let plain = address.module.is_empty() && address.name != "self" && key_is_plain(address);
    build(prefix, &segments(address), plain, &address.to_string())
}

/// The name of what a scope becomes for one holder: `PREFIXscope-identity-key`. Plain only where
/// the holder has a key and the scope has none, since fewer segments belong to [`live_name`].
pub fn live_name_for_holder(
    prefix: &str,
    scope: &DeclarationAddress,
    holder: &DeclarationAddress,
) -> String {
    let plain = scope.module.is_empty()
        && holder.module.is_empty()
        && scope.key.is_none()
        && holder.key.is_some()
        && key_is_plain(holder);
    let mut all = segments(scope);
    all.extend(segments(holder));
    build(prefix, &all, plain, &format!("{scope} {holder}"))
}

fn segments(address: &DeclarationAddress) -> Vec<String> {
    let mut all = address.module.clone();
    all.push(address.name.clone());
    all.extend(address.key.clone());
    all
}

/// A key that needs no change and can't be taken for two segments.
fn key_is_plain(address: &DeclarationAddress) -> bool {
    address.key.as_deref().is_none_or(|key| {
        !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

fn build(prefix: &str, segments: &[String], plain: bool, identity: &str) -> String {
    let path: String = segments
        .join("-")
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => c,
            _ => '-',
        })
        .collect();
    let name = format!("{prefix}{path}");
    if plain && name.len() <= LIVE_NAME_CHARACTERS_MAX {
        return name;
    }
    let hash = hex::encode(Sha256::digest(identity.as_bytes()));
    let kept: String = name
        .chars()
        .take(LIVE_NAME_CHARACTERS_MAX - HASH_DIGITS - 1)
        .collect();
    format!(
        "{}-{}",
        kept.trim_end_matches('-'),
        hash.get(..HASH_DIGITS).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn declaration(name: &str, key: Option<&str>) -> DeclarationAddress {
        let address = DeclarationAddress::new("scope", name);
        key.map_or(address.clone(), |key| address.with_key(key))
    }

    #[test]
    fn plain_names_stay_plain() {
        assert_eq!(
            live_name("remit-", &declaration("triage", Some("prod"))),
            "remit-triage-prod"
        );
        assert_eq!(
            live_name_for_holder(
                "remit-",
                &declaration("read", None),
                &declaration("triage", Some("prod"))
            ),
            "remit-read-triage-prod"
        );
    }

    #[test]
    fn altered_names_carry_a_hash() {
        for key in ["Prod", "a-b", "", "ü", "a/b"] {
            let name = live_name("remit-", &declaration("x", Some(key)));
            assert_ne!(name, format!("remit-x-{}", key.to_lowercase()), "{key}");
        }
        assert_ne!(
            live_name("remit-", &declaration("self", None)),
            "remit-self"
        );
        assert!(live_name("remit-", &declaration(&"a".repeat(90), None)).len() <= 64);
    }

    proptest! {
        #[test]
        fn two_addresses_never_share_a_name(
            all in prop::collection::vec(("[ab]", prop::option::of("[ab_-]{0,2}"), prop::option::of(("[ab]", prop::option::of("[ab-]{0,2}")))), 2..40)
        ) {
            let mut seen = BTreeMap::new();
            for (name, key, holder) in all {
                let scope = declaration(&name, key.as_deref());
                let holder = holder.map(|(name, key)| declaration(&name, key.as_deref()));
                let live = match &holder {
                    Some(holder) => live_name_for_holder("p-", &scope, holder),
                    None => live_name("p-", &scope),
                };
                let who = (scope, holder);
                let before = seen.insert(live.clone(), who.clone());
                prop_assert!(before.is_none_or(|before| before == who), "{live}");
            }
        }
    }
}
