package main

import (
	"embed"
	"fmt"
	"io"
	"net/http"
	"time"
)

//go:embed sample
var samplePages embed.FS

// sampleSite is a small site with one page for each thing an edge can meet.
func sampleSite() http.Handler {
	mux := http.NewServeMux()
	page := func(path, name, kind, control string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", control)
			http.ServeFileFS(w, r, samplePages, "sample/"+name)
		})
	}
	page("/{$}", "index.html", "text/html; charset=utf-8", "max-age=10")
	page("/style.css", "style.css", "text/css; charset=utf-8", "max-age=600")
	mux.HandleFunc("GET /cached", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=30")
		say(w, "made by the origin at %s; the edge may keep it for 30 seconds", time.Now().Format(time.TimeOnly))
	})
	mux.HandleFunc("GET /private", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "private, no-store")
		say(w, "made by the origin at %s; the edge keeps nothing of it", time.Now().Format(time.TimeOnly))
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return
		}
		say(w, "the origin received %d bytes", n)
	})
	mux.HandleFunc("GET /dies", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		say(w, "this answer promises 1,000 bytes and stops here")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("GET /clock", clock)
	return mux
}

// clock sends an event each second for as long as the visitor listens.
func clock(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		fmt.Fprintf(w, "data: %s\n\n", time.Now().Format(time.TimeOnly))
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}

func say(w io.Writer, format string, values ...any) { fmt.Fprintf(w, format+"\n", values...) }
