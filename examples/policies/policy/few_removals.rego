# A plan that removes many identities at once is more often a mistake in a `for_each` than a wish.
package remit.few_removals

most := 3

# An identity is removed where the object that stands for it is: the one without a part. What is
# made anew is not removed.
removed contains change.remit.declaration if {
	some change in input.resource_changes
	change.change.actions == ["delete"]
	change.remit.part == null
	startswith(change.remit.declaration, "identity.")
}

deny contains finding if {
	count(removed) > most
	finding := {
		"msg": sprintf("%d identities are removed at once, and %d are the most: %s", [
			count(removed),
			most,
			concat(", ", removed),
		]),
		"help": "remove them in several plans, by --target",
	}
}
