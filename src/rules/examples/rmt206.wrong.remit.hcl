scope "orders" {
  description = "Use the database of orders"
  domain      = "orders"
  risk        = "low"

  grant "vault" {
    path         = "database/static-creds/orders"
    capabilities = ["read"]
  }
}

identity "orders_triage" {
  agent       = agent.triage
  environment = environment.prod
  domain      = "orders"
  scopes      = [scope.orders]

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
  scopes      = [scope.orders]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
