package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// serveReverseProxy is the standard library's proxy as its documentation has
// it, but with enough idle connections kept: the default of two per host
// would measure TCP handshakes.
func serveReverseProxy(address, origin string) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 256
	transport.MaxIdleConnsPerHost = 256
	transport.DisableCompression = true
	target := &url.URL{Scheme: "http", Host: origin}
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
	}
	server := &http.Server{Addr: address, Handler: proxy, ReadHeaderTimeout: time.Minute}
	return server.ListenAndServe()
}
