package coding

import (
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Levels mean what nginx's gzip_comp_level means: 1 is the fastest, 9 the
// smallest. The other codings have the same scale, see levels.
const (
	Fastest  = 1
	Default  = 5
	Smallest = 9
)

// levels says what a level is in the terms of each library. Zero is not used.
//
// gzip: the level of this library that comes closest to the ratio that zlib,
// which is in nginx, has at that level: at most four in a hundred below. Up
// to level 6 it takes six tenths of zlib's time or less, at 7 and 8 seven
// tenths, at 9 about the same. By its own numbers it would be faster still
// and give up to eight in a hundred more bytes than the operator asked for.
//
// brotli: the quality that costs about what zlib costs at that level on large
// pages, with fewer bytes; on small ones, and at levels 1 and 2, it costs up
// to twice as much. Below 2 it forgets each piece with the next, and what it
// makes depends on how the origin cuts the body; above 7 its tables have 16
// MiB and more, for a hundredth of the bytes.
//
// zstd: three of its four encoders; the tables of the last have 34 MiB. All
// take less time than zlib.
//
// What a Writer keeps in memory from its first byte to its end, at most; a
// test holds it to this. The caller's memory for output comes on top: a call
// yields at most what it was given and 600 KiB of what was held back.
//
//	level   1, 2      3, 4      5         6         7, 8      9
//	gzip    1.3 MiB   1.3 MiB   1.1 MiB   1.1 MiB   1.1 MiB   1.5 MiB
//	brotli  2.2 MiB   2.2 MiB   3.6 MiB   4.2 MiB   5.2 MiB   12 MiB
//	zstd    1.0 MiB   2.4 MiB   2.4 MiB   5.2 MiB   5.2 MiB   5.2 MiB
var levels = [Smallest + 1]struct {
	gzip   int
	brotli int
	zstd   zstd.EncoderLevel
}{
	1: {2, 2, zstd.SpeedFastest},
	2: {3, 2, zstd.SpeedFastest},
	3: {4, 3, zstd.SpeedDefault},
	4: {5, 3, zstd.SpeedDefault},
	5: {6, 4, zstd.SpeedDefault},
	6: {7, 5, zstd.SpeedBetterCompression},
	7: {8, 6, zstd.SpeedBetterCompression},
	8: {8, 6, zstd.SpeedBetterCompression},
	9: {9, 7, zstd.SpeedBetterCompression},
}

// The windows: how far back an encoder looks, and with it how much memory it
// and the client's decoder need.
const (
	windowBits = 18 // 256 KiB; RFC 9659, 3 allows zstd 8 MiB
	window     = 1 << windowBits
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

// open takes a stream from its pool, ready for a body. A coding that does not
// exist has no pool, and the index panics.
func open(c Coding, level int) *stream {
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
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: l.brotli, LGWin: windowBits})
	case Zstd:
		// One thread for each: a server has other bodies for its other cores.
		return must(zstd.NewWriter(nil, zstd.WithEncoderLevel(l.zstd), zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true)))
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
