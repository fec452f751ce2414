package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowser looks at the console as a person does: in a Chromium, served by a real engine on the
// simulated AWS of the demo. Each test has an engine of its own, and tabs that share no cookie.
func TestBrowser(t *testing.T) {
	b := openBrowser(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *browser)
	}{
		{"keyboard", browserKeyboard}, {"fast_keys", browserFastKeys}, {"reject", browserReject},
		{"live", browserLive}, {"live_focus", browserLiveFocus}, {"live_stop", browserLiveStop},
		{"moved_plan", browserMovedPlan}, {"two_approvers", browserTwoApprovers},
		{"entry", browserEntry}, {"viewer", browserViewer}, {"sign_in", browserSignIn},
		{"without_script", browserWithoutScript}, {"proof", browserProof}, {"why", browserWhy}, {"together", browserTogether}, {"hostile_names", browserHostileNames},
		{"pages", browserPages}, // the whole demo, and the screenshots
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, b) })
	}
}

// browser is one Chromium for all tests.
type browser struct {
	ctx context.Context
	axe string // the script that judges how accessible a page is
}

// openBrowser starts the Chromium that DERA_CHROMIUM names.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	binary, script := os.Getenv("DERA_CHROMIUM"), os.Getenv("DERA_AXE")
	if binary == "" || script == "" {
		t.Skip("DERA_CHROMIUM and DERA_AXE name no browser and no axe-core: make browser does")
	}
	axe, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(binary), chromedp.WSURLReadTimeout(time.Minute))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it has none for root
	}
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("start %s: %v", binary, err)
	}
	return &browser{ctx, string(axe)}
}

// tab is one with cookies of its own.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // what the browser complained of
}

// tab opens one of a width.
func (b *browser) tab(t *testing.T, width int64) *tab {
	t.Helper()
	// A window for each: Chromium opens no tab in a browser context that has none.
	whole := cdp.WithExecutor(b.ctx, chromedp.FromContext(b.ctx).Browser)
	own, err := target.CreateBrowserContext().Do(whole)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = target.DisposeBrowserContext(own).Do(whole) })
	id, err := target.CreateTarget("about:blank").WithBrowserContextID(own).WithNewWindow(true).Do(whole)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(stop)
	x := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, x.hear)
	x.do(log.Enable(), network.Enable(), chromedp.EmulateViewport(width, 800))
	return x
}

// hear keeps what the browser complains of: errors of scripts, of the content security policy, of loading.
func (x *tab) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			for _, a := range e.Args {
				text += string(a.Value) + a.Description + " "
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Level == log.LevelWarning {
			text = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if text != "" {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.problems = append(x.problems, text)
	}
}

// calm fails where the browser complained of something since the last time.
func (x *tab) calm(where string) {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range x.problems {
		x.t.Errorf("%s: the browser complains: %s", where, p)
	}
	x.problems = nil
}

func (x *tab) do(actions ...chromedp.Action) {
	x.t.Helper()
	if err := chromedp.Run(x.ctx, actions...); err != nil {
		x.t.Fatal(err)
	}
}

// loads does what loads a page, and returns the status of that.
func (x *tab) loads(actions ...chromedp.Action) int64 {
	x.t.Helper()
	answer, err := chromedp.RunResponse(x.ctx, actions...)
	if err != nil || answer == nil {
		x.t.Fatalf("no page was loaded: %v", err)
	}
	return answer.Status
}

func (x *tab) open(url string) int64 {
	x.t.Helper()
	return x.loads(chromedp.Navigate(url))
}

// press clicks a button that loads a page.
func (x *tab) press(selector string) int64 {
	x.t.Helper()
	return x.loads(chromedp.Click(selector, chromedp.ByQuery))
}

// pressed are the keys of a keyboard. A key that the page takes for itself writes nothing, as in a browser that is not driven.
func pressed(keys string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for _, r := range keys {
			for _, event := range kb.Encode(r) {
				if event.Type == input.KeyDown && r != '\r' {
					event.Type = input.KeyRawDown
				}
				if err := event.Do(ctx); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// keys types on the keyboard.
func (x *tab) keys(keys string) {
	x.t.Helper()
	x.do(pressed(keys))
}

// evaluated is what a script answers; the content security policy of the page does not hold for it.
func evaluated[T any](x *tab, script string) (out T) {
	x.t.Helper()
	x.do(chromedp.Evaluate(script, &out, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	return out
}

// until waits until a script answers true.
func (x *tab) until(script string) {
	x.t.Helper()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	ends := time.After(time.Minute)
	for {
		var ok bool
		if err := chromedp.Run(x.ctx, chromedp.Evaluate(script, &ok)); err == nil && ok {
			return // an error is that one page makes way for another
		}
		select {
		case <-ends:
			x.t.Fatalf("it did not become true: %s\n%s", script, x.text())
		case <-x.ctx.Done():
			x.t.Fatal(x.ctx.Err())
		case <-tick.C:
		}
	}
}

// text is what a person reads on the page.
func (x *tab) text() string {
	x.t.Helper()
	return evaluated[string](x, "document.body.innerText")
}

// shows waits until a person reads something on the page.
func (x *tab) shows(text string) {
	x.t.Helper()
	x.until(fmt.Sprintf("document.body?.innerText.includes(%q)", text))
}

// has fails where a person does not read something on the page that is there.
func (x *tab) has(texts ...string) {
	x.t.Helper()
	page := x.text()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			x.t.Errorf("the page does not show %q:\n%s", text, page)
		}
	}
}

// scripts switches scripts of pages on or off.
func (x *tab) scripts(on bool) { x.do(emulation.SetScriptExecutionDisabled(!on)) }

// scheme is light or dark.
func (x *tab) scheme(name string) {
	x.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}))
}

// accessible fails where axe-core finds something serious or critical on the page.
func (b *browser) accessible(x *tab, where string) {
	x.t.Helper()
	x.do(chromedp.Evaluate(b.axe+"\n;true", nil))
	found := evaluated[[]string](x, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations
		.filter((v) => ["serious", "critical"].includes(v.impact))
		.flatMap((v) => v.nodes.map((n) => v.impact + " " + v.id + ": " + n.target.join(" ") + " " + n.failureSummary)))`)
	slices.Sort(found)
	for _, f := range slices.Compact(found) {
		x.t.Errorf("%s: axe-core: %s", where, f)
	}
}

// fits fails where the page is wider than the window.
func (x *tab) fits(where string) {
	x.t.Helper()
	if wide := evaluated[[]int64](x, "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"); wide[0] > wide[1] {
		x.t.Errorf("%s: the page is %d wide in a window of %d: %s", where, wide[0], wide[1], evaluated[string](x, `[...document.querySelectorAll("body *")]
			.filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 150)).join("\n")`))
	}
}
