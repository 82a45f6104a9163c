variable "database_password" {
  type    = string
  default = "n0t-a-real-passw0rd"
}
