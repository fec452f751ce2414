package soc2

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"dera.example/dera/app/export"
)

// DefaultSample is how many findings, and how many remediations, are sampled of a criterion.
const DefaultSample = 25

// method says how a sample is drawn.
const method = "Of a criterion, the findings are ordered by SHA-256(root + \"\\n\" + criterion + \"\\n\" + seed + \"\\n\" + id), where root is the root hash " +
	"of the checkpoint of the pack in base64, and the first ones are sampled; remediations likewise. All are, where there are no more."

// Index is what a pack is about.
type Index struct {
	Version  int       `json:"version"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Records  int64     `json:"records"` // of the log, that it is made from
	Root     string    `json:"root"`    // of these
	Sample   int       `json:"sample"`
	Seed     string    `json:"seed"`
	Method   string    `json:"method"`
	Criteria []Counts  `json:"criteria"`
	Unmapped []string  `json:"unmapped_controls"` // with something in the period, that speak to no criterion
}

// Counts is what there is of a criterion.
type Counts struct {
	ID           string   `json:"id"`
	About        string   `json:"about"`
	Because      string   `json:"because"`
	Controls     []string `json:"controls"`
	Findings     int      `json:"findings"`
	Remediations int      `json:"remediations"`
	Sampled      int      `json:"sampled"`
}

// Sample is what was sampled of a criterion.
type Sample struct {
	Criterion    string    `json:"criterion"`
	Method       string    `json:"method"`
	Findings     int       `json:"findings"`
	Remediations int       `json:"remediations"`
	Items        []Sampled `json:"items"`
}

// Sampled is an item with the records that name it.
type Sampled struct {
	Kind    string  `json:"kind"`
	ID      string  `json:"id"`
	Rank    string  `json:"rank"` // the hash that it was ordered by
	Records []int64 `json:"records"`
}

// derived makes the files that come from the records alone, by their names, and the records that were
// sampled.
func derived(i *Index, p *population, t Table, controls []Control) (map[string][]byte, []int64, error) {
	files, sampled, mapped := map[string][]byte{}, map[int64]bool{}, map[string]bool{}
	findings, remediations := p.held(kindFinding), p.held(kindRemediation)
	i.Criteria, i.Method = nil, method
	for _, c := range t.Criteria {
		counts := Counts{ID: c.ID, About: c.About, Because: c.Because, Controls: []string{}}
		for _, ctl := range controls {
			if slices.Contains(ctl.Criteria, c.ID) {
				counts.Controls = append(counts.Controls, ctl.ID)
			}
		}
		mine := func(all []*item) (out []*item) {
			for _, x := range all {
				if c.speaks(t.now(x.control)) {
					mapped[x.control] = true
					out = append(out, x)
				}
			}
			return out
		}
		f, r := mine(findings), mine(remediations)
		s := Sample{Criterion: c.ID, Method: method, Findings: len(f), Remediations: len(r), Items: append(i.draw(c.ID, f), i.draw(c.ID, r)...)}
		for _, x := range s.Items {
			for _, n := range x.Records {
				sampled[n] = true
			}
		}
		counts.Findings, counts.Remediations, counts.Sampled = len(f), len(r), len(s.Items)
		i.Criteria = append(i.Criteria, counts)
		var err error
		if files[c.ID+"/findings.csv"], err = findingRows(f); err != nil {
			return nil, nil, err
		}
		if files[c.ID+"/remediations.csv"], err = remediationRows(r); err != nil {
			return nil, nil, err
		}
		if files[c.ID+"/sample.json"], err = text(s); err != nil {
			return nil, nil, err
		}
	}
	i.Unmapped = unmapped(append(findings, remediations...), mapped)
	var err error
	files[indexName], err = text(i)
	return files, slices.Sorted(maps.Keys(sampled)), err
}

func unmapped(all []*item, mapped map[string]bool) []string {
	out := map[string]bool{}
	for _, x := range all {
		if x.control != "" && !mapped[x.control] {
			out[x.control] = true
		}
	}
	return append([]string{}, slices.Sorted(maps.Keys(out))...)
}

// draw draws a sample.
func (i *Index) draw(criterion string, list []*item) []Sampled {
	out := make([]Sampled, 0, len(list))
	for _, x := range list {
		sum := sha256.Sum256([]byte(strings.Join([]string{i.Root, criterion, i.Seed, x.id}, "\n")))
		out = append(out, Sampled{x.kind, x.id, hex.EncodeToString(sum[:]), x.records})
	}
	slices.SortFunc(out, func(a, b Sampled) int { return strings.Compare(a.Rank, b.Rank) })
	return out[:min(len(out), i.Sample)]
}

func text(v any) ([]byte, error) {
	out, err := json.MarshalIndent(v, "", "  ")
	return append(out, '\n'), err
}

func findingRows(list []*item) ([]byte, error) {
	rows := [][]string{{"id", "control", "title", "severity", "decision", "state_at_end", "account", "region", "resource", "owner", "first_recorded", "last_recorded", "records"}}
	for _, x := range list {
		rows = append(rows, []string{x.id, x.control, x.title, x.severity, x.decided, x.state, x.account, x.region, string(x.resource), x.owner, stamp(x.first), stamp(x.last), strconv.Itoa(len(x.records))})
	}
	return table(rows)
}

func remediationRows(list []*item) ([]byte, error) {
	rows := [][]string{{
		"id", "control", "findings", "severity", "decision", "state_at_end", "account", "region", "resource", "owner", "first_recorded", "first_write", "last_recorded",
		"approved_by", "identity_established_by", "rejected_by", "rolled_back_by", "records",
	}}
	for _, x := range list {
		rows = append(rows, []string{
			x.id, x.control, strings.Join(x.findings, " "), x.severity, x.decided, x.state, x.account, x.region, string(x.resource), x.owner, stamp(x.first), stamp(x.began), stamp(x.last),
			x.approvedBy, x.approvedHow, x.rejectedBy, x.rolledBackBy, strconv.Itoa(len(x.records)),
		})
	}
	return table(rows)
}

// table is CSV (RFC 4180) that no spreadsheet takes for formulas.
func table(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	for _, row := range rows {
		for i := range row {
			row[i] = export.Cell(row[i])
		}
	}
	err := w.WriteAll(rows)
	return out.Bytes(), err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func recordName(n int64) string { return fmt.Sprintf("records/%09d.json", n) }

func proofName(n int64) string { return fmt.Sprintf("records/%09d.proof.json", n) }
