//! `remit validate`: reads and checks the configuration, and contacts nothing.

use clap::Args;
use remit_sdk::Diagnostic;

use super::Global;
use super::options::Variables;
use super::session::Session;
use crate::view::count;
use crate::view::diagnostics::validation;
use crate::view::report::{DONE, ERROR};

#[derive(Debug, Args)]
pub(super) struct Validate {
    #[command(flatten)]
    variables: Variables,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl Validate {
    pub(super) fn run(self, global: &Global) -> u8 {
        let opened = Session::open(global, &self.variables);
        let (diagnostics, session) = match opened {
            Ok(mut session) => (std::mem::take(&mut session.warnings), Some(session)),
            Err(diagnostics) => (diagnostics, None),
        };
        let code = if diagnostics.iter().any(Diagnostic::is_error) {
            ERROR
        } else {
            DONE
        };
        if self.json {
            global.sources.borrow_mut().hide(&diagnostics);
            let json = validation(&diagnostics, &global.sources.borrow());
            global.output.data(&format!("{json:#}\n"));
            return code;
        }
        global.report(&diagnostics);
        if let Some(session) = session {
            let identities = match session.model.identities.len() {
                1 => "1 identity".to_owned(),
                number => format!("{number} identities"),
            };
            global.output.data(&format!(
                "The configuration is valid. {}, {identities} and {} become {}.\n",
                count(session.model.agents.len(), "agent"),
                count(session.model.scopes.len(), "scope"),
                count(session.desired.objects.len(), "object"),
            ));
        }
        code
    }
}
