//! The thread that writes a run's journal.
//!
//! In: entries as text, in the order in which they count. Out: an answer to each once it is on
//! disk. Everything that waits is written as one batch with one write and one sync, so that the
//! cost of a sync is shared by all steps that are in flight.
//!
//! If a write or a sync fails, nothing more is written: after a failed fsync the kernel may say
//! that all is well while the data is gone, so the only honest answer is an error from then on.
//! What such a write left behind is a torn batch, which the next reader drops.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::error::StateError;
use super::journal::{BATCH_BYTES_MAX, batch};
use super::seal::{Checksum, Position};
use crate::failpoint::crash_point;

/// As many entries as one sync may carry: more than steps run at a time, so it never delays one.
const BATCH_ENTRIES_MAX: usize = 1024;

/// Where a journal's bytes go.
pub(super) trait Sink: Send + 'static {
    /// Writes all of it at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes it durable.
    fn sync(&mut self) -> io::Result<()>;
}

impl Sink for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The answer to one entry.
pub(super) type Answer = oneshot::Receiver<Result<(), StateError>>;

struct Job {
    entry: String,
    answer: oneshot::Sender<Result<(), StateError>>,
}

/// Why writing stopped; empty as long as all is well.
type Failure = Arc<OnceLock<String>>;

/// Where a journal stands, and what it is written to.
pub(super) struct Start {
    /// Named in errors.
    pub(super) path: PathBuf,
    /// The fence of its lines.
    pub(super) fence: u64,
    /// The number of the entry before the first, and the checksum of the line before it.
    pub(super) after: Position,
}

/// The sending end. Dropping it writes what was sent, then ends the thread.
#[derive(Debug)]
pub(super) struct Writer {
    sender: Option<Sender<Job>>,
    thread: Option<JoinHandle<Position>>,
    failure: Failure,
    path: PathBuf,
}

impl Writer {
    /// Starts the thread. `check` is asked before each batch and may refuse it.
    pub(super) fn start(
        start: Start,
        sink: impl Sink,
        check: impl Fn() -> Result<(), StateError> + Send + 'static,
    ) -> Result<Self, StateError> {
        let (sender, receiver) = channel();
        let failure = Failure::default();
        let path = start.path.clone();
        let shared = Arc::clone(&failure);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || write_all(start, sink, &check, &receiver, &shared))
            .map_err(|source| StateError::Io {
                doing: "start the thread that writes",
                path: path.clone(),
                source,
            })?;
        Ok(Self {
            sender: Some(sender),
            thread: Some(thread),
            failure,
            path,
        })
    }

    /// Sends an entry; what is sent first is written first.
    pub(super) fn send(&self, entry: String) -> Result<Answer, StateError> {
        self.check()?;
        let (answer, receiver) = oneshot::channel();
        let job = Job { entry, answer };
        match &self.sender {
            Some(sender) if sender.send(job).is_ok() => Ok(receiver),
            _ => Err(self.failed()),
        }
    }

    /// Whether everything so far was written.
    pub(super) fn check(&self) -> Result<(), StateError> {
        match self.failure.get() {
            Some(_) => Err(self.failed()),
            None => Ok(()),
        }
    }

    /// The error that every entry gets once writing has failed.
    pub(super) fn failed(&self) -> StateError {
        let why = self.failure.get().cloned();
        StateError::JournalFailed {
            path: self.path.clone(),
            why: why.unwrap_or_else(|| "the thread that writes it has ended".into()),
        }
    }

    /// Waits until everything is written and ends the thread; gives the position after the last
    /// entry.
    pub(super) fn end(&mut self) -> Result<Position, StateError> {
        self.sender = None;
        let ended = self.thread.take().and_then(|thread| thread.join().ok());
        self.check()?;
        ended.ok_or_else(|| self.failed())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Gathers batches and writes them until nobody can send any more.
fn write_all(
    start: Start,
    mut sink: impl Sink,
    check: &dyn Fn() -> Result<(), StateError>,
    receiver: &Receiver<Job>,
    failure: &Failure,
) -> Position {
    let Start {
        path,
        fence,
        mut after,
    } = start;
    while let Ok(first) = receiver.recv() {
        let mut bytes = first.entry.len();
        let mut jobs = vec![first];
        while jobs.len() < BATCH_ENTRIES_MAX && bytes < BATCH_BYTES_MAX {
            let Ok(job) = receiver.try_recv() else { break };
            bytes += job.entry.len();
            jobs.push(job);
        }
        let (entries, answers): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.entry, job.answer)).unzip();
        // Refused by the fence: nothing was written, and nothing will be.
        let stale = if failure.get().is_none() {
            check().err()
        } else {
            None
        };
        let written = match &stale {
            Some(error) => Err(error.to_string()),
            None if failure.get().is_some() => Err(String::new()),
            None => write(&mut sink, fence, after, &entries).map_err(|error| error.to_string()),
        };
        match written {
            Ok(checksum) => {
                after.sequence += entries.len() as u64;
                after.checksum = checksum;
                for answer in answers {
                    // Whoever asked may have gone away; it is written all the same.
                    let _ = answer.send(Ok(()));
                }
            }
            Err(why) => {
                let why = failure.get_or_init(|| why).clone();
                for answer in answers {
                    let _ = answer.send(Err(match &stale {
                        Some(StateError::Stale { fence }) => StateError::Stale { fence: *fence },
                        _ => StateError::JournalFailed {
                            path: path.clone(),
                            why: why.clone(),
                        },
                    }));
                }
            }
        }
    }
    after
}

fn write(
    sink: &mut impl Sink,
    fence: u64,
    after: Position,
    entries: &[String],
) -> io::Result<Checksum> {
    let (line, checksum) = batch(fence, after.sequence + 1, after.checksum, entries);
    sink.write(&line)?;
    crash_point("journal-written");
    sink.sync()?;
    crash_point("journal-synced");
    Ok(checksum)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::*;
    use crate::state::journal::{encode, header, read};
    use crate::state::record::Entry;

    /// Keeps what is written, and fails when told.
    #[derive(Clone, Default)]
    struct Disk {
        bytes: Arc<Mutex<Vec<u8>>>,
        syncs: Arc<Mutex<usize>>,
        fail_write: Arc<Mutex<bool>>,
        fail_sync: Arc<Mutex<bool>>,
    }

    impl Sink for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut all = self.bytes.lock().unwrap();
            if *self.fail_write.lock().unwrap() {
                all.extend(&bytes[..bytes.len() / 2]);
                return Err(io::ErrorKind::StorageFull.into());
            }
            all.extend(bytes);
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            *self.syncs.lock().unwrap() += 1;
            if std::mem::take(&mut *self.fail_sync.lock().unwrap()) {
                return Err(io::Error::other("EIO"));
            }
            Ok(())
        }
    }

    fn entry(n: usize) -> String {
        encode(&Entry::End {
            summary: n.to_string(),
        })
        .unwrap()
    }

    fn writer(disk: &Disk) -> Writer {
        let (line, checksum) = header(1, Position::default()).unwrap();
        disk.bytes.lock().unwrap().extend(line);
        let start = Start {
            path: "journal".into(),
            fence: 1,
            after: Position {
                sequence: 0,
                checksum,
            },
        };
        Writer::start(start, disk.clone(), || Ok(())).unwrap()
    }

    fn found(disk: &Disk) -> Vec<String> {
        let journal = read(&disk.bytes.lock().unwrap(), Path::new("journal")).unwrap();
        let entries = journal.batches.into_iter().flat_map(|(_, entries)| entries);
        entries
            .map(|entry| match entry {
                Entry::End { summary } => summary,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn grouped_entries_stay_in_order() {
        let disk = Disk::default();
        let mut writer = writer(&disk);
        let answers: Vec<Answer> = (0..5000).map(|n| writer.send(entry(n)).unwrap()).collect();
        for answer in answers {
            answer.blocking_recv().unwrap().unwrap();
        }
        assert_eq!(writer.end().unwrap().sequence, 5000);
        let expected: Vec<String> = (0..5000).map(|n| n.to_string()).collect();
        assert_eq!(found(&disk), expected);
        assert!(*disk.syncs.lock().unwrap() <= 5000);
    }

    #[test]
    fn after_a_failed_sync_nothing_is_pretended() {
        let disk = Disk::default();
        let mut writer = writer(&disk);
        writer
            .send(entry(1))
            .unwrap()
            .blocking_recv()
            .unwrap()
            .unwrap();
        *disk.fail_sync.lock().unwrap() = true;
        let failed = writer.send(entry(2)).unwrap().blocking_recv().unwrap();
        assert!(matches!(failed, Err(StateError::JournalFailed { .. })));
        // The disk would do it now, and must not be asked.
        let before = disk.bytes.lock().unwrap().len();
        assert!(writer.send(entry(3)).is_err());
        assert!(writer.check().is_err() && writer.end().is_err());
        assert_eq!(disk.bytes.lock().unwrap().len(), before);
    }

    #[test]
    fn a_short_write_leaves_a_torn_end() {
        let disk = Disk::default();
        let writer = writer(&disk);
        writer
            .send(entry(1))
            .unwrap()
            .blocking_recv()
            .unwrap()
            .unwrap();
        *disk.fail_write.lock().unwrap() = true;
        assert!(
            writer
                .send(entry(2))
                .unwrap()
                .blocking_recv()
                .unwrap()
                .is_err()
        );
        *disk.fail_write.lock().unwrap() = false;
        assert!(writer.send(entry(3)).is_err());
        drop(writer);
        assert_eq!(found(&disk), ["1"]);
    }

    #[test]
    fn the_cost_of_an_entry_does_not_grow() {
        let disk = Disk::default();
        let writer = writer(&disk);
        let mut sizes = Vec::new();
        for round in 0..20 {
            for n in 0..1000 {
                let entry = entry(10_000 + round * 1000 + n);
                writer
                    .send(entry)
                    .unwrap()
                    .blocking_recv()
                    .unwrap()
                    .unwrap();
            }
            sizes.push(disk.bytes.lock().unwrap().len());
        }
        let first = sizes[1] - sizes[0];
        let last = sizes[19] - sizes[18];
        // Only the digits of the sequence may add to it.
        assert!(last <= first + 3 * 1000, "{first} bytes, then {last}");
    }
}
