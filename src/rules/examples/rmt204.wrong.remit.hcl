scope "reports_write" {
  description = "Write reports"
  domain      = "billing"
  risk        = "low"

  grant "vault" {
    path         = "kv/data/${identity.environment}/reports/*"
    capabilities = ["create", "update"]
  }
}
