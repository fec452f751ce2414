package console

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"dera.example/dera"
	"dera.example/dera/app"
)

// mostColumns is how many accounts the rulebook has beside each other; a search leads to the others.
const mostColumns = 8

// matrix is what is open by control and account, with the mode in force.
type matrix struct {
	rules    []Rule
	accounts []string // that are shown
	others   int      // accounts that are not
	cells    map[[2]string]app.Candidate
	account  string // chosen, "" for none
	control  string
	ready    []app.Candidate // observed for long enough, would fix something, and are not switched on
}

// cell is a control in an account, nil where nothing is open there.
func (m matrix) cell(control, account string) *app.Candidate {
	if c, ok := m.cells[[2]string{control, account}]; ok {
		return &c
	}
	return nil
}

// ready reports whether a control that observes was observed for long enough and would fix something.
func ready(c app.Candidate) bool { return c.Mode != dera.Enforce && c.Over && c.WouldFix > 0 }

// counted keeps what was counted last: it takes as long as there are findings.
type counted struct {
	mu     sync.Mutex
	number int64
	list   []app.Candidate
}

func (c *Console) rulebook(w http.ResponseWriter, r *http.Request, v visitor) {
	c.show(w, r, v, "Rulebook", "dera report --candidates", func(p frame, s *snapshot) (templ.Component, error) {
		c.counted.mu.Lock()
		defer c.counted.mu.Unlock()
		if c.counted.list == nil || c.counted.number != s.number {
			list, err := c.cfg.Screens.Open(r.Context(), s.findings())
			if err != nil {
				return nil, err
			}
			c.counted.number, c.counted.list = s.number, list
		}
		q := r.URL.Query()
		m := matrixOf(c.cfg.Screens.Rules(), c.counted.list, strings.TrimSpace(q.Get("account")), strings.TrimSpace(q.Get("control")))
		return rulebookPage(p, m), nil
	})
}

// matrixOf lays out what was counted: the accounts with the most findings, or the one that was chosen.
func matrixOf(rules []Rule, list []app.Candidate, account, control string) matrix {
	m := matrix{rules: rules, cells: map[[2]string]app.Candidate{}, account: account, control: control}
	open := map[string]int{}
	for _, c := range list {
		m.cells[[2]string{c.Control, c.Account}] = c
		open[c.Account] += c.Open
		if ready(c) && (account == "" || c.Account == account) && (control == "" || c.Control == control) {
			m.ready = append(m.ready, c)
		}
	}
	for id := range open {
		if account == "" || id == account {
			m.accounts = append(m.accounts, id)
		}
	}
	slices.SortFunc(m.accounts, func(a, b string) int {
		if open[a] != open[b] {
			return open[b] - open[a]
		}
		return strings.Compare(a, b)
	})
	if n := len(m.accounts) - mostColumns; n > 0 {
		m.accounts, m.others = m.accounts[:mostColumns], n
	}
	if control != "" {
		m.rules = slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool { return r.ID != control })
	}
	return m
}
