package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"dera.example/dera/services/ec2/securitygroup"
	s3account "dera.example/dera/services/s3/account"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/awssim"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/engine"
	"dera.example/dera/services"
	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// hear takes what the simulated CloudTrail recorded since the last time, by the
// way of the queue: decoded from its envelope, and as hints.
func (w *world) hear(from int) (to int) {
	w.t.Helper()
	events := w.cloud.Events()
	for _, ev := range events[from:] {
		w.take(ev.Envelope())
	}
	w.drain()
	return len(events)
}

func (w *world) take(envelope []byte) {
	w.t.Helper()
	r, err := cloudtrail.Decode(envelope)
	if err != nil {
		w.t.Fatalf("decode %s: %v", envelope, err)
	}
	for _, s := range services.Watch().Hints(r) {
		w.ingest(dera.Event{Source: "sqs", ID: r.ID, Name: r.Name, Scope: s, Time: r.Time})
	}
}

// found lists the open findings as CONTROL RESOURCE, but for the default group of
// the region, which is there from the start.
func (w *world) found() []string {
	w.t.Helper()
	list, err := w.store.Findings(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, f := range list {
		if f.State == dera.FindingOpen && f.Control != "ec2-securitygroup-default-group-rules" {
			out = append(out, f.Control+" "+f.Resource.Name())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const elsewhere = "eu-west-1"

// observing is a world of two regions in which every control looks and nothing
// is written.
func observing(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(w *world) {
		w.mode = dera.Observe
		w.config = func(c *engine.Config) {
			c.Controls = rulebook(securitygroup.Name, bucket.Name, s3account.Name)
			c.Regions = []string{region, elsewhere}
		}
	})
}

// TestDependents: what changes the exposure of other resources leads to a look
// at these (design §6.1.15). Each case makes a change that no event of the
// exposed resource itself tells of.
func TestDependents(t *testing.T) {
	t.Parallel()
	full := &awssim.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}
	public := func(w *world, r *awssim.Region, name string) {
		statement := `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + name + `/*"}`
		for _, err := range []error{
			r.CreateBucket(w.t.Context(), name),
			r.PutPublicAccessBlock(w.t.Context(), name, &awssim.PublicAccessBlock{BlockPublicACLs: true, IgnorePublicACLs: true}),
			r.PutBucketPolicy(w.t.Context(), name, bucketPolicy(statement)),
		} {
			if err != nil {
				w.t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		before func(w *world) []string // makes what is exposed later; returns what is found of it then
		change func(w *world)
		after  func(before []string) []string // what is found then
	}{
		"entry_of_a_prefix_list": {
			before: func(w *world) []string {
				list, err := w.region.CreatePrefixList(w.t.Context(), "offices", 5, "10.0.0.0/8")
				if err != nil {
					w.t.Fatal(err)
				}
				return []string{w.group("web", awssim.Rule{Protocol: "tcp", FromPort: 22, ToPort: 22, PrefixList: list}), list}
			},
			change: func(w *world) {
				list := w.prefixList()
				if _, err := w.person().ModifyManagedPrefixList(w.t.Context(), &ec2.ModifyManagedPrefixListInput{
					PrefixListId: list.PrefixListId, CurrentVersion: list.Version, AddEntries: []types.AddPrefixListEntry{{Cidr: awssdk.String("0.0.0.0/0")}},
				}); err != nil {
					w.t.Fatal(err)
				}
			},
			after: func(made []string) []string { return []string{"ec2-securitygroup-admin-ports-open " + made[0]} },
		},
		"block_of_the_account": {
			before: func(w *world) []string {
				public(w, w.region, "files-here")
				public(w, w.cloud.Account(account).Region(elsewhere), "files-elsewhere")
				if err := w.region.PutAccountPublicAccessBlock(w.t.Context(), full); err != nil {
					w.t.Fatal(err)
				}
				return nil
			},
			change: func(w *world) {
				if err := w.region.PutAccountPublicAccessBlock(w.t.Context(), nil); err != nil {
					w.t.Fatal(err)
				}
			},
			after: func([]string) []string {
				return []string{
					"s3-account-access-block " + account, "s3-bucket-access-block files-elsewhere", "s3-bucket-access-block files-here",
					"s3-bucket-public-policy files-elsewhere", "s3-bucket-public-policy files-here",
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := observing(t)
			made := tt.before(w)
			heard := w.hear(0)
			if got := w.found(); len(got) != 0 {
				t.Fatalf("before the change: got %q open, want nothing: the case tests nothing", got)
			}
			tt.change(w)
			w.hear(heard)
			if got, want := w.found(), tt.after(made); !slices.Equal(got, want) {
				t.Errorf("after the change: got %q, want %q", got, want)
			}
		})
	}
}

// TestEventOfEveryRegionIsNeverDropped: an engine that names no region cannot
// spread the event; its look stays and fails aloud.
func TestEventOfEveryRegionIsNeverDropped(t *testing.T) {
	t.Parallel()
	unread := 0
	w := newWorldWith(t, func(w *world) {
		w.config = func(c *engine.Config) {
			c.Controls, c.Regions = rulebook(bucket.Name), nil
			c.Tell = func(n engine.News) {
				if n.What == "unread" {
					unread++
				}
			}
		}
	})
	ev := dera.Event{Source: "test", Name: "UpdateDistribution", Time: w.clock.Now(), Scope: dera.Scope{Partition: "aws", Account: account, Region: dera.EveryRegion, Type: bucket.Name}}
	if err := w.engine.Ingest(t.Context(), []dera.Event{ev}, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.drain()
	if unread == 0 {
		t.Error("got no word of the look, want one that could not be made")
	}
}

// person is someone's client for EC2.
func (w *world) person() *ec2.Client {
	creds := w.cloud.Account(account).Credentials()
	return ec2.New(ec2.Options{
		Region: region, HTTPClient: w.cloud.HTTPClient(), BaseEndpoint: awssdk.String("https://aws.sim"),
		Credentials: credentials.NewStaticCredentialsProvider(creds.AccessKeyID, creds.SecretAccessKey, ""),
	})
}

func (w *world) prefixList() types.ManagedPrefixList {
	w.t.Helper()
	out, err := w.person().DescribeManagedPrefixLists(w.t.Context(), &ec2.DescribeManagedPrefixListsInput{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range out.PrefixLists {
		if awssdk.ToString(l.PrefixListName) == "offices" {
			return l
		}
	}
	w.t.Fatal("the prefix list is gone")
	return types.ManagedPrefixList{}
}

// TestAttachmentsReachTheirGroups: a group that is attached is looked at, in
// whatever form the event names it.
func TestAttachmentsReachTheirGroups(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"new_interface":       `"eventName":"CreateNetworkInterface","requestParameters":{"subnetId":"subnet-1","groupSet":{"items":[{"groupId":%q}]}}`,
		"interface_attribute": `"eventName":"ModifyNetworkInterfaceAttribute","requestParameters":{"networkInterfaceId":"eni-1","groupSet":{"items":[{"groupId":%q}]}}`,
		"instance_attribute":  `"eventName":"ModifyInstanceAttribute","requestParameters":{"instanceId":"i-1","groupSet":{"items":[{"groupId":%q}]}}`,
		"new_instance":        `"eventName":"RunInstances","requestParameters":{"groupSet":{"items":[{"groupId":%q}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := observing(t)
			id := w.group("web", tcp(22, 22, "0.0.0.0/0"))
			other := w.group("db", tcp(22, 22, "0.0.0.0/0"))
			w.take([]byte(fmt.Sprintf(`{"detail-type":"AWS API Call via CloudTrail","source":"aws.ec2","account":%q,"region":%q,"detail":{"eventSource":"ec2.amazonaws.com",`+
				`"eventTime":"2026-11-23T09:00:00Z","awsRegion":%q,"recipientAccountId":%q,`+event+`}}`, account, region, region, account, id)))
			w.drain()
			if got := w.found(); !slices.Contains(got, "ec2-securitygroup-admin-ports-open "+id) || slices.Contains(got, "ec2-securitygroup-admin-ports-open "+other) {
				t.Errorf("got %q found, want the group of the event and no other", got)
			}
		})
	}
}
