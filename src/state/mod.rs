//! What was recorded: the journal of intents and outcomes, snapshots, locks and fences.
//!
//! In: [`Entry`]s, appended one by one while a run goes on. Out: [`Recorded`], what they fold
//! to. A backend keeps them durable ([`LocalState`] in a directory) and lets one run at a time
//! append, [`Run`], which holds a lock and a fence.
//!
//! An entry counts when it is on disk and not before; whoever waits for [`Run::append`] knows
//! that it is. What can't be read as it was written is an error, never a smaller state. Nothing
//! here knows a provider or makes a call, and no secret comes here: records hold references.

mod error;
pub mod facts;
mod fence;
mod files;
pub mod fold;
pub mod invariants;
mod journal;
mod local;
mod lock;
pub mod record;
mod seal;
mod snapshot;
#[cfg(test)]
mod testing;
mod writer;

pub use error::{Held, Holder, StateError};
pub use facts::Facts;
pub use fold::Ledger;
pub use invariants::Violation;
pub use local::{Loaded, LocalState, Run};
pub use record::{Entry, Intent, Operation, Outcome, OutputRecord, Record, Recorded};
