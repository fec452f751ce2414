package controltest

import (
	"encoding/json"
	"slices"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/control/sharing"
	"dera.example/dera/resource/evidence"
)

// SharingLaws are the laws for a kind of what is shared by a list: its members come in any
// order, none comes in on the way, those that no finding names stay, and a plan that takes
// one more of them, or adds one, is not proved.
func SharingLaws(k sharing.Kind) Laws {
	return Laws{
		Type: k.Type(), Evidence: []evidence.Kind{sharing.Evidence()},
		Orders: func(config any) []any {
			other := *config.(*sharing.Shared)
			other.With = slices.Clone(other.With)
			slices.Reverse(other.With)
			return []any{&other}
		},
		Surgical: func(t TB, before, after any, p dera.Plan) {
			t.Helper()
			in := removed(t, p)
			was, is := before.(*sharing.Shared).With, after.(*sharing.Shared).With
			if got, want := is, sharing.Minus(was, in.Remove); !slices.Equal(got, want) || len(in.Remove) != len(p.Keys) {
				t.Errorf("plan of %s: got %v, want %v", p.Keys, got, want)
			}
		},
		Between: func(t TB, states []any) {
			t.Helper()
			for _, s := range states[1:] {
				if more := sharing.Minus(s.(*sharing.Shared).With, states[0].(*sharing.Shared).With); len(more) > 0 {
					t.Errorf("on the way it is shared with %v too", more)
				}
			}
		},
		Bodies:  sharingForgeries,
		Mutants: sharingMutants(k),
	}
}

// removed is the input of a plan's changes taken together.
func removed(t TB, p dera.Plan) (all sharing.Members) {
	t.Helper()
	for _, c := range p.Changes {
		var in sharing.Members
		if err := json.Unmarshal(c.Input, &in); err != nil || len(in.Add) > 0 {
			t.Fatalf("plan of %s: got input %+v, %v, want only members to remove", p.Keys, in, err)
		}
		all.Resource, all.Remove = in.Resource, append(all.Remove, in.Remove...)
	}
	return all
}

func sharingForgeries(t TB, ev dera.Evidence) []Forgery {
	t.Helper()
	var out []Forgery
	for how, bend := range map[string]func(*sharing.Proof){
		"somebody comes into the list":        func(p *sharing.Proof) { p.After = append(p.After, "999999999999") },
		"somebody else goes":                  func(p *sharing.Proof) { p.Before = append(p.Before, "999999999999") },
		"something else changes":              func(p *sharing.Proof) { p.RestAfter += "0" },
		"nobody is named":                     func(p *sharing.Proof) { p.Named = nil },
		"a named member stays":                func(p *sharing.Proof) { p.After = append(p.After, p.Named[0]) },
		"the named members were never listed": func(p *sharing.Proof) { p.Before = p.After },
	} {
		var p sharing.Proof
		if err := json.Unmarshal(ev.Body, &p); err != nil {
			t.Fatalf("body: %v", err)
		}
		bend(&p)
		out = append(out, Forgery{how, p})
	}
	return out
}

// sharingMutants: a plan that adds somebody, or takes out one whom no finding names, is not proved.
func sharingMutants(k sharing.Kind) func(TB, control.Control, dera.Resource, control.Settings, []control.Failure, dera.Plan) {
	return func(t TB, c control.Control, r dera.Resource, s control.Settings, failures []control.Failure, p dera.Plan) {
		t.Helper()
		in := removed(t, p)
		wrong := map[string]sharing.Members{"adds somebody": {Resource: in.Resource, Remove: in.Remove, Add: []string{"999999999999"}}}
		if stays := sharing.Minus(r.Config.(*sharing.Shared).With, in.Remove); len(stays) > 0 {
			wrong["takes out one that no finding names"] = sharing.Members{Resource: in.Resource, Remove: append(slices.Clone(in.Remove), stays[0])}
		}
		if len(in.Remove) > 1 {
			wrong["leaves one in"] = sharing.Members{Resource: in.Resource, Remove: in.Remove[1:]}
		}
		for how, m := range wrong {
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatalf("input: %v", err)
			}
			other := p
			other.Changes = []dera.Change{{Operation: k.Modify, Version: 1, Input: text}}
			if ev, err := c.Prove(r, failures, other, s); err == nil && ev.Proved() {
				t.Errorf("a plan that %s is proved too", how)
			}
		}
	}
}
