//! A proxy in front of a real server that answers wrongly where a rule says so. It forwards
//! HTTP/1.1, one request a connection, and keeps a log of what was asked.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long either side may keep the proxy waiting.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// What happens instead of an answer.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Another status, with this body.
    Status(u16, String),
    /// 200 with these bytes.
    Body(Vec<u8>),
    /// 200 with a body that never ends.
    Endless,
    /// The first half of the true answer.
    Truncated,
    /// The server gets the request, and its answer is lost.
    LostAnswer,
    /// The server never gets the request.
    LostRequest,
    /// 307 to this address, the path kept.
    Redirect(String),
    /// Something happens first, then all goes its way.
    Meanwhile(Arc<dyn Fn() + Send + Sync>),
}

/// Which requests.
#[derive(Clone)]
pub(crate) struct Rule {
    /// Only those that change something.
    pub(crate) mutating: bool,
    /// `GET`, or empty for all.
    pub(crate) method: String,
    /// The path contains this, or with a `$` at its end ends with it.
    pub(crate) path: String,
    /// The first that counts, from 0.
    pub(crate) from: usize,
    /// How many count.
    pub(crate) times: usize,
    pub(crate) fault: Fault,
    seen: Arc<AtomicUsize>,
}

impl Rule {
    /// Every request whose path contains `path`.
    pub(crate) fn on(method: &str, path: &str, fault: Fault) -> Self {
        Self {
            mutating: false,
            method: method.to_owned(),
            path: path.to_owned(),
            from: 0,
            times: usize::MAX,
            fault,
            seen: Arc::default(),
        }
    }

    /// The n-th request that changes something, from 0.
    pub(crate) fn nth_write(number: usize, fault: Fault) -> Self {
        Self {
            mutating: true,
            from: number,
            times: 1,
            ..Self::on("", "", fault)
        }
    }

    pub(crate) fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        let on_path = match self.path.strip_suffix('$') {
            Some(end) => path.ends_with(end),
            None => path.contains(&self.path),
        };
        let fits = (self.method.is_empty() || self.method == method)
            && on_path
            && (!self.mutating || changes(method, path));
        if !fits {
            return false;
        }
        let seen = self.seen.fetch_add(1, Ordering::SeqCst);
        seen >= self.from && seen - self.from < self.times
    }
}

/// Whether a request changes something.
pub(crate) fn changes(method: &str, path: &str) -> bool {
    const LOOKUPS: [&str; 4] = ["/lookup", "capabilities-self", "auth/token/", "/login"];
    method != "GET" && !LOOKUPS.iter().any(|lookup| path.contains(lookup))
}

/// A request as it came in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
}

/// A running proxy; its thread ends with the process.
pub(crate) struct Proxy {
    port: u16,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Proxy {
    pub(crate) fn start(upstream: &str, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let (kept, rules) = (Arc::clone(&log), Arc::new(rules));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, rules, upstream) =
                    (Arc::clone(&kept), Arc::clone(&rules), upstream.clone());
                std::thread::spawn(move || {
                    // A client that goes away is no fault of the proxy's.
                    let _ = serve(stream, &upstream, &rules, &log);
                });
            }
        });
        Self { port, log }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }
}

fn serve(
    mut client: TcpStream,
    upstream: &str,
    rules: &[Rule],
    log: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let Some((head, body)) = request(&mut client)? else {
        return Ok(());
    };
    let mut words = head.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    log.lock().unwrap().push(Asked {
        method: method.clone(),
        path: path.clone(),
    });
    let fault = rules
        .iter()
        .find(|rule| rule.fits(&method, &path))
        .map(|rule| rule.fault.clone());
    let answer = |status: &str, more: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{more}\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let reply = match fault {
        None => forward(upstream, &head, &body)?,
        Some(Fault::Meanwhile(act)) => {
            act();
            forward(upstream, &head, &body)?
        }
        Some(Fault::Status(status, text)) => {
            answer(&format!("{status} Fault"), "", text.as_bytes())
        }
        Some(Fault::Body(bytes)) => answer("200 OK", "", &bytes),
        Some(Fault::Redirect(to)) => answer(
            "307 Temporary Redirect",
            &format!("Location: {to}{path}\r\n"),
            b"",
        ),
        Some(Fault::Truncated) => {
            let whole = forward(upstream, &head, &body)?;
            whole
                .get(..whole.len().saturating_sub(20))
                .unwrap_or_default()
                .to_vec()
        }
        Some(Fault::LostAnswer) => {
            forward(upstream, &head, &body)?;
            Vec::new()
        }
        Some(Fault::LostRequest) => Vec::new(),
        Some(Fault::Endless) => {
            client.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"data\":\"")?;
            let chunk = vec![b'a'; 1 << 20];
            for _ in 0..1024 {
                client.write_all(&chunk)?;
            }
            Vec::new()
        }
    };
    client.write_all(&reply)
}

/// Head and body of one request.
pub(crate) fn request(client: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut buffer = [0u8; 16 * 1024];
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length: usize = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Ok(Some((head, bytes[end + 4..end + 4 + length].to_vec())));
            }
        }
        let read = client.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// Sends a request on and gives the whole answer, head included.
pub(crate) fn forward(upstream: &str, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream)?;
    server.set_read_timeout(Some(PATIENCE))?;
    let kept: Vec<&str> = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
        .collect();
    // In one piece: a second small one would wait for the first to be acknowledged.
    let head = format!("{}\r\nConnection: close\r\n\r\n", kept.join("\r\n"));
    server.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}
