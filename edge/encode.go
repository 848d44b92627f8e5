package edge

import (
	"bytes"
	"sync/atomic"

	"github.com/seawall-edge/seawall/exchange"
	"github.com/seawall-edge/seawall/internal/coding"
	"github.com/seawall-edge/seawall/internal/wire"
)

// How many bodies of all zones are encoded at a time while they are sent, and
// how many streams of events, which may last for days. An encoder holds one to
// twelve MiB; what comes beyond that many goes out as it is.
const (
	mostEncoders = 256
	mostStreams  = 32
)

var encoders, streams atomic.Int64

// startEncoding has the body encoded while it is sent, if there is room for
// one more; else the coding becomes Identity.
// length is that of the body as it is; -1 when not known.
func (c *climb) startEncoding(fields *wire.Fields, length int64) {
	k := &c.encoding
	contentType, _ := fields.Get(wire.ContentType)
	k.flush, k.pauses = bytes.HasPrefix(contentType, eventStream), length < 0
	count, most := k.kept()
	if count.Add(1) > most {
		count.Add(-1)
		k.in = coding.Identity
		return
	}
	k.writer = coding.NewWriter(k.in, c.zone.compression.level)
	k.open = true
}

// kept is the count of encoders that this one belongs to, and its bound.
func (k *encoding) kept() (count *atomic.Int64, most int64) {
	if k.flush {
		return &streams, mostStreams
	}
	return &encoders, mostEncoders
}

// stopEncoding notes that the encoder is given back.
func (k *encoding) stopEncoding() {
	count, _ := k.kept()
	count.Add(-1)
	k.open = false
}

// smallPiece is a piece of a body of unknown length after which the origin
// seems to pause: what there is of it is not held back.
const smallPiece = 4 << 10

// write sends bytes of the body, encoded if that was begun.
func (c *climb) write(data []byte) error {
	if !c.encoding.open {
		return c.x.Out.Write(data)
	}
	k := &c.encoding
	k.out = k.writer.Append(k.out[:0], data)
	if k.flush || k.pauses && len(data) < smallPiece {
		k.out = k.writer.Flush(k.out)
	}
	return c.x.Out.Write(k.out)
}

// writeUnlessHead is write for answers that may be to a HEAD, of whose body
// nothing is sent.
func (c *climb) writeUnlessHead(data []byte) error {
	if c.x.Method == exchange.MethodHead {
		return nil
	}
	return c.write(data)
}

func (c *climb) endUnlessHead() error {
	if c.x.Method == exchange.MethodHead {
		return nil
	}
	return c.endBody()
}

// endBody sends what is left of an encoded body.
func (c *climb) endBody() error {
	if !c.encoding.open {
		return nil
	}
	k := &c.encoding
	k.out = k.writer.Close(k.out[:0])
	k.stopEncoding()
	return c.x.Out.Write(k.out)
}

// abandonEncoding gives the encoder of a body that was cut back.
func (c *climb) abandonEncoding() {
	if c.encoding.open {
		c.encoding.writer.Abandon()
		c.encoding.stopEncoding()
	}
	if cap(c.encoding.out) > largePage {
		c.encoding.out = nil
	}
}
