package export

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"

	"dera.example/dera/awssim/moto"
	"dera.example/dera/services"
)

// TestFormatsOfSecurityHub: botocore's model of BatchImportFindings takes our ASFF, and
// py-ocsf-models our OCSF, for hostile names too and every type that has a control.
func TestFormatsOfSecurityHub(t *testing.T) {
	t.Parallel()
	reports := []Report{report("web")}
	for _, text := range hostile() {
		reports = append(reports, report(text))
	}
	types := report("web")
	open := types.Findings[0]
	types.Findings = nil
	for _, c := range services.Controls() {
		f := open
		f.Control, f.ResourceType, f.Severity = c.ID, c.Type, c.Severity
		types.Findings = append(types.Findings, f)
	}
	reports = append(reports, types)
	var asff, ocsf []json.RawMessage
	for _, r := range reports {
		for form, out := range map[string]*[]json.RawMessage{"asff": &asff, "ocsf": &ocsf} {
			var list []json.RawMessage
			f := ASFF
			if form == "ocsf" {
				f = OCSF
			}
			if err := json.Unmarshal(write(t, f, r), &list); err != nil {
				t.Fatal(err)
			}
			*out = append(*out, list...)
		}
	}
	if len(asff) != len(ocsf) || len(asff) < len(services.Controls()) {
		t.Fatalf("%d findings in ASFF, %d in OCSF", len(asff), len(ocsf))
	}
	in, err := json.Marshal(map[string]any{"asff": asff, "ocsf": ocsf})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), moto.Python(), "-c", validator)
	cmd.Stdin = bytes.NewReader(in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v (scripts/moto-install installs what it needs):\n%.4000s", err, out)
	}
}

// validator fails, with what is wrong, on a finding that does not fit its format. A wrong one is
// checked first: a validator that takes everything proves nothing.
const validator = `
import json, re, sys
import botocore.loaders, botocore.model, botocore.validate
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
d = json.load(sys.stdin)
shape = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model('securityhub', 'service-2')).operation_model('BatchImportFindings').input_shape
check = lambda f: botocore.validate.ParamValidator().validate({'Findings': [f]}, shape).generate_report()
bad = []
wrong = dict(d['asff'][0]); wrong['Compliance'] = 'FAILED'
if not check(wrong):
    bad.append('the validator of ASFF takes everything')
limits = {'Title': 256, 'Description': 1024, 'Id': 512, 'GeneratorId': 512}
for f in d['asff']:
    if r := check(f):
        bad.append(r)
    for k, most in limits.items():
        if not 0 < len(f[k]) <= most:
            bad.append(f'{k} has {len(f[k])} characters')
    for k in ('FirstObservedAt', 'LastObservedAt', 'CreatedAt', 'UpdatedAt'):
        if not re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', f[k]):
            bad.append(f'{k} is {f[k]}')
    if len(f['ProductFields']) > 50 or f['AwsAccountId'] not in f['ProductArn']:
        bad.append(f['ProductArn'])
try:
    ComplianceFinding.model_validate({**d['ocsf'][0], 'type_uid': 1})
    bad.append('the validator of OCSF takes everything')
except ValueError:
    pass
for f in d['ocsf']:
    try:
        m = ComplianceFinding.model_validate(f)
        if m.type_uid != m.class_uid * 100 + m.activity_id:
            bad.append('type_uid')
    except ValueError as e:
        bad.append(str(e))
if bad:
    sys.exit('\n'.join(bad))
`
