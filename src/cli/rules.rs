//! `remit rules`: lists the rules, explains one, or asks those that need the configuration alone.

use clap::{Args, Subcommand, ValueEnum};
use remit_sdk::{Diagnostic, text};

use super::options::Variables;
use super::session::Declared;
use super::{Global, Outcome, clock};
use crate::diagnostic::nearest;
use crate::rules::{Input, check, find, idle, rules};
use crate::view;
use crate::view::report::{DONE, REFUSED};

/// Which part of the command.
#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// List all rules
    List(List),
    /// Say what a rule finds, why that matters, and what is right instead
    Explain(Explain),
    /// Ask the rules about the configuration alone; contacts nothing
    Check(Check),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// In JSON, with all that there is to say about each
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule's code or name, such as RMT101 or shared-identity
    #[arg(value_name = "RULE")]
    rule: String,
    /// As a page of the documentation
    #[arg(long)]
    markdown: bool,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// For people, JSON, SARIF 2.1.0 or JUnit XML
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    variables: Variables,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
    Junit,
}

impl Rules {
    pub(super) fn run(self, global: &Global) -> Outcome {
        match self {
            Self::List(command) => {
                global.output.data(&if command.json {
                    format!("{:#}\n", view::findings::json_list())
                } else {
                    view::findings::list()
                });
                Ok(DONE)
            }
            Self::Explain(command) => command.run(global),
            Self::Check(command) => command.run(global),
        }
    }
}

impl Explain {
    fn run(self, global: &Global) -> Outcome {
        let Some(rule) = find(&self.rule) else {
            let known = rules().flat_map(|rule| [rule.code, rule.name]);
            let help = match nearest(&self.rule, known) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`remit rules list` shows them".into(),
            };
            let what = format!("there is no rule `{}`", text::safe(&self.rule));
            return Err(vec![Diagnostic::error("unknown rule", what).help(help)]);
        };
        global.output.data(&if self.markdown {
            view::findings::page(rule)
        } else {
            view::findings::explain(rule, global.output.paint())
        });
        Ok(DONE)
    }
}

impl Check {
    fn run(self, global: &Global) -> Outcome {
        let declared = Declared::open(global, &self.variables)?;
        global.report(&declared.warnings);
        let now = clock::now();
        let sources = global.sources.borrow();
        let place = |span| Some(sources.place(span));
        let checked = check(&Input {
            model: &declared.model,
            literals: Some(&declared.literals),
            plan: None,
            access: None,
            changes: None,
            observed: None,
            now: &now,
            place: &place,
        });
        drop(sources);
        global.report(&idle(&declared.model, &checked, &now));
        let text = match self.format {
            Format::Text => view::findings::people(&checked, global.output.paint()),
            Format::Json => format!("{:#}\n", view::findings::json(&checked)),
            Format::Sarif => format!("{:#}\n", view::sarif::log(&checked)),
            Format::Junit => view::junit::report(&checked),
        };
        global.output.data(&text);
        Ok(if checked.stops() { REFUSED } else { DONE })
    }
}
