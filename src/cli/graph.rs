//! `remit graph`: which object is made after which.

use clap::{Args, ValueEnum};

use super::options::Variables;
use super::session::Session;
use super::{Global, Outcome};
use crate::view;
use crate::view::report::DONE;

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// For Graphviz, for Mermaid, or JSON
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
    #[command(flatten)]
    variables: Variables,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Dot,
    Mermaid,
    Json,
}

impl Graph {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let session = Session::open(global, &self.variables)?;
        global.report(&session.warnings);
        let text = match self.format {
            Format::Dot => view::graph::dot(&session.desired),
            Format::Mermaid => view::graph::mermaid(&session.desired),
            Format::Json => format!("{:#}\n", view::graph::json(&session.desired)),
        };
        global.output.data(&text);
        Ok(DONE)
    }
}
