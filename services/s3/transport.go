package s3

import (
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/iam/policy"
	"dera.example/dera/resource/document"
	"dera.example/dera/resource/evidence"
)

// TransportKind is the kind of evidence that Transport makes.
const TransportKind = "transport/1"

// TransportEvidence is the kind of Transport.
func TransportEvidence() evidence.Kind {
	return evidence.Kind{Name: TransportKind, Remake: evidence.Remade[Transport], Policies: func(body []byte) (evidence.Policies, error) {
		var t Transport
		if err := evidence.Strict(body, &t); err != nil {
			return evidence.Policies{}, fmt.Errorf("read body of evidence: %w", err)
		}
		return evidence.Policies{Before: t.Old, After: t.New}, nil
	}}
}

// Transport is what a proof is about that requests without TLS are denied to a bucket.
// Values that can be secret have stand-ins, the same in both texts.
type Transport struct {
	Bucket dera.ARN `json:"bucket"`
	Old    string   `json:"old,omitempty"` // empty for no policy
	New    string   `json:"new"`
}

// Evidence proves or refutes that the policy only has one statement more, which denies
// requests without TLS.
func (t Transport) Evidence() (dera.Evidence, error) {
	body, err := dera.CanonicalJSON(t)
	if err != nil {
		return dera.Evidence{}, fmt.Errorf("evidence on transport: %w", err)
	}
	added, gone := t.only(), document.Answer{Verdict: dera.Refuted, Witness: "no statement denies all requests without TLS"}
	denied := ""
	if doc, err := policy.Parse(t.New); err == nil && DeniesPlainHTTP(t.Bucket, doc) {
		gone = proved()
		if t.Old != t.New {
			denied = "s3:* on " + string(t.Bucket) + " without TLS"
		}
	}
	return dera.Evidence{Kind: TransportKind, Body: body, Denied: denied, Claims: []dera.Claim{
		added.Claim("only_plain_http_denied", "nothing changes but that requests without TLS are denied"),
		gone.Claim("finding_gone", "requests without TLS are denied, to the bucket and to all of its objects"),
	}}, nil
}

// only is proved where the statements of the old policy stand in the new one as they were,
// with one behind them that denies requests without TLS.
func (t Transport) only() document.Answer {
	read := func(text string) ([]policy.Statement, string, error) {
		if text == "" {
			return nil, policy.Version2012, nil
		}
		doc, err := policy.Parse(text)
		if err != nil {
			return nil, "", err
		}
		return doc.Statements, doc.Version, nil
	}
	old, was, err := read(t.Old)
	if err != nil {
		return document.Answer{Verdict: dera.Unknown, Witness: err.Error()}
	}
	fresh, is, err := read(t.New)
	if err != nil {
		return document.Answer{Verdict: dera.Unknown, Witness: err.Error()}
	}
	if len(fresh) != len(old)+1 || was != is {
		return document.Answer{Verdict: dera.Refuted, Witness: "the policy does not have just one statement more"}
	}
	for i := range old {
		if document.CanonStatement(&old[i]) != document.CanonStatement(&fresh[i]) {
			return document.Answer{Verdict: dera.Refuted, Witness: fmt.Sprintf("statement %d is another one", i+1)}
		}
	}
	if !deniesPlainHTTP(t.Bucket, &fresh[len(old)]) {
		return document.Answer{Verdict: dera.Refuted, Witness: "the new statement does something else"}
	}
	return proved()
}

// DeniesPlainHTTP reports whether a statement of the policy denies every request without
// TLS to the bucket and its objects (S3 user guide, "Policies and permissions", "Example:
// managing access based on HTTP or HTTPS requests").
func DeniesPlainHTTP(bucket dera.ARN, doc *policy.Document) bool {
	return doc != nil && slices.ContainsFunc(doc.Statements, func(st policy.Statement) bool { return deniesPlainHTTP(bucket, &st) })
}

func deniesPlainHTTP(bucket dera.ARN, st *policy.Statement) bool {
	any := func(list []string, values ...string) bool {
		return slices.ContainsFunc(list, func(v string) bool { return slices.Contains(values, v) })
	}
	return st.Effect == policy.Deny && st.Principals != nil && slices.ContainsFunc(document.PrincipalsOf(st), document.Principal.Everyone) &&
		any(st.Actions, "s3:*", "*") && len(st.NotActions)+len(st.NotResources) == 0 &&
		(any(st.Resources, "*") || any(st.Resources, string(bucket)) && any(st.Resources, string(bucket)+"/*")) &&
		len(st.Conditions) == 1 && st.Conditions[0].Operator == "Bool" && strings.EqualFold(st.Conditions[0].Key, "aws:SecureTransport") &&
		len(st.Conditions[0].Values) == 1 && strings.EqualFold(st.Conditions[0].Values[0], "false")
}
