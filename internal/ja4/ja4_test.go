package ja4

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape is that of every fingerprint. Upper case only comes from ALPN.
var shape = regexp.MustCompile(`^t(13|12|11|10|s3|s2|00)[di][0-9]{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$`)

// chrome is the hello in FoxIO's description of JA4, in the order it was sent.
func chrome() *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		SupportedVersions: []uint16{tls.VersionTLS13, tls.VersionTLS12},
		CipherSuites:      []uint16{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		Extensions:        []uint16{0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015},
		SignatureSchemes:  []tls.SignatureScheme{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
		ServerName:        "example.com",
		SupportedProtos:   []string{"h2", "http/1.1"},
	}
}

const chromes = "t13d1516h2_8daaf6152771_e5627efa2ab1"

func TestAppend_followsTheDescription(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*tls.ClientHelloInfo)
		want   string
	}{
		{"the example", func(h *tls.ClientHelloInfo) {}, chromes},
		{"the example without signature algorithms", func(h *tls.ClientHelloInfo) { h.SignatureSchemes = nil }, "t13d1516h2_8daaf6152771_6d807ffa2a79"},
		// FoxIO's capture sigalg-grease.pcapng: Chrome 152, GREASE among the signature algorithms.
		{"Chrome 152", func(h *tls.ClientHelloInfo) {
			h.Extensions = []uint16{0x8a8a, 0xfe0d, 0x0010, 0x0017, 0x0033, 0x44cd, 0xff01, 0x000a, 0x000d, 0x0023, 0x002b, 0x000b, 0xca34, 0x002d, 0x0000, 0x0005, 0x001b, 0x0012, 0xdada}
			h.SignatureSchemes = slices.Concat([]tls.SignatureScheme{0x3a3a, 0x0904, 0x0905, 0x0906}, h.SignatureSchemes)
		}, "t13d1517h2_8daaf6152771_cb7bf5808d99"},

		{"no name", func(h *tls.ClientHelloInfo) {
			h.ServerName, h.Extensions = "", without(h.Extensions, 0x0000)
		}, "t13i1515h2_8daaf6152771_e5627efa2ab1"},
		{"a name that crypto/tls disregards", func(h *tls.ClientHelloInfo) { h.ServerName = "" }, chromes},
		{"no ALPN", func(h *tls.ClientHelloInfo) {
			h.SupportedProtos, h.Extensions = nil, without(h.Extensions, 0x0010)
		}, "t13d151500_8daaf6152771_e5627efa2ab1"},
		{"no ciphers", func(h *tls.ClientHelloInfo) { h.CipherSuites = nil }, "t13d0016h2_000000000000_e5627efa2ab1"},
		{"only GREASE for ciphers", func(h *tls.ClientHelloInfo) { h.CipherSuites = []uint16{0x0a0a} }, "t13d0016h2_000000000000_e5627efa2ab1"},
		{"no extensions to hash", func(h *tls.ClientHelloInfo) { h.Extensions = []uint16{0x0010, 0x0000} }, "t13d1502h2_8daaf6152771_000000000000"},
		{"no extensions", func(h *tls.ClientHelloInfo) { h.Extensions = nil }, "t13i1500h2_8daaf6152771_000000000000"},
		{"nothing", func(h *tls.ClientHelloInfo) { *h = tls.ClientHelloInfo{} }, "t00i000000_000000000000_000000000000"},
		{"only GREASE for signature algorithms", func(h *tls.ClientHelloInfo) { h.SignatureSchemes = []tls.SignatureScheme{0xfafa} }, "t13d1516h2_8daaf6152771_6d807ffa2a79"},
	} {
		hello := chrome()
		c.change(hello)
		if got := string(Append(nil, hello)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func without(values []uint16, v uint16) []uint16 {
	return slices.DeleteFunc(values, func(x uint16) bool { return x == v })
}

func TestAppend_ignoresGREASEEverywhere(t *testing.T) {
	for i := range uint16(16) {
		g := i<<12 | i<<4 | 0x0a0a
		hello := chrome()
		hello.SupportedVersions = slices.Insert(hello.SupportedVersions, 0, g)
		hello.CipherSuites = slices.Insert(hello.CipherSuites, 3, g)
		hello.Extensions = append(slices.Insert(hello.Extensions, 0, g), g)
		hello.SignatureSchemes = append(hello.SignatureSchemes, tls.SignatureScheme(g))
		if got := string(Append(nil, hello)); got != chromes {
			t.Errorf("with %04x: %s, want %s", g, got, chromes)
		}
	}
	for _, v := range []uint16{0x0a1a, 0x1a0a, 0x0a0b, 0x0b0b, 0xaaab, 0x2a3a, 0xa0a0} { // resemble it
		hello := chrome()
		hello.CipherSuites = append(hello.CipherSuites, v)
		if got := string(Append(nil, hello)); !strings.HasPrefix(got, "t13d1616h2_") {
			t.Errorf("with %04x: %s, want 16 ciphers", v, got)
		}
	}
}

func TestAppend_namesTheHighestVersion(t *testing.T) {
	for want, versions := range map[string][]uint16{
		"13": {0x0302, 0x0304, 0x0303}, "12": {0x0303, 0x0301}, "11": {0x0301, 0x0302}, "10": {0x0301},
		"s3": {0x0300, 0x0002}, "s2": {0x0002}, "00": {0x0305, 0x0304},
	} {
		if got := string(Append(nil, &tls.ClientHelloInfo{SupportedVersions: versions})); got[1:3] != want {
			t.Errorf("%04x: %s, want %s", versions, got, want)
		}
	}
}

func TestAppend_countsTo99(t *testing.T) {
	for n, want := range map[int]string{1: "01", 9: "09", 10: "10", 99: "99", 100: "99", 128: "99", 129: "99", 30000: "99"} {
		many := make([]uint16, n)
		for i := range many {
			many[i] = uint16(0x0100 + i)
			if grease(many[i]) {
				many[i] = 1
			}
		}
		got := string(Append(nil, &tls.ClientHelloInfo{CipherSuites: many, Extensions: many}))
		if got[4:8] != want+want || !shape.MatchString(got) {
			t.Errorf("%d: %s", n, got)
		}
		if got[11:23] != got[24:] {
			t.Errorf("%d: the same list has two hashes: %s", n, got)
		}
	}
}

// The second line is the description's own; in its last both ends can be read.
func TestAppend_writesProtocolsInHexWhereTheyCannotBeRead(t *testing.T) {
	for protocol, want := range map[string]string{
		"h2": "h2", "http/1.1": "h1", "h": "hh", "H2C": "HC", "0Z": "0Z", "a\xab\xcdz": "az", "": "00",
		"\xab": "ab", "\xab\xcd": "ad", "0\xab": "3b", "01\xab\xcd": "3d", "0\xab\xcd1": "01",
		" ": "20", "a ": "60",
		"/h": "28", "h:": "6a", "@h": "48", "h[": "6b", "`h": "68", "h{": "6b", "_\x00": "50",
	} {
		hello := chrome()
		hello.SupportedProtos = []string{protocol, "h2"}
		if got := string(Append(nil, hello)); got[8:10] != want {
			t.Errorf("%q: %s, want %s", protocol, got, want)
		}
	}
}

func TestAppend_ordersAllButSignatureAlgorithms(t *testing.T) {
	hello := chrome()
	slices.Reverse(hello.CipherSuites)
	slices.Reverse(hello.Extensions)
	slices.Reverse(hello.SupportedVersions)
	if got := string(Append(nil, hello)); got != chromes {
		t.Errorf("ciphers and extensions the other way round: %s, want %s", got, chromes)
	}
	slices.Reverse(hello.SignatureSchemes)
	if got := string(Append(nil, hello)); got[:24] != chromes[:24] || got[24:] == chromes[24:] {
		t.Errorf("signature algorithms the other way round: %s, want another end than %s", got, chromes)
	}
}

func TestAppend_leavesTheHelloAloneAndKeepsWhatIsThere(t *testing.T) {
	hello := chrome()
	if got := string(Append([]byte("ja4="), hello)); got != "ja4="+chromes {
		t.Error(got)
	}
	if !reflect.DeepEqual(hello, chrome()) {
		t.Errorf("the hello has become %+v", hello)
	}
}

func TestAppend_allocatesNothingWhereThereIsRoom(t *testing.T) {
	hello, dst := chrome(), make([]byte, 0, Length)
	for len(hello.CipherSuites) < 128 {
		hello.CipherSuites = append(hello.CipherSuites, 0x0001)
	}
	for len(hello.Extensions) < 128 {
		hello.Extensions = append(hello.Extensions, 0x0001)
	}
	for len(hello.SignatureSchemes) < 128 {
		hello.SignatureSchemes = append(hello.SignatureSchemes, 0x0001)
	}
	if n := testing.AllocsPerRun(100, func() { Append(dst, hello) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppend_readsARealClient(t *testing.T) {
	for _, c := range []struct {
		name   string
		client *tls.Config
		want   string // the beginning up to the counts, and the protocol
	}{
		{"to a domain", &tls.Config{ServerName: "example.com", NextProtos: []string{"h2"}}, `^t13d.{4}h2_`},
		{"to an address", &tls.Config{InsecureSkipVerify: true}, `^t13i.{4}00_`},
		{"with TLS 1.2", &tls.Config{ServerName: "example.com", MaxVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, `^t12d.{4}h1_`},
	} {
		first, second := shakeHands(t, c.client), shakeHands(t, c.client)
		if !shape.MatchString(first) || !regexp.MustCompile(c.want).MatchString(first) {
			t.Errorf("%s: %s, want %s", c.name, first, c.want)
		}
		if strings.Contains(first, "000000000000") || first[4:6] == "00" || first[6:8] == "00" {
			t.Errorf("%s: %s lacks ciphers or extensions", c.name, first)
		}
		if first != second {
			t.Errorf("%s: %s, then %s", c.name, first, second)
		}
	}
}

// shakeHands returns the fingerprint that a server sees of the client.
func shakeHands(t *testing.T, config *tls.Config) string {
	t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tls.Client(there, config).Handshake() // fails: the server has seen enough
		there.Close()
	}()
	enough := errors.New("enough")
	var fingerprint string
	server := tls.Server(here, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		fingerprint = string(Append(nil, hello))
		return nil, enough
	}})
	if err := server.Handshake(); !errors.Is(err, enough) {
		t.Fatal(err)
	}
	here.Close()
	<-done
	return fingerprint
}

func FuzzAppend_alwaysHasTheShape(f *testing.F) {
	f.Add([]byte{3, 4}, []byte{0x13, 1, 0x13, 2}, []byte{0, 0, 0, 16}, []byte{4, 3}, "h2")
	f.Add([]byte{}, []byte{}, []byte{}, []byte{}, "")
	f.Add([]byte{0x0a, 0x0a}, []byte{0x0a, 0x0a}, []byte{0x0a, 0x0a}, []byte{0x0a, 0x0a}, "\x0a\x0a")
	f.Fuzz(func(t *testing.T, versions, ciphers, extensions, algorithms []byte, protocol string) {
		hello := &tls.ClientHelloInfo{SupportedVersions: words(versions), CipherSuites: words(ciphers),
			Extensions: words(extensions), SupportedProtos: []string{protocol}}
		for _, a := range words(algorithms) {
			hello.SignatureSchemes = append(hello.SignatureSchemes, tls.SignatureScheme(a))
		}
		got := string(Append(nil, hello))
		if len(got) != Length || !shape.MatchString(got) {
			t.Errorf("%q", got)
		}
		slices.Reverse(hello.CipherSuites)
		slices.Reverse(hello.Extensions)
		if again := string(Append(nil, hello)); again != got {
			t.Errorf("%s, the other way round %s", got, again)
		}
	})
}

// words reads pairs of bytes as the wire has them.
func words(b []byte) (values []uint16) {
	for ; len(b) >= 2; b = b[2:] {
		values = append(values, binary.BigEndian.Uint16(b))
	}
	return values
}
