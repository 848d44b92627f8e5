package journal

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

const (
	bufferSize = 64 << 10        // the most that is handed over in one write(2)
	lineRoom   = 4 << 10         // more than any line needs
	retryAfter = 1 * time.Second // how long a failing file is left alone
)

// writer gathers lines and writes them, a batch at a time. It belongs to the
// consumer goroutine.
//
// When a write fails, what was not written stays in the buffer and is tried
// again every second, from the very byte where it stopped: a line the full
// disk cut in two is completed. Lines for which the buffer has no room
// meanwhile are lost and counted. The log hears of it once, and once again
// when it is over.
type writer struct {
	out    io.Writer
	name   string // for the log
	logger *slog.Logger

	buf     []byte
	middle  bool // buf begins in the middle of a line
	repair  bool // the file ends in the middle of a line that has no rest
	failing bool
	retry   time.Time // while failing: not before this

	lines  uint64 // handed over or in buf
	lost   uint64 // found no room
	errors uint64 // writes that failed
}

// room makes room for one more line and reports whether there is any.
func (w *writer) room(now time.Time) bool {
	if len(w.buf) > bufferSize-lineRoom {
		w.flush(now)
		if len(w.buf) > bufferSize-lineRoom {
			w.lost++
			return false
		}
	}
	w.lines++
	return true
}

// flush writes the buffer unless the file is failing and it is too early to
// try again.
func (w *writer) flush(now time.Time) {
	if len(w.buf) == 0 || w.failing && now.Before(w.retry) {
		return
	}
	n, err := w.write()
	if n > 0 {
		w.middle = w.buf[n-1] != '\n'
		w.buf = w.buf[:copy(w.buf, w.buf[n:])]
	}
	switch {
	case err != nil:
		w.errors++
		w.retry = now.Add(retryAfter)
		if !w.failing {
			w.failing = true
			w.logger.Error("lines cannot be written, will try again every second", "file", w.name, "error", err)
		}
	case w.failing:
		w.failing = false
		w.logger.Info("lines are written again", "file", w.name, "lost", w.lost)
	}
}

// finish tries a last time and counts what is left as lost.
func (w *writer) finish(now time.Time) error {
	w.retry = now
	w.flush(now)
	left := uint64(bytes.Count(w.buf, []byte{'\n'}))
	if left == 0 {
		return nil
	}
	w.lines -= left
	w.lost += left
	w.buf = w.buf[:0]
	return fmt.Errorf("write %s: %d lines are lost", w.name, left)
}

// replace makes the writer go on with another file, repair saying that the
// last line in it has no end. The rest of a line that was begun in the old
// file would make no sense there.
func (w *writer) replace(out io.Writer, repair bool) {
	if w.middle {
		rest := bytes.IndexByte(w.buf, '\n') + 1
		w.buf = w.buf[:copy(w.buf, w.buf[rest:])]
		w.middle = false
		w.lines--
		w.lost++
	}
	w.out, w.repair, w.retry = out, repair, time.Time{}
}

// write writes the buffer, behind the end of a line that has none: the
// program was killed in it, or the disk was full.
func (w *writer) write() (int, error) {
	if w.repair {
		if _, err := w.out.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		w.repair = false
	}
	return w.out.Write(w.buf)
}

// torn reports whether a regular file ends in the middle of a line.
func torn(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}
