package store

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
	"sync"
)

// form is a statement over many rows: what it does with the rows d. Both databases have
// the same statement; they differ in how the rows get there.
type form struct {
	// names are the columns of d, and kinds one letter for each: t is text, i an integer,
	// b bytes and s text that may be missing. Without columns there is no d.
	names string
	kinds string
	// rest is the statement behind d; what inserts the rows as they are has the table in into
	// and in rest only what is done with what is there.
	into string
	rest string
	// unique is how many of the first columns tell the rows apart in the table. Rows that are
	// the same in these go in statements of their own, in their order: PostgreSQL refuses to
	// update a row twice in one. 0 says that the same row twice does no harm.
	unique int
	// what it is about, for errors.
	what string
	// short, where set, is the error where fewer rows of the table change than there are in d.
	short error

	arrays bool
	mu     sync.Mutex
	texts  []string // for one row, two, four and so on; the first for any number of arrays
}

// mostRows is the most rows of a statement whose rows are arguments of their own.
const mostRows = 64

// text is the statement: for any number of rows where each column is one argument, an array,
// and else for a power of two of rows.
func (f *form) text(power int) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.arrays || f.kinds == "" {
		power = 0
	}
	for len(f.texts) <= power {
		f.texts = append(f.texts, "")
	}
	if f.texts[power] == "" {
		f.texts[power] = f.write(1 << power)
	}
	return f.texts[power]
}

func (f *form) write(n int) string {
	if f.kinds == "" {
		return f.rest
	}
	types := map[rune]string{'t': "text", 's': "text", 'i': "bigint", 'b': "bytea"}
	if in := " IN (SELECT " + f.names + " FROM d)"; len(f.kinds) == 1 && strings.Contains(f.rest, in) {
		if f.arrays { // by an index, whatever PostgreSQL believes of the size of a table that has just grown
			return strings.ReplaceAll(f.rest, in, " = ANY($1::"+types[rune(f.kinds[0])]+"[])")
		}
		var list strings.Builder
		for i := range n {
			fmt.Fprintf(&list, "%s$%d", either(i > 0, ", ", ""), i+1)
		}
		return strings.ReplaceAll(f.rest, in, " IN ("+list.String()+")")
	}
	before, after := "WITH d ("+f.names+") AS (", ") "+f.rest
	if f.into != "" {
		before, after = "INSERT INTO "+f.into+" ("+f.names+") ", " "+f.rest
	}
	var out strings.Builder
	out.WriteString(before)
	if f.arrays {
		for i, k := range f.kinds {
			fmt.Fprintf(&out, "%s$%d::%s[]", either(i == 0, "SELECT * FROM unnest(", ", "), i+1, types[k])
		}
		return out.String() + ")" + after
	}
	for i := range n {
		for j := range f.kinds {
			fmt.Fprintf(&out, "%s$%d", either(j > 0, ", ", either(i == 0, "VALUES (", "), (")), i*len(f.kinds)+j+1)
		}
	}
	return out.String() + ")" + after
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// columns are the rows as one argument for each column.
func (f *form) columns(rows [][]any) []any {
	out := make([]any, len(f.kinds))
	for i, k := range f.kinds {
		switch k {
		case 't':
			out[i] = column[string](rows, i)
		case 's':
			out[i] = column[*string](rows, i)
		case 'i':
			out[i] = column[int64](rows, i)
		case 'b':
			out[i] = column[[]byte](rows, i)
		}
	}
	return out
}

func column[T any](rows [][]any, i int) []T {
	out := make([]T, len(rows))
	for j, row := range rows {
		out[j] = row[i].(T) // a row is made for its form
	}
	return out
}

// pieces calls each with the rows in pieces of a power of two, each with its text.
func (f *form) pieces(rows [][]any, each func(text string, args []any) error) error {
	if f.kinds == "" {
		return each(f.text(0), nil)
	}
	for len(rows) > 0 {
		power := bits.Len(uint(min(len(rows), mostRows))) - 1
		args := make([]any, 0, len(f.kinds)<<power)
		for _, row := range rows[:1<<power] {
			args = append(args, row...)
		}
		if err := each(f.text(power), args); err != nil {
			return err
		}
		rows = rows[1<<power:]
	}
	return nil
}

// rounds splits rows so that no two of one round are the same in the first columns; what
// is the same stays in its order.
func rounds(rows [][]any, unique int) [][][]any {
	if unique == 0 || len(rows) < 2 {
		return [][][]any{rows}
	}
	seen, out := make(map[string]int, len(rows)), [][][]any{}
	for _, row := range rows {
		var key strings.Builder
		for _, part := range row[:unique] {
			fmt.Fprintf(&key, "%v\x00", part)
		}
		n := seen[key.String()]
		if seen[key.String()]++; n == len(out) {
			out = append(out, nil)
		}
		out[n] = append(out[n], row)
	}
	return out
}

// step is one form in a transaction with the rows that it is about.
type step struct {
	*form
	rows [][]any
	// scan takes the rows of the answer, where there is one.
	scan func(scanner) error
}

// scanner is a row of an answer.
type scanner interface{ Scan(into ...any) error }

// end says what is wrong after a step: that it failed, or changed fewer rows than it should.
func (s step) end(changed int64, err error) error {
	if err == nil && s.short != nil && changed != int64(len(s.rows)) {
		err = s.short
	}
	if err != nil && s.what != "" {
		return fmt.Errorf("%s: %w", s.what, err)
	}
	return err
}

// session is a transaction that is open.
type session interface {
	// run runs the steps one after the other, in one round trip where there are any.
	run(ctx context.Context, steps ...step) error
}

// endError is of the end of a transaction: nobody knows whether it took place.
type endError struct{ error }

func (e endError) Unwrap() error { return e.error }
