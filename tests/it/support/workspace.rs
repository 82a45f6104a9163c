//! A configuration's folder, and `remit` run in it with an environment of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::live::server::Server;

/// A folder with a configuration.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Output {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workspace {
    /// A folder with `main.remit.hcl`.
    pub(crate) fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment = BTreeMap::from([
            ("HOME".to_owned(), folder.path().display().to_string()),
            ("NO_COLOR".to_owned(), "1".to_owned()),
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ]);
        let workspace = Self {
            folder,
            environment,
        };
        workspace.write("main.remit.hcl", text);
        workspace
    }

    /// Talks to this server, in this namespace.
    pub(crate) fn at(mut self, server: &Server, namespace: &str) -> Self {
        self.set("BAO_ADDR", &server.address());
        self.set("BAO_TOKEN", &server.token);
        if !namespace.is_empty() {
            self.set("BAO_NAMESPACE", namespace);
        }
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// The command, not yet run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remit"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn remit(&self, arguments: &[&str]) -> Output {
        self.remit_with(arguments, &[])
    }

    /// Runs it with more in its environment.
    pub(crate) fn remit_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> Output {
        let output = self
            .command(arguments)
            .envs(more.iter().copied())
            .output()
            .unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs it, and expects this exit code.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> Output {
        let output = self.remit(arguments);
        assert_eq!(
            output.code,
            Some(code),
            "remit {}\n{}\n{}",
            arguments.join(" "),
            output.stdout,
            output.stderr
        );
        output
    }
}
