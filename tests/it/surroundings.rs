//! What rules say of what stands around the objects of a real server.

use serde_json::json;

use crate::access::CONFIGURATION;
use crate::live::server::{Server, Storage};
use crate::live::shared;
use crate::support::words;
use crate::support::workspace::Workspace;

#[test]
fn a_server_that_records_nothing_is_told() {
    let server = Server::with_audit(Storage::Memory, "");
    let mut workspace = Workspace::new(CONFIGURATION).at(&server, "");
    let told = workspace.expect(4, &["plan"]).stdout;
    assert!(
        told.contains("error RMT503 no-audit main.remit.hcl:2"),
        "{told}"
    );
    assert!(told.contains("vault has no audit device"), "{told}");

    // Who may not look doesn't know, and says so.
    let all =
        "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\"] }";
    server.write("", "sys/policies/acl/all", &json!({ "policy": all }));
    let made = server.write("", "auth/token/create", &json!({ "policies": ["all"] }));
    workspace.set("BAO_TOKEN", made["auth"]["client_token"].as_str().unwrap());
    let told = workspace.expect(0, &["plan"]).stdout;
    assert!(!told.contains("vault has no audit device"), "{told}");
    let skipped =
        "the audit devices of vault, which take `read` and `sudo` on `sys/audit`: RMT503 in part";
    assert!(told.contains(skipped), "{told}");
}

#[test]
fn a_namespace_tells_nothing_of_audit_devices() {
    let namespace = shared().namespace("recorded");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    let told = workspace.expect(0, &["plan"]).stdout;
    let skipped =
        "the audit devices of vault, which are told in the root namespace only: RMT503 in part";
    assert!(told.contains(skipped), "{told}");
}

#[test]
fn a_person_who_logs_in_as_an_agent_is_told() {
    let namespace = shared().namespace("people");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let server = shared();
    server.write(
        &namespace,
        "sys/auth/people",
        &json!({ "type": "userpass" }),
    );
    let (_, mounts) = server.get(&namespace, "sys/auth");
    let (_, entity) = server.get(&namespace, "identity/entity/name/remit-triage");
    server.write(
        &namespace,
        "identity/entity-alias",
        &json!({
            "name": "someone",
            "canonical_id": entity["data"]["id"],
            "mount_accessor": mounts["data"]["people/"]["accessor"],
        }),
    );
    let told = workspace.expect(0, &["plan"]).stdout;
    let found = "by vault_entity_alias `auth/people/alias/someone` (userpass) a person has what an agent's \
                 entity in vault may do";
    assert!(told.contains("error RMT504 human-use"), "{told}");
    assert!(words(&told).contains(found), "{told}");
}

/// What somebody made longer is put back whatever else is wrong; making it longer oneself is stopped.
#[test]
fn a_shorter_life_is_not_stopped_by_a_rule() {
    let namespace = shared().namespace("shorter-life");
    let workspace = Workspace::new(CONFIGURATION).at(shared(), &namespace);
    workspace.expect(0, &["apply", "--auto-approve"]);
    let server = shared();
    let role = "auth/remit-hosts/role/remit-triage";
    let (_, before) = server.get(&namespace, role);
    let longer = json!({ "token_ttl": 86_400, "token_max_ttl": 172_800 });
    server.write(&namespace, role, &longer);
    let stray = json!({ "policy": "path \"x\" { capabilities = [\"read\"] }" });
    server.write(&namespace, "sys/policies/acl/remit-stray", &stray);
    let told = workspace.expect(0, &["apply", "--auto-approve"]);
    assert!(told.stdout.contains("error RMT501"), "{told:?}");
    let (_, after) = server.get(&namespace, role);
    for name in ["token_ttl", "token_max_ttl"] {
        assert_eq!(after["data"][name], before["data"][name], "{name}");
    }
    let longer = CONFIGURATION.replace(
        "  workload {",
        "  session {\n    ttl = \"50m\"\n  }\n  workload {",
    );
    workspace.write("main.remit.hcl", &longer);
    let stopped = workspace.expect(4, &["plan"]);
    let why = "more than take away (token_ttl of identity.triage/vault_approle_role changes)";
    assert!(words(&stopped.stderr).contains(why), "{stopped:?}");
}
