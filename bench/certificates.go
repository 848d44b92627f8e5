package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// hosts makes so many certificates, once, and returns whose they are.
func (b *bench) hosts(count int) ([]string, error) {
	for len(b.made) < count {
		name := fmt.Sprintf("h%06d.example.com", len(b.made))
		raw, err := b.authority.issue(name)
		if err != nil {
			return nil, fmt.Errorf("make certificate of %s: %w", name, err)
		}
		chain := filepath.Join(b.hostFolder, name+".pem")
		if err := os.WriteFile(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600); err != nil {
			return nil, err
		}
		b.made = append(b.made, name)
	}
	return b.made[:count], nil
}

// startUp starts a server with many certificates and measures how long it
// takes until a handshake is answered with the right one, and what the server
// holds then.
func (b *bench) startUp(ctx context.Context, c contender, sc scenario) (round, error) {
	s := b.setup(sc)
	var err error
	count := max(1, b.certificates/max(1, c.HostsOneIn))
	if s.Hosts, err = b.hosts(count); err != nil {
		return round{}, err
	}
	s.HostFolder = b.hostFolder
	in, err := prepare(c, s)
	if in != nil {
		defer in.stop()
	}
	if err != nil {
		return round{}, err
	}
	began := time.Now()
	if err := in.run(onCore(b.serverCore, c.Serve(in.setup))); err != nil {
		return round{}, err
	}
	if err := in.answers(ctx, s.Hosts[count/2]); err != nil {
		return round{}, fmt.Errorf("%w: %s", err, in.lastWords())
	}
	one := round{StartSeconds: time.Since(began).Seconds(), Certificates: count}
	pids, err := in.processes()
	if err != nil {
		return round{}, err
	}
	spent, err := cpuTime(pids)
	if err != nil {
		return round{}, err
	}
	one.StartCPU = spent.Seconds()
	for i := range 100 { // the others are there, too
		if err := in.shows(ctx, s.Hosts[(i*7919+1)%count]); err != nil {
			return round{}, err
		}
	}
	if err := in.pin(b.serverCore); err != nil {
		return round{}, err
	}
	held, err := in.settledMemory(ctx)
	one.MemoryKiB = float64(held.Proportional) / 1024
	return one, err
}

// startLimit is the longest start that is waited for.
const startLimit = 5 * time.Minute

// answers waits for the first handshake.
func (in *instance) answers(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := in.shows(ctx, host)
		if err == nil {
			return nil
		}
		select {
		case <-in.ended[0]:
			return errors.New("it ended")
		case <-ctx.Done():
			return fmt.Errorf("no handshake in %s: %w", startLimit, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// shows wants a handshake with the certificate of a host.
func (in *instance) shows(ctx context.Context, host string) error {
	text, err := os.ReadFile(filepath.Join(in.setup.HostFolder, host+".pem"))
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	want := func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) != 1 || string(state.PeerCertificates[0].Raw) != string(block.Bytes) {
			return fmt.Errorf("%s: the server shows another certificate", host)
		}
		return nil
	}
	s := site{Host: host, Address: in.setup.address(), TLS: &tls.Config{ServerName: host, InsecureSkipVerify: true, VerifyConnection: want}}
	conn, err := s.dial(ctx, 0)
	if err != nil {
		return err
	}
	return conn.Close()
}
