# The plan removes the database role `reports` of the mount `db`, and its leases are revoked:
# `bao lease revoke -prefix db/creds/reports`.
