package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The paths of the origin. Whatever begins with passPrefix may not be stored.
const (
	path1K       = "/1k.css"
	path16K      = "/16k.css"
	path1M       = "/1m.css"
	pathText     = "/text.html"
	passPrefix   = "/pass"
	pathPass1K   = passPrefix + "-1k"
	pathPass16K  = passPrefix + "-16k"
	pathPass1M   = passPrefix + "-1m"
	pathPassText = passPrefix + "-text"
	pathUpload   = "/upload"
	pathSocket   = "/socket"
	pathCount    = "/count"
)

// sizes gives the body length of every path that is fetched.
var sizes = map[string]int{
	path1K: 1 << 10, path16K: 16 << 10, path1M: 1 << 20,
	pathPass1K: 1 << 10, pathPass16K: 16 << 10, pathPass1M: 1 << 20,
	pathText: 16 << 10, pathPassText: 16 << 10,
}

// originBody is the same every time, so that an answer can be compared byte
// by byte with what the origin sent.
func originBody(path string) []byte {
	if path == pathText || path == pathPassText {
		return pageText(sizes[path])
	}
	text := bytes.Repeat([]byte("a { color: #0b7285; margin: 0 }\n"), sizes[path]/32+1)
	return text[:sizes[path]]
}

// pageText is a page that compresses as pages do, to a third or so: words that
// come often and words that come seldom, with markup between them.
func pageText(size int) []byte {
	words := strings.Fields("the of and a to in is you that it he was for on are as with his they at be this have from or one had by word but not what all were we when " +
		"harbour lighthouse lantern keeper evening weather signal northern passage granite window letter machine distance winter shoulder")
	var b bytes.Buffer
	seed := uint32(1)
	for n := 0; b.Len() < size; n++ {
		seed = seed*1664525 + 1013904223
		if n%40 == 0 {
			fmt.Fprintf(&b, "</p>\n<p class=\"entry\" id=\"e%d\">", seed>>12)
		}
		b.WriteString(words[(seed>>16)%uint32(len(words))*(seed>>28)/16])
		b.WriteByte(' ')
	}
	return b.Bytes()[:size]
}

// originTag is the entity tag of what is there.
func originTag(path string) string { return fmt.Sprintf("\"5f3a-%d\"", sizes[path]) }

func originAnswer(path string) []byte {
	body := originBody(path)
	control := "public, max-age=3600"
	if strings.HasPrefix(path, passPrefix) {
		control = "private, no-store"
	}
	now := time.Now().UTC()
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: origin\r\nDate: %s\r\nContent-Type: text/css; charset=utf-8\r\n"+
		"Content-Length: %d\r\nCache-Control: %s\r\nETag: %s\r\nLast-Modified: %s\r\nVary: Accept-Encoding\r\n"+
		"X-Content-Type-Options: nosniff\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n"+
		"Strict-Transport-Security: max-age=31536000\r\n\r\n",
		now.Format(http.TimeFormat), len(body), control, originTag(path), now.Add(-24*time.Hour).Format(http.TimeFormat))
	return append([]byte(head), body...)
}

// origin answers from prepared bytes. It shares a core with the generator,
// hence a bare loop in place of net/http. It understands what proxies send
// it for a GET, an upload and a WebSocket, and no more.
type origin struct {
	answers map[string][]byte
	upload  []byte        // what an upload must consist of
	delay   time.Duration // how long a crowd's object takes
	served  atomic.Int64  // answers, whole uploads, echoed messages, and a crowd's requests as they arrive
}

func newOrigin() *origin {
	o := &origin{answers: map[string][]byte{}, upload: originBody(path1M), delay: crowdDelay}
	for path := range sizes {
		o.answers[path] = originAnswer(path)
	}
	return o
}

func serveOrigin(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("start origin: %w", err)
	}
	o := newOrigin()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("accept at the origin: %w", err)
		}
		go func() {
			defer conn.Close()
			if o.answerAll(conn) {
				o.echo(conn)
			}
		}()
	}
}

var notFound = []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

// answerAll returns true once the connection has become a WebSocket, and
// false at its end.
func (o *origin) answerAll(conn net.Conn) (upgraded bool) {
	buffer := make([]byte, 8<<10)
	filled := 0
	for {
		n, err := conn.Read(buffer[filled:])
		if err != nil {
			return false
		}
		filled += n
		for {
			end := bytes.Index(buffer[:filled], []byte("\r\n\r\n"))
			if end < 0 {
				break
			}
			head, used := buffer[:end], end+4
			method, rest, _ := bytes.Cut(head, []byte(" "))
			path, _, _ := bytes.Cut(rest, []byte(" "))
			answer := o.answers[string(path)]
			switch {
			case string(path) == pathCount:
				number := strconv.FormatInt(o.served.Load(), 10)
				answer = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(number), number)
			case string(path) == pathSocket && filled == used:
				answer, upgraded = accept(head)
			case string(path) == pathUpload && string(method) == "POST":
				var taken int
				if answer, taken, err = o.swallow(conn, head, buffer[used:filled]); err != nil {
					return false
				}
				used += taken
			case string(method) == "GET" && answer == nil && isCrowd(string(path)):
				answer = o.late(string(path))
			case string(method) != "GET" || answer == nil:
				answer = notFound
			default:
				o.served.Add(1)
			}
			if _, err := conn.Write(answer); err != nil {
				return false
			}
			if upgraded {
				return true
			}
			filled = copy(buffer, buffer[used:filled])
		}
		if filled == len(buffer) {
			return false
		}
	}
}

// field returns the value of a header field, or nil.
func field(head []byte, name string) []byte {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if found, value, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(found), name) {
			return bytes.TrimSpace(value)
		}
	}
	return nil
}

// originServed asks the origin how many requests it has answered.
func originServed(address string) (int64, error) {
	response, err := http.Get("http://" + address + pathCount)
	if err != nil {
		return 0, fmt.Errorf("ask the origin: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, fmt.Errorf("ask the origin: %w", err)
	}
	return strconv.ParseInt(string(text), 10, 64)
}
