package cloudtrail

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// removed stands where Redact took something out.
const removed = "[removed]"

// Redact returns an event for a person to look at: without secrets, at most
// limit bytes, valid UTF-8 without NUL. Of JSON it keeps the structure and takes
// out credentials, policies, user data, whatever stands under a name that
// suggests a secret, and values that look like one; long texts and lists are cut.
// Of text that is not JSON it keeps only the well-known fields of an event,
// since nobody can say what the rest is.
func Redact(raw []byte, limit int) string {
	if len(raw) > MaxSize {
		raw = raw[:MaxSize]
	}
	out := skeleton(raw)
	if tree, ok := parse(raw); ok {
		out = render(redact(tree, 0))
	}
	const cut = "…[cut]"
	if len(out) <= limit {
		return out
	}
	if limit < len(cut) {
		return clean(out, max(limit, 0))
	}
	return clean(out, limit-len(cut)) + cut
}

const (
	maxText  = 256 // bytes of one text
	maxItems = 10  // members of one list
	maxDepth = 32  // levels, those of JSON in texts included
)

// redact returns the tree without secrets.
func redact(v any, depth int) any {
	if depth > maxDepth {
		return removed
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, value := range v {
			if secretName(name) && !harmless(value) {
				value = removed
			}
			out[redactText(name, depth)] = redact(value, depth+1)
		}
		return out
	case []any:
		out := make([]any, 0, min(len(v), maxItems+1))
		for _, item := range v[:min(len(v), maxItems)] {
			out = append(out, redact(item, depth+1))
		}
		if len(v) > maxItems {
			out = append(out, "…")
		}
		return out
	case string:
		return redactText(v, depth)
	}
	return v
}

// redactText redacts JSON in a text as JSON (the message of a notification, a
// policy) and other texts by what they look like.
func redactText(s string, depth int) string {
	if t := strings.TrimSpace(s); strings.HasPrefix(t, "{") || strings.HasPrefix(t, "[") {
		tree, ok := parse([]byte(t))
		if !ok {
			return removed
		}
		s = render(redact(tree, depth+1))
	} else if looksSecret.MatchString(s) {
		return removed
	}
	const limit = maxText
	if depth > 1 && len(s) > limit {
		return clean(s, limit) + "…"
	}
	return clean(s, MaxSize)
}

// harmless are values that hold no secret under any name.
func harmless(v any) bool {
	switch v.(type) {
	case nil, bool:
		return true
	}
	return false
}

// secretName reports whether a name suggests a secret or a policy document.
// Names of counts and identifiers that contain such a word are not excepted:
// losing one costs little.
func secretName(name string) bool {
	plain := strings.Map(func(r rune) rune {
		switch r {
		case '-', '_', '.', ' ':
			return -1
		}
		return r
	}, strings.ToLower(name))
	for _, word := range [...]string{
		"accesskey", "secret", "token", "password", "passwd", "passphrase", "credential", "privatekey", "authorization",
		"apikey", "keymaterial", "publickey", "customerkey", "userdata", "signature", "cookie", "connectionstring", "plaintext",
		"ciphertext", "environment",
	} {
		if strings.Contains(plain, word) {
			return true
		}
	}
	return plain == "policy" || strings.HasSuffix(plain, "policydocument") || strings.HasSuffix(plain, "policytext") ||
		strings.HasSuffix(plain, "policyinjson") || plain == "bucketpolicy" || plain == "resourcepolicy" || plain == "pwd"
}

// looksSecret finds key IDs, keys, tokens and PEM blocks by their form: AWS key
// IDs by their prefix, JSON Web Tokens, Slack and GitHub tokens, passwords in
// URLs, and runs of 40 or more characters of base64 (64 of
// its URL form); an AWS secret key has 40.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
var looksSecret = regexp.MustCompile(`(?i:-----BEGIN)|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|` +
	`\bxox[a-z]-[A-Za-z0-9-]{8,}|\bgh[a-z]_[A-Za-z0-9]{20,}|://[^/\s:@]+:[^/\s@]+@|(?i:password|secret|token)\s*[=:]\s*\S|` +
	`(?:^|[^A-Za-z0-9+/=_-])[A-Za-z0-9+/=_]{40,}(?:$|[^A-Za-z0-9+/=_-])|[A-Za-z0-9_-]{64,}`)

// known are the fields of a broken event that are kept, with the form of their
// values.
var known = regexp.MustCompile(`"(eventSource|eventName|eventTime|eventID|awsRegion|recipientAccountId|errorCode|detail-type|source|account|region|time|id|Type|version)"\s*:\s*"([A-Za-z0-9][A-Za-z0-9 .:_-]{0,63})"`)

// skeleton is what can be kept of text that is not JSON.
func skeleton(raw []byte) string {
	type field struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	out := struct {
		Unreadable bool    `json:"unreadable"`
		Bytes      int     `json:"bytes"`
		Fields     []field `json:"fields,omitempty"`
	}{true, len(raw), nil}
	for _, m := range known.FindAllSubmatch(raw, 20) {
		f := field{string(m[1]), string(m[2])}
		if !looksSecret.MatchString(f.Value) && !slices.Contains(out.Fields, f) {
			out.Fields = append(out.Fields, f)
		}
	}
	return render(out)
}

// parse reads one JSON value and keeps numbers as they are written.
func parse(raw []byte) (any, bool) {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	return tree, d.Decode(&tree) == nil
}

// render writes a value that came from JSON: it cannot fail.
func render(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return removed
	}
	return strings.TrimSuffix(b.String(), "\n")
}
