//! Fences: who may write, as files that are never changed.
//!
//! Each acquisition of the lock, and each forced unlock, makes the file `fence-N` with the next
//! number. Making it fails if it is there already, so of two that try, one wins. A run holds
//! fence N as long as `fence-N` is there and `fence-N+1` isn't; that is two look-ups, made
//! before each remote call and each batch.
//!
//! A fence file also says which files the state consisted of when it was made, so that a file
//! that vanished is told from one that never was.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Holder, StateError};
use super::files::Dir;
use super::seal::{seal, unseal};

/// The format this code writes, and the newest it reads.
const FORMAT: u32 = 1;
/// A fence file names its holder and some journals: a few kilobytes at most.
pub(super) const FENCE_BYTES_MAX: u64 = 1 << 20;

/// How a fence came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    /// A run took the lock.
    Lock,
    /// Somebody broke a lock.
    Unlock,
}

/// A fence file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fence {
    /// The format.
    #[serde(rename = "remit_fence")]
    pub(super) format: u32,
    /// Its number.
    pub(super) number: u64,
    /// How it came to be.
    pub(super) cause: Cause,
    /// Who made it.
    pub(super) by: Holder,
    /// The snapshot that the state began with.
    pub(super) snapshot: Option<u64>,
    /// The journals after it, in order; a run's own is the last.
    pub(super) journals: Vec<u64>,
}

impl Fence {
    pub(super) fn new(number: u64, cause: Cause, by: Holder) -> Self {
        Self {
            format: FORMAT,
            number,
            cause,
            by,
            snapshot: None,
            journals: Vec::new(),
        }
    }

    /// Reads fence file `number`.
    pub(super) fn read(dir: &Dir, number: u64) -> Result<Self, StateError> {
        let name = file_name(number);
        let bytes = dir.read(&name, FENCE_BYTES_MAX)?;
        let fence = parse(&bytes, &dir.file(&name))?;
        if fence.number == number {
            Ok(fence)
        } else {
            Err(StateError::Corrupt {
                path: dir.file(&name),
                line: None,
                why: format!("it says that it is fence {}", fence.number),
            })
        }
    }

    /// Makes the file; false where somebody else was first.
    pub(super) fn raise(&self, dir: &Dir) -> Result<bool, StateError> {
        let name = file_name(self.number);
        let (mut line, _) = seal(self).map_err(|error| StateError::Io {
            doing: "write",
            path: dir.file(&name),
            source: error.into(),
        })?;
        line.push('\n');
        Ok(dir.write_new(&name, line.as_bytes())?.is_some())
    }
}

/// The file of a fence.
pub(super) fn file_name(number: u64) -> String {
    format!("fence-{number}")
}

/// Whether `number` is still the fence in force.
pub(super) fn check(dir: &Dir, number: u64) -> Result<(), StateError> {
    let next = number.saturating_add(1);
    let ours = dir.exists(&file_name(number))? && !dir.exists(&file_name(next))?;
    if ours && dir.still_there()? {
        Ok(())
    } else {
        Err(StateError::Stale { fence: number })
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<Fence, StateError> {
    #[derive(Deserialize)]
    struct Probe {
        remit_fence: u32,
    }
    if let Ok(probe) = serde_json::from_slice::<Probe>(bytes)
        && probe.remit_fence > FORMAT
    {
        return Err(StateError::Newer {
            path: path.to_owned(),
            found: probe.remit_fence,
            known: FORMAT,
        });
    }
    bytes
        .strip_suffix(b"\n")
        .and_then(unseal)
        .and_then(|(json, _)| serde_json::from_str(&json).ok())
        .ok_or_else(|| StateError::Corrupt {
            path: path.to_owned(),
            line: None,
            why: "it isn't what was written".into(),
        })
}
