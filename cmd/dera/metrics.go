package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// metricFamily is one metric of /metrics: what docs/operations.md says of it.
type metricFamily struct {
	name   string
	kind   string // counter, gauge or histogram
	labels []string
	help   string
}

// metricFamilies are all that there are, in the order in which they are written. Names and units are
// those of Prometheus: base units, _total of counters. No label is an account or a resource, and each
// has as many values as the code and the configuration name.
//
// https://prometheus.io/docs/practices/naming/
func metricFamilies() []metricFamily {
	return []metricFamily{
		{"dera_build_info", "gauge", []string{"version", "goversion"}, "1, with the version that runs."},
		{"dera_events_total", "counter", []string{"source", "result"}, "Messages that were committed, by what became of them; received counts each once."},
		{"dera_event_lag_seconds", "histogram", []string{"source"}, "From the time of an event to the commit of its hint."},
		{"dera_looks_total", "counter", []string{"type", "result"}, "Pages of a type that were read, and reads that failed."},
		{"dera_resources_looked_at_total", "counter", []string{"type"}, "Resources that were read and judged."},
		{"dera_decisions_total", "counter", []string{"disposition"}, "Remediations that were decided."},
		{"dera_remediations_ended_total", "counter", []string{"state"}, "Remediations that came to an end, by how."},
		{"dera_jobs_failed_total", "counter", nil, "Jobs that go back to be tried again."},
		{"dera_commits_total", "counter", []string{"result"}, "Transactions that write: done, refused (a conflict, a lost lease, a spent budget) or failed."},
		{"dera_aws_calls_total", "counter", []string{"service", "operation", "result"}, "Calls of AWS, with their retries as one."},
		{"dera_aws_throttles_total", "counter", []string{"service"}, "Attempts that AWS turned away for being too many."},
		{"dera_findings", "gauge", []string{"severity"}, "Findings that are open."},
		{"dera_remediations", "gauge", []string{"state"}, "Remediations in the database."},
		{"dera_jobs_due", "gauge", []string{"kind"}, "Jobs that are due and that nobody works at."},
		{"dera_oldest_due_job_seconds", "gauge", nil, "How long the oldest of these has been due; 0 where there is none."},
		{"dera_alarms", "gauge", nil, "Alarms that stand."},
		{"dera_outbox_messages", "gauge", []string{"sink", "state"}, "Messages that wait, or that were given up (dead)."},
		{"dera_audit_records", "gauge", nil, "Records of the audit log."},
		{"dera_audit_unsigned_records", "gauge", nil, "Records that no checkpoint covers yet."},
		{"dera_audit_checkpoint_age_seconds", "gauge", nil, "Age of the last signed checkpoint."},
		{"dera_audit_anchor_age_seconds", "gauge", []string{"anchor"}, "Age of the last checkpoint that was kept outside."},
		{"dera_audit_unanchored_records", "gauge", []string{"anchor"}, "Records that no checkpoint outside covers yet: all, of an anchor that never kept one."},
		{"dera_database_bytes", "gauge", nil, "Size of the database."},
		{"dera_database_up", "gauge", nil, "1 where the last read of the figures above succeeded; they are left out where none did for a minute."},
		{"dera_database_read_age_seconds", "gauge", nil, "How old these figures are."},
		{"process_cpu_seconds_total", "counter", nil, "CPU time, user and system."},
		{"process_resident_memory_bytes", "gauge", nil, "Resident memory."},
		{"process_start_time_seconds", "gauge", nil, "Start of the process, since 1970."},
		{"go_goroutines", "gauge", nil, "Goroutines."},
	}
}

// sample is one value of a family. Values of labels are in the order of the family's labels.
type sample struct {
	family string
	values []string
	value  float64
}

// key tells the samples of a family apart.
func (s sample) key() string { return s.family + "\x00" + strings.Join(s.values, "\x00") }

// lagBounds are the upper bounds of the buckets of a histogram, in seconds.
func lagBounds() []float64 { return []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600} }

// histogram counts values by bucket, each in the first that it fits.
type histogram struct {
	values []string
	counts []int64 // one more than lagBounds
	sum    float64
}

func (h *histogram) add(v float64) {
	i, _ := slices.BinarySearch(lagBounds(), v)
	h.counts[i]++
	h.sum += v
}

// writeMetrics writes samples and histograms in the text format 0.0.4 of Prometheus.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
func writeMetrics(w io.Writer, samples []sample, histograms map[string][]histogram) error {
	of := map[string][]sample{}
	for _, s := range samples {
		of[s.family] = append(of[s.family], s)
	}
	var b strings.Builder
	for _, f := range metricFamilies() {
		list, hs := of[f.name], histograms[f.name]
		if len(list)+len(hs) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.name, strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(f.help), f.name, f.kind)
		slices.SortFunc(list, func(a, b sample) int { return slices.Compare(a.values, b.values) })
		for _, s := range list {
			line(&b, f.name, f.labels, s.values, s.value)
		}
		slices.SortFunc(hs, func(a, b histogram) int { return slices.Compare(a.values, b.values) })
		for _, h := range hs {
			labels := append(slices.Clone(f.labels), "le")
			total := int64(0)
			for i, n := range h.counts {
				total += n
				bound := "+Inf"
				if i < len(lagBounds()) {
					bound = number(lagBounds()[i])
				}
				line(&b, f.name+"_bucket", labels, append(slices.Clone(h.values), bound), float64(total))
			}
			line(&b, f.name+"_sum", f.labels, h.values, h.sum)
			line(&b, f.name+"_count", f.labels, h.values, float64(total))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func line(b *strings.Builder, name string, labels, values []string, v float64) {
	b.WriteString(name)
	for i, l := range labels {
		if i == 0 {
			b.WriteByte('{')
		} else {
			b.WriteByte(',')
		}
		b.WriteString(l + `="` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(strings.ToValidUTF8(values[i], "\uFFFD")) + `"`)
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	b.WriteString(" " + number(v) + "\n")
}

func number(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// sorted returns the values of a map in the order of its keys.
func sorted[V any](m map[string]V) (out []V) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}
