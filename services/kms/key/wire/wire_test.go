package wire_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/resourcepolicy"
	"dera.example/dera/resource"
	"dera.example/dera/services/kms/key"
	"dera.example/dera/services/kms/key/wire"
	"dera.example/dera/services/policies/policytest"
)

// fakeKMS is the keys of one region. say, where it is not empty, is what it answers to a call
// instead: a body, or an error code after !.
type fakeKMS struct {
	next http.RoundTripper
	mu   sync.Mutex
	keys []string        // descriptions of keys as KMS gives them
	on   map[string]bool // that rotate
	say  map[string]string
	sent []string
}

// RoundTrip implements http.RoundTripper.
func (f *fakeKMS) RoundTrip(r *http.Request) (*http.Response, error) {
	target, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	if !ok {
		return f.next.RoundTrip(r)
	}
	var in struct{ KeyId, Marker string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, target+" "+in.KeyId)
	status, body := 200, f.answer(target, in.KeyId, in.Marker)
	if code, refused := strings.CutPrefix(body, "!"); refused {
		status, body = 400, fmt.Sprintf(`{"__type":%q,"message":"no"}`, code)
	}
	return &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func (f *fakeKMS) answer(call, id, marker string) string {
	if body, ok := f.say[call]; ok {
		return body
	}
	named := func(k string) bool { return strings.Contains(k, `"KeyId":"`+id+`"`) }
	i := slices.IndexFunc(f.keys, named)
	switch {
	case call == "ListKeys": // a key a page
		n := 0
		_, _ = fmt.Sscanf(marker, "page-%d", &n) // the first page has no marker
		if n >= len(f.keys) {
			return `{"Keys":[],"Truncated":false}`
		}
		page := fmt.Sprintf(`{"Keys":[%s],"Truncated":%t`, f.keys[n], n+1 < len(f.keys))
		if n+1 < len(f.keys) {
			page += fmt.Sprintf(`,"NextMarker":"page-%d"`, n+1)
		}
		return page + "}"
	case i < 0:
		return "!NotFoundException"
	case call == "DescribeKey":
		return `{"KeyMetadata":` + f.keys[i] + `}`
	case call == "GetKeyPolicy":
		return fmt.Sprintf(`{"Policy":%q}`, owned)
	case call == "ListResourceTags":
		return `{"Tags":[],"Truncated":false}`
	case call == "ListGrants":
		return `{"Grants":[{"GrantId":"g-1","GranteePrincipal":"arn:aws:iam::111122223333:role/own","Operations":["Decrypt"]},
			{"GrantId":"g-2","GranteePrincipal":"arn:aws:iam::999988887777:role/x","Operations":["Decrypt"]}],"Truncated":false}`
	case call == "GetKeyRotationStatus":
		return fmt.Sprintf(`{"KeyRotationEnabled":%t}`, f.on[id])
	}
	f.on[id] = call == "EnableKeyRotation"
	return ""
}

func described(id, more string) string {
	return `{"KeyId":"` + id + `","KeyManager":"CUSTOMER","KeyState":"Enabled","KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT","Origin":"AWS_KMS"` + more + `}`
}

func newKMS(t *testing.T, keys ...string) (*cloudtest.Fixture, *fakeKMS) {
	t.Helper()
	fake := &fakeKMS{keys: keys, on: map[string]bool{}, say: map[string]string{}}
	f := cloudtest.New(t, []cloud.Wire{wire.Wire()}, func(c *cloud.Config) {
		fake.next = c.HTTPClient.Transport
		c.HTTPClient = &http.Client{Transport: fake}
	})
	return f, fake
}

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: key.Name, IDs: ids}
}

// of is what the wire knows of any key that is there.
func of(id string, unread ...string) resourcepolicy.Config {
	return resourcepolicy.Config{
		ID: id, ARN: key.ARNOf("aws", cloudtest.Hub, cloudtest.East, id), Account: cloudtest.Hub, Policy: owned, Unread: unread,
	}
}

func foreign() []key.Grant {
	return []key.Grant{{ID: "g-2", Grantee: "arn:aws:iam::999988887777:role/x", Operations: []string{"Decrypt"}}}
}

func ungranted() *key.Key {
	k := customer("k-1", aws.Bool(false), key.PartGrants)
	k.Grants = nil
	return k
}

const owned = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}`

func customer(id string, rotation *bool, unread ...string) *key.Key {
	return &key.Key{Config: of(id, unread...), Manager: "CUSTOMER", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Origin: "AWS_KMS", Rotation: rotation, Grants: foreign()}
}

// TestSweep reads page by page, and asks only keys that rotate whether they do.
func TestSweep(t *testing.T) {
	t.Parallel()
	f, fake := newKMS(t, described("k-1", ""), strings.Replace(described("k-2", ""), "CUSTOMER", "AWS", 1),
		described("mrk-3", `,"MultiRegion":true,"MultiRegionConfiguration":{"MultiRegionKeyType":"REPLICA"}`), described("k-4", ""))
	fake.on["k-4"] = true
	at, got := scope(), map[string]*key.Key{}
	for pages := 0; pages < 10; pages++ {
		page, err := f.Read(t.Context(), at, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Resources {
			got[x.ID] = x.Config.(*key.Key)
		}
		if at.Page = page.Next; at.Page == "" {
			break
		}
	}
	byAWS, replica := customer("k-2", nil), customer("mrk-3", nil)
	byAWS.Manager, replica.Replica = "AWS", true
	want := map[string]*key.Key{"k-1": customer("k-1", aws.Bool(false)), "k-2": byAWS, "mrk-3": replica, "k-4": customer("k-4", aws.Bool(true))}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("keys (-want +got):\n%s", d)
	}
	for _, call := range fake.sent {
		if call == "GetKeyRotationStatus k-2" || call == "GetKeyRotationStatus mrk-3" {
			t.Errorf("asked %s, of which KMS makes an error", call)
		}
	}
}

// TestUnread: what could not be read is not known, and never off.
func TestUnread(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		call, says string
		want       *key.Key
		unread     string
	}{
		"rotation_denied":          {"GetKeyRotationStatus", "!AccessDeniedException", customer("k-1", nil, key.PartRotation), ""},
		"rotation_failed":          {"GetKeyRotationStatus", "!KMSInvalidStateException", customer("k-1", nil, key.PartRotation), "KMSInvalidStateException"},
		"rotation_not_said":        {"GetKeyRotationStatus", "{}", customer("k-1", nil, key.PartRotation), "it has no KeyRotationEnabled"},
		"grants_denied":            {"ListGrants", "!AccessDeniedException", ungranted(), ""},
		"grants_cut_off":           {"ListGrants", `{"Grants":[],"Truncated":true}`, ungranted(), "does not say where"},
		"description_denied":       {"DescribeKey", "!AccessDeniedException", &key.Key{Config: of("k-1", key.PartKey), Grants: foreign()}, ""},
		"description_of_another":   {"DescribeKey", `{"KeyMetadata":` + described("k-9", "") + `}`, &key.Key{Config: of("k-1", key.PartKey), Grants: foreign()}, "does not describe"},
		"description_without_use":  {"DescribeKey", `{"KeyMetadata":` + strings.Replace(described("k-1", ""), "ENCRYPT_DECRYPT", "", 1) + `}`, &key.Key{Config: of("k-1", key.PartKey), Grants: foreign()}, "leaves out what the key is"},
		"description_of_no_answer": {"DescribeKey", "{}", &key.Key{Config: of("k-1", key.PartKey), Grants: foreign()}, "it has no KeyMetadata"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, fake := newKMS(t, described("k-1", ""))
			fake.say[tc.call] = tc.says
			page, err := f.Read(t.Context(), scope("k-1"), false)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %d resources, %v", len(page.Resources), err)
			}
			x := page.Resources[0]
			if d := cmp.Diff(tc.want, x.Config); d != "" {
				t.Errorf("key (-want +got):\n%s", d)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
		})
	}
	f, fake := newKMS(t, described("k-1", ""))
	if page, err := f.Read(t.Context(), scope("k-2"), true); err != nil || len(page.Resources) != 0 || len(page.Missing) != 1 {
		t.Errorf("a key that is not there: got %+v, %v, want it missing", page, err)
	}
	for _, says := range []string{"!AccessDeniedException", "{}", `{"Keys":[],"Truncated":true}`} {
		fake.say["ListKeys"] = says
		if page, err := f.Read(t.Context(), scope(), true); err == nil {
			t.Errorf("a list of %s: got %+v, want an error", says, page)
		}
	}
}

// TestPolicy holds the policies of keys to the suite of the shape.
func TestPolicy(t *testing.T) {
	t.Parallel()
	policytest.Suite{
		Wire: wire.Wire(), Type: key.Type(), ID: "k-1", Policy: func(c any) *resourcepolicy.Config { return &c.(*key.Key).Config },
		List: "ListKeys", Read: "GetKeyPolicy", Tags: "ListResourceTags", Put: "PutKeyPolicy",
		Listed: func(ids []string, next string) string {
			if next == "" {
				return `{"Keys":[{"KeyId":"` + ids[0] + `"}],"Truncated":false}`
			}
			return `{"Keys":[{"KeyId":"` + ids[0] + `"}],"Truncated":true,"NextMarker":"` + next + `"}`
		},
		Tell:   func(policy string) string { return `{"Policy":` + policytest.JSON(policy) + `}` },
		Tagged: `{"Tags":[{"TagKey":"team","TagValue":"a"}],"Truncated":false}`,
		Written: func(body string, _ url.Values) string {
			var in struct {
				Policy                         string
				BypassPolicyLockoutSafetyCheck bool
			}
			if json.Unmarshal([]byte(body), &in) != nil || in.BypassPolicyLockoutSafetyCheck {
				return "the check on a lock-out is left out: " + body
			}
			return in.Policy
		},
		Extra: map[string]string{
			"DescribeKey": `{"KeyMetadata":` + described("k-1", "") + `}`, "GetKeyRotationStatus": `{"KeyRotationEnabled":true}`, "ListGrants": `{"Grants":[],"Truncated":false}`,
		},
		Gone: "NotFoundException", Foreign: []string{`{}`, `{"Policy":""}`}, Always: true,
	}.Run(t)
}

// TestCancelDeletion: the deletion is cancelled, and nothing schedules it again.
func TestCancelDeletion(t *testing.T) {
	t.Parallel()
	f, fake := newKMS(t, described("k-1", ""))
	fake.say["CancelKeyDeletion"] = `{"KeyId":"k-1"}`
	change, err := key.Type().Set(&key.Key{Config: of("k-1"), State: "PendingDeletion"}, "state", "Disabled")
	if err != nil || change.Undo != nil {
		t.Fatalf("got %+v, %v, want no undo", change.Undo, err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: of("k-1").ARN, Type: key.Name, Changes: []dera.Change{change}}
	if _, err := f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || !slices.Contains(fake.sent, "CancelKeyDeletion k-1") {
		t.Errorf("got %v, sent %v", err, fake.sent)
	}
}

// TestWrite: the change shows afterwards, and so does its undo.
func TestWrite(t *testing.T) {
	t.Parallel()
	f, fake := newKMS(t, described("k-1", ""))
	page, err := f.Read(t.Context(), scope("k-1"), true)
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("got %d resources, %v", len(page.Resources), err)
	}
	x := page.Resources[0]
	change, err := key.Type().Set(x.Config, "rotation", true)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: x.ARN, Type: key.Name, Changes: []dera.Change{change}}
	if _, err := f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || !fake.on["k-1"] {
		t.Fatalf("change: got %v, rotates %t", err, fake.on["k-1"])
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Do(t.Context(), p, undo, cloudtest.Allow); err != nil || fake.on["k-1"] {
		t.Errorf("undo: got %v, rotates %t", err, fake.on["k-1"])
	}
}
