//! A server that quotes the secret it was sent, or was sent earlier, when it says why it refuses.

use serde_json::json;

use super::shared;
use crate::support::canary;
use crate::support::workspace::{Output, Workspace};

/// OpenBao takes what stands before the slash for a port, and quotes it.
const SECRET: &str = "c4n4ry9quoted/c4n4ry9behind";

const CONNECTION: &str = r#"
provider "vault" {}
resource "vault_secrets_mount" "db" {
  path = "db"
  type = "database"
}
resource "vault_database_connection" "c" {
  mount             = vault_secrets_mount.db.path
  name              = "c"
  plugin_name       = "postgresql-database-plugin"
  connection_url    = "postgresql://{{username}}:{{password}}@127.0.0.1:1/shop"
  username          = "maker"
  password          = env("QUOTED_PASSWORD")
  password_version  = 1
  disable_escaping  = true
  verify_connection = true
  allowed_roles     = ["r"]
}
"#;

const PARTLY: i32 = 5;

fn told_nothing(what: &str, workspace: &Workspace, output: &Output) {
    for piece in SECRET.split('/') {
        for text in [&output.stdout, &output.stderr] {
            assert_eq!(canary::in_text(piece, text), None, "{what}: {text}");
        }
        let files = canary::in_folder(piece, workspace.path());
        assert!(files.is_empty(), "{what}: {files:?}");
    }
}

#[test]
fn what_a_server_quotes_of_a_secret_is_not_told() {
    let namespace = shared().namespace("quoted");
    let mut space = Workspace::new(CONNECTION).at(shared(), &namespace);
    space.set("QUOTED_PASSWORD", SECRET);
    // So it does quote it.
    shared().write(&namespace, "sys/mounts/other", &json!({"type": "database"}));
    let body = json!({"plugin_name": "postgresql-database-plugin", "username": "maker",
        "connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/shop",
        "password": SECRET, "disable_escaping": true});
    let (status, answer) = shared().post(&namespace, "other/config/c", &body);
    assert_eq!(status, 400, "{answer}");
    assert!(
        canary::in_text("c4n4ry9quoted", &answer.to_string()).is_some(),
        "{answer}"
    );

    for arguments in [
        &["apply", "--auto-approve"][..],
        &["apply", "--auto-approve", "--json"],
    ] {
        let output = space.remit(arguments);
        assert_eq!(output.code, Some(PARTLY), "{output:?}");
        told_nothing("as it is sent", &space, &output);
        let told = format!("{}{}", output.stdout, output.stderr);
        assert!(
            told.contains("400") && told.contains("is not shown"),
            "{told}"
        );
    }
    // Sent earlier: the server tries the connection again with what it keeps.
    let unseen = CONNECTION.replace("verify_connection = true", "verify_connection = false");
    space.write("main.remit.hcl", &unseen);
    space.expect(0, &["apply", "--auto-approve"]);
    space.write("main.remit.hcl", &CONNECTION.replace("[\"r\"]", "[\"s\"]"));
    let output = space.remit(&["apply", "--auto-approve", "--json"]);
    assert_eq!(output.code, Some(PARTLY), "{output:?}");
    told_nothing("as it was sent earlier", &space, &output);
    let told = format!("{}{}", output.stdout, output.stderr);
    assert!(told.contains("invalid port (not shown)"), "{told}");
}

#[test]
fn an_empty_secret_is_refused_before_anything_is_written() {
    let namespace = shared().namespace("empty-secret");
    let text = CONNECTION.replace("verify_connection = true", "verify_connection = false");
    let mut space = Workspace::new(&text).at(shared(), &namespace);
    space.set("QUOTED_PASSWORD", "");
    let output = space.expect(1, &["apply", "--auto-approve"]);
    assert!(output.stderr.contains("is set and empty"), "{output:?}");
    let sensitive = "variable \"pw\" {\n  type      = string\n  sensitive = true\n}\n";
    space.write(
        "main.remit.hcl",
        &format!(
            "{sensitive}{}",
            text.replace("env(\"QUOTED_PASSWORD\")", "var.pw")
        ),
    );
    space.set("REMIT_VAR_pw", "");
    let output = space.expect(1, &["apply", "--auto-approve"]);
    assert!(output.stderr.contains("its value is empty"), "{output:?}");
    let (_, mounts) = shared().get(&namespace, "sys/mounts");
    assert!(mounts["data"]["db/"].is_null(), "{mounts}");
    // One that lives in the server.
    shared().write(&namespace, "sys/mounts/kv", &json!({"type": "kv"}));
    shared().write(&namespace, "kv/shop", &json!({"password": ""}));
    let kept = text.replace(
        "env(\"QUOTED_PASSWORD\")",
        "vault(\"kv/shop\", \"password\")",
    );
    space.write("main.remit.hcl", &kept);
    let output = space.expect(PARTLY, &["apply", "--auto-approve"]);
    let told = format!("{}{}", output.stdout, output.stderr);
    assert!(told.contains("no text in the field `password`"), "{told}");
    let (status, _) = shared().get(&namespace, "db/config/c");
    assert_eq!(status, 404);
}
