# What an identity of production gains has to be known: a policy with a condition that nobody can
# decide beforehand may allow anything.
package remit.sure_access

import data.lib.access

warn contains finding if {
	some change in access.widening_in_production
	some gained in change.gained
	reason := gained.certainty.undecided
	finding := {
		"msg": sprintf("%s may gain %s: %s", [
			change.identity,
			concat(", ", gained.actions),
			reason,
		]),
		"address": change.identity,
	}
}
