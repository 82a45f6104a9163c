# A rule about a field that isn't there is silent. So what the policies beside this file look at has
# to be there.
package remit.complete_plan

needed := {"access_changes", "approvals", "targets"}

deny contains sprintf("the plan has no remit.%s, which policies look at", [name]) if {
	some name in needed
	not is_there(name)
}

is_there(name) if name in object.keys(input.remit)
