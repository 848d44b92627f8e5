package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestOrigin_countsOnlyWholeUploadsThatAreRight(t *testing.T) {
	right := originBody(path1M)
	wrong := bytes.Clone(right)
	wrong[len(wrong)-1] ^= 1
	for _, c := range []struct {
		name   string
		body   []byte
		length string
		status int
		served int64
	}{
		{"right", right, fmt.Sprint(len(right)), 204, 1},
		{"last byte wrong", wrong, fmt.Sprint(len(wrong)), 400, 0},
		{"too short", right[:4096], "4096", 400, 0},
		{"too long", append(bytes.Clone(right), 'x'), fmt.Sprint(len(right) + 1), 400, 0},
		{"no length", nil, "", 411, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			o := newOrigin()
			go o.answerAll(far)
			// The next request follows at once, so that a body read too far
			// or not far enough is seen.
			go near.Write(fmt.Appendf(nil, "POST /upload HTTP/1.1\r\ncontent-length: %s\r\n\r\n%sGET /1k.css HTTP/1.1\r\n\r\n", c.length, c.body))
			reader := bufio.NewReader(near)
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != c.status {
				t.Errorf("status %d, want %d", response.StatusCode, c.status)
			}
			want := c.served
			if !response.Close {
				want++
				if next, err := http.ReadResponse(reader, nil); err != nil || next.StatusCode != 200 {
					t.Errorf("the request after it: %v, %v", next, err)
				}
			}
			if o.served.Load() != want {
				t.Errorf("counted %d, want %d", o.served.Load(), want)
			}
		})
	}
}

func TestUploadScript_saysWhatTheOriginExpects(t *testing.T) {
	_, after, _ := strings.Cut(string(uploadScript), `string.rep("`)
	line, count, ok := strings.Cut(after, `\n", `)
	var times int
	if _, err := fmt.Sscanf(count, "%d)", &times); err != nil || !ok {
		t.Fatalf("no string.rep in %s", uploadScript)
	}
	if !bytes.Equal(bytes.Repeat([]byte(line+"\n"), times), originBody(path1M)) {
		t.Error("wrk would send something else than the origin compares with")
	}
}
