package pages

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seawall-edge/seawall"
)

func TestContentSecurityPolicy_allowsTheStyleOnThePage(t *testing.T) {
	_, after, _ := strings.Cut(ContentSecurityPolicy, "style-src ")
	sources, _, _ := strings.Cut(after, ";")
	for _, r := range []seawall.Reason{seawall.ReasonOriginTLS, seawall.ReasonMaintenance} {
		_, after, _ := strings.Cut(string(Append(nil, page(r), HTML)), "<style>")
		style, _, found := strings.Cut(after, "</style>")
		if !found || style == "" {
			t.Fatalf("%v: no style on the page", r)
		}
		sum := sha256.Sum256([]byte(style))
		if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !slices.Contains(strings.Fields(sources), want) {
			t.Errorf("%v: %q lacks %q", r, sources, want)
		}
	}
	if strings.Contains(ContentSecurityPolicy, "unsafe") {
		t.Errorf("%q is not strict", ContentSecurityPolicy)
	}
}

// elements reads a page as a browser would and returns its elements. Every
// element that needs an end must have one.
func elements(t *testing.T, text string) []xml.StartElement {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var all []xml.StartElement
	depth := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			all = append(all, token.Copy())
			depth++
		case xml.EndElement:
			depth--
		}
	}
	if depth != 0 {
		t.Fatalf("%d elements were not closed", depth)
	}
	return all
}

func TestHTML_isReadByAScreenReaderAndLoadsNothing(t *testing.T) {
	for r := range seawall.Reason(seawall.Reasons) {
		text := string(Append(nil, page(r), HTML))
		if text == "" {
			continue
		}
		count := map[string]int{}
		for _, e := range elements(t, text) {
			count[e.Name.Local]++
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
					t.Errorf("%v: <%s %s=...> does not pass the policy", r, e.Name.Local, a.Name.Local)
				}
				if a.Name.Local == "src" || a.Name.Local == "href" && a.Value != "data:," {
					t.Errorf("%v: <%s> loads %q", r, e.Name.Local, a.Value)
				}
			}
			if e.Name.Local == "html" && attr["lang"] != "en" {
				t.Errorf("%v: no language", r)
			}
			if attr["role"] == "img" {
				count["picture"]++
				if attr["aria-label"] == "" {
					t.Errorf("%v: the picture has no words", r)
				}
			}
		}
		broken := 1 // pieces; each is in a picture that has words
		if stories[storyOf(r, r.Status())].broken == pieceNone {
			broken = 0
		}
		for _, name := range []string{"title", "h1", "main", "footer"} {
			if count[name] != 1 {
				t.Errorf("%v: %d of %s, want one", r, count[name], name)
			}
		}
		if count["picture"] != broken {
			t.Errorf("%v: %d pictures, want %d", r, count["picture"], broken)
		}
		if count["script"]+count["img"]+count["iframe"] != 0 || strings.Contains(text, "url(") || strings.Contains(text, "@import") {
			t.Errorf("%v: the page loads something", r)
		}
		if n := strings.Count(text, `class="x"`); n != broken {
			t.Errorf("%v: %d pieces are marked as broken, want %d", r, n, broken)
		}
	}
}

// TestStyle_hasEnoughContrast proves WCAG 2.2 criterion 1.4.3 (AA) for every
// colour of text on every ground it is used on, in both schemes.
func TestStyle_hasEnoughContrast(t *testing.T) {
	schemes := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(baseStyle, -1)
	if len(schemes) != 2 {
		t.Fatalf("%d colour schemes, want light and dark", len(schemes))
	}
	for i, scheme := range schemes {
		colour := map[string]float64{}
		for _, m := range regexp.MustCompile(`--(\w+):#(\w+)`).FindAllStringSubmatch(scheme[1], -1) {
			colour[m[1]] = luminance(t, m[2])
		}
		for _, pair := range []string{"ink/ground", "ink/card", "soft/ground", "soft/card", "good/ground", "good/card", "bad/ground", "bad/tint"} {
			front, back, _ := strings.Cut(pair, "/")
			a, b := colour[front], colour[back]
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("scheme %d: %s has contrast %.2f, want 4.5", i, pair, ratio)
			}
		}
	}
}

// luminance is relative luminance as in WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 24)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for shift, weight := range map[uint]float64{16: 0.2126, 8: 0.7152, 0: 0.0722} {
		c := float64(n>>shift&255) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
