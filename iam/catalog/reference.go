package catalog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// reference is a document of AWS's service reference, as far as it matters.
// https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html
type reference struct {
	Name    string
	Actions []struct {
		Name                string
		ActionConditionKeys []string
		Annotations         struct {
			Properties struct{ IsList, IsPermissionManagement, IsTaggingOnly, IsWrite bool }
		}
		Resources []struct{ Name string }
	}
	ConditionKeys []struct {
		Name  string
		Types []string
	}
	Resources []struct {
		Name          string
		ARNFormats    []string
		ConditionKeys []string
	}
}

// Reference is an entry of the list of services of the service reference.
type Reference struct {
	Service string `json:"service"`
	URL     string `json:"url"`
}

// ReferenceList reads the list of services of the service reference.
func ReferenceList(data []byte) ([]Reference, error) {
	var list []Reference
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("read the list of services: %w", err)
	}
	for _, r := range list {
		if r.Service == "" || r.URL == "" {
			return nil, fmt.Errorf("read the list of services: an entry lacks its service or its address")
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("read the list of services: it is empty")
	}
	return list, nil
}

// ReferenceService reads the document of one service.
func ReferenceService(data []byte) (Service, error) {
	var r reference
	if err := json.Unmarshal(data, &r); err != nil {
		return Service{}, fmt.Errorf("read the reference of a service: %w", err)
	}
	if r.Name == "" || len(r.Actions) == 0 {
		return Service{}, fmt.Errorf("read the reference of service %q: it has no actions", r.Name)
	}
	out := Service{Prefix: r.Name, Name: r.Name}
	for _, k := range r.ConditionKeys {
		kind := "String"
		if len(k.Types) > 0 {
			kind = k.Types[0]
		}
		out.Keys = append(out.Keys, ConditionKey{k.Name, kind})
	}
	for _, t := range r.Resources {
		if len(t.ARNFormats) > 0 {
			out.Resources = append(out.Resources, ResourceType{t.Name, t.ARNFormats, t.ConditionKeys})
		}
	}
	for _, a := range r.Actions {
		c := Action{Service: r.Name, Name: a.Name, Level: Read, Keys: a.ActionConditionKeys}
		switch p := a.Annotations.Properties; {
		case p.IsPermissionManagement:
			c.Level = Permissions
		case p.IsTaggingOnly:
			c.Level = Tagging
		case p.IsWrite:
			c.Level = Write
		case p.IsList:
			c.Level = List
		}
		for _, u := range a.Resources {
			c.Resources = append(c.Resources, Use{Type: u.Name})
			at := slices.IndexFunc(out.Resources, func(t ResourceType) bool { return strings.EqualFold(t.Name, u.Name) })
			if at >= 0 {
				c.Keys = slices.Concat(c.Keys, out.Resources[at].Keys)
			}
		}
		out.Actions = append(out.Actions, c)
	}
	return out, nil
}
