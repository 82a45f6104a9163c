//! HashiCorp Vault and OpenBao.
//!
//! | file | what is in it |
//! |---|---|
//! | `schema` | the ten kinds as a table: attributes, defaults, what the server tells |
//! | `wire` | where attributes stand in requests and answers |
//! | `normal` | normal forms: durations, networks, names, ownership marks |
//! | `policy` | policies: parsed from HCL and JSON, checked, printed in one canonical form |
//! | `access` | what policies let a token do, and what one set allows beyond another |
//! | `lower` | what issuers, scopes, identities and resources become here |
//! | `settings` | the `provider "vault"` block, typed |
//! | `client` | HTTP: one connection pool, no redirects, bounded bodies, deadlines, retries |
//! | `observe` | reading, in bulk and one by one |
//! | `mutate` | creating, updating, deleting |
//!
//! The last three stand behind the feature `live`; everything above them is pure.

pub mod access;
#[cfg(feature = "live")]
mod client;
pub mod lower;
#[cfg(feature = "live")]
pub mod mutate;
pub mod normal;
#[cfg(feature = "live")]
pub mod observe;
pub mod policy;
pub mod schema;
pub mod settings;
pub mod wire;

pub use lower::Vault;

/// A connection to one server, for reading and for writing.
#[cfg(feature = "live")]
#[derive(Clone)]
pub struct Live(std::sync::Arc<observe::Shared>);

/// Takes a provider's settings and the environment that fills them up; sends nothing yet.
///
/// The diagnostics name what is missing or refused: an address, plain HTTP off loopback, a
/// variable of the environment that a login needs.
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
        mutate::Writer(std::sync::Arc::clone(&self.0))
    }

    /// Ends the session: a token that was made by this run's login is revoked.
    pub async fn close(&self) -> Result<(), remit_sdk::ProviderError> {
        self.0.client.close().await
    }
}
