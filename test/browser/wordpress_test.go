package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startWordPress starts database, PHP and web server with an application that
// is not installed yet, and returns the web server's address. Visitors is the
// address at which the application can reach itself by its public name.
func startWordPress(t *testing.T, s *stage, origin, visitors string) {
	t.Helper()
	startDatabase(t, s)
	layOutSite(t, s, visitors)
	startPHP(t, s)
	s.room(t, "nginx")
	s.file(t, "wordpress/nginx.conf", s.path("nginx.conf"), "{address}", origin)
	// -e: it would open its compiled-in log before it has read the configuration.
	server := start(t, "nginx", s.command("/usr/sbin/nginx", "-e", "stderr", "-c", s.path("nginx.conf")))
	server.await(t, listening("tcp", origin))
}

func startDatabase(t *testing.T, s *stage) {
	t.Helper()
	folder, socket := s.room(t, "database"), s.path("database", "socket")
	data := s.room(t, "database", "data")
	run(t, nil, s.command("/usr/bin/mariadb-install-db", "--no-defaults", "--datadir="+data,
		"--auth-root-authentication-method=normal", "--skip-test-db"))
	database := start(t, "mariadbd", s.command("/usr/sbin/mariadbd", "--no-defaults", "--datadir="+data,
		"--socket="+socket, "--pid-file="+filepath.Join(folder, "pid"), "--skip-networking",
		"--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--tmpdir="+folder))
	database.await(t, listening("unix", socket))
	run(t, strings.NewReader(`CREATE DATABASE site CHARACTER SET utf8mb4;
		CREATE USER site@localhost IDENTIFIED BY 'only on this machine';
		GRANT ALL ON site.* TO site@localhost;`),
		s.command("/usr/bin/mariadb", "--no-defaults", "--socket="+socket, "--user=root"))
}

// layOutSite copies the application, links followed: PHP finds its
// configuration beside its real place, so links alone would not do.
func layOutSite(t *testing.T, s *stage, visitors string) {
	t.Helper()
	site := s.room(t, "site")
	run(t, nil, s.command("cp", "-rL", "/usr/share/wordpress/.", site))
	s.room(t, "site", "wp-content", "mu-plugins")
	s.room(t, "site", "wp-content", "uploads")
	s.file(t, "wordpress/wp-config.php", filepath.Join(site, "wp-config.php"))
	s.file(t, "wordpress/house.php", filepath.Join(site, "wp-content", "mu-plugins", "house.php"), "{visitors}", visitors)
}

func startPHP(t *testing.T, s *stage) {
	t.Helper()
	programs, err := filepath.Glob("/usr/sbin/php-fpm*")
	if err != nil || len(programs) == 0 {
		t.Fatalf("find php-fpm: %v", err)
	}
	folder := s.room(t, "php")
	s.file(t, "wordpress/php-fpm.conf", s.path("php-fpm.conf"))
	php := start(t, "php-fpm", s.command(programs[0], "--nodaemonize", "--fpm-config", s.path("php-fpm.conf")))
	php.await(t, listening("unix", filepath.Join(folder, "socket")))
	t.Cleanup(func() {
		errors, err := os.ReadFile(filepath.Join(folder, "errors.log"))
		if t.Failed() && err == nil {
			t.Logf("PHP's errors:\n%s", tail(string(errors), 4000))
		}
	})
}
