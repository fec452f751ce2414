package console

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"dera.example/dera"
	"dera.example/dera/app"
)

// mostColumns is how many accounts the rulebook has beside each other; a search leads to the others.
const mostColumns = 8

// mostReady is how many rows there are of what can be switched on.
const mostReady = 50

// matrix is what is open by control and account, with the mode in force.
type matrix struct {
	Rulebook
	rules   []Rule // that are shown
	columns []string
	others  int // accounts that are not
	cells   map[[2]string]app.Candidate
	account string // chosen, "" for none
	control string
	ready   []app.Candidate // observed for long enough, would fix something, and are not switched on
}

// cell is a control in an account, nil where nothing was ever open there.
func (m matrix) cell(control, account string) *app.Candidate {
	if c, ok := m.cells[[2]string{control, account}]; ok {
		return &c
	}
	return nil
}

// left is how many findings are left open.
func left(c app.Candidate) int { return c.Open - c.Exempt }

// ready reports whether a control that observes was observed for long enough and would fix something.
func ready(c app.Candidate) bool { return c.Mode != dera.Enforce && c.Over && c.WouldFix > 0 }

func (c *Console) rulebook(w http.ResponseWriter, r *http.Request, v visitor) {
	c.show(w, r, v, "Rulebook", "dera report --candidates", func(p frame, s *snapshot) (templ.Component, error) {
		book, err := c.rules.get(c.cfg.Now, func() (Rulebook, error) { return c.cfg.Screens.Rulebook(r.Context(), s.findings) })
		q := r.URL.Query()
		return rulebookPage(p, matrixOf(book, strings.TrimSpace(q.Get("account")), strings.TrimSpace(q.Get("control")))), err
	})
}

// matrixOf lays the rulebook out: the accounts with the most findings, or the one that was chosen.
func matrixOf(book Rulebook, account, control string) matrix {
	m := matrix{Rulebook: book, rules: book.Rules, cells: map[[2]string]app.Candidate{}, account: account, control: control}
	open := map[string]int{}
	for _, c := range book.Open {
		m.cells[[2]string{c.Control, c.Account}] = c
		open[c.Account] += left(c)
		if ready(c) && (account == "" || c.Account == account) && (control == "" || c.Control == control) {
			m.ready = append(m.ready, c)
		}
	}
	for _, id := range book.Accounts {
		if account == "" || id == account {
			m.columns = append(m.columns, id)
		}
	}
	slices.SortFunc(m.columns, func(a, b string) int { return cmp.Or(cmp.Compare(open[b], open[a]), strings.Compare(a, b)) })
	if n := len(m.columns) - mostColumns; n > 0 {
		m.columns, m.others = m.columns[:mostColumns], n
	}
	if control != "" {
		m.rules = slices.DeleteFunc(slices.Clone(book.Rules), func(r Rule) bool { return r.ID != control })
	}
	return m
}
