scope "salaries_read" {
  description = "Read salaries"
  domain      = "staff"
  risk        = "low"

  grant "vault" {
    path         = "kv/data/${identity.environment}/salaries/*"
    capabilities = ["read"]
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read, scope.salaries_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
