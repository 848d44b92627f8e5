package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"time"
)

// idle starts a server, opens many connections to it, asks once on each and
// measures what they hold once nothing moves any more. The server is a new
// one each time: memory left over from a load would hide what connections
// take.
func (b *bench) idle(ctx context.Context, c contender, sc scenario) (round, error) {
	in, err := start(ctx, c, b.setup(sc), b.serverCore)
	if in != nil {
		defer in.stop()
	}
	if err != nil {
		return round{}, err
	}
	door := in.setup.site()
	for range 5 {
		if err := checkAnswer(ctx, door, sc.Path); err != nil {
			return round{}, err
		}
	}
	before, err := in.settledMemory(ctx)
	if err != nil {
		return round{}, err
	}
	ask := func(conns []net.Conn) error { return askAll(conns, door.Host, sc.Path) }
	conns, err := openMany(ctx, door, b.idleConnections, ask)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	if err != nil {
		return round{}, err
	}
	after, err := in.settledMemory(ctx)
	if err != nil {
		return round{}, err
	}
	// Connections that the server dropped meanwhile would cost nothing.
	for i, conn := range conns {
		if err := ask(conns[i : i+1]); err != nil {
			return round{}, fmt.Errorf("idle connection %d from %s no longer answers: %w", i, conn.LocalAddr(), err)
		}
	}
	var one round
	one.hold(before, after, len(conns))
	return one, nil
}

// hold notes what connections hold: the whole server with them, and the
// difference they make.
func (r *round) hold(before, after memory, connections int) {
	n := float64(connections)
	r.MemoryKiB = float64(after.Proportional) / 1024
	r.AnonymousEach = float64(after.Anonymous-before.Anonymous) / n
	r.ProportioEach = float64(after.Proportional-before.Proportional) / n
}

// openMany opens connections in waves of 64. Each wave is put to use by ask
// before the next is opened.
func openMany(ctx context.Context, s site, count int, ask func([]net.Conn) error) ([]net.Conn, error) {
	var conns []net.Conn
	for len(conns) < count {
		wave := len(conns)
		for len(conns) < min(count, wave+64) {
			conn, err := s.dial(ctx, len(conns))
			if err != nil {
				return conns, fmt.Errorf("open connection %d: %w", len(conns), err)
			}
			conns = append(conns, conn)
		}
		if err := ask(conns[wave:]); err != nil {
			return conns, fmt.Errorf("first request on connections from %d: %w", wave, err)
		}
	}
	return conns, nil
}

// askAll sends a request on every connection before it reads any answer.
func askAll(conns []net.Conn, host, path string) error {
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
	for _, conn := range conns {
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Write(request); err != nil {
			return err
		}
	}
	want := originBody(path)
	buffer := make([]byte, len(want)+8<<10)
	for _, conn := range conns {
		filled := 0
		for {
			n, err := conn.Read(buffer[filled:])
			if err != nil {
				return err
			}
			filled += n
			if head := bytes.Index(buffer[:filled], []byte("\r\n\r\n")); head >= 0 && filled >= head+4+len(want) {
				break
			}
		}
		if !bytes.HasPrefix(buffer, []byte("HTTP/1.1 200 ")) || !bytes.HasSuffix(buffer[:filled], want) {
			return fmt.Errorf("unexpected answer %.80q", buffer[:filled])
		}
	}
	return nil
}

// settledMemory waits until user-space memory has changed by less than 64 KiB
// for three seconds, at most thirty seconds, and returns the last reading.
func (in *instance) settledMemory(ctx context.Context) (memory, error) {
	var last memory
	calm := 0
	for range 60 {
		pids, err := in.processes()
		if err != nil {
			return memory{}, err
		}
		now, err := memoryOf(pids)
		if err != nil {
			return memory{}, err
		}
		change := now.Anonymous - last.Anonymous
		if last = now; max(change, -change) < 64<<10 {
			calm++
		} else {
			calm = 0
		}
		if calm == 6 {
			break
		}
		select {
		case <-ctx.Done():
			return memory{}, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return last, nil
}
