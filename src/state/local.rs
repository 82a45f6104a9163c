//! The state in a directory of this machine.
//!
//! | file | what it is |
//! |---|---|
//! | `fence-N` | who may write since when, and which files the state began with |
//! | `journal-N` | what the run with fence N did, as it did it |
//! | `snapshot-N` | everything recorded at the end of that run |
//! | `lock`, `holder.json` | the lock, and who holds it, for people |
//!
//! The highest fence decides: if its snapshot is there, that is the state; else the snapshot
//! and the journals that the fence names, in order. A file under another number is what an
//! older run left, or wrote after it lost its lock; the next run removes it. No file is ever
//! changed once it has its name, journals apart, which only grow, and only under their fence:
//! so a crash between any two system calls, and a run that was pushed aside, are harmless.
//!
//! Reading takes no lock and changes nothing. It can't tell a state that was put back whole
//! from an old copy.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::{Held, Holder, StateError};
use super::fence::{self, Cause, Fence};
use super::files::{Dir, UNFINISHED};
use super::fold::Ledger;
use super::invariants::Violation;
use super::journal;
use super::lock::{self, LOCK, Lock};
use super::record::{Entry, Recorded};
use super::seal::Position;
use super::snapshot::{self, SNAPSHOT_BYTES_MAX, Snapshot};
use super::writer::{Answer, Start, Writer};
use crate::failpoint::crash_point;

/// A reader that meets a run at its end starts again; each try needs another run to end.
const READS_MAX: usize = 16;

/// A state in a directory.
#[derive(Debug, Clone)]
pub struct LocalState {
    path: PathBuf,
}

/// A state as it was read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Everything recorded.
    pub recorded: Recorded,
    /// What was found and passed over, for people: a batch that was never finished, entries of
    /// a run that had lost its lock.
    pub notices: Vec<String>,
    ledger: Ledger,
    position: Position,
    fence: u64,
    snapshot: Option<u64>,
    /// The journals that hold entries.
    journals: Vec<u64>,
}

/// The files of a state directory.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listing {
    fences: BTreeSet<u64>,
    journals: BTreeSet<u64>,
    snapshots: BTreeSet<u64>,
    unfinished: BTreeSet<String>,
}

impl Listing {
    fn of(dir: &Dir) -> Result<Self, StateError> {
        let mut listing = Self::default();
        for name in dir.names()? {
            if name.starts_with(UNFINISHED) {
                listing.unfinished.insert(name);
                continue;
            }
            let Some((kind, number)) = name.split_once('-') else {
                continue;
            };
            let parsed = number.parse::<u64>().ok();
            let Some(number) = parsed.filter(|parsed| parsed.to_string() == number) else {
                continue;
            };
            match kind {
                "fence" => listing.fences.insert(number),
                "journal" => listing.journals.insert(number),
                "snapshot" => listing.snapshots.insert(number),
                _ => false,
            };
        }
        Ok(listing)
    }
}

impl LocalState {
    /// The state in `path`, which need not exist.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Reads everything recorded, without the lock: what a run that is going on has made
    /// durable so far. A state that doesn't exist is empty.
    pub fn load(&self) -> Result<Recorded, StateError> {
        Ok(self.load_with_notices()?.recorded)
    }

    /// The same, with what was passed over.
    pub fn load_with_notices(&self) -> Result<Loaded, StateError> {
        let Some(dir) = Dir::open(&self.path)? else {
            return Ok(Loaded::default());
        };
        let mut tries = 1;
        loop {
            let before = Listing::of(&dir)?;
            let loaded = load(&dir, &before);
            // A run that ended meanwhile may have removed what we were about to read.
            if loaded.is_ok() || tries == READS_MAX || Listing::of(&dir)? == before {
                return loaded;
            }
            tries += 1;
        }
    }

    /// Takes the lock, waiting for it at most `timeout`, and begins a run: raises the fence and
    /// reads everything recorded. Blocks the thread while it waits.
    pub fn lock(&self, holder: Holder, timeout: Duration) -> Result<Run, StateError> {
        let dir = Arc::new(Dir::create(&self.path)?);
        let lock = lock::acquire(&dir, timeout)?;
        let listing = Listing::of(&dir)?;
        let loaded = load(&dir, &listing)?;
        let number = next_fence(&dir, loaded.fence)?;

        let name = journal_name(number);
        if listing.journals.contains(&number) {
            // Of a run that died before it had a fence: `load` saw that nothing is in it.
            dir.remove(&name)?;
        }
        let (header, checksum) =
            journal::header(number, loaded.position).map_err(|error| StateError::Io {
                doing: "write",
                path: dir.file(&name),
                source: error.into(),
            })?;
        let file = dir.write_new(&name, &header)?;
        let file = file.ok_or(StateError::Stale { fence: number })?;
        crash_point("journal-created");

        let mut fence = Fence::new(number, Cause::Lock, holder.clone());
        fence.snapshot = loaded.snapshot;
        fence.journals.clone_from(&loaded.journals);
        fence.journals.push(number);
        if !fence.raise(&dir)? {
            return Err(StateError::Stale { fence: number });
        }
        crash_point("fence-raised");
        lock::announce(
            &dir,
            &Held {
                fence: number,
                holder,
            },
        )?;
        remove_unneeded(&dir, &listing, &fence);

        let start = Start {
            path: dir.file(&name),
            fence: number,
            after: Position {
                sequence: loaded.position.sequence,
                checksum,
            },
        };
        let checked = Arc::clone(&dir);
        let writer = Writer::start(start, file, move || fence::check(&checked, number))?;
        Ok(Run {
            next_intent: Mutex::new(loaded.ledger.last_intent()),
            shared: Mutex::new(Shared {
                ledger: loaded.ledger,
                writer,
                appended: false,
            }),
            before: loaded.recorded,
            notices: loaded.notices,
            fence: number,
            dir,
            _lock: lock,
        })
    }

    /// Breaks the lock with this id, the fence of its holder: its next check fails, and the
    /// next run can begin. `by` is recorded.
    pub fn unlock(&self, id: u64, by: Holder) -> Result<(), StateError> {
        let dir = Dir::open(&self.path)?.ok_or(StateError::NotLocked)?;
        if lock::try_acquire(&dir)?.is_some() {
            return Err(StateError::NotLocked);
        }
        let broken = dir.open_file(LOCK, rustix::fs::OFlags::RDONLY)?;
        let held = lock::holder(&dir).ok_or(StateError::Locked { held: None })?;
        if held.fence != id {
            return Err(StateError::OtherLock {
                given: id,
                found: held.fence,
            });
        }
        let listing = Listing::of(&dir)?;
        let last = listing.fences.last().copied().unwrap_or(0);
        let last = Fence::read(&dir, last)?;
        let mut fence = Fence::new(next_fence(&dir, last.number)?, Cause::Unlock, by);
        if listing.snapshots.contains(&last.number) {
            fence.snapshot = Some(last.number);
        } else {
            fence.snapshot = last.snapshot;
            fence.journals = last.journals;
        }
        if !fence.raise(&dir)? {
            return Err(StateError::Locked { held: None });
        }
        if dir.is(LOCK, &broken)? {
            dir.remove(LOCK)?;
        }
        lock::retract(&dir, id);
        dir.sync()
    }

    /// Who holds the lock, if anybody does and has left word.
    pub fn held(&self) -> Result<Option<Held>, StateError> {
        let Some(dir) = Dir::open(&self.path)? else {
            return Ok(None);
        };
        if !dir.exists(LOCK)? || lock::try_acquire(&dir)?.is_some() {
            return Ok(None);
        }
        Ok(lock::holder(&dir))
    }
}

fn journal_name(number: u64) -> String {
    format!("journal-{number}")
}

fn snapshot_name(number: u64) -> String {
    format!("snapshot-{number}")
}

fn next_fence(dir: &Dir, last: u64) -> Result<u64, StateError> {
    let next = last.checked_add(1).filter(|next| *next < u64::MAX);
    next.ok_or_else(|| missing(dir, "no fence is left"))
}

fn missing(dir: &Dir, why: impl Into<String>) -> StateError {
    StateError::Corrupt {
        path: dir.path().to_owned(),
        line: None,
        why: why.into(),
    }
}

/// Reads the state that `listing` shows.
fn load(dir: &Dir, listing: &Listing) -> Result<Loaded, StateError> {
    let last = listing.fences.last().copied().unwrap_or(0);
    for number in listing.journals.range(last + 1..) {
        let journal = read_journal(dir, *number)?;
        if *number > last + 1 || !journal.batches.is_empty() {
            let why = format!("`{}` is missing", fence::file_name(*number));
            return Err(missing(dir, why));
        }
    }
    if let Some(number) = listing.snapshots.range(last + 1..).next() {
        let why = format!("`{}` is missing", fence::file_name(*number));
        return Err(missing(dir, why));
    }
    if last == 0 {
        return Ok(Loaded::default());
    }
    let fence = Fence::read(dir, last)?;
    if fence.cause == Cause::Lock && listing.snapshots.contains(&last) {
        return from_snapshot(dir, last, last);
    }
    let mut loaded = match fence.snapshot {
        Some(number) if listing.snapshots.contains(&number) => from_snapshot(dir, last, number)?,
        Some(number) => {
            let why = format!("`{}` is missing", snapshot_name(number));
            return Err(missing(dir, why));
        }
        None => Loaded {
            fence: last,
            ..Loaded::default()
        },
    };
    let mut journals = Vec::new();
    for number in fence.journals {
        if !listing.journals.contains(&number) {
            let why = format!("`{}` is missing", journal_name(number));
            return Err(missing(dir, why));
        }
        journals.push(read_journal(dir, number)?);
    }
    let ends: Vec<Option<Position>> = journals
        .iter()
        .skip(1)
        .map(|next| Some(next.after))
        .chain([None])
        .collect();
    for (journal, end) in journals.into_iter().zip(ends) {
        fold_journal(dir, &mut loaded, journal, end)?;
    }
    loaded.recorded = loaded.ledger.recorded().clone();
    Ok(loaded)
}

fn from_snapshot(dir: &Dir, fence: u64, number: u64) -> Result<Loaded, StateError> {
    let name = snapshot_name(number);
    let path = dir.file(&name);
    let snapshot = snapshot::read(&dir.read(&name, SNAPSHOT_BYTES_MAX)?, &path)?;
    let corrupt = |why: String| StateError::Corrupt {
        path: path.clone(),
        line: None,
        why,
    };
    if snapshot.fence != number {
        return Err(corrupt(format!("it belongs to fence {}", snapshot.fence)));
    }
    let ledger = Ledger::new(snapshot.recorded.clone(), snapshot.last_intent)
        .map_err(|violation| corrupt(violation.to_string()))?;
    Ok(Loaded {
        recorded: snapshot.recorded,
        notices: Vec::new(),
        ledger,
        position: snapshot.through,
        fence,
        snapshot: Some(number),
        journals: Vec::new(),
    })
}

fn read_journal(dir: &Dir, number: u64) -> Result<journal::Journal, StateError> {
    let name = journal_name(number);
    let path = dir.file(&name);
    let journal = journal::read(&dir.read(&name, journal::JOURNAL_BYTES_MAX)?, &path)?;
    if journal.fence == number {
        return Ok(journal);
    }
    Err(StateError::Corrupt {
        path,
        line: Some(1),
        why: format!("it belongs to fence {}", journal.fence),
    })
}

/// Folds a journal in, up to where the next one goes on, if there is one.
fn fold_journal(
    dir: &Dir,
    loaded: &mut Loaded,
    journal: journal::Journal,
    end: Option<Position>,
) -> Result<(), StateError> {
    let name = journal_name(journal.fence);
    let corrupt = |line: usize, why: String| StateError::Corrupt {
        path: dir.file(&name),
        line: Some(line),
        why,
    };
    if journal.after != loaded.position {
        let why = "it doesn't follow the files before it: one is missing or was put back";
        return Err(corrupt(1, why.into()));
    }
    let mut held = false;
    for (index, (position, entries)) in journal.batches.into_iter().enumerate() {
        if end == Some(loaded.position) {
            let notice = format!("{name}: what a run wrote after it lost its lock is passed over");
            loaded.notices.push(notice);
            break;
        }
        for entry in &entries {
            let folded = loaded.ledger.fold(entry);
            folded.map_err(|violation| corrupt(index + 2, violation.to_string()))?;
        }
        loaded.position = position;
        held = true;
    }
    if end.is_some_and(|end| end != loaded.position) {
        let why = "its end is missing: the journal after it goes on from a later entry";
        return Err(corrupt(1, why.into()));
    }
    if journal.torn_bytes > 0 {
        loaded.notices.push(format!(
            "{name}: its last {} bytes are an unfinished batch and are passed over",
            journal.torn_bytes
        ));
    }
    if held {
        loaded.journals.push(journal.fence);
    }
    Ok(())
}

/// Removes what the fence in force doesn't need. What can't be removed does no harm, so that
/// stops nothing.
fn remove_unneeded(dir: &Dir, listing: &Listing, fence: &Fence) {
    let needed: BTreeSet<u64> = fence.journals.iter().copied().collect();
    let journals = listing.journals.difference(&needed).copied();
    let snapshots = listing.snapshots.iter().copied();
    let snapshots = snapshots.filter(|number| Some(*number) != fence.snapshot);
    let names = journals
        .map(journal_name)
        .chain(snapshots.map(snapshot_name))
        .chain(listing.fences.iter().copied().map(fence::file_name))
        .chain(listing.unfinished.iter().cloned());
    for name in names {
        let _ = dir.remove(&name);
    }
}

/// A run: the lock, and the only way to write. Dropping it without [`Run::finish`] leaves the
/// journal, which the next run reads.
#[derive(Debug)]
pub struct Run {
    // The writer ends before the lock is let go: fields are dropped in order.
    shared: Mutex<Shared>,
    next_intent: Mutex<u64>,
    before: Recorded,
    notices: Vec<String>,
    fence: u64,
    dir: Arc<Dir>,
    _lock: Lock,
}

#[derive(Debug)]
struct Shared {
    ledger: Ledger,
    writer: Writer,
    appended: bool,
}

impl Run {
    /// Everything recorded when the run began.
    pub fn recorded(&self) -> &Recorded {
        &self.before
    }

    /// Everything recorded now. If writing has failed, it holds more than the disk does.
    pub fn current(&self) -> Recorded {
        self.shared().ledger.recorded().clone()
    }

    /// What reading passed over, for people.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The fence of this run.
    pub fn fence_number(&self) -> u64 {
        self.fence
    }

    /// A number that no intent has used.
    pub fn next_intent(&self) -> u64 {
        let mut last = self
            .next_intent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = last.saturating_add(1);
        *last
    }

    /// Whether this run may still write, here or anywhere. To be asked before each call.
    pub fn fence(&self) -> Result<(), StateError> {
        fence::check(&self.dir, self.fence)
    }

    /// Appends an entry and resolves once it is durable. Entries count in the order in which
    /// the futures are first polled. One that contradicts the state is refused and not written.
    /// Once writing has failed, every later call fails. A future that is dropped may still have
    /// written its entry.
    pub async fn append(&self, entry: Entry) -> Result<(), StateError> {
        let answer = self.send(&entry)?;
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(self.shared().writer.failed()),
        }
    }

    fn send(&self, entry: &Entry) -> Result<Answer, StateError> {
        let text = journal::encode(entry).map_err(|why| Violation::new("size", why))?;
        self.fence()?;
        let mut shared = self.shared();
        shared.writer.check()?;
        shared.ledger.fold(entry)?;
        shared.appended = true;
        shared.writer.send(text)
    }

    /// Writes a snapshot of what is recorded now, if anything was appended, and lets the lock
    /// go. Blocks the thread for as long as that takes.
    #[allow(clippy::unused_async)] // a remote state will have something to wait for
    pub async fn finish(self) -> Result<(), StateError> {
        let mut shared = self.shared();
        let through = shared.writer.end()?;
        if !shared.appended {
            return Ok(());
        }
        self.fence()?;
        crash_point("before-snapshot");
        let name = snapshot_name(self.fence);
        let bytes = snapshot::encode(&Snapshot {
            remit_state: snapshot::FORMAT,
            fence: self.fence,
            through,
            last_intent: shared.ledger.last_intent(),
            recorded: shared.ledger.recorded().clone(),
        });
        let bytes = bytes.map_err(|error| StateError::Io {
            doing: "write",
            path: self.dir.file(&name),
            source: error.into(),
        })?;
        let written = self.dir.write_new(&name, &bytes)?;
        crash_point("after-snapshot");
        written
            .map(drop)
            .ok_or(StateError::Stale { fence: self.fence })
    }

    fn shared(&self) -> std::sync::MutexGuard<'_, Shared> {
        // Nothing that is done under it can panic half-way.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.shared().writer.end();
        lock::retract(&self.dir, self.fence);
    }
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
