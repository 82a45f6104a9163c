//! The lock: one run at a time on one machine.
//!
//! `flock` on the file `lock`, which the kernel lets go of when the process ends, however it
//! ends: there is no expiry and nothing to clean up after a crash. Beside it `holder.json` says
//! for people who holds it; nothing is decided by it but what a forced unlock must name.
//!
//! A forced unlock can't take a `flock` away from a process that is stopped or hangs. It raises
//! the fence, so that the holder's next check fails, and removes the file, so that the next run
//! locks a new one. Whoever gets a lock therefore looks whether it is still the file of that
//! name.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::error::{Held, StateError};
use super::files::Dir;

/// The file that is locked.
pub(super) const LOCK: &str = "lock";
/// Who holds it.
pub(super) const HOLDER: &str = "holder.json";
/// Long enough to cost nothing, short enough that nobody notices.
const POLL: Duration = Duration::from_millis(50);
/// A note of one holder.
const HOLDER_BYTES_MAX: u64 = 64 << 10;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes the lock, waiting for it at most `timeout`.
pub(super) fn acquire(dir: &Dir, timeout: Duration) -> Result<Lock, StateError> {
    let deadline = Instant::now().checked_add(timeout);
    loop {
        if let Some(lock) = try_acquire(dir)? {
            return Ok(lock);
        }
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        match left {
            Some(Duration::ZERO) => {
                return Err(StateError::Locked {
                    held: holder(dir).map(Box::new),
                });
            }
            Some(left) => std::thread::sleep(left.min(POLL)),
            // A deadline beyond what the clock can say is none.
            None => std::thread::sleep(POLL),
        }
    }
}

/// Takes the lock if nobody holds it.
pub(super) fn try_acquire(dir: &Dir) -> Result<Option<Lock>, StateError> {
    loop {
        let file = dir.open_file(LOCK, OFlags::RDWR | OFlags::CREATE)?;
        match file.try_lock() {
            Ok(()) if dir.is(LOCK, &file)? => return Ok(Some(Lock { _file: file })),
            // Somebody broke the lock while we were taking it: this is the old file.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => {
                return Err(StateError::Io {
                    doing: "lock",
                    path: dir.file(LOCK),
                    source,
                });
            }
        }
    }
}

/// Who says that it holds the lock.
pub(super) fn holder(dir: &Dir) -> Option<Held> {
    let bytes = dir.read(HOLDER, HOLDER_BYTES_MAX).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Leaves word of who holds the lock. Only its holder may call it.
pub(super) fn announce(dir: &Dir, held: &Held) -> Result<(), StateError> {
    dir.remove(HOLDER)?;
    let json = serde_json::to_vec(held).map_err(|error| StateError::Io {
        doing: "write",
        path: dir.file(HOLDER),
        source: error.into(),
    })?;
    dir.write_new(HOLDER, &json).map(drop)
}

/// Takes the word back, if it is ours.
pub(super) fn retract(dir: &Dir, fence: u64) {
    if holder(dir).is_some_and(|held| held.fence == fence) {
        // It only informs; the lock itself goes with the file.
        let _ = dir.remove(HOLDER);
    }
}
