package forwarded

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

// hop says which addresses are trusted in these tests: 10/8 and fd00::/8.
func hop(a netip.Addr) bool { return hops4.Contains(a) || hops6.Contains(a) }

var hops4, hops6 = netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")

const peer = "10.0.0.1"

// fields splits the values of a test: one a line.
func fields(text string) (values [][]byte) {
	if text == "none" {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		values = append(values, []byte(line))
	}
	return values
}

// check asks for the client; want is an address, or "malformed".
func check(t *testing.T, kind Kind, from, text, want string) {
	t.Helper()
	client, ok := Client(netip.MustParseAddr(from), fields(text), kind, hop)
	got := client.String()
	if !ok {
		if got != from {
			t.Errorf("%q: malformed, and the client is %s instead of the peer", text, got)
		}
		got = "malformed"
	}
	if got != want {
		t.Errorf("%q from %s: %s, want %s", text, from, got, want)
	}
}

func TestClient_readsXForwardedForFromTheRight(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"none", peer},
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1, 10.0.0.2", "192.0.2.1"},
		{"192.0.2.1,10.0.0.2,10.0.0.3", "192.0.2.1"},
		{"198.51.100.9, 192.0.2.1", "192.0.2.1"}, // the left one is the visitor's own tale
		{"10.9.9.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"},
		{"127.0.0.1, 192.0.2.1", "192.0.2.1"},
		{"10.0.0.3, 10.0.0.2", "10.0.0.3"}, // all trusted: the leftmost
		{"10.0.0.2", "10.0.0.2"},
		{"192.0.2.1\n10.0.0.2", "192.0.2.1"}, // two fields are one list
		{"198.51.100.9\n192.0.2.1", "192.0.2.1"},
		{"198.51.100.9, 192.0.2.1\n10.0.0.3\n10.0.0.2", "192.0.2.1"},
		{" 192.0.2.1 ", "192.0.2.1"},
		{"\t192.0.2.1\t, \t10.0.0.2", "192.0.2.1"},
		{"192.0.2.1:80", "192.0.2.1"},
		{"192.0.2.1:65535, 10.0.0.2:1", "192.0.2.1"},
		{"2001:db8::1", "2001:db8::1"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"[2001:db8::1]:443, fd00::1", "2001:db8::1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"2001:db8::1:443", "2001:db8::1:443"}, // no port: nobody can tell
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"192.0.2.1, ::ffff:10.0.0.2", "192.0.2.1"}, // a trusted hop in IPv6 dress
		{"192.0.2.1, [::ffff:a00:2]:8", "192.0.2.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"unknown", peer}, // the peer does not tell
		{"192.0.2.1, unknown", peer},
		{"192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"}, // the hop that did not tell
		{"192.0.2.1, UnKnown, 10.0.0.3, 10.0.0.2", "10.0.0.3"},
		{"unknown, 192.0.2.1, 10.0.0.2", "192.0.2.1"}, // beyond the visitor it does not matter
	} {
		check(t, XForwardedFor, peer, c.value, c.want)
	}
}

func TestClient_readsForwardedFromTheRight(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"none", peer},
		{"for=192.0.2.1", "192.0.2.1"},
		{"for=192.0.2.1, for=10.0.0.2", "192.0.2.1"},
		{"for=198.51.100.9,for=192.0.2.1", "192.0.2.1"},
		{"for=198.51.100.9\nfor=192.0.2.1\nfor=10.0.0.2", "192.0.2.1"},
		{"For=192.0.2.1;PROTO=https;By=10.0.0.2", "192.0.2.1"},
		{"by=10.0.0.2;host=\"a.example:80\";FOR=192.0.2.1;proto=http", "192.0.2.1"},
		{`for="192.0.2.1"`, "192.0.2.1"},
		{`for="192.0.2.1:4711"`, "192.0.2.1"},
		{`for="192.0.2.1:_port"`, "192.0.2.1"},
		{`for="[2001:db8::1]"`, "2001:db8::1"},
		{`for="[2001:db8::1]:443", for="[fd00::1]:_x-1.y"`, "2001:db8::1"},
		{`for="\1\9\2.0.2.1"`, "192.0.2.1"}, // backslashes mean nothing here
		{`for="\[2001:db8::1\]"`, "2001:db8::1"},
		{`for=192.0.2.1;host="a, for=198.51.100.9"`, "192.0.2.1"}, // a comma in quotes is none
		{`for=192.0.2.1;host="a\", for=198.51.100.9"`, "192.0.2.1"},
		{`for=192.0.2.1;host="a\\", for=10.0.0.2`, "192.0.2.1"},
		{`host="for=198.51.100.9";for=192.0.2.1`, "192.0.2.1"},
		{"for=192.0.2.1;extension=x;another=\"y z\"", "192.0.2.1"},
		{"for=192.0.2.1;", "192.0.2.1"}, // empty pairs are in the grammar
		{";;for=192.0.2.1;;by=_x", "192.0.2.1"},
		{" \tfor=192.0.2.1 \t,\t for=10.0.0.2 ", "192.0.2.1"},
		{`for="::ffff:192.0.2.1"`, "malformed"},
		{`for="[::ffff:192.0.2.1]", for="[::ffff:10.0.0.2]"`, "192.0.2.1"},
		{"for=unknown", peer},
		{`for="unknown:80"`, peer},
		{"for=_hidden", peer},
		{`for="_SEVKISEK:_port"`, peer},
		{"for=192.0.2.1, for=_hidden, for=10.0.0.2", "10.0.0.2"},
		{"for=192.0.2.1, for=Unknown, for=10.0.0.3, for=10.0.0.2", "10.0.0.3"},
		{"for=192.0.2.1, proto=https", peer}, // an element without for tells no address
		{"for=192.0.2.1, proto=https;by=_x, for=10.0.0.2", "10.0.0.2"},
		{"for=192.0.2.1, ;, for=10.0.0.2", "10.0.0.2"},
		{"for=_hidden, for=192.0.2.1, for=10.0.0.2", "192.0.2.1"},
		{"for=10.0.0.3, for=10.0.0.2", "10.0.0.3"},
		{"for=192.0.2.1;host=\"\x80\xff\t\"", "192.0.2.1"}, // obs-text and tab
	} {
		check(t, ForwardedField, peer, c.value, c.want)
	}
}

// nobody are texts that stand for no address in either notation; {} in the
// lists below is where they go.
var nobody = []string{
	"0x7f.1", "0x7f.0.0.1", "127.1", "127.0.1", "0177.0.0.1", "2130706433", "0x7f000001", "127.0.0.01", "01.2.3.4", "1.2.3.04", "00.0.0.0",
	"1.2.3.256", "1.2.3.4.5", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.-4", "+1.2.3.4", "1.2.3.4e0", "1.2.3.4/32", "1,2,3,4",
	"١.2.3.4", "1.2.3.4\x00", "\x001.2.3.4", "1.2.3.4\r", "1.2.3.4\n", "1. 2.3.4", "1.2.3.4 5.6.7.8", "1.2.3.4\t5.6.7.8", "1.2.3.4;", "1.2.3.4;5.6.7.8",
	"1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:99999", "1.2.3.4:100000", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4:80:80", "1.2.3.4: 80", "1.2.3.4:http", "1.2.3.4:0x50",
	"[1.2.3.4]", "[1.2.3.4]:80", "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]443", "[2001:db8::1]:", "[2001:db8::1]:65536", "[[2001:db8::1]]", "[]", "[]:80", "[::1]x",
	"[2001:db8::1] :80", "[ 2001:db8::1]", "fe80::1%eth0", "[fe80::1%eth0]", "[fe80::1%25eth0]:80", "::ffff:127.0.0.1%1",
	"2001:db8", "2001:db8::1::2", ":::", ":", "::1:", ":1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::1", "::g", "::1.2.3", "::1.2.3.04", "1.2.3.4::",
	"::ffff:1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
	"", " ", "-", "_", "__", "_hid den", "_hidden!", "unknown2", "unknown:", "un known", "null", "localhost", "a.example", "<script>", "' OR 1=1", "${jndi:ldap://x}", "\x7f", "\xff\xfe",
	"for=1.2.3.4", "for", "=", "\"", "\\", "\"1.2.3.4", "1.2.3.4\"", strings.Repeat("1", 5000), strings.Repeat("1:", 5000),
}

func TestClient_ignoresForgedListsAsAWhole(t *testing.T) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for _, text := range nobody {
		if text == "__" || strings.Contains(text, "\n") {
			continue // see below
		}
		for _, list := range []string{"{}", "{}, 192.0.2.1", "192.0.2.1, {}", "192.0.2.1, {}, 10.0.0.2", "192.0.2.1\n{}", "{}\n192.0.2.1"} {
			check(t, XForwardedFor, peer, strings.Replace(list, "{}", text, 1), "malformed")
		}
		for _, list := range []string{"for={}", "for=\"{}", "for={}, for=192.0.2.1", "for=192.0.2.1, for={}", "for=192.0.2.1;by={}, for={}", "for=192.0.2.1\nfor={}"} {
			if text != "1.2.3.4;" && !strings.Contains(text, `"`) { // there an empty pair, and quotes that close
				check(t, ForwardedField, peer, strings.Replace(list, "{}", text, -1), "malformed")
			}
		}
		check(t, ForwardedField, peer, `for=192.0.2.1, for="`+quote.Replace(text)+`"`, "malformed")
	}
	for _, c := range []struct {
		kind  Kind
		value string
	}{
		{XForwardedFor, "__"},
		{XForwardedFor, "_hidden"},
		{XForwardedFor, "192.0.2.1:_port"},
		{XForwardedFor, `"192.0.2.1"`},
		{XForwardedFor, `"[2001:db8::1]:443"`},
		{XForwardedFor, "192.0.2.1,"},
		{XForwardedFor, ",192.0.2.1"},
		{XForwardedFor, "192.0.2.1,,10.0.0.2"},
		{XForwardedFor, "192.0.2.1, ,10.0.0.2"},
		{XForwardedFor, "192.0.2.1\n\n10.0.0.2"}, // an empty field among others
		{XForwardedFor, "192.0.2.1\v"},
		{XForwardedFor, "\u00a0192.0.2.1"},
		{XForwardedFor, "1.2.3.4\x00, 192.0.2.1"},
		{ForwardedField, "192.0.2.1"},
		{ForwardedField, "for=192.0.2.1,"},
		{ForwardedField, ",for=192.0.2.1"},
		{ForwardedField, "for=192.0.2.1,,for=10.0.0.2"},
		{ForwardedField, "for=192.0.2.1; proto=https"},
		{ForwardedField, "for=192.0.2.1 ;proto=https"},
		{ForwardedField, "for =192.0.2.1"},
		{ForwardedField, "for= 192.0.2.1"},
		{ForwardedField, "for=192.0.2.1 for=198.51.100.9"},
		{ForwardedField, "for=192.0.2.1;for=198.51.100.9"},
		{ForwardedField, "for=192.0.2.1;FOR=192.0.2.1"},
		{ForwardedField, "for=192.0.2.1;by=_a;by=_b"},
		{ForwardedField, "for=192.0.2.1;x=1;X=2"},
		{ForwardedField, "for=192.0.2.1;a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1"},
		{ForwardedField, "for=192.0.2.1:80"},                    // a colon must be quoted
		{ForwardedField, "for=[2001:db8::1]"},                   // and so must brackets
		{ForwardedField, `for="2001:db8::1"`},                   // and IPv6 must have them
		{ForwardedField, "for=2001:db8::1"},                     //
		{ForwardedField, `for="192.0.2.1`},                      // never closed
		{ForwardedField, `for="192.0.2.1\`},                     //
		{ForwardedField, `for="192.0.2.1\"`},                    //
		{ForwardedField, `for="192.0.2.1, for=198.51.100.9`},    // would swallow the next
		{ForwardedField, "for=\"192.0.2.1\nfor=198.51.100.9\""}, // across fields
		{ForwardedField, `for="192.0.2.1"x`},
		{ForwardedField, `for=x"192.0.2.1"`},
		{ForwardedField, `for=""`},
		{ForwardedField, `for='192.0.2.1'`},
		{ForwardedField, `"for"=192.0.2.1`},
		{ForwardedField, `for`},
		{ForwardedField, `for;by=_x`},
		{ForwardedField, `=192.0.2.1`},
		{ForwardedField, `for==192.0.2.1`},
		{ForwardedField, `for:192.0.2.1`},
		{ForwardedField, `for=192.0.2.1;host=`},
		{ForwardedField, `for=192.0.2.1;host=;by=_x`},
		{ForwardedField, `for=192.0.2.1;host="a\`},
		{ForwardedField, `for=192.0.2.1;host="a`},
		{ForwardedField, `for=192.0.2.1;host=a b`},
		{ForwardedField, `for=192.0.2.1;host=a:80`},
		{ForwardedField, "for=192.0.2.1;host=\"\x01\""},
		{ForwardedField, "for=192.0.2.1;host=\"\\\x01\""},
		{ForwardedField, "for=192.0.2.1;host=\"\x7f\""},
		{ForwardedField, "for=192.0.2.1\x00"},
		{ForwardedField, "\x00for=192.0.2.1"},
		{ForwardedField, `for="_hidden:65536"`},
		{ForwardedField, `for="` + strings.Repeat("a", 300) + `"`},
		{ForwardedField, `for="_` + strings.Repeat("a", longestNode) + `"`},
	} {
		check(t, c.kind, peer, c.value, "malformed")
	}
}

func TestClient_readsNothingFromAPeerThatIsNotTrusted(t *testing.T) {
	for _, from := range []string{"192.0.2.7", "2001:db8::7", "127.0.0.1", "11.0.0.1"} {
		for _, text := range []string{"none", "198.51.100.9", "rubbish", "10.0.0.1", ",,,", "for=198.51.100.9", "for=\"", "10.0.0.2, 10.0.0.3"} {
			check(t, XForwardedFor, from, text, from)
			check(t, ForwardedField, from, text, from)
		}
	}
	if client, ok := Client(netip.MustParseAddr(peer), fields("198.51.100.9"), XForwardedFor, nil); client.String() != peer || !ok {
		t.Errorf("nil trusts somebody: %v, %v", client, ok)
	}
}

func TestClient_seesThroughMappedPeersAndZones(t *testing.T) {
	for from, want := range map[string]string{
		"::ffff:10.0.0.1": "192.0.2.1", "fd00::1%eth0": "192.0.2.1",
		"::ffff:198.51.100.1": "198.51.100.1", "fe80::1%eth0": "fe80::1",
	} {
		if client, ok := Client(netip.MustParseAddr(from), fields("192.0.2.1"), XForwardedFor, hop); client.String() != want || !ok {
			t.Errorf("%s: %v, %v; want %s", from, client, ok, want)
		}
	}
}

func TestClient_boundsTheList(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		element string
	}{{XForwardedFor, "10.0.0.2"}, {ForwardedField, "for=10.0.0.2"}} {
		for count, want := range map[int]string{MaxElements - 1: "192.0.2.1", MaxElements: "malformed"} {
			for _, separator := range []string{",", ", ", "\n"} {
				first := strings.Replace(c.element, "10.0.0.2", "192.0.2.1", 1)
				check(t, c.kind, peer, first+strings.Repeat(separator+c.element, count), want)
			}
		}
	}
}

func TestAppendFor_writesWhatClientReads(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8::1": `"[2001:db8::1]"`, "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": `"[fe80::1]"`, "::": `"[::]"`,
	} {
		a := netip.MustParseAddr(text)
		got := AppendFor([]byte("for="), a)
		if string(got) != "for="+want {
			t.Errorf("%s: %s", text, got)
		}
		if client, ok := Client(netip.MustParseAddr(peer), [][]byte{got}, ForwardedField, hop); client != a.Unmap().WithZone("") || !ok {
			t.Errorf("%s is read back as %v, %v", got, client, ok)
		}
	}
	if got := AppendFor(nil, netip.Addr{}); string(got) != "unknown" {
		t.Errorf("no address: %s", got)
	}
}

func TestForwarded_allocatesNothing(t *testing.T) {
	from, trusted := netip.MustParseAddr(peer), hop
	lists := []struct {
		kind   Kind
		values []string
	}{
		{XForwardedFor, []string{"198.51.100.9, 192.0.2.1", "::ffff:10.0.0.3, [fd00::1]:443"}},
		{ForwardedField, []string{`for=198.51.100.9, for="192.0.2.1:80";proto=https`, `for="\[fd00::1\]:443";by=_x`}},
		{XForwardedFor, []string{"rubbish"}},
		{ForwardedField, []string{`for="rubbish"`}},
	}
	line, buffer := []byte(nil), make([]byte, 0, 64)
	for _, l := range lists {
		if n := testing.AllocsPerRun(100, func() {
			var values [4][]byte
			line = line[:0]
			for i, v := range l.values {
				start := len(line)
				line = append(line, v...)
				values[i] = line[start:]
			}
			Client(from, values[:len(l.values)], l.kind, trusted)
			AppendFor(buffer, from)
		}); n != 0 {
			t.Errorf("%q: %v allocations", l.values, n)
		}
	}
}

func FuzzClient_neverBelievesAStranger(f *testing.F) {
	for _, seed := range []string{"192.0.2.1, 10.0.0.2", `for="[2001:db8::1]:443";by=_x, for=unknown`, "unknown, [::1]:80, 1.2.3.4:5", `for="\1.2.3.4"`, ";;", `host="a\",b";for=_x`} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	from, mark := netip.MustParseAddr(peer), netip.MustParseAddr("203.0.113.77")
	f.Fuzz(func(t *testing.T, tale []byte, forwarded bool) {
		kind, owns := XForwardedFor, []string{"203.0.113.77, 10.0.0.2"}
		if forwarded {
			kind, owns = ForwardedField, []string{"for=203.0.113.77, for=10.0.0.2", `for="203.0.113.77:80";by="_x", for="10.0.0.2"`}
		}
		before := bytes.Clone(tale)
		client, ok := Client(from, [][]byte{tale}, kind, hop)
		if !ok && client != from || !client.IsValid() || client.Is4In6() || client.Zone() != "" {
			t.Fatalf("%q: %v, %v", tale, client, ok)
		}
		// Whatever a visitor tells, it is followed by what the hops wrote,
		// in the same field or the next.
		for _, own := range owns {
			one := append(append(bytes.Clone(tale), ", "...), own...)
			for _, values := range [][][]byte{{tale, []byte(own)}, {one}} {
				got, good := Client(from, values, kind, hop)
				if good && got != mark || !good && got != from || good && !ok {
					t.Fatalf("%q: %v, %v", values, got, good)
				}
			}
		}
		if !bytes.Equal(tale, before) {
			t.Fatal("the value was written to")
		}
	})
}

// An X-Forwarded-For list rewritten as Forwarded names the same client.
func FuzzClient_readsBothNotationsAlike(f *testing.F) {
	for _, seed := range []string{"192.0.2.1, 10.0.0.2", "[2001:db8::1]:443,fd00::1", "unknown, 1.2.3.4:80", "198.51.100.9,UNKNOWN,10.0.0.2", "::ffff:10.0.0.2, ::", "1.2.3.04", "_x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		from := netip.MustParseAddr(peer)
		client, ok := Client(from, [][]byte{value}, XForwardedFor, hop)
		var rewritten []string
		for element := range strings.SplitSeq(string(value), ",") {
			element = strings.Trim(element, " \t")
			if a, err := netip.ParseAddr(element); err == nil && a.Is6() {
				element = "[" + element + "]"
			} else if strings.ContainsAny(element, `"\`) || strings.HasPrefix(element, "_") || strings.Contains(element, ":_") {
				if ok {
					t.Fatalf("%q is no list", value)
				}
				return // a name in one notation and nothing in the other
			}
			rewritten = append(rewritten, `proto=http;for="`+element+`"`)
		}
		got, good := Client(from, [][]byte{[]byte(strings.Join(rewritten, " ,"))}, ForwardedField, hop)
		if got != client || good != ok {
			t.Fatalf("%q: %v, %v; as Forwarded %q: %v, %v", value, client, ok, rewritten, got, good)
		}
	})
}

func FuzzParseAddr_agreesWithTheStandardLibrary(f *testing.F) {
	for _, seed := range append(nobody, "1.2.3.4", "::", "::1", "1::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "::ffff:1.2.3.4", "1::1.2.3.4", "A:b::C", "1:2:3:4:5:6:7:8") {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := netip.ParseAddr(string(b))
		if got, ok := parseAddr(b); ok != (err == nil && want.Zone() == "") || ok && got != want {
			t.Fatalf("%q: %v, %v; netip says %v, %v", b, got, ok, want, err)
		}
	})
}

func BenchmarkClient(b *testing.B) {
	from := netip.MustParseAddr(peer)
	for name, c := range map[string]struct {
		kind  Kind
		value string
	}{
		"X-Forwarded-For": {XForwardedFor, "192.0.2.1, 10.0.0.2"},
		"Forwarded":       {ForwardedField, `for="[2001:db8::1]:443";proto=https, for=10.0.0.2`},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for values := fields(c.value); b.Loop(); {
				Client(from, values, c.kind, hop)
			}
		})
	}
}
