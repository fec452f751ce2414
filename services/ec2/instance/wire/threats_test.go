package wire_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/instance"
	"dera.example/dera/services/ec2/instance/wire"
)

// reports is what GuardDuty says, and what it was asked.
type reports struct {
	says  resource.Threats
	asked []dera.Scope
}

func (r *reports) Threats(_ context.Context, at dera.Scope, member string) (resource.Threats, error) {
	if member != resource.ThreatInstance {
		return resource.Threats{}, errors.New("asked by " + member)
	}
	r.asked = append(r.asked, at)
	return r.says, nil
}

// TestThreats: an instance has the threats that are about itself; without GuardDuty they are not
// known, and nothing else of it is unknown.
func TestThreats(t *testing.T) {
	t.Parallel()
	of := func(id, kind, typ string) resource.Threats {
		return resource.Threats{Detectors: 1, List: []resource.Threat{{ID: "f-1", Type: typ, Severity: 8, Instance: id, Kind: kind}}}
	}
	const coins = "CryptoCurrency:EC2/BitcoinTool.B!DNS"
	for name, tc := range map[string]struct {
		from *reports
		want control.Outcome
	}{
		"no_port":     {nil, control.UnknownResult},
		"reported":    {&reports{says: of(web, "Instance", coins)}, control.Fail},
		"of_another":  {&reports{says: of("i-0000000000000000f", "Instance", coins)}, control.Pass},
		"a_cluster":   {&reports{says: of(web, "EKSCluster", coins)}, control.Pass},
		"brute_force": {&reports{says: of(web, "Instance", "UnauthorizedAccess:EC2/SSHBruteForce")}, control.Pass},
		"no_detector": {&reports{}, control.NotApplicable},
		"refused":     {&reports{says: resource.Threats{Without: []string{"denied"}}}, control.UnknownResult},
	} {
		w := newWorld(t)
		w.instances[web] = running + v1
		ports := map[string]any{}
		if tc.from != nil {
			ports[resource.PortThreats] = tc.from
		}
		s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, w.answer, ports)
		page, err := s.Read(t.Context(), dera.Scope{Partition: "aws", Account: account, Region: region, Type: instance.Name, IDs: []string{web}}, false)
		if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread != "" {
			t.Errorf("%s: got %+v, %v", name, page, err)
			continue
		}
		if res, err := instance.Reported().Check(page.Resources[0], control.Settings{}); err != nil || res.Outcome != tc.want {
			t.Errorf("%s: got %+v, %v, want %s", name, res, err, tc.want)
		}
		if tc.from != nil && (len(tc.from.asked) != 1 || !slices.Equal(tc.from.asked[0].IDs, []string{web}) || tc.from.asked[0].Region != region) {
			t.Errorf("%s: asked %+v, want once, about the instance", name, tc.from.asked)
		}
	}
}
