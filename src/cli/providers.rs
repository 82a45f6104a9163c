//! The one place that names the concrete providers.

use std::collections::{BTreeMap, BTreeSet};

use remit_sdk::declaration::ProviderConfig;
use remit_sdk::provider::Statistics;
use remit_sdk::{Diagnostic, Evaluate, Lower, ProviderError, Read, Write};

use super::session::environment;
use crate::lower::Catalog;
use crate::model::Model;

static LOWER: [&dyn Lower; 2] = [&remit_vault::Vault, &remit_aws::Aws];

static EVALUATE: [&dyn Evaluate; 2] = [&remit_vault::Vault, &remit_aws::Aws];

/// Every kind this build knows, and what evaluates their policies.
pub(super) fn catalog() -> Catalog<'static> {
    Catalog::new(&LOWER).with_evaluators(&EVALUATE)
}

/// What a session of a provider needs to be ended.
enum Live {
    Vault(remit_vault::Live),
    /// Credentials of AWS end by themselves.
    Aws,
}

impl Live {
    async fn close(&self) -> Result<(), ProviderError> {
        match self {
            Self::Vault(live) => live.close().await,
            Self::Aws => Ok(()),
        }
    }
}

/// A connection to one instance.
struct Connection {
    live: Live,
    reader: Box<dyn Read>,
    writer: Box<dyn Write>,
}

/// Connections by instance.
#[derive(Default)]
pub(super) struct Connections {
    all: BTreeMap<String, Connection>,
}

impl Connections {
    /// Prepares a connection to each of `instances`; sends nothing yet.
    pub(super) fn open(
        model: &Model,
        instances: &BTreeSet<String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut connections = Self::default();
        let mut diagnostics = Vec::new();
        for instance in instances {
            match open(model, instance) {
                Ok(connection) => drop(connections.all.insert(instance.clone(), connection)),
                Err(mut found) => diagnostics.append(&mut found),
            }
        }
        if diagnostics.is_empty() {
            Ok(connections)
        } else {
            Err(diagnostics)
        }
    }

    /// The halves that read.
    pub(super) fn readers(&self) -> BTreeMap<String, &dyn Read> {
        self.all
            .iter()
            .map(|(instance, one)| (instance.clone(), &*one.reader))
            .collect()
    }

    /// The halves that write.
    pub(super) fn writers(&self) -> BTreeMap<String, &dyn Write> {
        self.all
            .iter()
            .map(|(instance, one)| (instance.clone(), &*one.writer))
            .collect()
    }

    /// Requests sent so far.
    pub(super) fn statistics(&self) -> Statistics {
        let mut sum = Statistics::default();
        for one in self.all.values() {
            let statistics = one.reader.statistics();
            sum.reads += statistics.reads;
            sum.writes += statistics.writes;
            sum.retries += statistics.retries;
            sum.bytes_received += statistics.bytes_received;
            sum.bytes_sent += statistics.bytes_sent;
        }
        sum
    }

    /// Ends all sessions: tokens made for this run are revoked. What can't be revoked ends by
    /// itself, which is worth a warning.
    pub(super) async fn close(&self) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        for (instance, one) in &self.all {
            if let Err(error) = one.live.close().await {
                warnings.push(Diagnostic::warning(
                    "session could not be ended",
                    format!("{instance}: {}; its token ends by itself", error.message),
                ));
            }
        }
        warnings
    }
}

fn open(model: &Model, instance: &str) -> Result<Connection, Vec<Diagnostic>> {
    let Some(config) = model.providers.get(instance) else {
        return Err(vec![
            Diagnostic::error(
                "provider is missing",
                format!(
                    "the state records objects of `{instance}`, which is not declared any more"
                ),
            )
            .help("declare it again; it may go once nothing in the state needs it"),
        ]);
    };
    match config.provider.as_str() {
        "aws" => aws(config, &model.settings.prefix),
        _ => vault(config, &model.settings.prefix),
    }
}

fn vault(config: &ProviderConfig, prefix: &str) -> Result<Connection, Vec<Diagnostic>> {
    let settings = remit_vault::settings::Settings::from_config(config)?.with_prefix(prefix);
    let live = remit_vault::connect(settings, &environment)?;
    Ok(Connection {
        reader: Box::new(live.reader()),
        writer: Box::new(live.writer()),
        live: Live::Vault(live),
    })
}

fn aws(config: &ProviderConfig, prefix: &str) -> Result<Connection, Vec<Diagnostic>> {
    let settings = remit_aws::settings::Settings::from_config(config)?.with_prefix(prefix);
    let live = remit_aws::connect(settings, &environment)?;
    Ok(Connection {
        reader: Box::new(live.reader()),
        writer: Box::new(live.writer()),
        live: Live::Aws,
    })
}
