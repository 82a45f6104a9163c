//! `remit access`: what identities can do in effect, with the path of the grant.

use clap::Args;
use remit_sdk::access::Verdict;
use remit_sdk::{DeclarationAddress, Diagnostic};
use serde_json::json;

use super::options::{Variables, Work};
use super::output::note;
use super::session::{self, Session};
use super::stats::Stats;
use super::{Global, Outcome, plan, providers};
use crate::access::{self, Around, Moment};
use crate::operations;
use crate::plan::Mode;
use crate::view;
use crate::view::report::{CHANGES, DONE};

#[derive(Debug, Args)]
pub(super) struct Access {
    /// An identity, such as `identity.invoices["prod"]`; without one, all
    #[arg(value_name = "IDENTITY")]
    identity: Option<DeclarationAddress>,
    /// Whether it can do this: `read kv/data/x`, `s3:GetObject arn:aws:s3:::b/k`. Exit code 0 is
    /// yes, 2 is no, or that it depends
    #[arg(
        long,
        value_name = "REQUEST",
        conflicts_with = "who_can",
        requires = "identity"
    )]
    can: Option<String>,
    /// Which identities can do this, or could
    #[arg(long, value_name = "REQUEST", conflicts_with = "identity")]
    who_can: Option<String>,
    #[command(flatten)]
    variables: Variables,
    #[command(flatten)]
    work: Work,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Access {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let mut stats = Stats::new();
        let session = Session::open(global, &self.variables)?;
        global.report(&session.warnings);
        stats.stage("configuration");
        let recorded = session::load(global, &session.state)?;
        stats.stage("state");
        let catalog = providers::catalog();
        let connections = plan::connect(&session, &recorded, Mode::Apply)?;
        let looked = operations::look(
            &session.model,
            &session.desired,
            &recorded,
            &catalog,
            &connections.readers(),
            self.work.parallelism(),
        )
        .await;
        stats.stage("read");
        global.report(&connections.close().await);
        let (observed, _) = looked?;
        let around = Around {
            model: &session.model,
            targets: &observed.targets,
        };
        let moment = Moment::live(&recorded, &session.desired, &observed, &catalog);
        if let Some(identity) = &self.identity {
            Self::is_live(&moment, around, identity)?;
        }
        if self.work.stats {
            note(&stats.text(connections.statistics()));
        }
        let Some(request) = self.can.as_ref().or(self.who_can.as_ref()) else {
            let all = access::can(&moment, &catalog, around, self.identity.as_ref());
            global.output.data(&if self.json {
                format!("{}\n", view::access::permissions_json(&all))
            } else {
                view::access::permissions(&all, global.output.paint())
            });
            return Ok(DONE);
        };
        let of = self.identity.as_ref();
        let answers = access::answers(&moment, &catalog, around, of, request)
            .map_err(|why| vec![misunderstood(&why)])?;
        Ok(self.tell(global, &answers))
    }

    /// Refuses an identity that is nowhere, which a "no" would hide.
    fn is_live(
        moment: &Moment<'_>,
        around: Around<'_>,
        identity: &DeclarationAddress,
    ) -> Result<(), Vec<Diagnostic>> {
        let is_there = moment.instances().iter().any(|instance| {
            let world = moment.world(instance, around);
            world.of_declaration(identity).next().is_some()
        });
        if is_there {
            return Ok(());
        }
        Err(vec![
            Diagnostic::error(
                "no such identity is live",
                format!("nothing of {identity} is in any target"),
            )
            .help("`remit access` without an address shows all that are; `remit plan` what would be made"),
        ])
    }

    fn tell(
        &self,
        global: &Global,
        answers: &[(DeclarationAddress, remit_sdk::access::Answer)],
    ) -> u8 {
        let is_yes = |verdict: &Verdict| *verdict == Verdict::Allowed;
        let shown: Vec<_> = answers
            .iter()
            .filter(|(_, answer)| {
                self.can.is_some() || !matches!(answer.verdict, Verdict::Denied(_))
            })
            .collect();
        if self.json {
            let all: Vec<_> = shown
                .iter()
                .map(|(identity, answer)| {
                    json!({
                        "identity": identity,
                        "verdict": answer.verdict,
                        "path": answer.path,
                        "sources": answer.sources,
                    })
                })
                .collect();
            global.output.data(&format!("{}\n", json!(all)));
        } else {
            for (identity, answer) in &shown {
                let text =
                    view::access::answer(&identity.to_string(), answer, global.output.paint());
                global.output.data(&text);
            }
            if self.who_can.is_some() && shown.is_empty() {
                global.output.data(&view::access::nobody(answers.len()));
            }
        }
        let is_able = answers.iter().any(|(_, answer)| is_yes(&answer.verdict));
        if is_able || self.who_can.is_some() {
            DONE
        } else {
            CHANGES
        }
    }
}

fn misunderstood(why: &[String]) -> Diagnostic {
    Diagnostic::error("request not understood", why.join("; "))
}
