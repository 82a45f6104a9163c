//! `remit output [NAME]`: outputs as they were after the last apply.

use clap::Args;
use remit_sdk::{Diagnostic, text};

use super::{Global, Outcome, session};
use crate::view;
use crate::view::report::DONE;

#[derive(Debug, Args)]
pub(super) struct Outputs {
    /// One output alone
    name: Option<String>,
    /// In JSON; sensitive values too
    #[arg(long, conflicts_with = "raw")]
    json: bool,
    /// The text with nothing around it, for scripts; sensitive values too
    #[arg(long, requires = "name")]
    raw: bool,
}

impl Outputs {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let state = session::state(global)?;
        let recorded = session::load(global, &state)?;
        let text = match &self.name {
            None if self.json => format!("{:#}\n", view::output::json(&recorded.outputs)),
            None => view::output::people(&recorded.outputs),
            Some(name) => {
                let Some(output) = recorded.outputs.get(name) else {
                    return Err(vec![unknown(name)]);
                };
                if self.json {
                    format!("{}\n", output.value.to_plain_json())
                } else if self.raw {
                    view::output::raw(output).ok_or_else(|| {
                        vec![
                            Diagnostic::error(
                                "not a plain text",
                                format!("{} is {}", text::safe(name), output.value.type_name()),
                            )
                            .help("ask for --json"),
                        ]
                    })?
                } else {
                    format!("{}\n", view::output::one(output))
                }
            }
        };
        global.output.data(&text);
        Ok(DONE)
    }
}

fn unknown(name: &str) -> Diagnostic {
    Diagnostic::error(
        "no such output",
        format!("no output called {} is recorded", text::safe(name)),
    )
    .help("outputs are recorded by `remit apply`; `remit output` lists them")
}
