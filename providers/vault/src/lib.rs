//! HashiCorp Vault and OpenBao.
//!
//! | file | what is in it |
//! |---|---|
//! | `schema` | the ten kinds as a table: attributes, defaults, what the server tells |
//! | `wire` | where attributes stand in requests and answers |
//! | `normal` | normal forms: durations, networks, names, ownership marks |
//! | `policy` | policies: parsed from HCL and JSON, checked, printed in one canonical form |
//! | `lower` | what issuers, scopes, identities and resources become here |
//! | `settings` | the `provider "vault"` block, typed |
//! | `client` | HTTP: one connection pool, no redirects, bounded bodies, deadlines, retries |
//! | `observe` | reading, in bulk and one by one |
//! | `mutate` | creating, updating, deleting |
//!
//! The last three stand behind the feature `live`; everything above them is pure.

pub mod lower;
pub mod normal;
pub mod policy;
pub mod schema;
pub mod wire;

pub use lower::Vault;
