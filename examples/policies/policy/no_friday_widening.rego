# Nobody wants to find out on a Saturday what an agent was allowed on a Friday. Taking access
# away is fine on any day.
package remit.no_friday_widening

import data.lib.access

# Where the office is.
zone := "Europe/Berlin"

# The plan says when it was made, so the same plan is judged the same each time.
today := time.weekday([time.parse_rfc3339_ns(input.timestamp), zone])

deny contains finding if {
	today == "Friday"
	some change in access.widening_in_production
	finding := {
		"msg": sprintf("%s gains access in production on a Friday", [change.identity]),
		"address": change.identity,
		"help": "plan again on Monday",
	}
}
