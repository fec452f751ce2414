package awssim_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dera.example/dera/awssim"
)

// TestDistributionEvents holds the events of distributions against recorded ones: ours have nothing that they have not.
func TestDistributionEvents(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join("testdata", "recorded_cloudfront.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded []struct {
		Name  string
		Event map[string]any
	}
	if err := json.Unmarshal(raw, &recorded); err != nil {
		t.Fatal(err)
	}
	cloud, _ := newCloud(t)
	account := cloud.Account(hub)
	id := must(account.PutDistribution(t.Context(), awssim.Distribution{Origins: []string{"media.s3.us-east-1.amazonaws.com"}}))(t)
	must(account.PutDistribution(t.Context(), awssim.Distribution{ID: id, Origins: []string{"other.s3.us-east-1.amazonaws.com"}}))(t)
	events := cloud.Events()
	if len(events) != 2 || len(recorded) != 2 {
		t.Fatalf("got %d events and %d recorded ones, want two of each", len(events), len(recorded))
	}
	for i, r := range recorded {
		e := events[i]
		if e.Name != r.Name || e.Source != r.Event["eventSource"] || e.Region != r.Event["awsRegion"] || e.ReadOnly {
			t.Errorf("event: got %s of %s in %s, read-only %t, want %s", e.Name, e.Source, e.Region, e.ReadOnly, r.Name)
		}
		theirs := paths("", r.Event["requestParameters"])
		ours := paths("", members(t, e.Record, []string{"requestParameters"})["requestParameters"])
		if len(ours) < 7 {
			t.Errorf("%s: got members %v, want those of a distribution", e.Name, ours)
		}
		for _, path := range ours {
			if !slices.Contains(theirs, path) {
				t.Errorf("%s: the recorded event has no %s", e.Name, path)
			}
		}
	}
}

func TestDistributionLife(t *testing.T) {
	t.Parallel()
	cloud, _ := newCloud(t)
	account := cloud.Account(hub)
	var refused *awssim.Error
	if _, err := account.PutDistribution(t.Context(), awssim.Distribution{ID: "E1"}); !errors.As(err, &refused) || refused.Code != "NoSuchDistribution" {
		t.Errorf("change of an absent one: got %v", err)
	}
	id := must(account.PutDistribution(t.Context(), awssim.Distribution{Origins: []string{"media.s3.us-east-1.amazonaws.com"}}))(t)
	if err := account.DeleteDistribution(t.Context(), id); !errors.As(err, &refused) || refused.Code != "DistributionNotDisabled" {
		t.Errorf("deletion of an enabled one: got %v", err)
	}
	must(account.PutDistribution(t.Context(), awssim.Distribution{ID: id, Disabled: true}))(t)
	cloud.Inject(awssim.Fault{Kind: awssim.Error5xxBefore, Times: 1, Match: awssim.Match{Operation: "DeleteDistribution"}})
	if err := account.DeleteDistribution(t.Context(), id); !errors.As(err, &refused) || refused.Status != 500 {
		t.Errorf("deletion that fails: got %v", err)
	}
	if err := account.DeleteDistribution(t.Context(), id); err != nil {
		t.Errorf("deletion: got %v", err)
	}
	if err := account.DeleteDistribution(t.Context(), id); !errors.As(err, &refused) || refused.Code != "NoSuchDistribution" {
		t.Errorf("second deletion: got %v", err)
	}
}
