//! A real PostgreSQL in a folder of its own, on a free port, ended by its process id.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::live::server::free_port;
use crate::support::guard::Guard;

/// How long a server may take to answer after its start.
const START: Duration = Duration::from_mins(1);

/// A running server with a database `shop`.
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    child: Child,
    guard: Option<Guard>,
    pub(crate) port: u16,
    /// The password of the user `postgres`.
    pub(crate) password: String,
}

/// The folder that holds a program: on the path, or where Debian puts servers.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("no {name} was found: run tests/install postgres"))
}

/// PostgreSQL refuses to run as root, so root becomes somebody else.
fn as_nobody(program: &Path) -> Command {
    if !rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(program);
    command
}

impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let password = format!("c4n4ry-pg-{}", std::process::id());
        std::fs::write(folder.path().join("password"), &password).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
        if rustix::process::getuid().is_root() {
            std::os::unix::fs::chown(&data, Some(65534), Some(65534)).unwrap();
        }
        let made = as_nobody(&program("initdb"))
            .args([
                "--auth=scram-sha-256",
                "--username=postgres",
                "--no-sync",
                "--encoding=UTF8",
            ])
            .arg(format!(
                "--pwfile={}",
                folder.path().join("password").display()
            ))
            .arg("--pgdata")
            .arg(&data)
            .env("LC_ALL", "C")
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = as_nobody(&program("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args([
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off",
                "-c",
                "log_statement=all",
            ])
            .env("LC_ALL", "C")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        // SIGINT: a fast shutdown, so that no child process of it is left.
        let guard = Some(Guard::over(&child, folder.path(), "INT"));
        let postgres = Self {
            folder,
            child,
            guard,
            port,
            password,
        };
        let deadline = Instant::now() + START;
        while postgres.admin("postgres", "SELECT 1").is_err() {
            assert!(Instant::now() < deadline, "{}", postgres.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        postgres.admin("postgres", "CREATE DATABASE shop").unwrap();
        postgres
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Runs a statement in `shop` and gives what it prints, or why not.
    pub(crate) fn execute(
        &self,
        user: &str,
        password: &str,
        statement: &str,
    ) -> Result<String, String> {
        self.run("shop", user, password, statement)
    }

    pub(crate) fn admin(&self, database: &str, statement: &str) -> Result<String, String> {
        self.run(database, "postgres", &self.password, statement)
    }

    fn run(
        &self,
        database: &str,
        user: &str,
        password: &str,
        statement: &str,
    ) -> Result<String, String> {
        let output = Command::new(program("psql"))
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                user,
                "-d",
                database,
            ])
            .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .env_clear()
            .env("PGPASSWORD", password)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // As the guard would.
        if let Some(pid) = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        drop(self.guard.take());
        let _ = self.child.wait();
    }
}
