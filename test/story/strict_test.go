package story

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The one form of a request that no origin can read in two ways: what the
// edge may send (RFC 9112 3 to 7 without any of the leniency they allow).
var (
	strictLine  = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z\x60-]+) ([!-~]+) HTTP/(1\.[01])$`)
	strictField = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z\x60-]+): ?([^\x00-\x08\x0a-\x1f\x7f]*)$`)
	strictSize  = regexp.MustCompile(`^([0-9a-fA-F]{1,15})$`)
)

func strictHead(head []byte) (*forwarded, error) {
	line, rest, _ := strings.Cut(string(head), "\r\n")
	m := strictLine.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("request line %q", line)
	}
	fields, err := strictFields(rest)
	if err != nil {
		return nil, err
	}
	if n := len(fields["Host"]); n != 1 {
		return nil, fmt.Errorf("%d Host fields", n)
	}
	return &forwarded{method: m[1], target: m[2], version: m[3], host: fields.Get("Host"), fields: fields}, nil
}

// strictFields reads lines up to and including the empty one.
func strictFields(lines string) (http.Header, error) {
	h := http.Header{}
	for {
		line, rest, found := strings.Cut(lines, "\r\n")
		if !found {
			return nil, errors.New("fields without an end")
		}
		if line == "" {
			if rest != "" {
				return nil, fmt.Errorf("%q after the fields", rest)
			}
			return h, nil
		}
		m := strictField.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("field line %q", line)
		}
		name := textproto.CanonicalMIMEHeaderKey(m[1])
		h[name] = append(h[name], strings.TrimRight(m[2], " \t"))
		lines = rest
	}
}

func strictRequest(raw []byte) (*forwarded, error) {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, errors.New("a head without an end")
	}
	f, err := strictHead(raw[:end+4])
	if err != nil {
		return nil, err
	}
	rest := raw[end+4:]
	lengths, codings := f.fields["Content-Length"], f.fields["Transfer-Encoding"]
	switch {
	case len(lengths)+len(codings) > 1:
		return nil, fmt.Errorf("lengths %q and codings %q", lengths, codings)
	case len(codings) == 1 && codings[0] != "chunked":
		return nil, fmt.Errorf("coding %q", codings[0])
	case len(codings) == 1:
		f.body, f.trailers, err = strictChunks(string(rest))
		return f, err
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 62)
		if err != nil || int(n) != len(rest) {
			return nil, fmt.Errorf("length %q for %d bytes (%v)", lengths[0], len(rest), err)
		}
	case len(rest) != 0:
		return nil, fmt.Errorf("%d bytes after a request without a body", len(rest))
	}
	f.body = rest
	return f, nil
}

func strictChunks(rest string) ([]byte, http.Header, error) {
	var body []byte
	for {
		line, after, found := strings.Cut(rest, "\r\n")
		if !found || !strictSize.MatchString(line) {
			return nil, nil, fmt.Errorf("chunk size line %q", line)
		}
		n, err := strconv.ParseInt(line, 16, 62)
		if err != nil {
			return nil, nil, err
		}
		if n == 0 {
			trailers, err := strictFields(after)
			return body, trailers, err
		}
		if int64(len(after)) < n+2 || after[n:n+2] != "\r\n" {
			return nil, nil, fmt.Errorf("a chunk of %d bytes without its line end", n)
		}
		body, rest = append(body, after[:n]...), after[n+2:]
	}
}

func TestStrict_refusesWhatTwoParsersReadDifferently(t *testing.T) {
	const start = "POST /a HTTP/1.1\r\nHost: a\r\n"
	for _, raw := range []string{
		"GET /a\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET  /a HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a HTTP/1.1\nHost: a\r\n\r\n",
		"GET /a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		"GET /a HTTP/1.1\r\n\r\n",
		start + "X : a\r\n\r\n",
		start + "X: a\r\n b\r\n\r\n",
		start + "X: a\rb\r\n\r\n",
		start + "X: a\x00b\r\n\r\n",
		start + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
		start + "Content-Length: +1\r\n\r\na",
		start + "Content-Length: 1\r\n\r\nab",
		start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		start + "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
		start + "Transfer-Encoding: chunked\r\n\r\n1;a\r\na\r\n0\r\n\r\n",
		start + "Transfer-Encoding: chunked\r\n\r\n1\r\nab0\r\n\r\n",
		start + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
	} {
		if f, err := strictRequest([]byte(raw)); err == nil {
			t.Errorf("%q was read as %+v", raw, f)
		}
	}
}

func TestStrict_readsWhatTheEdgeMaySend(t *testing.T) {
	for raw, want := range map[string]string{
		"GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n":                                                                   "GET /a?b a ",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi":                                              "POST / a hi",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\nTr: x\r\n\r\n": "POST / a hi",
	} {
		f, size, err := readOne([]byte(raw))
		if err != nil || f == nil || size != len(raw) {
			t.Errorf("%q: %v, size %d", raw, err, size)
			continue
		}
		if got := fmt.Sprintf("%s %s %s %s", f.method, f.target, f.host, f.body); got != want {
			t.Errorf("%q was read as %q", raw, got)
		}
	}
}
