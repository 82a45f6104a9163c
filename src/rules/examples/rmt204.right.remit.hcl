scope "reports_write" {
  description = "Write reports"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "kv/data/${identity.environment}/reports/*"
    capabilities = ["create", "update"]
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.reports_write]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
