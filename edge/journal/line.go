package journal

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/seawall-edge/seawall"
)

// texts names the texts of an Event as JSON lines do.
var texts = [...]string{
	seawall.EventMethod:    "method",
	seawall.EventHost:      "host",
	seawall.EventTarget:    "target",
	seawall.EventUserAgent: "user_agent",
	seawall.EventReferer:   "referer",
	seawall.EventServer:    "server",
	seawall.EventCause:     "cause",
	seawall.EventRule:      "rule",
	seawall.EventJA4:       "ja4",
}

// How each form writes the second of a request.
const (
	jsonSecond     = "2006-01-02T15:04:05"
	combinedSecond = "02/Jan/2006:15:04:05 -0700"
	plainSecond    = "15:04:05"
)

// idPrefix is how each JSON line begins.
const idPrefix = `{"id":"`

// quotable are the bytes that may stand between quotes as they are, words
// those that may stand between spaces. Everything else is escaped, so what a
// visitor sends can end neither the line nor its own field.
var quotable, words = func() (q, w [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		q[c] = c != '"' && c != '\\'
		w[c] = q[c] && c != ' '
	}
	return q, w
}()

// escape appends text with every byte outside keep written as prefix and two
// hexadecimal digits.
func escape[T string | []byte](dst []byte, text T, keep *[256]bool, prefix string) []byte {
	const digits = "0123456789abcdef"
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if keep[c] {
			continue
		}
		dst = append(dst, text[start:i]...)
		dst = append(dst, prefix...)
		dst = append(dst, digits[c>>4], digits[c&15])
		start = i + 1
	}
	return append(dst, text[start:]...)
}

// stamp formats times, most of which share their second with the one before.
type stamp struct {
	layout   string
	location *time.Location
	second   int64
	text     []byte
}

// at returns the formatted second and the nanoseconds that follow it.
func (s *stamp) at(unixNano int64) (text []byte, nanoseconds int64) {
	second, nanoseconds := unixNano/1e9, unixNano%1e9
	if nanoseconds < 0 {
		second, nanoseconds = second-1, nanoseconds+1e9
	}
	if second != s.second || len(s.text) == 0 {
		s.second = second
		s.text = time.Unix(second, 0).In(s.location).AppendFormat(s.text[:0], s.layout)
	}
	return s.text, nanoseconds
}

// padded appends n with at least width digits.
func padded(dst []byte, n int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if n < limit {
			for ; width > 1; width-- {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, n, 10)
}

// address appends the client's address, without an IPv6 zone.
func address(dst []byte, client netip.Addr) []byte {
	if !client.IsValid() {
		return append(dst, '-')
	}
	return client.Unmap().WithZone("").AppendTo(dst)
}

// network appends the network the client's address is cut to: /24 for IPv4,
// /48 for IPv6.
func network(dst []byte, client netip.Addr) []byte {
	if !client.IsValid() {
		return append(dst, '-')
	}
	client = client.Unmap().WithZone("")
	bits := 48
	if client.Is4() {
		bits = 24
	}
	prefix, err := client.Prefix(bits)
	if err != nil { // cannot be: both lengths fit their family
		return append(dst, '-')
	}
	return prefix.AppendTo(dst)
}

// text appends one text for the combined and plain forms: "-" when empty,
// "..." behind it when it was cut.
func text(dst []byte, e *seawall.Event, which seawall.EventText, keep *[256]bool) []byte {
	t := e.Text(which)
	if len(t) == 0 {
		return append(dst, '-')
	}
	dst = escape(dst, t, keep, `\x`)
	if e.Cut(which) {
		dst = append(dst, "..."...)
	}
	return dst
}

// appendCombined appends a line in Apache's combined log format. Times are
// UTC; a request that got no answer has the status 000.
func appendCombined(dst []byte, e *seawall.Event, at *stamp) []byte {
	dst = address(dst, e.Client)
	second, _ := at.at(e.Time)
	dst = append(dst, ` - - [`...)
	dst = append(dst, second...)
	dst = append(dst, `] "`...)
	if len(e.Text(seawall.EventMethod)) == 0 && len(e.Text(seawall.EventTarget)) == 0 {
		dst = append(dst, '-') // there was no request line to speak of
	} else {
		dst = text(dst, e, seawall.EventMethod, &words)
		dst = append(dst, ' ')
		dst = text(dst, e, seawall.EventTarget, &words)
		dst = append(dst, ' ')
		dst = append(dst, e.Protocol.String()...)
	}
	dst = append(dst, `" `...)
	dst = padded(dst, int64(e.Status), 3)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, e.BytesOut, 10)
	dst = append(dst, ` "`...)
	dst = text(dst, e, seawall.EventReferer, &quotable)
	dst = append(dst, `" "`...)
	dst = text(dst, e, seawall.EventUserAgent, &quotable)
	return append(dst, "\"\n"...)
}

// appendJSON appends a JSON line; see AccessLog for its fields. The ID comes
// first, so that Find needs to look at nothing else.
func appendJSON(dst []byte, e *seawall.Event, at *stamp, cutClient bool) []byte {
	dst = append(dst, idPrefix...)
	dst = e.ID.AppendTo(dst)
	second, nanoseconds := at.at(e.Time)
	dst = append(dst, `","time":"`...)
	dst = append(dst, second...)
	dst = append(dst, '.')
	dst = padded(dst, nanoseconds/1e3, 6)
	dst = append(dst, `Z","duration_us":`...)
	dst = strconv.AppendInt(dst, e.Duration/1e3, 10)
	dst = append(dst, `,"client":"`...)
	if cutClient {
		dst = network(dst, e.Client)
	} else {
		dst = address(dst, e.Client)
	}
	dst = append(dst, `","zone":"`...)
	dst = escape(dst, e.Zone, &quotable, `\u00`)
	cut := false
	for which, name := range texts {
		if seawall.EventText(which) >= seawall.EventServer && len(e.Text(seawall.EventText(which))) == 0 {
			continue // most requests were asked of no server, or nothing went wrong there
		}
		dst = append(dst, `","`...)
		dst = append(dst, name...)
		dst = append(dst, `":"`...)
		dst = escape(dst, e.Text(seawall.EventText(which)), &quotable, `\u00`)
		cut = cut || e.Cut(seawall.EventText(which))
	}
	dst = word(dst, `","protocol":"`, e.Protocol.String())
	dst = append(dst, `","tls":`...)
	dst = strconv.AppendBool(dst, e.Secure)
	dst = number(dst, `,"status":`, int64(e.Status))
	dst = number(dst, `,"bytes_in":`, e.BytesIn)
	dst = number(dst, `,"bytes_out":`, e.BytesOut)
	dst = word(dst, `,"rung":"`, e.Rung.String())
	dst = word(dst, `","action":"`, e.Action.String())
	dst = word(dst, `","reason":"`, e.Reason.String())
	dst = word(dst, `","cache":"`, e.Cache.String())
	dst = word(dst, `","store":"`, e.Store.String())
	dst = append(dst, '"')
	if cut {
		dst = appendCut(dst, e)
	}
	return append(dst, "}\n"...)
}

func word(dst []byte, key, value string) []byte { return append(append(dst, key...), value...) }

func number(dst []byte, key string, value int64) []byte {
	return strconv.AppendInt(append(dst, key...), value, 10)
}

// appendCut names the texts that were too long.
func appendCut(dst []byte, e *seawall.Event) []byte {
	separator := `,"cut":["`
	for which, name := range texts {
		if e.Cut(seawall.EventText(which)) {
			dst = word(dst, separator, name)
			separator = `","`
		}
	}
	return append(dst, `"]`...)
}

// appendPlain appends a line for somebody who watches a terminal:
//
//	12:34:56.789 hit  200 1.2 KiB 0.3ms GET example.com/path  (0a1b...)
//	12:34:56.790 refused unknown-host 421 4.0 KiB 0.1ms GET example.org/  (0a1b...)
//
// Times are local. Nothing a visitor sends reaches the terminal unescaped.
func appendPlain(dst []byte, e *seawall.Event, at *stamp) []byte {
	second, nanoseconds := at.at(e.Time)
	dst = append(dst, second...)
	dst = append(dst, '.')
	dst = padded(dst, nanoseconds/1e6, 3)
	dst = append(dst, ' ')
	if e.Action == seawall.ActionPassed {
		dst = append(dst, outcome(e.Cache)...)
	} else {
		dst = append(dst, e.Action.String()...)
		dst = append(dst, ' ')
		dst = append(dst, e.Reason.String()...)
	}
	dst = append(dst, ' ')
	dst = padded(dst, int64(e.Status), 3)
	dst = append(dst, ' ')
	dst = appendSize(dst, e.BytesOut)
	dst = append(dst, ' ')
	dst = appendDuration(dst, e.Duration)
	dst = append(dst, ' ')
	dst = text(dst, e, seawall.EventMethod, &words)
	dst = append(dst, ' ')
	dst = text(dst, e, seawall.EventHost, &words)
	dst = text(dst, e, seawall.EventTarget, &words)
	dst = append(dst, "  ("...)
	dst = e.ID.AppendTo(dst)
	return append(dst, ")\n"...)
}

// outcome is where a passed request's answer came from, in a word of four
// letters or so.
func outcome(cache seawall.CacheResult) string {
	switch cache {
	case seawall.CacheHit, seawall.CacheCollapsed, seawall.CacheRevalidated:
		return "hit "
	case seawall.CacheMissURI, seawall.CacheMissVary, seawall.CacheMissPartial:
		return "miss"
	case seawall.CacheMissStale, seawall.CacheStale:
		return "stale"
	case seawall.CacheNone:
		return "edge"
	default:
		return "pass"
	}
}

// appendSize appends bytes in the largest unit that leaves a whole number.
func appendSize(dst []byte, bytes int64) []byte {
	if bytes < 1024 {
		return append(strconv.AppendInt(dst, bytes, 10), " B"...)
	}
	value, unit := float64(bytes)/1024, " KiB"
	for _, larger := range [...]string{" MiB", " GiB", " TiB"} {
		if value < 1024 {
			break
		}
		value, unit = value/1024, larger
	}
	return append(strconv.AppendFloat(dst, value, 'f', 1, 64), unit...)
}

// appendDuration appends nanoseconds as milliseconds or, from ten seconds, as
// seconds.
func appendDuration(dst []byte, nanoseconds int64) []byte {
	if nanoseconds < 10e9 {
		return append(strconv.AppendFloat(dst, float64(nanoseconds)/1e6, 'f', 1, 64), "ms"...)
	}
	return append(strconv.AppendFloat(dst, float64(nanoseconds)/1e9, 'f', 1, 64), 's')
}
