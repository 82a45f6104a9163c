//! What keeps secrets in memory there: no core dumps, no debugger, no values in a panic.

use std::io::Write;

/// Set at the start, before anything could hold a secret. What the system refuses is left: a
/// container without these calls is no reason not to run.
pub(super) fn against_leaks() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    std::panic::set_hook(Box::new(|panic| {
        // The payload may quote any value, so it stays unsaid.
        let place = panic
            .location()
            .map(|location| format!("{}:{}", location.file(), location.line()))
            .unwrap_or_default();
        let text = format!(
            "error: remit made a mistake at {place} (version {})\n  \
             Please report this place. Calls that were announced are in the journal: `remit plan` \
             finds out what became of them.\n",
            env!("CARGO_PKG_VERSION")
        );
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}
