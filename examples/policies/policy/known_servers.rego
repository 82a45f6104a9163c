# A plan goes to servers of the organisation and to nobody else's.
package remit.known_servers

known := {"vault.example.com", "aws.amazon.com", "amazonaws.com"}

is_known(host) if host in known

is_known(host) if {
	some name in known
	endswith(host, concat("", [".", name]))
}

# The host of an address: what stands before a port or a path.
host(address) := regex.find_all_string_submatch_n(`^[a-z]+://([^/:@]+)(?::[0-9]+)?(?:/|$)`, address, 1)[0][1]

deny contains sprintf("%s talks to %s, which is none of ours", [name, target.address]) if {
	some name, target in input.remit.targets
	not is_known(host(target.address))
}
