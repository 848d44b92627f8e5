package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// The paths of the origin. Whatever is under pathPass may not be stored.
const (
	path1K    = "/1k.css"
	path16K   = "/16k.css"
	path1M    = "/1m.css"
	pathPass  = "/pass"
	pathCount = "/count"
)

// sizes gives the body length of every path but pathCount.
var sizes = map[string]int{path1K: 1 << 10, path16K: 16 << 10, path1M: 1 << 20, pathPass: 1 << 10}

// originBody is the same every time, so that an answer can be compared byte
// by byte with what the origin sent.
func originBody(path string) []byte {
	text := bytes.Repeat([]byte("a { color: #0b7285; margin: 0 }\n"), sizes[path]/32+1)
	return text[:sizes[path]]
}

func originAnswer(path string) []byte {
	body := originBody(path)
	control := "public, max-age=3600"
	if path == pathPass {
		control = "private, no-store"
	}
	now := time.Now().UTC()
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: origin\r\nDate: %s\r\nContent-Type: text/css; charset=utf-8\r\n"+
		"Content-Length: %d\r\nCache-Control: %s\r\nETag: \"5f3a-%d\"\r\nLast-Modified: %s\r\nVary: Accept-Encoding\r\n"+
		"X-Content-Type-Options: nosniff\r\nReferrer-Policy: strict-origin-when-cross-origin\r\n"+
		"Strict-Transport-Security: max-age=31536000\r\n\r\n",
		now.Format(http.TimeFormat), len(body), control, len(body), now.Add(-24*time.Hour).Format(http.TimeFormat))
	return append([]byte(head), body...)
}

// serveOrigin answers from prepared bytes. It shares a core with the
// generator, hence a bare loop in place of net/http. It understands what
// proxies send it for a GET and no more.
func serveOrigin(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("start origin: %w", err)
	}
	answers := map[string][]byte{}
	for path := range sizes {
		answers[path] = originAnswer(path)
	}
	var served atomic.Int64
	for {
		conn, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("accept at the origin: %w", err)
		}
		go answerAll(conn, answers, &served)
	}
}

func answerAll(conn net.Conn, answers map[string][]byte, served *atomic.Int64) {
	defer conn.Close()
	buffer := make([]byte, 8<<10)
	filled := 0
	for {
		n, err := conn.Read(buffer[filled:])
		if err != nil {
			return
		}
		filled += n
		for {
			end := bytes.Index(buffer[:filled], []byte("\r\n\r\n"))
			if end < 0 {
				break
			}
			method, rest, _ := bytes.Cut(buffer[:end], []byte(" "))
			path, _, _ := bytes.Cut(rest, []byte(" "))
			answer := answers[string(path)]
			switch {
			case string(path) == pathCount:
				number := strconv.FormatInt(served.Load(), 10)
				answer = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(number), number)
			case string(method) != "GET" || answer == nil:
				answer = []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
			default:
				served.Add(1)
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
			filled = copy(buffer, buffer[end+4:filled])
		}
		if filled == len(buffer) {
			return
		}
	}
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

// serveReverseProxy is the standard library's proxy as its documentation has
// it, but with enough idle connections kept: the default of two per host
// would measure TCP handshakes.
func serveReverseProxy(address, origin string) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 256
	transport.MaxIdleConnsPerHost = 256
	transport.DisableCompression = true
	target := &url.URL{Scheme: "http", Host: origin}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
	}
	server := &http.Server{Addr: address, Handler: proxy, ReadHeaderTimeout: time.Minute}
	return server.ListenAndServe()
}
