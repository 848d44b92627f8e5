package wire

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

var testLimits = Limits{Target: 16 << 10, Head: 32 << 10}

func TestRequest_readsAHead(t *testing.T) {
	const head = "\r\nPOST /a?b=c HTTP/1.1\r\nHost: Example.com:81\r\nContent-Length: 12\r\nX-Empty:\r\nConnection: keep-alive, Foo\r\nExpect: 100-Continue\r\n\r\n"
	var r Request
	n, problem := r.Parse([]byte(head+"rest"), testLimits)
	if n != len(head) || problem != NoProblem {
		t.Fatalf("Parse = %d, %v; want %d", n, problem, len(head))
	}
	if string(r.Method) != "POST" || string(r.Target) != "/a?b=c" || string(r.Host) != "Example.com:81" || r.Minor != 1 {
		t.Errorf("line read as %q %q %q %d", r.Method, r.Target, r.Host, r.Minor)
	}
	if r.ContentLength != 12 || r.Chunked || !r.KeepAlive || !r.Nominates || !r.ExpectContinue || r.Upgrade {
		t.Errorf("meaning read as %+v", r)
	}
	if value, ok := r.Fields.Get(ContentLength); !ok || string(value) != "12" {
		t.Errorf("Content-Length = %q, %v", value, ok)
	}
	if i := r.Fields.NextNamed([]byte("x-EMPTY"), -1); i < 0 || len(r.Fields.Value(i)) != 0 {
		t.Errorf("X-Empty at %d", i)
	}
}

func TestRequest_waitsForTheWholeHead(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n"
	var r Request
	for i := range len(head) {
		if n, problem := r.Parse([]byte(head[:i]), testLimits); n != 0 || problem != NoProblem {
			t.Fatalf("after %q: %d, %v", head[:i], n, problem)
		}
	}
	if n, _ := r.Parse([]byte(head), testLimits); n != len(head) {
		t.Errorf("whole head: %d", n)
	}
}

func TestRequest_refusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	host := "Host: a\r\n"
	for _, c := range []struct {
		name, head string
		want       Problem
	}{
		{"folded line", "GET / HTTP/1.1\r\n" + host + "A: b\r\n c\r\n\r\n", BadField},
		{"fold at the start", "GET / HTTP/1.1\r\n A: b\r\n" + host + "\r\n", BadField},
		{"bare LF in line", "GET / HTTP/1.1\n" + host + "\r\n", BadRequestLine},
		{"bare LF in fields", "GET / HTTP/1.1\r\nHost: a\n\r\n", BadField},
		{"bare CR in value", "GET / HTTP/1.1\r\n" + host + "A: b\rc\r\n\r\n", BadField},
		{"NUL in value", "GET / HTTP/1.1\r\n" + host + "A: b\x00c\r\n\r\n", BadField},
		{"DEL in a long value", "GET / HTTP/1.1\r\n" + host + "A: bbbbbbbbbbbbbb\x7fbbbbbbbbb\r\n\r\n", BadField},
		{"space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", BadField},
		{"no colon", "GET / HTTP/1.1\r\n" + host + "abc\r\n\r\n", BadField},
		{"empty name", "GET / HTTP/1.1\r\n" + host + ": abc\r\n\r\n", BadField},
		{"byte above ASCII in name", "GET / HTTP/1.1\r\n" + host + "\xe4: abc\r\n\r\n", BadField},
		{"HTTP/0.9", "GET /\r\n", BadRequestLine},
		{"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", BadTarget},
		{"space in target", "GET /a b HTTP/1.1\r\n" + host + "\r\n", BadRequestLine},
		{"tab between", "GET\t/ HTTP/1.1\r\n" + host + "\r\n", BadRequestLine},
		{"trailing space", "GET / HTTP/1.1 \r\n" + host + "\r\n", BadRequestLine},
		{"byte above ASCII in target", "GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", BadTarget},
		{"fragment", "GET /a#b HTTP/1.1\r\n" + host + "\r\n", BadTarget},
		{"lower-case version", "GET / http/1.1\r\n" + host + "\r\n", BadRequestLine},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", BadVersion},
		{"TLS", "\x16\x03\x01\x02\x00", BadRequestLine},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", HostMissing},
		{"empty Host", "GET / HTTP/1.0\r\nHost:\r\n\r\n", HostMissing},
		{"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", HostRepeated},
		{"length +5", "GET / HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\n", BadLength},
		{"length -1", "GET / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", BadLength},
		{"length 0x5", "GET / HTTP/1.1\r\n" + host + "Content-Length: 0x5\r\n\r\n", BadLength},
		{"length list", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5, 5\r\n\r\n", BadLength},
		{"empty length", "GET / HTTP/1.1\r\n" + host + "Content-Length:\r\n\r\n", BadLength},
		{"huge length", "GET / HTTP/1.1\r\n" + host + "Content-Length: 9999999999999999999\r\n\r\n", BadLength},
		{"two lengths", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", LengthConflict},
		{"length and coding", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", LengthConflict},
		{"coding and length", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", LengthConflict},
		{"coding in HTTP/1.0", "GET / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n", BadTransferCoding},
		{"chunked twice", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n", BadTransferCoding},
		{"chunked in two fields", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", BadTransferCoding},
		{"chunked not last", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n", BadTransferCoding},
		{"no chunked", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n\r\n", BadTransferCoding},
		{"empty coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n\r\n", BadTransferCoding},
		{"trailing comma", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked,\r\n\r\n", BadTransferCoding},
		{"vertical tab", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: \x0bchunked\r\n\r\n", BadField},
		{"unknown coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", UnknownTransferCoding},
		{"long target", "GET /" + strings.Repeat("a", 17<<10) + " HTTP/1.1\r\n" + host + "\r\n", TargetTooLong},
		{"target without end", "GET /" + strings.Repeat("a", 17<<10), TargetTooLong},
		{"no line at all", strings.Repeat("a", 17<<10), BadRequestLine},
		{"large fields", "GET / HTTP/1.1\r\n" + host + "A: " + strings.Repeat("a", 33<<10) + "\r\n\r\n", FieldsTooLarge},
		{"fields without end", "GET / HTTP/1.1\r\n" + host + "A: " + strings.Repeat("a", 33<<10), FieldsTooLarge},
		{"many fields", "GET / HTTP/1.1\r\n" + host + strings.Repeat("A: b\r\n", MaxFields) + "\r\n", FieldsTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			if n, problem := r.Parse([]byte(c.head), testLimits); problem != c.want || n != 0 && problem == NoProblem {
				t.Errorf("Parse = %d, %q; want %q", n, problem.Error(), c.want.Error())
			}
		})
	}
}

func TestRequest_parsesWithoutAllocating(t *testing.T) {
	head := []byte("GET /index.html HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n")
	var r Request
	r.Parse(head, testLimits)
	if n := testing.AllocsPerRun(100, func() { r.Parse(head, testLimits) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRequest(b *testing.B) {
	for name, head := range map[string]string{
		"small":   "GET /1k HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n",
		"browser": "GET /index.html?a=b HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: de,en;q=0.9\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nReferer: https://example.com/\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nConnection: keep-alive\r\n\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			var r Request
			data := []byte(head)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				r.Parse(data, testLimits)
			}
		})
	}
}

// What we accept, the standard library accepts too and reads the same way.
// We are stricter where RFC 9112 lets a server choose: it joins folded lines
// no more either, but accepts bare LF, takes a missing Host for granted in
// ReadRequest, several equal lengths, and "identity"; it reads "HTTP/1.2" as
// that, where we read 1.1.
func FuzzRequest_agreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /a?b HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabc",
		"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET http://b/c HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Request
		n, problem := r.Parse(data, testLimits)
		if problem != NoProblem || n == 0 {
			return
		}
		head := data[:n]
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			// Targets are judged after parsing (edge/http1, exchange).
			if strings.Contains(err.Error(), "parse") || strings.Contains(err.Error(), "invalid URI") {
				return
			}
			t.Fatalf("accepted %q, which net/http refuses: %v", head, err)
		}
		if request.Method != string(r.Method) || request.RequestURI != string(r.Target) {
			t.Fatalf("%q read as %q %q, by net/http as %q %q", head, r.Method, r.Target, request.Method, request.RequestURI)
		}
		length := r.ContentLength
		if length < 0 && !r.Chunked {
			length = 0
		}
		if chunked := len(request.TransferEncoding) > 0; chunked != r.Chunked || !chunked && request.ContentLength != length {
			t.Fatalf("%q: chunked %v, length %d; by net/http %v, %d", head, r.Chunked, r.ContentLength, chunked, request.ContentLength)
		}
		// net/http takes these fields out of its map.
		for i := range r.Fields.Len() {
			switch r.Fields.Known(i) {
			case Host, TransferEncoding, ContentLength, Trailer, Pragma:
				continue
			}
			if len(request.Header.Values(string(r.Fields.Name(i)))) == 0 {
				t.Fatalf("%q: field %q is not there for net/http", head, r.Fields.Name(i))
			}
		}
		// A second reading of the same bytes says the same.
		var again Request
		if m, problem := again.Parse(head, testLimits); m != n || problem != NoProblem {
			t.Fatalf("%q: second reading %d, %v", head, m, problem)
		}
	})
}
