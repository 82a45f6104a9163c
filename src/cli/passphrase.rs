//! Asking for a passphrase at the terminal, unseen.
//!
//! Out: a wiped secret. The terminal shows nothing while it is typed, and shows again what is
//! typed as soon as it was asked, also when an interrupt ends the asking.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};

use remit_sdk::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// The longest passphrase that is read.
const BYTES_MAX: u64 = 1024;

/// Gives the terminal back as it was.
struct Restore {
    terminal: File,
    before: Termios,
}

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        let _ = self.terminal.write_all(b"\n");
    }
}

/// Asks for a passphrase; the reason where there is nobody to ask.
pub(super) async fn ask(question: &str) -> Result<Secret, String> {
    let text = |error: std::io::Error| format!("there is no terminal to ask at: {error}");
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .map_err(text)?;
    let before = tcgetattr(&terminal).map_err(|error| text(error.into()))?;
    let reader = terminal.try_clone().map_err(text)?;
    terminal.write_all(question.as_bytes()).map_err(text)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    // Held here and not by the thread that reads: an interrupt drops this and leaves that.
    let restore = Restore { terminal, before };
    tcsetattr(&restore.terminal, OptionalActions::Flush, &silent)
        .map_err(|error| text(error.into()))?;
    let read = tokio::task::spawn_blocking(move || {
        // Room for all of it at once: a buffer that grows leaves copies behind.
        let mut line = String::with_capacity(usize::try_from(BYTES_MAX).unwrap_or_default());
        let read = BufReader::new(reader.take(BYTES_MAX)).read_line(&mut line);
        let kept = line.trim_end_matches(['\r', '\n']).len();
        line.truncate(kept);
        (Secret::new(line), read)
    });
    let (secret, read) = read
        .await
        .map_err(|_| "the thread that waited for it ended".to_owned())?;
    read.map_err(text)?;
    drop(restore);
    Ok(secret)
}
