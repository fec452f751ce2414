package bucket

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dera.example/dera"
	"dera.example/dera/control"
	"dera.example/dera/resource/document"
	"dera.example/dera/services/s3"
)

// BucketExternalAccess finds bucket policies that allow access by accounts that
// are not declared.
func BucketExternalAccess() control.Control {
	return control.Define(control.Spec[*Bucket]{
		Meta: control.Meta{
			ID:       "s3-bucket-external-access",
			Title:    "Bucket policy allows access by an external principal that is not declared",
			Type:     Name,
			Severity: dera.Medium,
			Why: "Whoever holds that account reads or writes the bucket, for as long as the statement stands: a former partner, a mistyped number, " +
				"or an attacker's account that was added to come back later.",
			Fix: "A person finds out whose account it is, and takes the principal out of the statement, or declares it in trusted_accounts of the " +
				"configuration. Whether the access is used, dera cannot know: data events are rarely switched on.",
			Complexity: "medium",
			Cases: []control.Case{
				{When: "a statement that allows something names an account, an organisation or a canonical user that is not the bucket's own, not among accounts, not in trusted_accounts and not a known vendor's", Disposition: dera.Review, Because: "it may be meant, and only its owner knows"},
				{When: "a statement allows a service of AWS without aws:SourceArn, aws:SourceAccount or aws:SourceOrgID", Disposition: dera.Alert, Because: "the service can be made to act by any of its customers; seldom urgent"},
			},
			// Not CIS 2.1.4, which is about public access.
			Refs: append(s3.Refs("S3.6, for its five actions only: s3:DeleteBucketPolicy, s3:PutBucketAcl, s3:PutBucketPolicy, s3:PutEncryptionConfiguration, "+
				"s3:PutObjectAcl. It fails for declared accounts too, which this control accepts", "S3_BUCKET_BLACKLISTED_ACTIONS_PROHIBITED")[1:],
				control.Ref{Standard: "IAM Access Analyzer", ID: "external access", URL: "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-resources.html"}),
			Reads:    s3.Reads(),
			ByHand:   true,
			Owner:    "dera maintainers",
			ReviewBy: "2027-11-01",
		},
		Check: checkExternal,
		Plan: func(*Bucket, []control.Failure, control.Settings) ([]dera.Change, *control.Refusal) {
			return nil, &control.Refusal{Code: "by-hand", Why: "whose account it is, only the bucket's owner knows: take it out of the statement, or declare it in trusted_accounts"}
		},
	})
}

func checkExternal(b *Bucket, s control.Settings) control.Result {
	if !b.Read(PartPolicy) {
		return judged(nil, "dera lacks permission to read the bucket policy")
	}
	doc, err := b.Parsed()
	if err != nil {
		return judged(nil, err.Error())
	}
	if doc == nil {
		return judged(nil, "")
	}
	// Where it is certain that S3 takes the policy for public, other accounts are cut off.
	deemed, _ := s3.Public(doc)
	cut := b.Blocked().RestrictedBuckets && deemed == s3.DeemedPublic
	trusted := func(id string) bool {
		return id == s.Organization || slices.Contains(s.Accounts, id) || slices.Contains(s.Trusted, id) || document.KnownAccount(id) != ""
	}
	var keys []string
	lines, actions, service := map[string][]string{}, map[string][]string{}, map[string]bool{}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		add := func(key string, of bool) {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
			lines[key] = append(lines[key], "“"+document.StatementLine(i, st)+"”")
			actions[key] = append(actions[key], granted(*st)...)
			service[key] = of
		}
		if !cut {
			for _, o := range b.Outsiders(context.Background(), doc, i, trusted) {
				add(o.Kind+"/"+o.ID, false)
			}
		}
		for _, name := range document.OpenServices(doc, i) {
			add("service/"+name, true)
		}
	}
	var failures []control.Failure
	for _, key := range s3.Sorted(keys) {
		kind, id, _ := strings.Cut(key, "/")
		f := control.Failure{
			Key: key, Start: dera.Review, Severity: dera.Medium, Permissions: slices.Compact(s3.Sorted(actions[key])),
			Title: fmt.Sprintf("Bucket policy allows access by undeclared %s %s", strings.Replace(kind, "canonical", "canonical user", 1), id),
			Why:   "Access is allowed by " + strings.Join(lines[key], ", ") + ".",
		}
		if service[key] {
			f.Start, f.Severity = dera.Alert, dera.Low
			f.Title = "Bucket policy allows access by " + id + " on behalf of any account"
			f.Why += " No condition limits on whose behalf it acts (aws:SourceArn, aws:SourceAccount)."
		}
		failures = append(failures, f)
	}
	return judged(failures, "")
}
