package rule

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSleeps(t *testing.T) {
	rest()
	time.Sleep(time.Millisecond)
	t.Fatal("no")
}

func TestDreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		t.Fatal("no")
	})
}
