package remit.two_approvals_test

import data.remit.two_approvals as policy

gained(risk) := {
	"actions": ["iam:PassRole"],
	"resources": ["*"],
	"conditions": [],
	"certainty": "surely",
	"example": null,
	"scopes": ["scope.deploy"],
	"risk": risk,
}

plan(risk, approvals) := {"remit": {
	"access_changes": [{"identity": "identity.deployer", "gained": [gained(risk)]}],
	"approvals": approvals,
}}

approval(required, approvers) := {"required": required, "approvers": approvers, "why": "it is asked"}

test_none if {
	some finding in policy.deny with input as plan("critical", [])
	finding.address == "identity.deployer"
	contains(finding.msg, "iam:PassRole")
	contains(finding.help, "scope.deploy")
}

test_one_is_too_few if {
	count(policy.deny) == 1 with input as plan("critical", [approval(1, ["SHA256:a", "SHA256:b"])])
}

test_two_of_one_person if {
	count(policy.deny) == 1 with input as plan("critical", [approval(2, ["SHA256:a"])])
}

test_two if {
	count(policy.deny) == 0 with input as plan("critical", [approval(2, ["SHA256:a", "SHA256:b"])])
}

test_high if count(policy.deny) == 0 with input as plan("high", [])
