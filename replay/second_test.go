package replay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"dera.example/dera/services/ec2/securitygroup"
	"dera.example/dera/services/s3/bucket"

	"dera.example/dera"
	"dera.example/dera/cloudtrail"
	"dera.example/dera/services"
)

// at is a recorded call in some second.
type at struct {
	second int
	event
}

func records(t *testing.T, events []at) []cloudtrail.Record {
	t.Helper()
	var out []cloudtrail.Record
	for i, e := range events {
		source := "ec2.amazonaws.com"
		if strings.Contains(e.name, "Bucket") || strings.Contains(e.name, "PublicAccessBlock") {
			source = "s3.amazonaws.com"
		}
		r, err := cloudtrail.Decode([]byte(fmt.Sprintf(`{"eventID":"e%d","eventSource":%q,"eventName":%q,"eventTime":%q,"awsRegion":"eu-west-1","recipientAccountId":%q,"errorCode":%q,"requestParameters":%s,"responseElements":%s}`,
			i, source, e.name, begin.Add(time.Duration(e.second)*time.Second).Format(time.RFC3339), account, e.code, orNull(e.request), orNull(e.response))))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// bySecond takes in records of any order and returns what the state holds.
func bySecond(records []cloudtrail.Record) (*State, string) {
	s := New(func() time.Time { return begin }, services.Types().Types()...)
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b cloudtrail.Record) int { return a.Time.Compare(b.Time) })
	var lost, names []string
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].Time.Equal(sorted[0].Time) {
			n++
		}
		for i, err := range s.Second(sorted[:n]) {
			names = append(names, sorted[i].Name)
			if err != nil {
				lost = append(lost, err.Error())
			}
		}
		sorted = sorted[n:]
	}
	text := s.text() + "\n" + strings.Join(names, " ") + "\n" + strings.Join(lost, "; ") + "\n"
	for _, h := range s.types {
		for _, region := range []string{"eu-west-1", dera.GlobalRegion} {
			found, missing := s.read(context.Background(), dera.Scope{Partition: "aws", Account: account, Region: region, Type: h.typ})
			for _, r := range found {
				text += s.Partly(r)
			}
			text += strings.Join(missing, " ")
		}
	}
	return s, text
}

func rule(name, cidr, code string) event {
	return event{name, fmt.Sprintf(`{"groupId":"sg-1","cidrIp":%q,"fromPort":22,"toPort":22,"ipProtocol":"tcp"}`, cidr), `{"_return":true}`, code}
}

const world = "0.0.0.0/0"

// TestTiesOfGroups: AWS's own rules tell the order of a second, and what they do
// not tell is a doubt. Every order of the records gives the same answer.
func TestTiesOfGroups(t *testing.T) {
	t.Parallel()
	birth := event{"CreateSecurityGroup", created, withID, ""}
	add, remove := rule("AuthorizeSecurityGroupIngress", world, ""), rule("RevokeSecurityGroupIngress", world, "")
	twice, missing := rule("AuthorizeSecurityGroupIngress", world, "Client.InvalidPermission.Duplicate"), rule("RevokeSecurityGroupIngress", world, "Client.InvalidPermission.NotFound")
	withRule := event{"AuthorizeSecurityGroupIngress", world22, world22Set, ""}
	byID := event{"RevokeSecurityGroupIngress", `{"groupId":"sg-1","securityGroupRuleIds":{"items":[{"securityGroupRuleId":"sgr-1"}]}}`, `{"_return":true}`, ""}
	modify := func(cidr string) event {
		return event{"ModifySecurityGroupRules", `{"ModifySecurityGroupRulesRequest":{"GroupId":"sg-1","SecurityGroupRule":{"SecurityGroupRuleId":"sgr-1","SecurityGroupRule":{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIpv4":"` + cidr + `"}}}}`, "", ""}
	}
	gone := event{"DeleteSecurityGroup", `{"groupId":"sg-1"}`, "", ""}
	other := rule("AuthorizeSecurityGroupIngress", "10.0.0.0/8", "")
	const open, unsure, before = "tcp 22 from 0.0.0.0/0", "can have come in more than one order", "no recorded event created it"
	for name, tc := range map[string]struct {
		events []at
		want   string // inbound rules
		partly string
	}{
		"born_opened_closed":               {[]at{{0, birth}, {0, add}, {0, remove}}, "", ""},
		"born_opened_closed_opened":        {[]at{{0, birth}, {0, add}, {0, remove}, {0, add}}, open, ""},
		"opened_closed_in_a_later_second":  {[]at{{0, birth}, {1, add}, {1, remove}}, "", ""},
		"closed_opened_when_it_was_open":   {[]at{{0, birth}, {1, add}, {2, remove}, {2, add}}, open, ""},
		"closed_opened_closed":             {[]at{{0, birth}, {0, add}, {1, remove}, {1, add}, {1, remove}}, "", ""},
		"others_do_not_matter":             {[]at{{0, birth}, {0, add}, {0, other}, {0, remove}}, "tcp 22 from 10.0.0.0/8", ""},
		"refused_as_duplicate":             {[]at{{0, birth}, {0, add}, {0, twice}}, open, ""},
		"refused_as_duplicate_then_closed": {[]at{{0, birth}, {0, add}, {0, twice}, {0, remove}}, "", ""},
		"refused_as_missing":               {[]at{{0, birth}, {0, missing}, {0, add}}, open, ""},
		"rule_by_its_id":                   {[]at{{0, birth}, {0, withRule}, {0, byID}}, "", ""},
		"rule_modified":                    {[]at{{0, birth}, {0, withRule}, {0, modify("10.0.0.0/8")}}, "tcp 22 from 10.0.0.0/8", ""},
		"rule_modified_and_removed":        {[]at{{0, birth}, {0, withRule}, {0, modify("10.0.0.0/8")}, {0, byID}}, "", ""},
		"rule_modified_twice":              {[]at{{0, birth}, {0, withRule}, {1, modify("10.0.0.0/8")}, {1, modify("10.1.0.0/16")}}, "tcp 22 from 10.0.0.0/8", unsure},
		"rule_modified_open_and_narrow":    {[]at{{0, birth}, {0, withRule}, {1, modify("10.0.0.0/8")}, {2, modify("192.168.0.0/16")}, {2, modify(world)}}, open, unsure},
		"modified_to_what_was_removed":     {[]at{{0, birth}, {0, withRule}, {1, modify("10.0.0.0/8")}, {2, add}, {3, remove}, {3, modify(world)}}, open, ""},
		"modified_to_what_is_removed_next": {[]at{{0, birth}, {0, withRule}, {1, modify("10.0.0.0/8")}, {2, add}, {3, modify("10.1.0.0/16")}, {3, remove}}, "tcp 22 from 10.1.0.0/16", ""},
		"unknown_before":                   {[]at{{1, add}, {1, remove}}, open, unsure},
		"unknown_before_two_additions":     {[]at{{1, add}, {1, remove}, {1, add}}, open, before},
		"unknown_before_two_removals":      {[]at{{1, remove}, {1, remove}, {1, add}}, "", before},
		"unknown_before_and_known_later":   {[]at{{1, add}, {1, remove}, {9, add}}, open, before},
		"known_by_a_removal":               {[]at{{1, remove}, {2, add}, {2, remove}}, "", before},
		"known_by_a_refusal":               {[]at{{1, twice}}, open, before},
		"known_by_a_refusal_and_closed":    {[]at{{1, twice}, {2, remove}, {2, add}, {2, remove}}, "", before},
		"known_missing_by_a_refusal":       {[]at{{0, other}, {1, missing}, {2, add}, {2, remove}}, "tcp 22 from 10.0.0.0/8", before},
		"impossible":                       {[]at{{0, birth}, {1, add}, {1, add}}, open, "cannot have had the outcomes"},
		"impossible_and_known_later":       {[]at{{0, birth}, {1, add}, {1, add}, {2, remove}}, "", ""},
		"deleted_last":                     {[]at{{0, birth}, {0, add}, {0, gone}}, "-", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := records(t, tc.events)
			_, first := bySecond(list)
			everyOrder(len(list), func(order []int) {
				shuffled := make([]cloudtrail.Record, len(list))
				for i, n := range order {
					shuffled[i] = list[n]
				}
				s, text := bySecond(shuffled)
				if text != first {
					t.Fatalf("order %v: got\n%s\nwant\n%s", order, text, first)
				}
				r, ok := read(t, s, securitygroup.Name, "eu-west-1", "sg-1")
				if !ok {
					if tc.want != "-" {
						t.Fatal("got no group")
					}
					return
				}
				var got []string
				for _, rule := range r.Config.(*securitygroup.Group).Ingress {
					got = append(got, rule.Line())
				}
				if text := strings.Join(got, ", "); text != tc.want && (tc.want == "" || !strings.HasPrefix(text, tc.want)) {
					t.Fatalf("order %v: got rules %q, want %q", order, text, tc.want)
				}
				why := s.Partly(r)
				if tc.partly == "" && why != "" || !strings.Contains(why, tc.partly) || tc.partly == before && strings.Contains(why, "within one second") {
					t.Fatalf("order %v: partly known: got %q, want %q", order, why, tc.partly)
				}
			})
		})
	}
}

// TestTieOfPolicies: of two policies in one second the public one is judged.
func TestTieOfPolicies(t *testing.T) {
	t.Parallel()
	narrow := strings.ReplaceAll(publicPolicy, `"*"`, `{"AWS":"111122223333"}`)
	list := records(t, []at{
		{0, event{"CreateBucket", `{"bucketName":"files"}`, "", ""}},
		{1, event{"PutBucketPolicy", `{"bucketName":"files","bucketPolicy":` + publicPolicy + `}`, "", ""}},
		{1, event{"PutBucketPolicy", `{"bucketName":"files","bucketPolicy":` + narrow + `}`, "", ""}},
	})
	everyOrder(len(list), func(order []int) {
		s, _ := bySecond([]cloudtrail.Record{list[order[0]], list[order[1]], list[order[2]]})
		r, ok := read(t, s, bucket.Name, "eu-west-1", "files")
		if !ok || !strings.Contains(r.Config.(*bucket.Bucket).Policy, `"*"`) || s.Partly(r) == "" {
			t.Fatalf("order %v: got %+v, want the public policy and a doubt", order, r.Config)
		}
	})
}

func everyOrder(n int, use func([]int)) {
	var extend func([]int)
	extend = func(order []int) {
		if len(order) == n {
			use(order)
			return
		}
		for i := range n {
			if !slices.Contains(order, i) {
				extend(append(order[:len(order):len(order)], i))
			}
		}
	}
	extend(nil)
}

// TestTiesOfBuckets: what is written last stays, and of one second nobody knows
// what that was.
func TestTiesOfBuckets(t *testing.T) {
	t.Parallel()
	birth, gone := event{"CreateBucket", `{"bucketName":"files"}`, "", ""}, event{"DeleteBucket", `{"bucketName":"files"}`, "", ""}
	put, drop := event{"PutBucketPolicy", `{"bucketName":"files","bucketPolicy":` + publicPolicy + `}`, "", ""}, event{"DeleteBucketPolicy", `{"bucketName":"files"}`, "", ""}
	off := event{"DeleteBucketPublicAccessBlock", `{"bucketName":"files"}`, "", ""}
	const unsure = "can have come in more than one order"
	for name, tc := range map[string]struct {
		events []at
		there  bool
		policy bool
		partly string
	}{
		"created_first":                      {[]at{{0, birth}, {0, put}, {0, off}}, true, true, ""},
		"created_and_deleted":                {[]at{{0, birth}, {0, gone}}, true, false, "within one second"},
		"deleted_and_made_again":             {[]at{{0, birth}, {5, gone}, {5, birth}}, true, false, ""},
		"policy_put_and_dropped":             {[]at{{0, birth}, {1, put}, {1, drop}}, true, true, unsure},
		"policy_put_and_dropped_known_later": {[]at{{0, birth}, {1, put}, {1, drop}, {2, drop}}, true, false, ""},
		"policy_put_twice_the_same":          {[]at{{0, birth}, {1, put}, {1, put}}, true, true, ""},
		"parts_do_not_matter_to_each_other":  {[]at{{0, birth}, {1, put}, {1, off}}, true, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := records(t, tc.events)
			_, first := bySecond(list)
			everyOrder(len(list), func(order []int) {
				shuffled := make([]cloudtrail.Record, len(list))
				for i, n := range order {
					shuffled[i] = list[n]
				}
				s, text := bySecond(shuffled)
				if text != first {
					t.Fatalf("order %v: got\n%s\nwant\n%s", order, text, first)
				}
				r, ok := read(t, s, bucket.Name, "eu-west-1", "files")
				if ok != tc.there {
					t.Fatalf("order %v: got a bucket %t, want %t", order, ok, tc.there)
				}
				if why := s.Partly(r); tc.partly == "" && why != "" || !strings.Contains(why, tc.partly) {
					t.Fatalf("order %v: partly known: got %q, want %q", order, why, tc.partly)
				}
				if got := r.Config.(*bucket.Bucket).Policy != ""; got != tc.policy {
					t.Fatalf("order %v: got a policy %t, want %t", order, got, tc.policy)
				}
			})
		})
	}
}

// TestHistoriesInAnyOrder makes histories by AWS's rules, with many calls in each
// second, and takes them in in any order: the same answer each time, and of groups
// that it saw created exactly what AWS had at the end.
func TestHistoriesInAnyOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 16))
		events, rules := history(rnd, 4+rnd.IntN(40))
		list := records(t, events)
		s, first := bySecond(list)
		if r, ok := read(t, s, securitygroup.Name, "eu-west-1", "sg-1"); ok && s.Partly(r) == "" {
			var got []string
			for _, rule := range r.Config.(*securitygroup.Group).Ingress {
				got = append(got, rule.CIDR.String())
			}
			slices.Sort(got)
			if !slices.Equal(got, rules) {
				t.Fatalf("seed %d: got rules %v, want %v", seed, got, rules)
			}
		}
		for range 8 {
			rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			if _, text := bySecond(list); text != first {
				t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, text, first)
			}
		}
	}
}

// history is what CloudTrail records of someone who works on one group and one
// bucket, and the rules that the group has at the end.
func history(rnd *rand.Rand, calls int) (events []at, rules []string) {
	there, second := map[string]bool{}, 0
	if rnd.IntN(3) > 0 {
		events = append(events, at{0, event{"CreateSecurityGroup", created, withID, ""}})
	}
	for range calls {
		second += max(0, rnd.IntN(4)-2)
		cidr := []string{world, "10.0.0.0/8", "10.1.0.0/16"}[rnd.IntN(3)]
		switch rnd.IntN(6) {
		case 0, 1:
			code := map[bool]string{true: "Client.InvalidPermission.Duplicate"}[there[cidr]]
			events = append(events, at{second, rule("AuthorizeSecurityGroupIngress", cidr, code)})
			there[cidr] = true
		case 2, 3:
			code := map[bool]string{false: "Client.InvalidPermission.NotFound"}[there[cidr]]
			events = append(events, at{second, rule("RevokeSecurityGroupIngress", cidr, code)})
			there[cidr] = false
		case 4:
			events = append(events, at{second, event{"PutBucketPolicy", `{"bucketName":"files","bucketPolicy":` + publicPolicy + `}`, "", ""}})
		default:
			events = append(events, at{second, event{"DeleteBucketPolicy", `{"bucketName":"files"}`, "", ""}})
		}
	}
	for cidr, is := range there {
		if is {
			rules = append(rules, cidr)
		}
	}
	slices.Sort(rules)
	return events, rules
}
