//! Rules: identity before rotation. PURE.
//!
//! In: the model, and where there are some the plan and what access it changes. Out: findings.
//! One file a family of rules; a rule that lacks an input is listed as skipped, never passed.

mod finding;

pub use finding::{Finding, Severity};
