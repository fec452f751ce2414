package eval

import (
	"reflect"
	"testing"
)

func TestWithDerived(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		principal Principal
		resource  string
		given     Context
		want      Context
	}{
		"user": {Principal{ARN: "arn:aws:iam::111122223333:user/team/alice", ID: "AIDA"}, bucketKey, nil, Context{
			"aws:principalarn": {"arn:aws:iam::111122223333:user/team/alice"}, "aws:principalaccount": {account},
			"aws:principaltype": {"User"}, "aws:username": {"alice"}, "aws:userid": {"AIDA"}, "aws:principalisawsservice": {"false"},
		}},
		"session": {Principal{ARN: session, ID: "AROA:run-1"}, "arn:aws:sqs:eu-west-1:999988887777:q", nil, Context{
			"aws:principalarn": {"arn:aws:iam::111122223333:role/worker"}, "aws:principalaccount": {account},
			"aws:principaltype": {"AssumedRole"}, "aws:userid": {"AROA:run-1"}, "aws:principalisawsservice": {"false"},
			"aws:resourceaccount": {foreign},
		}},
		"role": {Principal{ARN: worker}, "*", nil, Context{
			"aws:principalarn": {worker}, "aws:principalaccount": {account}, "aws:principaltype": {"AssumedRole"}, "aws:principalisawsservice": {"false"},
		}},
		"root": {Principal{ARN: "arn:aws:iam::111122223333:root", ID: account}, "*", nil, Context{
			"aws:principalarn": {"arn:aws:iam::111122223333:root"}, "aws:principalaccount": {account}, "aws:principaltype": {"Account"},
			"aws:userid": {account}, "aws:principalisawsservice": {"false"},
		}},
		"federated_user": {Principal{ARN: "arn:aws:sts::111122223333:federated-user/bob"}, "*", nil, Context{
			"aws:principalarn": {"arn:aws:sts::111122223333:federated-user/bob"}, "aws:principalaccount": {account},
			"aws:principaltype": {"FederatedUser"}, "aws:principalisawsservice": {"false"},
		}},
		"service": {Principal{ARN: "sns.amazonaws.com"}, "*", nil, Context{
			"aws:principalservicename": {"sns.amazonaws.com"}, "aws:principalisawsservice": {"true"},
		}},
		"anonymous": {Principal{}, "*", nil, Context{
			"aws:principaltype": {"Anonymous"}, "aws:userid": {"anonymous"}, "aws:principalisawsservice": {"false"},
		}},
		"given_stays": {Principal{}, "*", Context{"AWS:UserId": {"me"}, "aws:PrincipalType": {"x", "y"}}, Context{
			"aws:principaltype": {"x", "y"}, "aws:userid": {"me"}, "aws:principalisawsservice": {"false"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := Request{Principal: tt.principal, Action: "a:b", Resource: tt.resource, Context: tt.given}
			if got := r.WithDerived(); !reflect.DeepEqual(got.Context, tt.want) || got.Action != r.Action {
				t.Errorf("got  %v\nwant %v", got.Context, tt.want)
			}
		})
	}
}

func TestPrincipal_type_is_told_from_the_arn(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]PrincipalType{
		"": Anonymous, "arn:aws:iam::111122223333:root": Root, alice: User, worker: Role, session: Session,
		"arn:aws:sts::111122223333:federated-user/bob": Federated, "sns.amazonaws.com": Service,
		"arn:aws:iam::111122223333:group/g": Unknown, "arn:aws:iam": Unknown, "someone": Unknown,
	} {
		is(t, arn, newCaller(Principal{ARN: arn}).Type, want)
	}
	is(t, "given", newCaller(Principal{ARN: "x", Type: Provider}).Type, Provider)
	is(t, "account given", newCaller(Principal{ARN: alice, Account: "1"}).Account, "1")
	is(t, "service-linked, given", newCaller(Principal{ARN: session, ServiceLinked: true}).ServiceLinked, true)
}

func TestReadings_are_all_different(t *testing.T) {
	t.Parallel()
	seen := map[Reading]bool{}
	for _, r := range Readings() {
		seen[r] = true
	}
	is(t, "number", len(seen), 128)
	is(t, "the documented one comes first", Readings()[0], Reading{})
}
