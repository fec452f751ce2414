package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"dera.example/dera"
	"dera.example/dera/awssim"
)

// browserProof: the visitor's own browser verifies each record of the log, and finds whatever was changed.
func browserProof(t *testing.T, b *browser) {
	w := openWorld(t, nil)
	x := w.enter(b, "alice", 1280)
	size, err := w.session.store.LogSize(t.Context())
	if err != nil || size < 3 {
		t.Fatalf("the log has %d records: %v", size, err)
	}
	verify := func(change string) string {
		x.do(chromedp.Evaluate(change, nil), chromedp.Click("[data-verify]"))
		x.until("document.querySelector('#verdict').textContent !== ''")
		return evaluated[string](x, "document.querySelector('#verdict').textContent")
	}
	for i := range size {
		x.open(fmt.Sprintf("%s/audit/%d", w.base, i))
		if got := verify("0"); !strings.HasPrefix(got, fmt.Sprintf("Verified here: record %d is", i)) {
			t.Fatalf("record %d: %s", i, got)
		}
	}
	const of = "const at = document.querySelector('%s'); "
	for name, change := range map[string]string{
		"record":    fmt.Sprintf(of, "#leaf") + `at.textContent = at.textContent.replace('"version"', '"versiom"')`,
		"index":     fmt.Sprintf(of, "#proof") + `at.dataset.index = "0"`,
		"size":      fmt.Sprintf(of, "#proof") + `at.dataset.size = String(Number(at.dataset.size) + 1)`,
		"path":      fmt.Sprintf(of, "#proof") + `at.dataset.path = at.dataset.path.split(" ").slice(1).join(" ")`,
		"longer":    fmt.Sprintf(of, "#proof") + `at.dataset.path += " " + at.dataset.path.split(" ")[0]`,
		"root":      fmt.Sprintf(of, "#checkpoint") + `const l = at.textContent.split("\n"); l[2] = "A".repeat(43) + "="; at.textContent = l.join("\n")`,
		"time":      fmt.Sprintf(of, "#checkpoint") + `at.textContent = at.textContent.replace("time 2", "time 3")`,
		"signature": fmt.Sprintf(of, "#checkpoint") + `const l = at.textContent.trimEnd(); at.textContent = l.slice(0, -6) + (l.at(-6) === "A" ? "B" : "A") + l.slice(-5) + "\n"`,
		"unsigned":  fmt.Sprintf(of, "#checkpoint") + `at.textContent = at.textContent.split("\n\n")[0] + "\n\n"`,
		"key":       fmt.Sprintf(of, "#key") + `const k = at.textContent.trim(); at.textContent = k.slice(0, -4) + (k.at(-4) === "A" ? "B" : "A") + k.slice(-3)`,
	} {
		x.open(fmt.Sprintf("%s/audit/%d", w.base, size-1))
		if got := verify(`{ ` + change + ` }`); !strings.HasPrefix(got, "Not verified: ") {
			t.Errorf("%s was changed: %s", name, got)
		}
	}
	x.calm("the proofs")
}

// browserWhy: a pasted error is answered, as dera why does.
func browserWhy(t *testing.T, b *browser) {
	w := openWorld(t, nil)
	x := w.enter(b, "alice", 1280)
	x.open(w.base + "/why")
	x.do(chromedp.SendKeys("#error", "User: arn:aws:iam::111111111111:user/nobody is not authorized to perform: dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:111111111111:table/orders because no identity-based policy allows the dynamodb:GetItem action"))
	x.do(chromedp.SetValue("#at", time.Now().UTC().Format(time.RFC3339)), chromedp.Click("form.asking button"))
	x.until("document.querySelector('.answer') !== null")
	if got := x.text(); !strings.Contains(got, "it was not dera") {
		t.Errorf("the answer is\n%s", got)
	}
	if got := evaluated[string](x, "location.search"); strings.Contains(got, url.QueryEscape("nobody")) {
		t.Errorf("the error is in the address: %s", got)
	}
	x.calm("the answer")
	x.do(chromedp.SetValue("#at", "yesterday"), chromedp.Click("form.asking button"))
	x.until("document.querySelector('.banner.bad') !== null")
	if got := x.text(); !strings.Contains(got, "--at") {
		t.Errorf("a time that is none is not refused\n%s", got)
	}
}

// browserTogether approves plans of one shape with one order, all but one that is left out.
func browserTogether(t *testing.T, b *browser) {
	names := []string{"sg-00000000000000001", "sg-00000000000000002", "sg-00000000000000003"}
	w := openWorld(t, func(d *demo) {
		for _, name := range names {
			d.region(2).PutSecurityGroup(name, "cache-"+name, awssim.Rule{Protocol: "tcp", FromPort: 6379, ToPort: 6379, CIDR: "0.0.0.0/0"})
		}
	})
	plans := map[string]dera.Remediation{}
	list, err := w.session.store.RemediationsIn(t.Context(), dera.Waiting)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		plans[r.Plan.Resource.Name()] = r
	}
	for _, name := range names {
		if plans[name].ID == "" {
			t.Fatalf("no plan waits for %s", name)
		}
	}
	x := w.enter(b, "alice", 1280)
	for _, width := range []int64{390, 1280} {
		x.do(chromedp.EmulateViewport(width, 800))
		x.open(w.base + "/same?r=" + plans[names[0]].ID)
		x.fits("plans of one shape")
		b.accessible(x, "plans of one shape")
	}
	x.open(w.base + "/?r=" + plans[names[0]].ID)
	x.press(".chosen a[href^='/same']")
	x.has("plans of one shape", names[0], names[1], names[2])
	x.do(chromedp.Click(fmt.Sprintf("input[value^=%q]", plans[names[1]].ID)), chromedp.SetValue("form.together input[name=reason]", "the test is over"))
	if status := x.press("form.together button.yes"); status != 200 {
		t.Errorf("the status is %d: %s", status, x.text())
	}
	x.has("2 of 2 plans were approved", plans[names[0]].ID, plans[names[2]].ID)
	w.is(plans[names[0]].ID, dera.Resolved)
	w.is(plans[names[2]].ID, dera.Resolved)
	w.is(plans[names[1]].ID, dera.Waiting)
	x.calm("plans of one shape")
}
