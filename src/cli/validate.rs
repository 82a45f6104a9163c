//! `remit validate`: reads and checks the configuration, and contacts nothing.

use clap::Args;
use remit_sdk::Diagnostic;

use super::Global;
use super::options::Variables;
use super::session::Session;
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
            let json = validation(&diagnostics, &global.sources.borrow());
            global.output.data(&format!("{json:#}\n"));
            return code;
        }
        global.report(&diagnostics);
        if let Some(session) = session {
            global.output.data(&format!(
                "The configuration is valid: {} agents, {} identities, {} scopes become {} objects.\n",
                session.model.agents.len(),
                session.model.identities.len(),
                session.model.scopes.len(),
                session.desired.objects.len(),
            ));
        }
        code
    }
}
