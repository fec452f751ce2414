package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"dera.example/dera"
	"dera.example/dera/audit"
	"dera.example/dera/usage"
)

// change is a batch made ready to be written: all of it that needs no look at the
// database is done before anybody waits for it.
type change struct {
	batch  Batch
	rows   map[*form][][]any
	leaves [][]byte
	// denied are the leaves of the records of the batch's denials, with what they seal.
	denied []leaf
	// touches are the names of what the batch reads or writes in a way in which the order
	// of batches counts; true where no other batch of the same transaction may touch it.
	touches map[string]bool
	size    int // about so many bytes
	count   int // rows
}

// leaf is a record as it is written, and the payload that it seals, where it does.
type leaf struct {
	body           []byte
	commitment     string
	sealed         []byte
	sealsSomething bool
}

func (c *change) add(f *form, row ...any) {
	c.rows[f] = append(c.rows[f], row)
	c.count++
	for _, v := range row {
		switch v := v.(type) {
		case string:
			c.size += len(v)
		case []byte:
			c.size += len(v)
		}
	}
}

func (c *change) touch(kind, name string, alone bool) {
	c.touches[kind+"\x00"+name] = alone || c.touches[kind+"\x00"+name]
}

// change makes a batch ready.
func (s *Store) change(b Batch) (*change, error) {
	c := &change{batch: b, rows: map[*form][][]any{}, touches: map[string]bool{}}
	f := &s.forms
	for _, x := range b.Spends {
		c.touch("remediation", x.Remediation, true)
	}
	for key := range b.Known {
		c.touch("decided", key, true)
	}
	for _, part := range []func(*change) error{s.changeFindings, s.changeRemediations, s.changeRest, s.changeAccesses, s.changeAlarm, s.changeSealed, s.changeRecords, s.changeUse} {
		if err := part(c); err != nil {
			return nil, err
		}
	}
	changePlaces(f, c)
	changeJobs(f, c)
	return c, nil
}

func (s *Store) changeFindings(c *change) error {
	for _, x := range c.batch.Findings {
		body, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("finding %s: %w", x.ID, err)
		}
		c.add(s.forms.findings, x.ID, x.ResourceKey(), x.Account, x.Region, x.ResourceType, string(x.State), int64(x.Severity), string(body))
	}
	for _, x := range c.batch.Incidents {
		body, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("incident of %s: %w", x.Finding, err)
		}
		c.add(s.forms.incidents, x.Finding, micros(x.At), x.Reference, x.Account, x.Region, x.ResourceType, string(body))
	}
	return nil
}

func (s *Store) changeRemediations(c *change) error {
	for _, r := range c.batch.Remediations {
		r.Revision++
		body, err := s.sealed("remediation/"+r.ID, r)
		if err != nil {
			return fmt.Errorf("remediation %s: %w", r.ID, err)
		}
		c.touch("remediation", r.ID, true)
		c.touch("decided", r.ResourceKey(), true)
		c.add(s.forms.remediations, r.ID, r.ResourceKey(), string(r.State), r.Revision, micros(r.CreatedAt), body)
	}
	for _, i := range c.batch.Intents {
		body, err := json.Marshal(i)
		if err != nil {
			return fmt.Errorf("intent %s/%d: %w", i.Remediation, i.Step, err)
		}
		undo := int64(0)
		if i.Undo {
			undo = 1
		}
		c.add(s.forms.intents, i.Remediation, int64(i.Step), undo, string(i.State), string(body))
	}
	return nil
}

// sealed is a value as it lies in the database.
func (s *Store) sealed(context string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.sealer.Seal(context, plain)
}

func (s *Store) changeRest(c *change) error {
	f, b := &s.forms, c.batch
	for _, x := range b.Watches {
		c.add(f.watches, usage.PrincipalKey(x.Principal), x.Remediation, micros(x.Since))
	}
	for _, x := range b.Stops {
		body, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		c.touch("stop", x.Account+"\x00"+x.Control, true)
		c.add(f.stops, x.Account, x.Control, string(body))
	}
	for _, x := range b.Resumes {
		c.touch("stop", x.Account+"\x00"+x.Control, true)
		c.add(f.resumes, x.Account, x.Control)
	}
	for name, value := range b.Remember {
		c.add(f.remember, rememberPrefix+name, value)
	}
	for name, value := range b.First {
		c.add(f.first, rememberPrefix+name, value)
	}
	for name, n := range b.Counts {
		c.add(f.counts, clean(name), n)
	}
	for _, x := range b.Calls {
		body, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("keep call %s: %w", x.EventID, err)
		}
		c.touch("call", clean(x.EventID), false)
		c.add(f.calls, clean(x.EventID), micros(x.Time), int64(0), string(body))
	}
	for _, event := range b.Judged {
		c.touch("call", clean(event), true)
		c.add(f.judged, clean(event))
	}
	return nil
}

// changeAccesses seals who asked, and for what: four eyes rest on it.
func (s *Store) changeAccesses(c *change) error {
	for _, a := range c.batch.Accesses {
		body, err := s.sealed("access/"+a.ID, a)
		if err != nil {
			return fmt.Errorf("access %s: %w", a.ID, err)
		}
		ended := int64(0)
		if a.End != nil {
			ended = micros(a.End.At)
		}
		c.touch("access", a.ID, true)
		c.add(s.forms.accesses, a.ID, a.Account, a.Type, micros(a.At), micros(a.Until), ended, body)
	}
	return nil
}

func (s *Store) changeAlarm(c *change) error {
	b := c.batch
	if b.Alarm != nil {
		body, err := json.Marshal(b.Alarm)
		if err != nil {
			return fmt.Errorf("alarm %s: %w", b.Alarm.Key, err)
		}
		c.touch("name", alarmName(b.Alarm.Key), true)
		c.add(s.forms.alarm, alarmName(b.Alarm.Key), string(body))
	}
	if b.AlarmEnded != "" {
		c.touch("name", alarmName(b.AlarmEnded), true)
		c.add(s.forms.alarmEnded, alarmName(b.AlarmEnded))
	}
	if b.Taken != "" {
		c.touch("name", takenName(b.Taken), true)
	}
	if b.Posting == nil {
		return nil
	}
	c.touch("name", rememberPrefix+postedName, true)
	for _, n := range b.Posting.Notices {
		body, err := s.sealer.Seal("notice/"+n.Sink+"/"+n.ID, n.Body)
		if err != nil {
			return fmt.Errorf("notice %.200q: %w", n.ID, err)
		}
		const whenWritten = int64(0) // see turn.late
		c.add(s.forms.notices, n.ID, n.Sink, micros(n.Due), n.Digest, whenWritten, int64(0), int64(0), int64(0), int64(0), "", body)
	}
	return nil
}

func (s *Store) changeSealed(c *change) error {
	for _, hash := range slices.Sorted(maps.Keys(c.batch.Evidence)) {
		body, err := s.sealer.Seal("evidence/"+hash, c.batch.Evidence[hash])
		if err != nil {
			return fmt.Errorf("evidence %s: %w", hash, err)
		}
		c.add(s.forms.evidence, hash, body)
	}
	for _, e := range c.batch.Kept {
		id := clean(e.ID)
		body, err := s.sealer.Seal("kept/"+id, []byte(e.Body[:min(len(e.Body), maxKeptBody)]))
		if err != nil {
			return fmt.Errorf("keep event: %w", err)
		}
		c.touch("kept", "", true) // which are the newest depends on the order
		c.add(s.forms.kept, id, micros(e.At), clean(e.Source), clean(e.Why), body)
	}
	return nil
}

func (s *Store) changeRecords(c *change) error {
	for _, d := range c.batch.Use.Denials {
		c.touch("remediation", d.Denial.Remediation, true)
		l, err := s.leaf(d.Record)
		if err != nil {
			return err
		}
		c.denied = append(c.denied, l)
	}
	for _, r := range c.batch.Records {
		l, err := s.leaf(r)
		if err != nil {
			return err
		}
		c.leaf(&s.forms, l)
	}
	return nil
}

// leaf adds a record to the end of what the batch records.
func (c *change) leaf(f *forms, l leaf) {
	c.leaves = append(c.leaves, l.body)
	c.size, c.count = c.size+len(l.body), c.count+1
	if l.sealsSomething {
		c.add(f.sealed, l.commitment, l.sealed)
	}
}

// leaf is a record as it is written. What it seals is encrypted beside the leaf, which then
// holds only its keyed commitment.
func (s *Store) leaf(r dera.AuditRecord) (leaf, error) {
	var out leaf
	var err error
	if len(r.Sealed) > 0 {
		out.sealsSomething, out.commitment = true, s.sealer.Commit(r.Sealed)
		if out.sealed, err = s.sealer.Seal("payload/"+out.commitment, r.Sealed); err != nil {
			return out, fmt.Errorf("seal payload of an audit record: %w", err)
		}
		r.Commitment = out.commitment
	}
	if out.body, err = dera.CanonicalJSON(r); err != nil {
		return out, fmt.Errorf("write audit record: %w", err)
	}
	if len(out.body) > audit.MaxLeaf {
		return out, fmt.Errorf("write audit record: it has %d bytes, at most %d are possible", len(out.body), audit.MaxLeaf)
	}
	return out, nil
}

// changeJobs: what is asked for counts after what is done.
func changeJobs(f *forms, c *change) {
	for _, j := range c.batch.Done {
		id := jobID(j.Key)
		c.touch("job", j.Kind+"\x00"+id, true)
		c.add(f.done, j.Kind, id, j.Seq, j.Claim, micros(j.LeasedUntil))
		if j.Claim != 0 {
			c.add(f.again, j.Kind, id, j.Claim, micros(j.LeasedUntil))
		}
	}
	for _, j := range c.batch.Jobs {
		id := jobID(j.Key)
		c.touch("job", j.Kind+"\x00"+id, false)
		c.add(f.jobs, j.Kind, id, j.Key, int64(1), int64(j.Priority), micros(j.RunAt), int64(0), "", int64(0), append([]byte{}, j.Payload...))
	}
}

// changePlaces notes what was read and what was not. A whole place and its resources are
// not joined with others of it.
func changePlaces(f *forms, c *change) {
	touch := func(account, region, typ, resource string) {
		place := account + "\x00" + region + "\x00" + typ
		c.touch("place", place, resource == "")
		if resource != "" {
			c.touch("resource", place+"\x00"+resource, true)
		}
	}
	for _, p := range c.batch.Expected {
		touch(p.Account, p.Region, p.Type, "")
		c.add(f.expected, p.Account, p.Region, p.Type, "", int64(0), micros(p.Unread), micros(p.Unread), "")
	}
	for _, r := range c.batch.Read {
		for _, id := range r.Resources {
			touch(r.Account, r.Region, r.Type, clean(id))
			c.add(f.placesRead, r.Account, r.Region, r.Type, clean(id))
		}
		if len(r.Resources) > 0 {
			continue
		}
		touch(r.Account, r.Region, r.Type, "")
		c.add(f.placeRead, r.Account, r.Region, r.Type, "", micros(r.At), int64(0), int64(0), "")
		// What the sweep came by is read; what it could not read was tried since.
		c.add(f.placeSwept, r.Account, r.Region, r.Type, micros(r.Since))
	}
	for _, p := range c.batch.Unread {
		touch(p.Account, p.Region, p.Type, clean(p.Resource))
		c.add(f.unread, p.Account, p.Region, p.Type, clean(p.Resource), int64(0), micros(p.Unread), micros(p.Tried), cleanTo(p.Why, maxPlaceWhy))
	}
}
