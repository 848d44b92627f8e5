package rewrite

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seawall-edge/seawall/rule"
	"github.com/seawall-edge/seawall/spec"
)

// table is a compiled spec.RedirectListSpec.
type table struct {
	title     string
	entries   map[string]tableEntry // by path, or by host and path
	hosts     bool                  // some entry names a host
	lengths   uint64                // bit n: some name in entries has n bytes, modulo 64
	dropQuery bool
}

type tableEntry struct {
	to     string
	status int
}

// mostTableEntries bounds one list.
const mostTableEntries = 1_000_000

func newTable(s spec.RedirectListSpec) (table, error) {
	t := table{entries: map[string]tableEntry{}, dropQuery: s.DropQuery}
	status := s.Status
	if status == 0 {
		status = http.StatusMovedPermanently
	}
	lines := map[string]int{}
	for number, text := range s.All() {
		from, entry, err := parseEntry(text, status)
		if err == nil && lines[from] != 0 {
			err = fmt.Errorf("%s is sent elsewhere already (%s)", from, placeName(lines[from]))
		}
		if err != nil {
			return t, fmt.Errorf("%s: %w", placeName(number), err)
		}
		if len(t.entries) == mostTableEntries {
			return t, fmt.Errorf("more than %d entries", mostTableEntries)
		}
		t.entries[from], lines[from] = entry, number
		t.lengths |= 1 << (len(from) % 64)
		t.hosts = t.hosts || from[0] != '/'
	}
	return t, nil
}

func placeName(number int) string {
	if number < 0 {
		return fmt.Sprintf("entries[%d]", -1-number)
	}
	return fmt.Sprintf("line %d", number)
}

// parseEntry reads "FROM TO" or "FROM TO STATUS".
func parseEntry(text string, status int) (from string, entry tableEntry, err error) {
	words := strings.Fields(text)
	if len(words) < 2 || len(words) > 3 {
		return "", entry, fmt.Errorf("%.80q is not an entry; write FROM TO, or FROM TO STATUS", text)
	}
	if len(words) == 3 {
		if status, err = strconv.Atoi(words[2]); err != nil {
			return "", entry, fmt.Errorf("%.80q is not a status", words[2])
		}
	}
	if !spec.RedirectStatus(status) {
		return "", entry, fmt.Errorf("%d is no redirect; use 301, 302, 303, 307 or 308", status)
	}
	to := template{parts: []templatePart{{text: words[1], group: -1}}}
	if wrong := checkDestination(&to); wrong != "" {
		return "", entry, fmt.Errorf("%.80q: %s", words[1], wrong)
	}
	host, path, _ := strings.Cut(words[0], "/")
	if strings.ContainsAny(words[0], "?#*") || !strings.Contains(words[0], "/") {
		return "", entry, fmt.Errorf("%.80q is not an exact path; write /path or host/path, and patterns into rules", words[0])
	}
	if path, err = url.PathUnescape(path); err != nil {
		return "", entry, fmt.Errorf("%.80q: %w", words[0], err)
	}
	return strings.ToLower(host) + "/" + path, tableEntry{words[1], status}, nil
}

func (t *table) find(f *rule.Facts) (entry tableEntry, ok bool) {
	if t.hosts {
		var room [320]byte
		if entry, ok = t.entries[string(append(append(room[:0], f.Host...), f.Path...))]; ok {
			return entry, true
		}
	}
	if t.lengths>>(len(f.Path)%64)&1 == 0 {
		return tableEntry{}, false // as most requests of a small list's zone
	}
	entry, ok = t.entries[string(f.Path)]
	return entry, ok
}
