owner "assistants" {
  contact = "triage"
}

scope "refunds" {
  description = "Record refunds"
  domain      = "billing"
  risk        = "high"

  approval {
    required = 1
    from     = [owner.assistants]
  }

  grant "vault" {
    path         = "kv/data/${identity.environment}/refunds/*"
    capabilities = ["create"]
  }
}

identity "cashier" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.refunds]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "cashier"
  }
}
