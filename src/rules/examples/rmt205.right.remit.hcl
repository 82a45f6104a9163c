agent "dunning" {
  owner    = owner.payments
  purpose  = "Writes reminders of unpaid invoices and sends them"
  autonomy = "autonomous"
  ceiling  = [scope.invoices_read]
}

identity "dunning" {
  agent       = agent.dunning
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer          = issuer.cluster
    namespace       = "agents"
    service_account = "dunning"
  }
}
