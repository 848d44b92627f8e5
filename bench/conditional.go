package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// matchSlack is how far the mean length of a run's answers may be from the
// one that was checked: wrk rounds to three figures, and Age gets longer. One
// answer in forty with its body would be more.
const matchSlack = 0.05

// checkNotModified asks for an object with its entity tag and with another
// one, and returns the length of the 304 that must answer the first. The
// second must get the whole object.
func checkNotModified(ctx context.Context, address, path string) (length int, err error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp4", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	got := &counted{reader: conn}
	reader := bufio.NewReader(got)
	ask := func(tag string) (status, size int, body string, err error) {
		got.count = 0
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nIf-None-Match: %s\r\n\r\n", path, address, tag); err != nil {
			return 0, 0, "", err
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return 0, 0, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if tag := response.Header.Get("ETag"); err == nil && tag != originTag(path) {
			err = fmt.Errorf("the entity tag is %q, not the origin's", tag)
		}
		return response.StatusCode, got.count, string(text), err
	}
	status, length, body, err := ask(originTag(path))
	if err == nil && (status != 304 || body != "") {
		err = fmt.Errorf("status %d with %d bytes, want 304", status, len(body))
	}
	if err != nil {
		return 0, fmt.Errorf("get %s with its tag: %w", path, err)
	}
	status, _, body, err = ask(`"another"`)
	if err == nil && (status != 200 || body != string(originBody(path))) {
		err = fmt.Errorf("status %d with %d bytes, want 200 with the origin's %d", status, len(body), sizes[path])
	}
	if err != nil {
		return 0, fmt.Errorf("get %s with another tag: %w", path, err)
	}
	return length, nil
}

// checkGzip asks for an object compressed, compares it with the origin's and
// returns the length of the answer, head included.
func checkGzip(ctx context.Context, address, path string) (length int, err error) {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp4", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept-Encoding: gzip\r\n\r\n", path, address); err != nil {
		return 0, err
	}
	got := &counted{reader: conn}
	response, err := http.ReadResponse(bufio.NewReader(got), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	coded, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Encoding") != "gzip" {
		return 0, fmt.Errorf("get %s compressed: status %d, %q: %w", path, response.StatusCode, response.Header.Get("Content-Encoding"), err)
	}
	plain, err := gzip.NewReader(bytes.NewReader(coded))
	if err != nil {
		return 0, err
	}
	if body, err := io.ReadAll(plain); err != nil || !bytes.Equal(body, originBody(path)) {
		return 0, fmt.Errorf("get %s compressed: not what the origin sent: %v", path, err)
	}
	return got.count, nil
}

// counted counts what is read through it.
type counted struct {
	reader io.Reader
	count  int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.count += n
	return n, err
}

// allNotModified refuses a run whose answers are not as long as the 304 that
// was checked. wrk does not tell a 200 from a 304.
func allNotModified(l load, length int) error {
	if l.Requests == 0 || length == 0 {
		return fmt.Errorf("%d requests for answers of %d bytes", l.Requests, length)
	}
	mean := l.Bytes / float64(l.Requests)
	if off := mean/float64(length) - 1; max(off, -off) > matchSlack {
		return fmt.Errorf("answers of %.0f bytes on average, and a 304 has %d", mean, length)
	}
	return nil
}

// conditional loads a running server with requests that are answered 304, and
// right before or after with requests for the same object that are answered
// 200. The rounds change the order.
func (b *bench) conditional(ctx context.Context, in *instance, sc scenario, hitFirst bool) (round, error) {
	plain := sc
	plain.Match, plain.Gzip = false, false
	var whole, one round
	hit := func() (err error) {
		whole, err = b.measure(ctx, in, plain)
		return err
	}
	if hitFirst {
		if err := hit(); err != nil {
			return round{}, err
		}
	}
	asked, err := originServed(b.origin())
	if err != nil {
		return round{}, err
	}
	check := checkNotModified
	if sc.Gzip {
		check = checkGzip
	}
	if sc.codedLength, err = check(ctx, in.setup.address(), sc.Path); err != nil {
		return round{}, err
	}
	after, err := originServed(b.origin())
	if err != nil {
		return round{}, err
	}
	if after != asked {
		return round{}, fmt.Errorf("the origin was asked %d times for what is stored", after-asked)
	}
	if one, err = b.observe(in, sc, func() (load, error) { return b.wrk(ctx, in, sc, b.length) }); err != nil {
		return round{}, err
	}
	if !hitFirst {
		if err := hit(); err != nil {
			return round{}, err
		}
	}
	one.HitCPUMicros, one.HitPerSecond = whole.CPUMicros, whole.PerSecond
	one.Others = max(one.Others, whole.Others)
	return one, nil
}
