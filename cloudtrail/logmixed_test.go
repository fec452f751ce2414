package cloudtrail

import (
	"strings"
	"testing"
)

// TestLogReaderReadsTablesInARow: each has columns of its own, and no row is read
// under those of another.
func TestLogReaderReadsTablesInARow(t *testing.T) {
	t.Parallel()
	first := table([]string{"eventtime", "eventsource", "eventname", "errorcode", "awsregion", "eventtype", "recipientaccountid"},
		[]string{"2024-08-01T12:00:00Z", "ec2.amazonaws.com", "A", "", "eu-west-1", "AwsApiCall", "111122223333"})
	for name, second := range map[string]string{
		"another_column_first": table([]string{"eventname", "eventsource", "eventtime", "awsregion", "errorcode", "eventtype", "recipientaccountid"},
			[]string{"B", "ec2.amazonaws.com", "2024-08-01T12:00:00Z", "eu-west-1", "AccessDenied", "AwsApiCall", "111122223333"}),
		"the_same_column_first": table([]string{"eventtime", "eventsource", "eventname", "eventtype", "awsregion", "errorcode", "recipientaccountid"},
			[]string{"2024-08-01T12:00:00Z", "ec2.amazonaws.com", "B", "AwsApiCall", "eu-west-1", "AccessDenied", "111122223333"}),
		"fewer": table([]string{"eventtime", "eventsource", "eventname", "awsregion", "errorcode", "recipientaccountid"},
			[]string{"2024-08-01T12:00:00Z", "ec2.amazonaws.com", "B", "eu-west-1", "AccessDenied", "111122223333"}),
	} {
		records, lines := all(strings.NewReader(first + second))
		if len(records) != 2 || records[0].ErrorCode != "" || records[1].Name != "B" || records[1].ErrorCode != "AccessDenied" {
			t.Errorf("%s: got %q", name, lines)
		}
	}
	records, lines := all(strings.NewReader(first + table([]string{"eventtime", "eventsource", "eventname", "awsregion", "recipientaccountid", "a", "b"}, []string{"a", "b", "c", "d", "e", "f", "g"})))
	if len(records) != 1 || len(lines) != 2 || !strings.Contains(lines[1], "without the column errorcode") {
		t.Errorf("a table without error codes after another: got %q, want it refused", lines)
	}
}

// TestLogReaderReadsWhatCameBeforeAFault: a file that was cut off while it was
// copied holds records that are whole.
func TestLogReaderReadsWhatCameBeforeAFault(t *testing.T) {
	t.Parallel()
	lines := strings.Repeat(sample+"\n", 20)
	for name, text := range map[string]string{
		"cut_off":              gzipped(lines)[:len(gzipped(lines))-10],
		"text_behind_a_member": gzipped(lines) + lines,
	} {
		records, got := all(strings.NewReader(text))
		if len(records) == 0 || len(got) != len(records)+1 || !strings.HasPrefix(got[len(records)], "! ") {
			t.Errorf("%s: got %d records, %q last, want those before the fault and the fault", name, len(records), got[len(got)-1])
		}
	}
}

// TestRootIsOfItsPartition: a record that does not say the ARN of root tells its
// region.
func TestRootIsOfItsPartition(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc"} {
		record := `{"userIdentity":{"type":"Root","accountId":"111122223333"},"eventSource":"iam.amazonaws.com","eventName":"X","awsRegion":"` + region + `"}`
		envelope := `{"detail-type":"AWS API Call via CloudTrail","region":"` + region + `","detail":` + strings.Replace(record, "awsRegion", "other", 1) + `}`
		for _, text := range []string{record, envelope} {
			var f Fields
			var l LogReader
			l.Reset(strings.NewReader(text))
			err := l.Next(&f)
			if key, kind, _, ok := f.Identity.Principal(nil); err != nil || string(key) != "arn:"+want+":iam::111122223333:root" || kind != RootUser || !ok {
				t.Errorf("%s: got %q, %v, want root of %s", text, key, err, want)
			}
		}
	}
}

// TestLogReaderReadsBehindTheEndOfARecord: a file that was split within a record.
func TestLogReaderReadsBehindTheEndOfARecord(t *testing.T) {
	t.Parallel()
	records, lines := all(strings.NewReader(sample[200:] + "\n" + sample + "\n"))
	if len(records) != 1 || len(lines) != 2 || !strings.HasPrefix(lines[0], "! ") {
		t.Errorf("got %q, want an error and the record behind it", lines)
	}
}
