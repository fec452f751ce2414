package engine_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/engine"
)

// alarms are the records of alarms in the log, and the news of them.
func (w *world) alarms() (records []dera.AuditRecord, news []string) {
	w.t.Helper()
	size, err := w.store.LogSize(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	leaves, err := w.store.Leaves(w.t.Context(), 0, size)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, leaf := range leaves {
		var r dera.AuditRecord
		if err := json.Unmarshal(leaf, &r); err != nil {
			w.t.Fatal(err)
		}
		if r.Kind == dera.RecordAlarm {
			records = append(records, r)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.news {
		if n.Alarm != nil {
			news = append(news, n.What)
		}
	}
	return records, news
}

// TestAlarm: it is recorded and told once until it ends, whichever engine raises it.
func TestAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.newEngine("engine-2", w.store)
	alarm := dera.Alarm{Key: "silent/guardduty", Severity: dera.High, Title: "guardduty is silent", Why: "nothing came for 7d", Account: account}
	do := func(f func() error) {
		t.Helper()
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	began := w.clock.Now()
	do(func() error { return w.engine.AlarmEnded(t.Context(), alarm.Key) }) // of what does not stand
	for _, e := range []*engine.Engine{w.engine, other, w.engine} {
		do(func() error { return e.Alarm(t.Context(), alarm) })
		w.clock.Advance(time.Minute)
	}
	standing, err := w.store.Alarms(t.Context())
	if err != nil || len(standing) != 1 || standing[0].Title != alarm.Title || !standing[0].Since.Equal(began) {
		t.Fatalf("got %+v, %v, want the one that began", standing, err)
	}
	do(func() error { return other.AlarmEnded(t.Context(), alarm.Key) })
	do(func() error { return w.engine.AlarmEnded(t.Context(), alarm.Key) })
	do(func() error { return w.engine.Alarm(t.Context(), alarm) })
	records, news := w.alarms()
	if want := []string{"alarm", "alarm_ended", "alarm"}; !slices.Equal(news, want) {
		t.Errorf("news: got %q, want %q", news, want)
	}
	if len(records) != 3 || records[0].Alarm.Ended || !records[1].Alarm.Ended || records[2].Alarm.Ended {
		t.Fatalf("got records %+v, want one that began, ended and began", records)
	}
	if r := records[0]; r.Why != "guardduty is silent: nothing came for 7d" || r.Severity != "high" || r.Account != account || r.Alarm.Key != alarm.Key {
		t.Errorf("got %+v", r)
	}
}

// TestAlarm_not_recorded: what could not be committed is not told, and can be raised again.
func TestAlarm_not_recorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alarm := dera.Alarm{Key: "k", Severity: dera.Low, Title: "t"}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Alarm(t.Context(), alarm); err == nil {
		t.Fatal("a closed store took it")
	}
	w.open("engine-1")
	if err := w.engine.Alarm(t.Context(), alarm); err != nil {
		t.Fatal(err)
	}
	if records, news := w.alarms(); len(records) != 1 || len(news) != 1 {
		t.Errorf("got %d records and %d news, want one of each", len(records), len(news))
	}
}
