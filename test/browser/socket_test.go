package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowser_twoVisitorsTalkThroughTheEdge lets two people chat: each of
// them has a WebSocket, and what one says has to reach the other.
func TestBrowser_twoVisitorsTalkThroughTheEdge(t *testing.T) {
	require(t, "chromium")
	s := newStage(t)
	buildApplications(t, s)
	e := planEdge(t, map[string]string{"chat.test": freeAddress(t)})
	startChat(t, s, e.origins["chat.test"])
	e.start(t, s)
	b := startBrowser(t, s, e)

	ann, ben := b.open("Ann"), b.open("Ben", chromedp.WithNewBrowserContext())
	for _, visitor := range []*tab{ann, ben} {
		visitor.step("enters", visit("http://chat.test/"), there("#msg"), until(`window.WebSocket`))
		visitor.socket()
	}
	ann.step("greets", write("#msg", "Good morning, Ben"), chromedp.KeyEvent("\r"), says("#log", "Good morning, Ben"))
	ben.step("hears and answers", says("#log", "Good morning, Ben"), write("#msg", "Good morning, Ann"), click("[type=submit]"))
	ann.step("hears", says("#log", "Good morning, Ann"))

	// Each takes a frame with a 16-bit length, as the page's own field would
	// send it, and all of them in a row.
	const many = 100
	long := strings.Repeat("w", 400)
	ben.step("tells a long story", until(fmt.Sprintf(
		`(() => { for (let i = 1; i <= %d; i++) { msg.value = i + " %s"; form.requestSubmit() } return true })()`, many, long)))
	for _, visitor := range []*tab{ann, ben} {
		visitor.step("hears all of it in order", until(fmt.Sprintf(
			`(() => { const said = [...log.children].map(d => d.innerText).filter(s => s.endsWith("%s"));
			return said.length == %d && said.every((s, i) => s == (i + 1) + " %s") })()`, long, many, long)))
	}

	ben.step("leaves", visit("about:blank"))
	ann.step("goes on alone", write("#msg", "Where are you?"), chromedp.KeyEvent("\r"), says("#log", "Where are you?"),
		until(`!log.innerText.includes("Connection closed")`))
}

// TestBrowser_programsRunThroughTheEdge reads slides and runs the programs on
// them: one that ends by itself, and one that goes on until it is ended.
func TestBrowser_programsRunThroughTheEdge(t *testing.T) {
	require(t, "chromium")
	s := newStage(t)
	buildApplications(t, s)
	e := planEdge(t, map[string]string{"slides.test": freeAddress(t)})
	startSlides(t, s, "slides.test", e.origins["slides.test"])
	e.start(t, s)
	b := startBrowser(t, s, e)

	still := until(`document.getAnimations().length == 0`) // slides slide
	reader := b.open("the reader")
	reader.step("sees the list of slides", visit("http://slides.test/"), there(`a[href$="harbour.slide"]`))
	reader.step("opens them", click(`a[href$="harbour.slide"]`), there(".slides article.current"), there("article button.run"))
	reader.socket()
	reader.step("turns the page", chromedp.KeyEvent(" "), says("article.current", "A program that ends"), still)
	reader.step("runs the program", click("article.current .run"), says("article.current .output", "the harbour is open"),
		says("article.current .output", "Program exited."))
	reader.step("turns the page again", chromedp.KeyEvent(" "), says("article.current", "A program that is ended"), still)
	reader.step("watches the waves", click("article.current .run"), says("article.current .output", "wave 1\n"),
		says("article.current .output", "wave 20\n"))
	reader.step("has seen enough", click("article.current .kill"), says("article.current .output", "Program exited: signal: killed"))
}

// socket waits until the page's WebSocket is open.
func (p *tab) socket() {
	p.Helper()
	err := eventually(func() error {
		p.record.mu.Lock()
		defer p.record.mu.Unlock()
		if len(p.record.sockets) == 0 || p.record.opened == 0 {
			return fmt.Errorf("%d WebSockets, %d of them accepted", len(p.record.sockets), p.record.opened)
		}
		return nil
	}, nil)
	if err != nil {
		p.picture("a WebSocket")
		p.Fatalf("%s: %v", p.name, err)
	}
}
