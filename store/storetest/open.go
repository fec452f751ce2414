package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"dera.example/dera"
	"dera.example/dera/store"
)

func openTests() map[string]func(*world) {
	return map[string]func(*world){
		"reopened_store_has_everything":          reopen,
		"many_open_a_new_database_at_once":       openRace,
		"database_of_a_newer_schema_is_refused":  newerSchema,
		"database_of_another_program_is_refused": otherProgram,
		"database_of_another_key_is_refused":     otherKey,
		"secrets_are_nowhere_in_the_database":    secrets,
		"store_needs_a_sealer_and_a_sane_config": configs,
	}
}

func reopen(w *world) {
	l := w.held("sg")
	w.commit(full("a", l, w.clock.Now()))
	if err := w.store.SaveCheckpoint(w.Context(), 2, "signed"); err != nil {
		w.Fatal(err)
	}
	claimed := w.claimOne("us")
	w.unchanged(func() {
		for range 3 {
			if err := w.store.Close(); err != nil {
				w.Fatalf("close: %v", err)
			}
			w.store = Open(w, w.db, w.clock)
		}
	})
	CheckLog(w, w.store, 2)
	w.checkJobs(claimed)
	if _, err := w.store.CheckLease(w.Context(), l); err != nil {
		w.Errorf("check lease: got %v", err)
	}
	w.commit(store.Batch{Fence: &l, Done: []dera.Job{claimed}})
}

func openRace(w *world) {
	if err := w.store.Close(); err != nil {
		w.Fatal(err)
	}
	var drop []string
	for _, table := range tables(w, w.db) {
		drop = append(drop, "DROP TABLE "+table)
	}
	exec(w, w.db, drop...)
	errs := make(chan error)
	for range 6 {
		go func() {
			s, err := store.Open(w.Context(), store.Config{URL: w.db.URL, Sealer: Vault(w, 1)})
			if err == nil {
				err = errors.Join(s.Commit(w.Context(), store.Batch{Counts: map[string]int64{"opened": 1}}), s.Close())
			}
			errs <- err
		}()
	}
	for range 6 {
		if err := <-errs; err != nil {
			w.Errorf("open: %v", err)
		}
	}
	if got := must(Open(w, w.db, w.clock).Counters(w.Context()))(w)["opened"]; got != 6 {
		w.Errorf("commits: got %d, want 6", got)
	}
}

// refused fails unless opening is refused and changes nothing.
func (w *world) refused(sealer store.Sealer, want error, text string) {
	w.Helper()
	w.unchanged(func() {
		s, err := store.Open(w.Context(), store.Config{URL: w.db.URL, Sealer: sealer})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
			w.Errorf("open: got %v, want %v with %q", err, want, text)
		}
	})
}

func newerSchema(w *world) {
	exec(w, w.db, "UPDATE meta SET value = '99' WHERE name = 'schema'")
	w.refused(Vault(w, 1), store.ErrSchema, "99")
}

func otherProgram(w *world) {
	exec(w, w.db, "UPDATE meta SET value = 'three' WHERE name = 'schema'")
	w.refused(Vault(w, 1), nil, "not dera's")
	exec(w, w.db, "DELETE FROM meta")
	w.refused(Vault(w, 1), nil, "not dera's")
}

func otherKey(w *world) {
	w.commit(full("a", w.held("sg"), w.clock.Now()))
	w.refused(Vault(w, 2), store.ErrKey, "")
	Open(w, w.db, w.clock)
}

func secrets(w *world) {
	const secret, open = "s3cr3t-marker", "0p3n-marker"
	now := w.clock.Now()
	r := Remediation("r", "sg", now)
	r.Plan.Changes[0].Input = json.RawMessage(`{"policy":"` + secret + `"}`)
	r.Plan.Changes[0].Undo = &dera.Undo{Input: json.RawMessage(`{"policy":"` + secret + `"}`)}
	r.Way, r.Failure = []string{secret}, secret
	record := Record(open, now)
	record.Sealed = []byte(`{"before":"` + secret + `"}`)
	w.commit(store.Batch{
		Remediations: []dera.Remediation{r}, Records: []dera.AuditRecord{record}, Evidence: map[string][]byte{"h": []byte(secret)},
		Kept: []store.KeptEvent{{ID: "e", Body: secret}},
	})
	r.Revision, r.State = 1, dera.Applying
	w.commit(store.Batch{Remediations: []dera.Remediation{r}})
	raw := w.db.Raw(w)
	if !bytes.Contains(raw, []byte(open)) {
		w.Errorf("the record is not among the %d bytes of the database", len(raw))
	}
	if i := bytes.Index(raw, []byte(secret)); i >= 0 {
		w.Errorf("the secret is in the database: %q", raw[max(0, i-100):i+len(secret)])
	}
	if got := must(w.store.Remediation(w.Context(), "r"))(w); got.Failure != secret {
		w.Errorf("remediation: got %q, want the secret", got.Failure)
	}
}

func configs(w *world) {
	for name, cfg := range map[string]store.Config{
		"no_sealer":          {URL: w.db.URL},
		"negative_bound":     {URL: w.db.URL, Sealer: Vault(w, 1), KeptEvents: -1},
		"no_url":             {Sealer: Vault(w, 1)},
		"unknown_scheme":     {URL: "mysql://localhost/dera", Sealer: Vault(w, 1)},
		"scheme_of_a_cousin": {URL: "sqlite3:x", Sealer: Vault(w, 1)},
	} {
		if s, err := store.Open(w.Context(), cfg); err == nil {
			w.Errorf("%s: got no error", name)
			_ = s.Close()
		}
	}
}
