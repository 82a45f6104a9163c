provider "vault" {
  address = "https://vault.example.com:8200"
}

provider "aws" {
  region  = "eu-west-1"
  account = "123456789012"
}

owner "payments" {
  contact = "payments@example.com"
  approvers = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeTe2S4yqWPA3IbtrrPXHjLI1/r4OcLG4TNmVQUYaCO payments-1",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBY2eqy2ekoBfI2oq5VoLMs5CGN4D3EU3aCg4MVWRMfE payments-2",
  ]
}

environment "prod" {
  tier = "production"
}

environment "staging" {
  tier = "staging"
}

issuer "cluster" {
  type     = "kubernetes"
  url      = "https://cluster.example.com"
  audience = { vault = ["vault.example.com"], aws = ["sts.amazonaws.com"] }
}

agent "triage" {
  owner   = owner.payments
  purpose = "Sorts incoming invoices for the payments team"
}

agent "reporting" {
  owner   = owner.payments
  purpose = "Writes the monthly report on invoices"
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

identity "triage" {
  agent       = agent.triage
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "triage"
  }
}
