package hostile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// visitor is a raw client that takes nothing for granted.
type visitor struct {
	conn   *net.TCPConn
	reader *bufio.Reader
}

// got is what a visitor got for one request.
type got struct {
	interim  []int
	status   int // 0: the connection ended before a final answer
	fields   []field
	body     string
	trailers []field
	whole    bool  // a client can take it for complete
	open     bool  // the connection goes on
	wrong    error // what no answer may be, or no answer in time
}

type field struct{ name, value string }

func enter(address string) (*visitor, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	return &visitor{conn.(*net.TCPConn), bufio.NewReader(conn)}, nil
}

func (v *visitor) send(text string) error {
	if err := v.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := io.WriteString(v.conn, text)
	return err
}

// receive reads one answer to a request as strictly as a client can; sees is
// called with every status that comes, before anything else of it is read.
func (v *visitor) receive(method string, minor int, sees func(status int)) (g got) {
	if g.wrong = v.conn.SetReadDeadline(time.Now().Add(patience)); g.wrong != nil {
		return g
	}
	for {
		status, err := v.statusLine()
		if err != nil {
			g.wrong = unlessEnded(err)
			return g
		}
		sees(status)
		if status >= 200 || status == 101 {
			g.status = status
		}
		fields, err := v.section()
		if err != nil {
			g.wrong = unlessEnded(err)
			return g
		}
		g.fields = fields
		if g.status == 0 {
			g.interim = append(g.interim, status)
		}
		if g.wrong = checkFields(status, fields, minor); g.wrong != nil {
			return g
		}
		if g.status != 0 {
			break
		}
	}
	v.content(&g, method, minor)
	return g
}

// unlessEnded is nil for the end of a connection, which is no answer but not
// a wrong one.
func unlessEnded(err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("the visitor waits in vain")
	}
	if errors.Is(err, errGrammar) {
		return err
	}
	return nil
}

var errGrammar = errors.New("this is no HTTP")

func ungrammatical(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errGrammar}, args...)...)
}

// line reads one that ends with CRLF and holds no other control byte but tabs.
func (v *visitor) line() (string, error) {
	text, err := v.reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	line, found := strings.CutSuffix(text, "\r\n")
	if !found || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "", ungrammatical("line %.80q", text)
	}
	return line, nil
}

var statusLine = regexp.MustCompile(`^HTTP/1\.1 ([1-5][0-9][0-9]) .*$`)

func (v *visitor) statusLine() (int, error) {
	line, err := v.line()
	if err != nil {
		return 0, err
	}
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return 0, ungrammatical("status line %.80q", line)
	}
	return strconv.Atoi(m[1])
}

var fieldLine = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$")

// section reads fields up to the empty line.
func (v *visitor) section() (fields []field, err error) {
	for {
		line, err := v.line()
		if err != nil || line == "" {
			return fields, err
		}
		m := fieldLine.FindStringSubmatch(line)
		if m == nil {
			return fields, ungrammatical("field line %.80q", line)
		}
		fields = append(fields, field{m[1], m[2]})
	}
}

func values(fields []field, name string) (all []string) {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			all = append(all, f.value)
		}
	}
	return all
}

var requestID = regexp.MustCompile(`^[0-9a-hjkmnp-tv-z]{20}$`)

// checkFields looks for what no answer of a proxy may have, whatever it got.
func checkFields(status int, fields []field, minor int) error {
	lengths, codings := values(fields, "Content-Length"), values(fields, "Transfer-Encoding")
	bare := status < 200 || status == 204
	switch ids := values(fields, "Seawall-Request-Id"); {
	case len(lengths)+len(codings) > 1:
		return ungrammatical("lengths %q, codings %q", lengths, codings)
	case bare && len(lengths)+len(codings) > 0: // RFC 9110, 8.6; RFC 9112, 6.1
		return ungrammatical("a %d with length %q, coding %q", status, lengths, codings)
	case len(codings) == 1 && (codings[0] != "chunked" || minor == 0): // RFC 9112, 6.1
		return ungrammatical("coding %q for HTTP/1.%d", codings, minor)
	case status < 200 && minor == 0: // RFC 9110, 15.2
		return ungrammatical("a %d for HTTP/1.0", status)
	case status >= 200 && (len(ids) != 1 || !requestID.MatchString(ids[0])):
		return fmt.Errorf("request IDs %q", ids)
	case len(values(fields, "Keep-Alive"))+len(values(fields, "Proxy-Connection")) > 0: // RFC 9110, 7.6.1
		return fmt.Errorf("fields of another connection: %q", fields)
	}
	return nil
}

// content reads the body and its end (RFC 9112, 6.3).
func (v *visitor) content(g *got, method string, minor int) {
	connection := strings.ToLower(strings.Join(values(g.fields, "Connection"), ","))
	g.open = g.status != 101 && !strings.Contains(connection, "close") && (minor == 1 || strings.Contains(connection, "keep-alive"))
	lengths := values(g.fields, "Content-Length")
	var err error
	switch {
	case method == "HEAD" || g.status == 101 || g.status == 204 || g.status == 304:
	case len(values(g.fields, "Transfer-Encoding")) > 0:
		err = v.chunks(g)
	case len(lengths) == 1:
		length, wrong := strconv.ParseInt(lengths[0], 10, 64)
		if wrong != nil || length < 0 {
			g.wrong = ungrammatical("length %q", lengths)
			return
		}
		var body strings.Builder
		_, err = io.CopyN(&body, v.reader, length)
		g.body = body.String()
	default:
		var body []byte
		g.open = false
		body, err = io.ReadAll(v.reader)
		g.body = string(body)
	}
	g.wrong = unlessEnded(err)
	g.whole = err == nil
	g.open = g.open && g.whole
}

var chunkLine = regexp.MustCompile(`^[0-9A-Fa-f]{1,15}$`)

func (v *visitor) chunks(g *got) error {
	var body strings.Builder
	defer func() { g.body = body.String() }()
	for {
		line, err := v.line()
		if err != nil {
			return err
		}
		if !chunkLine.MatchString(line) {
			return ungrammatical("chunk line %.80q", line)
		}
		size, err := strconv.ParseInt(line, 16, 64)
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		if _, err := io.CopyN(&body, v.reader, size); err != nil {
			return err
		}
		switch end, err := v.line(); {
		case err != nil:
			return err
		case end != "":
			return ungrammatical("after a chunk: %.80q", end)
		}
	}
	trailers, err := v.section()
	g.trailers = trailers
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Host", "Content-Type", "Set-Cookie", "Trailer"} {
		if err == nil && len(values(trailers, name)) > 0 { // RFC 9110, 6.5.1
			return ungrammatical("trailers %q", trailers)
		}
	}
	return err
}

// String shows what was got in a message.
func (g got) String() string {
	state := "cut"
	if g.whole {
		state = "whole"
	}
	if g.status == 0 {
		state = "no answer"
	}
	text := fmt.Sprintf("%d (%s) %.400q", g.status, state, g.body)
	if len(g.interim) > 0 {
		text = fmt.Sprintf("%v, then %s", g.interim[:min(len(g.interim), 40)], text)
	}
	if g.wrong != nil {
		text += ": " + g.wrong.Error()
	}
	return text
}

// isPage reports whether it is an error page of the edge: its text names the
// request. Of a page for HEAD there is the head alone.
func (g got) isPage(method string, statuses ...int) bool {
	id := values(g.fields, "Seawall-Request-Id")
	return g.whole && slices.Contains(statuses, g.status) && len(id) == 1 && strings.Contains(g.body, id[0]) != (method == "HEAD")
}

// poison is a word that only bytes have which no visitor may get.
const poison = "poison"
