issuer "people" {
  type     = "oidc"
  url      = "https://login.example.com"
  audience = ["vault.example.com"]
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.prod
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer  = issuer.people
    subject = "someone@example.com"
  }
}
