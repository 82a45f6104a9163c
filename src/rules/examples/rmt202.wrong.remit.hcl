scope "logins" {
  description = "Keep a login role"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "auth/cluster/role/remit-operator"
    capabilities = ["update"]
  }
}

scope "rules" {
  description = "Keep one policy"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "sys/policies/acl/remit-rules"
    capabilities = ["update"]
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.logins]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}

identity "operator" {
  agent       = agent.triage
  environment = environment.staging
  domain      = "billing"
  scopes      = [scope.rules]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "operator"
  }
}
