//! What remit's core and its providers say to each other. No I/O here, and no clock.
//!
//! | file | what is in it |
//! |---|---|
//! | `span` | where in the configuration something stands |
//! | `address` | names of declarations and of the objects they become |
//! | `naming` | live names, computed from addresses |
//! | `value` | values, pending values, references to secrets |
//! | `secret` | a wiped secret that can't be printed or stored |
//! | `schema` | a provider's kinds as tables |
//! | `attribute` | ways to write an attribute of such a table in one line |
//! | `shape` | values in the shape of their attribute |
//! | `settings` | reading a `provider` block |
//! | `drafting` | what lowering shares in every provider |
//! | `object` | a live object, its ownership mark and its fingerprint |
//! | `declaration` | owners, environments, issuers, agents, scopes, identities, resources |
//! | `diagnostic` | a mistake and what to write instead, as plain data |
//! | `provider` | three faces of a provider: read, write, lower; the fourth is in `access` |
//! | `access` | what policies let a holder do: words that the evaluators share |
//! | `error` | what can go wrong with a call, and whether to try again |
//! | `text` | making text from servers safe to show |

pub mod access;
pub mod address;
pub mod attribute;
pub mod declaration;
pub mod diagnostic;
pub mod drafting;
pub mod error;
pub mod naming;
pub mod object;
pub mod provider;
pub mod schema;
pub mod secret;
pub mod settings;
pub mod shape;
pub mod span;
pub mod text;
pub mod value;

pub use access::Evaluate;
pub use address::{Address, DeclarationAddress, ObjectAddress};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use error::{ErrorKind, ProviderError};
pub use object::{Fingerprint, Mark, Object};
pub use provider::{Lower, Read, Write};
pub use schema::{Attribute, Kind};
pub use secret::Secret;
pub use span::{FileId, Span, Spanned};
pub use value::{Number, Pending, SecretRef, Value};
