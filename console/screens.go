package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"dera.example/dera"
	"dera.example/dera/app"
)

// Screens is what pages show beside lists, each as the command of the same name does.
type Screens interface {
	// Why says whether a change of dera denied what the text of an error names, at a time (RFC 3339) or,
	// for "", lately; a *Refused where they do not name enough.
	Why(ctx context.Context, text, at string) (app.Why, error)
	// Rulebook is the controls that run by account, with what is open of what is covered.
	Rulebook(ctx context.Context, findings []dera.Finding) (Rulebook, error)
	// Exemptions are the entries of the list in force, and the file; a *Refused where it cannot be read.
	Exemptions() (list []dera.Exemption, file string, err error)
	// Coverage is what is seen of the accounts.
	Coverage(ctx context.Context, findings []dera.Finding) (app.Coverage, error)
	// Accesses are what was asked to be given back.
	Accesses(ctx context.Context) ([]app.AccessView, error)
	// Proved is a record with the proof that the log has it; ErrNotFound for none, ErrAltered where the log
	// is not what was signed of it.
	Proved(ctx context.Context, index int64) (Proved, error)
}

// Rulebook is the controls that run, in the order of the rulebook, by the accounts that are covered.
type Rulebook struct {
	Rules    []Rule
	Accounts []string
	Open     []app.Candidate
	// Mode is the mode in force.
	Mode func(account, control string) dera.Mode
	// Unread are the types that could not be read, or were never read, in an account, wholly or in part.
	Unread map[[2]string]bool // by type and account
}

// ErrAltered is that the audit log is not what was signed of it.
var ErrAltered = errors.New("the audit log is not what was signed of it")

// Rule is a control for people.
type Rule struct {
	ID, Title, Severity, Type, Complexity, Why, Fix, Owner, ReviewBy string
	Frameworks                                                       []string // with the section, such as "CIS 5.0 5.2"
}

// Proved is a record of the audit log with what proves that it is in the log: a reader computes the root
// of the signed checkpoint from the record and the path (RFC 9162, section 2.1.3.2).
type Proved struct {
	Index      int64    `json:"index"`
	Size       int64    `json:"size"`       // of the log that the checkpoint is of
	Record     string   `json:"record"`     // as it was hashed, byte by byte
	Path       []string `json:"path"`       // hashes from the leaf to the root, in base64
	Checkpoint string   `json:"checkpoint"` // a signed note
	Key        string   `json:"key"`        // with which the note is verified
}

// show writes a page that is made from a snapshot and something else that is read.
func (c *Console) show(w http.ResponseWriter, r *http.Request, v visitor, title, command string, content func(p frame, s *snapshot) (templ.Component, error)) {
	s, ok := c.snapshot(w, r, v)
	if !ok {
		return
	}
	p := c.frame(r, v, true, title)
	p.cli = command + c.cfg.Flags
	made, err := content(p, s)
	switch {
	case errors.Is(err, ErrNotFound):
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("There is no such thing", "Nothing has this name here."))
	case errors.Is(err, ErrAltered):
		c.cfg.Log.ErrorContext(r.Context(), "the audit log was changed", "err", err)
		c.write(w, r, http.StatusInternalServerError, p, alteredPage(p))
	case err != nil:
		c.unread(w, r, v, err)
	default:
		c.write(w, r, http.StatusOK, p, made)
	}
}

func (c *Console) privilege(w http.ResponseWriter, r *http.Request, v visitor) {
	c.show(w, r, v, "Least privilege", "dera report --candidates", func(p frame, s *snapshot) (templ.Component, error) {
		asked, err := c.cfg.Screens.Accesses(r.Context())
		slices.Reverse(asked) // the newest first
		return privilegePage(p, privileges(s.rows), asked), err
	})
}

// privileges are the findings on unused permissions, those first that leave the most unused.
func privileges(rows []listed) []app.Privilege {
	var out []app.Privilege
	for _, f := range rows {
		if f.privilege != nil {
			out = append(out, *f.privilege)
		}
	}
	slices.SortStableFunc(out, func(a, b app.Privilege) int {
		return cmp.Or(cmp.Compare(b.Unused, a.Unused), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Key, b.Key))
	})
	return out
}

func (c *Console) exemptions(w http.ResponseWriter, r *http.Request, v visitor) {
	c.show(w, r, v, "Exemptions", "dera report", func(p frame, s *snapshot) (templ.Component, error) {
		list, file, err := c.cfg.Screens.Exemptions()
		var refused *Refused
		if err != nil && !errors.As(err, &refused) {
			return nil, err
		}
		wrong := ""
		if refused != nil {
			wrong = app.Plain(refused.Why)
		}
		uses, others := app.ExemptionUses(list, s.findings) // of a list that cannot be read all are others
		return exemptionsPage(p, file, wrong, uses, others), nil
	})
}

func (c *Console) accounts(w http.ResponseWriter, r *http.Request, v visitor) {
	c.show(w, r, v, "Accounts", "dera doctor", func(p frame, s *snapshot) (templ.Component, error) {
		seen, err := c.coverage.get(c.cfg.Now, func() (app.Coverage, error) { return c.cfg.Screens.Coverage(r.Context(), s.findings) })
		find := strings.TrimSpace(r.URL.Query().Get("q"))
		if find != "" {
			seen.Accounts = slices.DeleteFunc(slices.Clone(seen.Accounts), func(a app.AccountCoverage) bool {
				return !strings.Contains(strings.ToLower(a.Account.ID+"\n"+a.Account.Name+"\n"+a.Account.OU), strings.ToLower(find))
			})
		}
		return accountsPage(p, seen, find), err
	})
}

// mostRecords is how many records a page of the log has.
const mostRecords = 50

// recorded is a record with its number.
type recorded struct {
	dera.AuditRecord
	index int64
}

func (c *Console) audit(w http.ResponseWriter, r *http.Request, v visitor) {
	c.show(w, r, v, "Audit log", "dera audit show", func(p frame, _ *snapshot) (templ.Component, error) {
		size, err := c.cfg.Store.LogSize(r.Context())
		if err != nil {
			return nil, err
		}
		end := size // the page ends before it
		if n, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64); err == nil && n > 0 && n < size {
			end = n
		}
		from := max(0, end-mostRecords)
		leaves, err := c.cfg.Store.Leaves(r.Context(), from, end-from)
		if err != nil {
			return nil, err
		}
		list, err := recordsOf(leaves, from)
		return auditPage(p, list, size, from), err
	})
}

func (c *Console) record(w http.ResponseWriter, r *http.Request, v visitor) {
	index, err := strconv.ParseInt(r.PathValue("index"), 10, 64)
	if err != nil || index < 0 {
		c.answer(w, r, http.StatusNotFound, v, "Not found", message("There is no such record", "Records have numbers from 0 on."))
		return
	}
	c.show(w, r, v, "Record "+strconv.FormatInt(index, 10), "dera audit show "+strconv.FormatInt(index, 10), func(p frame, _ *snapshot) (templ.Component, error) {
		proved, err := c.cfg.Screens.Proved(r.Context(), index)
		if err != nil {
			return nil, err
		}
		list, err := recordsOf([][]byte{[]byte(proved.Record)}, index)
		if err != nil {
			return nil, err
		}
		return recordPage(p, list[0], proved), nil
	})
}

// recordsOf reads records, the newest first.
func recordsOf(leaves [][]byte, from int64) ([]recorded, error) {
	out := make([]recorded, len(leaves))
	for i, leaf := range leaves {
		at := &out[len(leaves)-1-i]
		at.index = from + int64(i)
		if err := json.Unmarshal(leaf, &at.AuditRecord); err != nil {
			return nil, fmt.Errorf("read audit record %d: %w", at.index, err)
		}
	}
	return out, nil
}
