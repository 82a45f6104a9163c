agent "mailer" {
  owner     = owner.payments
  purpose   = "Reminds customers of unpaid invoices"
  review_by = "2027-03-31"
}
