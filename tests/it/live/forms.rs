//! The forms people write things in, where the server gives them back in another.

use super::Stage;

const FORMS: &str = r#"
environment "prod" { tier = "production" }
owner "o" { contact = "o@example.com" }
agent "a" {
  owner   = owner.o
  purpose = "p"
}
issuer "hosts" { type = "approle" }
resource "vault_policy" "zone" {
  name       = "zone"
  policy     = "path \"kv/a\" {\n  capabilities = [\"read\"]\n}\n"
  expiration = "2090-01-01T01:00:00+01:00"
}
resource "vault_policy" "fraction" {
  name       = "fraction"
  policy     = "path \"kv/a\" {\n  capabilities = [\"read\"]\n}\n"
  expiration = "2090-01-01T00:00:00.250Z"
}
resource "vault_secrets_mount" "db" {
  path                        = "db"
  type                        = "database"
  audit_non_hmac_request_keys = [" b\t", "a"]
}
resource "vault_database_connection" "c" {
  mount                    = vault_secrets_mount.db.path
  name                     = "c"
  plugin_name              = "postgresql-database-plugin"
  connection_url           = "postgresql://{{username}}:{{password}}@127.0.0.1:1/x"
  verify_connection        = false
  allowed_roles            = ["statements\n", "key", "identity-orders"]
  root_rotation_statements = [" SELECT 1;\n"]
}
resource "vault_database_role" "statements" {
  mount                 = vault_secrets_mount.db.path
  name                  = "statements"
  db_name               = vault_database_connection.c.name
  creation_statements   = [
    <<-SQL
      CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}';
      GRANT SELECT ON orders TO "{{name}}";
    SQL
  ]
  revocation_statements = ["\tDROP ROLE x", "SELECT 1 \n"]
  rollback_statements   = ["SELECT 1\r\n"]
  renew_statements      = ["\u00a0SELECT 1"]
}
resource "vault_database_role" "key" {
  mount             = vault_secrets_mount.db.path
  name              = "key"
  db_name           = vault_database_connection.c.name
  credential_type   = "rsa_private_key"
  credential_config = { key_bits = 3072 }
}
scope "orders" {
  description = "d"
  domain      = "billing"
  risk        = "low"
  grant "database" {
    mount      = vault_secrets_mount.db.path
    connection = vault_database_connection.c.name
    statements = [
      <<-SQL
        CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}';
      SQL
    ]
  }
}
identity "i" {
  agent       = agent.a
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.orders]
  workload { issuer = issuer.hosts }
}
"#;

#[test]
fn what_the_server_gives_back_otherwise_is_no_change() {
    let mut stage = Stage::new(FORMS);
    stage.converge();
    // And what is another, is one.
    stage.edit("key_bits = 3072", "key_bits = 4096");
    stage.edit("01:00:00+01:00", "01:00:00+02:00");
    stage.edit("SELECT ON orders", "UPDATE ON orders");
    let changed: Vec<String> = stage
        .plan()
        .changes
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        changed,
        [
            "vault_database_role.key/vault_database_role",
            "vault_database_role.statements/vault_database_role",
            "vault_policy.zone/vault_policy",
        ]
    );
    stage.converge();
    stage.destroy();
}
