//! Tests of a state in a directory: what a crash at any byte or call leaves, and who may write.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::state::record::Outcome;
use crate::state::testing::{begin, create, done, entries, foldable, object, record};

fn holder() -> Holder {
    Holder {
        pid: 7,
        host: "host".into(),
        user: "user".into(),
        since: "2026-01-01T00:00:00Z".into(),
        command: "remit apply".into(),
    }
}

fn state() -> (TempDir, LocalState) {
    let dir = tempfile::tempdir().unwrap();
    let state = LocalState::new(dir.path().join("state"));
    (dir, state)
}

/// A child process that another test starts holds every open file, locks included, until it has
/// become its own program.
const FORKING: Duration = Duration::from_secs(5);

fn lock(state: &LocalState) -> Run {
    state.lock(holder(), FORKING).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn append(run: &Run, entry: Entry) {
    wait(run.append(entry)).unwrap();
}

fn expected(entries: &[Entry]) -> Recorded {
    let mut recorded = Recorded::default();
    for entry in entries {
        recorded.fold(entry).unwrap();
    }
    recorded
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn files(state: &LocalState) -> Vec<String> {
    let entries = fs::read_dir(&state.path).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_state_that_does_not_exist_is_empty() {
    let (_dir, state) = state();
    assert_eq!(state.load().unwrap(), Recorded::default());
    assert!(!state.path.exists());
    assert!(state.held().unwrap().is_none());
}

#[test]
fn a_run_is_read_back_while_it_goes_on_and_after_it_ended() {
    let (_dir, state) = state();
    let run = lock(&state);
    assert_eq!(run.next_intent(), 1);
    append(&run, begin());
    append(&run, create(1, "a"));
    let so_far = expected(&[begin(), create(1, "a")]);
    assert_eq!(state.load().unwrap(), so_far);
    append(&run, done(1, "a"));
    assert_eq!(run.current().objects.len(), 1);
    assert_eq!(run.recorded(), &Recorded::default());
    wait(run.finish()).unwrap();
    let all = expected(&[begin(), create(1, "a"), done(1, "a")]);
    assert_eq!(state.load().unwrap(), all);

    let run = lock(&state);
    assert_eq!(run.recorded(), &all);
    assert_eq!(run.next_intent(), 2);
    wait(run.finish()).unwrap();
    assert_eq!(state.load().unwrap(), all);
}

#[test]
fn files_do_not_pile_up() {
    let (_dir, state) = state();
    for number in 1..=20 {
        let run = lock(&state);
        append(&run, begin());
        // Some runs end, some die, some do nothing.
        match number % 3 {
            0 => wait(run.finish()).unwrap(),
            1 => drop(run),
            _ => drop(lock_again(run, &state)),
        }
    }
    assert_eq!(state.load().unwrap().serial, 20);
    let run = lock(&state);
    append(&run, begin());
    wait(run.finish()).unwrap();
    drop(lock(&state));
    assert!(files(&state).len() <= 5, "{:?}", files(&state));
}

fn lock_again(run: Run, state: &LocalState) -> Run {
    drop(run);
    lock(state)
}

#[test]
fn a_number_is_never_used_again() {
    let (_dir, state) = state();
    let run = lock(&state);
    append(&run, begin());
    let numbers: Vec<u64> = (0..5).map(|_| run.next_intent()).collect();
    append(&run, create(numbers[4], "a"));
    append(&run, done(numbers[4], "a"));
    wait(run.finish()).unwrap();
    assert_eq!(lock(&state).next_intent(), 6);
    let run = lock(&state);
    let again = wait(run.append(create(5, "b"))).unwrap_err();
    assert!(matches!(again, StateError::Refused(v) if v.invariant == "S1"));
}

#[test]
fn what_contradicts_the_state_is_not_written() {
    let (_dir, state) = state();
    let run = lock(&state);
    assert!(wait(run.append(create(1, "a"))).is_err());
    append(&run, begin());
    assert!(wait(run.append(done(1, "a"))).is_err());
    drop(run);
    assert_eq!(state.load().unwrap(), expected(&[begin()]));
}

#[test]
fn only_one_holds_the_lock() {
    let (_dir, state) = state();
    let run = lock(&state);
    let refused = state.lock(holder(), Duration::from_millis(60)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the state is locked by user@host, process 7, since 2026-01-01T00:00:00Z: `remit apply`"
    );
    assert!(refused.help().contains("unlock --force 1"));
    assert_eq!(state.held().unwrap().unwrap().fence, 1);
    drop(run);
    assert!(state.held().unwrap().is_none());
    assert_eq!(lock(&state).fence_number(), 2);
}

#[test]
fn many_that_contend_come_one_after_another() {
    let (_dir, state) = state();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let state = state.clone();
            std::thread::spawn(move || {
                for _ in 0..5 {
                    let run = state.lock(holder(), Duration::from_mins(1)).unwrap();
                    let serial = run.recorded().serial;
                    append(&run, begin());
                    assert_eq!(run.current().serial, serial + 1);
                    wait(run.finish()).unwrap();
                }
            })
        })
        .collect();
    // Readers meanwhile see every state from some moment, and never an error.
    let mut serial = 0;
    while threads.iter().any(|thread| !thread.is_finished()) {
        let seen = state.load().unwrap().serial;
        assert!(seen >= serial);
        serial = seen;
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(state.load().unwrap().serial, 40);
}

#[test]
fn a_forced_unlock_stops_the_one_who_held_it() {
    let (_dir, state) = state();
    let zombie = lock(&state);
    append(&zombie, begin());
    append(&zombie, create(1, "a"));
    assert!(matches!(
        state.unlock(9, holder()).unwrap_err(),
        StateError::OtherLock { given: 9, found: 1 }
    ));
    assert!(zombie.fence().is_ok());
    state.unlock(1, holder()).unwrap();
    assert!(matches!(
        zombie.fence(),
        Err(StateError::Stale { fence: 1 })
    ));
    let refused = wait(zombie.append(done(1, "a")));
    assert!(matches!(refused, Err(StateError::Stale { fence: 1 })));

    let run = lock(&state);
    assert!(run.recorded().open.contains_key(&1));
    let not_done = Entry::Outcome {
        number: 1,
        outcome: Outcome::NotDone("looked".into()),
    };
    append(&run, not_done);
    assert!(matches!(
        wait(zombie.finish()),
        Err(StateError::Stale { .. })
    ));
    assert!(run.fence().is_ok());
    wait(run.finish()).unwrap();
    assert!(state.load().unwrap().objects.is_empty());
    let unlocked = state.unlock(3, holder()).unwrap_err();
    assert!(matches!(unlocked, StateError::NotLocked));
}

#[test]
fn what_a_zombie_still_writes_does_not_count() {
    let (_dir, state) = state();
    let zombie = lock(&state);
    append(&zombie, begin());
    append(&zombie, create(1, "a"));
    // Between the zombie's check and its write, another takes over: the line lands in a file
    // that is closed for others.
    let late = state.path.join("journal-1");
    let before = fs::read(&late).unwrap();
    append(&zombie, done(1, "a"));
    let after = fs::read(&late).unwrap();
    fs::write(&late, &before).unwrap();
    state.unlock(1, holder()).unwrap();
    let run = lock(&state);
    append(&run, create(2, "b"));
    fs::write(&late, &after).unwrap();
    fs::copy(state.path.join("journal-1"), state.path.join("snapshot-1")).unwrap();
    let loaded = state.load_with_notices().unwrap();
    assert_eq!(loaded.recorded, run.current());
    assert!(loaded.recorded.open.contains_key(&1));
    assert!(
        loaded.notices[0].contains("lost its lock"),
        "{:?}",
        loaded.notices
    );
    wait(run.finish()).unwrap();
    drop(zombie);
    drop(lock(&state));
    assert!(!state.path.join("snapshot-1").exists());
}

#[test]
fn a_state_moved_away_stops_the_run() {
    let (_dir, state) = state();
    let run = lock(&state);
    fs::rename(&state.path, state.path.with_extension("old")).unwrap();
    assert!(matches!(run.fence(), Err(StateError::Stale { .. })));
}

#[test]
fn files_that_vanished_are_missed() {
    let (dir, state) = state();
    let run = lock(&state);
    append(&run, begin());
    wait(run.finish()).unwrap();
    let run = lock(&state);
    append(&run, begin());
    drop(run);
    let run = lock(&state);
    append(&run, begin());
    for gone in ["fence-3", "snapshot-1", "journal-2", "journal-3"] {
        let other = LocalState::new(dir.path().join(gone));
        copy(&state.path, &other.path);
        assert!(other.load().is_ok());
        fs::remove_file(other.path.join(gone)).unwrap();
        let lost = other.load().unwrap_err();
        assert!(matches!(lost, StateError::Corrupt { .. }), "{gone}: {lost}");
        assert!(other.lock(holder(), Duration::ZERO).is_err());
    }
    wait(run.finish()).unwrap();
    fs::remove_file(state.path.join("snapshot-3")).unwrap();
    // Its journal is still there and says the same.
    assert_eq!(state.load().unwrap().serial, 3);
}

#[test]
fn a_file_put_back_from_an_older_time_is_seen() {
    let (dir, state) = state();
    let run = lock(&state);
    append(&run, begin());
    wait(run.finish()).unwrap();
    let older = fs::read(state.path.join("snapshot-1")).unwrap();
    let other = LocalState::new(dir.path().join("other"));
    let run = lock(&other);
    append(&run, begin());
    append(&run, create(1, "a"));
    wait(run.finish()).unwrap();
    let run = lock(&other);
    append(&run, begin());
    fs::write(other.path.join("snapshot-1"), older).unwrap();
    let seen = other.load().unwrap_err();
    assert!(seen.to_string().contains("doesn't follow"), "{seen}");
}

#[test]
fn nobody_else_may_read_or_write() {
    let (_dir, state) = state();
    let run = lock(&state);
    append(&run, begin());
    wait(run.finish()).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state.path), 0o700);
    for name in files(&state) {
        assert_eq!(mode(&state.path.join(&name)), 0o600, "{name}");
    }

    let snapshot = state.path.join("snapshot-1");
    fs::set_permissions(&snapshot, fs::Permissions::from_mode(0o622)).unwrap();
    assert!(matches!(state.load(), Err(StateError::Unsafe { .. })));
    fs::rename(&snapshot, state.path.join("elsewhere")).unwrap();
    symlink(state.path.join("elsewhere"), &snapshot).unwrap();
    assert!(matches!(state.load(), Err(StateError::Unsafe { .. })));
}

#[test]
fn a_directory_that_is_a_link_or_open_to_all_is_refused() {
    let (dir, state) = state();
    drop(lock(&state));
    let link = dir.path().join("link");
    symlink(&state.path, &link).unwrap();
    let linked = LocalState::new(link);
    assert!(matches!(linked.load(), Err(StateError::Unsafe { .. })));
    assert!(linked.lock(holder(), Duration::ZERO).is_err());
    fs::set_permissions(&state.path, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(state.load(), Err(StateError::Unsafe { .. })));
    let refused = state.lock(holder(), Duration::ZERO);
    assert!(matches!(refused, Err(StateError::Unsafe { .. })));
}

#[test]
fn a_lock_or_journal_that_is_a_pipe_does_not_hang() {
    let (_dir, state) = state();
    fs::create_dir(&state.path).unwrap();
    fs::set_permissions(&state.path, fs::Permissions::from_mode(0o700)).unwrap();
    let path = state.path.join("lock");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert!(matches!(
        state.lock(holder(), Duration::ZERO),
        Err(StateError::Unsafe { .. })
    ));
}

#[test]
fn a_run_that_died_before_it_had_a_fence_is_nothing() {
    let (_dir, state) = state();
    let run = lock(&state);
    append(&run, begin());
    wait(run.finish()).unwrap();
    drop(lock(&state));
    // As after `journal-created`: the journal is there, its fence isn't.
    fs::remove_file(state.path.join("fence-2")).unwrap();
    let fence = Fence::new(1, Cause::Lock, holder());
    let mut fence = Fence {
        journals: vec![1],
        ..fence
    };
    fence.snapshot = None;
    fence
        .raise(&Dir::open(&state.path).unwrap().unwrap())
        .unwrap();
    assert_eq!(state.load().unwrap().serial, 1);
    assert_eq!(lock(&state).fence_number(), 2);
}

#[test]
fn the_journal_grows_evenly() {
    const ROUNDS: u64 = 20;
    const ROUND: u64 = 1000;
    let (_dir, state) = state();
    let run = lock(&state);
    append(&run, begin());
    let size = || fs::metadata(state.path.join("journal-1")).unwrap().len();
    let mut sizes = vec![size()];
    for round in 0..ROUNDS {
        let all = (0..ROUND).map(|n| {
            let name = format!("n{:08}", round * ROUND + n);
            let mut made = record(&name);
            made.depends_on.clear();
            run.append(Entry::Record {
                address: object(&name),
                record: made,
            })
        });
        for result in wait(futures_util::future::join_all(all)) {
            result.unwrap();
        }
        sizes.push(size());
    }
    let grown: Vec<u64> = sizes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (least, most) = (grown.iter().min().unwrap(), grown.iter().max().unwrap());
    // Batches differ in number, and each costs about a hundred bytes.
    assert!(most - least <= least / 10, "{grown:?}");
    assert_eq!(files(&state).len(), 4, "{:?}", files(&state));
    wait(run.finish()).unwrap();
    assert_eq!(state.load().unwrap().objects.len(), 20_000);
}

#[test]
fn a_run_may_be_shared_by_tasks() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>(_: &T) {}
    shared::<Run>();
    let (_dir, state) = state();
    let run = lock(&state);
    sent(&run.append(begin()));
    sent(&lock(&LocalState::new(state.path.join("other"))).finish());
}

#[cfg(debug_assertions)]
/// What the killed process does: two runs, with a note of every entry that it was told is safe.
fn doomed(directory: &Path) {
    let state = LocalState::new(directory.join("state"));
    let mut safe = 0;
    for (entries, ends) in doomed_runs() {
        let run = lock(&state);
        for entry in entries {
            append(&run, entry);
            safe += 1;
            fs::write(directory.join("safe"), safe.to_string()).unwrap();
        }
        if ends {
            wait(run.finish()).unwrap();
        }
    }
}

#[cfg(debug_assertions)]
fn doomed_runs() -> [(Vec<Entry>, bool); 3] {
    [
        (vec![begin(), create(1, "a"), done(1, "a")], true),
        (vec![begin(), create(2, "b")], false),
        (vec![done(2, "b"), begin()], true),
    ]
}

#[cfg(debug_assertions)]
#[test]
fn a_kill_at_any_point_loses_nothing_that_was_promised() {
    const NAME: &str = "state::local::tests::a_kill_at_any_point_loses_nothing_that_was_promised";
    if let Some(directory) = std::env::var_os("REMIT_TEST_DOOMED") {
        return doomed(Path::new(&directory));
    }
    let all: Vec<Entry> = doomed_runs().into_iter().flat_map(|(e, _)| e).collect();
    let mut killed = 0;
    for point in crate::failpoint::points() {
        for time in 1.. {
            let dir = tempfile::tempdir().unwrap();
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", NAME])
                .env("REMIT_TEST_DOOMED", dir.path())
                .env("REMIT_CRASH_AT", format!("{point}#{time}"))
                .output()
                .unwrap();
            let safe = fs::read_to_string(dir.path().join("safe")).unwrap_or_default();
            let safe: usize = safe.parse().unwrap_or(0);
            let state = LocalState::new(dir.path().join("state"));
            let found = state.load().unwrap();
            let went = (safe..=all.len()).take(2).map(|n| expected(&all[..n]));
            assert!(
                went.into_iter().any(|state| state == found),
                "{point}#{time}"
            );
            let run = lock(&state);
            assert_eq!(run.recorded(), &found, "{point}#{time}");
            append(&run, begin());
            wait(run.finish()).unwrap();
            assert_eq!(state.load().unwrap().serial, found.serial + 1);
            let unfinished = files(&state)
                .iter()
                .any(|name| name.starts_with(UNFINISHED));
            assert!(!unfinished, "{point}#{time}");
            if child.status.success() {
                break;
            }
            killed += 1;
        }
    }
    assert!(killed > 30, "only {killed} kills");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A run dies after any number of bytes: the next one finds a state the run went through,
    /// and goes on from it.
    #[test]
    fn a_crash_at_any_byte_leaves_a_state_the_run_went_through(
        all in entries(25), split in 0..25_usize, cuts in prop::collection::vec(any::<prop::sample::Index>(), 12)
    ) {
        let all = foldable(all);
        let (dir, state) = state();
        let (first, second) = all.split_at(split.min(all.len()));
        let run = lock(&state);
        for entry in first {
            append(&run, entry.clone());
        }
        wait(run.finish()).unwrap();
        let run = lock(&state);
        for entry in second {
            append(&run, entry.clone());
        }
        drop(run);
        let journal = fs::read(state.path.join("journal-2")).unwrap();
        let header = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for (n, cut) in cuts.into_iter().enumerate() {
            let cut = header + cut.index(journal.len() - header + 1);
            let other = LocalState::new(dir.path().join(n.to_string()));
            copy(&state.path, &other.path);
            fs::write(other.path.join("journal-2"), &journal[..cut]).unwrap();
            let found = other.load().unwrap();
            // A line whose newline alone is missing is whole.
            let upto = (cut + 1).min(journal.len());
            let lines = journal[header..upto].split(|byte| *byte == b'\n').count() - 1;
            prop_assert_eq!(&found, &expected(&all[..first.len() + lines]));
            let run = lock(&other);
            prop_assert_eq!(run.recorded(), &found);
            append(&run, begin());
            drop(run);
            let mut next = found;
            next.fold(&begin()).unwrap();
            prop_assert_eq!(other.load().unwrap(), next);
        }
    }
}
