//! HashiCorp Vault and OpenBao.
