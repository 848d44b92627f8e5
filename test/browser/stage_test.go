package browser

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// stage is the folder in which a story plays and the user it plays as.
type stage struct {
	folder string
	as     *syscall.Credential // nil where the test itself is not root
}

// needs says which Debian package brings which file.
var needs = []struct{ pattern, debian string }{
	{"/usr/bin/chromium", "chromium"},
	{"/usr/sbin/nginx", "nginx-light"},
	{"/usr/sbin/mariadbd", "mariadb-server"},
	{"/usr/sbin/php-fpm*", "php-fpm"},
	{"/usr/lib/php/*/mysqli.so", "php-mysql"},
	{"/usr/lib/php/*/gd.so", "php-gd"},
	{"/usr/lib/php/*/dom.so", "php-xml"},
	{"/usr/lib/php/*/mbstring.so", "php-mbstring"},
	{"/usr/share/wordpress/wp-load.php", "wordpress"},
	{"/usr/share/wordpress/wp-content/themes/twentytwentythree/style.css", "wordpress-theme-twentytwentythree"},
}

// require skips the test where a package is missing, and names it. CI has
// them all, so there it fails.
func require(t *testing.T, debian ...string) {
	t.Helper()
	missing, err := missingOf(debian)
	switch {
	case err != nil:
		t.Fatal(err)
	case len(missing) == 0:
	case os.Getenv("CI") != "":
		t.Fatalf("missing Debian packages: %s (run test/setup)", strings.Join(missing, " "))
	default:
		t.Skipf("missing Debian packages: %s (run test/setup)", strings.Join(missing, " "))
	}
}

func missingOf(debian []string) (missing []string, err error) {
next:
	for _, name := range debian {
		for _, need := range needs {
			if need.debian != name {
				continue
			}
			found, err := filepath.Glob(need.pattern)
			if err != nil {
				return nil, fmt.Errorf("look for %s: %w", name, err)
			}
			if len(found) == 0 {
				missing = append(missing, name)
			}
			continue next
		}
		return nil, fmt.Errorf("nobody knows how to find the package %s", name)
	}
	return missing, nil
}

// newStage makes the folder. When the test is over, nothing may be left of
// it, processes included.
func newStage(t *testing.T) *stage {
	t.Helper()
	// Not t.TempDir: that one only its owner may enter.
	folder, err := os.MkdirTemp("", "seawall-browser-")
	if err != nil {
		t.Fatalf("make the stage: %v", err)
	}
	s := &stage{folder: folder}
	t.Cleanup(func() {
		err := eventually(func() error {
			if left := remaining(folder); len(left) > 0 {
				return fmt.Errorf("still running:\n%s", strings.Join(left, "\n"))
			}
			return nil
		}, nil)
		if err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(folder); err != nil {
			t.Errorf("clear the stage: %v", err)
		}
	})
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatalf("open the stage: %v", err)
	}
	if os.Getuid() == 0 {
		s.as = unprivileged(t)
	}
	return s
}

// unprivileged is who servers and browsers run as when the test is root:
// some of them refuse to be root, and none should.
func unprivileged(t *testing.T) *syscall.Credential {
	t.Helper()
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("find an unprivileged user: %v", err)
	}
	uid, errUID := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(nobody.Gid, 10, 32)
	if err := errors.Join(errUID, errGID); err != nil {
		t.Fatalf("read the unprivileged user: %v", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// path is a place on the stage.
func (s *stage) path(elements ...string) string {
	return filepath.Join(append([]string{s.folder}, elements...)...)
}

// room makes a folder on the stage that the story's user may write to.
func (s *stage) room(t *testing.T, elements ...string) string {
	t.Helper()
	folder := s.path(elements...)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatalf("make a room: %v", err)
	}
	if s.as != nil {
		if err := os.Chown(folder, int(s.as.Uid), int(s.as.Gid)); err != nil {
			t.Fatalf("hand over a room: %v", err)
		}
	}
	return folder
}

// file writes a text of testdata onto the stage, with {names} replaced.
func (s *stage) file(t *testing.T, from, to string, replace ...string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", from))
	if err != nil {
		t.Fatalf("read a template: %v", err)
	}
	all := strings.NewReplacer(append(replace, "{stage}", s.folder)...).Replace(string(text))
	if err := os.WriteFile(to, []byte(all), 0o644); err != nil {
		t.Fatalf("write %s: %v", to, err)
	}
}

// command is a command run by the story's user, with its home on the stage.
func (s *stage) command(name string, arguments ...string) *exec.Cmd {
	c := exec.Command(name, arguments...)
	s.dress(c)
	return c
}

func (s *stage) dress(c *exec.Cmd) {
	c.Dir = s.folder
	c.Env = append(os.Environ(), "HOME="+s.path("home"), "LC_ALL=C.UTF-8", "TZ=UTC")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
}
