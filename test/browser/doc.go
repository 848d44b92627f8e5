// Package browser uses real applications through Seawall in headless
// Chromium, because what a site breaks on behind a reverse proxy (a cookie on
// a redirect, an upload, a login page from a cache, a WebSocket) is rarely
// what anybody wrote a case for.
//
// Each story starts everything it needs in a folder of its own, on loopback,
// as an unprivileged user where the test runs as root, and ends it by process
// ID. After every step the checker looks at the whole: each request the
// browser made, the pictures on the page, the edge's metrics and log, and
// whether a stranger gets to see a page that was meant for somebody who is
// logged in.
//
// With SEAWALL_BROWSER_WITHOUT_EDGE=1 the browser talks to the origins
// directly. A story that fails there as well is not Seawall's fault.
// SEAWALL_BINARY names a program to use instead of building one,
// SEAWALL_CHROMIUM a browser other than Debian's.
package browser
