//! `remit completions SHELL`: `remit completions bash > ~/.local/share/bash-completion/completions/remit`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Global;
use super::command::Arguments;
use crate::view::report::DONE;

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, global: &Global) -> u8 {
        let mut command = Arguments::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        global.output.data(&String::from_utf8_lossy(&script));
        DONE
    }
}
