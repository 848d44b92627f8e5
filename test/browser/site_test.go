package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	site     = "http://wordpress.test"
	password = "Harbour-9-lantern-Quay-71"
)

// TestBrowser_aSiteIsWrittenAndReadThroughTheEdge installs WordPress from
// Debian, logs in, uploads a picture, publishes a post with it, finds it by
// the search and logs out.
func TestBrowser_aSiteIsWrittenAndReadThroughTheEdge(t *testing.T) {
	require(t, "chromium", "nginx-light", "mariadb-server", "php-fpm", "php-mysql", "php-gd", "php-xml", "php-mbstring",
		"wordpress", "wordpress-theme-twentytwentythree")
	s := newStage(t)
	e := planEdge(t, map[string]string{"wordpress.test": freeAddress(t)})
	startWordPress(t, s, e.origins["wordpress.test"], e.door("wordpress.test"))
	e.start(t, s)
	b := startBrowser(t, s, e, `id="wpadminbar"`, `name="_wpnonce"`, "Howdy,")

	writer := b.open("the writer")
	install(writer)
	// Before anybody else: what is stored now is what a stranger would get.
	writer.step("reads the site, logged in", visit(site+"/sample-page/"), says("h1", "Sample Page"), there("#wpadminbar"))
	publish(writer, photograph(t, s))

	reader := b.open("a reader", chromedp.WithNewBrowserContext())
	readAndSearch(reader)

	writer.step("reads the post, still logged in", visit(site+"/?s=lighthouse"), there("#wpadminbar"),
		click(".wp-block-post-title a"), says("h1.wp-block-post-title", "The lighthouse"), there("#wpadminbar"))
	writer.step("logs out", until(`document.querySelector("#wp-admin-bar-logout a").click() ?? true`),
		says(".message", "You are now logged out"))
	writer.step("reads the site as a stranger", visit(site+"/"), there(".wp-site-blocks"), until(`!document.querySelector("#wpadminbar")`))
	writer.step("is asked to log in again", visit(site+"/wp-admin/"), there("#loginform"))

	answers, hits := b.tally()
	t.Logf("%d answers, %d of them from the edge's cache", answers, hits)
	if hits == 0 && !withoutEdge {
		t.Error("nothing came from the edge's cache, so this proved nothing about it")
	}
}

func install(p *tab) {
	p.step("opens the installer", visit(site+"/wp-admin/install.php"), there("#setup"))
	p.step("installs the site", write("#weblog_title", "Harbour news"), write("#user_login", "writer"),
		until(`document.querySelector("#pass1").value`), // its script suggests a password after a while
		write("#pass1", password), write("#admin_email", "writer@wordpress.test"),
		until(`!document.querySelector("#submit").disabled`), click("#submit"), says("h1", "Success!"))
	p.step("logs in", visit(site+"/wp-login.php"),
		until(`document.activeElement.id == "user_login"`), // its script puts the cursor there after a while
		write("#user_login", "writer"), write("#user_pass", password),
		click("#wp-submit"), there("#wpadminbar"), there("#dashboard-widgets"))
}

func publish(p *tab, photograph string) {
	p.step("uploads a photograph", visit(site+"/wp-admin/media-new.php"), there(".moxie-shim input[type=file]"),
		chromedp.SetUploadFiles(chromedp.CSS(".moxie-shim input[type=file]"), []string{photograph}),
		there("#media-items .pinkynail"), there("#media-items .edit-attachment"))
	p.step("looks at the media library", visit(site+"/wp-admin/upload.php?mode=grid"),
		there("li.attachment.save-ready img"), click("li.attachment.save-ready"),
		there(".attachment-details .details-image"))
	p.step("begins a post", visit(site+"/wp-admin/post-new.php"), there(".editor-post-title__input"), there(".block-editor-default-block-appender"))
	p.step("writes", click(".editor-post-title__input"), chromedp.KeyEvent("The lighthouse"), chromedp.KeyEvent("\r"),
		chromedp.KeyEvent("It has been lit again."), chromedp.KeyEvent("\r"), chromedp.KeyEvent("/image"),
		there(".components-autocomplete__result[aria-selected=true]"), chromedp.KeyEvent("\r"),
		there(".block-editor-media-placeholder"))
	p.step("chooses the photograph", until(`[...document.querySelectorAll(".block-editor-media-placeholder button")].find(b => b.innerText == "Media Library")?.click() ?? document.querySelector(".media-modal")`),
		click("#menu-item-browse"), there(".media-modal li.attachment.save-ready"), click(".media-modal li.attachment.save-ready"),
		click(".media-modal .media-button-select"), there(".wp-block-image img[src*='/wp-content/uploads/']"))
	p.step("publishes", click(".editor-post-publish-panel__toggle"), click(".editor-post-publish-panel .editor-post-publish-button"),
		says(".post-publish-panel__postpublish", "is now live"))
}

func readAndSearch(p *tab) {
	p.step("opens the site", visit(site+"/"), says("body", "The lighthouse"))
	p.step("searches for what is not there", visit(site+"/?s=submarine"), there("input[type=search]"), says("main", "nothing matched"))
	p.step("searches again", write("input[type=search]", "lighthouse"), click(".wp-block-search__button"),
		says(".wp-block-post-title", "The lighthouse"), until(`location.search == "?s=lighthouse"`))
	p.step("opens what was found", click(".wp-block-post-title a"), says("h1.wp-block-post-title", "The lighthouse"),
		until(`location.pathname.endsWith("/the-lighthouse/")`), // the installer found that it can reach itself
		until(`document.querySelector(".entry-content img[src*='/wp-content/uploads/']").naturalWidth > 0`))
	// Not by reloading: that asks for a fresh copy.
	p.step("goes back to the front page", visit(site+"/"), says(".wp-block-post-title", "The lighthouse"))
	p.step("opens the post again", click(".wp-block-post-title a"), says("h1.wp-block-post-title", "The lighthouse"))
	address, err := chromedp.Run(p.ctx, chromedp.Location())
	if err != nil {
		p.Fatalf("ask for the address: %v", err)
	}
	if last := p.record.last(address); !withoutEdge && !hitField.MatchString(last.cacheStatus) {
		p.Errorf("the post, opened again, did not come from the cache (Cache-Status: %s)", last.cacheStatus)
	}
}

// photograph makes a picture of the size a telephone sends.
func photograph(t *testing.T, s *stage) string {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 1600, 1200))
	for y := range 1200 {
		for x := range 1600 {
			// The product makes it hard to compress, so that the upload is large.
			grain := uint8(x * y * 2654435761 >> 16)
			picture.Set(x, y, color.RGBA{R: uint8(x>>3) ^ grain>>2, G: uint8(y >> 3), B: grain, A: 255})
		}
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, picture, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatalf("make a picture: %v", err)
	}
	path := s.path("photograph.jpg")
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Fatalf("write the picture: %v", err)
	}
	t.Logf("the picture has %d KiB", file.Len()>>10)
	return path
}
