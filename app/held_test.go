package app

import (
	"testing"
	"time"
)

// texts is the IAM of an account in which everybody has one policy.
type texts struct {
	IdentityState
	text  string
	known bool
}

// Texts implements IdentityState.
func (s *texts) Texts(string, time.Time) ([]string, bool) { return []string{s.text}, s.known }

// TestHeldOf: policies are compared while all of them are known, whatever was known before.
func TestHeldOf(t *testing.T) {
	t.Parallel()
	const doc = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`
	was, is := &texts{text: doc}, &texts{text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:List*","Resource":"*"}]}`}
	p := &narrowing{holding: map[string]*held{}}
	for _, known := range []bool{false, true, false} {
		was.known, is.known = known, known
		if h := p.heldOf(NarrowedAccount{Was: was, Is: is}, "arn:aws:iam::111122223333:role/app", time.Time{}); h == nil || (h.calls != nil) != known {
			t.Errorf("known %t: got %+v, want it compared: %t", known, h, known)
		}
	}
}
