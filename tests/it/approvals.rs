//! A plan that takes approvals: who may sign it, with OpenSSH's own program and with ours, and that
//! it is applied with exactly those signatures that count.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use remit::gate::file::{self, FORMAT, Header, SavedPlan};
use remit::gate::{Requirement, Review, signature};
use remit::model::ApproverKey;
use remit::plan::{Asked, Mode, Plan};

use crate::live::shared;
use crate::support::workspace::{Output, Workspace};

/// Runs a program that must be there: `tests/install ssh` sees to it.
fn program(name: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(name)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}; run tests/install ssh"));
    assert!(output.status.success(), "{name} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Makes a key pair `NAME`, `NAME.pub` and says its public line.
pub(crate) fn keygen(folder: &Path, name: &str, more: &[&str]) -> String {
    let mut arguments = vec!["-q", "-C", name, "-f", name];
    if !more.contains(&"-N") {
        arguments.extend(["-N", ""]);
    }
    arguments.extend(more);
    program("ssh-keygen", &arguments, folder);
    let line = std::fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
    line.trim().to_owned()
}

fn text(line: &str) -> String {
    ApproverKey::parse(line).unwrap().text
}

fn requirement(required: u32, lines: &[&str]) -> Requirement {
    Requirement {
        loosens: false,
        why: "identity.bot gains read by scope.read".into(),
        required,
        approvers: lines.iter().map(|line| text(line)).collect(),
    }
}

/// Saves a review as `remit plan --out` does.
pub(crate) fn save(path: &Path, body: Review, expires_at: &str) {
    let saved = SavedPlan {
        header: Header {
            created_at: "2026-11-24T02:00:00Z".into(),
            expires_at: expires_at.into(),
            nonce: "n".into(),
            digest: file::digest(&body).unwrap(),
        },
        body,
    };
    std::fs::write(path, file::to_bytes(&saved).unwrap()).unwrap();
}

pub(crate) const LATER: &str = "2999-01-01T00:00:00Z";

/// A plan of nothing that takes these approvals.
fn plan_taking(approvals: Vec<Requirement>) -> Review {
    let mut review = Review::of(Plan {
        format: FORMAT,
        remit_version: "0".into(),
        mode: Mode::Apply,
        asked: Asked::default(),
        targets: [].into(),
        configuration: "c".into(),
        lineage: None,
        serial: 0,
        changes: [].into(),
        drift: [].into(),
        steps: Vec::new(),
        outputs: [].into(),
        unmanaged: [].into(),
        recorded: 0,
        undecided: 1,
        gate: None,
    });
    review.approvals = approvals;
    review
}

/// The signatures beside `p`.
pub(crate) fn beside(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sig"))
        .collect();
    found.sort();
    found
}

/// Whether OpenSSH takes a signature over `p` as one by `principal`.
fn openssh_verifies(folder: &Path, principal: &str, line: &str, signature: &Path) -> bool {
    std::fs::write(folder.join("allowed"), format!("{principal} {line}\n")).unwrap();
    let plan = std::fs::File::open(folder.join("p")).unwrap();
    let output = Command::new("ssh-keygen")
        .args(["-Y", "verify", "-f", "allowed", "-I", principal])
        .args(["-n", "remit-plan", "-s"])
        .arg(signature)
        .current_dir(folder)
        .stdin(plan)
        .output()
        .unwrap();
    output.status.success()
}

pub(crate) fn says(output: &Output, words: &[&str]) {
    let said = format!("{}{}", output.stdout, output.stderr);
    let said = crate::support::words(&said);
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn openssh_and_remit_agree_both_ways() {
    let space = Workspace::new("");
    let folder = space.path();
    let kinds: [(&str, &[&str]); 5] = [
        ("ed", &["-t", "ed25519"]),
        ("ec", &["-t", "ecdsa", "-b", "256"]),
        ("ec384", &["-t", "ecdsa", "-b", "384"]),
        ("rsa", &["-t", "rsa", "-b", "3072"]),
        ("rsa2", &["-t", "rsa", "-b", "2048"]),
    ];
    for (name, kind) in kinds {
        let line = keygen(folder, name, kind);
        save(
            &folder.join("p"),
            plan_taking(vec![requirement(1, &[&line])]),
            LATER,
        );
        // Theirs, here.
        program(
            "ssh-keygen",
            &["-Y", "sign", "-n", "remit-plan", "-f", name, "p"],
            folder,
        );
        let theirs = std::fs::read(folder.join("p.sig")).unwrap();
        let plan = std::fs::read(folder.join("p")).unwrap();
        let key = signature::verify(&theirs, &plan).unwrap();
        assert_eq!(key.text, text(&line));
        assert!(signature::verify(&theirs, b"other").is_err());
        says(&space.remit(&["approve", "p", "--key", name]), &["already"]);
        std::fs::remove_file(folder.join("p.sig")).unwrap();
        program(
            "ssh-keygen",
            &["-Y", "sign", "-n", "git", "-f", name, "p"],
            folder,
        );
        let other = std::fs::read(folder.join("p.sig")).unwrap();
        assert!(signature::verify(&other, &plan).is_err());
        std::fs::remove_file(folder.join("p.sig")).unwrap();
        // Ours, there.
        if name.starts_with("rsa") {
            let refused = space.expect(1, &["approve", "p", "--key", name]);
            says(&refused, &["ssh-add"]);
            assert!(beside(folder).is_empty());
            continue;
        }
        let approved = space.expect(0, &["approve", "p", "--key", name]);
        says(
            &approved,
            &[
                "identity.bot gains read",
                "Nothing is missing: remit apply p",
            ],
        );
        let ours = beside(folder);
        assert_eq!(ours.len(), 1, "{ours:?}");
        assert!(openssh_verifies(folder, name, &line, &ours[0]), "{name}");
        std::fs::remove_file(&ours[0]).unwrap();
    }
}

/// An agent that ends with the test.
struct Agent(Child);

impl Agent {
    fn start(space: &mut Workspace, keys: &[&str]) -> Self {
        let socket = space.path().join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let agent = Self(child);
        let patience = Instant::now() + Duration::from_secs(10);
        while !socket.exists() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
        }
        let socket = socket.display().to_string();
        for key in keys {
            let added = Command::new("ssh-add")
                .args(["-q", key])
                .current_dir(space.path())
                .env("SSH_AUTH_SOCK", &socket)
                .status();
            assert!(added.unwrap().success());
        }
        space.set("SSH_AUTH_SOCK", &socket);
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_agent_signs_with_a_key_that_may() {
    let mut space = Workspace::new("");
    let folder = space.path().to_owned();
    let rsa = keygen(&folder, "rsa", &["-t", "rsa", "-b", "2048"]);
    let ed = keygen(&folder, "ed", &["-t", "ed25519"]);
    let other = keygen(&folder, "other", &["-t", "ed25519"]);
    let plan = plan_taking(vec![requirement(2, &[&rsa, &ed])]);
    save(&folder.join("p"), plan, LATER);
    says(&space.expect(1, &["approve", "p"]), &["SSH_AUTH_SOCK"]);
    let _agent = Agent::start(&mut space, &["other", "rsa", "ed"]);
    says(
        &space.expect(1, &["approve", "p", "--key", "other.pub"]),
        &["not an approver of this plan", "these may: SHA256:"],
    );
    let first = space.expect(0, &["approve", "p"]);
    says(&first, &["Still missing: 1 approval"]);
    says(
        &space.expect(0, &["approve", "p", "--key", "ed.pub"]),
        &["Nothing is missing"],
    );
    says(&space.expect(1, &["approve", "p"]), &["hasn't yet"]);
    let plan = std::fs::read(folder.join("p")).unwrap();
    let signed: BTreeSet<String> = beside(&folder)
        .iter()
        .map(|path| {
            let signature = std::fs::read(path).unwrap();
            signature::verify(&signature, &plan).unwrap().text
        })
        .collect();
    assert_eq!(signed, BTreeSet::from([text(&rsa), text(&ed)]));
    assert!(!signed.contains(&text(&other)));
    for path in beside(&folder) {
        let fits = |line: &str| openssh_verifies(&folder, "someone", line, &path);
        assert!(fits(&rsa) != fits(&ed), "{}", path.display());
    }
}

#[test]
fn who_may_not_or_need_not_approve_is_refused() {
    let space = Workspace::new("");
    let folder = space.path();
    let ed = keygen(folder, "ed", &["-t", "ed25519"]);
    keygen(folder, "other", &["-t", "ed25519"]);
    keygen(
        folder,
        "locked",
        &["-t", "ed25519", "-N", "c4n4ry-passphrase"],
    );
    let refused = |plan: Review, expires: &str, key: &str, words: &[&str]| {
        save(&folder.join("p"), plan, expires);
        let output = space.expect(1, &["approve", "p", "--key", key]);
        says(&output, words);
        assert!(!output.stderr.contains("c4n4ry"));
        assert!(beside(folder).is_empty());
    };
    let taking = || plan_taking(vec![requirement(1, &[&ed])]);
    refused(taking(), LATER, "other", &["not an approver"]);
    refused(
        taking(),
        "2020-01-01T00:00:00Z",
        "ed",
        &["plan has expired"],
    );
    refused(
        plan_taking(Vec::new()),
        LATER,
        "ed",
        &["plan needs no approval"],
    );
    refused(taking(), LATER, "p", &["it is no OpenSSH private key"]);
    refused(taking(), LATER, "none", &["key can't be read"]);
    // Nobody is there to ask for the passphrase: a session of its own has no terminal.
    save(&folder.join("p"), taking(), LATER);
    let mut alone = Command::new("setsid");
    let output = alone
        .args([
            "--wait",
            env!("CARGO_BIN_EXE_remit"),
            "approve",
            "p",
            "--key",
            "locked",
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(beside(folder).is_empty());
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal() {
    let space = Workspace::new("");
    let folder = space.path();
    let line = keygen(
        folder,
        "locked",
        &["-t", "ed25519", "-N", "c4n4ry-passphrase"],
    );
    save(
        &folder.join("p"),
        plan_taking(vec![requirement(1, &[&line])]),
        LATER,
    );
    for (answer, typed, code) in [
        ("no", "", 1),
        ("yes", "wrong", 1),
        ("yes", "c4n4ry-passphrase", 0),
    ] {
        let command = format!("{} approve p --key locked", env!("CARGO_BIN_EXE_remit"));
        let mut terminal = Command::new("script")
            .args(["-q", "-e", "-c", &command, "/dev/null"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut keyboard = terminal.stdin.take().unwrap();
        // Not before it is asked for: what is typed earlier is thrown away.
        for line in [answer, typed].iter().filter(|line| !line.is_empty()) {
            std::thread::sleep(Duration::from_secs(2));
            std::io::Write::write_all(&mut keyboard, format!("{line}\n").as_bytes()).unwrap();
        }
        let output = terminal.wait_with_output().unwrap();
        drop(keyboard);
        let screen = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{screen}");
        assert!(screen.contains("Sign this plan?"), "{screen}");
        let is_asked = screen.contains("Passphrase of locked:");
        assert_eq!(is_asked, answer == "yes", "{screen}");
        assert!(!screen.contains("c4n4ry"), "{screen}");
    }
    assert_eq!(beside(folder).len(), 1);
}

#[test]
fn a_high_risk_in_production_takes_one_approval_and_a_critical_one_two() {
    let space = at_server("approvals-tier");
    let folder = space.path();
    let one = keygen(folder, "approver-1", &["-t", "ed25519"]);
    let two = keygen(folder, "approver-2", &["-t", "ed25519"]);
    for (risk, tier, required) in [
        ("medium", "production", 0),
        ("high", "staging", 0),
        ("high", "production", 1),
        ("critical", "production", 2),
    ] {
        let text = configuration(&[&one, &two], ONE)
            .replace("\"low\"", &format!("\"{risk}\""))
            .replace("\"staging\"", &format!("\"{tier}\""));
        space.write("main.remit.hcl", &text);
        space.expect(0, &["plan", "--out", "p"]);
        let shown = space.expect(0, &["show", "p", "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        let approvals = shown["remit"]["approvals"].as_array().unwrap();
        let most = approvals
            .iter()
            .map(|one| one["required"].as_u64().unwrap());
        assert_eq!(most.max().unwrap_or(0), required, "{risk} {tier}");
        if required > 0 {
            for arguments in [
                &["apply", "--auto-approve"][..],
                &["apply", "p", "--auto-approve"],
            ] {
                says(&space.expect(4, arguments), &["plan is not approved"]);
            }
        }
    }
    space.expect(0, &["approve", "p", "--key", "approver-1"]);
    space.expect(4, &["apply", "p"]);
    space.expect(0, &["approve", "p", "--key", "approver-2"]);
    space.expect(0, &["apply", "p"]);
}

/// One identity in a namespace of its own; `scope` and `approvers` are filled in.
pub(crate) fn configuration(approvers: &[&str], scope: &str) -> String {
    let lines: Vec<String> = approvers.iter().map(|line| format!("\"{line}\"")).collect();
    format!(
        r#"
provider "vault" {{}}
owner "pay" {{
  contact   = "pay@example.com"
  approvers = [{}]
}}
environment "test" {{
  tier = "staging"
}}
issuer "hosts" {{
  type = "approle"
}}
agent "bot" {{
  owner    = owner.pay
  purpose  = "Sort incoming invoices"
  autonomy = "supervised"
}}
scope "read" {{
  description = "Read invoices"
  domain      = "billing"
  risk        = "low"
  {scope}
}}
identity "bot" {{
  agent       = agent.bot
  environment = environment.test
  domain      = "billing"
  scopes      = [scope.read]
  workload {{
    issuer             = issuer.hosts
    secret_id_num_uses = 1
  }}
}}
"#,
        lines.join(", ")
    )
}

pub(crate) const ONE: &str = r#"grant "vault" {
    path         = "kv/data/a"
    capabilities = ["read"]
  }"#;
pub(crate) const TWO: &str = r#"grant "vault" {
    path         = "kv/data/*"
    capabilities = ["read"]
  }
  approval {
    required = 2
    from     = [owner.pay]
  }"#;

pub(crate) fn at_server(namespace: &str) -> Workspace {
    shared().namespace(namespace);
    Workspace::new("").at(shared(), namespace)
}

/// Everything below the state's folder, as one text.
fn state(space: &Workspace) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(space.path().join(".remit")).unwrap() {
        let text = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        all.push_str(&String::from_utf8_lossy(&text));
    }
    all
}

#[test]
fn who_approves_is_changed_by_those_who_are_recorded() {
    let space = at_server("approvals-facts");
    let folder = space.path();
    let one = keygen(folder, "approver-1", &["-t", "ed25519"]);
    let new = keygen(folder, "approver-2", &["-t", "ed25519"]);
    space.write("main.remit.hcl", &configuration(&[&one], ONE));
    space.expect(0, &["apply", "--auto-approve"]);
    assert!(state(&space).contains(&text(&one)));
    // The change brings an approver, and nothing else.
    space.write("main.remit.hcl", &configuration(&[&one, &new], ONE));
    let planned = space.expect(2, &["plan", "--out", "p", "--detailed-exitcode"]);
    says(
        &planned,
        &[
            "1 approval of these 1:",
            "owner.pay gets 1 approver that it didn't have",
            "Needs 1 approval: remit approve p",
        ],
    );
    let shown = space.expect(0, &["show", "p", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown["remit"]["approvals"][0]["required"], 1);
    for arguments in [
        &["apply", "--auto-approve"][..],
        &["apply", "p", "--auto-approve"],
    ] {
        let refused = space.expect(4, arguments);
        let print = ApproverKey::parse(&one).unwrap().fingerprint;
        let who = format!("{print} approver-1");
        says(
            &refused,
            &[
                "plan is not approved",
                "1 more approval",
                "remit approve",
                &who,
            ],
        );
    }
    says(
        &space.expect(1, &["approve", "p", "--key", "approver-2"]),
        &["not an approver of this plan"],
    );
    space.expect(0, &["approve", "p", "--key", "approver-1"]);
    space.expect(0, &["apply", "p"]);
    let state = state(&space);
    assert!(state.contains(&text(&new)));
    let print = ApproverKey::parse(&one).unwrap().fingerprint;
    assert!(state.contains(&print), "who approved is recorded: {state}");
    says(&space.expect(0, &["plan"]), &["No changes"]);
    space.expect(0, &["destroy", "--auto-approve"]);
    let state = self::state(&space);
    assert!(state.contains(&print), "and stays so: {state}");
    assert!(state.contains(&text(&new)), "as do the approvers");
}

#[test]
fn a_widening_is_applied_with_two_signatures_that_count_and_no_fewer() {
    let space = at_server("approvals-widening");
    let folder = space.path();
    let one = keygen(folder, "approver-1", &["-t", "ed25519"]);
    let two = keygen(folder, "approver-2", &["-t", "ecdsa", "-b", "256"]);
    keygen(folder, "stranger", &["-t", "ed25519"]);
    space.write("main.remit.hcl", &configuration(&[&one, &two], ONE));
    space.expect(0, &["apply", "--auto-approve"]);
    space.write("main.remit.hcl", &configuration(&[&one, &two], TWO));
    let planned = space.expect(0, &["plan", "--out", "p"]);
    says(
        &planned,
        &[
            "+ vault read kv/data/* scope.read widens",
            "RMT203 widened-access",
            "Needs 2 approvals: remit approve p",
        ],
    );
    let plan = folder.join("p");
    // With a nonce that is known, to change it below.
    let made = std::fs::read(&plan).unwrap();
    let body = file::from_bytes(&made).unwrap().body;
    save(&plan, body, LATER);
    let sign = |key: &str, namespace: &str, file: &str| {
        let arguments = ["-Y", "sign", "-n", namespace, "-f", key, file];
        program("ssh-keygen", &arguments, folder);
    };
    let refused = |words: &[&str]| {
        let recorded = || space.expect(0, &["show", "--json"]).stdout;
        let before = recorded();
        says(&space.expect(4, &["apply", "p", "--auto-approve"]), words);
        assert_eq!(recorded(), before, "nothing is recorded");
    };
    refused(&["2 more approvals are missing", "by one of"]);
    let saved = std::fs::read(&plan).unwrap();
    // One, and the same one again under another name.
    space.expect(0, &["approve", "p", "--key", "approver-1"]);
    let first = beside(folder).remove(0);
    std::fs::copy(&first, folder.join("p.again.sig")).unwrap();
    refused(&["1 more approval is missing"]);
    std::fs::remove_file(folder.join("p.again.sig")).unwrap();
    // By somebody else.
    sign("stranger", "remit-plan", "p");
    refused(&["1 more approval is missing"]);
    std::fs::remove_file(folder.join("p.sig")).unwrap();
    // By an approver, for something else, and over another plan.
    sign("approver-2", "git", "p");
    refused(&["1 more approval is missing", "was made for `git`"]);
    std::fs::remove_file(folder.join("p.sig")).unwrap();
    std::fs::write(folder.join("q"), b"another").unwrap();
    sign("approver-2", "remit-plan", "q");
    std::fs::copy(folder.join("q.sig"), folder.join("p.sig")).unwrap();
    refused(&["1 more approval is missing", "over this plan"]);
    std::fs::remove_file(folder.join("p.sig")).unwrap();
    // By both, and the plan edited afterwards, in what its digest doesn't cover.
    sign("approver-2", "remit-plan", "p");
    let edited = String::from_utf8(saved.clone()).unwrap();
    let edited = edited.replace("\"nonce\":\"n\"", "\"nonce\":\"m\"");
    assert!(edited.as_bytes() != saved);
    std::fs::write(&plan, edited).unwrap();
    refused(&["2 more approvals are missing", "doesn't count"]);
    std::fs::write(&plan, &saved).unwrap();
    space.expect(0, &["apply", "p"]);
    let state = state(&space);
    for line in [&one, &two] {
        assert!(state.contains(&ApproverKey::parse(line).unwrap().fingerprint));
    }
}
