package awssim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Schedule is something that is started by the clock. Its Kind is schedule, of
// EventBridge Scheduler, rule, of EventBridge, or plan or restore, of AWS Backup.
type Schedule struct {
	Kind, Name string
	Expression string // cron(…), rate(…) or at(…); a rule without one goes by events
	Off        bool
	Until      time.Time
	Begins     time.Time // of a schedule, its start; zero for none
	Changed    time.Time // of a schedule or a plan, when it was set as it is; zero is not told
	Target     string    // ARN; none for a plan
	Pattern    string    // of a rule that goes by events
	Role       string    // ARN of the role as which it is started; may be empty for a rule
}

// function is one of Lambda.
type function struct{ name, role string }

// AddSchedule adds something that is started by the clock, or replaces what has its kind and name. It is not an API
// call: it emits no event.
func (r *Region) AddSchedule(add Schedule) {
	r.change(func(s *regionState) { s.schedules.put(add.Kind+"/"+add.Name, &add) })
}

// AddFunction adds a function of Lambda that runs as a role. It is not an API call: it emits no event.
func (r *Region) AddFunction(name, role string) {
	r.change(func(s *regionState) { s.functions.put(name, &function{name, role}) })
}

func (r *Region) change(put func(*regionState)) {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state(place{r.account.id, r.name})
	put(s)
	s.commit()
}

// restJSON is AWS's REST protocol with JSON.
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
type restJSON struct{ configProtocol }

func (p restJSON) failure(k *call, err *Error) response {
	answer := p.configProtocol.failure(k, err)
	answer.header.Set("X-Amzn-Errortype", err.Code)
	return answer
}

// newScheduler, newEvents, newBackup and newLambda return the reads that tell what starts by the clock, and as whom.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/Welcome.html
func newScheduler() service {
	return service{protocol: restJSON{}, operations: map[string]operation{
		"ListSchedules": {run: listSchedules, readOnly: true, accepts: "NextToken nextToken"},
		"GetSchedule":   {run: getSchedule, readOnly: true, accepts: "Name groupName"},
	}}
}

// https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html
func newEvents() service {
	return service{protocol: configProtocol{}, operations: map[string]operation{
		"ListRules":         {run: members(listRules), readOnly: true},
		"ListTargetsByRule": {run: members(listTargets), readOnly: true},
	}}
}

// https://docs.aws.amazon.com/aws-backup/latest/devguide/api-reference.html
func newBackup() service {
	return service{protocol: restJSON{}, operations: map[string]operation{
		"ListBackupPlans":      {run: listPlans, readOnly: true, accepts: "nextToken"},
		"GetBackupPlan":        {run: getPlan, readOnly: true, accepts: "Name"},
		"ListBackupSelections": {run: listSelections, readOnly: true, accepts: "Name nextToken"},

		"ListRestoreTestingPlans":      {run: listRestores, readOnly: true, accepts: "nextToken"},
		"ListRestoreTestingSelections": {run: listRestored, readOnly: true, accepts: "Name nextToken"},
	}}
}

// https://docs.aws.amazon.com/lambda/latest/api/Welcome.html
func newLambda() service {
	return service{protocol: restJSON{}, operations: map[string]operation{
		"GetFunctionConfiguration": {run: getFunction, readOnly: true, accepts: "Name Qualifier"},
	}}
}

// routeJSON finds the operation of a path of these services.
func (req *request) routeJSON(path string) error {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return errorf(400, "ValidationException", "Couldn't parse the specified URI.")
		}
	}
	req.operation = req.rest.method + " " + path
	if req.rest.method != http.MethodGet {
		return nil
	}
	for _, route := range []struct{ path, operation string }{
		{"schedules", "ListSchedules"}, {"schedules/*", "GetSchedule"}, {"backup/plans", "ListBackupPlans"}, {"backup/plans/*", "GetBackupPlan"},
		{"backup/plans/*/selections", "ListBackupSelections"}, {"restore-testing/plans", "ListRestoreTestingPlans"},
		{"restore-testing/plans/*/selections", "ListRestoreTestingSelections"}, {"2015-03-31/functions/*/configuration", "GetFunctionConfiguration"},
		{"administrator", "GetAdministratorAccount"}, {"automationrules/list", "ListAutomationRules"},
	} {
		want := strings.Split(route.path, "/")
		if slices.EqualFunc(want, parts, func(w, p string) bool { return w == "*" || w == p }) {
			req.operation = route.operation
			if i := slices.Index(want, "*"); i >= 0 {
				req.rest.name = parts[i]
			}
		}
	}
	return nil
}

func (k *call) scheduled(kind string) []*Schedule {
	var out []*Schedule
	for _, s := range k.state.schedules.from(0, k.view()) {
		if s.Kind == kind {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *Schedule) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// scheduledPage is one page of 100.
func (k *call) scheduledPage(kind, token string) ([]*Schedule, string, error) {
	shown, next, err := listing(k, k.scheduled(kind), func(s *Schedule) string { return s.Name }, 100, token)
	if err != nil {
		return nil, "", errorf(400, "ValidationException", "Invalid NextToken")
	}
	return shown, next, nil
}

func (k *call) scheduleNamed(kind string) (*Schedule, error) {
	name := k.request.rest.name
	if s := k.state.schedules.get(kind+"/"+name, k.view()); s != nil {
		return s, nil
	}
	return nil, errorf(404, "ResourceNotFoundException", "%s %s does not exist.", kind, name)
}

// pageOf is a page as JSON: its list, and the token of the next one.
func pageOf(list string, shown []map[string]any, next string) map[string]any {
	if shown == nil {
		shown = []map[string]any{}
	}
	out := map[string]any{list: shown}
	if next != "" {
		out["NextToken"] = next
	}
	return out
}

func listSchedules(k *call) (any, error) {
	found, next, err := k.scheduledPage("schedule", k.request.rest.text("NextToken"))
	var shown []map[string]any
	for _, s := range found {
		shown = append(shown, map[string]any{"Name": s.Name, "GroupName": "default", "State": s.state(), "Target": map[string]any{"Arn": s.Target}})
	}
	return pageOf("Schedules", shown, next), err
}

func (s *Schedule) state() string {
	if s.Off {
		return "DISABLED"
	}
	return "ENABLED"
}

func getSchedule(k *call) (any, error) {
	s, err := k.scheduleNamed("schedule")
	if err != nil {
		return nil, err
	}
	out := map[string]any{
		"Name": s.Name, "GroupName": "default", "State": s.state(), "ScheduleExpression": s.Expression,
		"Target": map[string]any{"Arn": s.Target, "RoleArn": s.Role},
	}
	for name, at := range map[string]time.Time{"EndDate": s.Until, "StartDate": s.Begins, "LastModificationDate": s.Changed} {
		if !at.IsZero() {
			out[name] = at.Unix()
		}
	}
	return out, nil
}

func listRules(k *call, in struct{ NextToken string }) (any, error) {
	found, next, err := k.scheduledPage("rule", in.NextToken)
	var shown []map[string]any
	for _, s := range found {
		rule := map[string]any{"Name": s.Name, "State": s.state(), "EventBusName": "default"}
		if s.Expression != "" {
			rule["ScheduleExpression"] = s.Expression
		}
		if s.Pattern != "" {
			rule["EventPattern"] = s.Pattern
		}
		shown = append(shown, rule)
	}
	return pageOf("Rules", shown, next), err
}

func listTargets(k *call, in struct{ Rule, NextToken string }) (any, error) {
	s := k.state.schedules.get("rule/"+in.Rule, k.view())
	if s == nil {
		return nil, errorf(400, "ResourceNotFoundException", "Rule %s does not exist on EventBus default.", in.Rule)
	}
	target := map[string]any{"Id": "1", "Arn": s.Target}
	if s.Role != "" {
		target["RoleArn"] = s.Role
	}
	return pageOf("Targets", []map[string]any{target}, ""), nil
}

func listPlans(k *call) (any, error) {
	found, next, err := k.scheduledPage("plan", k.request.rest.text("nextToken"))
	var shown []map[string]any
	for _, s := range found {
		shown = append(shown, map[string]any{"BackupPlanId": s.Name, "BackupPlanName": s.Name})
	}
	return pageOf("BackupPlansList", shown, next), err
}

func getPlan(k *call) (any, error) {
	s, err := k.scheduleNamed("plan")
	if err != nil {
		return nil, err
	}
	rule := map[string]any{"RuleName": s.Name, "TargetBackupVaultName": "Default"}
	if s.Expression != "" {
		rule["ScheduleExpression"] = s.Expression
	}
	out := map[string]any{"BackupPlanId": s.Name, "BackupPlan": map[string]any{"BackupPlanName": s.Name, "Rules": []map[string]any{rule}}}
	if !s.Changed.IsZero() {
		out["CreationDate"] = s.Changed.Unix()
	}
	return out, nil
}

func listSelections(k *call) (any, error) {
	s, err := k.scheduleNamed("plan")
	if err != nil {
		return nil, err
	}
	return pageOf("BackupSelectionsList", []map[string]any{{"BackupPlanId": s.Name, "SelectionId": "1", "SelectionName": "all", "IamRoleArn": s.Role}}, ""), nil
}

func listRestores(k *call) (any, error) {
	found, next, err := k.scheduledPage("restore", k.request.rest.text("nextToken"))
	var shown []map[string]any
	for _, s := range found {
		plan := map[string]any{"RestoreTestingPlanName": s.Name, "ScheduleExpression": s.Expression}
		if !s.Changed.IsZero() {
			plan["LastUpdateTime"] = s.Changed.Unix()
		}
		shown = append(shown, plan)
	}
	return pageOf("RestoreTestingPlans", shown, next), err
}

func listRestored(k *call) (any, error) {
	s, err := k.scheduleNamed("restore")
	if err != nil {
		return nil, err
	}
	return pageOf("RestoreTestingSelections", []map[string]any{{"RestoreTestingPlanName": s.Name, "RestoreTestingSelectionName": "all", "IamRoleArn": s.Role}}, ""), nil
}

func getFunction(k *call) (any, error) {
	name := k.request.rest.name // an ARN, or a name
	if parts := strings.Split(name, ":"); len(parts) >= 7 {
		name = parts[6]
	}
	f := k.state.functions.get(name, k.view())
	if f == nil {
		return nil, errorf(404, "ResourceNotFoundException", "Function not found: %s", name)
	}
	return map[string]any{"FunctionName": f.name, "Role": f.role}, nil
}
