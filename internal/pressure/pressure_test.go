package pressure

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNext_hasRoomBetweenUpAndDown(t *testing.T) {
	for _, c := range []struct {
		now                 Level
		memory, descriptors int64 // percent
		want                Level
	}{
		{Normal, 0, 0, Normal},
		{Normal, 84, 96, Normal},
		{Normal, 85, 0, Shed},
		{Normal, 0, 97, Shed},
		{Normal, 92, 98, Shed},
		{Normal, 93, 0, Drop},
		{Normal, 0, 99, Drop},
		{Normal, 200, 100, Drop},
		{Shed, 80, 0, Shed},
		{Shed, 0, 94, Shed},
		{Shed, 79, 93, Normal},
		{Shed, 92, 98, Shed},
		{Shed, 93, 0, Drop},
		{Shed, 0, 99, Drop},
		{Drop, 88, 0, Drop},
		{Drop, 0, 96, Drop},
		{Drop, 87, 95, Shed},
		{Drop, 80, 0, Shed},
		{Drop, 0, 94, Shed},
		{Drop, 79, 93, Normal},
	} {
		r := Reading{Memory: c.memory, MemoryLimit: 100, Descriptors: c.descriptors, DescriptorLimit: 100}
		if got := next(c.now, r); got != c.want {
			t.Errorf("%s at %d %% of memory and %d %% of descriptors: %s, want %s", c.now, c.memory, c.descriptors, got, c.want)
		}
	}
	if got := next(Normal, Reading{Memory: 1 << 40, Descriptors: 1 << 20}); got != Normal {
		t.Errorf("without limits: %s", got)
	}
}

func TestReading_sharesOfALimit(t *testing.T) {
	r := Reading{Memory: 3, MemoryLimit: 4, Descriptors: 5, DescriptorLimit: 10}
	if r.MemoryShare() != 0.75 || r.DescriptorShare() != 0.5 {
		t.Error(r.MemoryShare(), r.DescriptorShare())
	}
	if r := (Reading{Memory: 3, Descriptors: 5}); r.MemoryShare() != 0 || r.DescriptorShare() != 0 {
		t.Error("a share of no limit")
	}
}

// tree is a folder with files.
func tree(t *testing.T, files map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range files {
		put(t, filepath.Join(folder, name), text)
	}
	return folder
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryLimit_isTheSmallestThatHolds(t *testing.T) {
	const gib = 1 << 30
	machine := map[string]string{"proc/meminfo": "MemTotal:       8388608 kB\nMemFree: 1 kB\n"}
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"machine alone": {nil, 8 * gib},
		"version 2, own group": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/edge.service\n",
			"cgroup/system.slice/edge.service/memory.max": "2147483648\n",
			"cgroup/system.slice/memory.max":              "max\n",
		}, 2 * gib},
		"version 2, a group above": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/edge.service\n",
			"cgroup/system.slice/edge.service/memory.max": "max\n",
			"cgroup/system.slice/memory.max":              "1073741824\n",
		}, gib},
		"version 2, container": {map[string]string{
			"proc/self/cgroup":  "0::/\n",
			"cgroup/memory.max": "1073741824\n",
		}, gib},
		"version 2, container with the path outside": {map[string]string{
			"proc/self/cgroup":  "0::/docker/0123\n",
			"cgroup/memory.max": "1073741824\n",
		}, gib},
		"version 2, more than the machine has": {map[string]string{
			"proc/self/cgroup":    "0::/a\n",
			"cgroup/a/memory.max": "17179869184\n",
		}, 8 * gib},
		"version 1": {map[string]string{
			"proc/self/cgroup":                        "5:cpu,cpuacct:/x\n4:hugetlb,memory:/a/b\n1:name=systemd:/\n",
			"cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
			"cgroup/memory/a/memory.limit_in_bytes":   "3221225472\n",
			"cgroup/memory/memory.limit_in_bytes":     "9223372036854771712\n",
			"cgroup/memory/x/memory.limit_in_bytes":   "1\n",
		}, 3 * gib},
		"both": {map[string]string{
			"proc/self/cgroup":                      "4:memory:/a\n0::/a\n",
			"cgroup/memory/a/memory.limit_in_bytes": "3221225472\n",
			"cgroup/a/memory.max":                   "2147483648\n",
		}, 2 * gib},
		"outside of the namespace": {map[string]string{
			"proc/self/cgroup":  "0::/../a\n",
			"cgroup/memory.max": "1073741824\n",
			"a/memory.max":      "1\n",
		}, gib},
		"nonsense": {map[string]string{
			"proc/self/cgroup":  "\n0\n0:\n::\n0::/\n4:memory\n",
			"cgroup/memory.max": "many\n",
		}, 8 * gib},
	} {
		files := maps.Clone(machine)
		maps.Copy(files, c.files)
		folder := tree(t, files)
		if got, ok := memoryLimit(filepath.Join(folder, "proc"), filepath.Join(folder, "cgroup")); got != c.want || !ok {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got, ok := memoryLimit("/nowhere", "/nowhere"); got != 0 || !ok {
		t.Errorf("no files: %d", got)
	}
}

func TestResident_leavesOutPagesOfFiles(t *testing.T) {
	room := make([]byte, statusRoom)
	for text, want := range map[string]int64{
		"Name:\tx\nVmRSS:\t  5000 kB\nRssAnon:\t    100 kB\nRssFile:\t  2000 kB\nRssShmem:\t    28 kB\n": 128 << 10,
		"Name:\tx\nRssAnon:\t    100 kB\n": 100 << 10,
		"Name:\tx\nVmRSS:\t  5000 kB\n":    5000 << 10,
	} {
		if got, err := resident(strings.NewReader(text), room); got != want || err != nil {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "Name:\tx\n", "\nRssAnon:\n", "\nRssAnon:\t-5 kB\n", "\nRssAnon:\t5 MB\n",
		fmt.Sprintf("\nRssAnon:\t%d kB\n", int64(1)<<60),
	} {
		if got, err := resident(strings.NewReader(text), room); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}
