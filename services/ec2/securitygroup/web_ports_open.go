package securitygroup

import (
	"fmt"
	"strconv"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/netset"
)

// WebPortsOpen tells of security groups that allow HTTP or HTTPS from
// the internet. It only alerts: that is what a public web tier does.
func WebPortsOpen() control.Control {
	return control.Define(control.Spec[*Group]{
		Meta: control.Meta{
			ID:         "ec2-securitygroup-web-ports-open",
			Title:      "Security group allows HTTP or HTTPS from the internet",
			Type:       Name,
			Severity:   dera.Low,
			Why:        "A public web tier is meant to be reached; a group that is not one should not be. Fewer addresses than the internet are no finding here.",
			Fix:        "None: dera reports it to the owner.",
			Complexity: "low",
			Cases: []control.Case{
				{When: "the internet reaches TCP 80 or 443", Disposition: dera.Alert, Because: "it is legitimate for public web tiers"},
			},
			Refs: []control.Ref{
				{Standard: "Security Hub", ID: "EC2.18", URL: "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18"},
				{Standard: "NIST SP 800-53 Rev. 5", ID: "SC-7", URL: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final"},
			},
			Reads:    groupReads(),
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkWebPorts,
	})
}

func webPorts() []uint16 { return []uint16{80, 443} }

func checkWebPorts(g *Group, s control.Settings) control.Result {
	var failures []control.Failure
	for _, port := range webPorts() {
		name := map[uint16]string{80: "HTTP", 443: "HTTPS"}[port]
		e, err := Expose(g.Ingress, netset.TCP, port, inside(g, s))
		if err != nil {
			return control.Result{Outcome: control.UnknownResult, Why: err.Error()}
		}
		if e.Measure.Internet() {
			failures = append(failures, control.Failure{
				Key: "tcp/" + strconv.Itoa(int(port)), Start: dera.Alert, Severity: dera.Low, Sources: sourcesOf(e.Internet),
				Title: fmt.Sprintf("Security group allows %s from the internet", name),
				Why:   allowedBy(e.Internet, name, e.Measure) + "." + facing(g),
			})
		}
	}
	return judged(g, failures, func(r Rule) bool {
		return lets(r, netset.TCP, 80, 80) || lets(r, netset.TCP, 443, 443)
	})
}
