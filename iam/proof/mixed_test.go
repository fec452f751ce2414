package proof

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"dera.example/dera/iam/eval"
	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/proof/check"
	"dera.example/dera/iam/reason"
)

// mixer makes pairs of policies with operators of every type on keys of free
// text, and requests with texts that are of a type, of another, and of none.
type mixer struct {
	*rand.Rand
	principals bool
	focus      string // most conditions are on this key
}

func (m *mixer) pick(of ...string) string { return of[m.IntN(len(of))] }

func (m *mixer) some(n int, from ...string) []string {
	out := []string{m.pick(from...)}
	for len(out) < n && m.IntN(2) == 0 {
		out = append(out, m.pick(from...))
	}
	return out
}

func freeKeys() []string {
	return []string{"aws:PrincipalTag/team", "aws:RequestTag/team", "aws:ResourceTag/team", "ec2:ResourceTag/team", "s3:ExistingObjectTag/team",
		"aws:userid", "aws:UserAgent", "aws:Referer", "s3:prefix", "aws:TagKeys"}
}

func oddTexts() []string {
	return []string{"true", "false", "TRUE", "True", "falſe", "temp", "", "1", "1.0", "+1", "01", "1.5", "-3", "2026", "2026-01-01", "2026-01-01T00:00:00Z",
		"2026-01-01T00:00:00.5Z", "1767225600", "10.1.2.3", "10.0.0.0/8", "11.0.0.1", "2001:db8::1", "2001:DB8:0::1", "::1", "fe80::1%x",
		"arn:aws:iam::111122223333:role/x", "arn:aws:iam::111122223333:role/x:y", "arn:aws:s3:::b", "AIDAEXAMPLE", "AROAEXAMPLE:session", "anonymous", "team", "temporary"}
}

func (m *mixer) condition() (op, key string, values []string) {
	any := func() string {
		if m.IntN(6) == 0 {
			return m.pick("aws:SourceIp", "aws:SecureTransport", "aws:CurrentTime", "aws:MultiFactorAuthAge")
		}
		return m.pick(freeKeys()...)
	}
	if m.focus == "" {
		m.focus = any()
	}
	if key = m.focus; m.IntN(5) == 0 {
		key = any()
	}
	switch m.IntN(8) {
	case 0, 1:
		op, values = "Bool", m.some(2, "true", "false")
	case 2:
		op = m.pick("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals")
		values = m.some(2, "1", "1.5", "-3", "2026", "1767225600")
	case 3:
		op = m.pick("DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals")
		values = m.some(2, "2026", "2026-01-01", "2026-01-01T00:00:00.5Z", "1.5")
	case 4:
		op, values = m.pick("IpAddress", "NotIpAddress"), m.some(2, "10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "::/0", "2001:db8::/32")
	case 5:
		op, values = m.pick("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"), m.some(3, oddTexts()...)
	case 6:
		op, values = m.pick("StringLike", "StringNotLike"), m.some(2, "t*", "*", "?*", "1*", "10.*", "2026*", "AROA*", "*.5*")
	case 7:
		op, values = m.pick("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals"), m.some(2, "arn:aws:iam::111122223333:*", "arn:aws:*:*:*:*", "arn:*:s3:::b")
	}
	if m.IntN(9) == 0 {
		op, values = "Null", []string{m.pick("true", "false")}
	}
	if key == "aws:TagKeys" || m.IntN(12) == 0 {
		op = m.pick("ForAnyValue:", "ForAllValues:") + op
	}
	if m.IntN(4) == 0 && !strings.HasSuffix(op, "Null") {
		op += "IfExists"
	}
	return op, key, values
}

func (m *mixer) statement(effect string) map[string]any {
	st := map[string]any{"Effect": effect, "Action": m.pick("s3:GetObject", "s3:*", "s3:Get*"), "Resource": m.pick("*", "arn:aws:s3:::b/*")}
	if m.principals {
		st["Principal"] = "*"
	}
	m.condense(st)
	return st
}

// condense gives a statement one or two conditions, or none.
func (m *mixer) condense(st map[string]any) {
	conditions := map[string]map[string][]string{}
	for range 1 + m.IntN(2) {
		op, key, values := m.condition()
		if conditions[op] == nil {
			conditions[op] = map[string][]string{}
		}
		conditions[op][key] = values
	}
	delete(st, "Condition")
	if m.IntN(6) > 0 {
		st["Condition"] = conditions
	}
}

// pair returns an old and a new policy: the new one has some statements of the
// old one, narrower, wider or as they are, and perhaps another.
func (m *mixer) pair(t testing.TB) (old, fresh *policy.Document) {
	t.Helper()
	var a, b []map[string]any
	for range 1 + m.IntN(3) {
		a = append(a, m.statement(m.pick("Allow", "Allow", "Deny")))
	}
	for _, st := range a {
		c := map[string]any{}
		for k, v := range st {
			c[k] = v
		}
		switch m.IntN(8) {
		case 0:
			m.condense(c)
		case 1:
			c["Action"] = "s3:GetObject"
		case 2:
			continue
		case 3:
			if have, ok := c["Condition"].(map[string]map[string][]string); ok { // one value fewer, or a condition more
				more := map[string]map[string][]string{}
				for _, op := range slices.Sorted(maps.Keys(have)) {
					more[op] = map[string][]string{}
					for _, key := range slices.Sorted(maps.Keys(have[op])) {
						more[op][key] = have[op][key][:1+m.IntN(len(have[op][key]))]
					}
				}
				op, key, values := m.condition()
				if more[op] == nil {
					more[op] = map[string][]string{key: values}
				}
				c["Condition"] = more
			}
		}
		b = append(b, c)
	}
	if len(b) == 0 || m.IntN(4) == 0 {
		b = append(b, m.statement(m.pick("Allow", "Deny")))
	}
	return m.document(t, a), m.document(t, b)
}

func (m *mixer) document(t testing.TB, statements []map[string]any) *policy.Document {
	t.Helper()
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := policy.Parse(string(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

// request returns a request as AWS may see it: its own keys are of their types.
func (m *mixer) request() eval.Request {
	r := eval.Request{Action: m.pick("s3:GetObject", "s3:PutObject"), Resource: m.pick("arn:aws:s3:::b/x", "arn:aws:s3:::c"), Context: eval.Context{}}
	for _, key := range freeKeys() {
		if m.IntN(3) > 0 {
			r.Context[strings.ToLower(key)] = []string{m.pick(oddTexts()...)}
		}
	}
	if m.IntN(2) == 0 {
		r.Context["aws:tagkeys"] = slices.Compact([]string{m.pick(oddTexts()...), m.pick(oddTexts()...)})
	}
	for _, typed := range [][]string{ // a key and its values
		{"aws:sourceip", "10.1.2.3", "11.0.0.1", "2001:db8::1", "::1"}, {"aws:securetransport", "true", "false"},
		{"aws:currenttime", "2026-12-01T10:00:00Z", "2027-01-01T00:00:00Z"}, {"aws:multifactorauthage", "1", "2026", "3"},
	} {
		if m.IntN(3) > 0 {
			r.Context[typed[0]] = []string{m.pick(typed[1:]...)}
		}
	}
	return r
}

// mixedPairs is how many pairs are made: DERA_MIXED_PAIRS, else a few.
func mixedPairs(t testing.TB) int {
	t.Helper()
	text := os.Getenv("DERA_MIXED_PAIRS")
	if text == "" {
		return 300
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// arity knows the keys of these policies.
func arity(key string) reason.Arity {
	if key == "aws:tagkeys" {
		return reason.Many
	}
	return reason.One
}

// TestSubset_on_free_text: what is proved about policies with operators of any
// type on keys of free text, no request contradicts, under no reading; and
// nothing is called proved that the checker does not accept.
func TestSubset_on_free_text(t *testing.T) {
	t.Parallel()
	readings := eval.Readings()
	count := map[string]int{}
	for seed := range uint64(mixedPairs(t)) {
		m := &mixer{Rand: rand.New(rand.NewPCG(seed, 14))}
		old, fresh := m.pair(t)
		before, after := reason.Policies{old}, reason.Policies{fresh}
		engine := reason.Subset(t.Context(), after, before, reason.Config{Arity: arity})
		said := Subset(t.Context(), after, before, reason.Config{Arity: arity})
		count["engine "+engine.Verdict.String()]++
		count["said "+said.Verdict.String()]++
		if accepted := check.Includes(after, before) == nil; said.Verdict == reason.Proved && !accepted || accepted && engine.Verdict == reason.Refuted {
			t.Errorf("seed %d: the engine says %v, the checker accepts: %v, said is %v\nold %s\nnew %s", seed, engine.Verdict, accepted, said.Verdict, old.Text(), fresh.Text())
		}
		if engine.Verdict != reason.Proved {
			continue
		}
		a, b := eval.Compile(fresh), eval.Compile(old)
		for range 400 {
			r, reading := m.request(), readings[m.IntN(len(readings))]
			if a.Decide(r, reading) == eval.Allowed && b.Decide(r, reading) != eval.Allowed {
				t.Fatalf("seed %d: proved, but %+v contradicts under %+v\nold %s\nnew %s", seed, r, reading, old.Text(), fresh.Text())
			}
		}
	}
	t.Logf("%v", count)
	if proved := count["engine proved"]; proved < mixedPairs(t)/10 || count["said proved"] < proved*9/10 {
		t.Errorf("too little is proved: %v", count)
	}
}

// TestPublic_on_free_text: where a resource policy of that kind is called not
// public, no request of an external principal is allowed.
func TestPublic_on_free_text(t *testing.T) {
	t.Parallel()
	readings := eval.Readings()
	count := map[string]int{}
	for seed := range uint64(mixedPairs(t)) {
		m := &mixer{Rand: rand.New(rand.NewPCG(seed, 15)), principals: true}
		doc, _ := m.pair(t)
		found := Public(t.Context(), reason.Policies{doc}, reason.Config{Arity: arity})
		count[found.Verdict.String()]++
		if found.Verdict != reason.Proved {
			continue
		}
		set := eval.Compile(doc)
		for range 400 {
			r, reading := m.request(), readings[m.IntN(len(readings))]
			reading.LiteralARNs = true
			r.Principal = eval.Principal{ARN: m.pick("", "arn:aws:iam::999999999999:role/x")}
			r.Context["aws:userid"] = []string{m.pick("anonymous", "AIDAOTHER", "AROAOTHER:x")}
			if ip := r.Context["aws:sourceip"]; len(ip) > 0 {
				ip[0] = m.pick("200.1.1.1", "2a00::1")
			}
			if set.Decide(r, reading) == eval.Allowed {
				t.Fatalf("seed %d: not public, but %+v is allowed under %+v\n%s", seed, r, reading, doc.Text())
			}
		}
	}
	t.Logf("%v", count)
	if count["proved"] < mixedPairs(t)/20 || count["refuted"] < mixedPairs(t)/10 {
		t.Errorf("the test says little: %v", count)
	}
}
