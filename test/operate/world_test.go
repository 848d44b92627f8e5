package operate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	outside "github.com/seawall-edge/seawall/internal/program"
)

func (p *program) ready() error {
	_, err := outside.Ask("http://" + p.metrics + "/readyz")
	return err
}

// metric returns the value of one series, written as on the page.
func (p *program) metric(series string) (int, error) {
	text, err := outside.Ask("http://" + p.metrics + "/metrics")
	if err != nil {
		return 0, err
	}
	return valueOf(text, series)
}

func valueOf(page, series string) (int, error) {
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(number), err
		}
	}
	return 0, fmt.Errorf("the metrics have no %s", series)
}

// metricIs makes a condition for poll.
func (p *program) metricIs(series string, want int) func() error {
	return func() error {
		got, err := p.metric(series)
		if err == nil && got != want {
			err = fmt.Errorf("%s is %d, not %d", series, got, want)
		}
		return err
	}
}

// settle remembers what is open, and fails while that still changes.
func (p *program) settle() error {
	files, err := p.openFiles()
	if err != nil {
		return err
	}
	goroutines, err := p.countGoroutines()
	if err != nil {
		return err
	}
	same := slices.Equal(files, p.files) && goroutines == p.goroutines
	if p.files, p.goroutines = files, goroutines; !same {
		return fmt.Errorf("still changing")
	}
	return nil
}

// unchanged compares with what settle remembered. The journal opens its two
// files when there is something to write. Connections that wait for their
// next request at a site are no leak, but could hide one: they are made to go.
func (p *program) unchanged() error {
	files, err := p.openFiles()
	if err != nil {
		return err
	}
	goroutines, err := p.countGoroutines()
	if err != nil {
		return err
	}
	const journal = 2
	if extra := sockets(files) - sockets(p.files); extra > 0 {
		for _, s := range p.sites {
			p.emptyPool(s)
		}
		return fmt.Errorf("%d sockets are left", extra)
	}
	if extra := len(files) - sockets(files) - len(p.files) + sockets(p.files); extra > journal {
		return fmt.Errorf("%d files are left: %q, at first %q", extra, files, p.files)
	}
	if goroutines > p.goroutines {
		return fmt.Errorf("%d goroutines, at first %d", goroutines, p.goroutines)
	}
	return nil
}

// emptyPool has the site close what it has open, and asks for one more page:
// the edge looks at its idle connections when it needs one.
func (p *program) emptyPool(s *site) {
	s.server.CloseClientConnections()
	v, err := visit(p.http)
	if err != nil {
		return // the next look tells
	}
	defer v.conn.Close()
	if v.send("GET /last HTTP/1.1\r\nHost: "+s.name+".test\r\nConnection: close\r\n\r\n") == nil {
		_, _ = v.receive() // any answer will do
	}
}

func sockets(files []string) (n int) {
	for _, f := range files {
		if f == "socket" {
			n++
		}
	}
	return n
}

// openFiles lists what the process has open, sockets without their numbers.
func (p *program) openFiles() ([]string, error) {
	dir := fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		if strings.HasPrefix(target, "socket:") {
			target = "socket"
		}
		files = append(files, target)
	}
	slices.Sort(files)
	return files, nil
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

func (p *program) countGoroutines() (int, error) {
	text, err := outside.Ask("http://" + p.debug + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	m := goroutineTotal.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no goroutine profile")
	}
	return strconv.Atoi(m[1])
}

// memory returns a line of /proc/PID/status, such as VmHWM, in bytes.
func (p *program) memory(name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s", name)
}
