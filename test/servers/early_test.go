package servers_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// TestEarly_refusalOfAnUploadIsSeen: servers say 413 before the body has come,
// and close. Whoever reads while sending sees that, and so does whoever reads
// only when sending has ended, well or not.
func TestEarly_refusalOfAnUploadIsSeen(t *testing.T) {
	const size = 20 << 20
	hosts := []string{"small.nginx.test", "small.lighttpd.test"}
	story(t, hosts, func(t *testing.T, s *server) {
		for _, chunked := range []bool{false, true} {
			for _, patient := range []bool{false, true} {
				t.Run(fmt.Sprintf("chunked=%v,patient=%v", chunked, patient), func(t *testing.T) {
					v := enter(t, s, true)
					conn := v.connect()
					head := fmt.Sprintf("POST /app/upload HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", s.host, size)
					if chunked {
						head = fmt.Sprintf("POST /app/upload HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n", s.host)
					}
					sent := make(chan error, 1)
					go func() { sent <- send(conn, head, size, chunked) }()
					if patient {
						t.Logf("sent: %v", <-sent)
					}
					response, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if err != nil {
						t.Fatalf("the answer is lost: %v", err)
					}
					defer response.Body.Close()
					if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusRequestEntityTooLarge {
						t.Errorf("%s: %v", response.Status, err)
					}
					_ = conn.Close() // the sender may still be at it
				})
			}
		}
		t.Run("asked before", func(t *testing.T) {
			bothWays(t, s, func(v *visitor) {
				// Nobody says 100, so nothing of the body is sent.
				body := &counted{left: size}
				r := v.request(http.MethodPost, "/app/upload", body, "Expect: 100-continue")
				r.ContentLength = size
				v.want(v.send(r), http.StatusRequestEntityTooLarge, "")
				if body.left < size {
					v.t.Errorf("%s: %d bytes of the body were sent", v.way(), size-body.left)
				}
			})
		})
		v := enter(t, s, true)
		v.want(v.get("/files/nowhere"), http.StatusNotFound, "")
	})
}

// counted is a body of zeros that knows how much of it is left.
type counted struct{ left int64 }

func (c *counted) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), c.left)
	clear(p[:n])
	c.left -= n
	return int(n), nil
}

// send sends a whole request, in chunks of 64 KiB if wanted.
func send(conn net.Conn, head string, size int, chunked bool) error {
	if _, err := io.WriteString(conn, head); err != nil {
		return err
	}
	piece := make([]byte, 64<<10)
	for sent := 0; sent < size; sent += len(piece) {
		var err error
		if chunked {
			_, err = io.WriteString(conn, fmt.Sprintf("%x\r\n", len(piece)))
		}
		if _, wrong := conn.Write(piece); wrong != nil || err != nil {
			return errors.Join(err, wrong)
		}
		if chunked {
			if _, err := io.WriteString(conn, "\r\n"); err != nil {
				return err
			}
		}
	}
	if chunked {
		_, err := io.WriteString(conn, "0\r\n\r\n")
		return err
	}
	return nil
}
