//! remit's own login: by AppRole and by JWT, with a token that is renewed while a run takes longer
//! than it lives, and revoked at its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::live::contract::EVERYTHING;
use crate::live::shared;
use crate::support::keys::Keys;
use crate::support::proxy::{Fault, Proxy, Rule};
use crate::support::workspace::Workspace;

const ISSUER: &str = "https://ci.example.com";
/// Shorter than the apply behind a slow proxy takes.
const TTL_SECONDS: u64 = 4;

/// How much later each answer comes.
const DELAY: Duration = Duration::from_millis(150);

fn prepare(namespace: &str) {
    shared().namespace(namespace);
    let everything = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"sudo\"] }";
    shared().write(
        namespace,
        "sys/policies/acl/deployer",
        &json!({"policy": everything}),
    );
}

/// Accessors of tokens that the namespace's logins gave and that still live.
fn tokens(namespace: &str) -> usize {
    let (_, answer) = shared().list(namespace, "auth/token/accessors");
    answer
        .pointer("/data/keys")
        .and_then(Json::as_array)
        .map_or(0, Vec::len)
}

fn apply_slowly(namespace: &str, login: &str, secrets: &[(&str, &str)]) {
    let slow = Proxy::start(
        &shared().address(),
        vec![Rule::on(
            "",
            "",
            Fault::Meanwhile(Arc::new(|| std::thread::sleep(DELAY))),
        )],
    );
    let text = format!("provider \"vault\" {{\n{login}}}\n{EVERYTHING}");
    let mut workspace = Workspace::new(&text);
    workspace.set("BAO_ADDR", &slow.address());
    workspace.set("BAO_NAMESPACE", namespace);
    workspace.set("CONTRACT_PASSWORD", "c4n4ry-login");
    let refused = workspace.remit(&["plan"]);
    assert_eq!(
        refused.code,
        Some(1),
        "without its secret: {}",
        refused.stderr
    );
    for (name, value) in secrets {
        workspace.set(name, value);
    }
    let before = tokens(namespace);
    let started = std::time::Instant::now();
    workspace.expect(0, &["apply", "--auto-approve", "--parallelism", "1"]);
    assert!(
        started.elapsed().as_secs() > TTL_SECONDS,
        "too fast to need a renewal"
    );
    workspace.expect(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(tokens(namespace), before, "a token of a run outlives it");
}

#[test]
fn by_approle() {
    let namespace = "login-approle";
    prepare(namespace);
    shared().write(namespace, "sys/auth/deploy", &json!({"type": "approle"}));
    let role =
        json!({"token_policies": ["deployer"], "token_ttl": TTL_SECONDS, "token_max_ttl": 600});
    shared().write(namespace, "auth/deploy/role/remit", &role);
    let (_, id) = shared().get(namespace, "auth/deploy/role/remit/role-id");
    let secret = shared().write(namespace, "auth/deploy/role/remit/secret-id", &json!({}));
    let login = format!(
        "  login \"approle\" {{\n    mount = \"deploy\"\n    role_id = {}\n    secret_id_env = \"SECRET_ID\"\n  }}\n",
        id["data"]["role_id"]
    );
    let secret = secret["data"]["secret_id"].as_str().unwrap();
    apply_slowly(namespace, &login, &[("SECRET_ID", secret)]);
}

#[test]
fn by_jwt() {
    let namespace = "login-jwt";
    prepare(namespace);
    let keys = Keys::generate();
    shared().write(namespace, "sys/auth/ci", &json!({"type": "jwt"}));
    let config = json!({"jwt_validation_pubkeys": [keys.public_pem], "bound_issuer": ISSUER, "jwt_supported_algs": ["ES256"]});
    shared().write(namespace, "auth/ci/config", &config);
    let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "pipeline",
        "bound_audiences": ["remit"], "token_policies": ["deployer"], "token_ttl": TTL_SECONDS, "token_max_ttl": 600});
    shared().write(namespace, "auth/ci/role/remit", &role);
    let login = "  login \"jwt\" {\n    mount = \"ci\"\n    role = \"remit\"\n    token_env = \"CI_JWT\"\n  }\n";
    let token = keys.sign(ISSUER, "pipeline", "remit", 300, &json!({}));
    apply_slowly(namespace, login, &[("CI_JWT", &token)]);
}
