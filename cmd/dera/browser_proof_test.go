package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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
