package servers_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/seawall-edge/seawall/internal/program"
)

// stage is the folder in which everything runs, and what runs there.
type stage struct {
	folder string
	as     *syscall.Credential // nil where the test itself is not root
	binary string
	edge   *edge

	mu        sync.Mutex // guards what follows until all are started
	servers   map[string]*server
	processes []*program.Process
	logs      []string // files that servers write to
	pipes     int
}

// server is a host that visitors ask for and the address that has it.
type server struct {
	host, address string
	busy          gauge // visits
}

// needs says which Debian package brings which file.
var needs = []struct{ pattern, debian string }{
	{"/usr/sbin/nginx", "nginx-light"},
	{"/usr/sbin/apache2", "apache2-bin"},
	{"/usr/sbin/lighttpd", "lighttpd"},
	{"/usr/sbin/php-fpm*", "php-fpm"},
	{"/usr/bin/node", "nodejs"},
	{"/usr/bin/python3", "python3"},
}

func lacking() (packages []string) {
	for _, need := range needs {
		if found, err := filepath.Glob(need.pattern); err != nil || len(found) == 0 {
			packages = append(packages, need.debian)
		}
	}
	return packages
}

// require skips the test where a package is missing, and names it. CI has
// them all, so there it fails.
func require(t *testing.T) {
	t.Helper()
	switch {
	case len(missing) == 0:
	case os.Getenv("CI") != "":
		t.Fatalf("missing Debian packages: %s (run test/setup)", strings.Join(missing, " "))
	default:
		t.Skipf("missing Debian packages: %s (run test/setup)", strings.Join(missing, " "))
	}
}

func newStage() (*stage, error) {
	folder, err := os.MkdirTemp("", "seawall-servers-")
	if err != nil {
		return nil, fmt.Errorf("make the stage: %w", err)
	}
	as, err := program.Unprivileged()
	if err != nil {
		return nil, err
	}
	// Everybody may look in: servers run as somebody else than we may.
	return &stage{folder: folder, as: as, servers: map[string]*server{}}, os.Chmod(folder, 0o755)
}

// clear ends what was started, the edge first so that it is not surprised.
func (s *stage) clear() error {
	var problems []error
	for _, p := range slices.Backward(s.processes) {
		problems = append(problems, p.Stop(patience))
	}
	if s.edge != nil {
		problems = append(problems, s.edge.sound())
	}
	return errors.Join(problems...)
}

// tell shows the last words of everything.
func (s *stage) tell(w io.Writer) {
	for _, p := range s.processes {
		fmt.Fprintf(w, "%s said:\n%s\n", p.Name, tail(p.Said()))
	}
	for _, path := range s.logs {
		text, err := os.ReadFile(path)
		fmt.Fprintf(w, "%s (%v):\n%s\n", path, err, tail(string(text)))
	}
}

func tail(text string) string {
	const most = 4000
	if len(text) <= most {
		return text
	}
	return "[...]" + text[len(text)-most:]
}

// path is a place on the stage.
func (s *stage) path(elements ...string) string {
	return filepath.Join(append([]string{s.folder}, elements...)...)
}

// room makes a folder on the stage that servers may write to.
func (s *stage) room(name string) error {
	if err := os.MkdirAll(s.path(name), 0o755); err != nil {
		return fmt.Errorf("make a room: %w", err)
	}
	if s.as == nil {
		return nil
	}
	return os.Chown(s.path(name), int(s.as.Uid), int(s.as.Gid))
}

// file writes a text of testdata onto the stage, with {names} replaced.
func (s *stage) file(name string, replace ...string) error {
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		return fmt.Errorf("read a template: %w", err)
	}
	all := strings.NewReplacer(append(replace, "{stage}", s.folder)...).Replace(string(text))
	return os.WriteFile(s.path(name), []byte(all), 0o644)
}

// start runs a program as the stage's user until it is ready.
func (s *stage) start(name string, ready func() error, command *exec.Cmd, env ...string) (*program.Process, error) {
	command.Dir = s.folder
	command.Env = append(os.Environ(), "HOME="+s.folder, "LC_ALL=C.UTF-8", "TZ=UTC")
	command.Env = append(command.Env, env...)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	p, err := program.Start(name, command)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.processes = append(s.processes, p)
	s.mu.Unlock()
	return p, p.Await(patience, ready)
}

// free returns an address that is only ours: 127.0.0.9 is nobody else's.
func free(count int) (addresses []string, err error) {
	for range count {
		address, err := program.FreeAddress("127.0.0.9")
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// serve makes hosts known that an address has.
func (s *stage) serve(address string, hosts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, host := range hosts {
		s.servers[host] = &server{host: host, address: address}
	}
}

// pattern makes bytes that tell when some are missing.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + i>>8 + i>>16)
	}
	return b
}
