package operate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestLog_fullDisk: requests go on, whoever is on duty is told once, and the
// metrics count it. /dev/full is a disk without a byte left.
func TestLog_fullDisk(t *testing.T) {
	t.Parallel()
	s := newSite(t, "site")
	p := start(t, setup{config: "access_log: {file: /dev/full}\nzones:\n" + zoneLine("site.test", s.url())}, s)
	v := p.enter(t)
	for i := range 50 {
		v.mustGet(t, "site.test", fmt.Sprintf("/%d", i), http.StatusOK)
	}
	p.await(t, "a second try", func() error {
		n, err := p.metric("seawall_journal_write_errors_total")
		if err == nil && n < 2 {
			err = fmt.Errorf("%d errors are counted", n)
		}
		return err
	})
	v.mustGet(t, "site.test", "/after", http.StatusOK)
	if n := strings.Count(p.said.String(), "lines cannot be written"); n != 1 || !strings.Contains(p.said.String(), "no space left on device") {
		t.Errorf("it was said %d times\n%s", n, p.said)
	}
	p.checkWorld(t)
	// Those of the checker's own requests come on top; none counts twice.
	lost := 0
	if m := linesLost.FindStringSubmatch(p.said.String()); m != nil {
		lost, _ = strconv.Atoi(m[1]) // digits
	}
	if lost < 51 || lost >= 2*51 {
		t.Errorf("the last words do not say how many lines are lost\n%s", p.said)
	}
}

var linesLost = regexp.MustCompile(`(\d+) lines are lost`)

// TestLog_reopenedUnderLoad renames the log again and again, as logrotate
// does: no line is lost, torn or written twice.
func TestLog_reopenedUnderLoad(t *testing.T) {
	t.Parallel()
	s, dir := newSite(t, "site"), shortDir(t)
	path := filepath.Join(dir, "access.log")
	p := start(t, setup{dir: dir, config: "access_log: {file: " + path + "}\nzones:\n" + zoneLine("site.test", s.url())}, s)
	crowd := newCrowd(p.http, "site.test", "site")
	crowd.come(8)
	files := []string{path}
	for i := range 10 {
		p.await(t, "some requests", crowd.asked(50))
		p.await(t, "lines", notEmpty(path))
		old := fmt.Sprintf("%s.%d", path, i)
		if err := os.Rename(path, old); err != nil {
			t.Fatal(err)
		}
		files = append(files, old)
		p.signal(t, syscall.SIGUSR1)
		p.await(t, "the new file", func() error {
			_, err := os.Stat(path)
			return err
		})
		// From here on nothing is added to the old one.
		info, err := os.Stat(old)
		if err != nil {
			t.Fatal(err)
		}
		p.await(t, "lines in the new file", notEmpty(path))
		if later, err := os.Stat(old); err != nil || later.Size() != info.Size() {
			t.Errorf("the renamed file grew from %d to %d bytes: %v", info.Size(), later.Size(), err)
		}
	}
	p.signal(t, syscall.SIGUSR1) // without a new name the same file goes on
	p.awaitSaid(t, "logs reopened", 11)
	p.await(t, "some more requests", crowd.asked(50))
	crowd.leave(t)
	p.checkWorld(t)
	seen := map[string]bool{}
	if len(files) != 11 {
		t.Fatalf("%d files", len(files))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 || text[len(text)-1] != '\n' {
			t.Errorf("%s has %d bytes and does not end a line: %v", file, len(text), err)
		}
		for line := range strings.Lines(string(text)) {
			var entry struct {
				ID, Target string
				Status     int
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Status != http.StatusOK || seen[entry.ID] {
				t.Errorf("%s: a line is torn or there twice: %q: %v", file, line, err)
			}
			if entry.Target != "/last" { // the checker's
				seen[entry.ID] = true
			}
		}
	}
	if got, want := int64(len(seen)), crowd.answers.Load(); got != want {
		t.Errorf("%d lines for %d requests", got, want)
	}
}

// notEmpty makes a condition for poll.
func notEmpty(path string) func() error {
	return func() error {
		info, err := os.Stat(path)
		if err == nil && info.Size() == 0 {
			err = errors.New(path + " is empty")
		}
		return err
	}
}
