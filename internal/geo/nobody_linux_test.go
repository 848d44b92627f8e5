package geo

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// asNobody calls f with the rights of nobody on files, on this thread alone:
// root, as which CI runs, may read everything (setfsuid(2)).
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	set := func(uid uintptr) {
		syscall.RawSyscall(syscall.SYS_SETFSUID, uid, 0, 0)
		// The call tells no error, but what was set before.
		if now, _, _ := syscall.RawSyscall(syscall.SYS_SETFSUID, uid, 0, 0); now != uid {
			t.Fatalf("files are still accessed as user %d, not %d", now, uid)
		}
	}
	set(65534)
	defer set(0)
	f()
}
