//! The options that say how to plan, shared by `plan`, `apply` and `destroy`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use remit_sdk::{Address, Diagnostic};

use super::clock;
use super::secrets::SecretFd;
use crate::config;
use crate::diagnostic::SourceMap;
use crate::evaluate::{Given, GivenValue, VariableSource};
use crate::plan::{Asked, Mode};

/// Values for variables.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Variables {
    /// A variable's value; for a sensitive one use the environment or --secret-fd
    #[arg(long = "var", value_name = "NAME=VALUE")]
    vars: Vec<String>,
    /// A file with variable values; may be given several times
    #[arg(long = "var-file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A sensitive variable's value, read from a file descriptor while applying
    #[arg(long = "secret-fd", value_name = "NAME=FD")]
    pub(super) secret_fds: Vec<SecretFd>,
}

impl Variables {
    /// The value of each variable that counts most.
    pub(super) fn given(
        &self,
        root: &Path,
        sources: &mut SourceMap,
    ) -> Result<BTreeMap<String, Given>, Vec<Diagnostic>> {
        let mut given = BTreeMap::new();
        let auto = config::auto_variables(root)?;
        let files = auto
            .iter()
            .map(|path| (path, VariableSource::AutoFile))
            .chain(self.files.iter().map(|path| (path, VariableSource::File)));
        for (path, source) in files {
            for attribute in config::load_variables(path, sources)?.attributes {
                let value = GivenValue::Expression(Arc::clone(&attribute.expression));
                given.insert(attribute.name.value, Given { source, value });
            }
        }
        for text in &self.vars {
            let Some((name, value)) = text.split_once('=') else {
                return Err(vec![Diagnostic::error(
                    "not a variable's value",
                    "--var is written --var 'NAME=VALUE'",
                )]);
            };
            let value = GivenValue::Text(value.to_owned());
            let source = VariableSource::CommandLine;
            given.insert(name.trim().to_owned(), Given { source, value });
        }
        for one in &self.secret_fds {
            let value = GivenValue::Unread;
            let source = VariableSource::Descriptor;
            given.insert(one.name.clone(), Given { source, value });
        }
        Ok(given)
    }
}

/// What to plan.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(super) struct Selection {
    /// Only this declaration or object, and what it depends on; may be given several times
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(super) targets: Vec<Address>,
    /// Not this one, nor what depends on it; may be given several times
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub(super) excludes: Vec<Address>,
    /// Remove this one and make it again; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub(super) replace: Vec<Address>,
    /// Let a plan remove this many objects without taking it for a mistake
    #[arg(long, value_name = "N")]
    pub(super) allow_deletes: Option<usize>,
    /// Change records only, to what is live
    #[arg(long, conflicts_with = "replace")]
    pub(super) refresh_only: bool,
    /// With `false`: take what is recorded for what is live, and read only what is not recorded
    #[arg(
        long,
        value_name = "BOOL",
        action = clap::ArgAction::Set,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    pub(super) refresh: Option<bool>,
}

/// Removing everything, as an option of `plan` and `apply`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub(super) struct Destroy {
    /// Plan the removal of everything in the state
    #[arg(long)]
    pub(super) destroy: bool,
}

impl Selection {
    /// The same, as a plan keeps it.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            targets: self.targets.clone(),
            excludes: self.excludes.clone(),
            replace: self.replace.clone(),
            allow_deletes: self.allow_deletes,
            refresh: self.refresh.unwrap_or(true),
        }
    }

    /// What the plan is for.
    pub(super) const fn mode(&self, destroy: bool) -> Mode {
        if destroy {
            Mode::Destroy
        } else if self.refresh_only {
            Mode::RefreshOnly
        } else {
            Mode::Apply
        }
    }
}

/// How to work.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Work {
    /// How many requests at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallelism: u16,
    /// Say how long each stage took and what was sent
    #[arg(long)]
    pub(super) stats: bool,
}

impl Work {
    /// How many requests at a time.
    pub(super) fn parallelism(self) -> usize {
        usize::from(self.parallelism)
    }
}

/// Waiting for the state's lock.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Lock {
    /// How long to wait for the state's lock: 30s, 5m
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = clock::parse_duration)]
    pub(super) lock_timeout: Duration,
}
