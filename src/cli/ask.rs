//! Asking a person, where there is one.

use std::io::{IsTerminal, Write};

use remit_sdk::Diagnostic;

/// What counts as agreement.
const YES: &str = "yes";

/// Whether there is somebody to ask.
pub(super) fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks whether to go on. Without a terminal nobody can answer, which is an error and never a yes.
/// `instead` is what to do then.
pub(super) async fn agrees(question: &str, instead: &str) -> Result<bool, Vec<Diagnostic>> {
    if !is_possible() {
        return Err(vec![
            Diagnostic::error(
                "nobody to ask",
                "this needs somebody's yes, and there is no terminal to ask at",
            )
            .help(instead),
        ]);
    }
    let _ = std::io::stderr()
        .lock()
        .write_all(format!("\n{question}\n  Only `{YES}` goes on: ").as_bytes());
    // Read on a thread of its own, so that an interrupt isn't kept waiting.
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = answer.await.ok().and_then(Result::ok).unwrap_or_default();
    Ok(answer.trim() == YES)
}
