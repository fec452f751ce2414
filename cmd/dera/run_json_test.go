package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"dera.example/dera"
	"dera.example/dera/app"
	"dera.example/dera/awssim"
)

// happenings are the lines that a controller has written.
func (c *controllerRun) happenings(t *testing.T) []app.Happening {
	t.Helper()
	var out []app.Happening
	text := c.out.String()
	text = text[:strings.LastIndex(text, "\n")+1]
	for line := range strings.Lines(text) {
		var h app.Happening
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&h); err != nil {
			t.Fatalf("read the line %q: %v", line, err)
		}
		if h.Time.IsZero() || h.Time.Location() != time.UTC || h.What == "" {
			t.Fatalf("the line %q has no time in UTC, or does not say what happened", line)
		}
		out = append(out, h)
	}
	return out
}

// has waits for a line.
func (c *controllerRun) has(t *testing.T, what string, fits func(app.Happening) bool) {
	t.Helper()
	c.eventually(t, what, func() bool { return slices.ContainsFunc(c.happenings(t), fits) })
}

// TestRunSaysInJSONWhatHappens: a finding appears, is decided on, fixed and
// resolved; one goes with its resource; a stop comes and goes; a sweep ends.
func TestRunSaysInJSONWhatHappens(t *testing.T) {
	cloud := awssim.New(awssim.Config{Seed: 5})
	account := cloud.Account("111122223333")
	region := account.Region("us-east-1")
	serving(t, cloud, account.Credentials())
	queue, err := region.CreateQueue(t.Context(), "events")
	if err != nil {
		t.Fatal(err)
	}
	if err := cloud.ForwardEvents(awssim.Forward{Account: account.ID(), Queue: queue}); err != nil {
		t.Fatal(err)
	}
	c := startController(t, "--queue", queue, "--sweep", "1h", "--output", "json")
	c.has(t, "a sweep ends", func(h app.Happening) bool {
		return h.What == app.SweepEnded && h.ResourceType == "AWS::EC2::SecurityGroup" && *h.Resources == 1
	})
	id, err := region.CreateSecurityGroup(t.Context(), "web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	about := func(h app.Happening) bool { return h.Resource.Name() == id }
	c.has(t, "the finding is resolved", func(h app.Happening) bool { return about(h) && h.What == app.FindingClosed })
	c.has(t, "the remediation is resolved", func(h app.Happening) bool {
		return about(h) && h.What == app.RemediationStep && h.State == dera.Resolved
	})
	var order []string
	for _, h := range c.happenings(t) {
		switch {
		case !about(h):
		case h.What == app.RemediationStep:
			order = append(order, string(h.State))
		default:
			order = append(order, h.What)
		}
		if about(h) && h.What == app.Decided && (h.Disposition != dera.Auto || len(h.Reasons) == 0 || h.Finding == "") {
			t.Errorf("decision: got %+v", h)
		}
		if about(h) && h.State == dera.Ready && (h.Digest == "" || len(h.Diff) == 0 || len(h.Findings) != 1) {
			t.Errorf("ready: got %+v", h)
		}
	}
	// Another look may find it resolved before the remediation ends.
	order = slices.DeleteFunc(order, func(s string) bool { return s == app.FindingClosed })
	if want := "finding_opened decision ready applying verifying resolved"; strings.Join(order, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(order, " "), want)
	}

	lone, err := region.CreateSecurityGroup(t.Context(), "lone", awssim.Rule{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	c.has(t, "the finding of the other group appears", func(h app.Happening) bool { return h.Resource.Name() == lone && h.What == app.FindingOpened })
	creds := account.Credentials()
	api := ec2.New(ec2.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
	if _, err := api.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: &lone}); err != nil {
		t.Fatal(err)
	}
	c.has(t, "it goes with its group", func(h app.Happening) bool { return h.Resource.Name() == lone && h.What == app.FindingClosed })

	other(t, c, "stop", "--reason", "freeze")
	c.has(t, "the stop shows", func(h app.Happening) bool { return h.What == app.Stopped && h.Stop.Reason == "freeze" })
	other(t, c, "resume")
	c.has(t, "the resume shows", func(h app.Happening) bool { return h.What == app.Resumed && h.Stop.Reason == "freeze" })

	cloud.Inject(awssim.Fault{Match: awssim.Match{Operation: "DescribeSecurityGroups"}, Kind: awssim.Denied})
	if _, err := region.CreateSecurityGroup(t.Context(), "hidden", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "0.0.0.0/0"}); err != nil {
		t.Fatal(err)
	}
	c.has(t, "what is not read shows", func(h app.Happening) bool {
		return h.What == app.Unread && h.Unreadable.Problem == "denied" && h.Account == "111122223333"
	})
	c.stop(t)
	c.happenings(t)
}

// other runs another command on the controller's data.
func other(t *testing.T, c *controllerRun, args ...string) {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), append(args, "--data", c.data), strings.NewReader(""), &out, &errOut); code != exitGood {
		t.Fatalf("dera %v: got exit code %d\n%s", args, code, errOut.String())
	}
}
