package wire_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"dera.example/dera"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/ec2/ebs"
	"dera.example/dera/services/ec2/ebs/wire"
)

// answers are what EC2 says of one region; an answer that begins with ! is an error
// of that code.
type answers map[string]string

func (a answers) give(form url.Values) *http.Response {
	action := form.Get("Action")
	body, ok := a[action]
	if !ok {
		return nil // the simulation has none of these calls
	}
	code, refused := strings.CutPrefix(body, "!")
	switch {
	case form.Get("DryRun") == "true" && !refused:
		return cloudtest.Failure(412, "DryRunOperation", "it would")
	case refused && code == "UnauthorizedOperation":
		return cloudtest.Failure(403, code, "no")
	case refused:
		return cloudtest.Failure(400, code, "no")
	}
	if action == "EnableEbsEncryptionByDefault" || action == "DisableEbsEncryptionByDefault" {
		a["GetEbsEncryptionByDefault"] = body
	}
	return cloudtest.Answer(200, `<`+action+`Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`+body+`</`+action+`Response>`)
}

const (
	off     = "<ebsEncryptionByDefault>false</ebsEncryptionByDefault>"
	on      = "<ebsEncryptionByDefault>true</ebsEncryptionByDefault>"
	ownKey  = "<kmsKeyId>alias/aws/ebs</kmsKeyId>"
	denied  = "!UnauthorizedOperation"
	optedIn = "!AuthFailure"
)

func scope(ids ...string) dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: ebs.Name, IDs: ids}
}

// TestRead: what could not be read is never off; a key that may not be read is not
// known, and one that could not be read makes the look one to repeat.
func TestRead(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		enabled, key string
		want         ebs.Encryption
		unread       string
		problem      string
	}{
		"off":                    {off, ownKey, ebs.Encryption{Region: cloudtest.East, Key: "alias/aws/ebs"}, "", ""},
		"on":                     {on, "<kmsKeyId>k-1</kmsKeyId>", ebs.Encryption{Region: cloudtest.East, Enabled: true, Key: "k-1"}, "", ""},
		"key_denied":             {off, denied, ebs.Encryption{Region: cloudtest.East}, "", ""},
		"key_failed":             {off, "!InternalFailure", ebs.Encryption{Region: cloudtest.East}, "InternalFailure", ""},
		"key_of_no_answer":       {off, "", ebs.Encryption{Region: cloudtest.East}, "names no key", ""},
		"denied":                 {denied, ownKey, ebs.Encryption{}, "", "UnauthorizedOperation"},
		"neither_on_nor_off":     {"", ownKey, ebs.Encryption{}, "", "neither on nor off"},
		"region_not_switched_on": {optedIn, ownKey, ebs.Encryption{}, "", "AuthFailure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := cloudtest.New(t, []cloud.Wire{wire.Wire()}, nil)
			f.Wire.Answer = answers{"GetEbsEncryptionByDefault": tc.enabled, "GetEbsDefaultKmsKeyId": tc.key}.give
			page, err := f.Read(t.Context(), scope(), true)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Fatalf("got %v, %v, want an error of %s", page, err, tc.problem)
				}
				return
			}
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %d resources, %v, want one", len(page.Resources), err)
			}
			x := page.Resources[0]
			if *x.Config.(*ebs.Encryption) != tc.want || x.ID != cloudtest.East || x.ARN != ebs.ARNOf("aws", cloudtest.Hub, "", cloudtest.East) {
				t.Errorf("got %s with %+v, want %+v", x.ARN, x.Config, tc.want)
			}
			if (x.Unread == "") != (tc.unread == "") || !strings.Contains(x.Unread, tc.unread) {
				t.Errorf("unread: got %q, want %q", x.Unread, tc.unread)
			}
		})
	}
}

// TestFind: only the region's own name is there.
func TestFind(t *testing.T) {
	t.Parallel()
	f := cloudtest.New(t, []cloud.Wire{wire.Wire()}, nil)
	f.Wire.Answer = answers{"GetEbsEncryptionByDefault": off, "GetEbsDefaultKmsKeyId": ownKey}.give
	page, err := f.Read(t.Context(), scope("eu-west-9", cloudtest.East), false)
	if err != nil || len(page.Resources) != 1 || len(page.Missing) != 1 || page.Missing[0] != "eu-west-9" {
		t.Errorf("got %+v, %v, want the region and that the other is missing", page, err)
	}
	if page, err = f.Read(t.Context(), scope("eu-west-9"), false); err != nil || len(page.Resources) != 0 || len(page.Missing) != 1 {
		t.Errorf("got %+v, %v, want that it is missing", page, err)
	}
}

// TestWrite: a dry run changes nothing, the change shows afterwards, and so does
// its undo.
func TestWrite(t *testing.T) {
	t.Parallel()
	f := cloudtest.New(t, []cloud.Wire{wire.Wire()}, nil)
	f.Wire.Answer = answers{"GetEbsEncryptionByDefault": off, "GetEbsDefaultKmsKeyId": ownKey, "EnableEbsEncryptionByDefault": on, "DisableEbsEncryptionByDefault": off}.give
	look := func() *ebs.Encryption {
		t.Helper()
		page, err := f.ReadAgain(t.Context(), scope(cloudtest.East))
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("got %d resources, %v", len(page.Resources), err)
		}
		return page.Resources[0].Config.(*ebs.Encryption)
	}
	change, err := ebs.Type().Set(look(), "enabled", true)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: ebs.ARNOf("aws", cloudtest.Hub, "", cloudtest.East), Type: ebs.Name, Changes: []dera.Change{change}}
	if err := f.DryRun(t.Context(), p, resource.Of(change)); err != nil || look().Enabled {
		t.Fatalf("dry run: got %v, enabled %t", err, look().Enabled)
	}
	if _, err := f.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || !look().Enabled {
		t.Fatalf("change: got %v, enabled %t", err, look().Enabled)
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Do(t.Context(), p, undo, cloudtest.Allow); err != nil || look().Enabled {
		t.Errorf("undo: got %v, enabled %t", err, look().Enabled)
	}
	for _, x := range f.TryWrites(t.Context(), cloudtest.Hub, cloudtest.East, "", []string{ebs.Enable, ebs.Disable}) {
		if x.Tried != cloud.Allowed {
			t.Errorf("try %+v, want it allowed", x)
		}
	}
}
