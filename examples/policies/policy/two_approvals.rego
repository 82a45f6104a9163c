# What is critical takes two people, whatever the scope itself asks for.
package remit.two_approvals

import data.lib.access

least := 2

# Whether some approval that the plan takes is by enough people who can give it.
is_approved_by_enough if {
	some approval in input.remit.approvals
	approval.required >= least
	count(approval.approvers) >= least
}

deny contains finding if {
	not is_approved_by_enough
	some [identity, gained] in access.gained_at("critical")
	finding := {
		"msg": sprintf("%s gains %s, which takes %d approvals", [
			identity,
			concat(", ", gained.actions),
			least,
		]),
		"address": identity,
		"help": sprintf("write `approval` with `required = %d` in %s", [
			least,
			concat(", ", gained.scopes),
		]),
	}
}
