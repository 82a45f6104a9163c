environment "batch" {
  tier        = "production"
  max_session = "12h"
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.batch
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }

  session {
    ttl     = "15m"
    max_ttl = "8h"
  }
}
