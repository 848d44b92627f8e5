package coding

import (
	"strings"
	"testing"
)

func TestCompressible_knowsWhatIsText(t *testing.T) {
	for _, c := range []struct {
		worth bool
		types string // separated by "|"
	}{
		{true, "text/html|text/plain|text/css|text/javascript|text/xml|text/csv|text/markdown|text/calendar|text/event-stream|text/anything-new"},
		{true, "application/json|application/ld+json|application/vnd.api+json|application/problem+json|application/manifest+json|application/geo+json"},
		{true, "application/javascript|application/x-javascript|application/ecmascript|application/xml|application/xhtml+xml|application/rss+xml"},
		{true, "application/atom+xml|image/svg+xml|model/x3d+xml|application/dash+xml|application/vnd.apple.mpegurl|application/x-ndjson|application/yaml|application/a+b+json"},
		{true, "application/wasm|font/ttf|font/otf|font/collection|application/x-font-ttf|application/vnd.ms-fontobject|image/x-icon|image/vnd.microsoft.icon|image/bmp"},
		{true, "TEXT/HTML|Application/JSON|Image/SVG+XML|text/html; charset=utf-8|text/html;charset=\"a/b\"|application/json ; a=b|\ttext/plain |application/json;"},
		{true, "application/vnd.something.with.a.very.long.name.that.no.list.has.room.for.but.a.suffix+json"},
		{false, "image/png|image/jpeg|image/gif|image/webp|image/avif|image/jxl|image/heic|video/mp4|video/webm|audio/mpeg|audio/ogg|audio/flac"},
		{false, "application/zip|application/gzip|application/x-gzip|application/zstd|application/x-7z-compressed|application/x-xz|application/java-archive"},
		{false, "font/woff|font/woff2|application/font-woff|application/font-woff2|application/pdf|application/octet-stream|application/epub+zip|application/x+gzip"},
		{false, "application/vnd.openxmlformats-officedocument.wordprocessingml.document|multipart/byteranges|multipart/form-data|application/grpc"},
		{false, "|text|text/|/|/html|html|*/*|; text/html|+json|a/+|json|texts/html|application/jsonx|application/xjson|application/json, text/html|image/png; a=text/html"},
		{false, "application/not+json+zip|app+json/zip|image/png+|video/x; y=+json"},
	} {
		for kind := range strings.SplitSeq(c.types, "|") {
			if got := Compressible([]byte(kind)); got != c.worth {
				t.Errorf("%q: %v", kind, got)
			}
		}
	}
}

func FuzzCompressible_heedsNoCaseAndNoParameters(f *testing.F) {
	for _, seed := range []string{"text/html; charset=utf-8", "application/json", "image/svg+xml", "image/png", "", "a/+json"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		kind, _, _ := strings.Cut(value, ";")
		got := Compressible([]byte(kind))
		for _, other := range []string{value, strings.Map(swapCase, kind), "\t" + kind + " ; a=text/html"} {
			if Compressible([]byte(other)) != got {
				t.Errorf("%q: %v, %q is not", kind, got, other)
			}
		}
		if got && !strings.Contains(kind, "/") {
			t.Errorf("%q is no type at all", kind)
		}
	})
}
