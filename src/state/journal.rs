//! The journal of one run: what its lines are, and reading them.
//!
//! A journal belongs to one fence: only the run that holds the fence writes to it, so a run
//! that was pushed aside can't write into its successor's. The first line is a header, made
//! durable before the fence is: the format, the fence, and after which entry of the files
//! before it this journal goes on. What stands in an older journal beyond that entry was
//! written by a run that had lost its lock, and doesn't count.
//!
//! Every other line is a batch: entries that were made durable by one sync. A batch is whole or
//! it never happened. Each line is sealed and names the line before it.
//!
//! Reading: a last batch that is torn is dropped, and that is said; nobody was told that it was
//! durable. Anything else that isn't as it was written is an error that names the line. No
//! bytes make it panic.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::record::Entry;
use super::seal::{Checksum, Position, begins_sealed, seal, seal_text, unseal};

/// The format this code writes, and the newest it reads. The second has what the gate records;
/// the first is read too.
pub(super) const FORMAT: u32 = 2;
/// A run of 100,000 steps writes about 300 MB; ten times that is somebody else's file.
pub(super) const JOURNAL_BYTES_MAX: u64 = 4 << 30;
/// An object's attributes are at most a policy of a megabyte or so; OpenBao refuses requests
/// over 32 MiB, AWS far smaller ones.
pub(super) const ENTRY_BYTES_MAX: usize = 32 << 20;
/// A batch is closed at this size, so a line is at most this and one entry.
pub(super) const BATCH_BYTES_MAX: usize = 4 << 20;
/// serde_json stops reading at 128 levels; what is around an entry takes fewer than 28.
pub(super) const NESTING_MAX: usize = 100;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// The format.
    pub(super) remit_journal: u32,
    /// The fence it belongs to.
    pub(super) fence: u64,
    /// What its first entry follows.
    pub(super) after: Position,
}

/// A batch, for reading.
#[derive(Deserialize)]
struct Line {
    sequence: u64,
    after: Checksum,
    fence: u64,
    entries: Vec<Entry>,
}

/// Only the member that tells the format, which every format has.
#[derive(Deserialize)]
struct Probe {
    remit_journal: u32,
}

/// A journal as it was read.
#[derive(Debug)]
pub(super) struct Journal {
    /// Its fence.
    pub(super) fence: u64,
    /// What its first entry follows.
    pub(super) after: Position,
    /// The batches in order, each with the position after it.
    pub(super) batches: Vec<(Position, Vec<Entry>)>,
    /// How many bytes at its end are a batch that was never finished.
    pub(super) torn_bytes: usize,
}

/// The header line of a new journal, and the checksum that its first batch names.
pub(super) fn header(
    fence: u64,
    after: Position,
) -> Result<(Vec<u8>, Checksum), serde_json::Error> {
    let (mut line, checksum) = seal(&Header {
        remit_journal: FORMAT,
        fence,
        after,
    })?;
    line.push('\n');
    Ok((line.into_bytes(), checksum))
}

/// An entry as text, ready for [`batch`]; the reason where it could not be read back.
pub(super) fn encode(entry: &Entry) -> Result<String, String> {
    let text = serde_json::to_string(entry).map_err(|error| error.to_string())?;
    if text.len() > ENTRY_BYTES_MAX {
        return Err(format!("an entry has {} bytes", text.len()));
    }
    if nesting(&text) > NESTING_MAX {
        return Err("an entry is nested too deeply".into());
    }
    Ok(text)
}

/// A batch of encoded entries as a line; `sequence` is the number of the first.
pub(super) fn batch(
    fence: u64,
    sequence: u64,
    after: Checksum,
    entries: &[String],
) -> (Vec<u8>, Checksum) {
    let entries = entries.join(",");
    let (mut line, checksum) = seal_text(format!(
        r#"{{"sequence":{sequence},"after":"{after}","fence":{fence},"entries":[{entries}]}}"#
    ));
    line.push('\n');
    (line.into_bytes(), checksum)
}

/// How deeply brackets nest in a JSON text.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reads a journal; `path` is only named in errors.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Journal, StateError> {
    let corrupt = |line: usize, why: String| StateError::Corrupt {
        path: path.to_owned(),
        line: Some(line),
        why,
    };
    let mut lines = Lines { rest: bytes };
    let first = lines.next().unwrap_or_default();
    let text = first.strip_suffix(b"\n").unwrap_or(first);
    if let Ok(probe) = serde_json::from_slice::<Probe>(text)
        && probe.remit_journal > FORMAT
    {
        return Err(StateError::Newer {
            path: path.to_owned(),
            found: probe.remit_journal,
            known: FORMAT,
        });
    }
    let Some((json, checksum)) = unseal(text).filter(|_| first.ends_with(b"\n")) else {
        return Err(corrupt(1, "the header isn't what was written".into()));
    };
    let header: Header = serde_json::from_str(&json)
        .map_err(|error| corrupt(1, format!("the header can't be read: {error}")))?;

    let mut journal = Journal {
        fence: header.fence,
        after: header.after,
        batches: Vec::new(),
        torn_bytes: 0,
    };
    let mut before = Position {
        sequence: header.after.sequence,
        checksum,
    };
    let mut number = 1;
    loop {
        let unread = lines.rest;
        let Some(line) = lines.next() else { break };
        number += 1;
        // A write may end just before the newline: the batch is whole all the same.
        let sealed = unseal(line.strip_suffix(b"\n").unwrap_or(line));
        let Some((json, checksum)) = sealed else {
            if anything_whole(unread) {
                return Err(corrupt(number, "it isn't what was written".into()));
            }
            journal.torn_bytes = unread.len();
            break;
        };
        let line: Line = serde_json::from_str(&json)
            .map_err(|error| corrupt(number, format!("it can't be read: {error}")))?;
        if line.fence != header.fence {
            return Err(corrupt(
                number,
                format!("it belongs to fence {}", line.fence),
            ));
        }
        if line.after != before.checksum || Some(line.sequence) != before.sequence.checked_add(1) {
            return Err(corrupt(
                number,
                "it doesn't follow the line before it".into(),
            ));
        }
        let sequence = before.sequence.checked_add(line.entries.len() as u64);
        let sequence = sequence.ok_or_else(|| corrupt(number, "no sequence is left".into()))?;
        before = Position { sequence, checksum };
        journal.batches.push((before, line.entries));
    }
    Ok(journal)
}

/// Whether any line of `bytes` is whole, or begins with one that is.
fn anything_whole(bytes: &[u8]) -> bool {
    Lines { rest: bytes }.any(begins_sealed)
}

/// Lines with their newlines; the last may lack it.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = match end {
            Some(end) => self.rest.split_at_checked(end + 1)?,
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::testing::{begin, create, done, entries, foldable};

    /// A journal of these batches.
    fn written(batches: &[Vec<Entry>]) -> Vec<u8> {
        let after = Position::default();
        let (mut bytes, mut checksum) = header(1, after).unwrap();
        let mut sequence = 1;
        for entries in batches {
            let texts: Vec<String> = entries.iter().map(|e| encode(e).unwrap()).collect();
            let (line, next) = batch(1, sequence, checksum, &texts);
            bytes.extend(line);
            checksum = next;
            sequence += entries.len() as u64;
        }
        bytes
    }

    fn parsed(bytes: &[u8]) -> Result<Journal, StateError> {
        read(bytes, Path::new("journal"))
    }

    fn batches(journal: &Journal) -> Vec<Vec<Entry>> {
        journal.batches.iter().map(|(_, e)| e.clone()).collect()
    }

    fn three() -> Vec<Vec<Entry>> {
        vec![
            vec![begin(), create(1, "a")],
            vec![done(1, "a")],
            vec![create(2, "b"), done(2, "b")],
        ]
    }

    #[test]
    fn what_is_written_reads_back() {
        let bytes = written(&three());
        let journal = parsed(&bytes).unwrap();
        assert_eq!(batches(&journal), three());
        assert_eq!(journal.torn_bytes, 0);
        assert_eq!(journal.batches.last().unwrap().0.sequence, 5);
    }

    #[test]
    fn cut_anywhere_it_is_a_prefix_and_says_so() {
        let bytes = written(&three());
        let header = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
        for end in 0..bytes.len() {
            let read = parsed(&bytes[..end]);
            if end < header {
                assert!(matches!(read, Err(StateError::Corrupt { .. })), "{end}");
                continue;
            }
            let journal = read.unwrap();
            let found = batches(&journal);
            // A cut just before a newline leaves the line whole.
            let upto = if bytes[end] == b'\n' { end + 1 } else { end };
            let lines = Lines {
                rest: &bytes[header..upto],
            }
            .filter(|line| line.ends_with(b"\n"))
            .count();
            assert_eq!(found, three()[..lines], "{end}");
            let clean = bytes[end] == b'\n' || bytes[end - 1] == b'\n';
            assert_eq!(journal.torn_bytes == 0, clean, "{end}");
        }
    }

    #[test]
    fn flipped_anywhere_it_is_an_error_or_a_torn_end() {
        let bytes = written(&three());
        let last = written(&three()[..2]).len();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                match parsed(&bytes) {
                    Ok(journal) => {
                        assert!(at >= last, "byte {at}, bit {bit}");
                        assert_eq!(batches(&journal), three()[..2]);
                        assert!(journal.torn_bytes > 0);
                    }
                    Err(error) => assert!(matches!(
                        error,
                        StateError::Corrupt { .. } | StateError::Newer { .. }
                    )),
                }
            }
        }
    }

    #[test]
    fn lines_cut_out_or_moved_are_seen() {
        let bytes = written(&three());
        let lines: Vec<&[u8]> = Lines { rest: &bytes }.collect();
        for order in [
            vec![0, 2, 3],
            vec![0, 1, 3],
            vec![0, 2, 1, 3],
            vec![0, 1, 1, 2, 3],
            vec![1, 2, 3],
        ] {
            let bytes: Vec<u8> = order.iter().flat_map(|n| lines[*n].to_vec()).collect();
            assert!(parsed(&bytes).is_err(), "{order:?}");
        }
    }

    #[test]
    fn a_newer_format_is_refused_before_all_else() {
        let bytes = b"{\"remit_journal\":3,\"anything\":true}\nwhatever";
        let newer = parsed(bytes).unwrap_err();
        assert!(matches!(
            newer,
            StateError::Newer {
                found: 3,
                known: 2,
                ..
            }
        ));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_written() {
        let mut value = remit_sdk::Value::Null;
        for _ in 0..NESTING_MAX {
            value = remit_sdk::Value::List(vec![value]);
        }
        let output = crate::state::OutputRecord {
            value,
            sensitive: false,
        };
        let entry = Entry::Outputs {
            outputs: [("x".to_owned(), output)].into(),
        };
        assert!(encode(&entry).is_err());
        assert_eq!(nesting(r#"{"a":["}]\"]",{}]}"#), 3);
    }

    proptest! {
        #[test]
        fn random_batches_read_back(entries in entries(20), sizes in prop::collection::vec(1..4_usize, 20)) {
            let mut rest = foldable(entries);
            let mut all = Vec::new();
            for size in sizes {
                if !rest.is_empty() {
                    all.push(rest.drain(..size.min(rest.len())).collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(batches(&parsed(&written(&all)).unwrap()), all);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), good in any::<bool>()) {
            let mut all = if good { written(&three()) } else { Vec::new() };
            all.extend(bytes);
            let _ = parsed(&all);
        }
    }
}
