package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/seawall-edge/seawall"
)

// ErrNotKept says that the store has no such request. The error that wraps
// it says why that may be.
var ErrNotKept = errors.New("this request was not kept")

// Record is an Event as it was kept. Words are those of the Event's String
// methods, which outlive a change of the numbers behind them.
type Record struct {
	ID        seawall.RequestID
	Time      time.Time     // when the request's head was complete, to the microsecond
	Duration  time.Duration // until the answer was handed to the kernel, to the microsecond
	Client    string        // an address or, of a passed request, its network ("192.0.2.0/24")
	Zone      string
	Method    string // the texts are as received, byte for byte
	Host      string
	Target    string
	UserAgent string
	Referer   string
	Server    string   // the zone's server that was asked last; empty when none was
	Cause     string   // what went wrong there, for the operator
	Rule      string   // which of the zone's rules had a say
	JA4       string   // the fingerprint of the visitor's program
	Cut       []string // the texts that were too long: method, host, target, user_agent, referer
	Protocol  string
	Secure    bool
	Status    int // 0 when the connection was closed without an answer
	BytesIn   int64
	BytesOut  int64
	Rung      string
	Action    string
	Reason    string
	Sentence  string // what the reason means; empty when there is none or this program does not know it
	Cache     string
	Store     string
}

const (
	// The most of one segment that is looked at. Segments are closed at
	// 8 MiB and one batch; a larger file is not ours.
	segmentMost = 16 << 20

	// A segment's last write may seem this much earlier than a request in
	// it when the clock is being corrected.
	clockSlack = 2 * time.Second
)

// Find looks for a request in the store that another process may be writing
// to. It reads at most what the budgets allow, and no segment that was closed
// before the request arrived.
//
// The error wraps ErrNotKept when the request is not there.
func Find(dir string, id seawall.RequestID) (Record, error) {
	var lists [2][]segment
	var buf []byte
	for i, kind := range []string{kindRefused, kindPassed} {
		list, err := listSegments(dir, kind)
		if errors.Is(err, fs.ErrNotExist) {
			return Record{}, fmt.Errorf("%w: there is no store in %s", ErrNotKept, dir)
		}
		if err != nil {
			return Record{}, fmt.Errorf("look for request %s: %w", id, err)
		}
		lists[i] = list
	}
	for _, g := range slices.Concat(lists[0], lists[1]) {
		if g.last.Add(clockSlack).Before(id.Time()) {
			continue
		}
		var err error
		if buf, err = readSegment(g.path, buf); errors.Is(err, fs.ErrNotExist) {
			continue // deleted since we looked
		} else if err != nil {
			return Record{}, fmt.Errorf("look for request %s: %w", id, err)
		}
		if record, ok := findLine(buf, id); ok {
			return record, nil
		}
	}
	return Record{}, fmt.Errorf("%w: %s", ErrNotKept, whyNot(lists[0], lists[1], id))
}

// readSegment reads a segment into buf, which it may replace by a larger one.
func readSegment(path string, buf []byte) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return buf, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return buf, err
	}
	size := min(info.Size(), segmentMost)
	buf = slices.Grow(buf[:0], int(size))[:size]
	n, err := io.ReadFull(file, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return buf[:n], err
}

// findLine looks for the line that begins with the ID. A line that the end of
// the program cut short is none.
func findLine(segment []byte, id seawall.RequestID) (Record, bool) {
	prefix := id.AppendTo([]byte(idPrefix))
	for rest := segment; ; {
		i := bytes.Index(rest, prefix)
		if i < 0 {
			return Record{}, false
		}
		end := bytes.IndexByte(rest[i:], '\n')
		if end < 0 {
			return Record{}, false
		}
		start := len(segment) - len(rest) + i
		if start == 0 || segment[start-1] == '\n' {
			if record, err := parseLine(rest[i : i+end]); err == nil && record.ID == id {
				return record, true
			}
		}
		rest = rest[i+end:]
	}
}

func parseLine(line []byte) (Record, error) {
	var fields struct {
		ID        string    `json:"id"`
		Time      time.Time `json:"time"`
		Duration  int64     `json:"duration_us"`
		Client    string    `json:"client"`
		Zone      string    `json:"zone"`
		Method    string    `json:"method"`
		Host      string    `json:"host"`
		Target    string    `json:"target"`
		UserAgent string    `json:"user_agent"`
		Referer   string    `json:"referer"`
		Server    string    `json:"server"`
		Cause     string    `json:"cause"`
		Rule      string    `json:"rule"`
		JA4       string    `json:"ja4"`
		Cut       []string  `json:"cut"`
		Protocol  string    `json:"protocol"`
		Secure    bool      `json:"tls"`
		Status    int       `json:"status"`
		BytesIn   int64     `json:"bytes_in"`
		BytesOut  int64     `json:"bytes_out"`
		Rung      string    `json:"rung"`
		Action    string    `json:"action"`
		Reason    string    `json:"reason"`
		Cache     string    `json:"cache"`
		Store     string    `json:"store"`
	}
	if err := json.Unmarshal(line, &fields); err != nil {
		return Record{}, err
	}
	id, err := seawall.ParseRequestID(fields.ID)
	if err != nil {
		return Record{}, err
	}
	return Record{
		ID: id, Time: fields.Time, Duration: time.Duration(fields.Duration) * time.Microsecond,
		Client: fields.Client, Zone: unescape(fields.Zone), Method: unescape(fields.Method),
		Host: unescape(fields.Host), Target: unescape(fields.Target),
		UserAgent: unescape(fields.UserAgent), Referer: unescape(fields.Referer),
		Server: unescape(fields.Server), Cause: unescape(fields.Cause), Rule: unescape(fields.Rule), JA4: unescape(fields.JA4), Cut: fields.Cut,
		Protocol: fields.Protocol, Secure: fields.Secure, Status: fields.Status,
		BytesIn: fields.BytesIn, BytesOut: fields.BytesOut, Rung: fields.Rung, Action: fields.Action,
		Reason: fields.Reason, Sentence: sentence(fields.Reason), Cache: fields.Cache, Store: fields.Store,
	}, nil
}

// unescape turns the code points of a JSON text back into the bytes they
// stand for.
func unescape(text string) string {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		b = append(b, byte(r))
	}
	return string(b)
}

// sentence returns the sentence of the reason with this code.
func sentence(code string) string {
	for r := range seawall.Reasons {
		if reason := seawall.Reason(r); reason.String() == code {
			return reason.Sentence()
		}
	}
	return ""
}

// whyNot says why a request may not be in these segments.
func whyNot(refused, passed []segment, id seawall.RequestID) string {
	arrived := id.Time()
	if len(refused)+len(passed) == 0 {
		return "nothing is held yet"
	}
	why := heldFrom("refused and failed requests", refused, arrived) +
		", unless they came in a flood; " + heldFrom("passed requests", passed, arrived)
	if len(passed) == 0 {
		return why
	}
	sample := passed[len(passed)-1].sample
	why += fmt.Sprintf(", one in %d of them", sample)
	if !oneIn(sample).includes(id) {
		why += ", and this one is not in that sample"
	}
	return why
}

// heldFrom says from when on something is held.
func heldFrom(what string, list []segment, arrived time.Time) string {
	if len(list) == 0 {
		return "no " + what + " are held yet"
	}
	from := list[0].opened
	text := what + " are held from " + from.UTC().Format(time.RFC3339)
	if arrived.Before(from.Truncate(time.Second)) {
		text += " (this one arrived before, at " + arrived.UTC().Format(time.RFC3339) + ")"
	}
	return text
}
