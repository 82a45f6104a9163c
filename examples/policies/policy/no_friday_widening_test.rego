package remit.no_friday_widening_test

import data.remit.no_friday_widening as policy

plan(timestamp, tier, widens) := {
	"timestamp": timestamp,
	"remit": {"access_changes": [{"identity": "identity.triage", "tier": tier, "widens": widens}]},
}

friday := "2026-11-27T10:00:00Z"

test_friday if {
	some finding in policy.deny with input as plan(friday, "production", true)
	finding.address == "identity.triage"
}

test_elsewhere if count(policy.deny) == 0 with input as plan(friday, "development", true)

test_narrowing if count(policy.deny) == 0 with input as plan(friday, "production", false)

test_thursday if {
	count(policy.deny) == 0 with input as plan("2026-11-26T10:00:00Z", "production", true)
}

# Half past eleven at night in UTC is Friday in Berlin.
test_zone if {
	count(policy.deny) == 1 with input as plan("2026-11-26T23:30:00Z", "production", true)
}
