//! What happens to a state in wrong hands: two runs at once, a broken lock, a damaged, foreign or
//! old directory; and live names that try to write to the terminal.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::live::contract::EVERYTHING;
use crate::live::shared;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::workspace::{Output, Workspace};

const APPLY: [&str; 2] = ["apply", "--auto-approve"];

fn workspace(namespace: &str) -> Workspace {
    shared().namespace(namespace);
    let mut workspace = Workspace::new(EVERYTHING).at(shared(), namespace);
    workspace.set("CONTRACT_PASSWORD", "c4n4ry-state");
    workspace
}

/// An apply that holds its lock for a while, at its third write.
fn slow_apply(space: &Workspace, pause: Duration) -> (Child, Proxy) {
    let wait = Fault::Meanwhile(Arc::new(move || std::thread::sleep(pause)));
    let proxy = Proxy::start(&shared().address(), vec![Rule::nth_write(2, wait)]);
    let child = space
        .command(&["apply", "--auto-approve", "--parallelism", "1"])
        .env("BAO_ADDR", proxy.address())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while proxy
        .log()
        .iter()
        .filter(|asked| asked.method != "GET")
        .count()
        < 3
    {
        std::thread::sleep(Duration::from_millis(20));
    }
    (child, proxy)
}

fn told(output: &Output) -> String {
    let told = format!("{}{}", output.stdout, output.stderr);
    assert!(!told.contains("panicked"), "{told}");
    told
}

#[test]
fn two_applies_at_once_take_turns() {
    let space = workspace("two-at-once");
    let (first, _proxy) = slow_apply(&space, Duration::from_secs(3));
    let refused = space.remit(&APPLY);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("locked"), "{refused:?}");
    assert!(
        refused.stderr.contains(&first.id().to_string()),
        "{refused:?}"
    );
    // Reading needs no lock.
    space.expect(0, &["state", "list"]);
    let waited = space.remit(&["apply", "--auto-approve", "--lock-timeout", "60s"]);
    assert_eq!(waited.code, Some(0), "{waited:?}");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0));
    space.expect(0, &["plan", "--detailed-exitcode"]);
}

#[test]
fn a_run_whose_lock_is_broken_stops() {
    let space = workspace("broken-lock");
    let (first, _proxy) = slow_apply(&space, Duration::from_secs(3));
    let refused = space.remit(&APPLY);
    let help = told(&refused);
    let id = help
        .split("unlock --force ")
        .nth(1)
        .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
        .unwrap_or_else(|| panic!("no id: {help}"))
        .to_owned();
    space.expect(1, &["state", "unlock", "999999", "--force"]);
    space.expect(0, &["state", "unlock", &id, "--force"]);
    let first = first.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&first.stderr);
    assert!(!first.status.success(), "{said}");
    assert!(said.contains("taken over"), "{said}");
    space.expect(0, &APPLY);
    space.expect(0, &["plan", "--detailed-exitcode"]);
}

/// What a plan says to a state after something was done to it.
fn abused(space: &Workspace, abuse: impl FnOnce(&std::path::Path)) -> Output {
    abuse(&space.path().join(".remit"));
    space.remit(&["plan", "--detailed-exitcode"])
}

#[test]
fn a_state_that_is_not_safe_or_not_whole_is_refused() {
    let mut space = workspace("unsafe-state");
    space.expect(0, &APPLY);
    let mode = |bits: u32| {
        move |path: &std::path::Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
        }
    };
    let files: Vec<_> = std::fs::read_dir(space.path().join(".remit"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    for bits in [0o777, 0o755, 0o770] {
        let output = abused(&space, mode(bits));
        println!("mode {bits:o}: {:?} {}", output.code, output.stderr);
    }
    abused(&space, mode(0o700));
    let whole = space.remit(&["plan", "--detailed-exitcode"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        if bytes.len() < 2 {
            continue;
        }
        for at in [bytes.len() / 3, bytes.len() / 2] {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            std::fs::write(file, &broken).unwrap();
            let output = space.remit(&["plan", "--detailed-exitcode"]);
            println!(
                "{} {at}: {:?} {}",
                file.display(),
                output.code,
                told(&output)
            );
            // A lock's note may be anything; the rest is refused, or was not needed.
            assert!(
                matches!(output.code, Some(0 | 1)),
                "{} {output:?}",
                file.display()
            );
        }
        std::fs::write(file, &bytes).unwrap();
    }
    // In the place of the directory a link to one.
    let moved = tempfile::tempdir().unwrap();
    let elsewhere = moved.path().join("state");
    std::fs::rename(space.path().join(".remit"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, space.path().join(".remit")).unwrap();
    let linked = space.remit(&["plan", "--detailed-exitcode"]);
    println!("link: {:?} {}", linked.code, told(&linked));
    assert_eq!(linked.code, Some(1), "{linked:?}");
    std::fs::remove_file(space.path().join(".remit")).unwrap();
    std::fs::rename(&elsewhere, space.path().join(".remit")).unwrap();
    // Another cluster, or here another namespace, is not the target that is recorded.
    shared().namespace("unsafe-other");
    space.set("BAO_NAMESPACE", "unsafe-other");
    let other = space.remit(&["plan", "--detailed-exitcode"]);
    println!("other: {:?} {}", other.code, told(&other));
    assert_eq!(other.code, Some(1), "{other:?}");
    let other = space.remit(&APPLY);
    assert_eq!(other.code, Some(1), "{other:?}");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn an_older_copy_of_a_state_takes_over_and_removes_nothing_of_others() {
    let space = workspace("older-copy");
    space.write("main.remit.hcl", &EVERYTHING.replace("resource \"vault_entity_alias\"", "resource \"vault_entity\" \"more\" {\n  name = \"more\"\n}\nresource \"vault_entity_alias\""));
    space.expect(0, &APPLY);
    let kept = tempfile::tempdir().unwrap();
    let old = kept.path().join("old");
    copy(&space.path().join(".remit"), &old);
    space.write("main.remit.hcl", EVERYTHING);
    space.expect(0, &APPLY);
    // Somebody else makes an entity of the name that remit gave up.
    shared().write("older-copy", "identity/entity", &json!({"name": "more"}));
    std::fs::remove_dir_all(space.path().join(".remit")).unwrap();
    copy(&old, &space.path().join(".remit"));
    let planned = space.remit(&["plan", "--detailed-exitcode"]);
    println!("{}", told(&planned));
    let applied = space.remit(&APPLY);
    println!("{}", told(&applied));
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let (status, _) = shared().get("older-copy", "identity/entity/name/more");
    assert_eq!(status, 200, "somebody else's entity was removed");
    space.expect(0, &["plan", "--detailed-exitcode"]);
}

#[test]
fn a_changed_or_expired_plan_is_refused() {
    let space = workspace("changed-plan");
    space.expect(0, &["plan", "--out", "p"]);
    let text = std::fs::read_to_string(space.path().join("p")).unwrap();
    let changes = [
        ("p1", "p2"),
        ("\"serial\":0", "\"serial\":1"),
        ("\"format\":4", "\"format\":3"),
        ("{\"body\"", "[{\"body\""),
    ];
    for (from, to) in changes {
        assert!(text.contains(from), "{from}: {text}");
        space.write("changed", &text.replace(from, to));
        let output = space.remit(&["apply", "changed", "--auto-approve"]);
        assert_eq!(output.code, Some(1), "{from}: {output:?}");
        told(&output);
    }
    let header: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expires = header["header"]["expires_at"].as_str().unwrap();
    space.write("expired", &text.replace(expires, "2020-01-01T00:00:00Z"));
    let output = space.remit(&["apply", "expired", "--auto-approve"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains("expired"), "{output:?}");
    space.expect(0, &["apply", "p", "--auto-approve"]);
}

#[test]
fn live_names_and_errors_write_nothing_to_the_terminal() {
    let space = workspace("terminal");
    space.expect(0, &APPLY);
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}x\r\n\u{9b}31m";
    let name = format!("remit-{evil}");
    shared().post("terminal", "identity/entity", &json!({"name": name}));
    shared().write(
        "terminal",
        "identity/entity/name/e1",
        &json!({"metadata": {"team": evil, "more": evil}}),
    );
    shared().write(
        "terminal",
        "sys/auth/jwt1/tune",
        &json!({"description": evil}),
    );
    let error = json!({"errors": [evil]}).to_string();
    let faulty = Proxy::start(
        &shared().address(),
        vec![Rule::on("GET", "sys/auth", Fault::Status(400, error))],
    );
    let address = faulty.address();
    let outputs = [
        space.remit(&["plan"]),
        space.remit(&["plan", "--json"]),
        space.remit_with(&["plan"], &[("BAO_ADDR", &address)]),
        space.remit(&["apply", "--auto-approve"]),
        space.remit(&["state", "show", "vault_entity.e"]),
        space.remit(&["destroy", "--auto-approve"]),
    ];
    for output in outputs {
        let told = told(&output);
        let raw = told.chars().find(|c| {
            (c.is_control() && *c != '\n' && *c != '\t') || matches!(c, '\u{202a}'..='\u{202e}')
        });
        assert_eq!(raw, None, "{told}");
    }
}
