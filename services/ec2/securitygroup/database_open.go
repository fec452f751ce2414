package securitygroup

import (
	"cmp"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
)

// DatabaseOpen finds security groups that allow a database, cache or search engine from the
// internet by a rule of its own.
func DatabaseOpen() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: control.Meta{
			ID: "ec2-securitygroup-database-open", Title: "Security group allows a database port from the internet", Type: Name, Severity: dera.Critical,
			Why:        "Databases, caches and search engines that anyone can reach are found within hours, many of them ask for no password, and what is in them is copied or held for ransom.",
			Fix:        "Only the offending range is removed, as from the ports of administration: narrower sources and private access stay.",
			Complexity: "medium", Unused: true,
			Cases: []control.Case{
				{When: "more than 2^24 public IPv4 addresses, or IPv6 wider than a /32, reach the port of a database by rules for few ports, and VPC flow logs tell of each of the last 14 days of each interface that has the group, and show no connection from what would be cut (guardrail `in-use`)", Disposition: dera.Auto, Because: "nobody used it from outside"},
				{When: "no flow logs are configured, or those do not tell of each of the last 14 days of each interface", Disposition: dera.Review, Because: "a reporting tool outside may use it"},
				{When: "its source is a prefix list, the group is the default group of its VPC, or what the VPC reaches privately could not be read", Disposition: dera.Review, Because: "it cannot be cut safely"},
				{When: "fewer public addresses (a /8 or less), outside the allowlist and the VPC, reach the port", Disposition: dera.Review, Because: "it may be intended"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "EC2.19", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html"},
				{Standard: "AWS Config", ID: "VPC_SG_RESTRICTED_COMMON_PORTS", URL: "https://docs.aws.amazon.com/config/latest/developerguide/restricted-common-ports.html"},
				{Standard: "NIST SP 800-53 Rev. 5", ID: "AC-4, SC-7", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
			},
			Reads: groupReads(), Writes: groupWrites(),
			Owner: "dera maintainers", ReviewBy: "2027-11-01",
		},
		Check: func(g *Group, s control.Settings) control.Result { return checkPorts(g, s, ownDatabases(g, s), unseen) },
		Plan: func(g *Group, failures []control.Failure, s control.Settings) ([]dera.Change, *control.Refusal) {
			removals, err := portRemovals(g, failures, s, ownDatabases(g, s))
			if err != nil {
				return nil, &control.Refusal{Code: "cannot-plan", Why: err.Error()}
			}
			return PlanRemovals(g, removals, s)
		},
		Prove: func(g *Group, failures []control.Failure, changes []dera.Change, s control.Settings) (dera.Evidence, error) {
			removals, err := portRemovals(g, failures, s, ownDatabases(g, s))
			if err != nil {
				return dera.Evidence{}, err
			}
			return ProveRemovals(g, removals, changes, s)
		},
	})
}

// unseen says why nobody knows whether a database is used from outside, or nothing.
func unseen(s control.Settings) string {
	if s.FlowLogs {
		return ""
	}
	return "Whether somebody uses it is not known, since no flow logs are configured, so a person decides."
}

// databases are the ports at which clients reach databases, caches, search engines and
// brokers, in order.
func databases() []service {
	list := []service{
		{3306, "MySQL"}, {5432, "PostgreSQL"}, {6379, "Redis"}, {11211, "Memcached"}, {9200, "Elasticsearch"}, {9300, "Elasticsearch"}, {5601, "Kibana"},
		{1433, "SQL Server"}, {1434, "SQL Server"}, {1521, "Oracle"}, {2483, "Oracle"}, {2484, "Oracle"}, {27017, "MongoDB"}, {27018, "MongoDB"}, {27019, "MongoDB"},
		{9042, "Cassandra"}, {9160, "Cassandra"}, {9092, "Kafka"}, {5439, "Redshift"}, {5984, "CouchDB"},
	}
	slices.SortFunc(list, func(a, b service) int { return cmp.Compare(a.port, b.port) })
	return list
}

// fewPorts is for how many ports a rule is at most that is meant for a database.
const fewPorts = 128

// ownDatabases are the databases that public addresses reach by rules for few ports alone. One
// that a wide rule opens too is a part of what that rule opens, which is a finding of its own.
func ownDatabases(g *Group, s control.Settings) (out []service) {
	allow := inside(g, s)
	for _, d := range databases() {
		open, wide := false, false
		for _, r := range g.Ingress {
			if !lets(r, netset.TCP, d.port, d.port) {
				continue
			}
			few := !r.All() && r.To-r.From < fewPorts
			m, err := Measure(r, allow)
			unknown := len(Unknown([]Rule{r})) > 0
			open = open || few && (err != nil || unknown || m.External())
			wide = wide || !few && (err != nil || m.External())
		}
		if open && !wide {
			out = append(out, d)
		}
	}
	return out
}
