package moto

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Reports is an AWS that answers what no emulator does: last-accessed data of IAM, and IAM
// Access Analyzer, after the published models of both APIs. Details, findings and services come one a
// page, and what takes time is not there when it is first asked for. It is safe for concurrent
// use once it is set up.
type Reports struct {
	// Accessed are the services that IAM tells of a resource, by its ARN. Of another it tells
	// none.
	Accessed map[string][]Service
	// Analyzer is the ARN of the one analyzer; there is none without. Findings are its.
	Analyzer string
	Findings []Finding
	// Refused are calls that are answered with AccessDenied, Broken with a server error, and
	// Absent as ones that are not there, by their names.
	Refused, Broken, Absent []string

	mu    sync.Mutex
	asked map[string]int
}

// Service is a service as IAM reports its use, with the actions that it tracks.
type Service struct {
	Name    string
	Last    time.Time
	Actions map[string]time.Time
}

// Finding is one of Access Analyzer. A service of Unused with no actions is unused as a whole.
type Finding struct {
	ID, Type, Status, Principal, Account string
	Unused                               []Unused
	// Steps are what is recommended, the document first and then the policy whose place it takes;
	// one that is only detached has no document.
	Steps [][2]string
	Error string // of Access Analyzer, in place of details
}

// Unused is a service of which a finding says that something was not used.
type Unused struct {
	Service string
	Actions []string
}

// Count is how often a call was answered.
func (a *Reports) Count(call string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[call]
}

func (a *Reports) ask(call string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked == nil {
		a.asked = map[string]int{}
	}
	a.asked[call]++
	return a.asked[call]
}

// Answer answers a request, whose body is form where it is one of IAM; nil for one that is
// not for it.
func (a *Reports) Answer(r *http.Request, form url.Values) *http.Response {
	w := httptest.NewRecorder()
	call := form.Get("Action")
	switch path := r.URL.Path; {
	case strings.HasSuffix(call, "ServiceLastAccessedDetails"):
	case path == "/analyzer" && r.Method == http.MethodGet:
		call = "ListAnalyzers"
	case path == "/findingv2":
		call = "ListFindingsV2"
	case strings.HasPrefix(path, "/findingv2/"):
		call = "GetFindingV2"
	case strings.HasPrefix(path, "/recommendation/"):
		call = map[string]string{http.MethodPost: "GenerateFindingRecommendation", http.MethodGet: "GetFindingRecommendation"}[r.Method]
	default:
		return nil
	}
	n := a.ask(call)
	switch {
	case slices.Contains(a.Refused, call):
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		if form.Has("Action") {
			_, _ = fmt.Fprint(w, `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
		} else {
			_, _ = fmt.Fprint(w, `{"message":"no"}`)
		}
	case slices.Contains(a.Absent, call):
		w.WriteHeader(http.StatusNotImplemented)
	case slices.Contains(a.Broken, call):
		w.WriteHeader(http.StatusInternalServerError)
	case form.Has("Action"):
		w.Header().Set("Content-Type", "text/xml")
		a.iam(w, call, form, n)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(a.analyzer(r, call, n)) // it is in memory
	}
	return w.Result()
}

// iam answers the two calls of IAM. The job is the ARN.
func (a *Reports) iam(w http.ResponseWriter, call string, form url.Values, n int) {
	body := ""
	if call == "GenerateServiceLastAccessedDetails" {
		body = "<JobId>" + escaped(form.Get("Arn")) + "</JobId>"
	} else {
		body = "<JobCreationDate>2026-01-01T00:00:00Z</JobCreationDate><JobCompletionDate>2026-01-01T00:00:00Z</JobCompletionDate>"
		list, at := a.Accessed[form.Get("JobId")], 0
		_, _ = fmt.Sscanf(form.Get("Marker"), "%d", &at)
		switch {
		case n == 1:
			body += "<JobStatus>IN_PROGRESS</JobStatus>"
		case at < len(list):
			body += "<JobStatus>COMPLETED</JobStatus><ServicesLastAccessed>" + list[at].xml() + "</ServicesLastAccessed>"
			if at+1 < len(list) {
				body += fmt.Sprintf("<IsTruncated>true</IsTruncated><Marker>%d</Marker>", at+1)
			}
		default:
			body += "<JobStatus>COMPLETED</JobStatus><ServicesLastAccessed/>"
		}
	}
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>`, call, body)
}

func (s Service) xml() string {
	out := "<member><ServiceName>x</ServiceName><ServiceNamespace>" + escaped(s.Name) + "</ServiceNamespace>"
	if !s.Last.IsZero() {
		out += "<LastAuthenticated>" + s.Last.UTC().Format(time.RFC3339) + "</LastAuthenticated>"
	}
	out += "<TrackedActionsLastAccessed>"
	for name, at := range s.Actions {
		out += "<member><ActionName>" + escaped(name) + "</ActionName>"
		if !at.IsZero() {
			out += "<LastAccessedTime>" + at.UTC().Format(time.RFC3339) + "</LastAccessedTime>"
		}
		out += "</member>"
	}
	return out + "</TrackedActionsLastAccessed></member>"
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}

type object = map[string]any

// analyzer answers a call of Access Analyzer.
func (a *Reports) analyzer(r *http.Request, call string, n int) object {
	const at = "2026-01-01T00:00:00Z"
	id, _ := url.PathUnescape(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	next := func(key string, list []object, token string) object {
		from := 0
		_, _ = fmt.Sscanf(token, "%d", &from)
		out := object{key: list[min(from, len(list)):min(from+1, len(list))]}
		if from+1 < len(list) {
			out["nextToken"] = fmt.Sprint(from + 1)
		}
		return out
	}
	switch call {
	case "ListAnalyzers":
		if a.Analyzer == "" {
			return object{"analyzers": []object{}}
		}
		return object{"analyzers": []object{{
			"arn": a.Analyzer, "name": "x", "type": "ACCOUNT_UNUSED_ACCESS", "createdAt": at, "status": "ACTIVE",
			"configuration": object{"unusedAccess": object{"unusedAccessAge": 120}},
		}}}
	case "ListFindingsV2":
		var in struct {
			NextToken string `json:"nextToken"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in) // nothing is the first page
		list := []object{}
		for _, f := range a.Findings {
			list = append(list, object{
				"id": f.ID, "analyzedAt": at, "createdAt": at, "updatedAt": at, "status": f.Status, "findingType": f.Type,
				"resource": f.Principal, "resourceType": "AWS::IAM::Role", "resourceOwnerAccount": f.Account,
			})
		}
		return next("findings", list, in.NextToken)
	}
	f := a.Findings[slices.IndexFunc(a.Findings, func(f Finding) bool { return f.ID == id })]
	token := r.URL.Query().Get("nextToken")
	switch call {
	case "GetFindingV2":
		list := []object{}
		for _, u := range f.Unused {
			details := object{"serviceNamespace": u.Service}
			if u.Actions != nil {
				actions := []object{}
				for _, x := range u.Actions {
					actions = append(actions, object{"action": x})
				}
				details["actions"] = actions
			}
			list = append(list, object{"unusedPermissionDetails": details})
		}
		out := next("findingDetails", list, token)
		for k, v := range (object{"id": f.ID, "analyzedAt": at, "createdAt": at, "updatedAt": at, "status": f.Status, "findingType": f.Type, "resource": f.Principal, "resourceType": "AWS::IAM::Role", "resourceOwnerAccount": f.Account}) {
			out[k] = v
		}
		if f.Error != "" {
			out["error"] = f.Error
		}
		return out
	case "GetFindingRecommendation":
		out := object{}
		if n > 1 {
			list := []object{}
			for _, s := range f.Steps {
				step := object{"recommendedAction": "DETACH_POLICY", "existingPolicyId": s[1], "policyUpdatedAt": at}
				if s[0] != "" {
					step["recommendedAction"], step["recommendedPolicy"] = "CREATE_POLICY", s[0]
				}
				list = append(list, object{"unusedPermissionsRecommendedStep": step})
			}
			out = next("recommendedSteps", list, token)
		}
		out["status"] = map[bool]string{true: "SUCCEEDED", false: "IN_PROGRESS"}[n > 1]
		out["startedAt"], out["resourceArn"], out["recommendationType"] = at, f.Principal, "UnusedPermissionRecommendation"
		return out
	}
	return object{} // GenerateFindingRecommendation
}
