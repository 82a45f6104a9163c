//! remit: declarative provisioning for the identities of AI agents.

pub mod apply;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod evaluate;
pub mod failpoint;
pub mod lower;
pub mod model;
pub mod observe;
pub mod operations;
pub mod plan;
pub mod state;
pub mod view;
