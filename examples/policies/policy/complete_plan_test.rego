package remit.complete_plan_test

import data.remit.complete_plan as policy

test_all if {
	count(policy.deny) == 0 with input as {"remit": {"access_changes": [], "approvals": [], "targets": {}}}
}

test_one_missing if {
	policy.deny == {"the plan has no remit.approvals, which policies look at"} with input as {"remit": {
		"access_changes": [],
		"targets": {},
	}}
}

test_nothing if count(policy.deny) == 3 with input as {}
