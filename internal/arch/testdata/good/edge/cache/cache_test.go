package cache_test

import (
	"os"
	"testing"

	_ "example.org/house/internal/helper"
)

func TestCache_servesFiles(t *testing.T) {
	files, err := os.ReadDir("testdata")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Error(file)
	}
}
