package operate_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	outside "github.com/seawall-edge/seawall/internal/program"
)

// nameServer answers questions about addresses over UDP and TCP (RFC 1035)
// with a TTL of one second. What it does not know does not exist.
type nameServer struct {
	address string
	running sync.WaitGroup

	mu     sync.Mutex // guards what follows
	names  map[string][]netip.Addr
	asked  map[string]int
	packet net.PacketConn
	stream net.Listener
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	d := &nameServer{names: map[string][]netip.Addr{}, asked: map[string]int{}}
	var err error
	for range 10 { // until a port is free for both
		if d.address, err = outside.FreeAddress("127.0.0.41"); err != nil {
			break
		}
		if d.stream, err = net.Listen("tcp", d.address); err != nil {
			continue
		}
		if d.packet, err = net.ListenPacket("udp", d.address); err == nil {
			break
		}
		_ = d.stream.Close()
	}
	if err != nil {
		t.Fatalf("start a name server: %v", err)
	}
	d.running.Go(d.servePackets)
	d.running.Go(d.serveStreams)
	t.Cleanup(func() {
		d.die()
		d.running.Wait()
	})
	return d
}

// die leaves questions without an answer.
func (d *nameServer) die() {
	_ = d.packet.Close() // closed already when a story has ended it
	_ = d.stream.Close()
}

// set says what a name means from now on; without addresses it does not exist.
func (d *nameServer) set(name string, addresses ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name] = nil
	for _, a := range addresses {
		d.names[name] = append(d.names[name], netip.MustParseAddr(a))
	}
}

func (d *nameServer) servePackets() {
	question := make([]byte, 1024)
	for {
		n, from, err := d.packet.ReadFrom(question)
		if err != nil {
			return
		}
		if answer := d.answer(question[:n]); answer != nil {
			_, _ = d.packet.WriteTo(answer, from) // who asked will ask again
		}
	}
}

func (d *nameServer) serveStreams() {
	for {
		c, err := d.stream.Accept()
		if err != nil {
			return
		}
		d.running.Go(func() {
			defer c.Close()
			reader := bufio.NewReader(c)
			for {
				var length [2]byte
				if _, err := io.ReadFull(reader, length[:]); err != nil {
					return
				}
				question := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(reader, question); err != nil {
					return
				}
				answer := d.answer(question)
				if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
					return
				}
			}
		})
	}
}

// answer makes the answer to a question, or nil for what is none.
func (d *nameServer) answer(question []byte) []byte {
	const head, typeA, typeAAAA = 12, 1, 28
	at, labels := head, []string{}
	for at < len(question) && question[at] != 0 {
		end := at + 1 + int(question[at])
		if end >= len(question) {
			return nil
		}
		labels = append(labels, string(question[at+1:end]))
		at = end
	}
	if at+5 > len(question) {
		return nil
	}
	name, kind := strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(question[at+1:])
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[name]++
	addresses := d.names[name]
	var records [][]byte
	for _, a := range addresses {
		if a.Is4() && kind == typeA || a.Is6() && kind == typeAAAA {
			records = append(records, a.AsSlice())
		}
	}
	flags := uint16(0x8180) // an answer, recursion wanted and available
	if len(addresses) == 0 {
		flags |= 3 // no such name
	}
	answer := append([]byte(nil), question[:2]...)
	for _, n := range []uint16{flags, 1, uint16(len(records)), 0, 0} {
		answer = binary.BigEndian.AppendUint16(answer, n)
	}
	answer = append(answer, question[head:at+5]...)
	for _, r := range records {
		answer = append(answer, 0xc0, head) // the name in the question
		answer = binary.BigEndian.AppendUint16(answer, kind)
		answer = append(answer, 0, 1, 0, 0, 0, 1) // IN, one second
		answer = append(binary.BigEndian.AppendUint16(answer, uint16(len(r))), r...)
	}
	return answer
}
