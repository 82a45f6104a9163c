//! The only module that writes: walks the steps of a plan, journals, never decides.
//!
//! In: a plan, the locked state, and for each provider instance its reading and writing half.
//! Out: a [`Report`] that says of every step whether it is done, failed, skipped, unknown or
//! was never begun. Before each call the intent is on disk, the lock's fence is still ours and the
//! object is as the plan saw it; after it the object is read back. A failed step skips what
//! depends on it, and nothing else. It makes no plan, picks no order and evaluates nothing:
//! pending values are filled in from outcomes.

mod records;
pub mod report;
mod secrets;
mod settling;
mod step;
mod walk;

pub use report::{Failure, Mismatch, Progress, Report, StepResult};
pub use walk::{Walk, missing_secrets, walk};
