//! Normal forms: what makes two ways to write the same thing equal, for values from a
//! configuration and for values from a server alike. Pure.
//!
//! Durations become seconds, addresses become networks with their mask, sets lose order and
//! repetition, policy names become lower case, what stands in lists and sets loses outer white
//! space, moments are in UTC, policies take their canonical text. Ownership marks are read and
//! written here too.

mod credential;
mod instant;
mod mark;
mod name;

use core::net::IpAddr;
use std::collections::BTreeMap;

use remit_sdk::schema::Shape;
use remit_sdk::shape::each;
use remit_sdk::text::safe;
use remit_sdk::{Attribute, Kind, Number, Value, shape};

use crate::policy;

pub(crate) use credential::same as same_credential;
pub use mark::{mark_description, mark_text, parse_mark, split_description};
pub(crate) use name::check_name;
pub use name::folded_key;

/// Metadata limits of the server: pairs, bytes of a key, bytes of a value (tried on 2.7.2).
const METADATA_PAIRS_MAX: usize = 64;
const METADATA_KEY_BYTES_MAX: usize = 128;
/// Bytes of one metadata value.
pub(crate) const METADATA_VALUE_BYTES_MAX: usize = 512;

/// Metadata keys that hold an entity's or an alias's mark.
pub(crate) const MARK_LINEAGE: &str = "remit_lineage";
/// The second of them.
pub(crate) const MARK_ADDRESS: &str = "remit_address";

/// The normal form of a written value; the message says what is wrong and what to write.
pub fn normalise(kind: &Kind, name: &str, value: &Value) -> Result<Value, String> {
    shape::normalise(kind, name, value, |attribute, value| {
        if let Some(why) = mixed_case(kind, attribute.name, &value) {
            return Err(format!("`{}`: {why}", attribute.name));
        }
        let value = refine(kind, attribute.name, value)?;
        check_constraints(kind, attribute, &value)?;
        Ok(value)
    })
}

/// The finer normal form of particular attributes, for written and for live values alike.
pub(crate) fn refine(kind: &Kind, name: &str, value: Value) -> Result<Value, String> {
    let shape = kind.attribute(name).map(|attribute| attribute.shape);
    let value = match shape {
        // The server trims every element, statements included (tried on 2.7.2); Unicode's white
        // space here as there.
        Some(Shape::List | Shape::Set) => each(value, |text| Ok(text.trim().to_owned()))?,
        _ => value,
    };
    match (kind.name, name) {
        (_, "token_bound_cidrs" | "secret_id_bound_cidrs") => each(value, network),
        (_, "token_policies") | ("vault_entity", "policies") => {
            each(value, |name| Ok(name.to_lowercase()))
        }
        (_, "jwt_validation_pubkeys") => each(value, |pem| Ok(self::pem(pem))),
        (_, "oidc_discovery_ca_pem" | "jwks_ca_pem" | "tls_ca" | "tls_certificate") => {
            each(value, |pem| Ok(self::pem(pem)))
        }
        (_, "mount") | ("vault_auth_mount" | "vault_secrets_mount", "path") => {
            each(value, |path| Ok(path.trim_end_matches('/').to_owned()))
        }
        ("vault_policy", "expiration") => each(value, |text| match text {
            // Never.
            "" => Ok(String::new()),
            text => instant::instant(text),
        }),
        ("vault_policy", "policy") => each(value, |text| {
            policy::canonical(text).map_err(|why| format!("the policy can't be used: {why}"))
        }),
        _ => Ok(value),
    }
}

fn pem(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

/// A network with its mask and without host bits: `10.1.2.3/8` is `10.0.0.0/8`, `10.0.0.7` is
/// `10.0.0.7/32`. The server keeps host bits, and leaves the mask of a single address out of
/// `token_bound_cidrs` but demands it in `secret_id_bound_cidrs` (tried on 2.7.2).
pub fn network(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "`{}` is no network address; write `10.20.0.0/16` or `2001:db8::/32`",
            safe(text)
        )
    };
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let bits_max = if address.is_ipv4() { 32_u32 } else { 128 };
    let bits = match bits {
        Some(bits) if bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit()) => {
            bits.parse().map_err(|_| wrong())?
        }
        Some(_) => return Err(wrong()),
        None => bits_max,
    };
    if bits > bits_max {
        return Err(wrong());
    }
    Ok(match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            format!(
                "{}/{bits}",
                core::net::Ipv4Addr::from(u32::from(address) & mask)
            )
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            format!(
                "{}/{bits}",
                core::net::Ipv6Addr::from(u128::from(address) & mask)
            )
        }
    })
}

// ---- what a value may not be, beside its shape

fn check_constraints(kind: &Kind, attribute: &Attribute, value: &Value) -> Result<(), String> {
    if kind.key_attributes().any(|key| key == attribute.name)
        && let Value::String(name) = value
    {
        return check_name(kind, attribute.name, name);
    }
    match (kind.name, attribute.name, value) {
        (_, name, Value::List(all)) => check_elements(name, all),
        (_, name, Value::Set(all)) if all.contains(&Value::string("")) => {
            Err(format!("`{name}` holds an empty text; remove it"))
        }
        (_, "credential_config", Value::Map(all)) => credential::check(all),
        (_, _, Value::Number(Number::Integer(n)))
            if *n < 0 && !attribute.name.ends_with("_leeway") =>
        {
            Err(format!("`{}` can't be negative", attribute.name))
        }
        (_, "type", Value::String(text)) if text == "kv-v2" => Err(
            "the server turns `kv-v2` into `kv`; write `type = \"kv\"` and `options = { version = \"2\" }`"
                .into(),
        ),
        (_, "metadata" | "custom_metadata", Value::Map(all)) => {
            if attribute.name == "metadata" {
                check_metadata_keys(all)?;
            }
            check_metadata(all)
        }
        ("vault_entity", "policies", Value::Set(all))
            if all.contains(&Value::string("root")) =>
        {
            Err("the policy `root` can't be given to an entity".into())
        }
        (_, "role_id", Value::String(text)) if text.is_empty() => {
            Err("`role_id` can't be empty; leave it out for a random one".into())
        }
        _ => Ok(()),
    }
}

/// The server keeps some empty statements, drops others, and fails on them when it needs them.
fn check_elements(name: &str, all: &[Value]) -> Result<(), String> {
    let Some(at) = all.iter().position(|one| *one == Value::string("")) else {
        return Ok(());
    };
    let what = if name.ends_with("_statements") {
        "statement"
    } else {
        "text"
    };
    Err(format!(
        "`{name}`: {what} {} of {} is empty; remove it",
        at + 1,
        all.len()
    ))
}

/// Policy names in mixed case: the server would keep them as written, and compare in lower case.
fn mixed_case(kind: &Kind, name: &str, value: &Value) -> Option<String> {
    if !matches!(
        (kind.name, name),
        (_, "token_policies") | ("vault_entity", "policies")
    ) {
        return None;
    }
    let mut found = None;
    value.walk(&mut |value| {
        if let Value::String(text) = value
            && text.to_lowercase() != *text
        {
            found = Some(format!(
                "policy names are lower case; write `{}`",
                safe(&text.to_lowercase())
            ));
        }
    });
    found
}

/// Of an entity; an alias's custom metadata takes any (tried on 2.7.2).
fn check_metadata_keys(all: &BTreeMap<String, Value>) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "=/+_-".contains(c);
    match all.keys().find(|key| !key.chars().all(is_allowed)) {
        None => Ok(()),
        Some(key) => Err(format!(
            "`{}` can't be a key of metadata: the server takes letters, digits, `=`, `/`, `+`, `_` \
             and `-`; write `{}`",
            safe(key),
            key.chars()
                .map(|c| if is_allowed(c) { c } else { '_' })
                .collect::<String>()
        )),
    }
}

fn check_metadata(all: &BTreeMap<String, Value>) -> Result<(), String> {
    // Two pairs are kept for the mark.
    if all.len() + 2 > METADATA_PAIRS_MAX {
        return Err(format!(
            "the server keeps {METADATA_PAIRS_MAX} pairs of metadata, and remit needs two of them"
        ));
    }
    for (key, value) in all {
        if key.starts_with("remit_") {
            return Err(format!(
                "`{}`: keys that begin with `remit_` are remit's own",
                safe(key)
            ));
        }
        if key.is_empty() || key.len() > METADATA_KEY_BYTES_MAX {
            return Err(format!(
                "a key of metadata has 1 to {METADATA_KEY_BYTES_MAX} bytes"
            ));
        }
        if value
            .as_str()
            .is_some_and(|text| text.len() > METADATA_VALUE_BYTES_MAX)
        {
            return Err(format!(
                "`{}`: a value of metadata has at most {METADATA_VALUE_BYTES_MAX} bytes",
                safe(key)
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
