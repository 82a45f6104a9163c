//! `remit schema [KIND]`: the reference page of a kind, or the list of all.

use clap::Args;
use remit_sdk::{Diagnostic, text};

use super::{Global, Outcome, providers};
use crate::diagnostic::nearest;
use crate::view;
use crate::view::report::DONE;

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// The kind, such as vault_policy; without one, all are listed
    kind: Option<String>,
    /// In JSON
    #[arg(long)]
    json: bool,
    /// As a page of the documentation
    #[arg(long, conflicts_with = "json", requires = "kind")]
    markdown: bool,
}

impl Schema {
    pub(super) fn run(self, global: &Global) -> Outcome {
        let catalog = providers::catalog();
        let text = match &self.kind {
            None if self.json => format!("{:#}\n", view::schema::json_list(&catalog)),
            None => view::schema::list(&catalog),
            Some(name) => {
                let Some(kind) = catalog.kind(name) else {
                    return Err(vec![unknown(name)]);
                };
                if self.json {
                    format!("{:#}\n", view::schema::json(kind))
                } else if self.markdown {
                    view::schema::markdown(kind)
                } else {
                    view::schema::people(kind, global.output.paint())
                }
            }
        };
        global.output.data(&text);
        Ok(DONE)
    }
}

fn unknown(name: &str) -> Diagnostic {
    let catalog = providers::catalog();
    let kinds = catalog
        .providers()
        .iter()
        .flat_map(|provider| provider.kinds())
        .map(|kind| kind.name);
    let help = match nearest(name, kinds) {
        Some(kind) => format!("did you mean `{kind}`?"),
        None => "`remit schema` lists them".into(),
    };
    Diagnostic::error(
        "unknown kind",
        format!("there is no kind `{}`", text::safe(name)),
    )
    .help(help)
}
