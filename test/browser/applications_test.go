package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildApplications builds the Go programs of testdata/applications, which
// come through the module proxy as any module does.
func buildApplications(t *testing.T, s *stage) {
	t.Helper()
	build := exec.Command("go", "build", "-o", s.room(t, "programs")+"/", "tool")
	build.Dir = filepath.Join("testdata", "applications")
	run(t, nil, build)
}

// startChat starts the chat example of the WebSocket library that most Go
// programs use: whatever one visitor says, all see.
func startChat(t *testing.T, s *stage, origin string) {
	t.Helper()
	find := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/gorilla/websocket/examples/chat")
	find.Dir = filepath.Join("testdata", "applications")
	source, err := find.Output()
	if err != nil {
		t.Fatalf("find the chat's page: %v", err)
	}
	// It reads its page from where it is started.
	run(t, nil, exec.Command("cp", filepath.Join(strings.TrimSpace(string(source)), "home.html"), s.path("home.html")))
	chat := start(t, "chat", s.command(s.path("programs", "chat"), "-addr", origin))
	chat.await(t, listening("tcp", origin))
}

// startSlides starts the Go project's own presentation server. Its slides
// contain programs, and what those print comes over a WebSocket.
func startSlides(t *testing.T, s *stage, zone, origin string) {
	t.Helper()
	content, err := filepath.Abs(filepath.Join("testdata", "slides"))
	if err != nil {
		t.Fatalf("find the slides: %v", err)
	}
	// As ourselves: it calls the go command, which needs our module and build caches.
	command := exec.Command(s.path("programs", "present"), "-http", origin, "-orighost", zone, "-content", content)
	command.Dir = s.folder
	if err := os.Mkdir(s.path("snippets"), 0o755); err != nil {
		t.Fatalf("make room for the slides' programs: %v", err)
	}
	command.Env = append(os.Environ(), "TMPDIR="+s.path("snippets"))
	slides := start(t, "present", command)
	slides.await(t, listening("tcp", origin))
}
