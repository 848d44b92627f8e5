package wire

// Name is a field name that the program asks for. Fields carry it from the
// parser on, so that later look-ups compare one byte.
type Name uint8

// The names the program knows.
const (
	Other Name = iota
	Accept
	AcceptEncoding
	Age
	Authorization
	CacheControl
	CacheStatus
	Connection
	ContentEncoding
	ContentLength
	ContentLocation
	ContentRange
	ContentType
	Cookie
	Date
	ETag
	Expect
	Expires
	Forwarded
	Host
	HTTP2Settings
	IfMatch
	IfModifiedSince
	IfNoneMatch
	IfRange
	IfUnmodifiedSince
	KeepAlive
	LastModified
	Location
	MaxForwards
	Pragma
	ProxyAuthenticate
	ProxyAuthorization
	ProxyConnection
	Range
	Referer
	RetryAfter
	SetCookie
	TE
	Trailer
	TransferEncoding
	Upgrade
	UserAgent
	Vary
	Via
	Warning
	XForwardedFor
	XForwardedHost
	XForwardedProto
	XRealIP
	SeawallRequestID
	ContentSecurityPolicy
	Allow
	ContentTypeOptions
	CDNLoop
	Link
	Refresh
	XForwarded
	XForwardedBy
	XForwardedPath
	XForwardedPort
	XForwardedPrefix
	XForwardedScheme
	XForwardedServer
	XForwardedSsl
	FrontEndHttps
	XScheme
	XUrlScheme
	ClientIP
	XClientIP
	XClusterClientIP
	TrueClientIP
	CFConnectingIP
	FastlyClientIP
	XOriginatingIP
	XRemoteIP
	XRemoteAddr
	XProxyUserIP
	Proxy
	XHost
	XHTTPHostOverride
	XHTTPMethod
	XHTTPMethodOverride
	XMethodOverride
	XOriginalHost
	XOriginalURI
	XOriginalURL
	XRewriteURL
	XSendfileType
	XAccelMapping
	AltSvc
	Server
	XAspNetVersion
	XAspNetMvcVersion
	XBackend
	XBackendHost
	XBackendServer
	XHostname
	XNode
	XOriginServer
	XPoweredBy
	XServedBy
	XServer
	XServerName
	XUpstream
	XUpstreamServer
	CDNCacheControl
	SeawallCDNCacheControl
	SurrogateControl
	SurrogateKey
	SurrogateCapability
	CacheTag
	ProxyAuthenticationInfo
	AcceptLanguage
	ContentLanguage
	AcceptRanges
	SeawallDevice
	SeawallKey
	XFrameOptions
	ReferrerPolicy
	StrictTransportSecurity
	ClientCert
	ClientCertChain
	nameCount
)

// nameTable describes a name: its text in the usual case and what it is.
type nameTable struct {
	text []byte
	// hop: meant for one connection only (RFC 9110, 7.6.1), never passed on.
	hop bool
	// trailer: must not stand in a trailer section (RFC 9110, 6.5.1): framing,
	// routing, authentication and what describes the content.
	noTrailer bool
	// claim: says who the visitor is or how it came; a proxy in front may say
	// so, a visitor may not.
	claim bool
	// order: an application may take it for another request than the one that
	// was checked (another URL, another method).
	order bool
	// reveals: names the server behind the edge, or leads past it.
	reveals bool
	// forCaches: meant for this cache alone (RFC 9213, 3.1; W3C Note
	// edge-arch), never passed on to visitors.
	forCaches bool
}

var names = [nameCount]nameTable{
	Accept:                  {text: []byte("Accept")},
	AcceptEncoding:          {text: []byte("Accept-Encoding")},
	Age:                     {text: []byte("Age"), noTrailer: true},
	Authorization:           {text: []byte("Authorization"), noTrailer: true},
	CacheControl:            {text: []byte("Cache-Control"), noTrailer: true},
	CacheStatus:             {text: []byte("Cache-Status"), noTrailer: true},
	Connection:              {text: []byte("Connection"), hop: true, noTrailer: true},
	ContentEncoding:         {text: []byte("Content-Encoding"), noTrailer: true},
	ContentLength:           {text: []byte("Content-Length"), noTrailer: true},
	ContentLocation:         {text: []byte("Content-Location"), noTrailer: true},
	ContentRange:            {text: []byte("Content-Range"), noTrailer: true},
	ContentType:             {text: []byte("Content-Type"), noTrailer: true},
	Cookie:                  {text: []byte("Cookie"), noTrailer: true},
	Date:                    {text: []byte("Date"), noTrailer: true},
	ETag:                    {text: []byte("ETag")},
	Expect:                  {text: []byte("Expect"), noTrailer: true},
	Expires:                 {text: []byte("Expires"), noTrailer: true},
	Forwarded:               {text: []byte("Forwarded"), noTrailer: true, claim: true},
	Host:                    {text: []byte("Host"), noTrailer: true},
	HTTP2Settings:           {text: []byte("HTTP2-Settings"), hop: true, noTrailer: true},
	IfMatch:                 {text: []byte("If-Match"), noTrailer: true},
	IfModifiedSince:         {text: []byte("If-Modified-Since"), noTrailer: true},
	IfNoneMatch:             {text: []byte("If-None-Match"), noTrailer: true},
	IfRange:                 {text: []byte("If-Range"), noTrailer: true},
	IfUnmodifiedSince:       {text: []byte("If-Unmodified-Since"), noTrailer: true},
	KeepAlive:               {text: []byte("Keep-Alive"), hop: true, noTrailer: true},
	LastModified:            {text: []byte("Last-Modified")},
	Location:                {text: []byte("Location"), noTrailer: true},
	MaxForwards:             {text: []byte("Max-Forwards"), noTrailer: true},
	Pragma:                  {text: []byte("Pragma"), noTrailer: true},
	ProxyAuthenticate:       {text: []byte("Proxy-Authenticate"), noTrailer: true},
	ProxyAuthorization:      {text: []byte("Proxy-Authorization"), hop: true, noTrailer: true},
	ProxyConnection:         {text: []byte("Proxy-Connection"), hop: true, noTrailer: true},
	Range:                   {text: []byte("Range"), noTrailer: true},
	Referer:                 {text: []byte("Referer")},
	RetryAfter:              {text: []byte("Retry-After"), noTrailer: true},
	SetCookie:               {text: []byte("Set-Cookie"), noTrailer: true},
	TE:                      {text: []byte("TE"), hop: true, noTrailer: true},
	Trailer:                 {text: []byte("Trailer"), noTrailer: true},
	TransferEncoding:        {text: []byte("Transfer-Encoding"), hop: true, noTrailer: true},
	Upgrade:                 {text: []byte("Upgrade"), hop: true, noTrailer: true},
	UserAgent:               {text: []byte("User-Agent")},
	Vary:                    {text: []byte("Vary"), noTrailer: true},
	Via:                     {text: []byte("Via"), noTrailer: true},
	Warning:                 {text: []byte("Warning"), noTrailer: true},
	XForwardedFor:           {text: []byte("X-Forwarded-For"), noTrailer: true, claim: true},
	XForwardedHost:          {text: []byte("X-Forwarded-Host"), noTrailer: true, claim: true},
	XForwardedProto:         {text: []byte("X-Forwarded-Proto"), noTrailer: true, claim: true},
	XRealIP:                 {text: []byte("X-Real-IP"), noTrailer: true, claim: true},
	SeawallRequestID:        {text: []byte("Seawall-Request-Id"), noTrailer: true},
	ContentSecurityPolicy:   {text: []byte("Content-Security-Policy"), noTrailer: true},
	ContentTypeOptions:      {text: []byte("X-Content-Type-Options"), noTrailer: true},
	Allow:                   {text: []byte("Allow"), noTrailer: true},
	CDNLoop:                 {text: []byte("CDN-Loop"), noTrailer: true},
	Link:                    {text: []byte("Link"), noTrailer: true},
	Refresh:                 {text: []byte("Refresh"), noTrailer: true},
	XForwarded:              {text: []byte("X-Forwarded"), noTrailer: true, claim: true},
	XForwardedBy:            {text: []byte("X-Forwarded-By"), noTrailer: true, claim: true},
	XForwardedPath:          {text: []byte("X-Forwarded-Path"), noTrailer: true, claim: true},
	XForwardedPort:          {text: []byte("X-Forwarded-Port"), noTrailer: true, claim: true},
	XForwardedPrefix:        {text: []byte("X-Forwarded-Prefix"), noTrailer: true, claim: true},
	XForwardedScheme:        {text: []byte("X-Forwarded-Scheme"), noTrailer: true, claim: true},
	XForwardedServer:        {text: []byte("X-Forwarded-Server"), noTrailer: true, claim: true},
	XForwardedSsl:           {text: []byte("X-Forwarded-Ssl"), noTrailer: true, claim: true},
	FrontEndHttps:           {text: []byte("Front-End-Https"), noTrailer: true, claim: true},
	XScheme:                 {text: []byte("X-Scheme"), noTrailer: true, claim: true},
	XUrlScheme:              {text: []byte("X-Url-Scheme"), noTrailer: true, claim: true},
	ClientIP:                {text: []byte("Client-IP"), noTrailer: true, claim: true},
	XClientIP:               {text: []byte("X-Client-IP"), noTrailer: true, claim: true},
	XClusterClientIP:        {text: []byte("X-Cluster-Client-IP"), noTrailer: true, claim: true},
	TrueClientIP:            {text: []byte("True-Client-IP"), noTrailer: true, claim: true},
	CFConnectingIP:          {text: []byte("CF-Connecting-IP"), noTrailer: true, claim: true},
	FastlyClientIP:          {text: []byte("Fastly-Client-IP"), noTrailer: true, claim: true},
	XOriginatingIP:          {text: []byte("X-Originating-IP"), noTrailer: true, claim: true},
	XRemoteIP:               {text: []byte("X-Remote-IP"), noTrailer: true, claim: true},
	XRemoteAddr:             {text: []byte("X-Remote-Addr"), noTrailer: true, claim: true},
	XProxyUserIP:            {text: []byte("X-ProxyUser-IP"), noTrailer: true, claim: true},
	Proxy:                   {text: []byte("Proxy"), noTrailer: true, order: true},
	XHost:                   {text: []byte("X-Host"), noTrailer: true, order: true},
	XHTTPHostOverride:       {text: []byte("X-HTTP-Host-Override"), noTrailer: true, order: true},
	XHTTPMethod:             {text: []byte("X-HTTP-Method"), noTrailer: true, order: true},
	XHTTPMethodOverride:     {text: []byte("X-HTTP-Method-Override"), noTrailer: true, order: true},
	XMethodOverride:         {text: []byte("X-Method-Override"), noTrailer: true, order: true},
	XOriginalHost:           {text: []byte("X-Original-Host"), noTrailer: true, order: true},
	XOriginalURI:            {text: []byte("X-Original-URI"), noTrailer: true, order: true},
	XOriginalURL:            {text: []byte("X-Original-URL"), noTrailer: true, order: true},
	XRewriteURL:             {text: []byte("X-Rewrite-URL"), noTrailer: true, order: true},
	XSendfileType:           {text: []byte("X-Sendfile-Type"), noTrailer: true, order: true},
	XAccelMapping:           {text: []byte("X-Accel-Mapping"), noTrailer: true, order: true},
	AltSvc:                  {text: []byte("Alt-Svc"), noTrailer: true, reveals: true},
	Server:                  {text: []byte("Server"), noTrailer: true, reveals: true},
	XAspNetVersion:          {text: []byte("X-AspNet-Version"), noTrailer: true, reveals: true},
	XAspNetMvcVersion:       {text: []byte("X-AspNetMvc-Version"), noTrailer: true, reveals: true},
	XBackend:                {text: []byte("X-Backend"), noTrailer: true, reveals: true},
	XBackendHost:            {text: []byte("X-Backend-Host"), noTrailer: true, reveals: true},
	XBackendServer:          {text: []byte("X-Backend-Server"), noTrailer: true, reveals: true},
	XHostname:               {text: []byte("X-Hostname"), noTrailer: true, reveals: true},
	XNode:                   {text: []byte("X-Node"), noTrailer: true, reveals: true},
	XOriginServer:           {text: []byte("X-Origin-Server"), noTrailer: true, reveals: true},
	XPoweredBy:              {text: []byte("X-Powered-By"), noTrailer: true, reveals: true},
	XServedBy:               {text: []byte("X-Served-By"), noTrailer: true, reveals: true},
	XServer:                 {text: []byte("X-Server"), noTrailer: true, reveals: true},
	XServerName:             {text: []byte("X-Server-Name"), noTrailer: true, reveals: true},
	XUpstream:               {text: []byte("X-Upstream"), noTrailer: true, reveals: true},
	XUpstreamServer:         {text: []byte("X-Upstream-Server"), noTrailer: true, reveals: true},
	CDNCacheControl:         {text: []byte("CDN-Cache-Control"), noTrailer: true},
	SeawallCDNCacheControl:  {text: []byte("Seawall-CDN-Cache-Control"), noTrailer: true, forCaches: true},
	SurrogateControl:        {text: []byte("Surrogate-Control"), noTrailer: true, forCaches: true},
	SurrogateKey:            {text: []byte("Surrogate-Key"), noTrailer: true, forCaches: true},
	SurrogateCapability:     {text: []byte("Surrogate-Capability"), noTrailer: true},
	CacheTag:                {text: []byte("Cache-Tag"), noTrailer: true, forCaches: true},
	ProxyAuthenticationInfo: {text: []byte("Proxy-Authentication-Info"), noTrailer: true},
	AcceptLanguage:          {text: []byte("Accept-Language"), noTrailer: true},
	ContentLanguage:         {text: []byte("Content-Language"), noTrailer: true},
	AcceptRanges:            {text: []byte("Accept-Ranges"), noTrailer: true},
	SeawallDevice:           {text: []byte("Seawall-Device"), noTrailer: true},
	XFrameOptions:           {text: []byte("X-Frame-Options"), noTrailer: true},
	ReferrerPolicy:          {text: []byte("Referrer-Policy"), noTrailer: true},
	ClientCert:              {text: []byte("Client-Cert"), noTrailer: true},
	ClientCertChain:         {text: []byte("Client-Cert-Chain"), noTrailer: true},
	StrictTransportSecurity: {text: []byte("Strict-Transport-Security"), noTrailer: true},
	SeawallKey:              {text: []byte("Seawall-Key"), noTrailer: true, hop: true}, // between rungs alone
}

// Text returns the name in its usual case.
func (n Name) Text() []byte { return names[n].text }

// HopByHop reports whether the field is meant for one connection only.
func (n Name) HopByHop() bool { return names[n].hop }

// InTrailer reports whether the field may stand in a trailer section.
func (n Name) InTrailer() bool { return !names[n].noTrailer }

// Claim reports whether the field says who the visitor is or how it came
// here, which only a trusted proxy can know.
func (n Name) Claim() bool { return names[n].claim }

// Order reports whether applications are known to take another address, host
// or method from the field than the request line has.
func (n Name) Order() bool { return names[n].order }

// Reveals reports whether the field of an answer names the server that made
// it, or leads past the edge.
func (n Name) Reveals() bool { return names[n].reveals }

// byLength lists the known names of each length, so that Lookup compares few.
var byLength [32][]Name

// token and lower are tables over bytes: RFC 9110 5.6.2 tokens, lower case.
// plainValue marks bytes a field value may hold (RFC 9110, 5.5): visible
// ASCII, space, tab and bytes above ASCII.
// targetByte marks bytes a request target may hold: visible ASCII but "#".
var (
	token, plainValue, targetByte [256]bool
	lower                         [256]byte
)

func init() {
	for i := range 256 {
		c := byte(i)
		lower[i] = c
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			token[i] = true
		case c >= 'A' && c <= 'Z':
			token[i] = true
			lower[i] = c + 'a' - 'A'
		}
		plainValue[i] = c == '\t' || c >= ' ' && c != 0x7f
		targetByte[i] = c > ' ' && c < 0x7f && c != '#'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		token[c] = true
	}
	for n := Other + 1; n < nameCount; n++ {
		length := len(names[n].text)
		byLength[length] = append(byLength[length], n)
	}
}

// Lookup finds a name in our table without regard to case.
func Lookup(name []byte) Name {
	if len(name) >= len(byLength) {
		return Other
	}
	for _, n := range byLength[len(name)] {
		text := names[n].text
		if lower[name[0]] == lower[text[0]] && EqualFold(name, text) {
			return n
		}
	}
	return Other
}

// IsToken reports whether b is a token (RFC 9110, 5.6.2).
func IsToken(b []byte) bool {
	for _, c := range b {
		if !token[c] {
			return false
		}
	}
	return len(b) > 0
}

// ForCaches reports whether the field of an answer is meant for this cache
// alone.
func (n Name) ForCaches() bool { return names[n].forCaches }

// Unhex returns the value of a hexadecimal digit; -1 for anything else.
func Unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
