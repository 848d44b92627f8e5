package rule

import (
	"errors"
	"testing"

	"example.net/assert"
	"example.org/house/internal/helper"
)

func TestEmpty(t *testing.T) {}

func TestLogs(t *testing.T) { t.Log("fine"); helper.Log(t) }

func TestStranger(t *testing.T) { assert.Equal(t, 1, 1) }

func TestOtherError(t *testing.T) { _ = errors.New("fine").Error() }

func TestCircle(t *testing.T) { ping(t) }

func ping(t *testing.T) { pong(t) }
func pong(t *testing.T) { ping(t) }

func TestOnlySkips(t *testing.T) {
	if true {
		t.Skip("nothing here")
	}
	t.Run("part", func(t *testing.T) { t.Log("fine") })
}

func FuzzNothing(f *testing.F) { f.Fuzz(func(t *testing.T, b []byte) {}) }
