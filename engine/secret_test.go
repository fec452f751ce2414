package engine_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/engine"
)

// TestNoSecretOutsideOfSealedPayloads puts a marker wherever a customer can write
// freely, runs every path over it, and looks for it in all that dera writes in
// clear (invariant I11).
func TestNoSecretOutsideOfSealedPayloads(t *testing.T) {
	t.Parallel()
	const marker = "hunter2-marker"
	var logged bytes.Buffer
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Log = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
	})
	secret := func(r awssim.Rule) awssim.Rule { r.Description = "password " + marker; return r }
	id := w.group("web", secret(tcp(22, 22, "0.0.0.0/0")), secret(tcp(443, 443, "10.0.0.0/8")))
	lab := w.group("lab", secret(tcp(0, 65535, "0.0.0.0/0")))
	w.tag(w.ruleID(id), "note", marker)
	w.tag(id, "note", marker)
	// A fix, a rollback, a failure, drift, collateral, a refusal.
	w.look(id)
	first := w.remediations(id)[0]
	if _, err := w.rollback(first.ID); err != nil {
		t.Fatal(err)
	}
	fault := w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Refuse, Code: "InvalidParameterValue", Status: 400, Times: 1})
	w.look(lab)
	fault.Remove()
	w.cloud.Inject(awssim.Fault{Match: byEngine(revoke), Kind: awssim.Hook, Times: 1, Func: func() {
		w.authorize(lab, secret(tcp(9999, 9999, "10.0.0.0/8")))
		w.tag(lab, "note", marker)
	}})
	w.quiet()
	var collateral dera.Remediation
	for _, r := range w.remediations(lab) {
		if r.State == dera.Collateral {
			collateral = r
		}
	}
	if collateral.ID == "" {
		t.Fatalf("remediations of the lab: got %v, want a collateral one", states(w.remediations(lab)))
	}
	w.tag(id, "note", marker+"-2")
	_, refusal := w.rollback(first.ID)
	w.sweep()

	has := func(where, text string) {
		t.Helper()
		if at := strings.Index(text, marker); at >= 0 {
			t.Errorf("%s holds the marker: …%s…", where, text[max(0, at-200):min(len(text), at+60)])
		}
	}
	has("log", logged.String())
	has("refusal", refusal.Error())
	size, err := w.store.LogSize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := w.store.Leaves(t.Context(), 0, size)
	if err != nil {
		t.Fatal(err)
	}
	sealed := 0
	for _, leaf := range leaves {
		has("audit leaf", string(leaf))
		var rec dera.AuditRecord
		if err := json.Unmarshal(leaf, &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Commitment != "" {
			payload, err := w.store.Sealed(t.Context(), rec.Commitment)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(payload, []byte(marker)) {
				sealed++
			}
		}
		if rec.Evidence != "" {
			blob, err := w.store.Evidence(t.Context(), rec.Evidence)
			if err != nil {
				t.Fatal(err)
			}
			has("evidence", string(blob))
		}
	}
	if sealed == 0 {
		t.Error("no sealed payload holds the marker, so that no undo could bring the description back")
	}
	findings, err := w.store.Findings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	has("findings", clear(t, findings))
	for _, n := range w.news {
		if n.Err != nil {
			has("news", n.Err.Error())
		}
		if r := n.Remediation; r != nil {
			has("news", strings.Join(append(append(r.Unexpected, r.Plan.Diff()...), r.Failure), "\n")+clear(t, r.Steps)+clear(t, r.Decision))
		}
	}
	for _, r := range w.remediations(id) {
		intents, err := w.store.Intents(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		has("intents", clear(t, intents))
	}
	jobs, err := w.store.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	has("jobs", clear(t, jobs))
}

func clear(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
