//! Evaluation.

pub mod functions;
