//! A snapshot: everything recorded at the end of a run, in one file.
//!
//! It is made whole under its own fence's name and replaces nothing, so a crash between any two
//! system calls leaves the files before it, which say the same. It says up to which entry it
//! goes, so that the next journal can say that it follows. It is written once a run, never for
//! a step: its size grows with the state, and the cost of a step must not.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::record::Recorded;
use super::seal::{Position, seal, unseal};

/// The format this code writes, and the newest it reads. The second has what the gate records,
/// which an older version would lose; the first is read too.
pub(super) const FORMAT: u32 = 2;
/// A hundred thousand records of a few kilobytes are some hundred megabytes.
pub(super) const SNAPSHOT_BYTES_MAX: u64 = 4 << 30;

/// A snapshot as it stands in its file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    /// The format.
    pub(super) remit_state: u32,
    /// The fence of the run that wrote it.
    pub(super) fence: u64,
    /// The last entry that is folded in.
    pub(super) through: Position,
    /// The highest number that an intent ever used.
    pub(super) last_intent: u64,
    /// Everything recorded.
    pub(super) recorded: Recorded,
}

/// Only the member that tells the format, which every format has.
#[derive(Deserialize)]
struct Probe {
    remit_state: u32,
}

/// The bytes of a snapshot's file.
pub(super) fn encode(snapshot: &Snapshot) -> Result<Vec<u8>, serde_json::Error> {
    let (mut line, _) = seal(snapshot)?;
    line.push('\n');
    Ok(line.into_bytes())
}

/// Reads a snapshot; `path` is only named in errors.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Snapshot, StateError> {
    if let Ok(probe) = serde_json::from_slice::<Probe>(bytes)
        && probe.remit_state > FORMAT
    {
        return Err(StateError::Newer {
            path: path.to_owned(),
            found: probe.remit_state,
            known: FORMAT,
        });
    }
    let corrupt = |why: String| StateError::Corrupt {
        path: path.to_owned(),
        line: None,
        why,
    };
    let (json, _) = bytes
        .strip_suffix(b"\n")
        .and_then(unseal)
        .ok_or_else(|| corrupt("it isn't what was written".into()))?;
    serde_json::from_str(&json).map_err(|error| corrupt(format!("it can't be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::testing::{begin, create, done};

    #[test]
    fn it_reads_back_and_every_cut_or_flip_is_seen() {
        let mut recorded = Recorded::default();
        for entry in [begin(), create(1, "a"), done(1, "a"), create(2, "b")] {
            recorded.fold(&entry).unwrap();
        }
        let bytes = encode(&Snapshot {
            remit_state: FORMAT,
            fence: 1,
            through: Position::default(),
            last_intent: 2,
            recorded: recorded.clone(),
        })
        .unwrap();
        assert_eq!(read(&bytes, Path::new("s")).unwrap().recorded, recorded);
        for at in 0..bytes.len() {
            assert!(read(&bytes[..at], Path::new("s")).is_err(), "{at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            assert!(read(&flipped, Path::new("s")).is_err(), "{at}");
        }
    }
}
