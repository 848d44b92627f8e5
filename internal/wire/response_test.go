package wire

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

func TestResponse_readsAndRepairsAHead(t *testing.T) {
	head := []byte("HTTP/1.1 200 OK\nContent-Length: 5\nA : b\r\nFolded: one\r\n  two\r\n\tthree \r\nB: c\r\nAlone:\r\n 1000\r\n\r\n")
	var r Response
	n, problem := r.Parse(head)
	if n != len(head) || problem != NoProblem {
		t.Fatalf("Parse = %d, %v", n, problem)
	}
	if r.Status != 200 || r.ContentLength != 5 || !r.KeepAlive {
		t.Errorf("read as %+v", r)
	}
	for name, want := range map[string]string{"A": "b", "Folded": "one    two  \tthree", "B": "c", "Alone": "1000"} {
		i := r.Fields.NextNamed([]byte(name), -1)
		if i < 0 || string(r.Fields.Value(i)) != want {
			t.Errorf("%s at %d; want %q", name, i, want)
		} else if bytes.ContainsAny(r.Fields.Value(i), "\r\n") {
			t.Errorf("%s still holds a line end", name)
		}
	}
}

func TestResponse_refusesWhatCannotBeFramed(t *testing.T) {
	for _, c := range []struct {
		name, head string
		want       Problem
	}{
		{"garbage", "hello there\r\n\r\n", BadStatusLine},
		{"garbage without a line", "hello", BadStatusLine},
		{"status 099", "HTTP/1.1 099 X\r\n\r\n", BadStatusLine},
		{"status 1000", "HTTP/1.1 1000 X\r\n\r\n", BadStatusLine},
		{"status 600", "HTTP/1.1 600 X\r\n\r\n", BadStatusLine},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", BadStatusLine},
		{"both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", LengthConflict},
		{"differing lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", LengthConflict},
		{"length with sign", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", BadLength},
		{"NUL", "HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n", BadField},
		{"bare CR", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", BadField},
		{"fold before any field", "HTTP/1.1 200 OK\r\n b\r\n\r\n", BadField},
		{"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", UnknownTransferCoding},
		{"coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", BadTransferCoding},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Response
			if n, problem := r.Parse([]byte(c.head)); problem != c.want {
				t.Errorf("Parse = %d, %q; want %q", n, problem.Error(), c.want.Error())
			}
		})
	}
	var r Response
	if _, problem := r.Parse([]byte("HTTP/1.1 200\r\nContent-Length: 5, 5\r\n\r\n")); problem != NoProblem || r.ContentLength != 5 {
		t.Errorf("equal lengths: %v, %d", problem, r.ContentLength)
	}
}

// What we accept from an origin, net/http frames the same way, as far as it
// accepts it.
func FuzzResponse_agreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
		"HTTP/1.0 304 Not Modified\r\nA: b\r\n c\r\n\r\n",
		"HTTP/1.1 200\nA:b\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Response
		n, problem := r.Parse(data)
		if problem != NoProblem || n == 0 {
			return
		}
		for i := range r.Fields.Len() {
			if bytes.ContainsAny(r.Fields.Name(i), " \r\n\x00:") || bytes.ContainsAny(r.Fields.Value(i), "\r\n\x00") {
				t.Fatalf("%q: field %q: %q", data, r.Fields.Name(i), r.Fields.Value(i))
			}
		}
		response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data[:n])), nil)
		if err != nil {
			return // it is stricter about repairs
		}
		defer func() { _ = response.Body.Close() }()
		_, _ = io.Copy(io.Discard, response.Body)
		if response.StatusCode != r.Status {
			t.Fatalf("%q: status %d, by net/http %d", data, r.Status, response.StatusCode)
		}
		if r.Chunked != (len(response.TransferEncoding) > 0) {
			t.Fatalf("%q: chunked %v, by net/http %v", data, r.Chunked, response.TransferEncoding)
		}
	})
}
