package servers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestRedirect_namesTheVisitorsHost: an application that knows itself by its
// own name and port says them in answers; whoever came through the edge must
// be able to go where it says, and learns nothing of that name.
func TestRedirect_namesTheVisitorsHost(t *testing.T) {
	story(t, applications, func(t *testing.T, s *server) {
		v := enter(t, s, true)
		v.want(v.get("/app/moved?own="+url.QueryEscape(s.address)), http.StatusOK, "who are you?")
		if len(v.sights) != 2 {
			t.Fatalf("the redirect was not followed: %d answers", len(v.sights))
		}
		moved, own := v.sights[0], strings.Split(s.address, ":")[0]
		for _, name := range []string{"Location", "Content-Location", "Refresh", "Link", "Set-Cookie"} {
			value := moved.header.Get(name)
			if value == "" || strings.Contains(value, own) {
				t.Errorf("%s is %q and names the server", name, value)
			}
		}
		for name, path := range map[string]string{"Location": "/app/login", "Content-Location": "/app/moved"} {
			at, err := url.Parse(moved.header.Get(name))
			if err != nil || at.Path != path || at.Host != "" && (at.Host != s.host || at.Scheme != "http") {
				t.Errorf("%s is %q: %v", name, moved.header.Get(name), err)
			}
		}
		// The visitor's browser has the cookie, for the host that it asked.
		here, err := url.Parse("http://" + s.host + "/")
		if err != nil {
			t.Fatal(err)
		}
		if cookies := v.client.Jar.Cookies(here); len(cookies) != 1 || cookies[0].Value != "here" {
			t.Errorf("the browser has kept %v of %q", cookies, moved.header.Get("Set-Cookie"))
		}
	})
}

// TestRedirect_toAFolderStaysAtTheEdge: a web server that adds the slash to a
// folder's name may say which port it listens at.
func TestRedirect_toAFolderStaysAtTheEdge(t *testing.T) {
	story(t, static, func(t *testing.T, s *server) {
		v := enter(t, s, true)
		v.want(v.get("/files/folder"), http.StatusOK, "here")
		if to := v.sights[0].header.Get("Location"); to != "/files/folder/" && to != "http://"+s.host+"/files/folder/" {
			t.Errorf("Location is %q", to)
		}
	})
}
