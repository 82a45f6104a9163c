//! Ends a server when the test process does, however that ends.
//!
//! A server in a `static` is never dropped, and a killed test binary drops nothing. The guard is a
//! shell that waits for the end of a pipe whose other end only this process holds: when the process
//! is gone the pipe closes, and the guard ends the server by its id and removes its folder.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// What the guard runs: process id, folder and signal are its arguments. The command line is
/// compared first, because the id may be another process's by then.
const SCRIPT: &str = r#"
trap '' TERM INT HUP
read -r _
if tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF -- "$2"; then
  kill -s "$3" "$1"
  tries=0
  while kill -0 "$1" && [ "$tries" -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
fi
rm -rf -- "$2"
"#;

/// Watches over one server.
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    /// Over the process `server`, whose command line names `folder`. `signal` is what ends it:
    /// `KILL`, or what lets it end its own children.
    pub(crate) fn over(server: &Child, folder: &Path, signal: &str) -> Self {
        let shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(server.id().to_string())
            .arg(folder)
            .arg(signal)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { shell }
    }
}

impl Drop for Guard {
    /// The server is ended by its owner: the guard must not act any more.
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn when_the_pipe_closes_the_server_ends_and_its_folder_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("data"), "x").unwrap();
        // Stands in for a server: its command line names the folder.
        let mut server = Command::new("/bin/sh")
            .args(["-c", "while :; do sleep 1; done", "server"])
            .arg(&path)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut guard = Guard::over(&server, &path, "KILL");
        assert!(server.try_wait().unwrap().is_none());
        drop(guard.shell.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(20);
        while server.try_wait().unwrap().is_none() || path.exists() {
            assert!(Instant::now() < deadline, "the guard did nothing");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_process_that_is_not_the_server_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut other = Command::new("sleep").arg("30").spawn().unwrap();
        let mut guard = Guard::over(&other, folder.path(), "KILL");
        drop(guard.shell.stdin.take());
        assert!(guard.shell.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
