package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestOrigin_answersPipelinedRequestsInOrder(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	o := newOrigin()
	go o.answerAll(far)
	go near.Write([]byte("GET /1k.css HTTP/1.1\r\nHost: a\r\n\r\nGET /pass-1k HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\n\r\n"))
	reader := bufio.NewReader(near)
	for _, want := range []struct {
		status  int
		control string
	}{{200, "public, max-age=3600"}, {200, "private, no-store"}, {404, ""}} {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != want.status || response.Header.Get("Cache-Control") != want.control {
			t.Errorf("got %d %q, want %d %q", response.StatusCode, response.Header.Get("Cache-Control"), want.status, want.control)
		}
		var sink strings.Builder
		if err := response.Write(&sink); err != nil {
			t.Fatal(err)
		}
	}
	if o.served.Load() != 2 {
		t.Errorf("counted %d requests, want 2", o.served.Load())
	}
}

func TestConfigurations_canBeFilled(t *testing.T) {
	filled := 0
	for _, c := range contenders {
		for _, secure := range []bool{false, true} {
			s := setup{Server: c.Name, Dir: t.TempDir(), Port: 8080, OriginPort: 8081, AccessLog: !secure}
			if secure {
				s.TLS, s.Hosts = &identity{}, []string{"a.test"}
			}
			if err := render(c, s); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			filled++
		}
	}
	if filled != 2*13 {
		t.Errorf("filled %d configurations, want 26", filled)
	}
}
