//! `remit import ADDRESS KEY`: takes a live object into the state. Nothing live changes; the next
//! plan shows what differs from what is declared.

use clap::Args;
use remit_sdk::{Address, text};

use super::options::{Lock, Variables};
use super::providers::Connections;
use super::session::{self, Session};
use super::{Global, Outcome};
use crate::view::report::DONE;
use crate::{observe, operations};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The declaration or object it belongs to, which must be declared
    address: Address,
    /// Its key in the target; `remit schema KIND` shows the form
    key: String,
    #[command(flatten)]
    variables: Variables,
    #[command(flatten)]
    lock: Lock,
}

impl Import {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let session = Session::open(global, &self.variables)?;
        global.report(&session.warnings);
        let run = session::lock(global, &session.state, "import", self.lock.lock_timeout).await?;
        let instances = observe::instances(&session.desired, run.recorded());
        let connections = Connections::open(&session.model, &instances)?;
        let imported = match session::lineage(run.recorded()) {
            Ok(lineage) => {
                let readers = connections.readers();
                let (address, key) = (&self.address, &self.key);
                operations::import(&session.desired, &run, &readers, address, key, lineage).await
            }
            Err(diagnostics) => Err(diagnostics),
        };
        global.report(&connections.close().await);
        let finished = session::finish(run).await;
        let address = imported?;
        finished?;
        global.output.data(&format!(
            "Imported {} as {}.\nNothing live was changed; `remit plan` shows what differs from \
             what is declared.\n",
            text::safe(&self.key),
            text::safe(&address.to_string()),
        ));
        Ok(DONE)
    }
}
