package control_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource"
)

// safe is a configuration with one setting.
type safe struct {
	ID     string `json:"id"`
	Lock   string `json:"lock,omitempty"`
	Busy   bool   `json:"busy,omitempty"`
	Shared bool   `json:"shared,omitempty"`
	Toy    bool   `json:"toy,omitempty"`
}

func safeType() resource.Type {
	return resource.Define(resource.Spec[safe]{
		Name:     "AWS::Test::Safe",
		ARN:      func(_, _, _, id string) dera.ARN { return dera.ARN("arn:aws:test:::" + id) },
		Identify: func(s *safe) (id, name string, tags map[string]string) { return s.ID, s.ID, nil },
		Parts:    []resource.Part{{Name: "lock", Action: "test:GetSafe"}},
		Settings: []resource.Setting{{Path: "lock", Says: "the lock", Operation: "test:PutLock", Order: []any{"none", "soft", "hard"}}},
	})
}

func onLock() control.Control {
	return control.OnSetting(safeType(), control.SettingSpec[safe]{
		Meta: control.Meta{ID: "test-safe-lock", Title: "The safe is open", Severity: dera.High}, Path: "lock",
		Applies: func(s *safe) string {
			if s.Toy {
				return "it is a toy"
			}
			return ""
		},
		Start: func(s *safe, _ control.Settings) (dera.Disposition, string) {
			if s.Shared {
				return dera.Review, "Others use it."
			}
			return dera.Auto, ""
		},
		Refuse: func(s *safe) *control.Refusal {
			if s.Busy {
				return &control.Refusal{Code: "busy", Why: "it is in use"}
			}
			return nil
		},
	})
}

// TestOnSetting: what a control on a setting finds, and what becomes of it.
func TestOnSetting(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		config  safe
		outcome control.Outcome
		start   dera.Disposition
		why     string
		refused string
	}{
		{"secure", safe{Lock: "hard"}, control.Pass, 0, "", ""},
		{"open", safe{Lock: "none"}, control.Fail, dera.Auto, `The setting lock is "none"; it should be "hard".`, ""},
		{"half", safe{Lock: "soft"}, control.Fail, dera.Auto, `The setting lock is "soft"; it should be "hard".`, ""},
		{"of_a_value_that_nobody_knows", safe{Lock: "glass"}, control.Fail, dera.Review, `The setting lock is "glass"; it should be "hard". Its value is not one whose meaning is known.`, ""},
		{"shared", safe{Lock: "none", Shared: true}, control.Fail, dera.Review, `The setting lock is "none"; it should be "hard". Others use it.`, ""},
		{"busy", safe{Lock: "none", Busy: true}, control.Fail, dera.Review, `The setting lock is "none"; it should be "hard". No plan is made: it is in use.`, "busy"},
		{"a_toy", safe{Lock: "none", Toy: true}, control.NotApplicable, 0, "", ""},
		{"not_read", safe{}, control.UnknownResult, 0, "the lock could not be read", ""},
	}
	c := onLock()
	if diff := cmp.Diff([]string{"test:GetSafe", "test:PutLock", "AWS::Test::Safe"}, []string{c.Reads[0], c.Writes[0], c.Type}); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.config.ID = "s"
			r := dera.Resource{ID: "s", Type: c.Type, ARN: "arn:aws:test:::s", Config: &tc.config}
			res, err := c.Check(r, control.Settings{})
			if err != nil || res.Outcome != tc.outcome {
				t.Fatalf("got %+v, %v, want %s", res, err, tc.outcome)
			}
			if len(res.Failures) == 0 {
				if res.Why != tc.why {
					t.Errorf("why: got %q, want %q", res.Why, tc.why)
				}
				return
			}
			f := res.Failures[0]
			if !res.Whole {
				t.Error("a setting has one finding, and the result does not say so")
			}
			if f.Start != tc.start || f.Why != tc.why || f.Key != "lock" {
				t.Errorf("got %+v, want %v because %q", f, tc.start, tc.why)
			}
			p, refusal, err := c.Plan(r, res.Failures, control.Settings{})
			if tc.refused != "" {
				if refusal == nil || refusal.Code != tc.refused || err != nil {
					t.Errorf("plan: got %v, %v, %v, want the refusal %s", p, refusal, err, tc.refused)
				}
				return
			}
			if refusal != nil || err != nil || !strings.Contains(strings.Join(p.Diff(), "\n"), `+ lock = "hard"`) {
				t.Fatalf("plan: got %v, %v, %v", p.Diff(), refusal, err)
			}
			ev, err := c.Prove(r, res.Failures, p, control.Settings{})
			if known := tc.name != "of_a_value_that_nobody_knows"; err != nil || ev.Proved() != known {
				t.Errorf("evidence: got %+v, %v, want proved %t", ev.Claims, err, known)
			}
		})
	}
}

// TestOnSettingThatIsNone: a control on a member that is no setting finds nothing
// and says so.
func TestOnSettingThatIsNone(t *testing.T) {
	t.Parallel()
	c := control.OnSetting(safeType(), control.SettingSpec[safe]{Meta: control.Meta{ID: "test-safe-bolt"}, Path: "bolt"})
	res, err := c.Check(dera.Resource{Config: &safe{ID: "s"}}, control.Settings{})
	if err != nil || res.Outcome != control.UnknownResult || !strings.Contains(res.Why, `no setting "bolt"`) {
		t.Errorf("got %+v, %v, want unknown", res, err)
	}
}
