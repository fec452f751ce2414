package main

import (
	"strings"
	"testing"
)

// TestSourcesFaults: each fault of where else events come from is found with its field.
func TestSourcesFaults(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want, says string }{
		"backfill":               {"backfill: {after: 30m, most: 500}", "", ""},
		"backfill_all_the_time":  {"backfill: {after: 10s}", "sources.backfill.after", "5m"},
		"backfill_without_after": {"backfill: {most: 500}", "sources.backfill.after", "30m"},
		"backfill_too_much":      {"backfill: {after: 1h, most: 1000000}", "sources.backfill.most", "100000"},
		"logs":                   {"s3_logs: [{bucket: acme-trail, owner: '111122223333', region: eu-west-1}]", "", ""},
		"logs_by_arn":            {"s3_logs: [{bucket: 'arn:aws:s3:::acme-trail', owner: '111122223333'}]", "sources.s3_logs[0].bucket", "not an ARN"},
		"logs_nowhere":           {"s3_logs: [{bucket: acme-trail, owner: '111122223333', region: mars}]", "sources.s3_logs[0].region", "eu-west-1"},
		"logs_of_no_name":        {"s3_logs: [{bucket: acme..trail, owner: '111122223333'}]", "sources.s3_logs[0].bucket", "name of a bucket"},
		"logs_of_nobody":         {"s3_logs: [{bucket: acme-trail}]", "sources.s3_logs[0].owner", ""},
		"logs_twice":             {"s3_logs: [{bucket: acme-trail, owner: '111122223333'}, {bucket: acme-trail, owner: '444455556666'}]", "sources.s3_logs[1].bucket", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadConfig(fileIn(t, t.TempDir(), "dera.yaml", "version: 1\nsources: {"+tc.text+"}\n"))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.says)):
				t.Errorf("got %v, want a fault of %s with %q", err, tc.want, tc.says)
			}
		})
	}
}

// TestUnheard: dera run does not begin with a source from which nothing could come.
func TestUnheard(t *testing.T) {
	t.Parallel()
	for text, tc := range map[string]struct{ queue, want string }{
		"sources: {s3_logs: [{bucket: acme-trail, owner: '111122223333'}]}":        {"", "s3_logs"},
		"sources: {s3_logs: [{bucket: acme-trail, owner: '111122223333'}]} ":       {"https://sqs.eu-west-1.amazonaws.com/111122223333/dera", ""},
		"sources: {webhook: {secret_env: S}}":                                      {"", "listen.address"},
		"sources: {webhook: {secret_env: S}}\nlisten: {address: '127.0.0.1:8088'}": {"", ""},
		"mode: observe": {"", ""},
	} {
		cfg, err := loadConfig(fileIn(t, t.TempDir(), "dera.yaml", "version: 1\n"+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := cfg.unheard(tc.queue); (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", text, err, tc.want)
		}
	}
}
