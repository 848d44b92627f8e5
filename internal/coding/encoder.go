package coding

import (
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Levels are those of gzip and of nginx's gzip_comp_level: 1 is the fastest,
// 9 the smallest. The other codings have the same scale, see levels.
const (
	Fastest  = 1
	Default  = 5
	Smallest = 9
)

// levels says what a level is in the terms of each library. Zero is not used.
var levels = [Smallest + 1]struct {
	gzip   int
	brotli int
	zstd   zstd.EncoderLevel
}{
	1: {1, 1, zstd.SpeedFastest},
	2: {2, 2, zstd.SpeedFastest},
	3: {3, 3, zstd.SpeedDefault},
	4: {4, 4, zstd.SpeedDefault},
	5: {5, 5, zstd.SpeedDefault},
	6: {6, 6, zstd.SpeedBetterCompression},
	7: {7, 7, zstd.SpeedBetterCompression},
	8: {8, 8, zstd.SpeedBetterCompression},
	9: {9, 9, zstd.SpeedBetterCompression},
}

// The windows: how far back an encoder looks, and with it how much memory it
// and the client's decoder need.
const (
	brotliWindowBits = 18
	zstdWindow       = 1 << 19 // RFC 9659 allows 8 MiB
)

// An encoder is what the libraries have in common.
type encoder interface {
	io.Writer
	Flush() error
	Close() error
	Reset(to io.Writer)
}

// A stream is an encoder with the place its output goes to.
type stream struct {
	encoder encoder // nil for the identity
	out     []byte  // the caller's; set only during a call
	pool    *sync.Pool
}

// Write appends the encoder's output to out.
func (s *stream) Write(b []byte) (int, error) {
	s.out = append(s.out, b...)
	return len(b), nil
}

// taken returns the output with what it was appended to.
func (s *stream) taken() []byte {
	out := s.out
	s.out = nil // an idle stream would keep the caller's memory alive
	return out
}

// pools holds idle streams, the garbage collector frees what is not used.
var pools [count][Smallest + 1]sync.Pool

// open takes a stream from its pool, ready for a body.
func open(c Coding, level int) *stream {
	if c >= count {
		panic("coding: unknown coding")
	}
	switch {
	case level == 0:
		level = Default
	case level < Fastest:
		level = Fastest
	case level > Smallest:
		level = Smallest
	}
	pool := &pools[c][level]
	s, ok := pool.Get().(*stream)
	if !ok {
		s = &stream{encoder: newEncoder(c, level), pool: pool}
	}
	if s.encoder != nil {
		s.encoder.Reset(s)
	}
	return s
}

func newEncoder(c Coding, level int) encoder {
	switch l := levels[level]; c {
	case Gzip:
		return must(gzip.NewWriterLevel(nil, l.gzip))
	case Brotli:
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: l.brotli, LGWin: brotliWindowBits})
	case Zstd:
		// One thread for each: a server has other bodies for its other cores.
		return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(l.zstd), zstd.WithWindowSize(zstdWindow), zstd.WithEncoderConcurrency(1)))
	}
	return nil
}

// must is for what fails only when this package is wrong: the options above,
// and encoders that write to memory.
func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic("coding: " + err.Error())
	}
}
