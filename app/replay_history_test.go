package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"dera.example/dera"
	"dera.example/dera/cloud"
)

// TestPastCut: of a call with more events than are read the older ones are left out, and then nothing of that
// place before them counts, of other calls neither; pages without an end are no history.
func TestPastCut(t *testing.T) {
	t.Parallel()
	at := func(hour int) time.Time { return time.Date(2026, 11, 30, hour, 0, 0, 0, time.UTC) }
	event := func(name string, hour int) string {
		return fmt.Sprintf(`{"EventId":"%s-%d","EventTime":%d,"CloudTrailEvent":"{\"eventID\":\"%[1]s-%[2]d\"}"}`, name, hour, at(hour).Unix())
	}
	for name, tc := range map[string]struct {
		pages  map[string]string // by the call, and the token after a slash
		cut    *time.Time
		events int
		fails  string
		absent string // an event that is left out
	}{
		"whole": {pages: map[string]string{"A": `{"Events":[` + event("A", 9) + `]}`, "B": `{"Events":[` + event("B", 8) + `]}`}, events: 2},
		"cut": {pages: map[string]string{"A": `{"NextToken":"2","Events":[` + event("A", 12) + `,` + event("A", 11) + `,` + event("A", 10) + `]}`, "B": `{"Events":[` + event("B", 11) + `,` + event("B", 9) + `]}`},
			cut: new(at(10)), events: 3, absent: "B-9"},
		"no_end": {pages: map[string]string{"A": `{"NextToken":"2","Events":[]}`, "A/2": `{"NextToken":"3","Events":[]}`, "A/3": `{"NextToken":"4","Events":[]}`, "A/4": `{"NextToken":"5","Events":[]}`, "B": `{}`}, fails: "has no end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.Header.Get("Authorization"), "/sts/") {
					_, _ = fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/ann</Arn><UserId>A</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
					return
				}
				body := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(body)
				for key, page := range tc.pages {
					call, token, _ := strings.Cut(key, "/")
					if strings.Contains(string(body), `"AttributeValue":"`+call+`"`) && strings.Contains(string(body), `"NextToken":"`+token+`"`) == (token != "") && strings.Contains(string(body), "NextToken") == (token != "") {
						w.Header().Set("Content-Type", "application/x-amz-json-1.1")
						_, _ = fmt.Fprint(w, page)
						return
					}
				}
				http.Error(w, "no page", http.StatusBadRequest)
			}))
			t.Cleanup(server.Close)
			client, err := cloud.New(t.Context(), cloud.Config{Region: "eu-west-1", Endpoint: server.URL, Credentials: credentials.NewStaticCredentialsProvider("A", "B", ""), HTTPClient: server.Client()})
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			h, err := Past{Client: client, Accounts: []dera.Account{{ID: "111122223333"}}, Regions: []string{"eu-west-1"}, From: at(0), To: at(23), Calls: []string{"A", "B"}, Most: 3, Progress: noBar{}}.Read(t.Context(), dir)
			if err != nil || len(h.Places) != 1 {
				t.Fatalf("got %+v, %v", h, err)
			}
			p := h.Places[0]
			if p.Events != tc.events || (p.Cut == nil) != (tc.cut == nil) || tc.cut != nil && !p.Cut.Equal(*tc.cut) || (p.Error != "") != (tc.fails != "") || !strings.Contains(p.Error, tc.fails) {
				t.Errorf("got %+v, want %d events, cut at %v, and %q", p, tc.events, tc.cut, tc.fails)
			}
			if h.Whole() != (tc.cut == nil && tc.fails == "") {
				t.Errorf("whole: got %t", h.Whole())
			}
			text, err := os.ReadFile(filepath.Join(dir, "111122223333", "eu-west-1.json"))
			if err != nil || tc.absent != "" && strings.Contains(string(text), tc.absent) {
				t.Errorf("got %s, %v, want no %s", text, err, tc.absent)
			}
		})
	}
}

// noBar is no progress.
type noBar struct{}

func (noBar) Total(int)   {}
func (noBar) Step(string) {}
