//! A real moto in a process of its own, on a free port of the loopback.
//!
//! In: nothing. Out: the address of one server for all tests, which is started when the first of
//! them asks. moto keeps accounts apart by the header `x-moto-account-id`, so a test that has an
//! account number of its own has a server of its own, as far as it can tell.
//!
//! The process is ended by its id: when the handle is dropped, or by a guard when the test process
//! is gone. It must never be asked by remit itself: the proxy stands between them.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::live::server::free_port;
use crate::support::guard::Guard;

/// How long it may take to answer after its start: Python reads a thousand files first.
const START: Duration = Duration::from_mins(1);

/// A running server.
pub(crate) struct Moto {
    folder: tempfile::TempDir,
    child: Child,
    guard: Option<Guard>,
    port: u16,
}

/// The Python that has moto: of the virtual environment named by `REMIT_TEST_MOTO`, or of the one
/// that `tests/install` makes.
fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv =
        std::env::var_os("REMIT_TEST_MOTO").map_or_else(|| root.join(".tools/moto"), PathBuf::from);
    let python = venv.join("bin/python3");
    assert!(
        python.is_file(),
        "no moto was found in {}: run tests/install moto, or name its virtual environment in REMIT_TEST_MOTO",
        venv.display()
    );
    python
}

/// The one server of this test process.
pub(crate) fn shared() -> &'static Moto {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    MOTO.get_or_init(Moto::start)
}

impl Moto {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/aws/launch.py");
        let child = Command::new(python())
            .arg(launcher)
            .arg(port.to_string())
            .arg(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            // No lookups of instance metadata, and no byte code beside the launcher.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let guard = Some(Guard::over(&child, folder.path(), "KILL"));
        let mut moto = Self {
            folder,
            child,
            guard,
            port,
        };
        let deadline = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = moto.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "moto does not answer: {}",
                moto.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        moto
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What the process printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // Before the process id is given back, or the guard could meet another's.
        drop(self.guard.take());
        let _ = self.child.wait();
    }
}
