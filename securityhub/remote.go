package securityhub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dera.example/dera"
	"dera.example/dera/sink"
)

// Caller sends one operation to Security Hub at a place, and decodes the answer.
type Caller interface {
	Call(ctx context.Context, operation, method, path string, in, out any, write bool) error
}

// Remote is Security Hub as its API has it. It implements API and is safe for concurrent use.
type Remote struct {
	Hub func(at Place) Caller
	V1  bool
	V2  bool
}

// most is how many findings a page, or an update, has.
const most = 100

// Findings implements API. Controls that are about an account have its findings under a name
// of Security Hub's own.
func (r Remote) Findings(ctx context.Context, at Place, account string, resource dera.ARN) ([]Theirs, error) {
	var out []Theirs
	for _, id := range []string{string(resource), "AWS::::Account:" + account} {
		for _, read := range []struct {
			on   bool
			list func(context.Context, Place, string, string) ([]Theirs, error)
		}{{r.V1, r.first}, {r.V2, r.second}} {
			if !read.on {
				continue
			}
			got, err := read.list(ctx, at, account, id)
			// Where findings of many regions are together, an account has more than are read: what is about
			// the resource itself is set all the same.
			if errors.Is(err, errTooMany) && id != string(resource) && len(out) > 0 {
				err = nil
			}
			if err != nil {
				return nil, err
			}
			out = append(out, got...)
		}
	}
	return out, nil
}

var errTooMany = errors.New("too many findings")

// pages is how many pages are read of the findings on one resource.
const pages = 20

// first reads ASFF.
func (r Remote) first(ctx context.Context, at Place, account, id string) (out []Theirs, err error) {
	type filter struct{ Value, Comparison string }
	equals := func(values ...string) (list []filter) {
		for _, v := range values {
			list = append(list, filter{v, "EQUALS"})
		}
		return list
	}
	in := map[string]any{"MaxResults": most, "Filters": map[string]any{"AwsAccountId": equals(account), "ResourceId": equals(id), "ProductName": equals("Security Hub")}}
	for range pages {
		var page struct {
			Findings []struct {
				ID            string `json:"Id"`
				ProductARN    string `json:"ProductArn"`
				GeneratorID   string `json:"GeneratorId"`
				ProductFields map[string]string
				Compliance    struct {
					Status  string
					Control string `json:"SecurityControlId"`
				}
				Workflow            struct{ Status string }
				RecordState, Region string
				LastObserved        time.Time `json:"LastObservedAt"`
				UpdatedAt           time.Time
				Note                struct{ Text, UpdatedBy string }
				UserFields          map[string]string `json:"UserDefinedFields"`
			}
			NextToken string
		}
		if err := r.Hub(at).Call(ctx, "GetFindings", "POST", "/findings", in, &page, false); err != nil {
			return nil, err
		}
		for _, f := range page.Findings {
			observed := f.LastObserved
			if observed.IsZero() {
				observed = f.UpdatedAt
			}
			out = append(out, Theirs{
				ID: f.ID, Product: f.ProductARN, Account: account, Resource: id, Region: f.Region, Control: controlOf(f.Compliance.Control, f.ProductFields["ControlId"], f.GeneratorID),
				Workflow: f.Workflow.Status, Passed: f.Compliance.Status == "PASSED", Archived: f.RecordState == "ARCHIVED", Observed: observed,
				Note: f.Note.Text, NoteBy: f.Note.UpdatedBy, Fields: f.UserFields,
			})
		}
		if page.NextToken == "" {
			return out, nil
		}
		in["NextToken"] = page.NextToken
	}
	return out, fmt.Errorf("%w: more than %d of Security Hub on %s", errTooMany, pages*most, id)
}

// controlOf is the control of a finding, for example EC2.13: with consolidated control findings
// off, only its product fields or the end of its generator name it.
//
// https://docs.aws.amazon.com/securityhub/latest/userguide/asff-changes-consolidation.html
func controlOf(consolidated, field, generator string) string {
	for _, id := range []string{consolidated, field, generator[strings.LastIndex(generator, "/")+1:]} {
		if numbered(id) {
			return id
		}
	}
	return ""
}

// numbered reports whether a name is a service with a number.
func numbered(id string) bool {
	service, number, ok := strings.Cut(id, ".")
	return ok && service != "" && number != "" && strings.Trim(number, "0123456789") == "" &&
		!strings.ContainsFunc(service, func(c rune) bool { return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') }) &&
		strings.Trim(service, "0123456789") != ""
}

// second reads OCSF.
func (r Remote) second(ctx context.Context, at Place, account, id string) (out []Theirs, err error) {
	text := func(field, value string) map[string]any {
		return map[string]any{"FieldName": field, "Filter": map[string]string{"Value": value, "Comparison": "EQUALS"}}
	}
	in := map[string]any{"MaxResults": most, "Filters": map[string]any{"CompositeOperator": "AND", "CompositeFilters": []any{map[string]any{
		"Operator": "AND", "StringFilters": []any{text("cloud.account.uid", account), text("resources.uid", id)},
	}}}}
	for range pages {
		var page struct {
			Findings  []ocsfTheirs
			NextToken string
		}
		if err := r.Hub(at).Call(ctx, "GetFindingsV2", "POST", "/findingsv2", in, &page, false); err != nil {
			return nil, err
		}
		for _, f := range page.Findings {
			out = append(out, f.theirs(account, id))
		}
		if page.NextToken == "" {
			return out, nil
		}
		in["NextToken"] = page.NextToken
	}
	return out, fmt.Errorf("%w: more than %d of Security Hub V2 on %s", errTooMany, pages*most, id)
}

// ocsfTheirs is what is read of a finding of Security Hub V2.
type ocsfTheirs struct {
	StatusID    int    `json:"status_id"`
	Comment     string `json:"comment"`
	FindingInfo struct {
		UID      string    `json:"uid"`
		Modified time.Time `json:"modified_time_dt"`
		LastSeen time.Time `json:"last_seen_time_dt"`
	} `json:"finding_info"`
	Cloud struct {
		Region string `json:"region"`
	} `json:"cloud"`
	Metadata struct {
		Product struct {
			UID string `json:"uid"`
		} `json:"product"`
	} `json:"metadata"`
	Compliance struct {
		Control  string `json:"control"`
		StatusID int    `json:"status_id"`
	} `json:"compliance"`
}

// The statuses of findings in OCSF, by their numbers.
//
// https://schema.ocsf.io/1.6.0/classes/compliance_finding
func statuses() map[int]string { return map[int]string{1: New, 2: Notified, 4: Resolved} }

func (f ocsfTheirs) theirs(account, id string) Theirs {
	t := Theirs{
		V2: true, ID: f.FindingInfo.UID, Product: f.Metadata.Product.UID, Account: account, Resource: id, Region: f.Cloud.Region, Control: controlOf(f.Compliance.Control, "", ""),
		Workflow: statuses()[f.StatusID], Passed: f.Compliance.StatusID == 1, Archived: f.StatusID == 5, Note: f.Comment, Observed: f.FindingInfo.Modified,
	}
	if f.FindingInfo.LastSeen.After(t.Observed) {
		t.Observed = f.FindingInfo.LastSeen
	}
	if t.Workflow == "" {
		t.Workflow = "OTHER"
	}
	return t
}

// Update implements API: equal updates go together.
func (r Remote) Update(ctx context.Context, at Place, list []Update) error {
	groups := map[string][]Update{}
	var order []string
	for _, u := range list {
		fields, _ := json.Marshal(u.Fields) // of texts: it cannot fail
		key := fmt.Sprintf("%t\x00%s\x00%s\x00%s", u.Of.V2, u.Workflow, u.Note, fields)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], u)
	}
	var errs []error
	for _, key := range order {
		for chunk := range slices.Chunk(groups[key], most) {
			if chunk[0].Of.V2 {
				errs = append(errs, r.updateSecond(ctx, at, chunk))
			} else {
				errs = append(errs, r.updateFirst(ctx, at, chunk))
			}
		}
	}
	return worst(errs)
}

// unprocessed is what Security Hub did not do.
type unprocessed struct{ ErrorCode, ErrorMessage string }

// left is the error of what was not processed: one that may pass, unless nothing that was left
// out could ever be done. Of a finding that is not there nothing is left to do.
func left(list []unprocessed) error {
	var passing, lasting error
	for _, u := range list {
		err := fmt.Errorf("a finding was not processed by Security Hub: %s: %s", u.ErrorCode, u.ErrorMessage)
		switch {
		case strings.Contains(u.ErrorCode, "NotFound"):
		case strings.HasPrefix(u.ErrorCode, "InvalidInput"), u.ErrorCode == "ValidationException":
			lasting = &sink.PermanentError{Err: err}
		default:
			passing = err
		}
	}
	if passing != nil {
		return passing
	}
	return lasting
}

func (r Remote) updateFirst(ctx context.Context, at Place, list []Update) error {
	type identifier struct {
		ID         string `json:"Id"`
		ProductARN string `json:"ProductArn"`
	}
	var ids []identifier
	for _, u := range list {
		ids = append(ids, identifier{u.Of.ID, u.Of.Product})
	}
	in := map[string]any{"FindingIdentifiers": ids}
	if list[0].Workflow != "" {
		in["Workflow"] = map[string]string{"Status": list[0].Workflow}
	}
	if list[0].Note != "" {
		in["Note"] = map[string]string{"Text": list[0].Note, "UpdatedBy": Author}
	}
	if list[0].Fields != nil {
		in["UserDefinedFields"] = list[0].Fields
	}
	var out struct{ UnprocessedFindings []unprocessed }
	if err := r.Hub(at).Call(ctx, "BatchUpdateFindings", "PATCH", "/findings/batchupdate", in, &out, true); err != nil {
		return err
	}
	return left(out.UnprocessedFindings)
}

func (r Remote) updateSecond(ctx context.Context, at Place, list []Update) error {
	type identifier struct {
		Account string `json:"CloudAccountUid"`
		ID      string `json:"FindingInfoUid"`
		Product string `json:"MetadataProductUid"`
	}
	var ids []identifier
	for _, u := range list {
		ids = append(ids, identifier{u.Of.Account, u.Of.ID, u.Of.Product})
	}
	in := map[string]any{"FindingIdentifiers": ids}
	for id, name := range statuses() {
		if name == list[0].Workflow {
			in["StatusId"] = id
		}
	}
	if list[0].Note != "" {
		in["Comment"] = list[0].Note
	}
	var out struct{ UnprocessedFindings []unprocessed }
	if err := r.Hub(at).Call(ctx, "BatchUpdateFindingsV2", "PATCH", "/findingsv2/batchupdatev2", in, &out, true); err != nil {
		return err
	}
	return left(out.UnprocessedFindings)
}

// Import implements API.
//
// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html
func (r Remote) Import(ctx context.Context, at Place, list []ASFF) error {
	for chunk := range slices.Chunk(list, most) {
		var out struct{ FailedFindings []unprocessed }
		if err := r.Hub(at).Call(ctx, "BatchImportFindings", "POST", "/findings/import", map[string]any{"Findings": chunk}, &out, true); err != nil {
			return err
		}
		if err := left(out.FailedFindings); err != nil {
			return err
		}
	}
	return nil
}
