package servers_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seawall-edge/seawall/internal/program"
)

const (
	pageSize  = 300_000
	largeSize = 64 << 20
)

// written is when the site's files were last changed, as they say.
var written = time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)

// layOutSite makes the files that every server has under /files/.
func (s *stage) layOutSite() error {
	if err := os.MkdirAll(s.path("site", "files", "folder"), 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"page.bin":  pattern(pageSize),
		"small.txt": bytes.Repeat([]byte("the same line again\n"), 500),
		"large.bin": pattern(largeSize),
	} {
		path := s.path("site", "files", name)
		err := errors.Join(os.WriteFile(path, content, 0o644), os.Chtimes(path, written, written))
		if err != nil {
			return err
		}
	}
	return errors.Join(os.WriteFile(s.path("site", "files", "folder", "index.html"), []byte("here\n"), 0o644),
		s.file("app.php"), s.file("app.js"), s.file("app.py"))
}

func (s *stage) startPHP() error {
	programs, err := filepath.Glob("/usr/sbin/php-fpm*")
	if err != nil {
		return err
	}
	if err := errors.Join(s.room("php"), s.file("php-fpm.conf")); err != nil {
		return err
	}
	s.log(s.path("php", "errors.log"))
	_, err = s.start("php-fpm", program.Listening("unix", s.path("php", "socket")),
		exec.Command(programs[0], "--nodaemonize", "--fpm-config", s.path("php-fpm.conf")))
	return err
}

func (s *stage) log(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, path)
}

func (s *stage) startNginx() error {
	at, err := free(1)
	if err != nil {
		return err
	}
	if err := errors.Join(s.room("nginx"), s.file("nginx.conf", "{address}", at[0])); err != nil {
		return err
	}
	s.serve(at[0], "nginx.test", "small.nginx.test", "zero.nginx.test", "once.nginx.test", "third.nginx.test", "brief.nginx.test")
	// -e: it would open its compiled-in log before it has read the configuration.
	_, err = s.start("nginx", program.Listening("tcp", at[0]),
		exec.Command("/usr/sbin/nginx", "-e", "stderr", "-c", s.path("nginx.conf")))
	return err
}

func (s *stage) startApache() error {
	at, err := free(3)
	if err != nil {
		return err
	}
	err = errors.Join(s.room("apache"), s.file("apache.conf", "{modules}", "/usr/lib/apache2/modules",
		"{address}", at[0], "{brief}", at[1], "{third}", at[2]))
	if err != nil {
		return err
	}
	for i, host := range []string{"apache.test", "brief.apache.test", "third.apache.test"} {
		s.serve(at[i], host)
	}
	s.log(s.path("apache", "errors.log"))
	_, err = s.start("apache", program.Listening("tcp", at[2]),
		exec.Command("/usr/sbin/apache2", "-f", s.path("apache.conf"), "-DFOREGROUND"))
	return err
}

func (s *stage) startLighttpd() error {
	at, err := free(1)
	if err != nil {
		return err
	}
	ip, port, err := net.SplitHostPort(at[0])
	if err != nil {
		return err
	}
	if err := errors.Join(s.room("lighttpd"), s.file("lighttpd.conf", "{ip}", ip, "{port}", port)); err != nil {
		return err
	}
	s.serve(at[0], "lighttpd.test", "small.lighttpd.test", "third.lighttpd.test")
	_, err = s.start("lighttpd", program.Listening("tcp", at[0]),
		exec.Command("/usr/sbin/lighttpd", "-D", "-f", s.path("lighttpd.conf")))
	return err
}

func (s *stage) startNode() error {
	at, err := free(1)
	if err != nil {
		return err
	}
	ip, port, err := net.SplitHostPort(at[0])
	if err != nil {
		return err
	}
	s.serve(at[0], "node.test")
	_, err = s.start("node", program.Listening("tcp", at[0]),
		exec.Command("/usr/bin/node", s.path("app.js"), ip, port, s.path("site", "files")))
	return err
}

// startPython starts an application that answers in a version of HTTP/1.
func (s *stage) startPython(version string) error {
	at, err := free(1)
	if err != nil {
		return err
	}
	ip, port, err := net.SplitHostPort(at[0])
	if err != nil {
		return err
	}
	s.serve(at[0], fmt.Sprintf("python%c%c.test", version[0], version[2]))
	_, err = s.start("python "+version, program.Listening("tcp", at[0]),
		exec.Command("/usr/bin/python3", s.path("app.py"), ip, port, version, s.path("site", "files")))
	return err
}
