//! The command line: one file a command.
//!
//! In: arguments, the environment, a terminal or none. Out: data on standard output, everything
//! else on standard error, and an exit code. A command reads, calls [`crate::operations`] and
//! hands what comes back to [`crate::view`]; it decides nothing itself. Only `providers` names
//! concrete providers, only `output` writes to the two streams, only `session` knows how the
//! stages before a plan fit together.

mod access;
mod agent;
mod approve;
mod ask;
mod clock;
mod command;
mod completions;
mod graph;
mod guard;
mod import;
mod options;
mod output;
mod outputs;
mod passphrase;
mod plain_file;
mod plan;
mod policies;
mod progress;
mod providers;
mod schema;
mod secrets;
mod session;
mod show;
mod signals;
mod signatures;
mod state;
mod stats;
mod version;

mod apply;
mod fmt;
mod validate;

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use clap::Parser;
use remit_sdk::Diagnostic;
use tokio::sync::watch;

use crate::diagnostic::SourceMap;
use crate::view::events::Events;
use crate::view::report::{ERROR, INTERRUPTED};
use command::Arguments;
use output::{Output, note};

/// What a command gives: an exit code, or what stopped it.
type Outcome = Result<u8, Vec<Diagnostic>>;

/// What all commands share.
struct Global {
    output: Output,
    /// The files that spans point into.
    sources: RefCell<SourceMap>,
    /// Whether everything said goes to standard output as JSON lines.
    events: Cell<bool>,
    /// Becomes true at the first interrupt of an apply.
    interrupt: watch::Sender<bool>,
    /// Whether an interrupt finishes what is in flight, or just ends the command.
    is_graceful: Cell<bool>,
}

impl Global {
    /// Says what is wrong or worth knowing.
    fn report(&self, diagnostics: &[Diagnostic]) {
        self.sources.borrow_mut().hide(diagnostics);
        let sources = self.sources.borrow();
        if self.events.get() {
            let now = clock::now();
            let events = Events { now: &now };
            for diagnostic in diagnostics {
                self.event(&events.diagnostic(diagnostic, &sources));
            }
        } else {
            self.output.diagnostics(diagnostics, &sources);
        }
    }

    /// One line of the event stream.
    fn event(&self, line: &str) {
        self.output.data(&format!("{line}\n"));
    }

    /// Begins the event stream.
    fn begin_events(&self) {
        self.events.set(true);
        let now = clock::now();
        self.event(&Events { now: &now }.version(env!("CARGO_PKG_VERSION")));
    }

    /// One line for people; nothing where everything said is JSON.
    fn say(&self, text: &str) {
        if !self.events.get() {
            note(text);
        }
    }
}

/// Runs the command that `arguments` ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    guard::against_leaks();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Unwinding has wiped secrets and let the lock go; what is left is to say that it went wrong.
    std::panic::catch_unwind(AssertUnwindSafe(|| command(arguments)))
        .unwrap_or(ExitCode::from(ERROR))
}

fn command(arguments: Vec<OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(&arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error, &arguments),
    };
    let output = Output::new(arguments.no_color);
    if let Some(directory) = &arguments.chdir
        && let Err(error) = std::env::set_current_dir(directory)
    {
        let what = format!("error: can't go to {}: {error}\n", directory.display());
        note(&what);
        return ExitCode::from(ERROR);
    }
    let global = Global {
        output,
        sources: RefCell::default(),
        events: Cell::new(false),
        interrupt: watch::Sender::new(false),
        is_graceful: Cell::new(false),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            note(&format!("error: no threads could be started: {error}\n"));
            return ExitCode::from(ERROR);
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = arguments.command.run(&global) => outcome,
            () = signals::wait(&global) => Ok(INTERRUPTED),
        }
    });
    // A thread that waits for an answer at the terminal would hold it up for ever.
    runtime.shutdown_background();
    let code = match outcome {
        Ok(code) => code,
        Err(diagnostics) => {
            global.report(&diagnostics);
            ERROR
        }
    };
    ExitCode::from(if global.output.has_failed() && code == 0 {
        ERROR
    } else {
        code
    })
}

/// Help goes to standard output; wrong usage to standard error, with exit code 1: 2 means
/// that there are changes.
fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let is_help = !error.use_stderr();
    // clap knows whether the stream is a terminal and what NO_COLOR asks for.
    let _ = error.print();
    if is_help {
        return ExitCode::SUCCESS;
    }
    if let Some(option) = arguments.iter().find_map(|one| single_dash(one)) {
        note(&format!(
            "\n  tip: long options have two dashes: -{option}\n"
        ));
    }
    ExitCode::from(ERROR)
}

/// `-out` of `-out=x`: what fingers used to Terraform write.
fn single_dash(argument: &OsString) -> Option<&str> {
    let text = argument.to_str()?;
    let name = text.split('=').next()?;
    let rest = name.strip_prefix('-')?;
    let is_word = rest.len() > 1 && rest.starts_with(|c: char| c.is_ascii_lowercase());
    is_word.then_some(name)
}
