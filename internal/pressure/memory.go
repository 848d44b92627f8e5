package pressure

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// statusRoom holds /proc/self/status: 1.5 KiB, and a list of groups that may be long.
const statusRoom = 16 << 10

// resident reads the memory of the process that the kernel cannot drop, in
// bytes, from its status (proc_pid_status(5)): RssAnon and RssShmem. Kernels
// that do not tell them apart (gVisor's) have VmRSS, with pages of files.
func resident(status io.ReaderAt, room []byte) (int64, error) {
	n, err := status.ReadAt(room, 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	text := room[:n]
	anonymous, ok := kibibytes(text, "\nRssAnon:")
	if !ok {
		if all, ok := kibibytes(text, "\nVmRSS:"); ok {
			return all, nil
		}
		return 0, errors.New("neither RssAnon nor VmRSS in the status")
	}
	shared, _ := kibibytes(text, "\nRssShmem:")
	return anonymous + shared, nil
}

// kibibytes finds a line like "RssAnon:   148 kB" and returns bytes.
func kibibytes(text []byte, name string) (int64, bool) {
	_, after, found := bytes.Cut(text, []byte(name))
	if !found {
		return 0, false
	}
	line, _, _ := bytes.Cut(after, []byte("\n"))
	value, unit, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>10 || string(unit) != "kB" {
		return 0, false
	}
	return n << 10, true
}

// limits finds the smallest of several limits in files.
type limits struct {
	least int64
	short bool // a file could not be opened for want of descriptors
}

// read returns a file's text. One that is not there, or not for us, limits nothing.
func (l *limits) read(file string) string {
	text, err := os.ReadFile(file)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.short = true
	}
	return string(text)
}

// memoryLimit returns the smallest limit that holds for the process, in
// bytes: of the machine, of its control group, or of one above it; 0 when
// there is none. It is not ok when files could not be opened for want of
// descriptors.
func memoryLimit(proc, groups string) (limit int64, ok bool) {
	l := limits{least: math.MaxInt64}
	if total, ok := kibibytes([]byte("\n"+l.read(filepath.Join(proc, "meminfo"))), "\nMemTotal:"); ok {
		l.least = total
	}
	for line := range strings.Lines(l.read(filepath.Join(proc, "self/cgroup"))) {
		// hierarchy:controllers:path (cgroups(7)); version 2 has no controllers.
		hierarchy, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case hierarchy == "0" && controllers == "":
			l.group(groups, group, "memory.max")
		case slices.Contains(strings.Split(controllers, ","), "memory"):
			l.group(filepath.Join(groups, "memory"), group, "memory.limit_in_bytes")
		}
	}
	if l.least == math.MaxInt64 {
		return 0, !l.short
	}
	return l.least, !l.short
}

// group looks at a control group and those above it. In a container the path
// may be the one outside of it: then only the root is found, which is the
// container's own group.
func (l *limits) group(root, group, file string) {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		// "max" is no number, and no limit.
		if n, err := strconv.ParseInt(strings.TrimSpace(l.read(filepath.Join(root, group, file))), 10, 64); err == nil && n > 0 {
			l.least = min(l.least, n)
		}
		if group == "/" {
			return
		}
	}
}
