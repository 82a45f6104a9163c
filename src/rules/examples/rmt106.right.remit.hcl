scope "archive_read" {
  description = "Read the archive"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "kv/data/${identity.environment}/archive/*"
    capabilities = ["read"]
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.staging
  domain      = "billing"
  scopes      = [scope.archive_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
