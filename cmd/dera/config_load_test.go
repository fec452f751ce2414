package main

import (
	"strings"
	"testing"
)

// TestLoadFaults: each fault of how much dera receives and calls is found with its field.
func TestLoadFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want, says string }{
		"good":             {"aws: {share: 0.3, rates: {ec2: 100}}\nsources: {queue: {receivers: 8}}", "", ""},
		"share_of_percent": {"aws: {share: 30}", "aws.share", "0.3"},
		"share_below_zero": {"aws: {share: -0.1}", "aws.share", "0.3"},
		"unknown_service":  {"aws: {rates: {elastic: 100}}", "aws.rates", "ec2"},
		"rate_of_nothing":  {"aws: {rates: {ec2: 0}}", "aws.rates", "above 0"},
		"many_receivers":   {"sources: {queue: {receivers: 1000}}", "sources.queue.receivers", "256"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadConfig(fileIn(t, t.TempDir(), "dera.yaml", "version: 1\n"+tc.text+"\n"))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.says)):
				t.Errorf("got %v, want a fault of %s with %q", err, tc.want, tc.says)
			}
		})
	}
}
