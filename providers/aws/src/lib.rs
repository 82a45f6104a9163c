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
//! | `access` | what policies let a role or user do: evaluated, compared, added up |
//! | `client` | the SDK's clients: credentials, endpoints, retries, errors |
//! | `observe` | reading, in bulk and one by one |
//! | `mutate` | creating, updating, deleting |
//!
//! The last three stand behind the feature `live`; everything above them is pure.

pub mod access;
pub mod arn;
#[cfg(feature = "live")]
mod client;
pub mod document;
pub mod lower;
#[cfg(feature = "live")]
pub mod mutate;
pub mod normal;
#[cfg(feature = "live")]
pub mod observe;
pub mod schema;
pub mod settings;

pub use lower::Aws;

/// A connection to one account in one region, for reading and for writing.
#[cfg(feature = "live")]
#[derive(Clone)]
pub struct Live(std::sync::Arc<observe::Shared>);

/// Takes a provider's settings and the environment that fills them up; sends nothing yet.
///
/// The diagnostics name what is refused: an endpoint that is no URL, or plain HTTP off loopback.
/// Credentials are looked for with the first request.
#[cfg(feature = "live")]
pub fn connect(
    settings: settings::Settings,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Live, Vec<remit_sdk::Diagnostic>> {
    let client = client::Client::new(settings, environment)?;
    Ok(Live(std::sync::Arc::new(observe::Shared::new(client))))
}

#[cfg(feature = "live")]
impl Live {
    /// The half that can't change anything.
    pub fn reader(&self) -> observe::Reader {
        observe::Reader(std::sync::Arc::clone(&self.0))
    }

    /// The half that writes.
    pub fn writer(&self) -> mutate::Writer {
        mutate::Writer::new(std::sync::Arc::clone(&self.0))
    }

    /// Ends the session. There is none to end: sessions of AWS run out by themselves and can't
    /// be given back.
    pub fn close(&self) -> impl Future<Output = Result<(), remit_sdk::ProviderError>> {
        std::future::ready(Ok(()))
    }
}
