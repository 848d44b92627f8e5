package pressure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
)

// descriptors counts a process's open descriptors. Since Linux 6.2 the size
// of /proc/self/fd is their number, for a microsecond. Where it is not, the
// entries are counted, for some ten milliseconds when there are 20,000, and
// therefore not at every look.
type descriptors struct {
	fd      int  // the folder, kept open
	sized   bool // its size is the number
	entries int64
	at      time.Time // when entries was counted
	room    []byte
}

const (
	countEvery = 2 * time.Second
	procMagic  = 0x9fa0 // PROC_SUPER_MAGIC, statfs(2)
)

func openDescriptors(folder string) (*descriptors, error) {
	fd, err := syscall.Open(folder, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", folder, err)
	}
	d := &descriptors{fd: fd}
	var system syscall.Statfs_t
	if syscall.Fstatfs(fd, &system) == nil && system.Type == procMagic {
		size, err := d.size()
		d.sized = err == nil && size > 0 // this one is open, so 0 means that it is not told
	}
	return d, nil
}

func (d *descriptors) close() error { return syscall.Close(d.fd) }

func (d *descriptors) size() (int64, error) {
	var stat syscall.Stat_t
	err := syscall.Fstat(d.fd, &stat)
	return stat.Size, err
}

// count returns how many descriptors are open, the one it counts with included.
func (d *descriptors) count(now time.Time) (int64, error) {
	if d.sized {
		return d.size()
	}
	if !d.at.IsZero() && now.Sub(d.at) < countEvery {
		return d.entries, nil
	}
	entries, err := d.walk()
	if err != nil {
		return 0, err
	}
	d.entries, d.at = entries, now
	return entries, nil
}

// walk counts the folder's entries without making anything of them.
func (d *descriptors) walk() (entries int64, err error) {
	if d.room == nil {
		d.room = make([]byte, 32<<10)
	}
	if _, err := syscall.Seek(d.fd, 0, io.SeekStart); err != nil {
		return 0, err
	}
	for {
		n, err := syscall.ReadDirent(d.fd, d.room)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return max(0, entries-2), err // "." and ".."
		}
		for rest := d.room[:n]; len(rest) > 0; entries++ {
			// struct linux_dirent64, getdents64(2): the entry's length is at 16.
			if len(rest) < 18 {
				return 0, errors.New("read folder: an entry is cut")
			}
			length := int(binary.NativeEndian.Uint16(rest[16:]))
			if length < 18 || length > len(rest) {
				return 0, errors.New("read folder: an entry has a wrong length")
			}
			rest = rest[length:]
		}
	}
}

// descriptorLimit returns how many descriptors the process may have.
func descriptorLimit() int64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<62 {
		return 0
	}
	return int64(limit.Cur)
}
