package byterange

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"strings"
	"testing"
)

// written is the whole content as a caller writes it.
func (m Multipart) written(representation []byte) (content []byte) {
	for i, s := range m.Spans {
		content = m.AppendPartHead(content, i)
		content = append(content, representation[s.First:s.Last+1]...)
	}
	return m.AppendEnd(content)
}

// The example of RFC 9110, 15.3.7.2, with fewer bytes.
func TestMultipart_looksAsInTheStandard(t *testing.T) {
	m := Multipart{Boundary: []byte("THIS_STRING_SEPARATES"), ContentType: []byte("application/pdf"), Spans: []Span{{5, 9}, {70, 72}}, Size: 80}
	want := strings.ReplaceAll(`--THIS_STRING_SEPARATES
Content-Type: application/pdf
Content-Range: bytes 5-9/80

56789
--THIS_STRING_SEPARATES
Content-Type: application/pdf
Content-Range: bytes 70-72/80

012
--THIS_STRING_SEPARATES--
`, "\n", "\r\n")
	if got := m.written(bytes.Repeat([]byte("0123456789"), 8)); string(got) != want {
		t.Errorf("%s", got)
	}
}

func TestMultipart_isReadBackAndAsLongAsItSays(t *testing.T) {
	random := rand.New(rand.NewPCG(14, 6))
	representation := make([]byte, 20_000)
	for i := range representation {
		representation[i] = "\r\n-ab"[random.IntN(5)] // much that looks like a delimiter
	}
	for range 300 {
		m := Multipart{Boundary: []byte("b" + strings.Repeat("x", random.IntN(70))), Size: int64(len(representation))}
		if random.IntN(3) > 0 {
			m.ContentType = []byte("text/plain; x=" + strings.Repeat("y", random.IntN(400)))
		}
		if random.IntN(3) == 0 {
			m.Size = -1
		}
		for range random.IntN(MaxSpans) + 1 {
			first := random.Int64N(int64(len(representation)))
			m.Spans = join(m.Spans, Span{first, min(first+random.Int64N(300), int64(len(representation)-1))})
		}
		content := m.written(representation)
		if m.Length() != int64(len(content)) {
			t.Fatalf("%+v: says %d, has %d", m, m.Length(), len(content))
		}
		readBack(t, m, content, representation)
	}
}

func readBack(t *testing.T, m Multipart, content, representation []byte) {
	t.Helper()
	parts := multipart.NewReader(bytes.NewReader(content), string(m.Boundary))
	for _, s := range m.Spans {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("%+v: part %v: %v", m, s, err)
		}
		got, size, ok := ParseContentRange([]byte(part.Header.Get("Content-Range")))
		if !ok || got != s || size != m.Size {
			t.Fatalf("%v of %d became %v of %d", s, m.Size, got, size)
		}
		fields := 1
		if len(m.ContentType) > 0 {
			fields = 2
		}
		if len(part.Header) != fields || part.Header.Get("Content-Type") != string(m.ContentType) {
			t.Fatalf("part %v: fields %v", s, part.Header)
		}
		body, err := io.ReadAll(part)
		if err != nil || !bytes.Equal(body, representation[s.First:s.Last+1]) {
			t.Fatalf("part %v: %q, %v", s, body, err)
		}
	}
	if _, err := parts.NextRawPart(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the last part: %v", err)
	}
}

// Of a large representation only the length can be tried.
func TestMultipart_countsBeyondFourGigabytes(t *testing.T) {
	m := Multipart{Boundary: []byte("b"), Spans: []Span{{0, 1<<40 - 1}, {1 << 41, 1<<42 - 1}}, Size: 1 << 43}
	heads := len(m.AppendPartHead(nil, 0)) + len(m.AppendPartHead(nil, 1)) + len(m.AppendEnd(nil))
	if got, want := m.Length(), int64(1<<40+1<<41+heads); got != want {
		t.Errorf("%d, want %d", got, want)
	}
}

func TestMultipart_doesNotAllocateForItsLength(t *testing.T) {
	m := Multipart{Boundary: []byte(strings.Repeat("b", 70)), ContentType: []byte("text/html; charset=utf-8"), Spans: []Span{{0, 4}, {1 << 60, 1<<60 + 1}}, Size: 1 << 62}
	if n := testing.AllocsPerRun(100, func() { m.Length() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
