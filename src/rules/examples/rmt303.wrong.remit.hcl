identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]
  expires_at  = "2025-12-31"

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "reporting"
  }
}

exception "old_audience" {
  rule        = "RMT107"
  applies_to  = identity.reporting
  reason      = "The old cluster has no service accounts of its own"
  approved_by = owner.payments
  expires_at  = "2025-12-31"
}
