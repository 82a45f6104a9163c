//! What was recorded: the journal of intents and outcomes, snapshots, locks and fences.

pub mod record;

pub use record::{Entry, Intent, Operation, Outcome, OutputRecord, Record, Recorded};
