agent "mailer" {
  owner     = owner.payments
  purpose   = "TBD"
  review_by = "2025-03-31"
}
