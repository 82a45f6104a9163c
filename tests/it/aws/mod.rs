//! Against a strict AWS: moto behind a proxy that refuses what AWS refuses.
//!
//! A [`Stage`] is a configuration, its state, and an account of its own. The program itself is run,
//! not its parts: credentials come by AWS's own chain, which reads the process's environment.

mod contract;
mod diagnose;
mod faults;
mod foreign;
mod journey;
mod kill;
mod meddle;
mod moto;
mod policies;
pub(crate) mod shim;
mod shim_test;

use std::time::Duration;

use remit::gate::file;
use remit::plan::Plan;

use crate::support::workspace::{Output, Workspace};
use shim::Shim;

/// The region of all tests.
pub(crate) const REGION: &str = "eu-west-1";

/// What must be nowhere but in the environment.
const SECRET: &str = "c4n4ry/aws+secret/access+key/0123456789AB";

/// A configuration, its state, and an account.
pub(crate) struct Stage {
    pub(crate) shim: Shim,
    pub(crate) space: Workspace,
    text: String,
}

impl Stage {
    /// In an account where changes are seen at once.
    pub(crate) fn new(text: &str) -> Self {
        Self::before(Shim::start(), text)
    }

    /// In an account where they are seen later.
    pub(crate) fn lagging(text: &str, lag: Duration) -> Self {
        Self::before(Shim::lagging(lag), text)
    }

    /// In this account. `ACCOUNT` in the text is its number.
    pub(crate) fn before(shim: Shim, text: &str) -> Self {
        let mut space = Workspace::new("");
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ] {
            space.set(name, value);
        }
        let mut stage = Self {
            shim,
            space,
            text: String::new(),
        };
        stage.configure(text);
        stage
    }

    /// The provider's block.
    pub(crate) fn provider(&self) -> String {
        format!(
            "provider \"aws\" {{\n  account = \"{}\"\n  region = \"{REGION}\"\n  endpoint = \"{}\"\n}}\n",
            self.shim.account(),
            self.shim.address()
        )
    }

    /// Replaces the configuration.
    pub(crate) fn configure(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        let text = text.replace("ACCOUNT", self.shim.account());
        self.space
            .write("main.remit.hcl", &(self.provider() + &text));
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn edit(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "{from}");
        let text = self.text.replace(from, to);
        self.configure(&text);
    }

    /// A plan that nothing stands in the way of, saved as `saved.remitplan`.
    pub(crate) fn plan(&self) -> Plan {
        self.plan_with(&[])
    }

    pub(crate) fn plan_with(&self, more: &[&str]) -> Plan {
        let mut arguments = vec!["plan", "--out", "saved.remitplan"];
        arguments.extend(more);
        self.space.expect(0, &arguments);
        let bytes = std::fs::read(self.space.path().join("saved.remitplan")).unwrap();
        file::from_bytes(&bytes).unwrap().body.plan
    }

    /// A plan that must fail: what was said.
    pub(crate) fn refused(&self) -> String {
        let output = self.space.expect(1, &["plan"]);
        output.stdout + &output.stderr
    }

    /// Applies the plan saved last.
    pub(crate) fn apply_saved(&self, code: i32) -> Output {
        self.space
            .expect(code, &["apply", "saved.remitplan", "--auto-approve"])
    }

    pub(crate) fn apply(&self) -> Output {
        self.space.expect(0, &["apply", "--auto-approve"])
    }

    /// Checks that nothing is left to do.
    pub(crate) fn settled(&self, what: &str) {
        let output = self.space.remit(&["plan", "--detailed-exitcode"]);
        assert_eq!(
            output.code,
            Some(0),
            "{what}: {}\n{}",
            output.stdout,
            output.stderr
        );
    }

    /// Applies, and checks that nothing is left to do.
    pub(crate) fn converge(&self) {
        self.apply();
        self.settled("after an apply");
    }

    pub(crate) fn destroy(&self) {
        self.space.expect(0, &["destroy", "--auto-approve"]);
        let left = self.space.expect(0, &["state", "list"]);
        assert_eq!(left.stdout.trim(), "");
    }
}

#[test]
fn the_secret_key_is_left_nowhere() {
    use crate::support::canary;
    let stage = Stage::new(contract::EVERYTHING);
    let output = stage.apply();
    assert_eq!(canary::in_text(SECRET, &output.stdout), None);
    assert_eq!(canary::in_text(SECRET, &output.stderr), None);
    stage.plan();
    assert_eq!(
        canary::in_folder(SECRET, stage.space.path()),
        Vec::<String>::new()
    );
}
