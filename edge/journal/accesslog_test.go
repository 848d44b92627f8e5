package journal

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seawall-edge/seawall"
)

func TestAccessLog_logsWhatItIsAskedFor(t *testing.T) {
	missing := event(seawall.ActionPassed, outside)
	missing.Status = 404
	for _, c := range []struct {
		what   What
		sample int
		want   int
	}{
		{All, 0, 5},
		{Sample, 0, 5},
		{Sample, 100, 3},
		{Errors, 0, 3},
	} {
		config, path := toLog(t, c.what)
		config.AccessLog.Sample = c.sample
		j := still(t, config)
		for _, e := range []*seawall.Event{
			event(seawall.ActionPassed, 1), event(seawall.ActionPassed, outside), missing,
			event(seawall.ActionRefused, outside), event(seawall.ActionFailed, outside),
		} {
			j.Put(0, e)
		}
		j.pass()
		if got := strings.Count(read(t, path), "\n"); got != c.want {
			t.Errorf("what %d, sample %d: %d lines, want %d", c.what, c.sample, got, c.want)
		}
	}
}

func TestAccessLog_goesOnInANewFileAfterReopen(t *testing.T) {
	c, path := toLog(t, All)
	j := still(t, c)
	j.Put(0, event(seawall.ActionPassed, 1))
	j.pass()
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	j.Put(0, event(seawall.ActionPassed, 1))
	j.pass()
	j.Reopen()
	j.Put(0, event(seawall.ActionPassed, 1))
	j.pass()
	if old, new := strings.Count(read(t, path+".1"), "\n"), strings.Count(read(t, path), "\n"); old != 2 || new != 1 {
		t.Fatalf("%d lines in the old file and %d in the new one, want 2 and 1", old, new)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
}

func TestAccessLog_keepsTheOldFileWhenTheNewOneCannotBeOpened(t *testing.T) {
	var log bytes.Buffer
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j := still(t, Config{Rings: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)), AccessLog: AccessLog{Path: filepath.Join(dir, "access.log")}})
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	j.Reopen()
	j.Put(0, event(seawall.ActionPassed, 1))
	j.pass()
	if got := strings.Count(read(t, filepath.Join(dir+".away", "access.log")), "\n"); got != 1 {
		t.Fatalf("%d lines in the old file, want 1", got)
	}
	if got := strings.Count(log.String(), "cannot be reopened"); got != 1 {
		t.Fatalf("said %d times:\n%s", got, &log)
	}
}

func TestAccessLog_saysOnceThatTheDiskIsFullAndGoesOnWhenItIsNot(t *testing.T) {
	var log bytes.Buffer
	now := began
	path := filepath.Join(t.TempDir(), "access.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	c := Config{Rings: 1, Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		AccessLog: AccessLog{Path: path, Format: Plain}}
	j := still(t, c)
	const puts = 2000 // more than the buffer holds
	for n := range puts {
		j.Put(0, event(seawall.ActionPassed, 1))
		if n%100 == 0 {
			j.pass()
			now = now.Add(8 * drainEvery)
		}
	}
	j.pass()
	stats := j.Stats()
	if stats.LogErrors == 0 || stats.LogErrors > 10 {
		t.Fatalf("%d failed writes in four seconds, want a few", stats.LogErrors)
	}
	if stats.LogLost == 0 || stats.Logged+stats.LogLost != puts {
		t.Fatalf("%d logged or to be logged, %d lost, of %d", stats.Logged, stats.LogLost, puts)
	}
	if got := strings.Count(log.String(), "cannot be written"); got != 1 {
		t.Fatalf("said %d times:\n%s", got, &log)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	j.Reopen()
	j.pass()
	if got := uint64(strings.Count(read(t, path), "\n")); got != stats.Logged {
		t.Fatalf("%d lines when there is room again, want those that were kept in memory, %d", got, stats.Logged)
	}
	if got := strings.Count(log.String(), "written again"); got != 1 {
		t.Fatalf("the end said %d times:\n%s", got, &log)
	}
}

// short is a file that has room for so many bytes.
type short struct {
	bytes.Buffer
	room int
}

func (s *short) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.room -= n
	s.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("disk full")
	}
	return n, nil
}

func TestAccessLog_completesTheLineAFullDiskCutInTwo(t *testing.T) {
	now := began
	c, _ := toLog(t, All)
	c.Now = func() time.Time { return now }
	j := still(t, c)
	file := &short{room: 30}
	j.log.out = file
	for range 3 {
		j.Put(0, event(seawall.ActionPassed, 1))
		j.pass()
	}
	if got := j.Stats().LogErrors; got != 1 {
		t.Fatalf("%d writes within the second after one failed, want none but that one", got)
	}
	file.room = 1 << 20
	now = now.Add(retryAfter)
	j.pass()
	_, _, at := stamps()
	at.location = time.Local
	line := string(appendPlain(nil, event(seawall.ActionPassed, 1), at))
	if got := file.String(); got != strings.Repeat(line, 3) {
		t.Fatalf("got %q", got)
	}
}

func TestAccessLog_triesALastTimeAtClose(t *testing.T) {
	c, _ := toLog(t, All)
	j := still(t, c)
	file := &short{room: 30}
	j.log.out = file
	j.Put(0, event(seawall.ActionPassed, 1))
	j.pass()
	file.room = 1 << 20 // and not a second later
	if err := j.log.close(began); err != nil || !strings.HasSuffix(file.String(), ")\n") {
		t.Fatalf("%v, %q", err, file)
	}
}

func TestAccessLog_beginsANewFileWithAWholeLine(t *testing.T) {
	c, path := toLog(t, All)
	j := still(t, c)
	j.log.out = &short{room: 30}
	j.Put(0, event(seawall.ActionPassed, 1))
	j.Put(0, event(seawall.ActionPassed, 2))
	j.pass()
	j.Reopen()
	j.pass()
	if got := read(t, path); strings.Count(got, "\n") != 1 || !strings.Contains(got[:14], ":") {
		t.Fatalf("got %q, want the second line alone", got)
	}
	if stats := j.Stats(); stats.Logged != 1 || stats.LogLost != 1 {
		t.Fatalf("%d logged and %d lost, want 1 each", stats.Logged, stats.LogLost)
	}
}

func TestAccessLog_endsTheLineThatAKilledProgramLeft(t *testing.T) {
	c, path := toLog(t, All)
	if err := os.WriteFile(path, []byte("whole\ntor"), 0o640); err != nil {
		t.Fatal(err)
	}
	j := still(t, c)
	j.Put(0, event(seawall.ActionPassed, 1))
	j.pass()
	lines := strings.Split(read(t, path), "\n")
	if len(lines) != 4 || lines[1] != "tor" || !strings.HasSuffix(lines[2], ")") {
		t.Fatalf("got %q", lines)
	}
}

func TestAccessLog_tellsAtCloseWhatIsLost(t *testing.T) {
	c := Config{Rings: 1, AccessLog: AccessLog{Path: "/dev/full", Format: Plain}, Logger: quiet}
	j, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	j.Put(0, event(seawall.ActionPassed, 1))
	if err := j.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "1 lines are lost") {
		t.Fatalf("Close: %v", err)
	}
	if stats := j.Stats(); stats.Logged != 0 || stats.LogLost != 1 {
		t.Fatalf("%d logged and %d lost, want 0 and 1", stats.Logged, stats.LogLost)
	}
}

// batches counts what reaches a file.
type batches struct{ writes, most int }

func (b *batches) Write(p []byte) (int, error) {
	b.writes++
	b.most = max(b.most, len(p))
	return len(p), nil
}

func TestAccessLog_writesABatchAtOnce(t *testing.T) {
	c, _ := toLog(t, All)
	j := still(t, c)
	file := &batches{}
	j.log.out = file
	for range 100 {
		j.Put(0, event(seawall.ActionPassed, 1))
	}
	j.pass()
	if file.writes != 1 {
		t.Fatalf("%d writes for 100 lines, want 1", file.writes)
	}
	for range 3000 {
		j.Put(0, event(seawall.ActionPassed, 1))
	}
	j.pass()
	if file.most > bufferSize {
		t.Fatalf("a write of %d bytes, want at most %d", file.most, bufferSize)
	}
}
