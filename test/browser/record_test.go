package browser

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// record is what the browser says about the requests of one tab.
type record struct {
	zones []string // the only hosts a tab may ask

	mu       sync.Mutex
	changed  chan struct{}                // closed and replaced whenever something changes
	inFlight map[network.RequestID]asking // what is asked for and not answered in full
	answers  []answer
	sockets  map[network.RequestID]string // open WebSockets
	opened   int                          // WebSockets that were accepted, ever
	broken   []string                     // told once by takeBroken
}

// asking is a request and the page load that it belongs to.
type asking struct {
	url    string
	loader cdp.LoaderID
}

// answer is one answer from the network; what the browser had itself is not one.
type answer struct {
	url         string
	kind        network.ResourceType
	status      int64
	cacheStatus string
}

func newRecord(zones []string) *record {
	return &record{
		zones: zones, changed: make(chan struct{}),
		inFlight: map[network.RequestID]asking{}, sockets: map[network.RequestID]string{},
	}
}

// excused are the failures that are not the edge's, each with why.
var excused = []struct{ has, why string }{
	{"chat.test/favicon.ico: status 404", "the chat has one page and answers everything else with 404"},
	{"slides.test/favicon.ico: status 404", "the slides have no icon there"},
	{"http://fonts.googleapis.com/css", "the slides take a typeface from outside, and there is no outside here"},
}

// listen takes the browser's events, in their order.
func (r *record) listen(event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.RedirectResponse != nil {
			r.answered(e.Type, e.RedirectResponse)
		}
		r.asked(e.RequestID, e.LoaderID, e.Request.URL)
	case *network.EventResponseReceived:
		if strings.HasPrefix(e.Response.URL, "http") {
			r.answered(e.Type, e.Response)
		}
	case *network.EventLoadingFinished:
		delete(r.inFlight, e.RequestID)
	case *network.EventLoadingFailed:
		if asked, ours := r.inFlight[e.RequestID]; ours {
			r.breaks("%s: %s (%s, canceled: %v)", asked.url, e.ErrorText, e.Type, e.Canceled)
		}
		delete(r.inFlight, e.RequestID)
	case *page.EventFrameNavigated:
		// Who leaves a page no longer waits for it, and the browser says nothing
		// about the requests that it gives up.
		maps.DeleteFunc(r.inFlight, func(_ network.RequestID, a asking) bool {
			return e.Frame.ParentID == "" && a.loader != e.Frame.LoaderID
		})
		if e.Frame.ParentID == "" {
			clear(r.sockets)
		}
	case *network.EventWebSocketCreated:
		r.sockets[e.RequestID] = e.URL
	case *network.EventWebSocketHandshakeResponseReceived:
		r.opened++
		if e.Response.Status != 101 {
			r.breaks("%s: WebSocket refused with %d", r.sockets[e.RequestID], e.Response.Status)
		}
	case *network.EventWebSocketFrameError:
		r.breaks("%s: WebSocket: %s", r.sockets[e.RequestID], e.ErrorMessage)
	case *network.EventWebSocketClosed:
		if socket, open := r.sockets[e.RequestID]; open {
			r.breaks("%s: WebSocket closed under an open page", socket)
		}
		delete(r.sockets, e.RequestID)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		r.breaks("script %s: %s", e.ExceptionDetails.URL, text)
	case *log.EventEntryAdded:
		// Network trouble is recorded above, with more to say.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			r.breaks("%s: %s", e.Entry.URL, e.Entry.Text)
		}
	default:
		return
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *record) asked(id network.RequestID, loader cdp.LoaderID, rawURL string) {
	u, err := url.Parse(rawURL)
	if err != nil {
		r.breaks("%s: %v", rawURL, err)
		return
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return // data: and blob: come from the page itself
	}
	if !slices.Contains(r.zones, u.Hostname()) {
		r.breaks("%s: the page asks a host that is not ours", rawURL)
	}
	if u.Path == "/favicon.ico" {
		return // the browser does not say when it has one; the address bar asks, not the page
	}
	r.inFlight[id] = asking{rawURL, loader}
}

func (r *record) answered(kind network.ResourceType, response *network.Response) {
	if response.Status >= 400 {
		r.breaks("%s: status %d", response.URL, response.Status)
	}
	if response.FromDiskCache || response.FromPrefetchCache || response.RemotePort == 0 {
		return
	}
	a := answer{url: response.URL, kind: kind, status: response.Status}
	for name, value := range response.Headers {
		if strings.EqualFold(name, "Cache-Status") {
			a.cacheStatus = fmt.Sprint(value)
		}
	}
	if a.cacheStatus == "" && !withoutEdge {
		r.breaks("%s: no Cache-Status", response.URL)
	}
	r.answers = append(r.answers, a)
}

func (r *record) breaks(format string, arguments ...any) {
	what := fmt.Sprintf(format, arguments...)
	for _, e := range excused {
		if strings.Contains(what, e.has) {
			return
		}
	}
	r.broken = append(r.broken, what)
}

// quiet waits until every request is answered in full.
func (r *record) quiet(ctx context.Context) error {
	for {
		r.mu.Lock()
		changed, waiting := r.changed, len(r.inFlight)
		var names []string
		for _, a := range r.inFlight {
			names = append(names, a.url)
		}
		r.mu.Unlock()
		if waiting == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("unanswered: %s: %w", strings.Join(names, ", "), ctx.Err())
		}
	}
}

// takeBroken returns what broke since it was last asked.
func (r *record) takeBroken() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	broken := r.broken
	r.broken = nil
	return broken
}

// documents returns the pages that were fetched since the first n answers,
// and how many answers there are now.
func (r *record) documents(n int) (pages []string, answers int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.answers[n:] {
		if a.kind == network.ResourceTypeDocument && !slices.Contains(pages, a.url) {
			pages = append(pages, a.url)
		}
	}
	return pages, len(r.answers)
}

// last returns the last answer for a URL.
func (r *record) last(rawURL string) (found answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.answers {
		if a.url == rawURL {
			found = a
		}
	}
	return found
}
