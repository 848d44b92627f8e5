package story

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// visitor is one raw connection to the edge.
type visitor struct {
	conn   *net.TCPConn
	tls    *tls.Conn // on conn; nil: the connection is plain
	reader *bufio.Reader
	last   *answer // of which the body may still be on its way
}

// answer is one answer as strictly read as RFC 9112 lets a recipient.
type answer struct {
	version, reason  string
	status           int
	fields, trailers http.Header
	body             []byte

	question *question // which it answers, where a witness listens
	read     bool      // to its end
	err      error     // or to where it was cut
	watched  bool
}

var answerLine = regexp.MustCompile(`^HTTP/(1\.[01]) ([1-9]\d\d) ([^\x00-\x08\x0a-\x1f\x7f]*)$`)

// errEnded means that the connection ended where an answer could have begun.
var errEnded = errors.New("the connection ended without an answer")

func connect(address string) (*visitor, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &visitor{conn: conn.(*net.TCPConn), reader: bufio.NewReader(conn)}, nil
}

// connectTLS asks for a site in the handshake. Whose certificate it sees is
// not what these scripts are about.
func connectTLS(address, name string) (*visitor, error) {
	v, err := connect(address)
	if err != nil {
		return nil, err
	}
	v.tls = tls.Client(v.conn, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err := errors.Join(v.conn.SetDeadline(time.Now().Add(patience)), v.tls.Handshake(), v.conn.SetDeadline(time.Time{})); err != nil {
		return nil, errors.Join(err, v.conn.Close())
	}
	v.reader = bufio.NewReader(v.tls)
	return v, nil
}

// endWriting says that nothing more comes.
func (v *visitor) endWriting() error {
	if v.tls != nil {
		if err := v.tls.CloseWrite(); err != nil {
			return err
		}
	}
	return v.conn.CloseWrite()
}

// send does not wait for large writes: an edge that refuses early need not read.
func (v *visitor) send(bytes string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if v.tls != nil {
			_, _ = io.WriteString(v.tls, bytes)
			return
		}
		_, _ = io.WriteString(v.conn, bytes) // the edge may have closed; the answer tells
	}()
	if len(bytes) < 32<<10 {
		<-done
	}
}

func (v *visitor) patient() error { return v.conn.SetReadDeadline(time.Now().Add(patience)) }

func (v *visitor) line() (string, error) {
	line, err := v.reader.ReadString('\n')
	if err != nil {
		if line != "" && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return line, err
	}
	if !strings.HasSuffix(line, "\r\n") {
		return line, fmt.Errorf("a line ends without CR: %q", line)
	}
	return line[:len(line)-2], nil
}

// head reads the head of the next answer.
func (v *visitor) head() (*answer, error) {
	if err := v.patient(); err != nil {
		return nil, err
	}
	if _, err := v.reader.Peek(1); ended(err) {
		return nil, errEnded
	}
	line, err := v.line()
	if err != nil {
		return nil, fmt.Errorf("read the status line: %w", err)
	}
	m := answerLine.FindStringSubmatch(line)
	if m == nil {
		return nil, fmt.Errorf("status line %q", line)
	}
	a := &answer{version: m[1], reason: m[3]}
	a.status, _ = strconv.Atoi(m[2])
	if a.fields, err = v.fields(); err != nil {
		return nil, err
	}
	v.last = a
	return a, a.check()
}

func (v *visitor) fields() (http.Header, error) {
	h := http.Header{}
	for {
		line, err := v.line()
		if err != nil || line == "" {
			return h, err
		}
		m := strictField.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("field line %q", line)
		}
		name := textproto.CanonicalMIMEHeaderKey(m[1])
		h[name] = append(h[name], m[2])
	}
}

// check holds for every answer, whatever its script says (RFC 9112 6.1, 6.3; RFC 9110 8.6, 15.2).
func (a *answer) check() error {
	lengths, codings := a.fields["Content-Length"], a.fields["Transfer-Encoding"]
	switch {
	case len(lengths)+len(codings) > 1:
		return fmt.Errorf("an answer with lengths %q and codings %q", lengths, codings)
	case len(codings) == 1 && codings[0] != "chunked":
		return fmt.Errorf("an answer with the coding %q", codings[0])
	case (a.status < 200 || a.status == 204) && len(lengths)+len(codings) > 0:
		return fmt.Errorf("a %d with a length", a.status)
	}
	return nil
}

// body reads what the last head announced; io.ErrUnexpectedEOF means that the answer was cut.
func (v *visitor) body() error {
	err := v.readBody(v.last)
	v.last.read, v.last.err = true, err
	return err
}

func (v *visitor) readBody(a *answer) error {
	if err := v.patient(); err != nil {
		return err
	}
	if a.status < 200 || a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		return nil
	}
	if a.fields.Get("Transfer-Encoding") != "" {
		return v.chunks(a)
	}
	length := a.fields.Get("Content-Length")
	if length == "" {
		rest, err := io.ReadAll(v.reader)
		a.body = append(a.body, rest...)
		return cutShort(err)
	}
	n, err := strconv.ParseUint(length, 10, 40)
	if err != nil {
		return fmt.Errorf("length %q: %w", length, err)
	}
	a.body = make([]byte, n)
	read, err := io.ReadFull(v.reader, a.body)
	a.body = a.body[:read]
	return cutShort(err)
}

func (v *visitor) chunks(a *answer) error {
	for {
		line, err := v.line()
		if err != nil {
			return cutShort(err)
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(size, 16, 40)
		if err != nil {
			return fmt.Errorf("chunk size line %q", line)
		}
		if n == 0 {
			a.trailers, err = v.fields()
			return cutShort(err)
		}
		chunk := make([]byte, n)
		read, err := io.ReadFull(v.reader, chunk)
		a.body = append(a.body, chunk[:read]...)
		if err != nil {
			return cutShort(err)
		}
		if line, err = v.line(); err != nil || line != "" {
			return errors.Join(cutShort(err), fmt.Errorf("a chunk without its line end: %q", line))
		}
	}
}

// cutShort gives the ways in which a connection ends early one name.
func cutShort(err error) error {
	if ended(err) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ended reports an end of the connection, in contrast to silence until the
// deadline and to something unreadable.
func ended(err error) bool {
	var network net.Error
	if errors.As(err, &network) {
		return !network.Timeout()
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// closed waits for the end of the connection and complains about further bytes.
func (v *visitor) closed() error {
	if err := v.patient(); err != nil {
		return err
	}
	rest, err := io.ReadAll(io.LimitReader(v.reader, 4096))
	if len(rest) > 0 {
		return fmt.Errorf("after the answer, the connection brought %s", short(rest))
	}
	if err != nil && !ended(err) {
		return errors.New("the connection stays open")
	}
	return nil
}

func (v *visitor) raw(want string) error {
	if err := v.patient(); err != nil {
		return err
	}
	got := make([]byte, len(want))
	n, err := io.ReadFull(v.reader, got)
	if err != nil || string(got) != want {
		return fmt.Errorf("the visitor got %q (%v), not %q", got[:n], err, want)
	}
	return nil
}
