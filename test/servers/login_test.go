package servers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// post sends a form.
func (v *visitor) post(target string, form url.Values) sight {
	v.t.Helper()
	return v.send(v.request(http.MethodPost, target, strings.NewReader(form.Encode()), "Content-Type: application/x-www-form-urlencoded"))
}

// TestLogin_staysWithWhoeverLoggedIn: by form, cookie and redirect, until the
// log-out; and nobody else gets to see the page meanwhile.
func TestLogin_staysWithWhoeverLoggedIn(t *testing.T) {
	const password = "länger & besser"
	story(t, applications, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			v.want(v.get("/app/private"), http.StatusOK, "who are you?")
			v.want(v.post("/app/login", url.Values{"user": {"ada"}, "password": {"guess"}}), http.StatusForbidden, "wrong")
			v.want(v.get("/app/private"), http.StatusOK, "who are you?")
			v.want(v.post("/app/login", url.Values{"user": {"ada"}, "password": {password}}), http.StatusOK, "hello ada")
			v.want(v.get("/app/private"), http.StatusOK, "hello ada")
			stranger := enter(t, s, v.through)
			stranger.want(stranger.get("/app/private"), http.StatusOK, "who are you?")
			v.want(v.post("/app/logout", nil), http.StatusOK, "who are you?")
			v.want(v.get("/app/private"), http.StatusOK, "who are you?")
			stranger.want(stranger.get("/app/private"), http.StatusOK, "who are you?")
		})
	})
}

// TestApplication_seesTheVisitor: the name that was asked for, the visitor's
// address and nobody's inventions.
func TestApplication_seesTheVisitor(t *testing.T) {
	story(t, applications, func(t *testing.T, s *server) {
		v := enter(t, s, true)
		got := v.get("/app/seen?a=b%20c&d=%2F", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X_Forwarded_For: 192.0.2.2")
		v.want(got, http.StatusOK, fmt.Sprintf(`{"host":"%s","for":"127.0.0.1","proto":"http","query":"a=b%%20c&d=%%2F"}`, s.host))
	})
}

// TestErrors_passUnchanged: pages for 404 and 500 are the application's own.
func TestErrors_passUnchanged(t *testing.T) {
	story(t, applications, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			v.want(v.get("/app/nowhere"), http.StatusNotFound, "no such page")
			v.want(v.get("/files/nowhere"), http.StatusNotFound, "")
			v.want(v.get("/app/fails"), http.StatusInternalServerError, "it broke")
			v.want(v.get("/app/fails"), http.StatusInternalServerError, "it broke")
		})
	})
}
