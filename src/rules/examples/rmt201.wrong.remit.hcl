scope "policies" {
  description = "Keep policies"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "sys/policies/acl/*"
    capabilities = ["create", "update", "sudo"]
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.policies]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}
