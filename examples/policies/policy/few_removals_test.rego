package remit.few_removals_test

import data.remit.few_removals as policy

change(number, actions, part) := {
	"change": {"actions": actions},
	"remit": {"declaration": sprintf("identity.agent[\"%d\"]", [number]), "part": part},
}

plan(numbers, actions, part) := {"resource_changes": [change(number, actions, part) |
	some number in numbers
]}

test_four if {
	some finding in policy.deny with input as plan([1, 2, 3, 4], ["delete"], null)
	startswith(finding.msg, "4 identities")
}

test_three if count(policy.deny) == 0 with input as plan([1, 2, 3], ["delete"], null)

test_made_anew if {
	count(policy.deny) == 0 with input as plan([1, 2, 3, 4], ["delete", "create"], null)
}

test_parts if count(policy.deny) == 0 with input as plan([1, 2, 3, 4], ["delete"], "scope.a")

test_scopes if {
	changes := [object.union(change(number, ["delete"], null), {"remit": {"declaration": "scope.a"}}) |
		some number in [1, 2, 3, 4]
	]
	count(policy.deny) == 0 with input as {"resource_changes": changes}
}
