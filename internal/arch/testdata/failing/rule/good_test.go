package rule

import (
	"testing"

	"example.org/house/internal/helper"
)

func TestDirect(t *testing.T) { t.Fatal("no") }

func TestSubtest(t *testing.T) {
	t.Run("part", func(t *testing.T) { t.Errorf("no") })
}

func TestHelper(t *testing.T) { helper.Want(t, false) }

func TestMethodOfHelper(t *testing.T) { helper.New(t).Get() }

func TestHere(t *testing.T) { here(t) }

func here(t *testing.T) { there(t, 3) }

func there(t *testing.T, depth int) {
	if depth > 0 {
		here(t)
	}
	t.Fail()
}

func TestPassedAsValue(t *testing.T) { t.Run("part", part) }

func part(t *testing.T) { t.Fatal("no") }

type harness struct{ *testing.T }

func (h harness) want() { h.Fatal("no") }

func TestEmbedded(t *testing.T) { harness{t}.want() }

func FuzzSomething(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) { t.Fatal("no") })
}

func TestMain(m *testing.M) { m.Run() }

func Testimony() {}
