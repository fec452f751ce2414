package wire_test

import (
	"slices"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/services/guardduty/finding"
	"dera.example/dera/services/guardduty/finding/wire"
)

type m = map[string]any

func found(id, typ string) m {
	return m{
		"AccountId": cloudtest.Hub, "Arn": "arn:aws:guardduty:us-east-1:" + cloudtest.Hub + ":detector/d/finding/" + id, "CreatedAt": "2026-11-20T08:00:00.000Z", "UpdatedAt": "2026-11-20T09:00:00.000Z",
		"Id": id, "Region": "us-east-1", "SchemaVersion": "2.0", "Severity": 8.0, "Type": typ, "Resource": m{"ResourceType": "Instance", "InstanceDetails": m{"InstanceId": "i-1"}}, "Service": m{"Archived": false},
	}
}

// TestRead: a sweep has all findings, and says which of them no other control answers; one that
// is named and does not count any more is missing.
func TestRead(t *testing.T) {
	t.Parallel()
	scope := func(ids ...string) dera.Scope {
		return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: finding.Name, IDs: ids}
	}
	w := moto.StartStub(t).World(t)
	w.On("guardduty", "ListDetectors", moto.Answer{Output: m{"DetectorIds": []string{"d"}}})
	w.On("guardduty", "ListFindings", moto.Answer{Output: m{"FindingIds": []string{"f-1", "f-2"}}})
	w.On("guardduty", "GetFindings", moto.Answer{Output: m{"Findings": []m{found("f-1", "CryptoCurrency:EC2/BitcoinTool.B!DNS"), found("f-2", "Impact:EC2/AbusedDomainRequest.Reputation")}}})
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	page, err := c.Read(t.Context(), scope(), false)
	if err != nil || len(page.Resources) != 2 {
		t.Fatalf("got %+v, %v", page, err)
	}
	for _, x := range page.Resources {
		if f := x.Config.(*finding.Finding); f.Unanswered != (x.ID == "f-2") || f.Instance != "i-1" || x.Name != f.Type {
			t.Errorf("got %+v", f)
		}
	}
	page, err = c.Read(t.Context(), scope("f-2", "f-3"), true)
	if err != nil || len(page.Resources) != 1 || page.Resources[0].ID != "f-2" || !slices.Equal(page.Missing, []string{"f-3"}) {
		t.Errorf("named: got %+v, %v, want f-2 and f-3 missing", page, err)
	}
	w.On("guardduty", "ListDetectors", moto.Answer{Output: m{"DetectorIds": []string{}}})
	if page, err = c.Read(t.Context(), scope("f-2"), true); err != nil || len(page.Resources) != 0 || len(page.Missing) != 1 {
		t.Errorf("without a detector: got %+v, %v", page, err)
	}
	w.On("guardduty", "ListDetectors", moto.Answer{Error: "InternalServerErrorException", Status: 500})
	if page, err = c.Read(t.Context(), scope("f-2"), true); err == nil {
		t.Errorf("failed: got %+v, want an error, and nothing missing", page)
	}
}
