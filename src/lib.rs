//! remit: declarative provisioning for the identities of AI agents.

pub mod access;
pub mod apply;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod diff;
pub mod evaluate;
pub mod failpoint;
pub mod gate;
pub mod lower;
pub mod model;
pub mod observe;
pub mod operations;
pub mod organisation;
pub mod plan;
pub mod rules;
pub mod state;
pub mod view;
