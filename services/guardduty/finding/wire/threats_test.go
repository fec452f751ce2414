package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/guardduty/finding/wire"
)

// reported is a finding as GetFindings returns it.
func reported(id string, over m) m {
	f := m{
		"AccountId": cloudtest.Hub, "Arn": "arn:aws:guardduty:us-east-1:" + cloudtest.Hub + ":detector/d/finding/" + id, "CreatedAt": "2026-11-20T08:00:00.000Z", "UpdatedAt": "2026-11-20T09:00:00.000Z",
		"Id": id, "Region": "us-east-1", "SchemaVersion": "2.0", "Severity": 5.0, "Type": "UnauthorizedAccess:IAMUser/TorIPCaller",
		"Resource": m{"ResourceType": "AccessKey", "AccessKeyDetails": m{"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "PrincipalId": "AIDACKCEVSQ6C2EXAMPLE", "UserName": "ann", "UserType": "IAMUser"}},
		"Service": m{"Archived": false, "Count": 3, "EventFirstSeen": "2026-11-20T07:59:00.000Z", "EventLastSeen": "2026-11-20T08:30:00.000Z",
			"AdditionalInfo": m{"Type": "default", "Value": `{"threatListName":"Tor"}`},
			"Action":         m{"ActionType": "AWS_API_CALL", "AwsApiCallAction": m{"Api": "ListUsers", "RemoteIpDetails": m{"IpAddressV4": "198.51.100.7"}}}},
	}
	for k, v := range over {
		f[k] = v
	}
	return f
}

// service is a finding's service that differs.
func service(over m) m {
	s := m{"Archived": false, "EventFirstSeen": "2026-11-20T07:59:00.000Z", "EventLastSeen": "2026-11-20T08:30:00.000Z"}
	for k, v := range over {
		s[k] = v
	}
	return m{"Service": s}
}

// TestThreats: open findings on the account count, and no samples, archived ones or those on
// members. Without a detector nobody looks; what does not fit what was asked for is no answer.
func TestThreats(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time { out, _ := time.Parse(time.RFC3339, s); return out }
	key := resource.Threat{
		ID: "f-1", Type: "UnauthorizedAccess:IAMUser/TorIPCaller", Severity: 5, Region: "us-east-1", First: at("2026-11-20T07:59:00Z"), Last: at("2026-11-20T08:30:00Z"),
		Kind: "AccessKey", User: "ann", UserType: "IAMUser", Key: "AKIAIOSFODNN7EXAMPLE", From: "198.51.100.7",
	}
	sequence := resource.Threat{ID: "f-1", Type: "AttackSequence:IAM/CompromisedCredentials", Severity: 9, Region: "us-east-1", First: at("2025-02-25T20:40:06Z"), Last: at("2025-02-25T20:40:06Z"), Kind: "AttackSequence", Signals: 1}
	one := moto.Answer{Output: m{"DetectorIds": []string{"d"}}}
	listed := moto.Answer{Output: m{"FindingIds": []string{"f-1"}}}
	get := func(list ...m) moto.Answer { return moto.Answer{Output: m{"Findings": append([]m{}, list...)}} }
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		detectors, list, get moto.Answer
		want                 []resource.Threat
		err                  string
	}{
		"a_key":       {one, listed, get(reported("f-1", nil)), []resource.Threat{key}, ""},
		"none":        {one, moto.Answer{Output: m{"FindingIds": []string{}}}, moto.Answer{}, nil, ""},
		"no_detector": {moto.Answer{Output: m{"DetectorIds": []string{}}}, moto.Answer{}, moto.Answer{}, nil, ""},
		"a_sample":    {one, listed, get(reported("f-1", service(m{"AdditionalInfo": m{"Type": "default", "Value": `{"threatListName":"X", "sample": true}`}}))), nil, ""},
		"archived":    {one, listed, get(reported("f-1", service(m{"Archived": true}))), nil, ""},
		"of_a_member": {one, listed, get(reported("f-1", m{"AccountId": cloudtest.Member})), nil, ""},
		"was_deleted": {one, listed, get(), nil, ""},
		"attack_sequence": {one, listed, get(reported("f-1", m{"Type": "AttackSequence:IAM/CompromisedCredentials", "Severity": 9.0, "Resource": m{"ResourceType": "AttackSequence"},
			"Service": m{"Archived": false, "EventFirstSeen": "2025-02-25 20:40:06.000000000", "EventLastSeen": "2025-02-25 20:40:06.000000000",
				"Detection": m{"Sequence": m{"Uid": "u", "Description": "d", "Signals": []m{{"Uid": "s", "Type": "CLOUD_TRAIL", "Name": "n", "CreatedAt": at("2025-02-25T20:40:06Z").Unix(), "UpdatedAt": at("2025-02-25T20:40:06Z").Unix(),
					"FirstSeenAt": at("2025-02-25T20:40:06Z").Unix(), "LastSeenAt": at("2025-02-25T20:40:06Z").Unix(), "Count": 1}}}}}})), []resource.Threat{sequence}, ""},
		"of_another":       {one, listed, get(reported("f-9", nil)), nil, "want one that was asked for"},
		"detectors_denied": {moto.Answer{Error: "AccessDeniedException", Status: 403}, moto.Answer{}, moto.Answer{}, nil, "AccessDenied"},
		"list_denied":      {one, moto.Answer{Error: "AccessDeniedException", Status: 403}, moto.Answer{}, nil, "AccessDenied"},
		"get_denied":       {one, listed, moto.Answer{Error: "AccessDeniedException", Status: 403}, nil, "AccessDenied"},
		"two_detectors":    {moto.Answer{Output: m{"DetectorIds": []string{"d", "e"}}}, moto.Answer{}, moto.Answer{}, nil, "2 detectors"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On("guardduty", "ListDetectors", tc.detectors)
			w.On("guardduty", "ListFindings", tc.list)
			w.On("guardduty", "GetFindings", tc.get)
			r := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Reading(cloudtest.Hub, cloudtest.East)
			got, err := r.Threats(t.Context(), resource.ThreatUser, []string{"ann"})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("got %+v, %v, want an error of %s", got, err, tc.err)
				}
				return
			}
			if err != nil || (got.Detectors == 0) != (name == "no_detector") {
				t.Fatalf("got %+v, %v", got, err)
			}
			if d := cmp.Diff(tc.want, got.List); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			for _, c := range w.Calls("ListFindings") {
				criterion := c.Input["FindingCriteria"].(m)["Criterion"].(m)
				for _, member := range []string{"service.archived", "accountId", "updatedAt", resource.ThreatUser} {
					if criterion[member] == nil {
						t.Errorf("asked %v, want a criterion on %s", criterion, member)
					}
				}
			}
		})
	}
}
