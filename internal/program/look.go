package program

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Ask gets a page from one of a program's own doors, on a connection of its
// own. A program that does not answer for half a minute hangs.
func Ask(url string) (string, error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return string(body), err
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

// Goroutines counts those of a Go program, given the host:port at which it
// serves net/http/pprof. One of them answers the question.
func Goroutines(address string) (int, error) {
	text, err := Ask("http://" + address + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	m := goroutineTotal.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("no goroutine profile")
	}
	return strconv.Atoi(m[1])
}

// Sample returns the value of one series of a page of Prometheus metrics,
// written as it stands there.
func Sample(page, series string) (int64, error) {
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(line, series+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int64(number), err
		}
	}
	return 0, fmt.Errorf("the metrics have no %s", series)
}

// Open lists what a process has open. Sockets are told by their kernel
// number, as in socket:[4711].
func Open(pid int) (files []string, err error) {
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if target, err := os.Readlink(filepath.Join(folder, entry.Name())); err == nil {
			files = append(files, target)
		} // else: closed meanwhile
	}
	return files, nil
}

// Memory returns a line of /proc/PID/status, such as VmRSS or VmHWM, in bytes.
func Memory(pid int, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, found := bytes.CutPrefix(line, []byte(name+":")); found {
			kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no %s", name)
}

// Socket is one end of a TCP connection over IPv4, or a listener.
type Socket struct {
	Name        string // as in Open
	Local, Peer netip.AddrPort
	State       string // the kernel's number for it: 01 established, 08 the other end has closed
}

// Sockets lists the TCP sockets of this machine's network over IPv4. One
// that has been reset is in nobody's list any more.
func Sockets() (list []Socket, err error) {
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 10 || f[0] == "sl" {
			continue
		}
		s := Socket{Name: "socket:[" + f[9] + "]", State: f[3]}
		var wrong error
		s.Local, err = endpoint(f[1])
		s.Peer, wrong = endpoint(f[2])
		if err := errors.Join(err, wrong); err != nil {
			return nil, fmt.Errorf("read the kernel's sockets: %w", err)
		}
		list = append(list, s)
	}
	return list, nil
}

// endpoint reads an address as the kernel prints it: one hexadecimal number
// of this machine's byte order, which is little-endian wherever we run.
func endpoint(text string) (netip.AddrPort, error) {
	address, port, _ := strings.Cut(text, ":")
	a, err := strconv.ParseUint(address, 16, 32)
	if err != nil {
		return netip.AddrPort{}, err
	}
	p, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(a), byte(a >> 8), byte(a >> 16), byte(a >> 24)}), uint16(p)), err
}
