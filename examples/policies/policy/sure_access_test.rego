package remit.sure_access_test

import data.remit.sure_access as policy

plan(tier, certainty) := {"remit": {"access_changes": [{
	"identity": "identity.triage",
	"tier": tier,
	"widens": true,
	"gained": [{"actions": ["s3:GetObject"], "certainty": certainty}],
}]}}

test_undecided if {
	some finding in policy.warn with input as plan("production", {"undecided": "a condition"})
	finding.msg == "identity.triage may gain s3:GetObject: a condition"
}

test_surely if count(policy.warn) == 0 with input as plan("production", "surely")

test_looser if count(policy.warn) == 0 with input as plan("production", {"looser": "a pattern"})

test_elsewhere if {
	count(policy.warn) == 0 with input as plan("development", {"undecided": "a condition"})
}
