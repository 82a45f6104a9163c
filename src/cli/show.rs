//! `remit show [PLAN]`: a saved plan, or the state.

use std::path::PathBuf;

use clap::Args;

use super::{Global, Outcome, plan, providers, session};
use crate::view;
use crate::view::plan::Look;
use crate::view::plan_json::{self, Frame};
use crate::view::report::DONE;

#[derive(Debug, Args)]
pub(super) struct Show {
    /// A saved plan; without one, the state is shown
    #[arg(value_name = "PLAN")]
    file: Option<PathBuf>,
    /// In the shape of Terraform's JSON plan, or JSON state
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let look = Look {
            catalog: providers::catalog(),
            paint: global.output.paint(),
        };
        let shown = if let Some(path) = &self.file {
            let (saved, _) = plan::read(path)?;
            if self.json {
                let frame = Frame {
                    header: Some(&saved.header),
                    errored: false,
                };
                format!("{}\n", plan_json::json(&saved.body, &look.catalog, frame))
            } else {
                let how = format!(
                    "remit approve {}",
                    remit_sdk::text::safe(&path.display().to_string())
                );
                let needed = view::approvals::needed(&saved.body.approvals, &how);
                format!(
                    "{}\n{}{}",
                    view::plan::saved(&saved.header),
                    view::plan::people(&saved.body, look),
                    needed.map_or(String::new(), |needed| format!("{needed}\n"))
                )
            }
        } else {
            let state = session::state(global)?;
            let recorded = session::load(global, &state)?;
            if self.json {
                format!("{}\n", view::state::json(&recorded))
            } else {
                view::state::people(&recorded, look)
            }
        };
        global.output.data(&shown);
        Ok(DONE)
    }
}
