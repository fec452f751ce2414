package dera

// LogKey is the key of an attribute in the log, and what its value is.
type LogKey struct{ Key, Says string }

// LogKeys are the keys of all attributes in the log, in the order of their names: who filters a log goes by
// them, and a test refuses others. No value is a secret, a token, or the text of a policy.
func LogKeys() []LogKey {
	return []LogKey{
		{"access", "ID of what somebody asked back (a-…)"},
		{"account", "twelve digits"},
		{"address", "host:port"},
		{"ahead", "by how much a clock is ahead of the machine's"},
		{"alarm", "key of an alarm"},
		{"anchor", "name of an anchor of the audit log"},
		{"ask", "command that asks for what was denied"},
		{"attempt", "how often it was tried, from 1"},
		{"calls", "how many calls of dera's own principals"},
		{"control", "ID of a control"},
		{"err", "what went wrong"},
		{"event", "AWS's ID of an event"},
		{"events", "how many events"},
		{"evidence", "how many pieces of evidence"},
		{"finding", "ID of a finding (f-…)"},
		{"findings", "how many findings"},
		{"for_8_hours", "command that gives an action back for a while"},
		{"for_good", "command that gives an action back"},
		{"from", "address of whoever asked"},
		{"job", "kind and key of a job"},
		{"jobs", "how many jobs"},
		{"message", "ID of a message of the queue"},
		{"operation", "operation of AWS"},
		{"principal", "ARN of who did it"},
		{"queue", "whether there is a queue"},
		{"received", "how often a message was received"},
		{"region", "region of AWS"},
		{"remediation", "ID of a remediation (r-…)"},
		{"remediations", "how many remediations"},
		{"resource", "ARN"},
		{"resources", "how many resources"},
		{"service", "service of AWS"},
		{"since", "time from which on"},
		{"source", "where events come from"},
		{"step", "part of what is done again and again"},
		{"sweep", "time between two sweeps"},
		{"title", "title of an alarm"},
		{"tls", "whether it is encrypted"},
		{"user", "ID of a user in Slack"},
		{"wait", "time until the next try"},
		{"why", "reason, in words"},
		{"workspace", "ID of a workspace in Slack"},
	}
}
