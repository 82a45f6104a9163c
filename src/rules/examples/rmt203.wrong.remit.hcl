scope "refunds" {
  description = "Record refunds"
  domain      = "billing"
  risk        = "high"

  approval {
    required = 2
    from     = [owner.payments]
  }

  grant "vault" {
    path         = "kv/data/${identity.environment}/refunds/*"
    capabilities = ["create"]
  }
}

identity "cashier" {
  agent       = agent.triage
  environment = environment.staging
  domain      = "billing"
  scopes      = [scope.refunds]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "cashier"
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read, scope.refunds]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
