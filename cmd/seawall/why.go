package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seawall-edge/seawall"
	"github.com/seawall-edge/seawall/edge/journal"
)

// whyCommand is `seawall why`.
type whyCommand struct {
	RequestID string `arg:"" name:"request-id" help:"The ID on an error page or in the access log."`
	State     string `placeholder:"DIR" default:"${state}" help:"State directory of the program that answered (${default})."`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// Run explains what happened to a request.
func (r whyCommand) Run(p *program) error {
	id, err := seawall.ParseRequestID(strings.ToLower(strings.TrimSpace(r.RequestID)))
	if err != nil {
		return usageError{fmt.Errorf("%q is not a request ID: %w", r.RequestID, err)}
	}
	record, err := journal.Find(journalDir(r.State), id)
	if errors.Is(err, journal.ErrNotKept) {
		if r.JSON {
			err = printJSON(p.stdout, map[string]any{"id": id.String(), "kept": false, "why": err.Error()})
		} else {
			_, err = fmt.Fprintf(p.stdout, "Request %s: %v.\nIt arrived at %s, if this ID is from here.\n",
				id, err, id.Time().UTC().Format(time.RFC3339))
		}
		return errors.Join(err, errSaid)
	}
	if err != nil {
		return err
	}
	if r.JSON {
		return printJSON(p.stdout, newFound(record))
	}
	_, err = fmt.Fprint(p.stdout, explainRecord(record))
	return err
}

// What each word of a record means to somebody who did not write the edge.
var (
	rungWords = map[string]string{
		"door":        "at the door, where connections are counted and requests read",
		"zone":        "where the zone is looked up by the host",
		"client":      "where it is found out who asks",
		"maintenance": "where it is seen whether the site is open",
		"normalise":   "where the address is brought into one form",
		"access":      "where it is seen whether the zone lets this visitor in",
		"rules":       "where the zone sends visitors elsewhere or answers by itself",
		"cache":       "at the cache",
		"origin":      "at the origin, the server that has the site",
		"store":       "where it is decided whether the answer may be kept",
		"event":       "at the end of the ladder",
	}
	actionWords = map[string]string{
		"passed":  "was answered",
		"refused": "was refused by the edge",
		"failed":  "could not be answered",
	}
	cacheWords = map[string]string{
		"none":         "was not asked",
		"hit":          "had the answer",
		"uri-miss":     "had nothing under this address",
		"vary-miss":    "had answers under this address, but for other request fields (Vary)",
		"stale":        "had an answer that was no longer fresh",
		"request":      "had an answer that the request did not allow to use (its Cache-Control)",
		"method":       "is never asked for this method",
		"bypass":       "was kept out by the zone's settings or the request",
		"partial":      "had a part of the answer",
		"served-stale": "answered although its answer was no longer fresh: the origin allows it, could not be reached, or is being asked meanwhile",
		"revalidated":  "had an answer, and the origin said that it is still good",
		"collapsed":    "gave the answer that another request had asked for at the same time",
	}
	storeWords = map[string]string{
		"none":             "there was nothing to decide",
		"stored":           "it was kept",
		"method":           "not kept: only answers to GET are, and to POST those that name their own address and lifetime",
		"status":           "not kept: an answer with this status is for this request alone",
		"no-freshness":     "not kept: the origin names no lifetime (Cache-Control: max-age or s-maxage, or Expires), and nothing that one could be guessed from",
		"no-store":         "not kept: the origin forbids it (Cache-Control: no-store)",
		"private":          "not kept: the origin says it is for one visitor (Cache-Control: private)",
		"no-cache":         "not kept: the origin wants to be asked each time (Cache-Control: no-cache), and there is no ETag or Last-Modified to ask with",
		"authorization":    "not kept: the request was authenticated, and the origin does not allow sharing",
		"request-no-store": "not kept: the request forbids it (Cache-Control: no-store)",
		"vary-star":        "not kept: it differs by more than a request shows the cache (Vary: *, or a field that the edge writes)",
		"too-large":        "not kept: it is larger than one object may be (cache.max_object)",
		"partial":          "not kept: it is a part, or was cut short",
		"expired":          "not kept: its lifetime was over when it arrived",
		"set-cookie":       "not kept: it sets a cookie (cache.set_cookie)",
		"undecided":        "not kept: the cache had no room for it at the time",
		"must-understand":  "not kept: the origin asks that a cache knows this status, and it is not a known one",
		"freshened":        "what was kept was brought up to date",
		"rule":             "not kept: a rule of the zone does not want it (cache.rules)",
		"armour":           "not kept: its type is not what its address promises (cache.armour)",
		"invalidated":      "what was kept under this address was dropped: the request may have changed it",
	}
)

// explainRecord says in words what happened, where and why.
func explainRecord(r journal.Record) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s"+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(&b, "Request %s %s.\n", r.ID, word(actionWords, r.Action))
	line("When", "%s, for %s", r.Time.UTC().Format("2006-01-02 15:04:05.000 UTC"), r.Duration)
	line("Client", "%s", printable(r.Client))
	line("Asked", "%s", asked(r))
	line("Zone", "%s", zoneWord(r.Zone))
	if r.Status == 0 {
		line("Answer", "none: the connection was closed after %d bytes", r.BytesOut)
	} else {
		line("Answer", "status %d, %d bytes", r.Status, r.BytesOut)
	}
	line("Where", "%s (rung %s)", word(rungWords, r.Rung), printable(r.Rung))
	if r.Reason != "" && r.Reason != seawall.ReasonNone.String() {
		line("Why", "%s (%s)", because(r), printable(r.Reason))
	}
	if r.Cause != "" {
		line("Cause", "%s", printable(r.Cause))
	}
	if r.Rule != "" {
		line("Rules", "%s", printable(r.Rule))
	}
	if r.Server != "" {
		line("Server", "%s", printable(r.Server))
	}
	line("Cache", "%s (%s)", word(cacheWords, r.Cache), printable(r.Cache))
	line("Stored", "%s (%s)", word(storeWords, r.Store), printable(r.Store))
	if r.UserAgent != "" {
		line("Agent", "%s", printable(r.UserAgent))
	}
	if r.JA4 != "" {
		line("JA4", "%s", printable(r.JA4))
	}
	if r.Referer != "" {
		line("Referer", "%s", printable(r.Referer))
	}
	if len(r.Cut) > 0 {
		line("Cut", "%s: longer than what is kept of it", join(r.Cut, "and"))
	}
	return b.String()
}

// word returns the meaning of a word; a newer program may have written one
// that this one does not know.
func word(words map[string]string, w string) string {
	if text := words[w]; text != "" {
		return text
	}
	return printable(w)
}

func because(r journal.Record) string {
	if r.Sentence == "" {
		return "For a reason that this program does not know."
	}
	return r.Sentence
}

func zoneWord(zone string) string {
	if zone == seawall.ZoneNone {
		return "none: it ended before it had one"
	}
	return printable(zone)
}

func asked(r journal.Record) string {
	if r.Method == "" && r.Target == "" {
		return "nothing that could be read"
	}
	scheme := "http"
	if r.Secure {
		scheme = "https"
	}
	return fmt.Sprintf("%s %s of %s (%s, %s)", printable(r.Method), printable(r.Target), printable(r.Host), r.Protocol, scheme)
}

// printable keeps what a visitor sent from steering a terminal.
func printable(text string) string {
	if text == "" {
		return "-"
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' || c >= utf8.RuneSelf || c == 0x7f {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// found is a record as JSON; its keys are those of the access log.
type found struct {
	ID        string    `json:"id"`
	Kept      bool      `json:"kept"`
	Time      time.Time `json:"time"`
	Duration  int64     `json:"duration_us"`
	Client    string    `json:"client"`
	Zone      string    `json:"zone"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	Target    string    `json:"target"`
	UserAgent string    `json:"user_agent"`
	Referer   string    `json:"referer"`
	Server    string    `json:"server,omitempty"`
	Cause     string    `json:"cause,omitempty"`
	Rule      string    `json:"rule,omitempty"`
	JA4       string    `json:"ja4,omitempty"`
	Cut       []string  `json:"cut,omitempty"`
	Protocol  string    `json:"protocol"`
	Secure    bool      `json:"tls"`
	Status    int       `json:"status"`
	BytesIn   int64     `json:"bytes_in"`
	BytesOut  int64     `json:"bytes_out"`
	Rung      string    `json:"rung"`
	Action    string    `json:"action"`
	Reason    string    `json:"reason"`
	Sentence  string    `json:"sentence,omitempty"`
	Cache     string    `json:"cache"`
	Store     string    `json:"store"`
}

func newFound(r journal.Record) found {
	return found{
		ID: r.ID.String(), Kept: true, Time: r.Time, Duration: r.Duration.Microseconds(), Client: r.Client,
		Zone: r.Zone, Method: printable(r.Method), Host: printable(r.Host), Target: printable(r.Target),
		UserAgent: printable(r.UserAgent), Referer: printable(r.Referer),
		Server: printable(r.Server), Cause: printable(r.Cause), Rule: printable(r.Rule), JA4: printable(r.JA4), Cut: r.Cut,
		Protocol: r.Protocol, Secure: r.Secure, Status: r.Status, BytesIn: r.BytesIn, BytesOut: r.BytesOut,
		Rung: r.Rung, Action: r.Action, Reason: r.Reason, Sentence: r.Sentence, Cache: r.Cache, Store: r.Store,
	}
}
