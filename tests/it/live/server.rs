//! A real OpenBao in a folder of its own, on a free port, ended by its process id.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::support::guard::Guard;

/// How long a server may take to answer after its start.
const START: Duration = Duration::from_secs(30);

/// Where a server keeps its data.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Storage {
    /// On disk: it can be killed and comes back.
    Raft,
    /// In memory.
    Memory,
}

/// A running server.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    child: Option<(Child, Guard)>,
    port: u16,
    unseal_key: String,
    pub(crate) token: String,
}

/// The program: named by `REMIT_TEST_BAO`, on the path, or where `tests/install` puts it.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("REMIT_TEST_BAO") {
        return named.into();
    }
    let mut folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    folders.push(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin"));
    for name in ["bao", "vault"] {
        for folder in &folders {
            let program = folder.join(name);
            if program.is_file() {
                return program;
            }
        }
    }
    panic!("no OpenBao was found: run tests/install, or name one in REMIT_TEST_BAO");
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl Server {
    /// A new server, initialised and unsealed, that records whose requests there were.
    pub(crate) fn start(storage: Storage) -> Self {
        let audit = "audit \"file\" \"file\" { options { file_path = \"/dev/null\" } }\n";
        Self::with_audit(storage, audit)
    }

    /// The same with these blocks `audit`, or none.
    pub(crate) fn with_audit(storage: Storage, audit: &str) -> Self {
        let mut server = Self {
            folder: tempfile::tempdir().unwrap(),
            child: None,
            port: free_port(),
            unseal_key: String::new(),
            token: String::new(),
        };
        let folder = server.folder.path();
        std::fs::create_dir(folder.join("data")).unwrap();
        let (port, cluster) = (server.port, free_port());
        let storage = match storage {
            Storage::Raft => format!(
                "storage \"raft\" {{ path = \"{}\" node_id = \"n\" }}",
                folder.join("data").display()
            ),
            Storage::Memory => "storage \"inmem\" {}".to_owned(),
        };
        let configuration = format!(
            "{storage}\nlistener \"tcp\" {{ address = \"127.0.0.1:{port}\" cluster_address = \"127.0.0.1:{cluster}\" tls_disable = true }}\n\
             api_addr = \"http://127.0.0.1:{port}\"\ncluster_addr = \"http://127.0.0.1:{cluster}\"\n\
             disable_mlock = true\n{audit}"
        );
        std::fs::write(folder.join("bao.hcl"), configuration).unwrap();
        server.run();
        let body = json!({"secret_shares": 1, "secret_threshold": 1});
        let (status, answer) = server.request("PUT", "sys/init", "", "", Some(&body));
        assert_eq!(status, 200, "{answer}");
        server.token = answer["root_token"].as_str().unwrap().to_owned();
        server.unseal_key = answer["keys"][0].as_str().unwrap().to_owned();
        server.unseal();
        server
    }

    fn run(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let child = Command::new(program())
            .args(["server", "-config"])
            .arg(self.folder.path().join("bao.hcl"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let guard = Guard::over(&child, self.folder.path(), "KILL");
        self.child = Some((child, guard));
        let deadline = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn unseal(&self) {
        let body = json!({"key": self.unseal_key});
        let deadline = Instant::now() + START;
        loop {
            self.request("PUT", "sys/unseal", "", "", Some(&body));
            let (status, _) = self.request("GET", "sys/health", "", "", None);
            if status == 200 {
                return;
            }
            assert!(Instant::now() < deadline, "not unsealed: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn seal(&self) {
        let (status, answer) = self.post("", "sys/seal", &json!({}));
        assert_eq!(status, 204, "{answer}");
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a namespace, so that a test has the server to itself.
    pub(crate) fn namespace(&self, name: &str) -> String {
        let (status, answer) = self.post("", &format!("sys/namespaces/{name}"), &json!({}));
        assert_eq!(status, 200, "{answer}");
        name.to_owned()
    }

    pub(crate) fn get(&self, namespace: &str, path: &str) -> (u16, Json) {
        self.request("GET", path, namespace, &self.token, None)
    }

    pub(crate) fn list(&self, namespace: &str, path: &str) -> (u16, Json) {
        self.request(
            "GET",
            &format!("{path}?list=true"),
            namespace,
            &self.token,
            None,
        )
    }

    pub(crate) fn post(&self, namespace: &str, path: &str, body: &Json) -> (u16, Json) {
        self.request("POST", path, namespace, &self.token, Some(body))
    }

    /// A write that must succeed.
    pub(crate) fn write(&self, namespace: &str, path: &str, body: &Json) -> Json {
        let (status, answer) = self.post(namespace, path, body);
        assert!(status == 200 || status == 204, "{path}: {status} {answer}");
        answer
    }

    pub(crate) fn delete(&self, namespace: &str, path: &str) -> (u16, Json) {
        self.request("DELETE", path, namespace, &self.token, None)
    }

    /// One request over one connection.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        namespace: &str,
        token: &str,
        body: Option<&Json>,
    ) -> (u16, Json) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let body = body.map(Json::to_string).unwrap_or_default();
        let mut head = format!(
            "{method} /v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Vault-Request: true\r\n"
        );
        for (name, value) in [("X-Vault-Token", token), ("X-Vault-Namespace", namespace)] {
            if !value.is_empty() {
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        let _ = write!(head, "Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status = answer
            .get(9..12)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let (headers, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let chunked = headers
            .to_ascii_lowercase()
            .contains("transfer-encoding: chunked");
        let body = if chunked {
            unchunk(body)
        } else {
            body.to_owned()
        };
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }

    /// SIGKILL, as a machine that loses power.
    pub(crate) fn kill(&mut self) {
        if let Some((mut child, guard)) = self.child.take() {
            let _ = child.kill();
            // Before the process id is given back, or the guard could meet another's.
            drop(guard);
            let _ = child.wait();
        }
    }

    /// Stops it in its tracks (SIGSTOP) or lets it go on (SIGCONT).
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.child.as_ref().unwrap().0.id();
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.kill();
        self.run();
        self.unseal();
    }
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        if size == 0 {
            break;
        }
        body.push_str(after.get(..size).unwrap_or(after));
        rest = after.get(size + 2..).unwrap_or_default();
    }
    body
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
