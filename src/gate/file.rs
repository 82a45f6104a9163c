//! The saved plan: a [`Review`] as one canonical JSON document (RFC 8785), a header and a body.
//!
//! The header holds what differs from run to run (times, a nonce); the same input gives the same
//! body. The digest in the header covers the body and detects corruption, not forgery. A saved
//! plan holds no secret.

use remit_sdk::Diagnostic;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Review;

/// The format this version writes, and the newest it reads.
pub const FORMAT: u32 = 4;

/// The largest saved plan that is read: some hundred thousand changes; anything larger is no
/// plan, and would only eat memory.
pub const PLAN_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A review with its header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// What differs from run to run.
    pub header: Header,
    /// The plan, what it means and what it takes.
    pub body: Review,
}

/// What differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Until when it may be applied, RFC 3339.
    pub expires_at: String,
    /// Random, so that two plans with one body are two plans.
    pub nonce: String,
    /// SHA-256 of the body's canonical form, in hex.
    pub digest: String,
}

/// The digest of a review.
pub fn digest(review: &Review) -> Result<String, serde_json::Error> {
    Ok(hex::encode(Sha256::digest(
        serde_json_canonicalizer::to_vec(review)?,
    )))
}

/// The bytes of the file.
pub fn to_bytes(saved: &SavedPlan) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json_canonicalizer::to_vec(saved)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a file's bytes, and refuses what this version doesn't know or what was damaged.
pub fn from_bytes(bytes: &[u8]) -> Result<SavedPlan, Diagnostic> {
    const AGAIN: &str = "make the plan again with this version: remit plan --out FILE";
    let damaged = |why: String| Diagnostic::error("not a saved plan", why).help(AGAIN);
    let json: serde_json::Value = serde_json::from_slice(bytes)
        .map_err(|error| damaged(format!("the file is no JSON document: {error}")))?;
    let format = json
        .pointer("/body/plan/format")
        // Where the first format had it.
        .or_else(|| json.pointer("/body/format"))
        .and_then(serde_json::Value::as_u64);
    match format {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            return Err(Diagnostic::error(
                "plan of another format",
                format!("the file has format {format}, and this version reads {FORMAT}"),
            )
            .help(AGAIN));
        }
        None => return Err(damaged("the document says no format".to_owned())),
    }
    let saved: SavedPlan = serde_json::from_value(json)
        .map_err(|error| damaged(format!("the document is incomplete: {error}")))?;
    let found = digest(&saved.body).map_err(|error| damaged(error.to_string()))?;
    if found != saved.header.digest {
        return Err(Diagnostic::error(
            "plan was changed after it was made",
            format!(
                "its digest is {}, and its header says {}",
                short(&found),
                short(&saved.header.digest)
            ),
        )
        .help(AGAIN));
    }
    Ok(saved)
}

/// The first digits of a digest, for people.
pub fn short(digest: &str) -> String {
    remit_sdk::text::safe(&digest.chars().take(12).collect::<String>())
}
