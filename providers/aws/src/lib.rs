//! AWS IAM and Secrets Manager.
//!
//! | file | what is in it |
//! |---|---|
//! | `schema` | the kinds as a table: attributes, defaults, what AWS tells |
//! | `document` | policy documents: parsed, checked, printed in one canonical form, compared in meaning |
//! | `arn` | ARNs and the partition of a region |
//! | `normal` | normal forms: names, paths, tags, ownership marks |
//! | `settings` | the `provider "aws"` block, typed |
//! | `lower` | what issuers, scopes, identities and resources become here |
//! | `client` | the SDK's clients: credentials, endpoints, retries, errors |
//! | `observe` | reading, in bulk and one by one |
//! | `mutate` | creating, updating, deleting |
//!
//! The last three stand behind the feature `live`; everything above them is pure.

pub mod arn;
pub mod document;
pub mod lower;
pub mod normal;
pub mod schema;
pub mod settings;

pub use lower::Aws;
