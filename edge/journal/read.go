package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
)

// Read yields the records of a log in JSON lines, with the number of each
// line, from 1. A line that is no record comes with an error; one that is
// longer than a mebibyte ends it.
func Read(log io.Reader) iter.Seq2[int, ReadLine] {
	return func(yield func(int, ReadLine) bool) {
		lines := bufio.NewScanner(log)
		lines.Buffer(nil, 1<<20)
		number := 0
		for lines.Scan() {
			number++
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			record, err := parseLine(lines.Bytes())
			if !yield(number, ReadLine{record, err}) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(number+1, ReadLine{Err: err})
		}
	}
}

// ReadLine is one line of a log.
type ReadLine struct {
	Record
	Err error // it is no record
}

// ReadStore yields the records of the store in dir, which another process may
// be writing to: first those that were refused, then those that passed, each
// from the oldest on. What is deleted meanwhile is left out.
func ReadStore(dir string) (iter.Seq2[int, ReadLine], error) {
	var all []segment
	for _, kind := range []string{kindRefused, kindPassed} {
		list, err := listSegments(dir, kind)
		if err != nil {
			return nil, fmt.Errorf("read the store: %w", err)
		}
		all = append(all, list...)
	}
	return func(yield func(int, ReadLine) bool) {
		var buf []byte
		number := 0
		for _, g := range all {
			var err error
			if buf, err = readSegment(g.path, buf); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				yield(number+1, ReadLine{Err: err})
				return
			}
			whole := buf[:bytes.LastIndexByte(buf, '\n')+1] // the end of the program may have cut the last line short
			for _, line := range Read(bytes.NewReader(whole)) {
				if number++; !yield(number, line) {
					return
				}
			}
		}
	}, nil
}
