//! A live object, its ownership mark and its fingerprint.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::ObjectAddress;
use crate::value::Value;

/// A live object as a provider read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its kind's name.
    pub kind: String,
    /// Its key: [`crate::Kind::key_of`] of its attributes.
    pub key: String,
    /// The id the server gave it, where the kind has one (an entity, an accessor of a mount).
    /// An object with another id is another object, though its key be the same.
    pub id: Option<String>,
    /// Every attribute the schema knows and the server tells, in normal form; the mark stripped.
    pub attributes: BTreeMap<String, Value>,
    /// The version for compare-and-swap, where the server has one.
    pub version: Option<u64>,
    /// Whose it is, where its kind can hold a mark and it holds one.
    pub mark: Option<Mark>,
    /// Over everything readable, managed or not, but what changes by itself.
    pub fingerprint: Fingerprint,
}

/// Whose an object is: the lineage of a state and the address within it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The lineage: a random id minted by the first apply of a configuration.
    pub lineage: String,
    /// The object's address; text, since a foreign mark may hold anything.
    pub address: String,
}

impl Mark {
    /// The mark of `address` under `lineage`.
    pub fn new(lineage: &str, address: &ObjectAddress) -> Self {
        Self {
            lineage: lineage.to_owned(),
            address: address.to_string(),
        }
    }
}

/// SHA-256 of an object's readable content, in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a JSON value: SHA-256 over its RFC 8785 form.
    pub fn of(json: &serde_json::Value) -> Self {
        let bytes = serde_json_canonicalizer::to_vec(json).unwrap_or_default();
        Self(hex::encode(Sha256::digest(&bytes)))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
