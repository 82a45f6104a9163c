//! The bare client that remit is measured against: it sends what remit sent, and does nothing else.
//!
//! `bench-bare record PORT UPSTREAM FILE` listens on PORT of the loopback, forwards to UPSTREAM
//! (`host:port`, plain HTTP) and writes each request to FILE as a line of JSON, until it is ended.
//!
//! `bench-bare replay FILE URL TOKEN PARALLELISM` sends the requests of FILE to URL as fast as it
//! can and prints a line of JSON: seconds, requests, failures. A failure is an answer whose status
//! is not the one recorded. What one request needs of another is kept, and nothing else waits:
//! requests of another kind wait where remit paused before them; a read waits for the write of the
//! same object before it, and a write for the reads; and an id or accessor that the server chose
//! is replaced by the one that this server chose.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measuring tool: it stops at the first thing that is not as expected"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// One request of a recording, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    /// Microseconds since the recording began.
    from: u64,
    /// The same, when the answer was there.
    to: u64,
    method: String,
    /// With the query.
    path: String,
    namespace: Option<String>,
    body: String,
    status: u16,
    /// What the server chose, by where it stands in the answer.
    chosen: BTreeMap<String, String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["record", port, upstream, file] => record(port.parse().expect("a port"), upstream, file),
        ["replay", file, url, token, parallelism] => {
            let parallelism = parallelism.parse().expect("a number");
            let entries = read(file);
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(replay(&entries, url, token, parallelism));
        }
        _ => {
            println!("bench-bare record PORT UPSTREAM FILE | replay FILE URL TOKEN PARALLELISM");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

// ---- record

/// A message of HTTP/1.1: its head as it came, and its body without chunks.
struct Message {
    first: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    /// The next one of a connection; `None` when the other side closed it.
    fn read(from: &mut impl BufRead) -> Option<Self> {
        let mut first = String::new();
        if from.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            from.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let first = first.trim_end().to_owned();
        let mut message = Self {
            first,
            headers,
            body: Vec::new(),
        };
        if message.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut line = String::new();
                from.read_line(&mut line).ok()?;
                let length = usize::from_str_radix(line.trim(), 16).ok()?;
                let mut chunk = vec![0; length + 2];
                from.read_exact(&mut chunk).ok()?;
                if length == 0 {
                    break;
                }
                message.body.extend_from_slice(&chunk[..length]);
            }
        } else if let Some(length) = message.header("content-length") {
            message.body = vec![0; length.parse().ok()?];
            from.read_exact(&mut message.body).ok()?;
        }
        Some(message)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sends it with a length instead of chunks.
    fn write(&self, to: &mut impl Write, has_body: bool) {
        let mut bytes = format!("{}\r\n", self.first).into_bytes();
        for (name, value) in &self.headers {
            if !matches!(name.as_str(), "transfer-encoding" | "content-length") {
                write!(bytes, "{name}: {value}\r\n").expect("memory");
            }
        }
        if has_body {
            write!(bytes, "content-length: {}\r\n", self.body.len()).expect("memory");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        to.write_all(&bytes).expect("it takes the message");
    }
}

fn record(port: u16, upstream: &str, file: &str) {
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let out = std::fs::File::create(file).expect("the file can be made");
    let out = Arc::new(Mutex::new(out));
    let began = Instant::now();
    for client in listener.incoming() {
        let (out, upstream) = (Arc::clone(&out), upstream.to_owned());
        std::thread::spawn(move || {
            let client = client.expect("a connection");
            forward(client, &upstream, began, &out);
        });
    }
}

/// Serves one connection with one of its own.
fn forward(client: TcpStream, upstream: &str, began: Instant, out: &Mutex<std::fs::File>) {
    let server = TcpStream::connect(upstream).expect("the server is there");
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("an option");
    }
    let micros = || u64::try_from(began.elapsed().as_micros()).expect("a time");
    let mut to_client = client.try_clone().expect("a handle");
    let mut to_server = server.try_clone().expect("a handle");
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    while let Some(request) = Message::read(&mut client) {
        let from = micros();
        let mut words = request.first.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        request.write(&mut to_server, !request.body.is_empty());
        let Some(answer) = Message::read(&mut server) else {
            return;
        };
        let to = micros();
        let status = answer.first.split(' ').nth(1).unwrap_or_default();
        let status = status.parse().expect("a status");
        answer.write(&mut to_client, status != 204);
        let entry = Entry {
            from,
            to,
            method,
            path,
            namespace: request.header("x-vault-namespace").map(str::to_owned),
            body: String::from_utf8(request.body).expect("text"),
            status,
            chosen: chosen(&answer.body),
        };
        let mut line = serde_json::to_vec(&entry).expect("JSON");
        line.push(b'\n');
        out.lock().unwrap().write_all(&line).expect("it is written");
    }
}

/// Ids and accessors in an answer about one object, or a table of mounts: by where they stand.
fn chosen(body: &[u8]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Ok(answer) = serde_json::from_slice::<Json>(body) else {
        return found;
    };
    let Some(data) = answer.get("data").and_then(Json::as_object) else {
        return found;
    };
    for (name, value) in data {
        match value {
            Json::String(text) if name == "id" => {
                found.insert("/data/id".to_owned(), text.clone());
            }
            Json::Object(mount) => {
                if let Some(accessor) = mount.get("accessor").and_then(Json::as_str) {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    found.insert(format!("/data/{name}/accessor"), accessor.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

// ---- replay

fn read(file: &str) -> Vec<Entry> {
    let text = std::fs::read_to_string(file).expect("the recording");
    let mut entries: Vec<Entry> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a request"))
        .collect();
    entries.sort_by_key(|entry| entry.from);
    entries
}

/// What a request is about, for the order among requests about the same.
fn subject(entry: &Entry) -> String {
    let path = entry.path.split('?').next().unwrap_or_default();
    let Ok(body) = serde_json::from_str::<Json>(&entry.body) else {
        return path.to_owned();
    };
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    match text("alias_name").or(text("name")) {
        // An alias is made, and looked up, under a path that all share.
        Some(name) if path.contains("/lookup/") || path.ends_with("/entity-alias") => {
            format!("alias {name}")
        }
        _ => path.to_owned(),
    }
}

/// What waits for what.
struct Order {
    /// The numbers that each request waits for.
    waits_for: Vec<BTreeSet<usize>>,
    /// The numbers at which all that went before must be over.
    barriers: Vec<usize>,
}

/// What a request writes: its path without the name at its end; `None` for one that reads.
fn written(entry: &Entry) -> Option<&str> {
    let reads = entry.method == "GET"
        || entry.path.contains("/lookup/")
        || entry.path.ends_with("/capabilities-self");
    let folder = entry.path.rsplit_once('/').map(|(folder, _)| folder);
    if reads { None } else { folder }
}

fn order(entries: &[Entry], uses: &[Vec<String>], givers: &BTreeMap<&str, usize>) -> Order {
    // Of each object: who wrote it last, and who read it since.
    let mut about: BTreeMap<String, (Option<usize>, Vec<usize>)> = BTreeMap::new();
    let mut waits_for = Vec::new();
    // Where nothing was under way.
    let mut pauses = Vec::new();
    // From where to where each kind is written; before the first write, from where to where read.
    let mut spans: BTreeMap<(bool, &str), (usize, usize)> = BTreeMap::new();
    let mut has_written = false;
    let mut over = 0;
    for (number, entry) in entries.iter().enumerate() {
        if entry.from >= over && number > 0 {
            pauses.push(number);
        }
        over = over.max(entry.to);
        let mut waits = BTreeSet::new();
        // What is in a mount waits for the mount.
        let mount = entry.path.strip_prefix("/v1/auth/");
        if let Some((mount, _)) = mount.and_then(|path| path.split_once('/')) {
            let mount = about.get(&format!("/v1/sys/auth/{mount}"));
            waits.extend(mount.and_then(|(last, _)| *last));
        }
        // A write waits for the list of all of its kind that was asked for before it.
        if let Some((_, lists)) = written(entry).and_then(|folder| about.get(folder)) {
            waits.extend(lists);
        }
        let (last, reads) = about.entry(subject(entry)).or_default();
        waits.extend(*last);
        if let Some(folder) = written(entry) {
            waits.extend(reads.drain(..));
            *last = Some(number);
            has_written = true;
            spans.entry((true, folder)).or_insert((number, number)).1 = number;
        } else {
            reads.push(number);
            let folder = entry.path.rsplit_once('/').map(|(folder, _)| folder);
            if let (Some(folder), false) = (folder, has_written) {
                spans.entry((false, folder)).or_insert((number, number)).1 = number;
            }
        }
        let given = uses[number].iter().filter_map(|id| givers.get(id.as_str()));
        waits.extend(given.copied().filter(|giver| *giver < number));
        waits_for.push(waits);
    }
    // A pause amid requests of the same kind is remit's own, and not what the server asks for.
    let amid = |number: usize| {
        spans
            .values()
            .any(|(from, to)| (from + 1..=*to).contains(&number))
    };
    let mut barriers = vec![0];
    barriers.extend(pauses.into_iter().filter(|number| !amid(*number)));
    Order {
        waits_for,
        barriers,
    }
}

async fn replay(entries: &[Entry], url: &str, token: &str, parallelism: usize) {
    // Who is the first to name an id or accessor, and who needs it.
    let mut givers: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        for text in entry.chosen.values() {
            givers.entry(text).or_insert(number);
        }
    }
    let uses: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let words = entry.path.split('/').chain(entry.body.split('"'));
            let known = words.filter(|word| givers.contains_key(word));
            known.map(str::to_owned).collect()
        })
        .collect();
    let needed: BTreeSet<&str> = uses.iter().flatten().map(String::as_str).collect();
    let order = order(entries, &uses, &givers);
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(parallelism)
        .build()
        .expect("a client");
    let names: Mutex<BTreeMap<String, String>> = Mutex::default();
    let mut failures = BTreeMap::new();
    let mut done = vec![false; entries.len()];
    let mut dependents: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut waiting: Vec<usize> = vec![0; entries.len()];
    for (number, waits) in order.waits_for.iter().enumerate() {
        waiting[number] = waits.len();
        for before in waits {
            dependents.entry(*before).or_default().push(number);
        }
    }
    let send = |number: usize| {
        let (entry, client, names) = (&entries[number], &client, &names);
        let (uses, needed) = (&uses[number], &needed);
        async move {
            let (mut path, mut body) = (entry.path.clone(), entry.body.clone());
            for old in uses {
                let new = names.lock().unwrap().get(old).cloned();
                let new = new.unwrap_or_else(|| old.clone());
                path = path.replace(old, &new);
                body = body.replace(old, &new);
            }
            let method = entry.method.parse().expect("a method");
            let mut request = client
                .request(method, format!("{url}{path}"))
                .header("X-Vault-Request", "true")
                .header("X-Vault-Token", token);
            if let Some(namespace) = &entry.namespace {
                request = request.header("X-Vault-Namespace", namespace);
            }
            if !body.is_empty() {
                request = request.body(body);
            }
            let Ok(answer) = request.send().await else {
                return (number, 0);
            };
            let status = answer.status().as_u16();
            let Ok(bytes) = answer.bytes().await else {
                return (number, 0);
            };
            let wanted = |(_, old): &(&String, &String)| needed.contains(old.as_str());
            if entry.chosen.iter().any(|one| wanted(&one))
                && let Ok(json) = serde_json::from_slice::<Json>(&bytes)
            {
                let mut names = names.lock().unwrap();
                for (place, old) in entry.chosen.iter().filter(wanted) {
                    if let Some(new) = json.pointer(place).and_then(Json::as_str) {
                        names.insert(old.clone(), new.to_owned());
                    }
                }
            }
            (number, status)
        }
    };
    let began = Instant::now();
    let ends = order.barriers.iter().skip(1).copied();
    for (from, to) in order
        .barriers
        .iter()
        .copied()
        .zip(ends.chain([entries.len()]))
    {
        let mut ready: BTreeSet<usize> = (from..to).filter(|one| waiting[*one] == 0).collect();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < parallelism {
                let Some(number) = ready.pop_first() else {
                    break;
                };
                running.push(send(number));
            }
            let Some((number, status)) = running.next().await else {
                break;
            };
            done[number] = true;
            if status != entries[number].status {
                let what = format!("{status} instead of {}", entries[number].status);
                *failures.entry(what).or_insert(0_usize) += 1;
            }
            for dependent in dependents.get(&number).into_iter().flatten() {
                waiting[*dependent] -= 1;
                if waiting[*dependent] == 0 && *dependent < to {
                    ready.insert(*dependent);
                }
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let sent = done.iter().filter(|done| **done).count();
    let failed: usize = failures.values().sum::<usize>() + entries.len() - sent;
    println!(
        "{}",
        serde_json::json!({
            "seconds": seconds, "requests": sent, "failures": failed, "what": failures,
            "phases": order.barriers.len(),
        })
    );
}
