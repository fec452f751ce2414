package wire

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"dera.example/dera/cloud"
	"dera.example/dera/resource"
	own "dera.example/dera/services/iam"
)

// How long a report of IAM counts: what it is about shows within four hours anyway. That it
// could not be had is remembered for reportedAgain, and a report that IAM is still making is
// waited for for reportedWait.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html
const (
	reportedFor   = time.Hour
	reportedAgain = time.Minute
	reportedWait  = 20 * time.Second
	reportedPoll  = time.Second
)

// The calls of IAM on last-accessed data.
const (
	callGenerate = "iam:GenerateServiceLastAccessedDetails"
	callAccessed = "iam:GetServiceLastAccessedDetails"
)

// Asked is what AWS is asked about: the use of a resource by those who have its permissions.
type Asked struct {
	Principals []string       // ARNs
	Answer     **own.Reported // where it goes
}

// Reported reads what AWS itself says of the use of what the usage ledger knows something of.
// What cannot be read is noted in the answer: the ledger decides without it.
func Reported(of func(x *cloud.Item) Asked) cloud.Reader {
	return cloud.Ported(resource.PortLedger, []string{own.PartReported}, func(ctx context.Context, r *cloud.Reading, _ resource.Ledger, items []*cloud.Item) error {
		jobs := map[*cloud.Item]string{}
		for _, x := range items { // all begin before one is waited for
			if a := of(x); len(a.Principals) > 0 {
				*a.Answer = &own.Reported{}
				if job, why := generate(ctx, r, string(x.ARN)); why == "" {
					jobs[x] = job
				} else {
					(*a.Answer).Without = append((*a.Answer).Without, why)
				}
			}
		}
		ctx, cancel := context.WithTimeout(ctx, reportedWait)
		defer cancel()
		for _, x := range items {
			a := of(x)
			if len(a.Principals) == 0 {
				continue
			}
			answer := *a.Answer
			if job, ok := jobs[x]; ok {
				var err error
				if answer.Accessed, err = accessed(ctx, r, job); err != nil {
					answer.Without = append(answer.Without, without("last-accessed data of IAM", err))
				}
			}
			analyzed(ctx, r, x, a.Principals, answer)
			answer.Sort()
		}
		return nil
	})
}

// AskedOf asks about the holders of a policy whose use is recorded.
func AskedOf(holders []own.Holder, answer **own.Reported) Asked {
	a := Asked{Answer: answer}
	for _, h := range holders {
		if h.Kind != own.GroupKind && h.Use != nil && h.ARN != "" && !slices.Contains(a.Principals, h.ARN) {
			a.Principals = append(a.Principals, h.ARN)
		}
	}
	return a
}

// without says what could not be asked, and why.
func without(what string, err error) string {
	var e *cloud.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return what + ": not there within " + reportedWait.String()
	case cloud.Is(err, cloud.Unavailable):
		return what + ": not available here"
	case cloud.Is(err, cloud.Denied) && errors.As(err, &e):
		return what + ": dera may not call " + e.Call
	}
	fact, _ := cloud.Cause(err)
	return what + ": " + fact
}

// generate asks IAM for a report about a resource, whose job it returns, or why there is none.
func generate(ctx context.Context, r *cloud.Reading, arn string) (job, why string) {
	type none struct{ why string }
	off := "last-accessed data of " + r.Scope.Account
	if known, err := cloud.Remember(r, off, reportedAgain, func() (none, error) { return none{}, errors.New("asked") }); err == nil && known.why != "" {
		return "", known.why
	}
	job, err := cloud.Remember(r, "last-accessed data of "+arn, reportedFor, func() (string, error) {
		out, err := IAM(r).GenerateServiceLastAccessedDetails(ctx, &iam.GenerateServiceLastAccessedDetailsInput{Arn: aws.String(arn), Granularity: types.AccessAdvisorUsageGranularityTypeActionLevel},
			func(o *iam.Options) { o.Retryer = cloud.ThrottledOnly() })
		if err != nil {
			return "", r.Fail(callGenerate, err)
		}
		return aws.ToString(out.JobId), nil
	})
	if err == nil {
		return job, ""
	}
	why = without("last-accessed data of IAM", err)
	if !cloud.Is(err, cloud.NotFound) { // it is not about this resource alone
		_, _ = cloud.Remember(r, off, reportedAgain, func() (none, error) { return none{why}, nil })
	}
	return "", why
}

// accessed waits for a report and reads it.
func accessed(ctx context.Context, r *cloud.Reading, job string) (out []own.Accessed, err error) {
	in := &iam.GetServiceLastAccessedDetailsInput{JobId: aws.String(job)}
	err = cloud.Walk(func(token *string) (*string, error) {
		in.Marker = token
		page, err := await(ctx, func() (*iam.GetServiceLastAccessedDetailsOutput, bool, error) {
			page, err := IAM(r).GetServiceLastAccessedDetails(ctx, in)
			if err != nil {
				return nil, false, r.Fail(callAccessed, err)
			}
			return page, page.JobStatus == types.JobStatusTypeInProgress, nil
		})
		switch {
		case err != nil:
			return nil, err
		case page.JobStatus != types.JobStatusTypeCompleted:
			return nil, r.Fail(callAccessed, cloud.Foreign("the job ended with %.40q", page.JobStatus))
		case page.ServicesLastAccessed == nil:
			return nil, r.Fail(callAccessed, cloud.Foreign("it has no list of services"))
		}
		for _, s := range page.ServicesLastAccessed {
			a := own.Accessed{Service: aws.ToString(s.ServiceNamespace), Last: Time(s.LastAuthenticated)}
			for _, t := range s.TrackedActionsLastAccessed {
				if a.Actions == nil {
					a.Actions = map[string]time.Time{}
				}
				name := aws.ToString(t.ActionName)
				a.Actions[name[strings.IndexByte(name, ':')+1:]] = Time(t.LastAccessedTime)
			}
			out = append(out, a)
		}
		if !page.IsTruncated {
			return nil, nil
		}
		return page.Marker, nil
	})
	return out, err
}

// await asks until an answer is there, or the context ends.
func await[T any](ctx context.Context, ask func() (answer T, wait bool, err error)) (T, error) {
	for {
		answer, wait, err := ask()
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil || !wait {
			return answer, err
		}
		t := time.NewTimer(reportedPoll)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return answer, ctx.Err()
		}
	}
}
