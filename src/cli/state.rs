//! `remit state list|show|unlock`. The first two take no lock: they show what a run that goes on
//! has made durable so far.

use clap::Subcommand;
use remit_sdk::{Address, Diagnostic, text};

use super::{Global, Outcome, ask, providers, session};
use crate::view;
use crate::view::plan::Look;
use crate::view::report::{DONE, ERROR};

#[derive(Debug, Subcommand)]
pub(super) enum State {
    /// List the addresses of everything recorded
    List {
        /// Only this declaration or object
        address: Option<Address>,
    },
    /// Show what is recorded of an object, or of all objects of a declaration
    Show {
        /// The object or declaration
        address: Address,
        /// In the shape of Terraform's JSON state
        #[arg(long)]
        json: bool,
    },
    /// Break the lock of a run that is surely gone
    Unlock {
        /// The lock's id, as the message that it is held shows it
        #[arg(value_parser = lock_id)]
        id: u64,
        /// Don't ask
        #[arg(long)]
        force: bool,
    },
}

impl State {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        match self {
            Self::List { address } => list(global, address.as_ref()),
            Self::Show { address, json } => show(global, &address, json),
            Self::Unlock { id, force } => unlock(global, id, force).await,
        }
    }
}

fn lock_id(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        "a lock's id is a whole number, which the message that the lock is held shows".to_owned()
    })
}

fn list(global: &Global, address: Option<&Address>) -> Outcome {
    let state = session::state(global)?;
    let recorded = session::load(global, &state)?;
    let is_wanted = |object: &_| address.is_none_or(|address| address.covers(object));
    global.output.data(&view::state::list(&recorded, is_wanted));
    Ok(DONE)
}

fn show(global: &Global, address: &Address, json: bool) -> Outcome {
    let state = session::state(global)?;
    let recorded = session::load(global, &state)?;
    let mut shown = Vec::new();
    let look = Look {
        catalog: providers::catalog(),
        paint: global.output.paint(),
    };
    for (object, record) in &recorded.objects {
        if address.covers(object) {
            shown.push(if json {
                format!("{}\n", view::state::resource(object, record))
            } else {
                view::state::record(object, record, look)
            });
        }
    }
    if shown.is_empty() {
        return Err(vec![
            Diagnostic::error(
                "no such object",
                format!(
                    "nothing recorded is called {}",
                    text::safe(&address.to_string())
                ),
            )
            .help("`remit state list` shows the addresses"),
        ]);
    }
    let between = if json { "" } else { "\n" };
    global.output.data(&shown.join(between));
    Ok(DONE)
}

async fn unlock(global: &Global, id: u64, force: bool) -> Outcome {
    let state = session::state(global)?;
    let held = state.held().map_err(|error| session::unreadable(&error))?;
    if let Some(held) = held.filter(|held| !force && held.fence == id) {
        let question = format!(
            "Lock {} is held by {}. If that run is still going on, it stops at its next call, and \
             what is in flight has to be found out. Break the lock?",
            held.fence, held.holder
        );
        if !ask::agrees(&question, "say --force").await? {
            global.say("Not unlocked.\n");
            return Ok(ERROR);
        }
    }
    state
        .unlock(id, session::holder("state unlock"))
        .map_err(|error| session::unreadable(&error))?;
    global.output.data(&format!(
        "Lock {id} is broken. The next run decides what the broken one left undecided.\n"
    ));
    Ok(DONE)
}
