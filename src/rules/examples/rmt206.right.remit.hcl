scope "orders_sorting" {
  description = "Use the database of orders"
  domain      = "orders"
  risk        = "low"

  grant "vault" {
    path         = "database/static-creds/sorting"
    capabilities = ["read"]
  }
}

scope "orders_reporting" {
  description = "Use the database of orders"
  domain      = "orders"
  risk        = "low"

  grant "vault" {
    path         = "database/static-creds/reporting"
    capabilities = ["read"]
  }
}

identity "orders_triage" {
  agent       = agent.triage
  environment = environment.prod
  domain      = "orders"
  scopes      = [scope.orders_sorting]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "orders-triage"
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "orders"
  scopes      = [scope.orders_reporting]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
