package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processStat is the part of /proc/PID/stat that we use (proc(5)).
type processStat struct {
	Parent int
	Ticks  uint64 // utime plus stime, in clock ticks
}

// parseProcessStat reads from the last bracket on, since a program may have
// brackets and spaces in its name.
func parseProcessStat(text string) (processStat, error) {
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return processStat{}, errors.New("read stat: no program name")
	}
	fields := strings.Fields(text[end+1:]) // fields[0] is field 3 of proc(5), the state
	if len(fields) < 13 {
		return processStat{}, fmt.Errorf("read stat: %d fields after the name", len(fields))
	}
	parent, err := strconv.Atoi(fields[1])
	user, err1 := strconv.ParseUint(fields[11], 10, 64)
	system, err2 := strconv.ParseUint(fields[12], 10, 64)
	if err := errors.Join(err, err1, err2); err != nil {
		return processStat{}, fmt.Errorf("read stat: %w", err)
	}
	return processStat{Parent: parent, Ticks: user + system}, nil
}

// clockTick is the kernel's unit of utime and stime, from the auxiliary
// vector (getauxval(3), AT_CLKTCK).
func clockTick() time.Duration {
	const atClockTick = 17
	vector, _ := os.ReadFile("/proc/self/auxv")
	for ; len(vector) >= 16; vector = vector[16:] {
		if binary.NativeEndian.Uint64(vector) == atClockTick {
			return time.Second / time.Duration(binary.NativeEndian.Uint64(vector[8:]))
		}
	}
	return 10 * time.Millisecond
}

// tree lists the processes and all that descend from them.
func tree(roots []int) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended while we listed
		}
		stat, err := parseProcessStat(string(text))
		if err != nil {
			return nil, err
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		children[stat.Parent] = append(children[stat.Parent], pid)
	}
	all := append([]int(nil), roots...)
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// readEach reads a file of /proc for each process. One that has ended since
// they were listed counts for nothing, as nginx's cache loader does after a
// minute; when all have, that is an error.
func readEach(pids []int, file string, read func(text string) error) error {
	var gone error
	found := 0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			gone = err
			continue
		}
		if err == nil {
			err = read(string(text))
		}
		if err != nil {
			return err
		}
		found++
	}
	if found == 0 {
		return gone
	}
	return nil
}

// cpuTime is user and system time of the given processes together.
func cpuTime(pids []int) (time.Duration, error) {
	var ticks uint64
	err := readEach(pids, "stat", func(text string) error {
		stat, err := parseProcessStat(text)
		ticks += stat.Ticks
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	return time.Duration(ticks) * clockTick(), nil
}

// coreBusy is the time a core has not been idle since boot, by whomever.
func coreBusy(core int) (time.Duration, error) {
	file, err := os.Open("/proc/stat")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 9 || fields[0] != fmt.Sprintf("cpu%d", core) {
			continue
		}
		var ticks uint64
		for _, i := range []int{1, 2, 3, 6, 7, 8} { // user, nice, system, irq, softirq, steal
			n, err := strconv.ParseUint(fields[i], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read /proc/stat: %w", err)
			}
			ticks += n
		}
		return time.Duration(ticks) * clockTick(), nil
	}
	return 0, fmt.Errorf("read /proc/stat: no core %d", core)
}

// memory is what processes hold, in bytes. Anonymous is user-space memory
// proper: no program text, no mapped files, no socket buffers.
type memory struct{ Proportional, Anonymous int64 }

func memoryOf(pids []int) (memory, error) {
	var sum memory
	err := readEach(pids, "smaps_rollup", func(text string) error {
		one, err := parseSmaps(text)
		sum.Proportional += one.Proportional
		sum.Anonymous += one.Anonymous
		return err
	})
	if err != nil {
		return memory{}, fmt.Errorf("read memory: %w", err)
	}
	return sum, nil
}

func parseSmaps(text string) (memory, error) {
	var m memory
	var seen int
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return memory{}, fmt.Errorf("read smaps: %w", err)
		}
		switch fields[0] {
		case "Pss:":
			m.Proportional, seen = kib*1024, seen+1
		case "Anonymous:":
			m.Anonymous, seen = kib*1024, seen+1
		}
	}
	if seen != 2 {
		return memory{}, fmt.Errorf("read smaps: %d of 2 figures", seen)
	}
	return m, nil
}

// pinned checks every thread, since a server may well move its own.
func pinned(pids []int, core int) error {
	for _, pid := range pids {
		paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		if len(paths) == 0 {
			return fmt.Errorf("check pinning of process %d: %w", pid, fs.ErrNotExist)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue // the thread ended while we listed
			}
			if err != nil {
				return err
			}
			if !strings.Contains(string(text), fmt.Sprintf("Cpus_allowed_list:\t%d\n", core)) {
				return fmt.Errorf("check pinning: a thread of process %d may leave core %d", pid, core)
			}
		}
	}
	return nil
}
