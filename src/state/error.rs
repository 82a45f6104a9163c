//! What can go wrong with a state, each with what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use remit_sdk::text::safe;
use serde::{Deserialize, Serialize};

use super::invariants::Violation;

/// Who holds a lock, for people. Given by the caller: this module asks neither clock nor host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// The user.
    pub user: String,
    /// Since when: RFC 3339.
    pub since: String,
    /// What it runs: `remit apply`.
    pub command: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}@{}, process {}, since {}: `{}`",
            safe(&self.user),
            safe(&self.host),
            self.pid,
            safe(&self.since),
            safe(&self.command)
        )
    }
}

/// A lock that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its fence: the id that `state unlock --force` takes.
    pub fence: u64,
    /// Who holds it.
    pub holder: Holder,
}

/// Why a state can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another run holds the lock. `None` where it left no note of itself (it has only just
    /// taken it).
    #[error("the state is locked{}", .held.as_ref().map(|h| format!(" by {}", h.holder)).unwrap_or_default())]
    Locked {
        /// Who.
        held: Option<Box<Held>>,
    },
    /// A forced unlock of a lock that nobody holds.
    #[error("the state is not locked")]
    NotLocked,
    /// A forced unlock that names another lock than the one that is held.
    #[error("lock {given} was to be broken, and the lock that is held is {found}")]
    OtherLock {
        /// What was asked for.
        given: u64,
        /// What is there.
        found: u64,
    },
    /// The state isn't what was written.
    #[error("{}{}: {why}", .path.display(), .line.map(|n| format!(", line {n}")).unwrap_or_default())]
    Corrupt {
        /// The file, or the directory where a file is missing.
        path: PathBuf,
        /// The line, counted from 1.
        line: Option<usize>,
        /// What is wrong.
        why: String,
    },
    /// A newer remit wrote it.
    #[error("{} has format {found}, and this remit knows formats up to {known}", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// Somebody else took over: this run may not go on.
    #[error("this run's lock (fence {fence}) was taken over by another")]
    Stale {
        /// The fence this run holds.
        fence: u64,
    },
    /// An entry contradicts what is recorded. Nothing was written.
    #[error("the entry contradicts the state: {0}")]
    Refused(#[from] Violation),
    /// A file isn't ours alone.
    #[error("{}: {why}", .path.display())]
    Unsafe {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Writing or syncing the journal failed; nothing more is written in this run.
    #[error("{} could not be written: {why}", .path.display())]
    JournalFailed {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The system refused.
    #[error("could not {doing} {}", .path.display())]
    Io {
        /// What was tried: `read`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StateError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Locked { held: Some(held) } => format!(
                "wait for it to end, or give `--lock-timeout`; if that process is surely gone or must be stopped: `remit state unlock --force {}`",
                held.fence
            ),
            Self::Locked { held: None } => "try again in a moment, or give `--lock-timeout`".into(),
            Self::NotLocked => "there is nothing to unlock".into(),
            Self::OtherLock { found, .. } => format!(
                "the lock changed hands: look at who holds it now before `remit state unlock --force {found}`"
            ),
            Self::Corrupt { .. } => "nothing is changed while this stands. Restore the state directory as a whole from a backup, never one file of it; keep what is there now for looking at".into(),
            Self::Newer { .. } => "use the version of remit that wrote it, or a newer one".into(),
            Self::Stale { .. } => "this run made no further calls. Find out who unlocked the state, then plan again: what was in flight is decided by the next run".into(),
            Self::Refused(_) => "this is a mistake in remit: please report it. What was done so far is recorded".into(),
            Self::Unsafe { .. } => "the state directory and its files must be plain files that belong to you, and writable by nobody else".into(),
            Self::JournalFailed { .. } => "no call was made that is not recorded as intended. Make room or mend the disk, then run `remit plan`: what is undecided is decided from what is live".into(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "the state directory must belong to the user who runs remit".into()
            }
            Self::Io { .. } => "see what the system said; nothing was pretended to be written".into(),
        }
    }
}
