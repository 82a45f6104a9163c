identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "default"
  }
}
