//! remit: declarative provisioning for the identities of AI agents.
