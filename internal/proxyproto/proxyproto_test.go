package proxyproto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// head is a header of version 2: command, family, then what follows the length.
func head(command, family byte, rest ...string) string {
	block := strings.Join(rest, "")
	return string(binary.BigEndian.AppendUint16([]byte(signature+string([]byte{command, family})), uint16(len(block)))) + block
}

// addition is a type, length and value of version 2.
func addition(kind byte, value string) string {
	return string(binary.BigEndian.AppendUint16([]byte{kind}, uint16(len(value)))) + value
}

// summed puts the right checksum into a header made with zeros in its place.
func summed(header string) string {
	b := []byte(header)
	at := bytes.Index(b, []byte{typeCRC32C, 0, 4, 0, 0, 0, 0}) + 3
	binary.BigEndian.PutUint32(b[at:], checksum(b, at))
	return string(b)
}

var (
	v4     = "\xcb\x00\x71\x09\xc0\x00\x02\x01\xdc\x04\x01\xbb" // 203.0.113.9:56324 to 192.0.2.1:443
	v6     = string(netip.MustParseAddr("2001:db8::9").AsSlice()) + string(netip.MustParseAddr("2001:db8::1").AsSlice()) + "\xdc\x04\x01\xbb"
	mapped = string(netip.MustParseAddr("2001:db8::9").AsSlice()) + string(netip.MustParseAddr("::ffff:192.0.2.1").AsSlice()) + "\xdc\x04\x01\xbb"
	unix   = strings.Repeat("/run/a\x00\x00\x00", 24)
	noSum  = addition(typeCRC32C, "\x00\x00\x00\x00")
)

// good are headers and what is read from them; "local" stands for Local.
var good = map[string]string{
	"PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n":             "203.0.113.9:56324 192.0.2.1:443",
	"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n": "255.255.255.255:65535 255.255.255.255:65535",
	"PROXY TCP4 203.0.113.9 192.0.2.1 0 0\r\n":                   "203.0.113.9:0 192.0.2.1:0",
	"PROXY TCP6 2001:db8::9 2001:DB8::1 56324 443\r\n":           "[2001:db8::9]:56324 [2001:db8::1]:443",
	"PROXY TCP6 2001:db8::9 ::ffff:192.0.2.1 56324 443\r\n":      "[2001:db8::9]:56324 192.0.2.1:443",
	"PROXY TCP6 ::ffff:cb00:7109 ::ffff:192.0.2.1 56324 443\r\n": "203.0.113.9:56324 192.0.2.1:443",
	"PROXY UNKNOWN\r\n": "local",
	"PROXY UNKNOWN 203.0.113.9 192.0.2.1 56324 443\r\n":              "local",
	"PROXY UNKNOWN  anything  at all \r\n":                           "local",
	"PROXY UNKNOWN " + strings.Repeat("f", 91) + "\r\n":              "local", // 107 bytes
	"PROXY TCP6 " + full6 + " " + full6 + " 65535 65535\r\n":         "[" + full6 + "]:65535 [" + full6 + "]:65535",
	head(proxy, 0x11, v4):                                            "203.0.113.9:56324 192.0.2.1:443",
	head(proxy, 0x12, v4):                                            "203.0.113.9:56324 192.0.2.1:443",
	head(proxy, 0x21, v6):                                            "[2001:db8::9]:56324 [2001:db8::1]:443",
	head(proxy, 0x22, v6):                                            "[2001:db8::9]:56324 [2001:db8::1]:443",
	head(proxy, 0x21, mapped):                                        "[2001:db8::9]:56324 192.0.2.1:443",
	head(proxy, 0x31, unix):                                          "local",
	head(proxy, 0x32, unix):                                          "local",
	head(proxy, 0x00):                                                "local",
	head(proxy, 0x00, "whatever"):                                    "local",
	head(local, 0x00):                                                "local",
	head(local, 0x11):                                                "local", // no addresses with LOCAL are no mistake
	head(local, 0x11, v4):                                            "local",
	head(local, 0x13):                                                "local", // the family is ignored
	head(local, 0xff, "whatever"):                                    "local",
	head(proxy, 0x11, v4, addition(0x04, "")):                        "203.0.113.9:56324 192.0.2.1:443",
	head(proxy, 0x11, v4, addition(0xee, "x"), addition(1, "h2")):    "203.0.113.9:56324 192.0.2.1:443",
	head(proxy, 0x11, v4, addition(0xee, strings.Repeat("x", 4081))): "203.0.113.9:56324 192.0.2.1:443", // 4 KiB
	summed(head(proxy, 0x11, v4, noSum)):                             "203.0.113.9:56324 192.0.2.1:443",
	summed(head(proxy, 0x21, v6, addition(1, "h2"), noSum, addition(0x05, "id"))): "[2001:db8::9]:56324 [2001:db8::1]:443",
	summed(head(proxy, 0x31, unix, noSum)):                                        "local",
}

const full6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

func TestParse_readsHeadersAndNothingBehind(t *testing.T) {
	for header, want := range good {
		for _, behind := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\r\n", header} {
			h, n, err := Parse([]byte(header + behind))
			if err != nil || n != len(header) {
				t.Errorf("%+q: %d of %d bytes, %v", header, n, len(header), err)
				continue
			}
			got := "local"
			if !h.Local {
				got = h.Source.String() + " " + h.Destination.String()
			} else if h.Source.IsValid() || h.Destination.IsValid() {
				t.Errorf("%+q: addresses with Local", header)
			}
			if version := 2 - strings.Count(header[:5], "PROXY"); got != want || h.Version != version {
				t.Errorf("%+q: version %d, %s; want %s", header, h.Version, got, want)
			}
		}
	}
}

func TestParse_asksForMoreOfEveryBeginning(t *testing.T) {
	for header := range good {
		for end := range len(header) {
			if h, n, err := Parse([]byte(header[:end])); n != 0 || err != nil || h != (Header{}) {
				t.Fatalf("%+q: %d, %v", header[:end], n, err)
			}
		}
	}
}

func TestParse_refuses(t *testing.T) {
	for _, c := range []struct{ name, bytes, want string }{
		{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", `no PROXY header: the first bytes are "GET / HTTP/1.1\r\n"`},
		{"TLS", "\x16\x03\x01\x02\x00", `no PROXY header: the first bytes are "\x16\x03\x01\x02\x00"`},
		{"one wrong byte", "G", `the first bytes are "G"`},
		{"a letter beyond ASCII", "ü", `the first bytes are "\u00fc"`},
		{"lower case", "proxy TCP4 ", "no PROXY header"},
		{"another word", "PROXYING TCP4 ", "no PROXY header"},
		{"a tab", "PROXY\tTCP4 ", "no PROXY header"},
		{"a space in front", " PROXY TCP4 ", "no PROXY header"},
		{"two spaces", "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin with TCP4"},
		{"lower case family", "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", `"tcp4 1.2.3.4 5.6" does not begin`},
		{"UDP4", "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin"},
		{"no family", "PROXY \r\n", "does not begin"},
		{"longer family", "PROXY TCP44 1.2.3.4 5.6.7.8 1 2\r\n", "does not begin"},
		{"longer UNKNOWN", "PROXY UNKNOWNS\r\n", "does not begin"},
		{"a tab behind the family", "PROXY TCP4\t1.2.3.4 5.6.7.8 1 2\r\n", "does not begin"},
		{"no CR", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", `"\n" in the line`},
		{"no LF", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rGET", `"\rG" in the line`},
		{"CR inside", "PROXY UNKNOWN \r x\r\n", `"\r " in the line`},
		{"NUL inside", "PROXY UNKNOWN \x00\r\n", `"\x00\r" in the line`},
		{"beyond ASCII inside", "PROXY UNKNOWN \xff\r\n", "in the line"},
		{"tab inside", "PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n", `"\t5" in the line`},
		{"108 bytes", "PROXY UNKNOWN " + strings.Repeat("f", 92) + "\r\n", "no CRLF within 107 bytes"},
		{"no end", "PROXY UNKNOWN " + strings.Repeat("f", 93), "no CRLF within 107 bytes"},
		{"no end, much", "PROXY TCP4 " + strings.Repeat("1", 5000), "no CRLF within 107 bytes"},
		{"leading zero", "PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n", "invalid address"},
		{"three numbers", "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n", "invalid address"},
		{"five numbers", "PROXY TCP4 1.2.3.4.5 5.6.7.8 1 2\r\n", "invalid address"},
		{"256", "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n", "invalid address"},
		{"hexadecimal", "PROXY TCP4 0x1.2.3.4 5.6.7.8 1 2\r\n", "invalid address"},
		{"v4 under TCP6", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", "invalid address"},
		{"v4 destination under TCP6", "PROXY TCP6 ::1 5.6.7.8 1 2\r\n", "invalid address"},
		{"v6 under TCP4", "PROXY TCP4 ::1 ::2 1 2\r\n", "invalid address"},
		{"mapped under TCP4", "PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 1 2\r\n", "invalid address"},
		{"mixed under TCP4", "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "invalid address"},
		{"a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "invalid address"},
		{"brackets", "PROXY TCP6 [::1] ::1 1 2\r\n", "invalid address"},
		{"two double colons", "PROXY TCP6 1::2::3 ::1 1 2\r\n", "invalid address"},
		{"nine groups", "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", "invalid address"},
		{"five digits", "PROXY TCP6 10000::1 ::1 1 2\r\n", "invalid address"},
		{"port 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", "port"},
		{"destination port 65536", "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", "port"},
		{"port 080", "PROXY TCP4 1.2.3.4 5.6.7.8 080 2\r\n", "port"},
		{"port 00", "PROXY TCP4 1.2.3.4 5.6.7.8 00 2\r\n", "port"},
		{"port +1", "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", "port"},
		{"port -1", "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", "port"},
		{"port 1_0", "PROXY TCP4 1.2.3.4 5.6.7.8 1_0 2\r\n", "port"},
		{"port 0x1", "PROXY TCP4 1.2.3.4 5.6.7.8 0x1 2\r\n", "port"},
		{"no ports", "PROXY TCP4 1.2.3.4 5.6.7.8\r\n", "PROXY header: "},
		{"one port", "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "PROXY header: "},
		{"a word too many", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", "PROXY header: "},
		{"a space at the end", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", "PROXY header: "},
		{"a space doubled", "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n", "PROXY header: "},
		{"TCP4 alone", "PROXY TCP4 \r\n", "PROXY header: "},

		{"signature broken", "\r\n\r\n\x00\r\nQUIT\r", "no PROXY header"},
		{"signature broken early", "\r\n\r\nG", "no PROXY header"},
		{"version 1 in version 2", signature + "\x11", "version and command are 0x11"},
		{"version 3", signature + "\x31", "version and command are 0x31"},
		{"command 2", signature + "\x22", "version and command are 0x22"},
		{"family 4", signature + "\x21\x41", "unknown address family and protocol 0x41"},
		{"protocol 3", signature + "\x21\x13", "unknown address family and protocol 0x13"},
		{"protocol 0", signature + "\x21\x10", "unknown address family and protocol 0x10"},
		{"family 0", signature + "\x21\x01", "unknown address family and protocol 0x01"},
		{"v4 too short", signature + "\x21\x11\x00\x0b", "11 bytes of addresses, family 0x11 has 12"},
		{"v4 empty", signature + "\x21\x11\x00\x00", "0 bytes of addresses"},
		{"v6 too short", signature + "\x21\x21\x00\x23", "35 bytes of addresses, family 0x21 has 36"},
		{"v6 with v4", head(proxy, 0x21, v4), "12 bytes of addresses, family 0x21 has 36"},
		{"Unix too short", signature + "\x21\x31\x00\xd7", "215 bytes of addresses, family 0x31 has 216"},
		{"4097 bytes", signature + "\x21\x11\x10\x01", "4097 bytes of addresses and additions"},
		{"4097 bytes of LOCAL", signature + "\x20\x00\x10\x01", "4097 bytes of addresses and additions"},
		{"65535 bytes", signature + "\x21\x11\xff\xff", "65535 bytes of addresses and additions"},
		{"a byte left over", head(proxy, 0x11, v4, "\x04"), "1 bytes left over"},
		{"two bytes left over", head(proxy, 0x11, v4, "\x04\x00"), "2 bytes left over"},
		{"addition too long", head(proxy, 0x11, v4, "\x04\x00\x02x"), "addition 0x04 of 2 bytes reaches beyond"},
		{"second addition too long", head(proxy, 0x11, v4, addition(1, "h2"), "\x04\xff\xff"), "reaches beyond"},
		{"wrong checksum", head(proxy, 0x11, v4, noSum), "the checksum is wrong"},
		{"wrong checksum, Unix", head(proxy, 0x31, unix, noSum), "the checksum is wrong"},
		{"a bit fell over", strings.Replace(summed(head(proxy, 0x11, v4, noSum)), "\xcb", "\xca", 1), "the checksum is wrong"},
		{"short checksum", head(proxy, 0x11, v4, addition(typeCRC32C, "abc")), "has not 4 bytes"},
		{"empty checksum", head(proxy, 0x11, v4, addition(typeCRC32C, "")), "has not 4 bytes"},
		{"two checksums", summed(head(proxy, 0x11, v4, noSum, addition(typeCRC32C, "abcd"))), "a second checksum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, n, err := Parse([]byte(c.bytes))
			var ours *Error
			if n != 0 || h != (Header{}) || !errors.As(err, &ours) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %d, %v; want %s", h, n, err, c.want)
			} else if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }) || len(err.Error()) > 300 {
				t.Errorf("not for a log: %q", err)
			}
		})
	}
}

func TestParse_boundsWhatItHolds(t *testing.T) {
	if h, n, err := Parse([]byte(head(proxy, 0x11, v4, addition(4, strings.Repeat("x", 4081))))); n != Longest || err != nil {
		t.Errorf("the longest header: %v, %d, %v", h, n, err)
	}
}

func TestAppendV2_isReadBack(t *testing.T) {
	for _, c := range []struct{ source, destination, wantSource, wantDestination string }{
		{"203.0.113.9:56324", "192.0.2.1:443", "", ""},
		{"[2001:db8::9]:56324", "[2001:db8::1]:443", "", ""},
		{"203.0.113.9:1", "[2001:db8::1]:2", "", ""},
		{"[2001:db8::9]:1", "192.0.2.1:2", "", ""},
		{"[::ffff:203.0.113.9]:1", "[::ffff:192.0.2.1]:2", "203.0.113.9:1", "192.0.2.1:2"},
		{"[fe80::1%eth0]:1", "[fe80::2%eth0]:2", "[fe80::1]:1", "[fe80::2]:2"},
		{"0.0.0.0:0", "0.0.0.0:0", "", ""},
	} {
		source, destination := netip.MustParseAddrPort(c.source), netip.MustParseAddrPort(c.destination)
		header := AppendV2([]byte("before"), source, destination)
		h, n, err := Parse(header[len("before"):])
		want := Header{Source: source, Destination: destination, Version: 2}
		if c.wantSource != "" {
			want.Source, want.Destination = netip.MustParseAddrPort(c.wantSource), netip.MustParseAddrPort(c.wantDestination)
		}
		if err != nil || n != len(header)-len("before") || h != want {
			t.Errorf("%s to %s: %+v, %d, %v", c.source, c.destination, h, n, err)
		}
	}
}

// Written by hand from section 2.2, so that a mistake made twice shows.
func TestAppendV2_writesTheBytesOfTheSpecification(t *testing.T) {
	one, other := netip.MustParseAddrPort("203.0.113.9:56324"), netip.MustParseAddrPort("192.0.2.1:443")
	six := netip.MustParseAddrPort("[2001:db8::9]:56324")
	const sign = "\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A"
	for _, c := range []struct {
		source, destination netip.AddrPort
		want                string
	}{
		{one, other, sign + "\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\xdc\x04\x01\xbb"},
		{six, other, sign + "\x21\x21\x00\x24" +
			"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09" +
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01" + "\xdc\x04\x01\xbb"},
		{netip.AddrPort{}, other, sign + "\x20\x00\x00\x00"},
		{one, netip.AddrPort{}, sign + "\x20\x00\x00\x00"},
	} {
		if got := AppendV2(nil, c.source, c.destination); string(got) != c.want {
			t.Errorf("%v to %v: %x, want %x", c.source, c.destination, got, c.want)
		}
	}
}

func TestAppendV2_writesWithoutAllocating(t *testing.T) {
	buffer := make([]byte, 0, 64)
	one, six := netip.MustParseAddrPort("203.0.113.9:56324"), netip.MustParseAddrPort("[2001:db8::9]:56324")
	if n := testing.AllocsPerRun(100, func() {
		AppendV2(buffer, one, one)
		AppendV2(buffer, one, six)
		AppendV2(buffer, one, netip.AddrPort{})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse_neverChangesItsMind(f *testing.F) {
	for header := range good {
		f.Add([]byte(header + "GET"))
	}
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Add([]byte("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		h, n, err := Parse(b)
		if n < 0 || n > len(b) || n > Longest || n > 0 && err != nil || !bytes.Equal(b, before) {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
		if n == 0 && err == nil && len(b) >= Longest {
			t.Fatal("more bytes wanted than Longest")
		}
		if n > 0 && (h.Version != 1 && h.Version != 2 || h.Local == h.Source.IsValid() || h.Local == h.Destination.IsValid()) {
			t.Fatalf("%+v", h)
		}
		// Byte by byte: more is wanted until the end of the header; what was refused stays refused.
		refused := false
		for end := range min(len(b), 2*Longest) {
			_, m, early := Parse(b[:end])
			if refused && early == nil || n > 0 && end < n && (m != 0 || early != nil) || n > 0 && end >= n && m != n || err == nil && early != nil {
				t.Fatalf("after %d bytes: %d, %v; at the end: %d, %v", end, m, early, n, err)
			}
			refused = early != nil
		}
		if n == 0 || h.Local {
			return
		}
		again := AppendV2(nil, h.Source, h.Destination)
		h.Version = 2
		if h2, m, err := Parse(append(again, "GET"...)); h2 != h || m != len(again) || err != nil {
			t.Fatalf("written again: %+v, %d, %v; want %+v", h2, m, err, h)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, header := range map[string]string{
		"v1": "PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n",
		"v2": head(proxy, 0x11, v4),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, n, _ := Parse([]byte(header)); n == 0 {
					b.Fatal("not read")
				}
			}
		})
	}
}
