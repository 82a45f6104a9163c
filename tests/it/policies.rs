//! An organisation's policies: what they stop, and that none can fail unseen, hang a plan, eat
//! the machine's memory or see a secret.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use crate::live::shared;
use crate::support::workspace::{Output, Workspace};

const SETTINGS: &str = "remit {\n  policy {\n    directories = [\"policy\"]\n  }\n}\n";

/// A configuration that declares nothing, so that nothing is contacted, with one policy.
fn with(policy: &str) -> Workspace {
    let space = Workspace::new(SETTINGS);
    std::fs::create_dir(space.path().join("policy")).unwrap();
    space.write("policy/guard.rego", policy);
    space
}

fn told(output: &Output) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

#[test]
fn a_denial_stops_and_a_warning_is_shown() {
    let space = with(
        "package remit\n\
         deny contains {\"msg\": \"not today\", \"address\": \"scope.s\", \"help\": \"wait\"}\n",
    );
    let output = space.expect(4, &["plan", "--out", "p"]);
    let heading = "\nFINDINGS\n  error ORG guard scope.s\n    not today\n    why: the organisation's policy policy/guard.rego says so\n    help: wait\n";
    assert!(output.stdout.ends_with(heading), "{}", output.stdout);
    assert!(
        output.stderr.contains("Not saved as p"),
        "{}",
        output.stderr
    );
    assert!(!space.path().join("p").exists());
    let output = space.expect(4, &["apply", "--auto-approve"]);
    assert!(
        output.stderr.contains("Nothing was applied"),
        "{}",
        output.stderr
    );
    let output = space.expect(4, &["plan", "--json"]);
    let found: serde_json::Value = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|line| line["type"] == "finding")
        .unwrap();
    assert_eq!(found["finding"]["name"], "guard");
    assert_eq!(found["@level"], "error");
    space.write(
        "policy/guard.rego",
        "package remit\nwarn contains input.timestamp\n",
    );
    let output = space.expect(0, &["plan"]);
    assert!(
        output.stdout.contains("  warning ORG guard\n    20"),
        "{}",
        output.stdout
    );
    space.write(
        "policy/guard.rego",
        "package remit\ndeny contains \"x\" if input.never\n",
    );
    let output = space.expect(0, &["plan"]);
    assert!(!output.stdout.contains("FINDINGS"), "{}", output.stdout);
}

#[test]
fn a_mistake_in_a_policy_is_shown_in_its_place() {
    let space = with("package remit\n\ndeny contains msg if {\n  msg := := 1\n}\n");
    for command in ["validate", "plan", "apply"] {
        let output = space.expect(1, &[command]);
        assert!(
            told(&output).contains("policy/guard.rego:4:"),
            "{}",
            told(&output)
        );
    }
    space.write(
        "policy/guard.rego",
        "package remit\ndeny contains http.send({})\n",
    );
    space.expect(0, &["validate"]);
    let output = space.expect(1, &["plan"]);
    for part in [
        "policy fails",
        "could not find function http.send",
        "guard.rego:2:",
    ] {
        assert!(told(&output).contains(part), "{part}: {}", told(&output));
    }
}

#[test]
fn policies_are_read_below_the_root_and_never_silently_none() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(
        outside.path().join("a.rego"),
        "package remit\ndeny contains \"o\"\n",
    )
    .unwrap();
    for (directory, why) in [
        ("nowhere", "no policies"),
        ("empty", "no policies"),
        ("..", "leads out"),
        ("/etc", "leads out"),
        ("linked", "leads out"),
        ("links", "leads out"),
        ("tests", "no policies"),
        ("large", "larger than"),
    ] {
        let space = Workspace::new(&SETTINGS.replace("\"policy\"", &format!("\"{directory}\"")));
        for name in ["empty", "links", "tests", "large"] {
            std::fs::create_dir(space.path().join(name)).unwrap();
        }
        symlink(outside.path(), space.path().join("linked")).unwrap();
        symlink(
            outside.path().join("a.rego"),
            space.path().join("links/a.rego"),
        )
        .unwrap();
        space.write("tests/a_test.rego", "package remit\ndeny contains \"t\"\n");
        space.write(
            "large/a.rego",
            &format!("package remit\n#{}\n", "x".repeat(1024 * 1024)),
        );
        let output = space.expect(1, &["validate"]);
        assert!(
            told(&output).contains(why),
            "{directory}: {}",
            told(&output)
        );
    }
    for (text, why) in [
        ("remit {\n  policy {}\n}\n", "missing attribute"),
        (
            "remit {\n  policy {\n    directories = \"policy\"\n  }\n}\n",
            "list",
        ),
        (
            "remit {\n  policy \"x\" {\n    directories = []\n  }\n}\n",
            "label",
        ),
    ] {
        let output = Workspace::new(text).expect(1, &["validate"]);
        assert!(told(&output).contains(why), "{text}: {}", told(&output));
    }
    let space = with("package remit\nwarn contains \"top\"\n");
    std::fs::create_dir(space.path().join("policy/below")).unwrap();
    space.write(
        "policy/below/deep.rego",
        "package remit.deep\nwarn contains \"deep\"\n",
    );
    let output = space.expect(0, &["plan"]);
    for line in ["ORG guard\n    top", "ORG deep\n    deep"] {
        assert!(output.stdout.contains(line), "{}", output.stdout);
    }
}

#[test]
fn a_hostile_policy_ends_in_a_diagnostic() {
    let pairs = "n := numbers.range(1, 3000)\n\
        deny contains \"x\" if { some a in n; some b in n; some c in n; a * b * c == -1 }\n";
    for (policy, why) in [
        (pairs, "takes too long"),
        (
            "deny contains \"x\" if count(numbers.range(1, 1000000000000)) == 1\n",
            "take too much",
        ),
        (
            "a := concat(\"\", [\"x\" | some i in numbers.range(1, 100000)])\n\
             b := concat(\"\", [a | some i in numbers.range(1, 100000)])\n\
             deny contains \"x\" if b == \"y\"\n",
            "take too much",
        ),
    ] {
        let space = with(&format!("package remit\n{policy}"));
        let from = Instant::now();
        let output = space.expect(1, &["plan", "--out", "p"]);
        assert!(told(&output).contains(why), "{policy}: {}", told(&output));
        assert!(!space.path().join("p").exists());
        // Thrice what is allowed: other tests run beside this one.
        assert!(
            from.elapsed() < Duration::from_mins(1),
            "{:?}",
            from.elapsed()
        );
    }
}

/// A secret in the environment, where `env` finds it.
const SECRET: &str = "c4n4ry7policy";

const CONNECTION: &str = r#"
provider "vault" {
}
resource "vault_secrets_mount" "m" {
  path = "policies"
  type = "kv"
}
resource "vault_database_connection" "c" {
  mount            = "db"
  name             = "c"
  plugin_name      = "postgresql-database-plugin"
  connection_url   = "postgresql://{{username}}:{{password}}@h/x"
  username         = "u"
  password         = env("PG_PASSWORD")
  password_version = 1
}
"#;

#[test]
fn a_policy_sees_references_and_no_secrets() {
    let namespace = shared().namespace("policies-secret");
    let mut space =
        with("package remit\nwarn contains json.marshal(x) if some x in input.resource_changes\n")
            .at(shared(), &namespace);
    let text = format!("{SETTINGS}{CONNECTION}");
    space.write("main.remit.hcl", &text);
    space.set("PG_PASSWORD", SECRET);
    let output = space.expect(0, &["plan"]);
    assert!(output.stdout.contains("PG_PASSWORD"), "{}", output.stdout);
    assert!(!told(&output).contains(SECRET), "{}", told(&output));
    assert!(
        !told(&output).contains(&shared().token),
        "{}",
        told(&output)
    );
}

#[test]
fn a_saved_plan_is_stale_under_other_policies() {
    let namespace = shared().namespace("policies-stale");
    let space =
        with("package remit\ndeny contains \"x\" if input.never\n").at(shared(), &namespace);
    let text = CONNECTION
        .split("resource \"vault_database")
        .next()
        .unwrap();
    space.write("main.remit.hcl", &format!("{SETTINGS}{text}"));
    space.expect(0, &["plan", "--out", "p"]);
    space.write(
        "policy/guard.rego",
        "package remit\ndeny contains \"x\" if input.other\n",
    );
    let output = space.expect(1, &["apply", "p", "--auto-approve"]);
    assert!(told(&output).contains("plan is stale"), "{}", told(&output));
    space.write(
        "policy/guard.rego",
        "package remit\ndeny contains \"x\" if input.never\n",
    );
    space.expect(0, &["apply", "p", "--auto-approve"]);
    // What is removed is judged too.
    space.write(
        "policy/guard.rego",
        "package remit\ndeny contains c.address if { some c in input.resource_changes; \"delete\" in c.change.actions }\n",
    );
    let output = space.expect(4, &["destroy", "--auto-approve"]);
    assert!(
        output.stdout.contains("error ORG guard\n"),
        "{}",
        output.stdout
    );
    assert!(
        output.stderr.contains("Nothing was applied"),
        "{}",
        output.stderr
    );
    space.write(
        "policy/guard.rego",
        "package remit\ndeny contains \"x\" if input.never\n",
    );
    space.expect(0, &["destroy", "--auto-approve"]);
}

/// An identity that gains something critical, where remit's own rules only warn.
const CRITICAL: &str = r#"
provider "vault" {}
owner "payments" {
  contact = "payments@example.com"
}
environment "dev" {
  tier = "development"
}
issuer "hosts" {
  type = "approle"
}
agent "triage" {
  owner   = owner.payments
  purpose = "Sort incoming invoices"
}
scope "write" {
  description = "Write invoices"
  domain      = "billing"
  risk        = "critical"
  grant "vault" {
    path         = "kv/data/invoices/*"
    capabilities = ["update"]
  }
}
identity "triage" {
  agent       = agent.triage
  environment = environment.dev
  domain      = "billing"
  scopes      = [scope.write]
  workload {
    issuer = issuer.hosts
  }
}
"#;

#[test]
fn the_example_policies_judge_a_real_plan() {
    let namespace = shared().namespace("policies-examples");
    let space = with("package remit\nwarn contains \"seen\"\n").at(shared(), &namespace);
    let examples =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/policies/policy");
    for entry in std::fs::read_dir(examples).unwrap() {
        let entry = entry.unwrap();
        let to = space.path().join("policy").join(entry.file_name());
        std::fs::copy(entry.path(), to).unwrap();
    }
    space.write("main.remit.hcl", &format!("{SETTINGS}{CRITICAL}"));
    let output = space.expect(4, &["plan", "--out", "p"]);
    let names: std::collections::BTreeSet<&str> = output
        .stdout
        .lines()
        .filter_map(|line| line.trim().split_once(" ORG ")?.1.split(' ').next())
        .collect();
    for name in ["two_approvals", "known_servers", "guard"] {
        assert!(names.contains(name), "{name}: {}", output.stdout);
    }
    // Everything is there that they look at, and nothing is removed.
    for name in ["complete_plan", "few_removals"] {
        assert!(!names.contains(name), "{name}: {}", output.stdout);
    }
    assert!(!space.path().join("p").exists());
    // What is only warned of is saved with the plan.
    for entry in std::fs::read_dir(space.path().join("policy")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("guard.rego") {
            std::fs::remove_file(path).unwrap();
        }
    }
    space.expect(0, &["plan", "--out", "p"]);
    let shown = space.expect(0, &["show", "--json", "p"]);
    let json: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let found: Vec<&serde_json::Value> = json["remit"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["rule"] == "ORG")
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (&found[0]["name"], &found[0]["what"]),
        (&"guard".into(), &"seen".into())
    );
}
