package lang

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

func prefixes(texts ...string) Ranges {
	var spans []Span
	for _, t := range texts {
		spans = append(spans, PrefixSpan(netip.MustParsePrefix(t)))
	}
	return NewRanges(spans...)
}

func TestRanges_two_halves_are_everything(t *testing.T) {
	t.Parallel()
	all4, halves := prefixes("0.0.0.0/0"), prefixes("128.0.0.0/1", "0.0.0.0/1")
	if !all4.Meet(halves.Complement()).Empty() {
		t.Error("0.0.0.0/0 is not inside its two halves")
	}
	if all4.Meet(prefixes("10.0.0.0/8", "0.0.0.0/1").Complement()).Empty() {
		t.Error("0.0.0.0/0 is said to be inside 0.0.0.0/1")
	}
	if !prefixes("::/0").Meet(prefixes("::/1", "8000::/1").Complement()).Empty() {
		t.Error("::/0 is not inside its two halves")
	}
	if !prefixes("::/0").Meet(all4).Empty() {
		t.Error("the two address families meet")
	}
}

func TestRanges_algebra(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	point := func() Point {
		edge := []uint64{0, 1, 2, ^uint64(0) - 1, ^uint64(0)}
		return Point{Family(r.IntN(5)), edge[r.IntN(5)], edge[r.IntN(5)]}
	}
	random := func() Ranges {
		var spans []Span
		for range r.IntN(4) {
			spans = append(spans, Span{point(), point()})
		}
		return NewRanges(spans...)
	}
	for range 20_000 {
		a, b, p := random(), random(), point()
		inA, inB := a.Contains(p), b.Contains(p)
		if got := a.Complement().Contains(p); got == inA {
			t.Fatalf("complement of %v: %v is in %v", a, p, got)
		}
		if got := a.Union(b).Contains(p); got != (inA || inB) {
			t.Fatalf("union of %v and %v: %v is in %v", a, b, p, got)
		}
		if got := a.Meet(b).Contains(p); got != (inA && inB) {
			t.Fatalf("meet of %v and %v: %v is in %v", a, b, p, got)
		}
		if !a.Meet(a.Complement()).Empty() || !a.Union(a.Complement()).Complement().Empty() {
			t.Fatalf("%v and its complement do not split the line", a)
		}
	}
}

func TestNumberPoint(t *testing.T) {
	t.Parallel()
	ascending := []string{"-4611686018427387903", "-2", "-1.5", "-1.000000000000000001", "-1", "-0.5", "0", "0.000000000000000001", "0.1", "0.2", "1", "10", "4611686018427387903"}
	for i, text := range ascending {
		p, err := NumberPoint(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		back, ok := p.Text()
		if !ok || back != text {
			t.Errorf("%s: written as %q, %v", text, back, ok)
		}
		if i == 0 {
			continue
		}
		q, _ := NumberPoint(ascending[i-1])
		if q.Compare(p) >= 0 {
			t.Errorf("%s is not below %s", ascending[i-1], text)
		}
		gap := NewRanges(Span{q, p}).Meet(NewRanges(Span{q, q}, Span{p, p}).Complement())
		if gap.Empty() {
			t.Errorf("nothing lies between %s and %s", ascending[i-1], text)
		}
		middle, ok := gap.Spans()[0].From.Text()
		if !ok {
			t.Errorf("the first place between %s and %s cannot be written", ascending[i-1], text)
		}
		if i > 1 && middle == text {
			t.Errorf("between %s and %s: got an end point", ascending[i-1], text)
		}
	}
	for _, bad := range []string{"", "x", "1e9", "0x10", "1/2", "1_0", "--1", "Inf", "9223372036854775807", "0.0000000000000000001", "1.2.3"} {
		if p, err := NumberPoint(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, p)
		}
	}
	one, _ := NumberPoint("1.0")
	if two, _ := NumberPoint("+01.00"); one != two {
		t.Errorf("1.0 and +01.00 differ: %v, %v", one, two)
	}
}

func TestPoint_text(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "2001:db8::1"} {
		if got, ok := AddrPoint(netip.MustParseAddr(text)).Text(); !ok || got != text {
			t.Errorf("%s: got %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{"0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z", "2026-11-23T10:00:00.5Z", "9999-12-31T23:59:59Z"} {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		p := DatePoint(at.Unix(), int32(at.Nanosecond()))
		if got, ok := p.Text(); !ok || got != text {
			t.Errorf("%s: got %q, %v", text, got, ok)
		}
		if q := DatePoint(at.Unix()-1, 999_999_999); at.Nanosecond() == 0 && q.next() != p {
			t.Errorf("%s: %v does not follow %v", text, p, q)
		}
	}
	for _, p := range []Point{DatePoint(-1<<62, 0), {Date, 1e9, 0}, {Other, 0, 0}, {IPv4, 0, 1 << 32}, {IPv4, 1, 0}, {Number, 0, ^uint64(0)}, {9, 0, 0}} {
		if got, ok := p.Text(); ok {
			t.Errorf("%v: got %q, want nothing", p, got)
		}
	}
}

func FuzzNumberPoint(f *testing.F) {
	f.Add("1.5", "1.50")
	f.Fuzz(func(t *testing.T, a, b string) {
		p, err := NumberPoint(a)
		if err != nil {
			return
		}
		text, ok := p.Text()
		if !ok {
			t.Fatalf("%q cannot be written back", a)
		}
		if q, err := NumberPoint(text); err != nil || q != p {
			t.Errorf("%q is written as %q, which is another place", a, text)
		}
	})
}
