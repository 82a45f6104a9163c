//! A server that answers wrongly, late, or not at all: nothing is taken for absent, nothing is
//! made twice, the token goes nowhere else, and what was interrupted converges.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::live::contract::EVERYTHING;
use crate::live::server::{Server, Storage};
use crate::live::shared;
use crate::support::proxy::{Asked, Fault, Proxy, Rule, changes};
use crate::support::workspace::{Output, Workspace};

/// What [`EVERYTHING`] takes to be made: one write for each object.
const WRITES: usize = 12;
/// Faults that are tried again for some ten seconds: not on every path.
const SLOW: [&str; 6] = ["500", "502 in HTML", "503", "no end", "a part", "no answer"];
/// The exit code of an apply of which something failed.
const PARTLY: i32 = 5;
/// How many runs wait at the same time; most of the time they sleep between repetitions.
const AT_ONCE: usize = 12;

fn workspace(namespace: &str) -> Workspace {
    shared().namespace(namespace);
    let mut workspace = Workspace::new(EVERYTHING).at(shared(), namespace);
    workspace.set("CONTRACT_PASSWORD", "c4n4ry-wrong");
    workspace
}

fn through(workspace: &Workspace, proxy: &Proxy, arguments: &[&str]) -> Output {
    let output = workspace.remit_with(arguments, &[("BAO_ADDR", &proxy.address())]);
    let told = format!("{}{}", output.stdout, output.stderr);
    assert!(!told.contains("panicked"), "{told}");
    assert!(output.code.is_some(), "a signal ended it: {told}");
    output
}

fn settled(workspace: &Workspace, what: &str) {
    let output = workspace.remit(&["plan", "--detailed-exitcode"]);
    assert_eq!(
        output.code,
        Some(0),
        "{what}: {}{}",
        output.stdout,
        output.stderr
    );
}

fn count(namespace: &str, path: &str) -> usize {
    let (_, answer) = shared().list(namespace, path);
    answer
        .pointer("/data/keys")
        .and_then(Json::as_array)
        .map_or(0, Vec::len)
}

fn nothing_twice(namespace: &str) {
    for path in [
        "identity/entity/id",
        "identity/entity-alias/id",
        "auth/jwt1/role",
        "auth/ar1/role",
        "db1/roles",
        "db1/config",
    ] {
        assert_eq!(count(namespace, path), 1, "{namespace}: {path}");
    }
}

fn wrong() -> Vec<(&'static str, Fault)> {
    let status = |status: u16, body: &str| Fault::Status(status, body.to_owned());
    let body = |body: &[u8]| Fault::Body(body.to_vec());
    vec![
        ("403", status(403, "{\"errors\":[\"permission denied\"]}")),
        (
            "404 with a text",
            status(404, "{\"errors\":[\"no handler\"]}"),
        ),
        ("404 without a body", status(404, "")),
        ("404 in HTML", status(404, "<html>not here</html>")),
        ("400", status(400, "{\"errors\":[]}")),
        ("500", status(500, "{\"errors\":[\"internal error\"]}")),
        ("502 in HTML", status(502, "<html>Bad Gateway</html>")),
        ("503", status(503, "{\"errors\":[\"Vault is sealed\"]}")),
        ("garbage", body(b"\x00\xff{{{{\x1b[31m")),
        ("HTML", body(b"<html><body>Sign in</body></html>")),
        ("nothing", body(b"")),
        ("an empty object", body(b"{}")),
        ("null", body(b"null")),
        ("a list", body(b"[]")),
        ("no data", body(b"{\"data\":null}")),
        ("204", status(204, "")),
        ("empty data", body(b"{\"data\":{}}")),
        (
            "an empty list",
            body(b"{\"data\":{\"keys\":[],\"key_info\":{}}}"),
        ),
        ("data of another form", body(b"{\"data\":[1,2]}")),
        ("nested too deep", body(&b"[".repeat(100_000))),
        ("no end", Fault::Endless),
        ("a part", Fault::Truncated),
        ("no answer", Fault::LostRequest),
    ]
}

#[test]
fn no_wrong_answer_is_read_as_absent() {
    let space = workspace("wrong-reads");
    space.expect(0, &["apply", "--auto-approve"]);
    let honest = Proxy::start(&shared().address(), Vec::new());
    let output = through(&space, &honest, &["plan", "--detailed-exitcode"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let reads: BTreeSet<Asked> = honest.log().into_iter().collect();
    assert!(reads.len() > 12, "{reads:?}");
    let jobs: Vec<(Asked, &str, Fault)> = reads
        .iter()
        .enumerate()
        .flat_map(|(number, asked)| {
            wrong()
                .into_iter()
                .filter(move |(name, _)| !SLOW.contains(name) || number % 5 == 0)
                .map(|(name, fault)| (asked.clone(), name, fault))
        })
        .collect();
    let jobs = Mutex::new(jobs);
    let bad: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((asked, name, fault)) = jobs.lock().unwrap().pop() else {
                        return;
                    };
                    let rule = Rule::on(&asked.method, &format!("{}$", asked.path), fault);
                    let proxy = Proxy::start(&shared().address(), vec![rule]);
                    let started = Instant::now();
                    let output = through(&space, &proxy, &["plan", "--detailed-exitcode"]);
                    let told = format!("{}{}", output.stdout, output.stderr);
                    // A hint, not a proof: what else stands there, and how long the token lives.
                    let is_hint =
                        asked.path.contains("list=true") || asked.path.contains("auth/token");
                    // What somebody else's policy allows isn't known then, and nothing is made or
                    // removed for that.
                    let is_others = asked.path.ends_with("policies/acl/default");
                    // Only a rule looks at it, and says that it can't know.
                    let is_of_rules = asked.path.ends_with("sys/audit");
                    let may_be_quiet = is_hint || is_others || is_of_rules;
                    let is_quiet = may_be_quiet && output.code == Some(0);
                    let is_right = output.code == Some(1) || is_quiet;
                    let is_raw = told.contains('\u{1b}') || told.contains("Sign in");
                    println!(
                        "{name} on {}: {:?} {:?}",
                        asked.path,
                        output.code,
                        started.elapsed()
                    );
                    if !is_right || is_raw || started.elapsed() > Duration::from_secs(100) {
                        bad.lock().unwrap().push(format!(
                            "{} {}: {name}: {:?} after {:?}\n{told}",
                            asked.method,
                            asked.path,
                            output.code,
                            started.elapsed()
                        ));
                    }
                }
            });
        }
    });
    let bad = bad.into_inner().unwrap();
    assert!(
        bad.is_empty(),
        "{} wrong:\n{}",
        bad.len(),
        bad.join("\n---\n")
    );
    settled(&space, "after all this");
}

#[test]
fn a_lost_answer_or_request_makes_nothing_twice() {
    let numbers = Mutex::new((0..WRITES).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(number) = { numbers.lock().unwrap().pop() } {
                    for (name, fault) in [
                        ("answer", Fault::LostAnswer),
                        ("request", Fault::LostRequest),
                        ("part", Fault::Truncated),
                        ("html", Fault::Body(b"<html>".to_vec())),
                        ("500", Fault::Status(500, String::new())),
                    ] {
                        let namespace = format!("lost-{name}-{number}");
                        let space = workspace(&namespace);
                        let proxy = Proxy::start(
                            &shared().address(),
                            vec![Rule::nth_write(number, fault.clone())],
                        );
                        let parallelism = ["apply", "--auto-approve", "--parallelism", "1"];
                        let output = through(&space, &proxy, &parallelism);
                        assert!(
                            matches!(output.code, Some(0 | PARTLY)),
                            "{namespace} {output:?}"
                        );
                        if output.code == Some(PARTLY) {
                            space.expect(0, &["apply", "--auto-approve"]);
                        }
                        settled(&space, &namespace);
                        nothing_twice(&namespace);
                        let proxy =
                            Proxy::start(&shared().address(), vec![Rule::nth_write(number, fault)]);
                        let output = through(&space, &proxy, &["destroy", "--auto-approve"]);
                        if output.code != Some(0) {
                            space.expect(0, &["destroy", "--auto-approve"]);
                        }
                        assert_eq!(count(&namespace, "identity/entity/id"), 0, "{namespace}");
                        assert_eq!(count(&namespace, "sys/policies/acl"), 1, "{namespace}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_redirect_takes_the_token_nowhere() {
    let space = workspace("redirects");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    for path in ["seal-status", "lookup-self", "sys/policies", "sys/auth"] {
        let rule = Rule::on("", path, Fault::Redirect(other.clone()));
        let proxy = Proxy::start(&shared().address(), vec![rule]);
        let output = through(&space, &proxy, &["apply", "--auto-approve"]);
        assert_eq!(output.code, Some(1), "{path} {output:?}");
        assert!(output.stderr.contains("redirect"), "{path} {output:?}");
    }
    let rule = Rule::nth_write(1, Fault::Redirect(other));
    let proxy = Proxy::start(&shared().address(), vec![rule]);
    let output = through(&space, &proxy, &["apply", "--auto-approve"]);
    assert_eq!(output.code, Some(PARTLY), "{output:?}");
    assert!(listener.accept().is_err(), "somebody came");
    space.expect(0, &["apply", "--auto-approve"]);
    settled(&space, "after redirects");
}

#[test]
fn throttling_passes_and_a_server_that_stays_down_is_told() {
    let space = workspace("throttled");
    let throttled = Fault::Status(429, "{\"errors\":[\"slow down\"]}".to_owned());
    let rules = vec![Rule::on("POST", "", throttled).times(8)];
    let proxy = Proxy::start(&shared().address(), rules);
    let output = through(&space, &proxy, &["apply", "--auto-approve"]);
    assert_eq!(output.code, Some(0), "{output:?}");
    settled(&space, "after 429");

    let down = Fault::Status(503, "{\"errors\":[\"Vault is sealed\"]}".to_owned());
    let proxy = Proxy::start(&shared().address(), vec![Rule::on("", "", down)]);
    let started = Instant::now();
    let output = through(&space, &proxy, &["plan"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("503"), "{output:?}");
    assert!(started.elapsed() < Duration::from_mins(1));
    assert!(proxy.log().len() < 20, "{}", proxy.log().len());
}

#[test]
fn a_server_sealed_in_the_middle_is_told_and_the_next_apply_converges() {
    let server = Arc::new(Server::start(Storage::Raft));
    server.namespace("sealed");
    let mut space = Workspace::new(EVERYTHING).at(&server, "sealed");
    space.set("CONTRACT_PASSWORD", "c4n4ry-wrong");
    let sealing = Arc::clone(&server);
    let rule = Rule::nth_write(5, Fault::Meanwhile(Arc::new(move || sealing.seal())));
    let proxy = Proxy::start(&server.address(), vec![rule]);
    let output = through(&space, &proxy, &["apply", "--auto-approve"]);
    assert_eq!(output.code, Some(PARTLY), "{output:?}");
    assert!(
        output.stderr.contains("seal") || output.stdout.contains("seal"),
        "{output:?}"
    );
    let output = space.remit(&["plan"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("sealed"), "{output:?}");
    server.unseal();
    space.expect(0, &["apply", "--auto-approve"]);
    settled(&space, "unsealed");
}

#[test]
fn a_token_revoked_in_the_middle_proves_nothing() {
    let mut space = workspace("revoked");
    let made = shared().write(
        "revoked",
        "auth/token/create",
        &json!({"policies": ["admin"], "no_parent": true}),
    );
    shared().write(
        "revoked",
        "sys/policies/acl/admin",
        &json!({"policy": "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"patch\", \"delete\", \"list\", \"sudo\"] }"}),
    );
    let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
    let accessor = made["auth"]["accessor"].as_str().unwrap().to_owned();
    space.set("BAO_TOKEN", &token);
    let revoke = Arc::new(move || {
        let body = json!({"accessor": accessor});
        shared().post("revoked", "auth/token/revoke-accessor", &body);
    });
    let rule = Rule::nth_write(5, Fault::Meanwhile(revoke));
    let proxy = Proxy::start(&shared().address(), vec![rule]);
    // One at a time: what was done before is read back before the token ends.
    let apply = ["apply", "--auto-approve", "--parallelism", "1"];
    let output = through(&space, &proxy, &apply);
    assert_eq!(output.code, Some(PARTLY), "{output:?}");
    let recorded = space.expect(0, &["state", "list"]).stdout.lines().count();
    assert_eq!(recorded, 5, "{output:?}");
    let planned = space.remit(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(1), "{planned:?}");
    assert!(!planned.stdout.contains("will be created"), "{planned:?}");
    space.set("BAO_TOKEN", &shared().token);
    space.expect(0, &["apply", "--auto-approve"]);
    settled(&space, "with another token");
    nothing_twice("revoked");
}

#[test]
fn an_interrupt_lets_what_is_in_flight_end() {
    let space = workspace("interrupted");
    let pid = Arc::new(AtomicU32::new(0));
    let target = Arc::clone(&pid);
    let interrupt = Arc::new(move || {
        let pid = i32::try_from(target.load(Ordering::SeqCst)).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    });
    let rule = Rule::nth_write(4, Fault::Meanwhile(interrupt));
    let proxy = Proxy::start(&shared().address(), vec![rule]);
    let child = space
        .command(&["apply", "--auto-approve", "--parallelism", "1"])
        .env("BAO_ADDR", proxy.address())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    pid.store(child.id(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{told}");
    let written = proxy
        .log()
        .iter()
        .filter(|asked| changes(&asked.method, &asked.path))
        .count();
    assert_eq!(written, 5, "nothing was begun after the interrupt");
    assert_eq!(
        space.expect(0, &["state", "list"]).stdout.lines().count(),
        5
    );
    space.expect(0, &["apply", "--auto-approve"]);
    settled(&space, "interrupted");
}

#[test]
fn a_server_that_stands_still_is_waited_for_no_longer_than_a_deadline() {
    let server = Server::start(Storage::Memory);
    let space = Workspace::new(EVERYTHING).at(&server, "");
    server.signal(Signal::STOP);
    let started = Instant::now();
    let output = space.remit_with(&["plan"], &[("CONTRACT_PASSWORD", "c4n4ry-wrong")]);
    server.signal(Signal::CONT);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("no answer"), "{output:?}");
    assert!(started.elapsed() < Duration::from_secs(100));
}
