package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// checkAnswer fetches a path on a new connection and compares status, length
// and every byte with what the origin sends.
func checkAnswer(ctx context.Context, s site, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", s.url(path), nil)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
		TLSClientConfig: s.TLS,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: time.Second}).DialContext(ctx, network, s.Address)
		},
	}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if response.StatusCode != 200 || !bytes.Equal(body, originBody(path)) {
		return fmt.Errorf("get %s: status %d with %d bytes, want 200 with the origin's %d bytes", path, response.StatusCode, len(body), sizes[path])
	}
	return nil
}

// prime asks until three requests in a row did not reach the origin. A server
// that will not keep the object is said to be unable, not slow.
func prime(ctx context.Context, s site, origin, path string) error {
	quiet := 0
	for range 20 {
		before, err := originServed(origin)
		if err != nil {
			return err
		}
		if err := checkAnswer(ctx, s, path); err != nil {
			return err
		}
		after, err := originServed(origin)
		if err != nil {
			return err
		}
		if after == before {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 3 {
			return nil
		}
	}
	return fmt.Errorf("fill the cache with %s: 20 requests and still asks the origin", path)
}

// reached judges a run by the origin's own count: a hit run must not touch
// the origin, and a pass-through run must reach it once for every answer
// (requests still under way at the end of the run allowed for).
func reached(hit bool, asked, requests, connections int64) error {
	switch {
	case hit && asked != 0:
		return fmt.Errorf("%d of %d requests of a hit run reached the origin", asked, requests)
	case !hit && (asked < requests || asked > requests+2*connections):
		return fmt.Errorf("%d requests of a pass-through run, but the origin answered %d", requests, asked)
	}
	return nil
}

// countLines counts the lines of a file from an offset on, and says where it
// ended. A file that is not there has none.
func countLines(path string, offset int64) (lines, end int64) {
	file, err := os.Open(path)
	if err != nil {
		return 0, offset
	}
	defer file.Close()
	buffer := make([]byte, 1<<20)
	for {
		n, err := file.ReadAt(buffer, offset)
		lines += int64(bytes.Count(buffer[:n], []byte("\n")))
		offset += int64(n)
		if err != nil {
			return lines, offset
		}
	}
}
