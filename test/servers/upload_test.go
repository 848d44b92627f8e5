package servers_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"testing"
)

// TestUpload_arrivesWhole as a form with a file, with a length and without.
func TestUpload_arrivesWhole(t *testing.T) {
	content := pattern(8 << 20)
	sum := sha256.Sum256(content)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.WriteField("note", "grüße"); err != nil {
		t.Fatal(err)
	}
	file, err := w.CreateFormFile("file", "picture.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	story(t, applications, func(t *testing.T, s *server) {
		bothWays(t, s, func(v *visitor) {
			got := v.send(v.request(http.MethodPost, "/app/upload", bytes.NewReader(form.Bytes()), "Content-Type: "+w.FormDataContentType()))
			v.want(got, http.StatusOK, fmt.Sprintf("picture.jpg %d %x grüße", len(content), sum))
			got = v.send(v.request(http.MethodPost, "/app/upload", bytes.NewReader(content), "Content-Type: application/octet-stream"))
			v.want(got, http.StatusOK, fmt.Sprintf("raw %d %x", len(content), sum))
			// A reader that is not known to have a length is sent in chunks.
			got = v.send(v.request(http.MethodPost, "/app/upload", struct{ io.Reader }{bytes.NewReader(content)}, "Content-Type: application/octet-stream"))
			v.want(got, http.StatusOK, fmt.Sprintf("raw %d %x", len(content), sum))
			got = v.send(v.request(http.MethodPost, "/app/upload", nil))
			v.want(got, http.StatusOK, fmt.Sprintf("raw 0 %x", sha256.Sum256(nil)))
		})
	})
}

// TestUpload_isInvited: who asks before sending is invited, by the edge where
// a server of HTTP/1.0 cannot say it.
func TestUpload_isInvited(t *testing.T) {
	content := pattern(1 << 20)
	story(t, applications, func(t *testing.T, s *server) {
		v := enter(t, s, true)
		got := v.send(v.request(http.MethodPost, "/app/upload", bytes.NewReader(content), "Content-Type: application/octet-stream", "Expect: 100-continue"))
		v.want(got, http.StatusOK, fmt.Sprintf("raw %d %x", len(content), sha256.Sum256(content)))
	})
}
