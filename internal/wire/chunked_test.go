package wire

import (
	"bytes"
	"io"
	"net/http/httputil"
	"strings"
	"testing"
)

// decode reads a body in pieces of at most step bytes.
func decode(body string, step int, lenient bool) (data []byte, rest int, done bool, problem Problem, trailers *Fields) {
	c := Chunked{Lenient: lenient}
	in := []byte(body)
	for len(in) > 0 && !c.Done() {
		piece := in[:min(step, len(in))]
		got, used, problem := c.Next(piece)
		if problem != NoProblem {
			return data, len(in), false, problem, nil
		}
		data = append(data, got...)
		in = in[used:]
	}
	return data, len(in), c.Done(), NoProblem, &c.Trailers
}

func TestChunked_readsBodiesInAnyPieces(t *testing.T) {
	const body = "5\r\nhello\r\n006;a=b;c=\"d\\\"e;\r\";f\r\n world\r\n0;x\r\nT: v\r\n\r\nnext"
	clean := strings.Replace(body, "\r\";", "\";", 1)
	for step := 1; step <= len(clean); step++ {
		data, rest, done, problem, trailers := decode(clean, step, false)
		if string(data) != "hello world" || !done || problem != NoProblem || rest != len("next") {
			t.Fatalf("in steps of %d: %q, %d left, done %v, %v", step, data, rest, done, problem)
		}
		if trailers.Len() != 1 || string(trailers.Name(0)) != "T" || string(trailers.Value(0)) != "v" {
			t.Fatalf("in steps of %d: %d trailers", step, trailers.Len())
		}
	}
	if _, _, _, problem, _ := decode(body, 7, false); problem != BadChunk {
		t.Errorf("CR in a quoted string: %v", problem)
	}
}

func TestChunked_refusesMalformedBodies(t *testing.T) {
	for name, body := range map[string]string{
		"plus":                   "+5\r\nhello\r\n0\r\n\r\n",
		"minus":                  "-1\r\nhello\r\n0\r\n\r\n",
		"hex prefix":             "0x5\r\nhello\r\n0\r\n\r\n",
		"no size":                "\r\nhello\r\n0\r\n\r\n",
		"space before":           " 5\r\nhello\r\n0\r\n\r\n",
		"space after":            "5 \r\nhello\r\n0\r\n\r\n",
		"overflow":               "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"overflow to small":      "10000000000000005\r\nhello\r\n0\r\n\r\n",
		"bare semicolon":         "5;\r\nhello\r\n0\r\n\r\n",
		"control in extension":   "5;a=\x01\r\nhello\r\n0\r\n\r\n",
		"control in quotes":      "5;a=\"\x01\"\r\nhello\r\n0\r\n\r\n",
		"no value":               "5;a=\r\nhello\r\n0\r\n\r\n",
		"unclosed quotes":        "5;a=\"b\r\nhello\r\n0\r\n\r\n",
		"bare LF after size":     "5\nhello\r\n0\r\n\r\n",
		"bare CR after size":     "5\rhello\r\n0\r\n\r\n",
		"data spills":            "5\r\nhello!\r\n0\r\n\r\n",
		"bare LF after data":     "5\r\nhello\n0\r\n\r\n",
		"CR without LF":          "5\r\nhello\r0\r\n\r\n",
		"malformed trailer":      "0\r\nA : b\r\n\r\n",
		"folded trailer":         "0\r\nA: b\r\n c\r\n\r\n",
		"long extension":         "5;a=" + strings.Repeat("b", maxChunkLine) + "\r\nhello\r\n0\r\n\r\n",
		"extensions without end": strings.Repeat("1;a="+strings.Repeat("b", 4000)+"\r\nx\r\n", 20) + "0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, 3, len(body)} {
				if data, _, done, problem, _ := decode(body, step, false); problem != BadChunk || done {
					t.Errorf("in steps of %d: %q, done %v, %v", step, data, done, problem)
				}
			}
		})
	}
	if _, _, _, problem, _ := decode("0\r\nA: "+strings.Repeat("b", maxTrailers)+"\r\n\r\n", 100, false); problem != TrailersTooLarge {
		t.Errorf("large trailers: %v", problem)
	}
	if data, _, done, problem, _ := decode("5  \r\nhello\r\n0\r\n\r\n", 3, true); problem != NoProblem || !done || string(data) != "hello" {
		t.Errorf("padded size from an origin: %q, %v", data, problem)
	}
}

// What we accept decodes to the same bytes as net/http's reader's, which also
// accepts bare LF and skips extensions unread.
func FuzzChunked_agreesWithTheStandardLibrary(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), 3)
	f.Add([]byte("1;a=\"b\"\r\nx\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n"), 1)
	f.Fuzz(func(t *testing.T, body []byte, step int) {
		step = max(1, min(step, 1<<16))
		data, rest, done, problem, _ := decode(string(body), step, false)
		whole, restWhole, doneWhole, problemWhole, _ := decode(string(body), len(body)+1, false)
		if problem != problemWhole || done != doneWhole || done && (rest != restWhole || !bytes.Equal(data, whole)) {
			t.Fatalf("%q: in steps of %d: %v %v %d; at once: %v %v %d", body, step, done, problem, rest, doneWhole, problemWhole, restWhole)
		}
		if !done {
			return
		}
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body)))
		if err != nil || !bytes.Equal(theirs, data) {
			t.Fatalf("%q: %q; by net/http %q, %v", body, data, theirs, err)
		}
	})
}
