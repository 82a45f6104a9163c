//! The arguments as clap reads them.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use super::{
    Global, Outcome, access, apply, approve, completions, fmt, graph, import, outputs, plan,
    policies, rules, schema, show, state, validate, version,
};

/// Declarative provisioning for the identities of AI agents, on Vault and OpenBao
#[derive(Debug, Parser)]
#[command(
    name = "remit",
    version,
    propagate_version = false,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done or nothing to do, 1 error, 2 changes (plan --detailed-exitcode) \
                  or no (access --can), 4 stopped by a rule or a policy, or an apply lacks an approval, \
                  5 applied in part, 130 interrupted."
)]
pub(super) struct Arguments {
    /// Work in this directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) chdir: Option<PathBuf>,
    /// No colours; the variable NO_COLOR says the same
    #[arg(long, global = true)]
    pub(super) no_color: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read and check the configuration; contacts nothing
    Validate(validate::Validate),
    /// Bring configuration files into the canonical layout
    Fmt(fmt::Fmt),
    /// Show what would change
    Plan(plan::Plan),
    /// Make what is live what is declared
    Apply(apply::Apply),
    /// Remove everything in the state
    Destroy(apply::Destroy),
    /// Sign a saved plan with an SSH key, so that it can be applied
    Approve(approve::Approve),
    /// Show a saved plan, or the state
    Show(show::Show),
    /// Take a live object into the state
    Import(import::Import),
    /// Show what identities can do in effect, with the path of the grant
    Access(access::Access),
    /// Draw which object is made after which
    Graph(graph::Graph),
    /// List and explain the rules, or ask them
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Look at the state, or break its lock
    #[command(subcommand)]
    State(state::State),
    /// Show outputs as they were after the last apply
    Output(outputs::Outputs),
    /// Show what a kind is: its attributes, key, mark and requests
    Schema(schema::Schema),
    /// Print a script that completes commands and options in a shell
    Completions(completions::Completions),
    /// Show the version
    Version(version::Version),
    /// What remit starts to judge a plan: policies and plan on standard input
    #[command(hide = true)]
    JudgePolicies(policies::JudgePolicies),
}

impl Command {
    /// Does it.
    pub(super) async fn run(self, global: &Global) -> Outcome {
        match self {
            Self::Validate(command) => Ok(command.run(global)),
            Self::Fmt(command) => command.run(global),
            Self::Plan(command) => command.run(global).await,
            Self::Apply(command) => command.run(global).await,
            Self::Destroy(command) => command.run(global).await,
            Self::Approve(command) => command.run(global).await,
            Self::Show(command) => command.run(global),
            Self::Import(command) => command.run(global).await,
            Self::Access(command) => command.run(global).await,
            Self::Graph(command) => command.run(global),
            Self::Rules(command) => command.run(global),
            Self::State(command) => command.run(global).await,
            Self::Output(command) => command.run(global),
            Self::Schema(command) => command.run(global),
            Self::Completions(command) => Ok(command.run(global)),
            Self::Version(command) => Ok(command.run(global)),
            Self::JudgePolicies(_) => policies::JudgePolicies::run(global),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }
}
