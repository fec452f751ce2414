package reason

import (
	"dera/iam/eval"
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestDbg(t *testing.T) {
	id := os.Getenv("DBG")
	if id == "" {
		t.Skip()
	}
	n, _ := strconv.ParseUint(id, 10, 64)
	d := newDuel(t, n)
	fresh, known := parsePolicies(t, d.fresh), parsePolicies(t, d.known)
	fmt.Println(string(d.fresh))
	fmt.Println(string(d.known))
	fmt.Println(d.reading)
	p := prepare(claim{fresh: fresh, known: known}, Config{Arity: cvc5Arity}.withDefaults())
	r := p.newRun(t.Context(), d.reading, nil)
	r.question.each(func(l leaf) bool {
		q, ok := r.request(l)
		fmt.Printf("%v %+v %q %v\n", l.status, q, q.Context, ok)
		fmt.Println(eval.Compile(fresh...).Explain(q, r.reading.Reading))
		fmt.Println(eval.Compile(known...).Explain(q, r.reading.Reading))
		return true
	})
}
