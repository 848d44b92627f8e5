package edge

import (
	"bytes"

	"github.com/seawall-edge/seawall/internal/wire"
	"github.com/seawall-edge/seawall/rule"
)

// promises are the types that the ending of a path promises: how its
// Content-Type begins, or what is in it.
var promises = map[string][]string{
	"css": {"text/css"}, "js": {"javascript", "ecmascript"}, "mjs": {"javascript", "ecmascript"}, "map": {"application/json", "javascript"},
	"png": {"image/"}, "jpg": {"image/"}, "jpeg": {"image/"}, "gif": {"image/"}, "webp": {"image/"}, "avif": {"image/"}, "svg": {"image/"},
	"ico": {"image/"}, "bmp": {"image/"}, "woff": {"font"}, "woff2": {"font"}, "ttf": {"font"}, "otf": {"font"}, "eot": {"font"},
	"mp3": {"audio/"}, "ogg": {"audio/", "video/", "application/ogg"}, "mp4": {"video/", "audio/"}, "webm": {"video/", "audio/"},
	"pdf": {"application/pdf"}, "zip": {"zip"}, "txt": {"text/plain"}, "wasm": {"application/wasm"},
}

// deceives reports whether an answer is of another type than its path
// promises. Applications that ignore the end of a path show the account of
// whoever is logged in under /account/nothing.css, too, and a cache that goes
// by the ending keeps it for everybody (web cache deception, O. Gil, 2017).
func deceives(path []byte, answer *wire.Fields) bool {
	extension, ok := rule.Extension(path)
	if !ok || len(extension) > 5 {
		return false
	}
	wanted, known := promises[string(bytes.ToLower(extension))]
	if !known {
		return false
	}
	contentType, said := answer.Get(wire.ContentType)
	if !said {
		return false
	}
	contentType = bytes.ToLower(contentType)
	if bytes.HasPrefix(contentType, []byte("application/octet-stream")) {
		return false // a server that does not know types
	}
	for _, w := range wanted {
		if bytes.Contains(contentType, []byte(w)) {
			return false
		}
	}
	return true
}
