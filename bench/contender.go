package main

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed config
var configs embed.FS

// setup is what the configuration files and commands of a server may mention.
type setup struct {
	Server     string // its name
	Dir        string // for its files and whatever it writes
	Memory     string // the same on a file system in memory, where there is one
	Port       int
	PlainPort  int // for a server that cannot do without plain connections
	OriginPort int
	AccessLog  bool
	Gzip       bool      // answers are compressed
	Crowd      bool      // a page of crowds: nginx has its defaults against them
	Root       bool      // we run as root, so a server must be told to stay so
	Seawall    string    // path of the built binary
	Self       string    // path of this program
	TLS        *identity // nil: connections are plain
	Hosts      []string  // each with a certificate, in place of one site: hosts/NAME.pem in Dir, and hosts/key
	HostFolder string    // what hosts is a link to
}

func (s setup) address() string { return fmt.Sprintf("127.0.0.1:%d", s.Port) }
func (s setup) origin() string  { return fmt.Sprintf("127.0.0.1:%d", s.OriginPort) }

// contender is one server under test. Its files in config/NAME are templates
// over setup.
type contender struct {
	Name    string
	Config  string   // folder in config, where it is not the name
	Version []string // command that prints it
	Serve   func(setup) []string
	Log     func(setup) []string // second process that writes the access log, where the server itself does not
	Note    string
	// OnlyIn limits it to scenarios; nil means all.
	OnlyIn []string
	// Objects says that it finds what it serves in files.
	Objects bool
	// HostsOneIn gives it so many times fewer certificates in pages of many.
	HostsOneIn int
}

func serveNginx(s setup) []string {
	return []string{"nginx", "-p", s.Dir, "-c", s.Dir + "/nginx.conf", "-e", s.Dir + "/error.log"}
}

var contenders = []contender{
	{
		Name:    "nginx",
		Version: []string{"nginx", "-v"},
		Serve:   serveNginx,
		Note:    "one worker and its master; open_file_cache, sendfile, cache files in the page cache; access log unbuffered, its default; proxy_request_buffering off, so that uploads stream as they do through the others",
	},
	{
		Name:    "nginx-buffered",
		Config:  "nginx",
		Version: []string{"nginx", "-v"},
		Serve:   serveNginx,
		Note:    "the same with proxy_request_buffering on, its default: the whole body is written to a file first",
		OnlyIn:  []string{"upload-1m"},
	},
	{
		Name:    "nginx-64k",
		Config:  "nginx",
		Version: []string{"nginx", "-v"},
		Serve:   serveNginx,
		Note:    "the same as nginx with buffers of 64 KiB in place of its default of one or four pages, for at most 576 KiB a connection and no temporary files",
		OnlyIn:  []string{"pass-1m", "upload-1m"},
	},
	{
		Name:    "nginx-lock",
		Config:  "nginx",
		Version: []string{"nginx", "-v"},
		Serve:   serveNginx,
		Note:    "the same as nginx with proxy_cache_lock on and proxy_cache_use_stale updating, which is what its manual has against crowds",
		OnlyIn:  []string{"collapse-expired", "collapse-uncacheable"},
	},
	{
		Name:       "nginx-tenth",
		Config:     "nginx",
		Version:    []string{"nginx", "-v"},
		Serve:      serveNginx,
		Note:       "a tenth of the certificates, each with a server block, which is what its manual has; all are read at the start",
		OnlyIn:     []string{"tls-certificates"},
		HostsOneIn: 10,
	},
	{
		Name:    "nginx-variable",
		Config:  "nginx",
		Version: []string{"nginx", "-v"},
		Serve:   serveNginx,
		Note:    "one server block for all, with ssl_certificate by the name that is asked for: files are read anew for every handshake",
		OnlyIn:  []string{"tls-certificates"},
	},
	{
		Name:    "haproxy",
		Version: []string{"haproxy", "-v"},
		Serve:   func(s setup) []string { return []string{"haproxy", "-db", "-f", s.Dir + "/haproxy.cfg"} },
		Note:    "one thread; memory cache; it logs to syslog or a descriptor only, here its standard output, a file",
	},
	{
		Name:    "varnish",
		Version: []string{"varnishd", "-V"},
		Serve: func(s setup) []string {
			return []string{"varnishd", "-F", "-j", "none", "-n", s.Memory, "-a", s.address(), "-f", s.Dir + "/default.vcl",
				"-s", "malloc,256m", "-p", "thread_pools=1", "-p", "thread_pool_min=100", "-p", "timeout_idle=600"}
		},
		Log: func(s setup) []string {
			return []string{"varnishncsa", "-n", s.Memory, "-a", "-w", s.Dir + "/access.log"}
		},
		Note: "works with a thread per busy connection: one pool of 100 threads and up; shared-memory log always on; varnishncsa counted in the access-log scenario",
	},
	{
		Name:    "trafficserver",
		Version: []string{"traffic_server", "-V"},
		Serve: func(s setup) []string {
			return []string{"traffic_server", "--run-root=" + s.Dir + "/runroot.yaml"}
		},
		Note: "one network thread, one task thread, one disk thread; RAM cache; requests for one address that may not be stored wait for each other for the write lock (a few ms, some 100 us of CPU), and with max_open_write_retries 0, which ends that, it stores nothing at all",
	},
	{
		Name: "reverseproxy",
		Serve: func(s setup) []string {
			return []string{s.Self, "reverseproxy", s.address(), s.origin()}
		},
		Note:   "Go's net/http and httputil.ReverseProxy with 256 idle origin connections in place of 2; has no cache",
		OnlyIn: []string{"pass-1k", "pass-16k", "pass-1m", "upload-1m", "idle"},
	},
	{
		Name:    "caddy",
		Version: []string{"caddy", "version"},
		Serve: func(s setup) []string {
			// Where it puts what it wants to keep for the next start.
			return []string{"env", "XDG_CONFIG_HOME=" + s.Dir, "XDG_DATA_HOME=" + s.Dir, "caddy", "run", "--adapter", "caddyfile", "--config", s.Dir + "/Caddyfile"}
		},
		Objects: true,
		Note:    "has no cache: it serves the object from a file; Go's TLS, as Seawall's, of the Go version that Debian built it with (1.19)",
		OnlyIn:  []string{"tls-hit-1k", "tls-hit-16k", "tls-handshake", "tls-resume", "tls-idle"},
	},
	{
		Name: "seawall",
		Serve: func(s setup) []string {
			if s.TLS != nil || s.Hosts != nil {
				return []string{s.Seawall, "run", "--config", s.Dir + "/seawall.yaml"}
			}
			args := []string{s.Seawall, "run", "--http", s.address(), "--state", s.Dir + "/state", "--zone", "*=http://" + s.origin()}
			if s.AccessLog {
				args = append(args, "--access-log", s.Dir+"/access.log", "--access-log-format", "combined")
			}
			return args
		},
		Note: "defaults, whole ladder on",
	},
	{
		Name: "seawall-off",
		Serve: func(s setup) []string {
			return []string{s.Seawall, "run", "--config", s.Dir + "/seawall.yaml"}
		},
		Note:   "the same with cache.off in its zone",
		OnlyIn: []string{"collapse-uncacheable"},
	},
}

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?[-+~.\w]*`)

// versionOf asks the server itself, and gives the Go version for
// those built here.
func versionOf(c contender, goVersion string) string {
	if c.Version == nil {
		return "(" + goVersion + ")"
	}
	out, _ := exec.Command(c.Version[0], c.Version[1:]...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if c.Name == "caddy" || strings.Contains(line, "ersion") || strings.Contains(line, "varnish") || strings.Contains(line, "Server 9") {
			if found := versionNumber.FindString(line); found != "" {
				return found
			}
		}
	}
	return "unknown"
}

// render writes the files of one server into its directory.
func render(c contender, s setup) error {
	if c.Objects {
		if err := writeObjects(s.Dir + "/objects"); err != nil {
			return err
		}
	}
	folder := "config/" + cmp.Or(c.Config, c.Name)
	entries, err := configs.ReadDir(folder)
	if err != nil {
		return nil // it is configured by its command line alone
	}
	for _, entry := range entries {
		text, err := fs.ReadFile(configs, folder+"/"+entry.Name())
		if err != nil {
			return err
		}
		page, err := template.New(entry.Name()).Option("missingkey=error").Parse(string(text))
		if err != nil {
			return fmt.Errorf("read configuration of %s: %w", c.Name, err)
		}
		var out strings.Builder
		if err := page.Execute(&out, s); err != nil {
			return fmt.Errorf("fill configuration of %s: %w", c.Name, err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, entry.Name()), []byte(out.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeObjects writes what the origin has, and may be stored, into files.
func writeObjects(folder string) error {
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	for path := range sizes {
		if strings.HasPrefix(path, passPrefix) {
			continue
		}
		if err := os.WriteFile(folder+path, originBody(path), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ours says that it is Seawall, with whatever settings.
func (c contender) ours() bool { return c.Name == "seawall" || c.Name == "seawall-off" }

// takesPart says whether a server runs in a scenario.
func (c contender) takesPart(sc scenario) bool {
	return (c.OnlyIn == nil || slices.Contains(c.OnlyIn, sc.Name)) && (sc.Servers == nil || slices.Contains(sc.Servers, c.Name))
}

// onCore prefixes a command so that it and all its children stay on one core.
func onCore(core int, args []string) []string {
	return append([]string{"taskset", "-c", strconv.Itoa(core)}, args...)
}
