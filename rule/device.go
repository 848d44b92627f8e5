package rule

import "bytes"

// Device tells telephones, tablets and everything else apart by what browsers
// say of themselves: "mobile", "tablet" or "desktop". It is a guess, good
// enough to choose a layout by.
func Device(userAgent []byte) string {
	has := func(text string) bool { return bytes.Contains(userAgent, []byte(text)) }
	switch {
	case has("iPad"), has("Tablet"), has("Kindle"), has("Silk/"), has("Android") && !has("Mobi"):
		return "tablet"
	case has("Mobi"), has("iPhone"), has("iPod"), has("Opera Mini"), has("Windows Phone"):
		return "mobile"
	}
	return "desktop"
}
