package evaluate

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// Bastion sends to review what concerns a bastion: taking its access away can
// lock people out. Names and tags may be set by anybody who can change the
// resource, so they only ever lower to review.
type Bastion struct {
	// Names are globs on the resource's name, without regard to case; nil means the
	// usual names of bastions, jump servers and gateways, in any spelling.
	Names []string
	// Tags are key → glob on the value, without regard to case; nil means such names
	// in the tags that say what something is, and dera:bastion.
	Tags map[string]string
	// Resources are resource IDs or ARN globs that are bastions.
	Resources []string
}

// Name implements Guardrail.
func (Bastion) Name() string { return "bastion" }

// Check implements Guardrail.
func (g Bastion) Check(_ context.Context, c Case) (dera.Reason, error) {
	r := c.Resource
	for _, pattern := range g.Resources {
		if pattern == r.ID || dera.MatchGlob(pattern, string(r.ARN)) {
			return review("%s is on the list of bastions", r.ID), nil
		}
	}
	network := c.Type.Attachments != nil
	if g.named(r.Name, network) {
		return review("its name %q looks like that of a bastion", r.Name), nil
	}
	if key := g.tagged(r.Tags, network); key != "" {
		return review("its tag %q says that it is a bastion", key), nil
	}
	for _, a := range c.attachments() {
		if g.named(a.Name, true) {
			return review("it is attached to %s, whose name %q looks like that of a bastion", a.ID, a.Name), nil
		}
		if key := g.tagged(a.Tags, true); key != "" {
			return review("it is attached to %s, whose tag %q says that it is a bastion", a.ID, key), nil
		}
	}
	return pass("neither name, tag nor list says that it is a bastion"), nil
}

// attachments are what the resource is attached to, where its type can tell.
func (c Case) attachments() []resource.Attachment {
	if c.Type.Attachments == nil {
		return nil
	}
	return c.Type.Attachments(c.Resource.Config)
}

func (g Bastion) named(name string, network bool) bool {
	if name == "" {
		return false
	}
	if g.Names == nil {
		return bastionName(name, network)
	}
	return slices.ContainsFunc(g.Names, func(p string) bool { return dera.MatchGlob(strings.ToLower(p), strings.ToLower(name)) })
}

// tagged returns the key of the first tag that says that something is a bastion.
func (g Bastion) tagged(tags map[string]string, network bool) string {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		v := tags[k]
		if g.Tags == nil {
			switch no := slices.Contains([]string{"", "0", "false", "no", "none", "off"}, strings.ToLower(v)); {
			case strings.EqualFold(k, "dera:bastion"), bastionName(k, network) && !no, telling(k) && bastionName(v, network):
				return k
			}
		}
		for key, pattern := range g.Tags {
			if strings.EqualFold(k, key) && dera.MatchGlob(strings.ToLower(pattern), strings.ToLower(v)) {
				return k
			}
		}
	}
	return ""
}

// telling reports whether the tag key is one by which people say what a thing is.
func telling(key string) bool {
	last := key[strings.LastIndexAny(key, ":/")+1:]
	switch squeezed(last) {
	case "name", "role", "roles", "serverrole", "function", "purpose", "type", "kind", "tier", "service", "app", "application",
		"component", "usage", "use", "description", "comment":
		return true
	}
	return false
}

// bastionName reports whether a name is one of a bastion or a jump server, and of
// what sits on a network also of a gateway, whatever its case, accents and
// separators.
func bastionName(name string, network bool) bool {
	text := squeezed(name)
	for _, part := range []string{"bastion", "jumphost", "jumpbox", "jumpserver", "jumpstation", "jumpinstance", "jmphost", "hopbox", "hophost", "rdgw", "sshgw", "guacamole", "teleport"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return slices.ContainsFunc(words(name), jumps) || network && strings.Contains(text, "gateway")
}

// jumps reports whether a word is one of a jump server: sshjump, jumpsrv, rdg (Remote
// Desktop Gateway), rebond (serveur de rebond).
func jumps(word string) bool {
	switch {
	case word == "rdg", word == "rebond", word == "jumper", strings.HasSuffix(word, "jump"):
		return true
	case strings.HasPrefix(word, "jumpstart"), strings.HasPrefix(word, "jumpcloud"): // products
		return false
	}
	return strings.HasPrefix(word, "jump") && len(word) <= len("jumpserver")
}

// squeezed is the text in lower case, without accents and without whatever is no
// letter or digit.
func squeezed(text string) string { return strings.Join(words(text), "") }

// words are the runs of letters and digits of the text, in lower case and without
// accents; a capital after a small letter begins a new one.
func words(text string) []string {
	var out []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			out, word = append(out, string(word)), nil
		}
	}
	var before rune
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent of the letter before
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
		default:
			if unicode.IsUpper(r) && unicode.IsLower(before) || unicode.IsDigit(r) != unicode.IsDigit(before) {
				end()
			}
			word = append(word, unicode.ToLower(r))
		}
		before = r
	}
	end()
	return out
}
