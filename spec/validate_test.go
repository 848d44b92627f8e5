package spec

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// good is a zone without a mistake.
func good() ZoneSpec {
	return ZoneSpec{Name: "example.com", Origin: OriginSpec{URL: "http://127.0.0.1:3000"}}
}

func checkMistakes(t *testing.T, got []Mistake, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d mistakes, want %d: %v", len(got), len(want), got)
	}
	for i, w := range want {
		path, text, _ := strings.Cut(w, ": ")
		if got[i].Path != path || !strings.Contains(got[i].Text, text) {
			t.Errorf("mistake %d is %q, want %q", i, got[i], w)
		}
	}
}

func TestValidate_findsEachMistake(t *testing.T) {
	tests := []struct {
		name   string
		change func(*ZoneSpec)
		want   []string
	}{
		{"nothing wrong", func(z *ZoneSpec) {}, nil},
		{"a name that another server has by default", func(z *ZoneSpec) {
			z.Origin = OriginSpec{Servers: []ServerSpec{{URL: "http://a", Name: "s2"}, {URL: "http://b"}}}
		}, []string{"origin.servers[1].name: called s2, too"}},
		{"no primary server", func(z *ZoneSpec) { z.Origin = OriginSpec{Servers: []ServerSpec{{URL: "http://a", Backup: true}}} },
			[]string{"origin.servers: every server is a backup"}},
		{"any host", func(z *ZoneSpec) { z.Name = "*" }, nil},
		{"wildcard host", func(z *ZoneSpec) { z.Hosts = []string{"example.com", "*.example.com", "*"} }, nil},
		{"addresses as hosts", func(z *ZoneSpec) { z.Hosts = []string{"127.0.0.1", "[::1]"} }, nil},
		{"single label", func(z *ZoneSpec) { z.Name = "localhost" }, nil},
		{"A-label", func(z *ZoneSpec) { z.Name = "xn--bcher-kva.example" }, nil},
		{"no name", func(z *ZoneSpec) { z.Name = "" }, []string{"name: needs a name"}},
		{"the name of no zone", func(z *ZoneSpec) { z.Name = "none" }, []string{"name: choose another"}},
		{"wildcard name", func(z *ZoneSpec) { z.Name = "*.example.com" }, []string{"name: wildcards belong into hosts"}},
		{"upper case", func(z *ZoneSpec) { z.Name = "Example.com" }, []string{"name: in lower case: example.com"}},
		{"final dot", func(z *ZoneSpec) { z.Name = "example.com." }, []string{"name: ends with a dot"}},
		{"empty label", func(z *ZoneSpec) { z.Name = "example..com" }, []string{"name: empty part"}},
		{"hyphen", func(z *ZoneSpec) { z.Name = "-a.com" }, []string{"name: hyphen"}},
		{"space", func(z *ZoneSpec) { z.Name = "a b.com" }, []string{"name: contains ' '"}},
		{"URL as name", func(z *ZoneSpec) { z.Name = "http://example.com" }, []string{"name: is a URL"}},
		{"port", func(z *ZoneSpec) { z.Name = "example.com:80" }, []string{"name: has a port"}},
		{"long label", func(z *ZoneSpec) { z.Name = strings.Repeat("a", 64) + ".com" }, []string{"name: longer than 63"}},
		{"long name", func(z *ZoneSpec) { z.Name = strings.Repeat("a.", 130) + "com" }, []string{"name: more than 253"}},
		{"umlaut", func(z *ZoneSpec) { z.Name = "Bücher.example" }, []string{"name: write xn--bcher-kva.example"}},
		{"combining mark", func(z *ZoneSpec) { z.Name = "bu\u0308cher.example" }, []string{"name: write xn--bcher-kva.example"}},
		{"broken UTF-8", func(z *ZoneSpec) { z.Name = "b\xfc.example" }, []string{"name: not valid UTF-8"}},
		{"star inside", func(z *ZoneSpec) { z.Hosts = []string{"www.*.com", "*.*.com"} }, []string{"hosts[0]: may only", "hosts[1]: may only"}},
		{"wildcard of an address", func(z *ZoneSpec) { z.Hosts = []string{"*.127.0.0.1"} }, []string{"hosts[0]: below an address"}},
		{"host twice", func(z *ZoneSpec) { z.Hosts = []string{"a.com", "a.com"} }, []string{"hosts[1]: twice"}},
		{"empty host", func(z *ZoneSpec) { z.Hosts = []string{""} }, []string{"hosts[0]: is empty"}},
		{"long IPv6", func(z *ZoneSpec) { z.Hosts = []string{"[0::1]"} }, []string{"hosts[0]: as [::1]"}},
		{"not IPv6", func(z *ZoneSpec) { z.Hosts = []string{"[zz]", "[::1%25lo]"} }, []string{"hosts[0]: not an IPv6", "hosts[1]: not an IPv6"}},
		{"no origin", func(z *ZoneSpec) { z.Origin.URL = "" }, []string{"origin.url: needs an origin"}},
		{"origin with slash", func(z *ZoneSpec) { z.Origin.URL = "https://[::1]:8443/" }, nil},
		{"origin in upper case", func(z *ZoneSpec) { z.Origin.URL = "HTTP://Example.COM" }, nil},
		{"no scheme", func(z *ZoneSpec) { z.Origin.URL = "localhost:8080" }, []string{"origin.url: does not begin with http://"}},
		{"typo", func(z *ZoneSpec) { z.Origin.URL = "htp://localhost" }, []string{"origin.url: htp is not a scheme"}},
		{"one slash", func(z *ZoneSpec) { z.Origin.URL = "http:/localhost" }, []string{"origin.url: does not begin with http://"}},
		{"bad port", func(z *ZoneSpec) { z.Origin.URL = "http://a:99999" }, []string{`origin.url: "99999" is not a port`}},
		{"worse port", func(z *ZoneSpec) { z.Origin.URL = "http://a:80x" }, []string{`origin.url: invalid port`}},
		{"empty port", func(z *ZoneSpec) { z.Origin.URL = "http://a:" }, []string{`origin.url: is not a port`}},
		{"no host", func(z *ZoneSpec) { z.Origin.URL = "http:///" }, []string{"origin.url: names no host"}},
		{"path and query", func(z *ZoneSpec) { z.Origin.URL = "http://a/b?c#d" }, []string{"origin.url: the path /b", "origin.url: query"}},
		{"user", func(z *ZoneSpec) { z.Origin.URL = "http://u:secret@a" }, []string{"origin.url: user or password"}},
		{"bad host", func(z *ZoneSpec) { z.Origin.URL = "http://bücher.example" }, []string{"origin.url: write xn--bcher-kva.example"}},
		{"too patient", func(z *ZoneSpec) { z.Origin.IdleTimeout = Duration(25 * time.Hour) }, []string{"origin.idle_timeout: at most 24h"}},
		{"negative", func(z *ZoneSpec) { z.Origin.ConnectTimeout, z.Origin.FirstByteTimeout = -1, -1 },
			[]string{"origin.connect_timeout: outside", "origin.first_byte_timeout: outside"}},
		{"size", func(z *ZoneSpec) { z.Cache.MaxObject = 2 << 40 }, []string{"cache.max_object: outside"}},
		{"cache lifetimes", func(z *ZoneSpec) { z.Cache.Heuristic, z.Cache.WhenDown = -1, Duration(400*24*time.Hour) },
			[]string{"cache.heuristic: outside", "cache.when_down: outside"}},
		{"cache visitors", func(z *ZoneSpec) { z.Cache.Visitors.ReloadInterval = -1 }, []string{"cache.visitors.reload_interval: outside"}},
		{"cache cookies", func(z *ZoneSpec) { z.Cache.SetCookie = "keep" }, []string{"cache.set_cookie: none of"}},
		{"cache bounds", func(z *ZoneSpec) {
			z.Cache.Bounds = CacheBoundsSpec{Floor: -1, Ceiling: 2 << 40, Variants: 1001, Waiters: -1}
		}, []string{"cache.bounds.floor: outside", "cache.bounds.ceiling: outside", "cache.bounds.variants: outside", "cache.bounds.waiters: outside"}},
		{"cache floor above its ceiling", func(z *ZoneSpec) {
			z.Cache.Bounds = CacheBoundsSpec{Floor: 2 << 20, Ceiling: 1 << 20}
		}, []string{"cache.bounds.floor: more than"}},
		{"client certificates", func(z *ZoneSpec) { z.TLS.ClientCertificates = ClientCertificatesSpec{Mode: "always"} }, []string{"tls.client_certificates.mode: not a way to ask"}},
		{"client certificates of nobody", func(z *ZoneSpec) { z.TLS.ClientCertificates = ClientCertificatesSpec{Mode: "required"} }, []string{"tls.client_certificates.authorities: is missing"}},
		{"client certificates of no file", func(z *ZoneSpec) {
			z.TLS.ClientCertificates = ClientCertificatesSpec{Mode: "optional", Authorities: "a.pem", Text: "hello"}
		}, []string{"tls.client_certificates.authorities: not a list of certificates"}},
		{"client certificates, not asked for", func(z *ZoneSpec) { z.TLS.ClientCertificates = ClientCertificatesSpec{Forward: true} }, []string{"tls.client_certificates.mode: not asked"}},
		{"certificates for plain servers", func(z *ZoneSpec) { z.Origin.TLS.ShowOwn = true }, []string{"origin.tls: without TLS"}},
		{"two certificates for servers", func(z *ZoneSpec) {
			z.Origin.URL = "https://a"
			z.Origin.TLS = OriginTLSSpec{ShowOwn: true, Show: CertificateSpec{Chain: "a", Key: "b"}}
		}, []string{"origin.tls.show: use one of the two"}},
		{"half a certificate for servers", func(z *ZoneSpec) {
			z.Origin.URL = "https://a"
			z.Origin.TLS.Show.Chain = "a"
		}, []string{"origin.tls.show.key: missing"}},
		{"pins", func(z *ZoneSpec) {
			z.Origin.URL = "https://a"
			z.Origin.TLS.Pins = []string{"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256/AAAA", "sha256//AAAA"}
		}, []string{"origin.tls.pins[1]: not the hash", "origin.tls.pins[2]: not the hash"}},
		{"everything at once", func(z *ZoneSpec) { *z = ZoneSpec{Hosts: []string{"A"}, Cache: CacheSpec{MaxObject: -1}} },
			[]string{"name: needs", "hosts[0]: lower case", "origin.url: needs", "cache.max_object: outside"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			z := good()
			test.change(&z)
			checkMistakes(t, z.Validate(), test.want...)
		})
	}
}

func TestValidate_keepsPasswordsToItself(t *testing.T) {
	for _, url := range []string{"http://u:secret@a", "u:secret@a", "http://u:secret@a:x", "http://u:secret%zz@a", "://u:secret@a"} {
		z := good()
		z.Origin.URL = url
		found := z.Validate()
		if len(found) == 0 || strings.Contains(fmt.Sprint(found), "secret") {
			t.Errorf("%s: %v", url, found)
		}
	}
}

func TestValidateZones_comparesThem(t *testing.T) {
	zone := func(name string, hosts ...string) ZoneSpec {
		z := good()
		z.Name, z.Hosts = name, hosts
		return z
	}
	tests := []struct {
		name  string
		zones []ZoneSpec
		want  []string
	}{
		{"none", nil, nil},
		{"apart", []ZoneSpec{zone("a.com"), zone("b.com", "b.com", "*.b.com"), zone("*")}, nil},
		{"one name", []ZoneSpec{zone("a.com"), zone("b.com"), zone("a.com")}, []string{"[2].name: zone 1 in the list is called a.com"}},
		{"one host", []ZoneSpec{zone("a.com", "c.com"), zone("b.com", "b.com", "c.com")}, []string{"[1].hosts[1]: already a host of zone a.com"}},
		{"host by name", []ZoneSpec{zone("a.com", "b.com"), zone("b.com")}, []string{"[1].name: already a host of zone a.com"}},
		{"twice any", []ZoneSpec{zone("*"), zone("a.com", "*")}, []string{"[1].hosts[0]: already a host of zone *"}},
		{"no names", []ZoneSpec{zone(""), zone("")}, []string{"[0].name: needs", "[1].name: needs"}},
		{"inside", []ZoneSpec{zone("a.com"), zone("B.com")}, []string{"[1].name: lower case"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { checkMistakes(t, ValidateZones(test.zones), test.want...) })
	}
}

func TestResolved_fillsDefaultsAndSharesNothing(t *testing.T) {
	z := good()
	got := z.Resolved()
	want := ZoneSpec{
		Name: "example.com", Hosts: []string{"example.com"},
		Origin: OriginSpec{
			URL: z.Origin.URL, Host: HostVisitor, ConnectTimeout: Duration(5 * time.Second),
			FirstByteTimeout: Duration(time.Minute), IdleTimeout: Duration(time.Minute),
			KeepIdle: Duration(30 * time.Second), MaxIdle: 256, StickyCookie: "seawall-server",
			Queue: QueueSpec{Length: 1000, Timeout: Duration(10 * time.Second)},
			Check: CheckSpec{
				Path: "/", Interval: Duration(10 * time.Second), Timeout: Duration(5 * time.Second), Status: "200-399", Passes: 2, Failures: 3,
			},
			Breaker: BreakerSpec{
				Failures: 10, Rest: Duration(time.Second), LongestRest: Duration(10 * time.Second), Return: Duration(10 * time.Second),
			},
		},
		Cache: CacheSpec{
			MaxObject: 16 << 20, Heuristic: Duration(24 * time.Hour), WhenDown: Duration(24 * time.Hour), SetCookie: SetCookieReplay,
			Bounds: CacheBoundsSpec{Floor: 4 << 20, Variants: 32, Waiters: 5000},
		},
		Compression: CompressionSpec{Codings: []string{"zstd", "br", "gzip"}, Level: 5, MinSize: 1 << 10},
		TLS:         TLSSpec{MinVersion: TLS12},
		TrustedHops: HopsSpec{Field: "X-Forwarded-For"},
		Maintenance: MaintenanceSpec{RetryAfter: Duration(5 * time.Minute)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	again := got.Resolved()
	again.Hosts[0], again.Compression.Codings[0] = "changed", "changed"
	if got.Hosts[0] != "example.com" || got.Compression.Codings[0] != "zstd" {
		t.Error("resolving shares a list")
	}
	got.Origin.IdleTimeout, got.Cache.MaxObject = 1, 2
	if again := got.Resolved(); again.Origin.IdleTimeout != 1 || again.Cache.MaxObject != 2 {
		t.Errorf("what was set is gone: %+v", again)
	}
}
