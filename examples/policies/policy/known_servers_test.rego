package remit.known_servers_test

import data.remit.known_servers as policy

plan(address) := {"remit": {"targets": {"vault": {"address": address}}}}

test_ours if count(policy.deny) == 0 with input as plan("https://vault.example.com:8200/")

test_below if count(policy.deny) == 0 with input as plan("https://iam.amazonaws.com")

test_others if {
	policy.deny == {"vault talks to https://vault.example.org, which is none of ours"} with input as plan("https://vault.example.org")
}

test_lookalikes if {
	every address in [
		"https://evilamazonaws.com",
		"https://vault.example.com.evil.net",
		"https://vault.example.com@evil.net/",
		"https://evil.net/vault.example.com",
		"no address at all",
	] {
		count(policy.deny) == 1 with input as plan(address)
	}
}
