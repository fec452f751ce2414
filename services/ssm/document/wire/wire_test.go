package wire_test

import (
	"maps"
	"testing"

	"dera.example/dera"
	"dera.example/dera/awssim/moto"
	"dera.example/dera/cloud"
	"dera.example/dera/cloud/cloudtest"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource"
	"dera.example/dera/services/ssm/document"
	"dera.example/dera/services/ssm/document/wire"
)

type m = map[string]any

func page(owner, next string, ids ...string) m {
	list := []m{}
	for _, id := range ids {
		list = append(list, m{"Name": id, "Owner": owner, "DocumentType": "Command"})
	}
	out := m{"DocumentIdentifiers": list}
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

func named(owner, id string) m {
	return m{"Document": m{"Name": id, "Owner": owner, "DocumentType": "Command"}}
}

func members(_ string, list ...string) m {
	return m{"AccountIds": append([]string{}, list...), "AccountSharingInfoList": []m{}}
}

func values(list []string) (out []any) {
	for _, x := range list {
		out = append(out, x)
	}
	return out
}

func TestWire(t *testing.T) {
	t.Parallel()
	cloudtest.Sharing{
		Kind: document.Kind(), Wire: wire.Wire(), Service: "ssm", List: "ListDocuments", Get: "DescribeDocument", Attribute: "DescribeDocumentPermission", Modify: "ModifyDocumentPermission",
		Own: m{"Filters": []any{m{"Key": "Owner", "Values": []any{"Self"}}}},
		IDs: [2]string{"Install-Agent", "patch_all"}, Token: "NextToken", Absent: "InvalidDocument", Page: page, Named: named, Members: members,
		One: func(id string) m { return m{"Name": id} },
		Change: func(id string, add, remove []string) m {
			in := m{"Name": id, "PermissionType": "Share"}
			if len(add) > 0 {
				in["AccountIdsToAdd"] = values(add)
			}
			if len(remove) > 0 {
				in["AccountIdsToRemove"] = values(remove)
			}
			return in
		},
	}.Run(t)
}

// TestVersions: the undo shares the version again that was shared; the list may come in pages.
func TestVersions(t *testing.T) {
	t.Parallel()
	w := moto.StartStub(t).World(t)
	w.On("ssm", "DescribeDocument", moto.Answer{Output: named(cloudtest.Hub, "patch_all")})
	w.On("ssm", "DescribeDocumentPermission",
		moto.Answer{When: m{"NextToken": "2"}, Output: m{"AccountIds": []string{"333333333333"}, "AccountSharingInfoList": []m{{"AccountId": "333333333333", "SharedDocumentVersion": "$LATEST"}}}},
		moto.Answer{Output: m{"AccountIds": []string{"222222222222"}, "AccountSharingInfoList": []m{{"AccountId": "222222222222", "SharedDocumentVersion": "3"}}, "NextToken": "2"}})
	w.On("ssm", "ModifyDocumentPermission", moto.Answer{})
	c := cloudtest.At(t, []cloud.Wire{wire.Wire()}, w.URL(), w.AccessKeyID, nil)
	found, err := c.Read(t.Context(), dera.Scope{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Type: document.Name, IDs: []string{"patch_all"}}, true)
	if err != nil || len(found.Resources) != 1 {
		t.Fatalf("got %+v, %v", found, err)
	}
	now := found.Resources[0].Config.(*sharing.Shared)
	if want := map[string]string{"222222222222": "3", "333333333333": "$LATEST"}; len(now.With) != 2 || !maps.Equal(now.Versions, want) {
		t.Fatalf("got %+v, want the versions %v", now, want)
	}
	changes, err := document.Kind().Remove(now, now.With)
	if err != nil || len(changes) != 2 {
		t.Fatalf("got %d changes, %v, want one for each version", len(changes), err)
	}
	p := dera.Plan{Partition: "aws", Account: cloudtest.Hub, Region: cloudtest.East, Resource: found.Resources[0].ARN, Type: document.Name, Changes: changes}
	for _, ch := range changes {
		undo, err := resource.OfUndo(*ch.Undo, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range []resource.Operation{resource.Of(ch), undo} {
			if _, err := c.Do(t.Context(), p, op, cloudtest.Allow); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	for _, call := range w.Calls("ModifyDocumentPermission") {
		if list, ok := call.Input["AccountIdsToAdd"].([]any); ok {
			got[list[0].(string)], _ = call.Input["SharedDocumentVersion"].(string)
		} else if _, ok := call.Input["SharedDocumentVersion"]; ok {
			t.Errorf("a removal names a version: %v", call.Input)
		}
	}
	if !maps.Equal(got, now.Versions) {
		t.Errorf("the undo shares %v, want %v", got, now.Versions)
	}
}
