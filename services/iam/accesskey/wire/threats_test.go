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
	"dera.example/dera/services/iam/accesskey"
	"dera.example/dera/services/iam/accesskey/wire"
)

// reports is what GuardDuty says, and what it was asked.
type reports struct {
	says  resource.Threats
	err   error
	asked []dera.Scope
}

func (r *reports) Threats(_ context.Context, at dera.Scope, member string) (resource.Threats, error) {
	if member != resource.ThreatUser {
		return resource.Threats{}, errors.New("asked by " + member)
	}
	r.asked = append(r.asked, at)
	return r.says, r.err
}

// TestThreats: a key has the threats that name it and its user. Without GuardDuty nothing else
// of the key is unknown, and what a region does not tell is never that nothing was reported.
func TestThreats(t *testing.T) {
	t.Parallel()
	const id = "bob#AKIABOBNEVER00000001"
	threat := func(user, key, typ string) resource.Threat {
		return resource.Threat{ID: "f-1", Type: typ, Severity: 5, User: user, UserType: "IAMUser", Key: key}
	}
	for name, tc := range map[string]struct {
		from *reports
		want control.Outcome
		dera control.Outcome // of the control on unused keys
	}{
		"no_port":            {nil, control.UnknownResult, control.Fail},
		"reported":           {&reports{says: resource.Threats{Detectors: 1, List: []resource.Threat{threat("bob", "AKIABOBNEVER00000001", "Recon:IAMUser/TorIPCaller")}}}, control.Fail, control.Fail},
		"another_key":        {&reports{says: resource.Threats{Detectors: 1, List: []resource.Threat{threat("bob", "AKIABOBINACTIVE00002", "Recon:IAMUser/TorIPCaller")}}}, control.Pass, control.Fail},
		"another_type":       {&reports{says: resource.Threats{Detectors: 1, List: []resource.Threat{threat("bob", "AKIABOBNEVER00000001", "Policy:IAMUser/X")}}}, control.Pass, control.Fail},
		"nothing":            {&reports{says: resource.Threats{Detectors: 1}}, control.Pass, control.Fail},
		"no_detector":        {&reports{}, control.NotApplicable, control.Fail},
		"one_region_refuses": {&reports{says: resource.Threats{Detectors: 1, Without: []string{"denied"}}}, control.UnknownResult, control.Fail},
	} {
		_, f := newIAM(t)
		var ports []map[string]any
		if tc.from != nil {
			ports = append(ports, map[string]any{resource.PortThreats: tc.from})
		}
		s := cloudtest.NewServer(t, []cloud.Wire{wire.Wire()}, f.answer, ports...)
		page, err := s.Read(t.Context(), scope(id), true)
		if err != nil || len(page.Resources) != 1 || page.Resources[0].Unread != "" {
			t.Errorf("%s: got %+v, %v", name, page.Resources, err)
			continue
		}
		for _, c := range []struct {
			control control.Control
			want    control.Outcome
		}{{accesskey.Reported(), tc.want}, {accesskey.Unused(), tc.dera}} {
			if res, err := c.control.Check(page.Resources[0], control.Settings{}); err != nil || res.Outcome != c.want {
				t.Errorf("%s: %s: got %+v, %v, want %s", name, c.control.ID, res, err, c.want)
			}
		}
		if tc.from == nil {
			continue
		}
		if len(tc.from.asked) != 1 || !slices.Equal(tc.from.asked[0].IDs, []string{"bob"}) || tc.from.asked[0].Partition != "aws" {
			t.Errorf("%s: asked %+v, want once, about bob", name, tc.from.asked)
		}
		if _, err := s.Read(t.Context(), scope(), true); err != nil || len(tc.from.asked) != 2 || tc.from.asked[1].IDs != nil {
			t.Errorf("%s: a sweep: got %v, asked %+v, want once about all", name, err, tc.from.asked)
		}
	}
}
