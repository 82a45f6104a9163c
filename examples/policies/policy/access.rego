# What the policies beside this file share: a library, since its package is not `remit`.
package lib.access

# What gives an identity of production more than it has, or makes a new one.
widening_in_production contains change if {
	some change in input.remit.access_changes
	change.tier == "production"
	change.widens
}

# What is gained at this risk: pairs of the change and what it gains.
gained_at(risk) := {[change.identity, gained] |
	some change in input.remit.access_changes
	some gained in change.gained
	gained.risk == risk
}
