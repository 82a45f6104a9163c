owner "assistants" {
  contact   = "assistants@example.com"
  approvers = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILHpkyRQW9MtoOH4Xc9eGaCdsEgeihX2LEHrMgMEqOkn assistants-1"]
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
