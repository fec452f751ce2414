package cloud

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"dera.example/dera"
)

// Schedule is something that AWS starts by the clock: a schedule of EventBridge
// Scheduler, a rule of EventBridge, or a rule of a backup plan.
type Schedule struct {
	Name       string // for people, with its region
	Expression string // cron(…), rate(…) or at(…)
	Off        bool
	Until      time.Time // after it nothing is started; zero is no end
	// Since is from when on it has been as it is: nothing was started by it before. Zero
	// where AWS does not tell.
	Since time.Time
	// Roles are the ARNs of the roles as which it starts something, and those of the
	// functions that it starts.
	Roles []string
	// Services are those that it starts something in which has a role of its own, by the
	// first label of the names by which roles trust them, such as states or ecs-tasks.
	// Nobody asked which role.
	Services []string
}

// schedulesFor is how long schedules are remembered: a guardrail asks for every finding,
// and each schedule of EventBridge Scheduler is a call. That they could not be read is
// remembered for schedulesAgain. They may take a multiple of the timeout to read.
const (
	schedulesFor   = time.Hour
	schedulesAgain = time.Minute
	schedulesTimes = 5
)

// ScheduleLook says which schedules are read.
type ScheduleLook struct {
	Account, Region string
	// Since is from when on an answer counts: what is remembered from before is read
	// again.
	Since time.Time
	// Follow says of which schedules it is asked what they start, beyond the role that
	// they name.
	Follow func(Schedule) bool
}

// schedulesRead is what came of reading schedules.
type schedulesRead struct {
	list []Schedule
	err  error
	at   time.Time
}

// Schedules returns what AWS starts by the clock in an account and region; none of a
// region that the account has not switched on. The answer is remembered for an hour, and
// an error for a minute.
func (c *Client) Schedules(ctx context.Context, look ScheduleLook) ([]Schedule, error) {
	if !alwaysOn(look.Region) {
		key := "regions of " + look.Account
		c.forgetBefore(key, look.Since)
		on, err := remember(c, key, schedulesFor, func() ([]string, error) { return c.Regions(ctx, look.Account) })
		if err == nil && !slices.Contains(on, look.Region) {
			return nil, nil
		}
	}
	key := "schedules of " + look.Account + " in " + look.Region
	c.forgetBefore(key, look.Since)
	read := func() (schedulesRead, error) {
		list, err := c.readSchedules(ctx, look)
		if err != nil {
			return schedulesRead{nil, err, c.now()}, ctx.Err() // of a caller who went nothing is remembered
		}
		return schedulesRead{list, nil, c.now()}, nil
	}
	got, _ := remember(c, key, schedulesFor, read) // its error is in what it returns, too
	if got.err != nil && c.now().Sub(got.at) >= schedulesAgain {
		c.forget(key)
		got, _ = remember(c, key, schedulesFor, read)
	}
	return got.list, got.err
}

// readSchedules reads as much as can be read, and returns the first error.
func (c *Client) readSchedules(ctx context.Context, look ScheduleLook) ([]Schedule, error) {
	r := scheduleReader{ScheduleLook: look, r: c.reading(dera.Scope{Account: look.Account, Region: look.Region}, false)}
	var first error
	for _, read := range []func(context.Context) error{r.schedules, r.rules, r.plans, r.restores} {
		ctx, cancel := within(ctx, schedulesTimes*c.cfg.Timeout)
		first = cmp.Or(first, read(ctx))
		cancel()
	}
	return r.out, first
}

type scheduleReader struct {
	ScheduleLook
	r   *Reading
	out []Schedule
}

// schedules reads EventBridge Scheduler.
func (s *scheduleReader) schedules(ctx context.Context) error {
	api := Service(s.r, "scheduler", s.Account, s.Region, func(cfg aws.Config) *scheduler.Client { return scheduler.NewFromConfig(cfg) })
	return List(s.r, Listing[*scheduler.ListSchedulesOutput, schedulertypes.ScheduleSummary]{
		Call: "scheduler:ListSchedules", Of: "schedules",
		Page: func(token *string) (*scheduler.ListSchedulesOutput, error) {
			return api.ListSchedules(ctx, &scheduler.ListSchedulesInput{NextToken: token})
		},
		On: func(p *scheduler.ListSchedulesOutput) ([]schedulertypes.ScheduleSummary, *string) {
			return p.Schedules, p.NextToken
		},
	}, func(x schedulertypes.ScheduleSummary) error {
		got, err := api.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: x.Name, GroupName: x.GroupName})
		if err != nil {
			if err = s.r.Fail("scheduler:GetSchedule", err); Is(err, NotFound) {
				return nil // deleted meanwhile
			}
			return err
		}
		one := s.named("schedule", x.Name)
		one.Expression, one.Off = aws.ToString(got.ScheduleExpression), got.State != schedulertypes.ScheduleStateEnabled
		one.Until = aws.ToTime(got.EndDate)
		one.Since = latest(got.CreationDate, got.LastModificationDate, got.StartDate) // it may have been off, or another
		if t := got.Target; t != nil {
			if err := s.target(ctx, &one, aws.ToString(t.Arn), aws.ToString(t.RoleArn)); err != nil {
				return err
			}
		}
		s.out = append(s.out, one)
		return nil
	})
}

// rules reads the rules of EventBridge that have a schedule; only those of the default
// bus can (EventBridge user guide, "Creating a rule that runs on a schedule").
func (s *scheduleReader) rules(ctx context.Context) error {
	api := Service(s.r, "eventbridge", s.Account, s.Region, func(cfg aws.Config) *eventbridge.Client { return eventbridge.NewFromConfig(cfg) })
	return List(s.r, Listing[*eventbridge.ListRulesOutput, eventtypes.Rule]{
		Call: "events:ListRules", Of: "rules",
		Page: func(token *string) (*eventbridge.ListRulesOutput, error) {
			return api.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: token})
		},
		On: func(p *eventbridge.ListRulesOutput) ([]eventtypes.Rule, *string) { return p.Rules, p.NextToken },
	}, func(x eventtypes.Rule) error {
		if aws.ToString(x.ScheduleExpression) == "" {
			return nil
		}
		one := s.named("rule", x.Name)
		one.Expression, one.Off = *x.ScheduleExpression, x.State == eventtypes.RuleStateDisabled
		err := List(s.r, Listing[*eventbridge.ListTargetsByRuleOutput, eventtypes.Target]{
			Call: "events:ListTargetsByRule", Of: "targets",
			Page: func(token *string) (*eventbridge.ListTargetsByRuleOutput, error) {
				return api.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: x.Name, NextToken: token})
			},
			On: func(p *eventbridge.ListTargetsByRuleOutput) ([]eventtypes.Target, *string) {
				return p.Targets, p.NextToken
			},
		}, func(t eventtypes.Target) error {
			return s.target(ctx, &one, aws.ToString(t.Arn), aws.ToString(t.RoleArn))
		})
		if Is(err, NotFound) {
			return nil // deleted meanwhile
		}
		s.out = append(s.out, one)
		return err
	})
}

// plans reads the rules of backup plans, and as whom what they select is backed up.
func (s *scheduleReader) plans(ctx context.Context) error {
	api := Service(s.r, "backup", s.Account, s.Region, func(cfg aws.Config) *backup.Client { return backup.NewFromConfig(cfg) })
	return List(s.r, Listing[*backup.ListBackupPlansOutput, backuptypes.BackupPlansListMember]{
		Call: "backup:ListBackupPlans", Of: "backup plans",
		Page: func(token *string) (*backup.ListBackupPlansOutput, error) {
			return api.ListBackupPlans(ctx, &backup.ListBackupPlansInput{NextToken: token})
		},
		On: func(p *backup.ListBackupPlansOutput) ([]backuptypes.BackupPlansListMember, *string) {
			return p.BackupPlansList, p.NextToken
		},
	}, func(x backuptypes.BackupPlansListMember) error {
		got, err := api.GetBackupPlan(ctx, &backup.GetBackupPlanInput{BackupPlanId: x.BackupPlanId})
		if err != nil {
			if err = s.r.Fail("backup:GetBackupPlan", err); Is(err, NotFound) {
				return nil // deleted meanwhile
			}
			return err
		}
		if got.BackupPlan == nil {
			return s.r.Fail("backup:GetBackupPlan", Foreign("it has no plan"))
		}
		var roles []string
		err = List(s.r, Listing[*backup.ListBackupSelectionsOutput, backuptypes.BackupSelectionsListMember]{
			Call: "backup:ListBackupSelections", Of: "selections",
			Page: func(token *string) (*backup.ListBackupSelectionsOutput, error) {
				return api.ListBackupSelections(ctx, &backup.ListBackupSelectionsInput{BackupPlanId: x.BackupPlanId, NextToken: token})
			},
			On: func(p *backup.ListBackupSelectionsOutput) ([]backuptypes.BackupSelectionsListMember, *string) {
				return p.BackupSelectionsList, p.NextToken
			},
		}, func(b backuptypes.BackupSelectionsListMember) error {
			roles = append(roles, aws.ToString(b.IamRoleArn))
			return nil
		})
		if Is(err, NotFound) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		for _, rule := range got.BackupPlan.Rules {
			one := s.named("backup plan", x.BackupPlanName)
			if one.Expression = aws.ToString(rule.ScheduleExpression); one.Expression == "" {
				one.Expression = "cron(0 5 ? * * *)" // AWS Backup API reference, BackupRule
			}
			one.Roles, one.Since = roles, aws.ToTime(got.CreationDate) // of the plan as it is now
			s.out = append(s.out, one)
		}
		return nil
	})
}

// restores reads the plans by which AWS Backup tests that it can restore, and as whom it
// does. Where a region has no such tests there is none.
func (s *scheduleReader) restores(ctx context.Context) error {
	api := Service(s.r, "backup", s.Account, s.Region, func(cfg aws.Config) *backup.Client { return backup.NewFromConfig(cfg) })
	err := List(s.r, Listing[*backup.ListRestoreTestingPlansOutput, backuptypes.RestoreTestingPlanForList]{
		Call: "backup:ListRestoreTestingPlans", Of: "restore tests",
		Page: func(token *string) (*backup.ListRestoreTestingPlansOutput, error) {
			return api.ListRestoreTestingPlans(ctx, &backup.ListRestoreTestingPlansInput{NextToken: token})
		},
		On: func(p *backup.ListRestoreTestingPlansOutput) ([]backuptypes.RestoreTestingPlanForList, *string) {
			return p.RestoreTestingPlans, p.NextToken
		},
	}, func(x backuptypes.RestoreTestingPlanForList) error {
		one := s.named("restore test", x.RestoreTestingPlanName)
		one.Expression, one.Since = aws.ToString(x.ScheduleExpression), latest(x.CreationTime, x.LastUpdateTime)
		err := List(s.r, Listing[*backup.ListRestoreTestingSelectionsOutput, backuptypes.RestoreTestingSelectionForList]{
			Call: "backup:ListRestoreTestingSelections", Of: "selections",
			Page: func(token *string) (*backup.ListRestoreTestingSelectionsOutput, error) {
				return api.ListRestoreTestingSelections(ctx, &backup.ListRestoreTestingSelectionsInput{RestoreTestingPlanName: x.RestoreTestingPlanName, NextToken: token})
			},
			On: func(p *backup.ListRestoreTestingSelectionsOutput) ([]backuptypes.RestoreTestingSelectionForList, *string) {
				return p.RestoreTestingSelections, p.NextToken
			},
		}, func(b backuptypes.RestoreTestingSelectionForList) error {
			one.Roles = append(one.Roles, aws.ToString(b.IamRoleArn))
			return nil
		})
		if Is(err, NotFound) {
			return nil // deleted meanwhile
		}
		s.out = append(s.out, one)
		return err
	})
	if Is(err, Unavailable) {
		return nil
	}
	return err
}

// latest is the latest of some times that AWS tells.
func latest(times ...*time.Time) (out time.Time) {
	for _, at := range times {
		if at != nil && at.After(out) {
			out = *at
		}
	}
	return out
}

func (s *scheduleReader) named(kind string, name *string) Schedule {
	return Schedule{Name: fmt.Sprintf("%s %s in %s", kind, aws.ToString(name), s.Region)}
}

// target notes as whom a target is started, and what may act in turn.
func (s *scheduleReader) target(ctx context.Context, one *Schedule, arn, role string) error {
	if role != "" {
		one.Roles = append(one.Roles, role)
	}
	t := dera.ARN(arn)
	if t.Account() != "" && t.Account() != s.Account || !s.Follow(*one) {
		return nil
	}
	if t.Service() != "lambda" {
		one.Services = append(one.Services, startedBy(t)...)
		return nil
	}
	api := Service(s.r, "lambda", s.Account, s.Region, func(cfg aws.Config) *lambda.Client { return lambda.NewFromConfig(cfg) })
	got, err := api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
	if err != nil {
		if err = s.r.Fail("lambda:GetFunctionConfiguration", err); Is(err, NotFound) {
			return nil // nothing is started
		}
		return err
	}
	one.Roles = append(one.Roles, aws.ToString(got.Role))
	return nil
}

// workers are the services in which work is done for others: what hands on that with
// which it is started may start any of them.
func workers() []string {
	return []string{"lambda", "states", "ecs-tasks", "ecs", "batch", "ec2", "pods", "glue", "codebuild", "sagemaker", "elasticmapreduce", "emr-serverless"}
}

// startedBy are the services whose roles act when a target is started: its own, and
// where it hands on what it is started with (a queue, a topic, a bus, a workflow), or is
// a call of any API, whoever works.
func startedBy(target dera.ARN) []string {
	service := target.Service()
	if call, ok := strings.CutPrefix(target.Resource(), "aws-sdk:"); ok && service == "scheduler" {
		service, call, _ = strings.Cut(strings.ToLower(call), ":")
		is := func(verb string) bool { return strings.HasPrefix(call, verb) }
		if slices.ContainsFunc([]string{"get", "list", "describe", "batchget", "stop", "pause", "cancel", "terminate", "delete"}, is) {
			return nil
		}
		return append(workers(), service)
	}
	switch service {
	case "logs", "firehose", "":
		return nil
	case "events":
		if strings.HasPrefix(target.Resource(), "target/") { // a call about an instance or a volume
			return []string{"ec2"}
		}
		return workers()
	case "sqs", "sns", "kinesis", "execute-api", "appsync", "states", "codepipeline", "ssm":
		return append(workers(), service)
	case "ecs":
		return []string{"ecs-tasks", "ecs"}
	case "batch":
		return []string{"batch", "ecs-tasks", "ec2"}
	}
	return []string{service}
}
