package reason

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
)

// generator makes random policy pairs that try to confuse: overlapping globs,
// denials, negations, every family of operators, set operators, variables. The
// second policy is mostly the first one with small changes.
type generator struct {
	*rand.Rand
	principals bool
	variables  bool
	mixed      bool // operators of all types on keys of free text
}

type object = map[string]any

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0xdea))}
	g.principals, g.variables = g.IntN(4) == 0, g.IntN(3) == 0
	g.mixed = g.oneIn(2)
	return g
}

// mix returns an operator of any type on a key of free text, with values that
// operators of other types read differently.
func (g *generator) mix(suffix string) (string, string, []string) {
	set, key := "", "k:s"
	if g.oneIn(3) {
		set, key = g.pick("ForAnyValue:", "ForAllValues:"), "k:m"
	}
	var op string
	var value func() string
	switch g.IntN(6) {
	case 0:
		op, value = "Bool", func() string { return g.pick("true", "false") }
	case 1:
		op, value = g.pick("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"), func() string { return g.pick("1", "2026", "-3", "1.5", "1.0") }
	case 2:
		op, value = g.pick("DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThanEquals"), func() string { return g.pick("2026", "2026-01-01", "2026-01-01T00:00:00.5Z", "1.5") }
	case 3:
		op, value = g.pick("IpAddress", "NotIpAddress"), g.address
	case 4:
		op, value = g.pick("StringEquals", "StringNotEquals"), func() string {
			return g.pick("1", "1.0", "true", "True", "2026", "2026-01-01", "10.1.2.3", "a", "", "arn:aws:iam::1:a")
		}
	case 5:
		op, value = g.pick("StringLike", "StringNotLike", "ArnLike", "ArnNotLike"), func() string {
			return g.pick("1*", "t*", "*", "?", "2026*", "10.*", "arn:aws:iam::1:*")
		}
	}
	if strings.HasPrefix(op, "Arn") {
		value = func() string { return g.pick("arn:aws:iam::1:*", "arn:aws:iam::*:a", "arn:*:*:*:*:*") }
	}
	return set + op + suffix, key, g.some(3, value)
}

func (g *generator) oneIn(n int) bool { return g.IntN(n) == 0 }

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// some returns one to n values.
func (g *generator) some(n int, make func() string) []string {
	out := []string{make()}
	for len(out) < n && g.oneIn(2) {
		out = append(out, make())
	}
	return out
}

func (g *generator) action() string {
	return g.pick("s3:GetObject", "s3:Get*", "s3:*", "s3:Put?bject", "s3:*Object", "ec2:*", "ec2:Run*", "ec2:RunInstances", "*", "S3:getobject", "s3:?et*")
}

func (g *generator) resource() string {
	switch g.IntN(6) {
	case 0:
		return g.pick("*", "*", "arn:aws:s3:::a", "arn:aws:s3:::*", "arn:aws:s3", "arn:aws:*:b")
	case 1:
		return "arn:aws:" + g.word("s3", "*", "s?", "ec2") + ":" + g.word("", "*", "a") + ":" + g.word("", "*", "a", "b?") + ":" + g.glob()
	case 2:
		if g.variables {
			return g.pick("a/${k:v}", "a/${k:v}/*", "${k:v}", "arn:aws:s3:::${k:v}", "arn:aws:s3:::${k:v}*", "arn:aws:s3:${k:v}:b:c", "a/${k:v, 'ab'}", "x${*}y")
		}
	}
	return g.glob()
}

func (g *generator) word(of ...string) string { return g.pick(of...) }

// glob returns a short soup of letters and wildcards.
func (g *generator) glob() string {
	var b strings.Builder
	for range 1 + g.IntN(5) {
		b.WriteString(g.pick("a", "b", "c", "a", "*", "?", "ab"))
	}
	return b.String()
}

func (g *generator) text() string { return g.pick("a", "b", "ab", "B", "abc", "", "*") }

func (g *generator) address() string {
	return g.pick("10.0.0.0/8", "10.1.2.3", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.1.2.3/16")
}

// condition returns an operator, a key and values.
func (g *generator) condition() (string, string, []string) {
	suffix := g.pick("", "", "", "IfExists")
	if g.mixed && g.oneIn(2) {
		return g.mix(suffix)
	}
	text := func() []string {
		return g.some(3, func() string {
			if g.variables && g.oneIn(3) {
				return g.pick("${k:v}", "a${k:v}", "${k:v, 'ab'}")
			}
			return g.text()
		})
	}
	globs := func() []string { return g.some(3, g.glob) }
	switch g.IntN(11) {
	case 0, 1:
		if g.oneIn(3) {
			return g.pick("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase") + suffix, "k:s", g.some(3, g.text)
		}
		return g.pick("StringEquals", "StringNotEquals") + suffix, "k:s", text()
	case 2:
		return g.pick("StringLike", "StringNotLike") + suffix, "k:s", globs()
	case 3:
		return g.pick("ForAnyValue:", "ForAllValues:") + g.pick("StringLike", "StringNotLike") + suffix, "k:m", globs()
	case 4:
		return g.pick("ForAnyValue:", "ForAllValues:", "") + g.pick("StringEquals", "StringNotEquals") + suffix, "k:m", g.some(3, g.text)
	case 5:
		return g.pick("IpAddress", "NotIpAddress") + suffix, "aws:SourceIp", g.some(3, g.address)
	case 6:
		return g.pick("", "ForAnyValue:", "ForAllValues:") + "Null", g.pick("k:s", "k:m", "k:b", "k:n"), []string{g.pick("true", "false")}
	case 7:
		return "Bool" + suffix, "k:b", []string{g.pick("true", "false")}
	case 8:
		return g.pick("NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals") + suffix,
			"k:n", g.some(2, func() string { return g.pick("1", "2", "1.5", "-3", "2.0") })
	case 9:
		return g.pick("DateLessThan", "DateGreaterThanEquals", "DateNotEquals") + suffix, "k:d", []string{g.pick("2026-01-01T00:00:00Z", "2026-06-01", "1767225600")}
	}
	return g.pick("ArnLike", "ArnNotEquals", "ArnEquals", "ArnNotLike") + suffix, "k:a",
		g.some(2, func() string { return "arn:aws:" + g.word("iam", "*") + "::" + g.word("*", "1", "?") + ":" + g.glob() })
}

func (g *generator) principal() any {
	aws := g.some(3, func() string {
		return g.pick("111111111111", "222222222222", "arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:role/a",
			"arn:aws:iam::111111111111:user/b", "arn:aws:sts::111111111111:assumed-role/a/s")
	})
	switch g.IntN(5) {
	case 0:
		return "*"
	case 1:
		return object{"AWS": aws, "Service": []string{g.pick("ec2.amazonaws.com", "s3.amazonaws.com")}}
	case 2:
		return object{"Federated": []string{"*"}}
	}
	return object{"AWS": aws}
}

func (g *generator) statement() object {
	st := object{"Effect": g.pick("Allow", "Allow", "Allow", "Deny")}
	st[g.pick("Action", "Action", "Action", "NotAction")] = g.some(3, g.action)
	st[g.pick("Resource", "Resource", "Resource", "NotResource")] = g.some(3, g.resource)
	if g.principals {
		st[g.pick("Principal", "Principal", "Principal", "NotPrincipal")] = g.principal()
	}
	conditions := object{}
	for range g.IntN(3) {
		op, key, values := g.condition()
		if conditions[op] == nil {
			conditions[op] = object{key: values}
		}
	}
	if len(conditions) > 0 {
		st["Condition"] = conditions
	}
	return st
}

func (g *generator) statements() []object {
	out := []object{g.statement()}
	for range g.IntN(4) {
		out = append(out, g.statement())
	}
	return out
}

// change returns the statements with one or two small changes.
func (g *generator) change(in []object) []object {
	out := slices.Clone(in)
	for range 1 + g.IntN(2) {
		i := g.IntN(len(out))
		st := object{}
		for k, v := range out[i] {
			st[k] = v
		}
		switch g.IntN(6) {
		case 0:
			op, key, values := g.condition()
			st["Condition"] = object{op: object{key: values}}
		case 1:
			delete(st, "Condition")
		case 2:
			delete(st, "NotResource")
			st["Resource"] = g.some(2, g.resource)
		case 3:
			delete(st, "NotAction")
			st["Action"] = g.some(2, g.action)
		case 4:
			out = append(out, g.statement())
		case 5:
			if len(out) > 1 {
				out = slices.Delete(out, i, i+1)
			}
			continue
		}
		out[i] = st
	}
	return out
}

// pair returns two documents.
func (g *generator) pair() (fresh, known []byte) {
	a := g.statements()
	b := g.statements()
	if !g.oneIn(3) {
		b = g.change(a)
	}
	return document(a), document(b)
}

func document(statements []object) []byte {
	text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	return text
}

// reading returns a random reading.
func (g *generator) reading() Reading {
	all := AllReadings()
	return all[g.IntN(len(all))]
}
