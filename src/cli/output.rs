//! The two streams, and nothing but: the one place that writes to them.
//!
//! Data goes to standard output, everything else to standard error. A reader that has had enough
//! (a closed pipe) is no error and stops nothing: an apply goes on without it. Any other
//! failure to write data is remembered, so that a script never takes half an answer for one.

use std::cell::Cell;
use std::io::{ErrorKind, IsTerminal, Write};

use remit_sdk::Diagnostic;

use crate::diagnostic::{RenderOptions, SourceMap, render};
use crate::view::Paint;

/// How wide text is where nobody says: what fits into a log.
const WIDTH_DEFAULT: usize = 100;

/// The two streams.
pub(super) struct Output {
    paint: Paint,
    error_paint: Paint,
    has_failed: Cell<bool>,
}

impl Output {
    /// The process's streams; coloured where they are terminals and nobody minds.
    pub(super) fn new(no_color: bool) -> Self {
        let wanted = |choice| !no_color && !matches!(choice, anstream::ColorChoice::Never);
        Self {
            paint: Paint::new(wanted(anstream::AutoStream::choice(&std::io::stdout()))),
            error_paint: Paint::new(wanted(anstream::AutoStream::choice(&std::io::stderr()))),
            has_failed: Cell::new(false),
        }
    }

    /// Whether data is coloured.
    pub(super) const fn paint(&self) -> Paint {
        self.paint
    }

    /// Whether notes are coloured.
    pub(super) const fn error_paint(&self) -> Paint {
        self.error_paint
    }

    /// Whether data could not be written.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// Data.
    pub(super) fn data(&self, text: &str) {
        let mut stream = std::io::stdout().lock();
        let written = stream
            .write_all(text.as_bytes())
            .and_then(|()| stream.flush());
        if let Err(error) = written
            && error.kind() != ErrorKind::BrokenPipe
        {
            self.has_failed.set(true);
            note(&format!("error: standard output: {error}\n"));
        }
    }

    /// What is wrong or worth knowing.
    pub(super) fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let options = RenderOptions {
            color: self.error_paint.is_colour(),
            width: width(),
            unicode: is_unicode(),
        };
        let text = render(diagnostics, sources, &options);
        if !text.is_empty() {
            note(&format!("{}\n", text.trim_end_matches('\n')));
        }
    }
}

/// Whether somebody may be watching: standard error is a terminal.
pub(super) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Everything that isn't data.
pub(super) fn note(text: &str) {
    // There is nowhere left to say that this failed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Columns of the terminal that notes go to.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok();
    size.map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(WIDTH_DEFAULT)
}

/// Whether the locale can show line-drawing characters.
fn is_unicode() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .is_some_and(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        })
}
