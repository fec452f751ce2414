package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/resource"
	"dera.example/dera/services/accessanalyzer/analyzer"
	"dera.example/dera/services/accessanalyzer/analyzer/wire"
)

type m = map[string]any

const service = "accessanalyzer"

func scope() dera.Scope {
	return dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: analyzer.Name}
}

func summary(name, kind, status string) m {
	return m{"arn": "arn:aws:access-analyzer:us-east-1:111122223333:analyzer/" + name, "name": name, "type": kind, "status": status, "createdAt": "2026-01-02T03:04:05Z"}
}

func analyzers(list ...m) moto.Answer {
	if list == nil {
		list = []m{}
	}
	return moto.Answer{Output: m{"analyzers": list}}
}

func rules(names ...string) moto.Answer {
	list := []m{}
	for _, n := range names {
		list = append(list, m{"ruleName": n, "filter": m{}, "createdAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z"})
	}
	return moto.Answer{Output: m{"archiveRules": list}}
}

// TestRead: analyzers of unused access do not count, one that failed neither, and what could
// not be read is not known.
func TestRead(t *testing.T) {
	t.Parallel()
	stub := moto.StartStub(t)
	for name, tc := range map[string]struct {
		list, rules []moto.Answer
		want        analyzer.External
		problem     string
	}{
		"none":             {[]moto.Answer{analyzers(summary("unused", "ACCOUNT_UNUSED_ACCESS", "ACTIVE"), summary("broken", "ACCOUNT", "FAILED"))}, nil, analyzer.External{Made: new(false), Rules: []string{}}, ""},
		"ours":             {[]moto.Answer{analyzers(summary(analyzer.Own, "ACCOUNT", "CREATING"))}, []moto.Answer{rules()}, analyzer.External{Made: new(true), Rules: []string{}}, ""},
		"of_others":        {[]moto.Answer{analyzers(summary("org", "ORGANIZATION", "ACTIVE"))}, []moto.Answer{rules("b", "a")}, analyzer.External{Made: new(false), Others: []string{"org"}, Rules: []string{"org/a", "org/b"}}, ""},
		"on_second_page":   {[]moto.Answer{{When: m{"nextToken": "2"}, Output: analyzers(summary("a", "ACCOUNT", "ACTIVE")).Output}, {Output: m{"analyzers": []m{}, "nextToken": "2"}}}, []moto.Answer{rules()}, analyzer.External{Made: new(false), Others: []string{"a"}, Rules: []string{}}, ""},
		"rules_denied":     {[]moto.Answer{analyzers(summary("a", "ACCOUNT", "ACTIVE"))}, []moto.Answer{{Error: "AccessDeniedException"}}, analyzer.External{Made: new(false), Others: []string{"a"}}, ""},
		"analyzers_denied": {[]moto.Answer{{Error: "AccessDeniedException"}}, nil, analyzer.External{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stub.World(t)
			w.On(service, "ListAnalyzers", tc.list...)
			w.On(service, "ListArchiveRules", tc.rules...)
			page, err := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil).Read(t.Context(), scope(), false)
			if err != nil || len(page.Resources) != 1 {
				t.Fatalf("got %+v, %v", page, err)
			}
			if tc.want.Region = cloudtest.East; cmp.Diff(&tc.want, page.Resources[0].Config) != "" {
				t.Errorf("(-want +got):\n%s", cmp.Diff(&tc.want, page.Resources[0].Config))
			}
		})
	}
}

// TestWrite: one analyzer is made, none where somebody made one since, and the undo deletes
// that one alone.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	w.On(service, "ListAnalyzers", analyzers())
	made := analyzers(summary(analyzer.Own, "ACCOUNT", "ACTIVE")).Output
	w.On(service, "CreateAnalyzer", moto.Answer{When: m{"analyzerName": analyzer.Own, "type": "ACCOUNT"}, Output: m{"arn": made["analyzers"].([]m)[0]["arn"]}, Sets: map[string]map[string]any{"ListAnalyzers": made}})
	w.On(service, "DeleteAnalyzer", moto.Answer{When: m{"analyzerName": analyzer.Own}, Sets: map[string]map[string]any{"ListAnalyzers": {"analyzers": []m{}}}})
	w.On(service, "ListArchiveRules", rules())
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	look := func() *analyzer.External {
		t.Helper()
		page, err := c.ReadAgain(t.Context(), scope())
		if err != nil || len(page.Resources) != 1 {
			t.Fatalf("got %+v, %v", page, err)
		}
		return page.Resources[0].Config.(*analyzer.External)
	}
	change, err := analyzer.Type().Set(look(), "made", true)
	if err != nil {
		t.Fatal(err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: analyzer.ARNOf("aws", cloudtest.Hub, cloudtest.East, ""), Type: analyzer.Name, Changes: []dera.Change{change}}
	if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err != nil || !*look().Made {
		t.Fatalf("change: got %v, %+v", err, look())
	}
	if _, err := c.Do(t.Context(), p, resource.Of(change), cloudtest.Allow); err == nil || !strings.Contains(err.Error(), "someone else changed it") || len(w.Calls("CreateAnalyzer")) != 1 {
		t.Errorf("a second one: got %v, want that nothing is sent", err)
	}
	undo, err := resource.OfUndo(*change.Undo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), p, undo, cloudtest.Allow); err != nil || *look().Made {
		t.Errorf("undo: got %v, %+v", err, look())
	}
}
