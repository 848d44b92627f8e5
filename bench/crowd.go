package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The objects of crowds. Each name is used once, so that nobody knows
// anything about the object of a new crowd.
const (
	crowdKept   = "/crowd-"
	crowdPassed = passPrefix + "-crowd-"
	crowdSize   = 1 << 10
	crowdDelay  = 200 * time.Millisecond
	crowdFresh  = 2 * time.Second
	// crowdExpired is when an object has expired for everybody: with whole
	// seconds, a server may count up to one more.
	crowdExpired = crowdFresh + 1500*time.Millisecond
	// crowdLimit is longer than nginx's proxy_cache_lock_timeout.
	crowdLimit = 30 * time.Second
	// noLonger is what "takes no longer" may come to, for the noise.
	noLonger = 1.1
)

// form is one crowd of a page: how its object stands before.
type form struct {
	Name   string
	Prefix string // of the object's path
	Stored bool   // it was stored and has just expired
	Again  bool   // it is that of the crowd before
	// Asked is the mark for how often the origin is asked; 0 is none.
	Asked int64
	// Last is the mark for the time until the last visitor is answered.
	Last mark
}

// crowd is what one crowd came to.
type crowd struct {
	Asked      int64   `json:"origin_requests"`
	LastMillis float64 `json:"last_answer_ms"`
	CPUMicros  float64 `json:"cpu_us_per_visitor"` // from clock ticks: in steps of 10 us with 1,000 visitors
	Expired    int     `json:"expired_answers"`
}

func isCrowd(path string) bool {
	return strings.HasPrefix(path, crowdKept) || strings.HasPrefix(path, crowdPassed)
}

// crowdBody has the version in it, which is in the entity tag too: a mixture
// of two versions is seen.
func crowdBody(version int64) []byte {
	body := fmt.Appendf(nil, "/* %016d */\n", version)
	return append(body, bytes.Repeat([]byte("."), crowdSize-len(body))...)
}

// late is the origin's answer to a crowd, after its delay. It is a version
// that nobody has had before.
func (o *origin) late(path string) []byte {
	version := o.served.Add(1)
	time.Sleep(o.delay)
	control := fmt.Sprintf("public, max-age=%d", int(crowdFresh.Seconds()))
	if strings.HasPrefix(path, passPrefix) {
		control = "no-store"
	}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: origin\r\nDate: %s\r\nContent-Type: text/css; charset=utf-8\r\n"+
		"Content-Length: %d\r\nCache-Control: %s\r\nETag: \"crowd-%d\"\r\nVary: Accept-Encoding\r\n\r\n",
		time.Now().UTC().Format(http.TimeFormat), crowdSize, control, version)
	return append([]byte(head), crowdBody(version)...)
}

// visitor is one of a crowd.
type visitor struct {
	conn   net.Conn
	reader *bufio.Reader
}

// read takes the origin's answer and returns its version.
func (v visitor) read() (version int64, err error) {
	response, err := http.ReadResponse(v.reader, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	tag := response.Header.Get("ETag")
	version, err = strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(tag, `"crowd-`), `"`), 10, 64)
	if response.StatusCode != 200 || err != nil || !bytes.Equal(body, crowdBody(version)) {
		return 0, fmt.Errorf("status %d, tag %s, %d bytes, not a whole answer of the origin", response.StatusCode, tag, len(body))
	}
	return version, nil
}

// rush sends all requests before it looks at any answer, and returns the
// versions that the visitors got and when the last one had all of its own.
func rush(ctx context.Context, visitors []visitor, path string) (versions []int64, last time.Duration, err error) {
	versions = make([]int64, len(visitors))
	failures := make([]error, len(visitors))
	ended := make([]time.Time, len(visitors))
	limit := time.Now().Add(crowdLimit)
	for _, v := range visitors {
		v.conn.SetDeadline(limit)
	}
	stop := context.AfterFunc(ctx, func() {
		for _, v := range visitors {
			v.conn.SetDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	var waiting, reading sync.WaitGroup
	waiting.Add(len(visitors))
	for i, v := range visitors {
		reading.Go(func() {
			waiting.Done()
			versions[i], failures[i] = v.read()
			ended[i] = time.Now()
		})
	}
	waiting.Wait()
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path)
	began := time.Now()
	for _, v := range visitors {
		if _, err := v.conn.Write(request); err != nil {
			v.conn.SetDeadline(time.Unix(1, 0)) // nobody will answer
		}
	}
	reading.Wait()
	failed := 0
	for _, failure := range failures {
		if failure != nil {
			failed, err = failed+1, failure
		}
	}
	if failed > 0 {
		return nil, 0, fmt.Errorf("%d of %d visitors had no answer, one because: %w", failed, len(visitors), errors.Join(err, ctx.Err()))
	}
	return versions, slices.MaxFunc(ended, time.Time.Compare).Sub(began), nil
}

// expire has a server keep an object and waits until it has expired.
func expire(ctx context.Context, one []visitor, path string) (version int64, err error) {
	for range 5 {
		first, _, err := rush(ctx, one, path)
		if err != nil {
			return 0, err
		}
		stored := time.Now()
		again, _, err := rush(ctx, one, path)
		if err != nil {
			return 0, err
		}
		if again[0] == first[0] {
			return first[0], rest(ctx, time.Until(stored.Add(crowdExpired)))
		}
	}
	return 0, fmt.Errorf("fill the cache with %s: ten requests and still asks the origin", path)
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// crowds sends the crowds of a page to a running server, over connections on
// which it has answered before.
func (b *bench) crowds(ctx context.Context, in *instance, sc scenario) (round, error) {
	conns, err := openMany(ctx, in.setup.site(), b.visitors, func(conns []net.Conn) error { return askAll(conns, in.setup.site().Host, path1K) })
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	if err != nil {
		return round{}, err
	}
	var visitors []visitor
	for _, conn := range conns {
		visitors = append(visitors, visitor{conn, bufio.NewReader(conn)})
	}
	pids, err := in.processes()
	if err != nil {
		return round{}, err
	}
	var all round
	var path string
	for _, f := range sc.Crowds {
		if !f.Again {
			b.crowdObjects++
			path = f.Prefix + strconv.Itoa(b.crowdObjects)
		}
		one, others, err := b.crowd(ctx, visitors, pids, f, path)
		if err != nil {
			return round{}, fmt.Errorf("%s: %w", f.Name, err)
		}
		all.Crowds, all.Others = append(all.Crowds, one), max(all.Others, others)
	}
	held, err := memoryOf(pids)
	all.MemoryKiB = float64(held.Proportional) / 1024
	return all, err
}

func (b *bench) crowd(ctx context.Context, visitors []visitor, pids []int, f form, path string) (one crowd, others float64, err error) {
	var expired int64
	if f.Stored {
		if expired, err = expire(ctx, visitors[:1], path); err != nil {
			return crowd{}, 0, err
		}
	}
	before, err := b.sample(pids)
	if err != nil {
		return crowd{}, 0, err
	}
	versions, last, err := rush(ctx, visitors, path)
	if err != nil {
		return crowd{}, 0, err
	}
	// A server may ask behind an answer that it gave from memory.
	if err := rest(ctx, 2*crowdDelay); err != nil {
		return crowd{}, 0, err
	}
	after, err := b.sample(pids)
	if err != nil {
		return crowd{}, 0, err
	}
	one = crowd{
		Asked:      after.asked - before.asked,
		LastMillis: float64(last.Microseconds()) / 1e3,
		CPUMicros:  float64((after.server - before.server).Microseconds()) / float64(len(visitors)),
	}
	for _, version := range versions {
		if f.Stored && version == expired {
			one.Expired++
		}
	}
	foreign := float64(after.core-before.core-(after.server-before.server)) / float64(after.at.Sub(before.at))
	return one, max(0, foreign), credibleCrowd(f, versions, one.Asked)
}

// credibleCrowd refuses a crowd that was not what it is meant to be: one that
// the cache could answer, or one whose answers went to several visitors
// although they may not be stored.
func credibleCrowd(f form, versions []int64, asked int64) error {
	if asked == 0 {
		return errors.New("the origin was not asked at all")
	}
	if !strings.HasPrefix(f.Prefix, passPrefix) {
		return nil
	}
	sorted := slices.Sorted(slices.Values(versions))
	if different := len(slices.Compact(sorted)); different < len(versions) {
		return fmt.Errorf("%d visitors shared %d answers that may not be stored", len(versions), different)
	}
	return nil
}
