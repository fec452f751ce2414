//go:build !demo

package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/goccy/go-yaml"

	"dera.example/dera"
	"dera.example/dera/resource"
)

// boundFor is how long it is remembered what a custom fix is: a sweep asks for each finding.
const boundFor = time.Minute

// assumeRole is the parameter by which a document is given its role.
const assumeRole = "AutomationAssumeRole"

// roleMember is the member of a document that says as whom it acts.
const roleMember = "assumeRole"

// BindCustom returns the input of a custom fix with the version and the hashes that it and
// its undo have now in the account and region of the resource. What is remembered of the
// last minute counts, unless now says that it does not. It is an error where the document
// is none of Automation, not active, or neither the account's nor AWS's own, and where a
// function may run for longer than a call may take.
func (c *Client) BindCustom(ctx context.Context, r dera.Resource, in dera.CustomInput, now bool) (dera.CustomInput, error) {
	for _, one := range []*dera.CustomInput{&in, in.Undo} {
		if one == nil {
			continue
		}
		key := strings.Join([]string{"custom", r.Account, r.Region, one.Document, one.Function, one.Version}, "\x00")
		if now {
			c.forget(key)
		}
		read, err := remember(c, key, boundFor, func() (boundRead, error) {
			got, err := c.bind(ctx, r.Account, r.Region, *one)
			return boundRead{got, err}, ctx.Err()
		})
		if err = errors.Join(err, read.err); err != nil {
			return in, err
		}
		got := read.bound
		if one == in.Undo { // the caller's stays as it is
			undo := *one
			in.Undo, one = &undo, &undo
		}
		if err := got.actsAs(*one, c.accounts[r.Account]); err != nil {
			return in, err
		}
		got.fill(one)
	}
	return in, nil
}

// bound is what a document or a function is.
type bound struct {
	version, hash, content string
	assumes                string // of a document: its assumeRole
	seconds                int    // of a function: how long it may run
}

// boundRead is what came of asking.
type boundRead struct {
	bound
	err error
}

// actsAs is an error where a document would act with the credentials or as a role of dera: changes of
// which dera has no record would be in its name. Where the role is a parameter that is not
// given, a document acts as its caller too.
//
// https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-setup.html
func (b bound) actsAs(in dera.CustomInput, own Account) error {
	given := strings.Contains(b.assumes, "{{")
	role := b.assumes
	if given {
		role = string(in.Role)
	}
	switch {
	case in.Function == "" && role != "" && (role == own.RoleARN || role == own.WriteRoleARN):
		return fmt.Errorf("the document %s acts as %s, which is a role of dera's: give it one of its own", in.Document, role)
	case in.Function != "" || b.assumes != "" && !given:
		return nil
	case b.assumes == "":
		return fmt.Errorf("the document %s has no assumeRole, so that it would act with the credentials of dera", in.Document)
	case strings.Trim(b.assumes, "{} ") != assumeRole:
		return fmt.Errorf("the assumeRole of the document %s is %s: write {{ %s }}, and name the role in the configuration", in.Document, b.assumes, assumeRole)
	case in.Role == "":
		return fmt.Errorf("the document %s acts as the role that it is given: name one in the configuration", in.Document)
	}
	return nil
}

// assumed is the assumeRole of a document in JSON or YAML: that of the document, and of
// nothing in it. It is an error where the document cannot be read, or the role is no text.
func assumed(text string) (string, error) {
	var role any
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var members map[string]any // unlike those of a struct, their case counts
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			return "", fmt.Errorf("it cannot be read: %w", err)
		}
		role = members[roleMember]
	} else {
		var document struct {
			Role any `yaml:"assumeRole"`
		}
		if err := yaml.Unmarshal([]byte(text), &document); err != nil {
			return "", errors.New("it cannot be read: it is no YAML") // the error would show the text
		}
		role = document.Role
	}
	switch role := role.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(role), nil
	}
	return "", fmt.Errorf("it cannot be read: its %s is no text", roleMember)
}

func (b bound) fill(in *dera.CustomInput) {
	in.Version, in.Hash, in.Content = b.version, b.hash, b.content
	if b.seconds > 0 {
		in.Seconds = b.seconds
	}
}

func (c *Client) bind(ctx context.Context, account, region string, in dera.CustomInput) (bound, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	r := c.reading(dera.Scope{Account: account, Region: c.regionFor(region)}, false)
	if in.Function != "" {
		return c.bindFunction(ctx, r, in)
	}
	api := Service(r, "ssm", account, r.Scope.Region, func(cfg aws.Config) *ssm.Client { return ssm.NewFromConfig(cfg) })
	ask := &ssm.DescribeDocumentInput{Name: &in.Document} // of the default version
	if in.Version != "" {
		ask.DocumentVersion = &in.Version
	}
	described, err := api.DescribeDocument(ctx, ask)
	if err == nil && described.Document == nil {
		err = Foreign("it describes no document")
	}
	if err != nil {
		return bound{}, r.Fail("ssm:DescribeDocument", err)
	}
	d := described.Document
	switch owner := aws.ToString(d.Owner); {
	case d.DocumentType != types.DocumentTypeAutomation:
		return bound{}, fmt.Errorf("the document %s is one of %s, not of Automation", in.Document, d.DocumentType)
	case owner != account && owner != "Amazon":
		return bound{}, fmt.Errorf("the document %s belongs to %q, which can change it: copy it into account %s", in.Document, owner, account)
	case d.Status != types.DocumentStatusActive:
		return bound{}, fmt.Errorf("the document %s is %s", in.Document, d.Status)
	case aws.ToString(d.Hash) == "" || aws.ToString(d.DocumentVersion) == "":
		return bound{}, r.Fail("ssm:DescribeDocument", Foreign("it has no hash or version"))
	}
	text, err := api.GetDocument(ctx, &ssm.GetDocumentInput{Name: &in.Document, DocumentVersion: d.DocumentVersion})
	if err == nil && aws.ToString(text.Content) == "" {
		err = Foreign("it has no content")
	}
	if err != nil {
		return bound{}, r.Fail("ssm:GetDocument", err)
	}
	assumes, err := assumed(*text.Content)
	if err != nil {
		return bound{}, fmt.Errorf("the document %s: %w", in.Document, err)
	}
	sum := sha256.Sum256([]byte(*text.Content))
	return bound{version: *d.DocumentVersion, hash: *d.Hash, content: hex.EncodeToString(sum[:]), assumes: assumes}, nil
}

// functionMost is how long a function may run: who waits for it does nothing else. The call
// gets answerWithin more.
const (
	functionMost = 50 * time.Second
	answerWithin = 10 * time.Second
)

func (c *Client) bindFunction(ctx context.Context, r *Reading, in dera.CustomInput) (bound, error) {
	api := Service(r, "lambda", r.Scope.Account, r.Scope.Region, func(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg) })
	got, err := api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &in.Function, Qualifier: &in.Version})
	if err == nil && (aws.ToString(got.CodeSha256) == "" || got.Timeout == nil) {
		err = Foreign("it has no hash of the code or no timeout")
	}
	if err != nil {
		return bound{}, r.Fail("lambda:GetFunctionConfiguration", err)
	}
	if time.Duration(*got.Timeout)*time.Second > functionMost {
		return bound{}, fmt.Errorf("the function %s may run for %d s, and dera waits for %s: shorten its timeout, or run it by an Automation document", in.Function, *got.Timeout, functionMost)
	}
	if v := aws.ToString(got.Version); v != in.Version {
		return bound{}, fmt.Errorf("version %s of the function %s is %q", in.Version, in.Function, v)
	}
	return bound{version: in.Version, hash: *got.CodeSha256, seconds: int(*got.Timeout)}, nil
}

// StartCustom starts a custom fix in the account and region of the plan, in one attempt and
// a session that can do nothing else, where its content is still the one that the plan
// holds. A document with the same token is started once. See [Client.Do].
func (c *Client) StartCustom(ctx context.Context, p dera.Plan, op resource.Operation, token string, allowed func(context.Context) error) (run dera.CustomRun, requestID string, err error) {
	in, err := Input[dera.CustomInput](op)
	if err != nil {
		return run, "", err
	}
	now, err := c.bind(ctx, p.Account, p.Region, in)
	if err != nil {
		return run, "", err
	}
	if err := now.actsAs(in, c.accounts[p.Account]); err != nil {
		return run, "", err
	}
	if now.version != in.Version || now.hash != in.Hash || now.content != in.Content || now.seconds > in.Seconds {
		return run, "", changedError{in.String()}
	}
	most := c.cfg.Timeout
	if in.Function != "" {
		most = time.Duration(in.Seconds)*time.Second + answerWithin
	}
	ctx, cancel := within(ctx, most)
	defer cancel()
	w := &Writing{Plan: p, Operation: op, allowed: allowed}
	w.Config = c.writing(p)
	w.Config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	w.Config.APIOptions = append(slices.Clone(w.Config.APIOptions), c.observe(p.Account, p.Region, true), w.guard)
	if in.Function != "" {
		run, err = invoke(ctx, w.Config, in)
	} else {
		run, err = startDocument(ctx, w.Config, in, token)
	}
	if err != nil {
		return run, w.requestID, wrap(p.Account, p.Region, op.Name, err)
	}
	return run, w.requestID, nil
}

// changedError means that a custom fix is not what was decided about.
type changedError struct{ what string }

// Error implements error.
func (e changedError) Error() string {
	return e.what + " is not what was approved any more, so nothing was started"
}

// Moved tells package remediate that looking again is all there is to do.
func (changedError) Moved() bool { return true }

func startDocument(ctx context.Context, cfg aws.Config, in dera.CustomInput, token string) (dera.CustomRun, error) {
	parameters := map[string][]string{}
	for name, values := range in.Parameters {
		parameters[name] = values
	}
	if in.Role != "" {
		parameters[assumeRole] = []string{string(in.Role)}
	}
	out, err := ssm.NewFromConfig(cfg).StartAutomationExecution(ctx, &ssm.StartAutomationExecutionInput{
		DocumentName: &in.Document, DocumentVersion: &in.Version, Parameters: parameters, ClientToken: &token,
	})
	if err == nil && aws.ToString(out.AutomationExecutionId) == "" {
		err = Foreign("it has no AutomationExecutionId")
	}
	if err != nil {
		return dera.CustomRun{}, err
	}
	return dera.CustomRun{Execution: *out.AutomationExecutionId}, nil
}

// invoke runs a function and waits for its end. What it returns is not looked at: it may
// hold anything.
func invoke(ctx context.Context, cfg aws.Config, in dera.CustomInput) (dera.CustomRun, error) {
	event := map[string]string{}
	for name, values := range in.Parameters {
		event[name] = strings.Join(values, ",")
	}
	payload, err := json.Marshal(event)
	if err != nil {
		return dera.CustomRun{}, err
	}
	out, err := lambda.NewFromConfig(cfg).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &in.Function, Qualifier: &in.Version, InvocationType: lambdatypes.InvocationTypeRequestResponse, Payload: payload,
	})
	if err != nil {
		return dera.CustomRun{}, err
	}
	run := dera.CustomRun{Ended: true}
	if out.FunctionError != nil {
		run.Failed = "an error of the function (" + *out.FunctionError + ")"
	}
	return run, nil
}

// CustomRun says how far an execution of a document in the account and region of the plan
// is. A status that this build does not know is none of an end.
func (c *Client) CustomRun(ctx context.Context, p dera.Plan, execution string) (dera.CustomRun, error) {
	ctx, cancel := within(ctx, c.cfg.Timeout)
	defer cancel()
	r := c.reading(dera.Scope{Account: p.Account, Region: c.regionFor(p.Region)}, false)
	api := Service(r, "ssm", p.Account, r.Scope.Region, func(cfg aws.Config) *ssm.Client { return ssm.NewFromConfig(cfg) })
	out, err := api.GetAutomationExecution(ctx, &ssm.GetAutomationExecutionInput{AutomationExecutionId: &execution})
	switch {
	case err != nil:
	case out.AutomationExecution == nil || out.AutomationExecution.AutomationExecutionStatus == "":
		err = Foreign("it has no status")
	case aws.ToString(out.AutomationExecution.AutomationExecutionId) != execution:
		err = errors.New("the answer is about another execution")
	}
	if err != nil {
		return dera.CustomRun{}, r.Fail("ssm:GetAutomationExecution", err)
	}
	run := dera.CustomRun{Execution: execution}
	switch s := out.AutomationExecution.AutomationExecutionStatus; s {
	case types.AutomationExecutionStatusSuccess, types.AutomationExecutionStatusCompletedWithSuccess:
		run.Ended = true
	case types.AutomationExecutionStatusFailed, types.AutomationExecutionStatusTimedout, types.AutomationExecutionStatusCancelled,
		types.AutomationExecutionStatusCompletedWithFailure, types.AutomationExecutionStatusRejected, types.AutomationExecutionStatusExited,
		types.AutomationExecutionStatusChangeCalendarOverrideRejected:
		run.Ended, run.Failed = true, string(s)
	case types.AutomationExecutionStatusPending, types.AutomationExecutionStatusInprogress, types.AutomationExecutionStatusWaiting,
		types.AutomationExecutionStatusCancelling, types.AutomationExecutionStatusPendingApproval, types.AutomationExecutionStatusApproved,
		types.AutomationExecutionStatusScheduled, types.AutomationExecutionStatusRunbookInprogress,
		types.AutomationExecutionStatusPendingChangeCalendarOverride, types.AutomationExecutionStatusChangeCalendarOverrideApproved:
	}
	return run, nil
}
