# Who may do what, for how long, and who answers for it.

provider "vault" {} # address and token come from BAO_ADDR and BAO_TOKEN

provider "aws" { # credentials come by AWS's own chain
  region  = "eu-west-1"
  account = "123456789012" # pinned: a plan never runs against another account
}

owner "payments" {
  contact = "payments@example.com"
}

environment "prod" {
  tier = "production"
}

environment "staging" {
  tier = "staging"
}

# The system that vouches for workloads. A real one publishes its keys at a URL; the quickstart
# makes a key of its own and plays the issuer.
issuer "demo" {
  type        = "oidc"
  url         = "https://issuer.example.com"
  audience    = { vault = ["openbao"], aws = ["sts.amazonaws.com"] } # a token for one is no good at the other
  public_keys = [file("public.pem")]
}

agent "invoice_triage" {
  owner    = owner.payments
  purpose  = "Sort incoming invoices and flag those a person must see"
  autonomy = "supervised"
}

scope "invoices_read" {
  description = "Read invoice documents of one's own environment"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "kv/data/${identity.environment}/invoices/*"
    capabilities = ["read"]
  }

  grant "aws" {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::invoices-${identity.environment}/*"]
  }
}

identity "invoice_triage" {
  for_each    = { prod = environment.prod, staging = environment.staging }
  agent       = agent.invoice_triage
  environment = each.value
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer  = issuer.demo
    subject = "invoice-triage:${each.key}"
  }

  session {
    ttl     = "15m"
    max_ttl = "1h"
  }
}

# What a declaration can't say, a resource can: any kind, directly.
resource "vault_secrets_mount" "kv" {
  path    = "kv"
  type    = "kv"
  options = { version = "2" }
}

output "role" {
  description = "What the production agent is in AWS"
  value       = identity.invoice_triage["prod"].aws_role_arn
}

output "login" {
  description = "Where the production agent logs in, and as what"
  value       = "auth/${identity.invoice_triage["prod"].vault_mount}/login, role ${identity.invoice_triage["prod"].vault_role}"
}
