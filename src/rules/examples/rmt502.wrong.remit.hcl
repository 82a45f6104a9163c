# The plan removes the database role `reports` of the mount `db`, and two leases under
# `db/creds/reports` are in use.
