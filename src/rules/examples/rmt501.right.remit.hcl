resource "vault_policy" "legacy" {
  name = "remit-legacy"
  policy = <<-EOT
    path "kv/data/legacy/*" {
      capabilities = ["read"]
    }
  EOT
}
