//! Places where a test may kill the process.
//!
//! In: the environment variable `REMIT_CRASH_AT`, read once: the name of a point, or `name#n`
//! for the n-th time it is reached. Out: nothing, or SIGKILL to this process itself, so that no
//! destructor runs and nothing is flushed: what a power cut leaves behind.
//!
//! Only builds with debug assertions have it; in a release [`crash_point`] is empty. It must
//! never decide anything, and no code may depend on it. A test sweeps [`points`], so a point
//! that is added here is tested without writing a test.

/// Every point there is, in the order in which a run meets them.
const POINTS: &[&str] = &[
    "journal-created",
    "fence-raised",
    "before-intent",
    "journal-written",
    "journal-synced",
    "after-intent",
    "after-call",
    "before-outcome",
    "before-snapshot",
    "file-written",
    "file-linked",
    "after-snapshot",
];

/// The names of all points.
pub fn points() -> &'static [&'static str] {
    POINTS
}

/// Kills the process here, if this is the point and the time that was asked for.
#[cfg(debug_assertions)]
pub fn crash_point(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static REACHED: AtomicU64 = AtomicU64::new(0);

    debug_assert!(POINTS.contains(&name), "unlisted crash point {name}");
    let wanted = WANTED.get_or_init(|| std::env::var("REMIT_CRASH_AT").ok().map(|w| parse(&w)));
    let Some((point, time)) = wanted else { return };
    if point == name && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == *time {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may reach another thread first; this one must not go on in between.
        loop {
            std::thread::park();
        }
    }
}

/// Nothing, in a release.
#[cfg(not(debug_assertions))]
#[inline]
pub fn crash_point(_name: &str) {}

/// `name`, or `name#n`; a number that is none counts as the first time.
#[cfg(debug_assertions)]
fn parse(wanted: &str) -> (String, u64) {
    let (name, time) = wanted.split_once('#').unwrap_or((wanted, "1"));
    (name.to_owned(), time.parse().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(debug_assertions)]
    #[test]
    fn a_point_may_name_its_time() {
        assert_eq!(parse("after-call"), ("after-call".into(), 1));
        assert_eq!(parse("after-call#3"), ("after-call".into(), 3));
    }

    #[test]
    fn nothing_happens_unasked() {
        for point in points() {
            crash_point(point);
        }
    }
}
