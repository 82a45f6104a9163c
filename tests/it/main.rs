//! The one integration-test binary: each file a subject, `support` what they share.
#![cfg(test)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say where"
)]

mod access;
mod access_order;
mod approvals;
mod approvals_around;
mod approvals_forged;
mod approvals_login;
mod aws;
mod capabilities;
mod checkov;
mod contained_order;
mod engine;
mod examples;
mod guide;
mod hostile;
mod iam_evaluator;
mod journey;
mod kill;
mod lifecycle;
mod live;
mod login;
mod misplaced;
mod policies;
mod policies_rego;
mod reference;
mod rules;
mod state_abuse;
mod structure;
mod support;
mod surroundings;
mod wrong_answers;
