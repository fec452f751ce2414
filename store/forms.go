package store

import "dera.example/dera/usage"

// forms are the statements of a commit, in the order of struct members.
type forms struct {
	// Reads, on which a batch is refused or not.
	leases, revisions, decided, ended, names, spent, denied, remediation *form
	size, edge                                                           *form
	lastRuns, hours, marks                                               *form
	// Writes.
	spends, findings, remediations, intents, incidents, accesses, watches, denials, stops, resumes *form
	remember, first, alarm, alarmEnded, forget, taken                                              *form
	expected, placesRead, placeRead, placeSwept, unread                                            *form
	evidence, kept, keptBound, counts, calls, judged                                               *form
	done, again, unclaim, jobs, sealed, leaves, hashes, posted, notices                            *form
	runs, setHours, setMarks, facts                                                                *form
	// The rest of a transaction.
	begin, lock, lockUsage, commit *form
	// writes are those of what a batch writes, in the order in which they are said. The ledger
	// comes last.
	writes []*form
}

func newForms(d dialect) forms {
	f := func(names, kinds, rest string, unique int) *form {
		return &form{names: names, kinds: kinds, rest: rest, unique: unique, arrays: d.arrays}
	}
	// add inserts the rows; what is there is treated as the last words say.
	add := func(table, names, kinds, rest string, unique int) *form {
		out := f(names, kinds, rest, unique)
		out.into, out.what = table, "write "+table
		return out
	}
	const keep = `ON CONFLICT DO NOTHING`
	plain := func(text string) *form { return f("", "", text, 0) }
	out := forms{begin: plain(d.begin), commit: plain("COMMIT")}
	if d.lock != "" {
		out.lock, out.lockUsage = plain(d.lock), plain(d.lockUsage)
	}

	forUpdate := ""
	if d.forUpdate != "" {
		forUpdate = " ORDER BY resource" + d.forUpdate
	}
	out.leases = f("r", "t", `SELECT resource, owner, token, until FROM leases WHERE resource IN (SELECT r FROM d)`+forUpdate, 0)
	out.revisions = f("r", "t", `SELECT id, revision FROM remediations WHERE id IN (SELECT r FROM d)`, 0)
	out.decided = f("r", "t", `SELECT resource, count(*) FROM remediations WHERE resource IN (SELECT r FROM d) GROUP BY resource`, 0)
	out.ended = f("a", "t", `SELECT id, ended FROM accesses WHERE id IN (SELECT a FROM d)`, 0)
	out.names = f("n", "t", `SELECT name, value FROM meta WHERE name IN (SELECT n FROM d)`, 0)
	out.spent = f("num, account, control, since, remediation, everywhere, reserved, whose, whence", "ittitiiti", `SELECT d.num,
		(SELECT count(*) FROM spends s WHERE s.account = d.account AND s.control = d.control AND s.at > d.since AND s.remediation <> d.remediation),
		CASE WHEN d.everywhere = 0 THEN 0 ELSE (SELECT count(*) FROM spends s WHERE s.at > d.since AND s.remediation <> d.remediation) END,
		CASE WHEN d.reserved = 0 THEN 0 ELSE (SELECT count(*) FROM spends s WHERE (d.whose = '' OR s.account = d.whose) AND s.at > d.whence AND s.remediation <> d.remediation) END,
		(SELECT count(*) FROM spends s WHERE s.remediation = d.remediation) FROM d`, 0)
	out.denied = f("r, i", "tt", `SELECT remediation, id, body FROM denials WHERE (remediation, id) IN (SELECT r, i FROM d)`, 0)
	out.remediation = f("r", "t", `SELECT id, state, body FROM remediations WHERE id IN (SELECT r FROM d)`, 0)
	out.size = plain(`SELECT coalesce(max(idx) + 1, 0) FROM leaves`)
	out.edge = f("i", "i", `SELECT idx, hash FROM hashes WHERE idx IN (SELECT i FROM d)`, 0)
	out.lastRuns = f("p", "i", `SELECT part, max(run) FROM usage_runs WHERE part IN (SELECT p FROM d) GROUP BY part`, 0)
	out.hours = f("a, r, m", "tti", `SELECT account, region, month, seen, proved FROM usage_hours WHERE (account, region, month) IN (SELECT a, r, m FROM d)`, 0)
	out.marks = f("f", "b", `SELECT file, at, body FROM usage_files WHERE file IN (SELECT f FROM d)`, 0)

	out.spends = add("spends", "remediation, account, control, at", "ttti", keep, 0)
	// What an ID is made of never changes: resource, account, region, type.
	out.findings = add("findings", "id, resource, account, region, type, state, severity, body", "ttttttit",
		`ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity, body = excluded.body`, 1)
	out.remediations = add("remediations", "id, resource, state, revision, created, body", "tttiib",
		`ON CONFLICT (id) DO UPDATE SET state = excluded.state, revision = excluded.revision, body = excluded.body WHERE remediations.revision = excluded.revision - 1`, 1)
	out.intents = add("intents", "remediation, step, undo, state, body", "tiitt", `ON CONFLICT (remediation, step, undo) DO UPDATE SET state = excluded.state, body = excluded.body`, 3)
	out.incidents = add("incidents", "finding, at, reference, account, region, type, body", "tittttt", keep, 0)
	out.accesses = add("accesses", "id, account, type, at, until, ended, body", "tttiiib",
		`ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, body = excluded.body WHERE accesses.ended = 0`, 1)
	out.watches = add("watches", "principal, remediation, since", "tti", keep, 0)
	out.denials = add("denials", "remediation, id, at, body", "ttit", `ON CONFLICT (remediation, id) DO UPDATE SET at = excluded.at, body = excluded.body`, 2)
	out.stops = add("stops", "account, control, body", "ttt", `ON CONFLICT (account, control) DO UPDATE SET body = excluded.body`, 2)
	out.resumes = f("a, c", "tt", `DELETE FROM stops WHERE (account, control) IN (SELECT a, c FROM d)`, 0)
	out.remember = add("meta", "name, value", "tt", `ON CONFLICT (name) DO UPDATE SET value = excluded.value`, 1)
	out.first = add("meta", "name, value", "tt", keep, 0)
	out.alarm, out.taken = add("meta", "name, value", "tt", keep, 0), add("meta", "name, value", "tt", keep, 0)
	out.posted = add("meta", "name, value", "tt", `ON CONFLICT (name) DO UPDATE SET value = excluded.value`, 1)
	out.alarmEnded = f("n", "t", `DELETE FROM meta WHERE name IN (SELECT n FROM d)`, 0)
	out.forget = f("size, prefix, cut", "itt", `DELETE FROM meta WHERE EXISTS (SELECT 1 FROM d WHERE substr(meta.name, 1, CAST(d.size AS INTEGER)) = d.prefix AND meta.value < d.cut)`, 0)

	place := "account, region, type, resource, read, unread, tried, why"
	out.expected = add("places", place, "ttttiiit", keep, 0)
	out.placesRead = f("a, r, t, x", "tttt", `DELETE FROM places WHERE (account, region, type, resource) IN (SELECT a, r, t, x FROM d)`, 0)
	out.placeRead = add("places", place, "ttttiiit", `ON CONFLICT (account, region, type, resource) DO UPDATE SET read = excluded.read, unread = 0, tried = 0, why = ''`, 4)
	out.placeSwept = f("a, r, t, since", "ttti", `DELETE FROM places WHERE (account, region, type, resource) IN (SELECT p.account, p.region, p.type, p.resource
		FROM d JOIN places p ON p.account = d.a AND p.region = d.r AND p.type = d.t WHERE p.resource <> '' AND p.tried < d.since)`, 0)
	out.unread = add("places", place, "ttttiiit", `ON CONFLICT (account, region, type, resource) DO UPDATE SET tried = excluded.tried, why = excluded.why,
		unread = CASE WHEN places.unread = 0 OR places.why = '' THEN excluded.unread ELSE places.unread END`, 4)

	out.evidence = add("evidence", "hash, body", "tb", keep, 0)
	out.kept = add("kept_events", "id, at, source, why, body", "tittb", keep, 0)
	out.keptBound = f("most", "i", `DELETE FROM kept_events WHERE id NOT IN (SELECT id FROM kept_events ORDER BY at DESC, id LIMIT (SELECT most FROM d))`, 0)
	out.counts = add("counters", "name, n", "ti", `ON CONFLICT (name) DO UPDATE SET n = counters.n + excluded.n`, 1)
	out.calls = add("calls", "event, at, judged, body", "tiit", keep, 0)
	out.judged = f("e", "t", `UPDATE calls SET judged = 1 WHERE event IN (SELECT e FROM d)`, 0)

	// One that was not claimed is cancelled, whoever holds it.
	out.done = f("k, i, s, c, u", "ttiii", `DELETE FROM jobs WHERE (kind, id) IN (SELECT j.kind, j.id FROM d JOIN jobs j ON j.kind = d.k AND j.id = d.i
		WHERE j.seq = d.s AND (j.claim = d.c AND j.leased_until = d.u OR d.c = 0))`, 0)
	// Still there and still ours: it was asked for again meanwhile.
	out.again = f("k, i, c, u", "ttii", `UPDATE jobs SET run_at = coalesce(asked_at, run_at), asked_at = NULL, leased_until = 0, claim = 0, owner = '', attempts = 0
		FROM d WHERE jobs.kind = d.k AND jobs.id = d.i AND jobs.claim = d.c AND jobs.leased_until = d.u`, 0)
	out.unclaim = f("k, i, c, u", "ttii", `UPDATE jobs SET run_at = CASE WHEN asked_at < run_at THEN asked_at ELSE run_at END, asked_at = NULL, leased_until = 0, claim = 0, owner = '', attempts = attempts - 1
		FROM d WHERE jobs.kind = d.k AND jobs.id = d.i AND jobs.claim = d.c AND jobs.leased_until = d.u`, 0)
	// seq is how often the batches ask for it, and run_at the earliest time.
	out.jobs = add("jobs", "kind, id, key, seq, priority, run_at, leased_until, owner, attempts, payload", "tttiiiitib",
		`ON CONFLICT (kind, id) DO UPDATE SET seq = jobs.seq + excluded.seq, payload = excluded.payload,
		  priority = CASE WHEN excluded.priority < jobs.priority THEN excluded.priority ELSE jobs.priority END,
		  run_at = CASE WHEN jobs.leased_until = 0 AND excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END,
		  asked_at = CASE WHEN jobs.leased_until = 0 THEN NULL
		    WHEN jobs.asked_at < excluded.run_at THEN jobs.asked_at ELSE excluded.run_at END`, 2)
	out.sealed = add("sealed", "commitment, body", "tb", keep, 0)
	out.leaves = add("leaves", "idx, leaf", "ib", "", 0)
	out.hashes = add("hashes", "idx, hash", "ib", "", 0)
	out.notices = add("outbox", "id, sink, due, digest, first, attempts, leased_until, claim, dead, why, body", "ttitiiiiitb", keep, 0)

	out.runs = add("usage_runs", "part, run, body", "iib", "", 0)
	out.setHours = add("usage_hours", "account, region, month, seen, proved", "ttibb",
		`ON CONFLICT (account, region, month) DO UPDATE SET seen = excluded.seen, proved = excluded.proved`, 3)
	out.setMarks = add("usage_files", "file, at, body", "bis", `ON CONFLICT (file) DO UPDATE SET at = excluded.at, body = excluded.body`, 1)
	out.facts = add("usage_facts", "id, kind, at, body", "ttit", `ON CONFLICT (id) DO UPDATE SET body = excluded.body,
		at = CASE WHEN excluded.kind = '`+usage.FactGrant+`' THEN excluded.at ELSE usage_facts.at END
		WHERE excluded.kind <> '`+usage.FactGrant+`' OR excluded.at > usage_facts.at`, 1)
	out.remediations.short, out.accesses.short, out.alarm.short, out.alarmEnded.short, out.taken.short = ErrConflict, ErrConflict, ErrAlarm, ErrAlarm, ErrTaken
	out.writes = []*form{
		out.spends, out.findings, out.remediations, out.intents, out.incidents, out.accesses, out.watches, out.denials, out.stops, out.resumes,
		out.remember, out.first, out.alarm, out.alarmEnded, out.forget, out.taken, out.expected, out.placesRead, out.placeRead, out.placeSwept, out.unread,
		out.evidence, out.kept, out.keptBound, out.counts, out.calls, out.judged, out.done, out.again, out.jobs, out.sealed, out.leaves, out.hashes, out.posted, out.notices,
		out.runs, out.setHours, out.setMarks, out.facts,
	}
	return out
}
