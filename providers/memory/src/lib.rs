//! A strict in-memory provider, for tests and documentation.
//!
//! | file | what is in it |
//! |---|---|
//! | `schema` | kinds of its own: a box, what lies in it, a pass that lets in, a rule that permits |
//! | `normal` | the normal form of a value, from its shape. Pure |
//! | `lower` | what `resource` blocks become. Pure |
//! | `store` | [`Memory`]: objects by kind and key, read and written |
//! | `accept` | what a write must hold to be accepted |
//! | `fault` | answers that go wrong when told |
//!
//! Works from any provider's table of kinds. It refuses everything that a real server should
//! refuse and some do not: a create over what exists, a write against another version, a
//! missing container, a changed immutable attribute. So code that passes here was not helped by
//! a lenient server. A secret that is sent is dropped; only that it was sent is remembered.

mod accept;
pub mod fault;
pub mod lower;
pub mod normal;
pub mod schema;
pub mod store;

pub use fault::{Fault, Matcher};
pub use lower::MemoryLower;
pub use schema::KINDS;
pub use store::{Memory, Operation, Request};
