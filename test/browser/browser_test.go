package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is one headless Chromium with an empty profile.
type browser struct {
	*testing.T
	edge    *edge
	private []string // what only a page of somebody logged in contains
	zones   []string
	ctx     context.Context
	tabs    []*tab
}

// tab is one page of one visitor.
type tab struct {
	*browser
	name   string
	ctx    context.Context
	record *record
	seen   int // answers that were checked
}

func startBrowser(t *testing.T, s *stage, e *edge, private ...string) *browser {
	t.Helper()
	b := &browser{T: t, edge: e, private: private}
	program := "/usr/bin/chromium"
	if own := os.Getenv("SEAWALL_CHROMIUM"); own != "" {
		program = own
	}
	var rules strings.Builder
	for zone := range e.origins {
		b.zones = append(b.zones, zone)
		fmt.Fprintf(&rules, "MAP %s %s, ", zone, e.door(zone))
	}
	// No name but ours has an address: nothing leaves the machine.
	rules.WriteString("MAP * ~NOTFOUND")
	s.room(t, "home")
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(s.room(t, "profile")), chromedp.WindowSize(1280, 1000),
		chromedp.Flag("host-resolver-rules", rules.String()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-default-apps", true), chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("password-store", "basic"),
		// A tab in the background is as awake as the one in front.
		chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		// It would try https first, on an address that speaks http.
		chromedp.Flag("disable-features", "HttpsUpgrades,HttpsFirstBalancedMode,HttpsFirstBalancedModeAutoEnable,Translate"),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) { s.dress(c); attributes(c) }),
	}
	allocator, freeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(freeAllocator)
	var end context.CancelFunc
	b.ctx, end = chromedp.NewContext(allocator)
	t.Cleanup(end)
	// A deadline here would end the browser, so starting it has none.
	if err := chromedp.Do(b.ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		if err := chromedp.Cancel(closing); err != nil {
			t.Errorf("close the browser: %v", err)
		}
	})
	return b
}

// open opens a tab; with chromedp.WithNewBrowserContext() it is another
// visitor's, with cookies and a cache of its own.
func (b *browser) open(name string, options ...chromedp.ContextOption) *tab {
	b.Helper()
	p := &tab{browser: b, name: name, record: newRecord(b.zones)}
	var end context.CancelFunc
	p.ctx, end = chromedp.NewContext(b.ctx, append(options, chromedp.WithListener(p.record.listen))...)
	b.Cleanup(end)
	if err := chromedp.Do(p.ctx); err != nil {
		b.Fatalf("open a tab: %v", err)
	}
	b.tabs = append(b.tabs, p)
	return p
}

// step does what a person would do and then lets the checker look at the
// whole. The last action has to wait for what the person waits for.
func (p *tab) step(name string, actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	began := time.Now()
	for i, action := range actions {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		err := chromedp.Do(ctx, action)
		cancel()
		if err != nil {
			p.Errorf("%s: %s: action %d: %v", p.name, name, i+1, err)
			break
		}
	}
	did := time.Since(began)
	p.check(name)
	p.Logf("%s: %s (%v, checked in %v)", p.name, name, did.Round(time.Millisecond), (time.Since(began) - did).Round(time.Millisecond))
}

// check verifies everything that has to hold after any step.
func (p *tab) check(step string) {
	p.Helper()
	p.loaded(step)
	for _, other := range p.tabs {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		if err := other.record.quiet(ctx); err != nil {
			p.Errorf("%s: %s: %v", other.name, step, err)
		}
		cancel()
		for _, broken := range other.record.takeBroken() {
			p.Errorf("%s: %s: %s", other.name, step, broken)
		}
	}
	p.pictures(step)
	p.edge.check(p.T, step)
	pages, answers := p.record.documents(p.seen)
	p.seen = answers
	for _, rawURL := range pages {
		p.strangers(step, rawURL)
	}
	if p.Failed() {
		p.picture(step)
		p.FailNow()
	}
}

// loaded waits until the page has begun everything that it begins by itself.
func (p *tab) loaded(step string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, until(`document.readyState == "complete"`)); err != nil {
		p.Errorf("%s: %s: %v", p.name, step, err)
	}
}

// strangers fetches a page as a stranger would: nothing of it may be meant
// for somebody else.
func (p *tab) strangers(step, rawURL string) {
	p.Helper()
	answer, body, err := p.edge.stranger(rawURL)
	if err != nil {
		p.Errorf("%s: fetch %s as a stranger: %v", step, rawURL, err)
		return
	}
	cacheStatus := answer.Header.Get("Cache-Status")
	if answer.StatusCode >= 500 {
		p.Errorf("%s: a stranger gets %s for %s", step, answer.Status, rawURL)
	}
	if cacheStatus == "" && !withoutEdge {
		p.Errorf("%s: a stranger gets no Cache-Status for %s", step, rawURL)
	}
	if hitField.MatchString(cacheStatus) && len(answer.Header.Values("Set-Cookie")) > 0 {
		p.Errorf("%s: a stranger gets a cookie from the cache for %s", step, rawURL)
	}
	for _, mark := range p.private {
		if strings.Contains(body, mark) {
			p.Errorf("%s: a stranger sees %q on %s (Cache-Status: %s)", step, mark, rawURL, cacheStatus)
		}
	}
}

// pictures waits until every picture on the page is there; those further down
// are made to load as well.
func (p *tab) pictures(step string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, until(`[...document.images].every(i => { i.loading = "eager"; return i.complete })`))
	if err != nil {
		p.Errorf("%s: pictures are not complete: %v", step, err)
		return
	}
	broken, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](
		`[...document.images].filter(i => i.currentSrc && !i.naturalWidth).map(i => i.currentSrc)`))
	if err != nil {
		p.Errorf("%s: look at the pictures: %v", step, err)
	}
	for _, source := range broken {
		p.Errorf("%s: a picture that shows nothing: %s", step, source)
	}
}

// picture keeps what the page looks like, for whoever looks at the failure.
func (p *tab) picture(step string) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	p.Logf("%s: the page says (%v):\n%s", p.name, err, tail(text, 2000))
	image, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		file := filepath.Join(p.ArtifactDir(), strings.ReplaceAll(step, " ", "-")+".png")
		err = os.WriteFile(file, image, 0o644)
		p.Logf("a screenshot (kept with `go test -artifacts`): %s", file)
	}
	if err != nil {
		p.Logf("take a screenshot: %v", err)
	}
}

// until waits until an expression is true on the page, whatever page that is
// by then: chromedp's own waiting ends when the page is left.
func until(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		again := time.NewTicker(25 * time.Millisecond)
		defer again.Stop()
		for {
			is, err := chromedp.Evaluate[bool]("!!("+expression+")")(ctx, tab)
			if err == nil && is {
				return nil
			}
			select {
			case <-again.C:
			case <-ctx.Done():
				return fmt.Errorf("waiting until %s (last answer: %v, %v): %w", expression, is, err, ctx.Err())
			}
		}
	})
}

// there waits until an element is on the page.
func there(selector string) chromedp.Action[chromedp.Void] {
	return until(fmt.Sprintf("document.querySelector(%q)", selector))
}

// says waits until an element contains a text.
func says(selector, text string) chromedp.Action[chromedp.Void] {
	return until(fmt.Sprintf("document.querySelector(%q)?.innerText.includes(%q)", selector, text))
}

// visit enters an address.
func visit(rawURL string) chromedp.Action[chromedp.Void] { return chromedp.Navigate(rawURL) }

// click waits, as a person does, until the element has come to rest, takes
// clicks, and has nothing in front of it. A panel that slides in moves away
// from under a click, which is then lost without an error.
func click(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(until(fmt.Sprintf(`(() => {
		const element = document.querySelector(%q)
		if (!element || element.disabled || element.ariaDisabled == "true") return false
		element.scrollIntoViewIfNeeded()
		const { x, y, width, height } = element.getBoundingClientRect()
		const at = [location.href, x, y, width, height].join(" ")
		const rests = element.restedAt == at
		element.restedAt = at
		return rests && element.contains(document.elementFromPoint(x + width / 2, y + height / 2))
	})()`, selector)), chromedp.Click(chromedp.CSS(selector)))
}

// write replaces the content of a field by typing.
func write(selector, text string) chromedp.Action[chromedp.Void] {
	field := chromedp.CSS(selector)
	return chromedp.Steps(chromedp.Click(field), until(fmt.Sprintf("document.querySelector(%q).select() ?? true", selector)),
		chromedp.KeyEvent(text),
		until(fmt.Sprintf("document.querySelector(%q).value == %q", selector, text)))
}

// tally counts the answers that all tabs together got, and those of them
// that came from the edge's cache.
func (b *browser) tally() (answers, hits int) {
	for _, p := range b.tabs {
		p.record.mu.Lock()
		for _, a := range p.record.answers {
			answers++
			if hitField.MatchString(a.cacheStatus) {
				hits++
			}
		}
		p.record.mu.Unlock()
	}
	return answers, hits
}
