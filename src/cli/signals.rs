//! Interrupts. While an apply runs, the first one lets what is in flight end and begins nothing
//! more; the second one ends the command at once. Everywhere else the first one does.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Global;

/// Resolves when the command is to end at once.
pub(super) async fn wait(global: &Global) {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        // The terminal is gone: nobody will see what comes, and nothing should be left half done.
        SignalKind::hangup(),
    ];
    let [mut interrupt, mut terminate, mut hangup] = kinds.map(|kind| signal(kind).ok());
    loop {
        tokio::select! {
            () = next(&mut interrupt) => {}
            () = next(&mut terminate) => {}
            () = next(&mut hangup) => {}
        }
        if !global.is_graceful.replace(false) {
            return;
        }
        global.interrupt.send_replace(true);
    }
}

/// The next signal of one kind; never, where the system gives none.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
