package proof

import (
	"testing"

	"dera.example/dera/iam/policy"
	"dera.example/dera/iam/reason"
)

func document(t testing.TB, text string) reason.Policies {
	t.Helper()
	doc, err := policy.Parse(`{"Version":"2012-10-17","Statement":[` + text + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return reason.Policies{doc}
}

// TestConfirm: a claim that the engine proves and the checker cannot follow is
// not proved, whichever it is.
func TestConfirm(t *testing.T) {
	t.Parallel()
	whole := `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":["true","false"]}}}`
	halves := `{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	read := `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":["true","false"]}}}`
	denied := `,{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}},
		{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	other := document(t, `{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)
	for name, tt := range map[string]struct {
		change      Change
		fresh, lost reason.Conclusion
		alone       bool
		gone        reason.Conclusion
	}{
		"followed": {Change{Old: document(t, whole), New: document(t, read), Kept: []string{"s3:GetObject"}, Removed: []string{"s3:PutObject"}}, reason.Proved, reason.Proved, false, reason.Proved},
		"not_new":  {Change{Old: document(t, halves), New: document(t, read), Beside: other, Kept: []string{"s3:List"}, Removed: []string{"s3:PutObject"}}, reason.Unknown, reason.Proved, true, reason.Proved},
		"not_lost": {Change{Old: document(t, whole), New: document(t, halves), Kept: []string{"s3:GetObject"}, Removed: []string{"s3:List"}}, reason.Proved, reason.Unknown, false, reason.Proved},
		"not_gone": {Change{Old: document(t, whole), New: document(t, whole+denied), Kept: []string{"s3:GetObject"}, Removed: []string{"s3:PutObject"}}, reason.Proved, reason.Proved, false, reason.Unknown},
	} {
		e := Prove(t.Context(), tt.change, reason.Config{})
		if !e.Proved() {
			t.Errorf("%s: the engine does not prove it", name)
		}
		e = e.Confirm()
		if e.NothingNew.Verdict != tt.fresh || e.NothingLost.Verdict != tt.lost || e.Gone.Verdict != tt.gone {
			t.Errorf("%s: got new %v, lost %v, gone %v", name, e.NothingNew.Verdict, e.NothingLost.Verdict, e.Gone.Verdict)
		}
		if (e.NothingNewAlone != nil) != tt.alone || tt.alone && e.NothingNewAlone.Verdict == reason.Proved {
			t.Errorf("%s: got alone %+v", name, e.NothingNewAlone)
		}
	}
}
