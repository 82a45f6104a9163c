//! `remit version`.

use clap::Args;
use serde_json::json;

use super::{Global, providers};
use crate::view::report::DONE;

#[derive(Debug, Args)]
pub(super) struct Version {
    /// In JSON
    #[arg(long)]
    json: bool,
}

impl Version {
    pub(super) fn run(self, global: &Global) -> u8 {
        let version = env!("CARGO_PKG_VERSION");
        let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
        let text = if self.json {
            let catalog = providers::catalog();
            let names: Vec<&str> = catalog
                .providers()
                .iter()
                .map(|provider| provider.name())
                .collect();
            let json = json!({
                "remit_version": version,
                "platform": platform,
                "providers": names,
                "plan_format": crate::gate::file::FORMAT,
            });
            format!("{json:#}\n")
        } else {
            format!("remit {version} on {platform}\n")
        };
        global.output.data(&text);
        DONE
    }
}
