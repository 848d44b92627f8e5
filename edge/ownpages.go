package edge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seawall-edge/seawall/edge/pages"
	"github.com/seawall-edge/seawall/internal/durable"
	"github.com/seawall-edge/seawall/spec"
)

// ownPages are a zone's own pages. Those that the origin has are fetched
// while it is well, and kept.
type ownPages struct {
	set   atomic.Pointer[pages.Set] // nil: none
	paths map[string]string         // to fetch, by class
	stop  context.CancelFunc        // nil: nothing is fetched
	done  sync.WaitGroup
}

// fetchAgain is the time between two attempts to fetch a page.
const fetchAgain = 30 * time.Second

// readPages returns the pages that are given as HTML, and the paths of the others.
func readPages(s spec.PagesSpec) (html map[string]*pages.Template, paths map[string]string, err error) {
	html, paths = map[string]*pages.Template{}, map[string]string{}
	for _, page := range s.All() {
		switch {
		case page.HTML != "":
			if html[page.Class], err = pages.ParseTemplate([]byte(page.HTML)); err != nil {
				return nil, nil, fmt.Errorf("page %s: %w", page.Class, err)
			}
		case page.Path != "":
			paths[page.Class] = page.Path
		}
	}
	return html, paths, nil
}

// compilePages makes the pages of a zone; those that it has a path for are as
// they were kept, or missing.
func (e *Edge) compilePages(z *zone) (*ownPages, error) {
	own := &ownPages{}
	html, paths, err := readPages(z.spec.Pages)
	if err != nil {
		return nil, err
	}
	for class, path := range paths {
		if template := e.keptPage(z.name, path); template != nil {
			html[class] = template
		}
	}
	if len(html) > 0 {
		set, err := pages.NewSet(html)
		if err != nil {
			return nil, err
		}
		own.set.Store(set)
	}
	own.paths = paths
	return own, nil
}

// startFetching asks the origin of a zone that is compiled for its pages.
func (e *Edge) startFetching(z *zone) {
	if own := z.pages; len(own.paths) > 0 {
		ctx, cancel := context.WithCancel(context.Background())
		own.stop = cancel
		own.done.Go(func() { e.fetchPages(ctx, z, own, maps.Clone(own.paths)) })
	}
}

func (z *zone) stopFetching() {
	if z.pages.stop != nil {
		z.pages.stop()
		z.pages.done.Wait()
	}
}

// fetchPages asks the origin for each page until it was given a good one.
func (e *Edge) fetchPages(ctx context.Context, z *zone, own *ownPages, paths map[string]string) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for len(paths) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		for class, path := range paths {
			if err := e.fetchPage(ctx, z, own, class, path); err != nil {
				if ctx.Err() == nil {
					e.config.Logger.Warn("an own page is not to be had from the origin yet", "zone", z.name, "page", class, "path", path, "cause", err)
				}
				continue
			}
			e.config.Logger.Info("an own page was fetched", "zone", z.name, "page", class, "path", path)
			delete(paths, class)
		}
		timer.Reset(fetchAgain)
	}
}

func (e *Edge) fetchPage(ctx context.Context, z *zone, own *ownPages, class, path string) error {
	ctx, cancel := context.WithTimeout(ctx, fetchAgain)
	defer cancel()
	page, err := z.origin.Fetch(ctx, path, pages.MaxTemplate)
	if err != nil {
		return err
	}
	if !page.Whole {
		return errors.New("the answer is not whole, or too large")
	}
	template, err := pages.FromAnswer(page.Status, page.ContentType, page.Body)
	if err != nil {
		return err
	}
	set, err := own.set.Load().With(class, template)
	if err != nil {
		return err
	}
	own.set.Store(set)
	return e.keepPage(z.name, path, page.Body)
}

// pageFile is where a fetched page outlives a restart: the origin may be down
// then, which is what most pages are for.
func (e *Edge) pageFile(zone, path string) string {
	sum := sha256.Sum256([]byte(zone + "\x00" + path))
	return filepath.Join(e.config.Pages, hex.EncodeToString(sum[:16])+".html")
}

func (e *Edge) keepPage(zone, path string, body []byte) error {
	if e.config.Pages == "" {
		return nil
	}
	if err := os.MkdirAll(e.config.Pages, 0o700); err != nil {
		return fmt.Errorf("keep page: %w", err)
	}
	return durable.WriteFile(e.pageFile(zone, path), body, 0o600)
}

func (e *Edge) keptPage(zone, path string) *pages.Template {
	if e.config.Pages == "" {
		return nil
	}
	body, err := os.ReadFile(e.pageFile(zone, path))
	if err == nil {
		var template *pages.Template
		if template, err = pages.FromAnswer(200, "text/html; charset=utf-8", body); err == nil {
			return template
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		e.config.Logger.Warn("a page that was kept cannot be used", "zone", zone, "path", path, "cause", err)
	}
	return nil
}
