package coding

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// page returns n bytes of an HTML page, always the same: a list of articles
// from a template, with words as unevenly frequent as in a language, names of
// classes that repeat and addresses that do not. zlib makes about a fifth of
// it, as of pages in the wild.
func page(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := vocabulary(r, 3000)
	often := rand.NewZipf(r, 1.15, 4, uint64(len(words)-1))
	text := func(b *strings.Builder, n int) {
		for i := range n {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(words[often.Uint64()])
		}
	}
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")
	text(&b, 5)
	b.WriteString("</title>\n<link rel=\"stylesheet\" href=\"/assets/site.css\">\n</head>\n<body>\n<main class=\"container grid\">\n")
	for b.Len() < n {
		id := r.Uint32()
		fmt.Fprintf(&b, "<article class=\"card card--wide\" id=\"post-%d\">\n  <h2 class=\"card__title\"><a href=\"/articles/%x/%s-%s\">",
			id, id, words[often.Uint64()], words[often.Uint64()])
		text(&b, 4+r.IntN(6))
		fmt.Fprintf(&b, "</a></h2>\n  <time datetime=\"2026-%02d-%02dT%02d:%02d\">%d</time>\n", 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(365))
		for range 1 + r.IntN(4) {
			b.WriteString("  <p class=\"card__text\">")
			text(&b, 20+r.IntN(60))
			b.WriteString(".</p>\n")
		}
		fmt.Fprintf(&b, "  <img class=\"card__image\" src=\"/media/%08x.webp\" width=\"%d\" height=\"%d\" alt=\"\">\n</article>\n", r.Uint32(), 100+r.IntN(900), 100+r.IntN(900))
	}
	return []byte(b.String()[:n])
}

func vocabulary(r *rand.Rand, n int) []string {
	syllables := []string{"ka", "the", "in", "er", "on", "st", "re", "al", "ti", "mo", "ve", "ra", "lo", "si", "en", "qu", "pla", "dor", "ing", "ment"}
	words := make([]string, n)
	for i := range words {
		for range 1 + r.IntN(4) {
			words[i] += syllables[r.IntN(len(syllables))]
		}
	}
	return words
}

// noise returns n bytes that nothing compresses, always the same.
func noise(n int) []byte {
	source := rand.NewChaCha8([32]byte{7})
	b := make([]byte, n)
	source.Read(b)
	return b
}
