package journal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seawall-edge/seawall"
)

// Format is the form of the access log's lines. In each of them every byte
// that is not printable ASCII, every quote and every backslash a visitor sent
// is escaped, so that no line can be forged.
type Format uint8

const (
	// JSON lines hold all an Event has: id, time (UTC, microseconds),
	// duration_us, client, zone, method, host, target, user_agent, referer,
	// protocol, tls, status, bytes_in, bytes_out, rung, action, reason,
	// cache, store and, when texts were too long, their names in cut. A
	// byte is one code point: \u00e4 stands for the byte e4.
	JSON Format = iota

	// Combined is Apache's combined log format. A byte is escaped as \xe4;
	// a text that was too long ends in "...".
	Combined

	// Plain is for somebody who watches a terminal.
	Plain
)

// What says which requests are logged.
type What uint8

const (
	All    What = iota // every request
	Sample             // refused and failed ones, and one in AccessLog.Sample of the passed
	Errors             // refused and failed ones, and passed ones with a status of 400 or more
)

// AccessLog is the file with a line for each request.
type AccessLog struct {
	Path   string // "" means off, "-" standard output; created with mode 0640
	Format Format
	What   What
	Sample int // see What; 0 means 1: all of them
}

// accessLog belongs to the consumer goroutine.
type accessLog struct {
	writer
	path   string
	file   *os.File
	at     stamp
	append func([]byte, *seawall.Event, *stamp) []byte
}

func openAccessLog(c *Config) (*accessLog, error) {
	l := &accessLog{path: c.AccessLog.Path}
	l.writer = writer{name: l.path, logger: c.Logger}
	switch c.AccessLog.Format {
	case JSON:
		l.at = stamp{layout: jsonSecond, location: time.UTC}
		l.append = func(dst []byte, e *seawall.Event, at *stamp) []byte { return appendJSON(dst, e, at, false) }
	case Combined:
		l.at = stamp{layout: combinedSecond, location: time.UTC}
		l.append = appendCombined
	case Plain:
		l.at = stamp{layout: plainSecond, location: time.Local}
		l.append = appendPlain
	default:
		return nil, fmt.Errorf("open access log: unknown format %d", c.AccessLog.Format)
	}
	if l.path == "-" {
		l.out = os.Stdout
		return l, nil
	}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open access log: %w", err)
	}
	return l, nil
}

func (l *accessLog) open() error {
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	l.file = file
	l.replace(file, torn(l.path))
	return nil
}

func (l *accessLog) add(e *seawall.Event, now time.Time) {
	if l.room(now) {
		l.buf = l.append(l.buf, e, &l.at)
	}
}

// reopen changes to a new file under the old path. Lines that the old file
// would not take go to the new one.
func (l *accessLog) reopen() {
	if l.file == nil {
		return
	}
	old := l.file
	if err := l.open(); err != nil {
		l.logger.Error("access log cannot be reopened, the old file is kept", "file", l.path, "error", err)
		return
	}
	if err := old.Close(); err != nil {
		l.logger.Error("old access log cannot be closed", "file", l.path, "error", err)
	}
}

func (l *accessLog) close(now time.Time) error {
	err := l.finish(now)
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
	}
	return err
}
