# Pods of a cluster log in with their service account's token and get database users that live for
# minutes.

provider "vault" {} # address and token come from BAO_ADDR and BAO_TOKEN

locals {
  statements = {
    create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
    drop   = "DROP ROLE IF EXISTS \"{{name}}\""
  }
}

owner "orders_team" {
  contact = "orders@example.com"

  # Who may approve a plan that gives more in production: put your own keys here.
  approvers = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN/xwer6DxT+GU+iHPAV9DSKN/kevmjJH+9kHcGUGWA9 approver-1",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBCojcJyTHZE9XPayDgusXC5QdmLHRtJD4gFvfpcnher approver-2",
  ]
}

environment "prod" {
  tier        = "production"
  max_session = "1h"
}

# The cluster vouches for its service accounts. Its API server publishes the keys; the file stands
# for them here, so that the example needs no cluster.
issuer "cluster" {
  type        = "kubernetes"
  url         = "https://kubernetes.default.svc.cluster.local"
  audience    = ["openbao"]
  public_keys = [file("example-issuer.pem")]
}

agent "order_summary" {
  owner   = owner.orders_team
  purpose = "Summarise yesterday's orders each morning"
}

agent "refund_clerk" {
  owner    = owner.orders_team
  purpose  = "Prepare refunds; a person releases each"
  autonomy = "supervised"
}

scope "orders_read" {
  description = "Read orders"
  domain      = "orders"
  risk        = "low"

  grant "database" {
    mount      = vault_secrets_mount.database.path
    connection = vault_database_connection.shop.name
    statements = [
      local.statements.create,
      "GRANT SELECT ON orders TO \"{{name}}\"",
    ]
    revocation_statements = [
      "REVOKE ALL ON orders FROM \"{{name}}\"",
      local.statements.drop,
    ]
    ttl     = "15m"
    max_ttl = "1h"
  }
}

scope "refunds_write" {
  description = "Insert rows into refunds"
  domain      = "orders"
  risk        = "high"

  grant "database" {
    mount      = vault_secrets_mount.database.path
    connection = vault_database_connection.shop.name
    statements = [
      local.statements.create,
      "GRANT SELECT ON orders TO \"{{name}}\"",
      "GRANT INSERT ON refunds TO \"{{name}}\"",
    ]
    revocation_statements = [
      "REVOKE ALL ON orders, refunds FROM \"{{name}}\"",
      local.statements.drop,
    ]
    ttl     = "5m"
    max_ttl = "15m"
  }
}

identity "order_summary" {
  agent       = agent.order_summary
  environment = environment.prod
  domain      = "orders"
  scopes      = [scope.orders_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents-prod"
    service_account = "order-summary"
  }

  session {
    bound_cidrs = ["10.20.0.0/16"]
  }
}

identity "refund_clerk" {
  agent       = agent.refund_clerk
  environment = environment.prod
  domain      = "orders"
  scopes      = [scope.refunds_write]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents-prod"
    service_account = "refund-clerk"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "vault_secrets_mount" "database" {
  path = "database"
  type = "database"
}

# The user that makes users. Its password is read from the environment while applying, and stands
# nowhere.
resource "vault_database_connection" "shop" {
  mount            = vault_secrets_mount.database.path
  name             = "shop"
  plugin_name      = "postgresql-database-plugin"
  connection_url   = "postgresql://{{username}}:{{password}}@db.example.com:5432/shop?sslmode=verify-full"
  username         = "remit_maker"
  password         = env("SHOP_PASSWORD")
  password_version = 1
}
