package cloudtrail

import (
	"bytes"
	"time"
)

// Session is what an answer of STS tells: whose session was made and when it ends.
type Session struct {
	Key []byte // of the role; nil for a session of the caller itself
	End time.Time
}

// Session reads the answer of AssumeRole and its cousins; false for other calls.
// The key is appended to dst.
func (f *Fields) Session(dst []byte) (Session, bool) {
	name := Text(f.Name)
	if string(Text(f.Source)) != "sts.amazonaws.com" || !bytes.HasPrefix(name, []byte("AssumeRole")) &&
		string(name) != "GetFederationToken" && string(name) != "GetSessionToken" {
		return Session{}, false
	}
	var s Session
	var end, arn []byte
	inner := func(want string, into *[]byte) func([]byte, int) (int, error) {
		return func(name []byte, at int) (int, error) {
			stop, err := valueEnd(f.Response, at)
			if err == nil && string(name) == want {
				*into = f.Response[at:stop]
			}
			return stop, err
		}
	}
	if len(f.Response) == 0 || f.Response[0] != '{' {
		return Session{}, false
	}
	_, err := members(f.Response, 0, func(name []byte, at int) (int, error) {
		open := at < len(f.Response) && f.Response[at] == '{'
		switch {
		case open && string(name) == "credentials":
			return members(f.Response, at, inner("expiration", &end))
		case open && string(name) == "assumedRoleUser":
			return members(f.Response, at, inner("arn", &arn))
		}
		return valueEnd(f.Response, at)
	})
	if err != nil {
		return Session{}, false
	}
	text := string(Text(end))
	// CloudTrail writes it as Java's DateFormat does, newer records in ISO 8601.
	for _, layout := range [...]string{"Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			s.End = t.UTC()
			break
		}
	}
	if key, ok := appendKey(dst, Text(arn)); ok {
		s.Key = key
	}
	return s, !s.End.IsZero()
}
