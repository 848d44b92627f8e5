package coding

import (
	"bytes"
	stdlib "compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// decoder reads an encoded body; gzip by the standard library, which shares
// no code with the encoder.
func decoder(t testing.TB, c Coding, encoded []byte) io.Reader {
	t.Helper()
	in := bytes.NewReader(encoded)
	switch c {
	case Gzip:
		z, err := stdlib.NewReader(in)
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		return z
	case Brotli:
		return brotli.NewReader(in)
	case Zstd:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20)) // as browsers do
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(z.Close)
		return z
	}
	return in
}

func decoded(t testing.TB, c Coding, encoded []byte) []byte {
	t.Helper()
	body, err := io.ReadAll(decoder(t, c, encoded))
	if err != nil {
		t.Fatalf("%v: decode %d bytes: %v", c, len(encoded), err)
	}
	return body
}

var bodies = map[string][]byte{
	"nothing":      {},
	"a byte":       []byte("a"),
	"a sentence":   []byte("hello, hello, hello"),
	"a page":       page(40_000),
	"a large page": page(300_000),
	"zeros":        make([]byte, 100_000),
	"noise":        noise(100_000),
}

func each(t *testing.T, test func(t *testing.T, c Coding, level int)) {
	for c := range count {
		for _, level := range []int{1, 2, 3, 5, 6, 9} { // the others share their settings
			t.Run(fmt.Sprintf("%v-%d", c, level), func(t *testing.T) { test(t, c, level) })
		}
	}
}

func TestAppend_isDecodedToTheBody(t *testing.T) {
	each(t, func(t *testing.T, c Coding, level int) {
		for name, body := range bodies {
			encoded := Append([]byte("before"), body, c, level)
			rest, ok := bytes.CutPrefix(encoded, []byte("before"))
			if !ok || !bytes.Equal(decoded(t, c, rest), body) {
				t.Errorf("%s of %d bytes does not come back", name, len(body))
			}
			if len(rest) > len(body)+len(body)/1000+64 {
				t.Errorf("%s of %d bytes takes %d", name, len(body), len(rest))
			}
			if bytes.HasSuffix([]byte(name), []byte("page")) && c != Identity && len(rest) > len(body)*37/100 {
				t.Errorf("%s of %d bytes takes %d", name, len(body), len(rest))
			}
		}
	})
}

func TestWriter_takesABodyInPieces(t *testing.T) {
	each(t, func(t *testing.T, c Coding, level int) {
		r := rand.New(rand.NewPCG(uint64(level), uint64(c)))
		for name, body := range bodies {
			w := NewWriter(c, level)
			var encoded []byte
			for rest := body; len(rest) > 0; {
				n := min(len(rest), r.IntN(40_000))
				encoded = w.Append(encoded, rest[:n])
				rest = rest[n:]
			}
			if encoded = w.Close(encoded); !bytes.Equal(decoded(t, c, encoded), body) {
				t.Errorf("%s of %d bytes does not come back", name, len(body))
			}
		}
	})
}

// How the origin cuts a body must not decide how much is sent.
func TestWriter_looksBackBeyondThePiece(t *testing.T) {
	each(t, func(t *testing.T, c Coding, level int) {
		body := page(200_000)
		whole := len(Append(nil, body, c, level))
		w := NewWriter(c, level)
		var encoded []byte
		for i := 0; i < len(body); i += 1000 {
			encoded = w.Append(encoded, body[i:i+1000])
		}
		if encoded = w.Close(encoded); len(encoded) > whole+whole/50 {
			t.Errorf("%d bytes in pieces, %d as a whole", len(encoded), whole)
		}
	})
}

// A server-sent event must be with the client when it has been flushed, not
// when the next one pushes it out.
func TestWriter_holdsNothingBackAfterFlush(t *testing.T) {
	each(t, func(t *testing.T, c Coding, level int) {
		w := NewWriter(c, level)
		defer w.Abandon()
		var body, encoded []byte
		encoded = w.Flush(encoded) // before there is anything
		for i, size := range []int{1, 20, 0, 300, 5, 70_000, 3, 300_000, 1} {
			piece := page(size + i)[i:]
			body = append(body, piece...)
			encoded = w.Append(encoded, piece)
			encoded = w.Flush(encoded)
			if i%2 == 0 {
				encoded = w.Flush(encoded) // again, with nothing new
			}
			got := make([]byte, len(body))
			if n, err := io.ReadFull(decoder(t, c, encoded), got); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("after piece %d the client has %d bytes of %d: %v", i, n, len(body), err)
			}
		}
		if encoded = w.Close(encoded); !bytes.Equal(decoded(t, c, encoded), body) {
			t.Error("the whole does not come back")
		}
	})
}

// A cache compares and a client resumes: bytes must not depend on what an
// encoder did before, and nothing of another body may be in them.
func TestAppend_givesTheSameBytesWhateverCameBefore(t *testing.T) {
	each(t, func(t *testing.T, c Coding, level int) {
		body := page(30_000)
		for i := range pools[c] {
			pools[c][i] = sync.Pool{}
		}
		first := Append(nil, body, c, level)
		for name, other := range bodies {
			Append(nil, other, c, level)
			w := NewWriter(c, level)
			w.Flush(w.Append(nil, other))
			w.Append(nil, body[:777])
			w.Abandon()
			if again := Append(nil, body, c, level); !bytes.Equal(again, first) {
				t.Errorf("after %s: %d bytes, before: %d", name, len(again), len(first))
			}
		}
	})
}

func TestAppend_movesLevelsIntoRange(t *testing.T) {
	body := page(50_000)
	for c := range count {
		for given, want := range map[int]int{0: Default, -1: Fastest, -100: Fastest, 10: Smallest, 1 << 40: Smallest} {
			if !bytes.Equal(Append(nil, body, c, given), Append(nil, body, c, want)) {
				t.Errorf("%v: level %d is not level %d", c, given, want)
			}
		}
		if fast, small := Append(nil, body, c, Fastest), Append(nil, body, c, Smallest); c != Identity && len(small) >= len(fast) {
			t.Errorf("%v: %d bytes at level 1, %d at level 9", c, len(fast), len(small))
		}
	}
}

func TestAppend_writesPlainHeaders(t *testing.T) {
	each(t, func(t *testing.T, c Coding, level int) {
		for _, body := range [][]byte{page(2000), page(50_000), page(300_000)} {
			w := NewWriter(c, level)
			for name, b := range map[string][]byte{"whole": Append(nil, body, c, level), "in pieces": w.Close(w.Flush(w.Append(nil, body)))} {
				switch c {
				case Gzip: // RFC 1952, 2.3: no flags, no time, unknown system
					if want := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0}; !bytes.HasPrefix(b, want) || b[9] != 255 {
						t.Errorf("%s: header % x", name, b[:10])
					}
				case Brotli: // RFC 7932, 9.1: the bits 0011 are a window of 18
					if b[0]&15 != 3 {
						t.Errorf("%s: first byte %08b", name, b[0])
					}
				case Zstd:
					var header zstd.Header
					if err := header.Decode(b); err != nil {
						t.Fatal(err)
					}
					if header.WindowSize > window || header.FrameContentSize > window && header.SingleSegment {
						t.Errorf("%s: a window of %d bytes, content of %d", name, header.WindowSize, header.FrameContentSize)
					}
					if name == "whole" && header.FrameContentSize != uint64(len(body)) {
						t.Errorf("%s: says that it has %d bytes of %d", name, header.FrameContentSize, len(body))
					}
				}
			}
		}
	})
}

func TestWriter_endsOnce(t *testing.T) {
	for c := range count {
		w := NewWriter(c, Default)
		end := w.Close(w.Append(nil, []byte("one")))
		if got := w.Close([]byte("x")); string(got) != "x" {
			t.Errorf("%v: closed again, it appends %q", c, got[1:])
		}
		w.Abandon()
		if got := decoded(t, c, end); string(got) != "one" {
			t.Errorf("%v: %q", c, got)
		}
		// Given back twice, an encoder would mix the bodies of two clients.
		a, b := NewWriter(c, Default), NewWriter(c, Default)
		if a.stream == b.stream {
			t.Errorf("%v: two writers have one encoder", c)
		}
		a.Abandon()
		a.Abandon()
		b.Close(nil)
		var zero Writer
		zero.Abandon()
		if got := zero.Close([]byte("x")); string(got) != "x" {
			t.Errorf("%v: the zero Writer appends %q", c, got)
		}
	}
}

func TestWriter_keepsNothingOfTheCaller(t *testing.T) {
	for c := range count {
		w := NewWriter(c, Default)
		s := w.stream
		piece := page(300_000)
		dst := w.Append(make([]byte, 0, 10), piece)
		clear(piece) // as a read buffer would be used again
		if s.out != nil {
			t.Errorf("%v: output is kept after Append", c)
		}
		dst = w.Flush(dst)
		if s.out != nil {
			t.Errorf("%v: output is kept after Flush", c)
		}
		dst = w.Close(dst)
		if s.out != nil {
			t.Errorf("%v: output is kept after Close", c)
		}
		if !bytes.Equal(decoded(t, c, dst), page(300_000)) {
			t.Errorf("%v: the piece was read after the call", c)
		}
	}
}

func TestAppend_isSafeForManyAtOnce(t *testing.T) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			body := page(20_000 + i*7000)[i*100:]
			for c := range count {
				w := NewWriter(c, 1+i)
				encoded := w.Append(nil, body[:10_000])
				if !bytes.Equal(decoded(t, c, Append(nil, body, c, 1+i)), body) {
					t.Errorf("%v: another body came back", c)
				}
				if encoded = w.Close(w.Append(encoded, body[10_000:])); !bytes.Equal(decoded(t, c, encoded), body) {
					t.Errorf("%v: another body came back in pieces", c)
				}
			}
		})
	}
	group.Wait()
}

func TestNewWriter_refusesWhatIsNoCoding(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a coding that does not exist was opened")
		}
	}()
	NewWriter(count, Default)
}

// The tools of the formats' authors read what we write.
func TestAppend_isReadByTheRealTools(t *testing.T) {
	body := page(300_000)
	for c := Gzip; c < count; c++ {
		t.Run(c.String(), func(t *testing.T) {
			tool := map[Coding]string{Gzip: "gzip", Brotli: "brotli", Zstd: "zstd"}[c]
			if _, err := exec.LookPath(tool); err != nil {
				t.Skipf("%s is missing; apt-get install %s", tool, tool)
			}
			for level := Fastest; level <= Smallest; level++ {
				w := NewWriter(c, level)
				inPieces := w.Append(w.Flush(w.Append(nil, body[:1000])), body[1000:])
				for _, encoded := range [][]byte{Append(nil, body, c, level), w.Close(inPieces)} {
					run := exec.Command(tool, "-dc")
					run.Stdin = bytes.NewReader(encoded)
					if got, err := run.Output(); err != nil || !bytes.Equal(got, body) {
						t.Errorf("level %d: %v, %d bytes of %d", level, err, len(got), len(body))
					}
				}
			}
		})
	}
}

func FuzzWriter_isDecodedToTheBody(f *testing.F) {
	f.Add([]byte("hello, hello"), uint8(1), uint8(5), uint64(1))
	f.Add(page(3000), uint8(2), uint8(4), uint64(2))
	f.Add(noise(3000), uint8(3), uint8(6), uint64(3))
	f.Add(bytes.Repeat(page(500), 100), uint8(3), uint8(1), uint64(4))
	f.Fuzz(func(t *testing.T, body []byte, c, level uint8, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		coding := Coding(c) % count
		w := NewWriter(coding, int(level%10))
		var encoded []byte
		for rest := body; len(rest) > 0; {
			n := r.IntN(len(rest) + 1)
			encoded = w.Append(encoded, rest[:n])
			if rest = rest[n:]; r.IntN(3) == 0 {
				encoded = w.Flush(encoded)
				got := make([]byte, len(body)-len(rest))
				if _, err := io.ReadFull(decoder(t, coding, encoded), got); err != nil || !bytes.HasPrefix(body, got) {
					t.Fatalf("%v: flushed %d bytes: %v", coding, len(got), err)
				}
			}
		}
		if encoded = w.Close(encoded); !bytes.Equal(decoded(t, coding, encoded), body) {
			t.Fatalf("%v: in pieces, the body does not come back", coding)
		}
		if !bytes.Equal(decoded(t, coding, Append(nil, body, coding, int(level%10))), body) {
			t.Fatalf("%v: the body does not come back", coding)
		}
	})
}
