//! What a plan says of access, and what `remit access` answers, on a real server.

use serde_json::{Value as Json, json};

use crate::live::shared;
use crate::support::words;
use crate::support::workspace::Workspace;

/// One agent in production that may read invoices.
pub(crate) const CONFIGURATION: &str = r#"
provider "vault" {}
owner "payments" {
  contact = "payments@example.com"
}
environment "prod" {
  tier = "production"
}
issuer "hosts" {
  type = "approle"
}
agent "triage" {
  owner   = owner.payments
  purpose = "Sort incoming invoices"
}
scope "read" {
  description = "Read invoices"
  domain      = "billing"
  risk        = "medium"
  grant "vault" {
    path         = "kv/data/invoices/*"
    capabilities = ["read"]
  }
}
identity "triage" {
  agent       = agent.triage
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.read]
  workload {
    issuer = issuer.hosts
  }
}
"#;

const IDENTITY: &str = "identity.triage";

/// The access changes of a plan made now.
fn changes(workspace: &Workspace) -> Vec<Json> {
    workspace.expect(0, &["plan", "--out", "p.plan"]);
    let shown = workspace.expect(0, &["show", "--json", "p.plan"]);
    let json: Json = serde_json::from_str(&shown.stdout).unwrap();
    json["remit"]["access_changes"].as_array().unwrap().clone()
}

/// The rows of one list as (actions, resource, certainty).
fn rows(change: &Json, list: &str) -> Vec<(String, String, String)> {
    let text = |all: &Json| {
        let all: Vec<&str> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        all.join(",")
    };
    change[list]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| !row["resources"][0].as_str().unwrap().contains("-self"))
        .filter(|row| row["resources"][0] != "sys/leases/renew")
        .map(|row| {
            let certainty = match &row["certainty"] {
                Json::String(text) => text.clone(),
                Json::Object(map) => map.keys().next().unwrap().clone(),
                other => panic!("{other}"),
            };
            (text(&row["actions"]), text(&row["resources"]), certainty)
        })
        .collect()
}

fn row(actions: &str, resource: &str, certainty: &str) -> (String, String, String) {
    (
        actions.to_owned(),
        resource.to_owned(),
        certainty.to_owned(),
    )
}

#[test]
fn a_plan_says_what_is_gained_and_lost_and_from_where() {
    let namespace = shared().namespace("access-plan");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    let [first] = changes(&workspace).try_into().unwrap();
    assert_eq!(first["identity"], IDENTITY);
    assert_eq!(first["is_new"], true);
    assert_eq!(first["tier"], "production");
    assert_eq!(first["owner"], "owner.payments");
    assert_eq!(
        rows(&first, "gained"),
        [row("read", "kv/data/invoices/*", "surely")]
    );
    let gained = first["gained"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["actions"] == json!(["read"]) && row["risk"] == "medium");
    assert_eq!(gained.unwrap()["scopes"], json!(["scope.read"]));
    workspace.expect(0, &["apply", "p.plan"]);
    assert_eq!(changes(&workspace), Vec::<Json>::new());

    // Narrower in one place, wider in another.
    workspace.write(
        "main.remit.hcl",
        &CONFIGURATION.replace(
            "kv/data/invoices/*\"\n    capabilities = [\"read\"]",
            "kv/data/invoices/open/*\"\n    capabilities = [\"read\", \"update\"]",
        ),
    );
    let [change] = changes(&workspace).try_into().unwrap();
    assert_eq!(change["is_new"], false);
    assert_eq!(
        rows(&change, "gained"),
        [row("update", "kv/data/invoices/open/*", "surely")]
    );
    assert_eq!(
        rows(&change, "lost"),
        [row("read", "kv/data/invoices/*", "surely")]
    );
    let shown = workspace.expect(0, &["plan"]).stdout;
    let access = shown.find("\nACCESS\n").unwrap();
    assert!(access < shown.find("\nCHANGES\n").unwrap(), "{shown}");
    assert!(
        shown.contains("+ vault  update  kv/data/invoices/open/*  scope.read  widens\n"),
        "{shown}"
    );
    assert!(
        shown.ends_with("Access widens for 1 identity, narrows for 1 identity.\n"),
        "{shown}"
    );

    // Only text changes: nobody's access does.
    workspace.write(
        "more.remit.hcl",
        r#"
scope "same" {
  description = "A part of the other scope"
  domain      = "billing"
  risk        = "low"
  grant "vault" {
    path         = "kv/data/invoices/one"
    capabilities = ["read"]
  }
}
"#,
    );
    workspace.write(
        "main.remit.hcl",
        &CONFIGURATION.replace("[scope.read]", "[scope.read, scope.same]"),
    );
    assert_eq!(changes(&workspace), Vec::<Json>::new());

    // Whoever goes was somebody's, and every declaration is where it stands.
    let line = |of: &str| {
        let before = CONFIGURATION.split_once(of).unwrap().0;
        format!("main.remit.hcl:{}", before.lines().count() + 1)
    };
    let identity = CONFIGURATION.find("identity \"triage\"").unwrap();
    workspace.write("main.remit.hcl", &CONFIGURATION[..identity]);
    workspace.write("more.remit.hcl", "");
    let shown = words(&workspace.expect(0, &["plan"]).stdout);
    for said in [
        "identity.triage agent.triage, owner.payments, production, goes",
        "identity.triage no longer declared",
        &format!(
            "issuer.hosts {}, no longer needed",
            line("issuer \"hosts\"")
        ),
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

#[test]
fn what_was_given_behind_remits_back_is_told() {
    let namespace = shared().namespace("access-drift");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let server = shared();
    server.write(
        &namespace,
        "sys/policies/acl/generous",
        &json!({ "policy": "path \"sys/*\" { capabilities = [\"update\", \"sudo\"] }" }),
    );
    let (_, entity) = server.get(&namespace, "identity/entity/name/remit-triage");
    let policies = entity["data"]["policies"].as_array().unwrap().clone();
    let with = |name: &str| {
        let mut all = policies.clone();
        all.push(json!(name));
        json!({ "policies": all })
    };
    server.write(
        &namespace,
        "identity/entity/name/remit-triage",
        &with("generous"),
    );
    let [change] = changes(&workspace).try_into().unwrap();
    assert_eq!(rows(&change, "gained"), []);
    let given = [row("sudo,update", "sys/*", "surely")];
    assert_eq!(rows(&change, "drifted"), given);
    assert_eq!(rows(&change, "lost"), given);
    let who = workspace.expect(0, &["access", "--who-can", "update sys/mounts/x"]);
    assert_eq!(
        who.stdout,
        "identity.triage: yes\n  vault_entity `remit-triage`\n    policy `generous` (not declared here)\n      path \"sys/*\"\n"
    );
    workspace.expect(0, &["access", IDENTITY, "--can", "update sys/mounts/x"]);

    // A policy that isn't there gives nothing.
    server.write(
        &namespace,
        "identity/entity/name/remit-triage",
        &with("later"),
    );
    assert_eq!(changes(&workspace), Vec::<Json>::new());
    let no = workspace.expect(2, &["access", IDENTITY, "--can", "update sys/mounts/x"]);
    assert!(no.stdout.contains("identity.triage: no"), "{}", no.stdout);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let no = workspace.expect(2, &["access", IDENTITY, "--can", "update sys/mounts/x"]);
    assert!(
        no.stdout
            .starts_with("identity.triage: no, no rule matches the path\n"),
        "{}",
        no.stdout
    );

    // What a group gives, and the group that it is in, and what remit can't take back.
    let id = entity["data"]["id"].as_str().unwrap();
    let group = |name: &str, more: Json| {
        let mut body = json!({ "name": name });
        let all = body.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        let made = server.write(&namespace, "identity/group", &body);
        made["data"]["id"].as_str().unwrap().to_owned()
    };
    let inner = group("inner", json!({ "member_entity_ids": [id] }));
    let shown = workspace.expect(0, &["plan"]).stdout;
    assert!(!shown.contains("ACCESS"), "an empty group: {shown}");
    group(
        "outer",
        json!({ "member_group_ids": [inner], "policies": ["Generous "] }),
    );
    let stays = "sudo, update  sys/*  policy generous (not declared here)  was given outside remit, and stays\n";
    // To record it would make it ours, and a rule is against it.
    for arguments in [["apply", "--auto-approve"], ["plan", "--out=p.plan"]] {
        let stopped = workspace.expect(4, &arguments).stdout;
        assert!(stopped.contains("error RMT201 admin-scope"), "{stopped}");
        assert!(stopped.contains(stays), "{stopped}");
    }
    let yes = workspace.expect(0, &["access", IDENTITY, "--can", "update sys/mounts/x"]);
    assert!(
        yes.stdout.contains("policy `generous`") && yes.stdout.contains("`outer`"),
        "{}",
        yes.stdout
    );
    // Who is in an external group, each login decides.
    let external = group(
        "external",
        json!({ "type": "external", "policies": ["any"] }),
    );
    assert!(!external.is_empty());
    let no = workspace.expect(2, &["access", IDENTITY, "--can", "update kv/x"]);
    assert!(no.stdout.contains("identity.triage: no"), "{}", no.stdout);
}

/// A policy that a group of somebody else's gives to another identity reaches that one, too.
#[test]
fn what_a_group_passes_on_is_told() {
    let other = CONFIGURATION.find("agent \"triage\"").unwrap();
    let other = CONFIGURATION[other..]
        .replace("\"triage\"", "\"batch\"")
        .replace("agent.triage", "agent.batch")
        .replace("scope \"read\"", "scope \"batch\"")
        .replace("scope.read", "scope.batch")
        .replace("kv/data/invoices/*", "kv/data/batch");
    // A policy of its own for each identity, so that the plan names who holds it.
    let own = "kv/data/${identity.environment}/invoices/*";
    let text = format!("{CONFIGURATION}{other}").replace("kv/data/invoices/*", own);
    let namespace = shared().namespace("access-group");
    let workspace = Workspace::new(&text).at(shared(), &namespace);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let server = shared();
    let (_, entity) = server.get(&namespace, "identity/entity/name/remit-batch");
    let (_, triage) = server.get(&namespace, "identity/entity/name/remit-triage");
    let held = triage["data"]["policies"].as_array().unwrap();
    let is_own = |one: &&Json| one.as_str().unwrap().starts_with("remit-read-");
    let policy = held.iter().find(is_own).unwrap();
    server.write(
        &namespace,
        "identity/group",
        &json!({
            "name": "passes",
            "policies": [policy],
            "member_entity_ids": [entity["data"]["id"]],
        }),
    );
    workspace.expect(0, &["apply", "--auto-approve"]);
    let wider = text.replace("/invoices/*", "/*");
    workspace.write("main.remit.hcl", &wider);
    let changes = changes(&workspace);
    let who: Vec<_> = changes.iter().map(|one| &one["identity"]).collect();
    assert_eq!(who, ["identity.batch", "identity.triage"], "{changes:?}");
    for change in &changes {
        assert_eq!(
            rows(change, "gained"),
            [row("read", "kv/data/prod/*", "surely")]
        );
    }
}

#[test]
fn a_login_that_somebody_moved_is_followed() {
    let namespace = shared().namespace("access-moved");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let server = shared();
    server.write(
        &namespace,
        "sys/policies/acl/generous",
        &json!({ "policy": "path \"sys/*\" { capabilities = [\"update\", \"sudo\"] }" }),
    );
    let other = json!({ "name": "other", "policies": ["generous"] });
    let other = server.write(&namespace, "identity/entity", &other);
    let (_, entity) = server.get(&namespace, "identity/entity/name/remit-triage");
    let alias = &entity["data"]["aliases"][0];
    server.write(
        &namespace,
        &format!("identity/entity-alias/id/{}", alias["id"].as_str().unwrap()),
        &json!({
            "name": alias["name"],
            "mount_accessor": alias["mount_accessor"],
            "canonical_id": other["data"]["id"],
        }),
    );
    let yes = workspace.expect(0, &["access", IDENTITY, "--can", "update sys/mounts/x"]);
    assert!(yes.stdout.contains("other"), "{}", yes.stdout);
    let [change] = changes(&workspace).try_into().unwrap();
    let given = row("sudo,update", "sys/*", "surely");
    assert!(rows(&change, "drifted").contains(&given), "{change}");
    workspace.expect(0, &["apply", "--auto-approve"]);
    workspace.expect(2, &["access", IDENTITY, "--can", "update sys/mounts/x"]);
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let namespace = shared().namespace("access-questions");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    let nobody = workspace.expect(1, &["access", IDENTITY]);
    assert!(
        nobody.stderr.contains("no such identity is live"),
        "{}",
        nobody.stderr
    );
    workspace.expect(0, &["apply", "--auto-approve"]);
    for request in ["read", "reed kv/x", "read kv/*", "read "] {
        let refused = workspace.expect(1, &["access", IDENTITY, "--can", request]);
        assert!(
            refused.stderr.contains("request not understood"),
            "{}",
            refused.stderr
        );
        assert!(refused.stdout.is_empty());
    }
    let shown = workspace.expect(0, &["access", "--json"]).stdout;
    let all: Json = serde_json::from_str(&shown).unwrap();
    assert_eq!(all[0]["identity"], IDENTITY);
    assert_eq!(all[0]["permissions"].as_array().unwrap().len(), 5);
}

/// A policy that the server takes and remit doesn't understand is looked at by no rule, and that is said.
#[test]
fn what_can_not_be_evaluated_is_skipped_and_not_passed() {
    let namespace = shared().namespace("access-unknown");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let wider = CONFIGURATION.replace("[\"read\"]", "[\"read\", \"list\"]");
    workspace.write("main.remit.hcl", &wider);
    let said = "all that the policy `odd` allows, which can't be evaluated: RMT106 in part, RMT201 in \
                part, RMT202 in part";
    let shown = words(&workspace.expect(0, &["plan"]).stdout);
    assert!(!shown.contains("can't be evaluated"), "{shown}");
    let server = shared();
    let odd = "path \"kv/x\" {\n  capabilities = [\"update\"]\n  allowed_parameters = { \"a\" = [[\"b\"]] }\n}";
    server.write(
        &namespace,
        "sys/policies/acl/odd",
        &json!({ "policy": odd }),
    );
    let (_, entity) = server.get(&namespace, "identity/entity/name/remit-triage");
    let group = json!({ "policies": ["odd"], "member_entity_ids": [entity["data"]["id"]] });
    server.write(&namespace, "identity/group/name/g", &group);
    let shown = words(&workspace.expect(0, &["plan"]).stdout);
    assert!(shown.contains(said), "{shown}");
}
