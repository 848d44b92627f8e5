package coding

import "bytes"

// Compressible reports whether bodies of a Content-Type are worth the work:
// text, what is written like text, and the few binary formats that do not
// compress by themselves. Parameters and case mean nothing. What has no type
// or an unknown one is left alone: much of it is archives, and images and
// video gain nothing. text/event-stream is text; who encodes one has to flush
// after each event.
func Compressible(contentType []byte) bool {
	kind, _, _ := bytes.Cut(contentType, semicolon)
	kind = trim(kind)
	slash := bytes.IndexByte(kind, '/')
	if slash < 0 || len(kind) == slash+1 {
		return false
	}
	if equalFold(kind[:slash], "text") {
		return true
	}
	if plus := bytes.LastIndexByte(kind, '+'); plus >= 0 && suffix(kind[plus+1:]) {
		return true
	}
	var room [48]byte // longer than every name below
	if len(kind) > len(room) {
		return false
	}
	for i, b := range kind {
		room[i] = lowered(b)
	}
	return named(room[:len(kind)])
}

// suffix reports whether a structured syntax suffix (RFC 6839 and the IANA
// registry) is written like text.
func suffix(b []byte) bool {
	return equalFold(b, "json") || equalFold(b, "xml") || equalFold(b, "yaml") || equalFold(b, "json-seq")
}

// named is the list of types that neither "text" nor a suffix gives away. All
// names in use stand here, the registered one and what servers send instead.
func named(kind []byte) bool {
	switch string(kind) {
	case "application/json", "application/x-json", "application/json5", "application/jsonl", "application/json-seq",
		"application/ndjson", "application/x-ndjson", "application/jsonlines", "application/csp-report",
		"application/javascript", "application/x-javascript", "application/ecmascript", "application/x-ecmascript",
		"application/xml", "application/xml-dtd", "application/xml-external-parsed-entity",
		"application/yaml", "application/x-yaml", "application/toml", "application/graphql", "application/sql",
		"application/rtf", "application/postscript", "application/x-sh", "application/x-perl", "application/x-httpd-php",
		"application/n-triples", "application/n-quads", "application/trig", "application/sparql-query",
		"application/x-www-form-urlencoded",
		"application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl": // playlists
		return true
	case "application/wasm", "application/protobuf", "application/x-protobuf":
		return true
	case "font/ttf", "font/otf", "font/sfnt", "font/collection", "font/eot", // woff and woff2 are compressed
		"application/font-sfnt", "application/x-font-ttf", "application/x-font-truetype", "application/x-font-otf",
		"application/x-font-opentype", "application/vnd.ms-fontobject", "application/font-ttf", "application/font-otf":
		return true
	case "image/x-icon", "image/vnd.microsoft.icon", "image/bmp", "image/x-ms-bmp", "image/svg":
		return true
	}
	return false
}
