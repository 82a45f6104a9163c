issuer "ci" {
  type     = "oidc"
  url      = "https://ci.example.com"
  audience = ["vault.example.com"]
}

identity "sorter" {
  agent       = agent.triage
  environment = environment.staging
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer  = issuer.ci
    subject = "sorting-runner"
  }
}

identity "reporting" {
  agent       = agent.reporting
  environment = environment.staging
  domain      = "billing"
  scopes      = [scope.invoices_read]

  workload {
    issuer  = issuer.ci
    subject = "reporting-runner"
  }
}
