//! remit: declarative provisioning for the identities of AI agents.

pub mod config;
pub mod diagnostic;
pub mod evaluate;
pub mod model;
