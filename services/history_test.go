package services

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/resource"
)

// parameters name one resource of everything, and say little else.
const parameters = `{"groupId":"sg-1","groupName":"web","bucketName":"files","ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIp":"0.0.0.0/0",
"resourcesSet":{"items":[{"resourceId":"sg-1"}]},"tagSet":{"items":[{"key":"a","value":"b"}]},"PublicAccessBlockConfiguration":{"BlockPublicAcls":true},
"bucketPolicy":{"Version":"2012-10-17","Statement":[]},"x-amz-acl":"public-read"}`

// calls are all that a type listens to, in the order of its table.
func calls(t resource.Type, parameters string) (out []cloudtrail.Call) {
	for i, w := range t.Events.Calls {
		r := cloudtrail.Record{Source: w.Source, Name: w.Name, Account: "111122223333", Region: "eu-west-1", Partition: "aws",
			Time: time.Unix(int64(i), 0), Request: json.RawMessage(parameters), Response: json.RawMessage(`{"groupId":"sg-1"}`)}
		out = append(out, r.Call())
	}
	return out
}

// recorded are the types that are rebuilt from recorded calls.
func recorded() []resource.Type {
	return slices.DeleteFunc(Types().Types(), func(t resource.Type) bool { return t.History == nil })
}

// TestHistories holds the laws of resource.History for each type: a copy is judged
// as what it was made of and can be changed separately; a doubt at what a call
// touches makes the resource partly known, until that is reported again.
func TestHistories(t *testing.T) {
	t.Parallel()
	for _, typ := range recorded() {
		t.Run(typ.Name, func(t *testing.T) {
			t.Parallel()
			all, noted := calls(typ, parameters), 0
			for i := range all {
				h := typ.History()
				for _, c := range all[:i+1] {
					_ = h.Apply(c) // that it is not followed is a good answer
				}
				marks := h.Touches(all[i])
				before, part := h.Text(), h.Copy(marks)
				alone := part.Text()
				if whole := h.Copy(everything(h, all)); whole.Text() != before || whole.Exposure() != h.Exposure() {
					t.Fatalf("%s: a copy of everything:\n%s\nwant\n%s", all[i].Name, whole.Text(), before)
				}
				for _, c := range all {
					_ = h.Copy(marks).Apply(c)
					_ = part.Apply(c)
				}
				if h.Text() != before || h.Copy(marks).Text() != alone {
					t.Fatalf("%s: a change of a copy changes what it was made of:\n%s\nwant\n%s", all[i].Name, h.Text(), before)
				}
				noted += doubts(t, typ, h, all[i], marks)
			}
			if noted == 0 {
				t.Error("no doubt makes a resource partly known")
			}
		})
	}
}

// everything is what all the calls touch.
func everything(h resource.History, all []cloudtrail.Call) (out []resource.Mark) {
	for _, c := range all {
		out = append(out, h.Touches(c)...)
	}
	return out
}

// doubts notes a doubt at the marks of a call and counts the resources that it
// makes partly known.
func doubts(t *testing.T, typ resource.Type, h resource.History, c cloudtrail.Call, marks []resource.Mark) (n int) {
	t.Helper()
	before := partly(h, typ, c)
	for _, m := range marks {
		h.Doubt(m, "the order is not known")
	}
	noted := partly(h, typ, c)
	_ = h.Apply(c)
	after := partly(h, typ, c)
	for id, why := range noted {
		if why != before[id] {
			n++
		}
		if why != before[id] && after[id] == why && len(marks) == 1 && marks[0].Part != "" {
			t.Errorf("%s: %s is still in doubt after it was reported: %s", c.Name, id, why)
		}
	}
	return n
}

// partly says of each resource why it is only partly known.
func partly(h resource.History, typ resource.Type, c cloudtrail.Call) map[string]string {
	out := map[string]string{}
	for _, region := range []string{c.Region, dera.GlobalRegion} {
		found, _ := h.Read(context.Background(), dera.Scope{Partition: c.Partition, Account: c.Account, Region: region, Type: typ.Name}, noNeighbours)
		for _, r := range found {
			if o, _ := h.Origin(r.Config); o != nil {
				out[r.ID] = o.Partly()
			}
		}
	}
	return out
}

func noNeighbours(context.Context, dera.Scope) []dera.Resource { return nil }

// TestOthersAreNoMatter: a history is given the calls of all types, and one of
// another service never changes it, whatever it is called.
func TestOthersAreNoMatter(t *testing.T) {
	t.Parallel()
	for _, typ := range recorded() {
		h := typ.History()
		empty := h.Text()
		for _, of := range Types().Types() {
			for _, c := range calls(of, parameters) {
				c.Source = "another.amazonaws.com"
				if err := h.Apply(c); err != nil || h.Text() != empty || len(h.Touches(c)) > 0 || !h.Possible(c) || h.Turn(c, nil) != resource.TurnAny {
					t.Errorf("%s: %s of another service is some matter: %v", typ.Name, c.Name, err)
				}
			}
		}
	}
}

// FuzzHints: whatever stands in a request and an answer, a hint is at the account
// of the event and at a type that listens to the call.
func FuzzHints(f *testing.F) {
	f.Add(uint8(0), []byte(parameters), []byte(`null`))
	f.Add(uint8(40), []byte(strings.ReplaceAll(parameters, `"sg-1"`, `"sg-\u0000"`)), []byte(`{"dBSnapshotIdentifier":"a\u0000"}`))
	f.Add(uint8(3), []byte(`{"ModifySecurityGroupRulesRequest":{"GroupId":["sg-1"]}}`), []byte(`{"groupId":{"items":[1]}}`))
	f.Fuzz(func(t *testing.T, n uint8, request, response []byte) {
		watch := Watch()
		watched := watch.Calls()
		c := watched[int(n)%len(watched)]
		r := cloudtrail.Record{Source: c.Source, Name: c.Name, Account: "111122223333", Region: "eu-west-1", Partition: "aws", Request: request, Response: response}
		for _, s := range watch.Hints(r) {
			known := false
			for _, typ := range c.Types {
				known = known || typ == s.Type
			}
			if s.Account != r.Account || s.Partition != r.Partition || s.Region == "" || !known {
				t.Errorf("%s: got a hint at %+v", c.Name, s)
			}
			if strings.ContainsFunc(s.Key(), func(c rune) bool { return c < ' ' || c > '~' }) {
				t.Errorf("%s: got a hint at %q, which a database may not take", c.Name, s.Key())
			}
		}
		_ = watch.Document(r)
	})
}
