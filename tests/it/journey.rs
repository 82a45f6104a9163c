//! From an empty OpenBao and an empty PostgreSQL to agents that log in with their workload's
//! identity and can do what their scopes say and nothing else; then back to nothing.

use serde_json::{Value as Json, json};

use crate::live::shared;
use crate::support::keys::Keys;
use crate::support::postgres::Postgres;
use crate::support::workspace::Workspace;
use crate::support::{canary, words};

const ISSUER: &str = "https://issuer.example.com";

const CONFIGURATION: &str = r#"
provider "vault" {}

owner "payments" {
  contact = "payments@example.com"
}
environment "prod" {
  tier = "production"
}
environment "staging" {
  tier = "staging"
}
issuer "ci" {
  type        = "oidc"
  url         = "https://issuer.example.com"
  audience    = ["openbao"]
  public_keys = [file("public.pem")]
}
issuer "hosts" {
  type = "approle"
}
agent "triage" {
  owner    = owner.payments
  purpose  = "Sort incoming invoices"
  autonomy = "supervised"
}
agent "batch" {
  owner   = owner.payments
  purpose = "Sort what came in over night"
}
scope "invoices_read" {
  description = "Read invoice documents"
  domain      = "billing"
  risk        = "low"
  grant "vault" {
    path         = "kv/data/${identity.environment}/invoices/*"
    capabilities = ["read"]
  }
}
scope "orders_read" {
  description = "Read orders"
  domain      = "billing"
  risk        = "medium"
  grant "database" {
    mount      = vault_secrets_mount.database.path
    connection = vault_database_connection.shop.name
    statements = [
      "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
      "GRANT SELECT ON orders TO \"{{name}}\"",
    ]
    revocation_statements = [
      "REVOKE ALL ON orders FROM \"{{name}}\"",
      "DROP ROLE IF EXISTS \"{{name}}\"",
    ]
    ttl     = "15m"
    max_ttl = "1h"
  }
}
identity "triage" {
  for_each    = { prod = environment.prod, staging = environment.staging }
  agent       = agent.triage
  environment = each.value
  domain      = "billing"
  scopes      = [scope.invoices_read, scope.orders_read]
  workload {
    issuer  = issuer.ci
    subject = "triage:${each.key}"
  }
}
identity "batch" {
  agent       = agent.batch
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]
  workload {
    issuer             = issuer.hosts
    secret_id_num_uses = 1
  }
}
resource "vault_secrets_mount" "kv" {
  path    = "kv"
  type    = "kv"
  options = { version = "2" }
}
resource "vault_secrets_mount" "database" {
  path = "database"
  type = "database"
}
resource "vault_database_connection" "shop" {
  mount                   = vault_secrets_mount.database.path
  name                    = "shop"
  plugin_name             = "postgresql-database-plugin"
  connection_url          = "postgresql://{{username}}:{{password}}@127.0.0.1:PORT/shop?sslmode=disable"
  username                = "postgres"
  password                = env("PG_PASSWORD")
  password_version        = 1
  password_authentication = "scram-sha-256"
}
"#;

/// One agent's view of the server.
struct Agent<'a> {
    namespace: &'a str,
    token: String,
}

impl Agent<'_> {
    fn request(&self, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        shared().request(method, path, self.namespace, &self.token, body)
    }

    fn status(&self, method: &str, path: &str) -> u16 {
        let body = (method == "POST").then(|| json!({"data": {"x": "y"}}));
        self.request(method, path, body.as_ref()).0
    }

    /// The policies that hold, the token's and the entity's.
    fn policies(&self) -> Vec<String> {
        let (status, answer) = self.request("GET", "auth/token/lookup-self", None);
        assert_eq!(status, 200, "{answer}");
        let mut all: Vec<String> = ["policies", "identity_policies"]
            .iter()
            .filter_map(|name| answer["data"][name].as_array())
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        all.sort();
        all
    }
}

fn login<'a>(namespace: &'a str, role: &str, token: &str) -> Result<Agent<'a>, u16> {
    let body = json!({"role": role, "jwt": token});
    let (status, answer) =
        shared().request("POST", "auth/remit-ci/login", namespace, "", Some(&body));
    match answer["auth"]["client_token"].as_str() {
        Some(token) => Ok(Agent {
            namespace,
            token: token.to_owned(),
        }),
        None => Err(status),
    }
}

#[test]
fn from_nothing_to_agents_that_work_and_back() {
    let (keys, stranger) = (Keys::generate(), Keys::generate());
    let database = Postgres::start();
    database
        .admin("shop", "CREATE TABLE orders (id int); INSERT INTO orders VALUES (7); CREATE TABLE salaries (id int)")
        .unwrap();
    let namespace = shared().namespace("journey");
    let text = CONFIGURATION.replace("PORT", &database.port.to_string());
    let mut workspace = Workspace::new(&text).at(shared(), &namespace);
    workspace.set("PG_PASSWORD", &database.password);
    workspace.write("public.pem", &keys.public_pem);

    let mut told = String::new();
    let mut run = |code: i32, arguments: &[&str]| {
        let output = workspace.expect(code, arguments);
        told.push_str(&output.stdout);
        told.push_str(&output.stderr);
        output
    };
    run(0, &["validate"]);
    run(
        2,
        &["plan", "--detailed-exitcode", "--out", "first.remitplan"],
    );
    // What is no file isn't replaced by one.
    let pipe = workspace.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    run(1, &["plan", "--out", "pipe"]);
    assert!(!pipe.symlink_metadata().unwrap().is_file());
    std::fs::remove_file(pipe).unwrap();
    run(0, &["apply", "first.remitplan"]);
    run(0, &["plan", "--detailed-exitcode"]);
    // A plan is applied once.
    run(1, &["apply", "first.remitplan"]);

    for path in ["prod/invoices/1", "staging/invoices/1", "prod/other"] {
        shared().write(
            &namespace,
            &format!("kv/data/{path}"),
            &json!({"data": {"x": "y"}}),
        );
    }

    // A workload's token: exactly its identity, nothing else.
    let sign = |subject: &str| keys.sign(ISSUER, subject, "openbao", 300, &json!({}));
    let role = "remit-triage-prod";
    let agent =
        login(&namespace, role, &sign("triage:prod")).unwrap_or_else(|status| panic!("{status}"));
    assert_eq!(
        agent.policies(),
        [
            "remit-invoices_read-triage-prod",
            "remit-orders_read",
            "remit-self"
        ]
    );
    assert_eq!(agent.status("GET", "kv/data/prod/invoices/1"), 200);
    for (method, path) in [
        ("GET", "kv/data/staging/invoices/1"),
        ("GET", "kv/data/prod/other"),
        ("POST", "kv/data/prod/invoices/1"),
        ("GET", "sys/mounts"),
        ("GET", "sys/policies/acl/remit-self"),
        ("POST", "auth/token/create"),
        ("GET", "database/config/shop"),
        ("GET", "identity/entity/name/remit-triage-prod"),
    ] {
        assert_eq!(agent.status(method, path), 403, "{method} {path}");
    }
    let refused = [
        ("another subject", sign("triage:staging")),
        (
            "another audience",
            keys.sign(ISSUER, "triage:prod", "elsewhere", 300, &json!({})),
        ),
        (
            "another issuer",
            keys.sign(
                "https://evil.example.com",
                "triage:prod",
                "openbao",
                300,
                &json!({}),
            ),
        ),
        (
            "expired",
            keys.sign(ISSUER, "triage:prod", "openbao", -3600, &json!({})),
        ),
        (
            "another key",
            stranger.sign(ISSUER, "triage:prod", "openbao", 300, &json!({})),
        ),
    ];
    for (what, token) in &refused {
        let status = login(&namespace, role, token).err();
        assert!(matches!(status, Some(400 | 403)), "{what}: {status:?}");
    }

    // A database user for the session: its one statement and no other.
    let (status, user) = agent.request("GET", "database/creds/remit-orders_read", None);
    assert_eq!(status, 200, "{user}");
    let name = user["data"]["username"].as_str().unwrap();
    let password = user["data"]["password"].as_str().unwrap();
    assert_eq!(
        database
            .execute(name, password, "SELECT id FROM orders")
            .unwrap(),
        "7"
    );
    for statement in [
        "INSERT INTO orders VALUES (8)",
        "DELETE FROM orders",
        "SELECT id FROM salaries",
        "CREATE ROLE other",
    ] {
        assert!(
            database.execute(name, password, statement).is_err(),
            "{statement}"
        );
    }

    // AppRole.
    let (_, secret) = shared().post(
        &namespace,
        "auth/remit-hosts/role/remit-batch/secret-id",
        &json!({}),
    );
    let body = json!({"role_id": "remit-batch", "secret_id": secret["data"]["secret_id"]});
    let (status, answer) = shared().request(
        "POST",
        "auth/remit-hosts/login",
        &namespace,
        "",
        Some(&body),
    );
    assert_eq!(status, 200, "{answer}");
    let batch = Agent {
        namespace: &namespace,
        token: answer["auth"]["client_token"].as_str().unwrap().to_owned(),
    };
    assert_eq!(
        batch.policies(),
        ["remit-invoices_read-HOLDER", "remit-self"].map(|name| {
            let live = "remit-invoices_read-batch";
            let found = batch
                .policies()
                .into_iter()
                .find(|one| one.starts_with(live))
                .unwrap_or_default();
            name.replace("remit-invoices_read-HOLDER", &found)
        })
    );
    assert_eq!(batch.status("GET", "kv/data/prod/invoices/1"), 200);
    assert_eq!(batch.status("GET", "database/creds/remit-orders_read"), 403);
    let (status, _) = shared().request(
        "POST",
        "auth/remit-hosts/login",
        &namespace,
        "",
        Some(&body),
    );
    assert_eq!(status, 400, "a secret-id that was used up");

    // Taking a scope away reaches tokens that are out already.
    let less = text.replace(
        "[scope.invoices_read, scope.orders_read]",
        "[scope.orders_read]",
    );
    workspace.write("main.remit.hcl", &less);
    run(0, &["apply", "--auto-approve"]);
    assert_eq!(agent.status("GET", "kv/data/prod/invoices/1"), 403);
    assert_eq!(agent.status("GET", "database/creds/remit-orders_read"), 200);

    // What a role gave out lives on without it.
    let without = text.replace(
        "[scope.invoices_read, scope.orders_read]",
        "[scope.invoices_read]",
    );
    workspace.write("main.remit.hcl", &without);
    let told = run(4, &["plan"]).stdout;
    let lives = "2 leases under `database/creds/remit-orders_read`: not revoked when \
                 vault_database_role `database/roles/remit-orders_read` in vault is removed";
    assert!(words(&told).contains(lives), "{told}");
    workspace.write("main.remit.hcl", &less);

    // And back to nothing: users of sessions that go on included.
    run(0, &["destroy", "--auto-approve"]);
    assert_eq!(agent.status("GET", "auth/token/lookup-self"), 403);
    for path in ["identity/entity/name", "identity/entity-alias/id"] {
        let (_, left) = shared().list(&namespace, path);
        assert!(
            left["data"]["keys"].as_array().is_none_or(Vec::is_empty),
            "{path}: {left}"
        );
    }
    let (_, policies) = shared().list(&namespace, "sys/policies/acl");
    assert_eq!(policies["data"]["keys"], json!(["default"]));
    let users = database
        .admin(
            "shop",
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'",
        )
        .unwrap();
    assert_eq!(users, "", "database users are left");

    // No secret in what remit left behind or said.
    for secret in [&database.password, &shared().token, &agent.token] {
        assert_eq!(
            canary::in_folder(secret, workspace.path()),
            Vec::<String>::new()
        );
        assert_eq!(canary::in_text(secret, &told), None);
    }
    assert!(
        !database.log().contains(password),
        "the database's log holds a password"
    );
}
