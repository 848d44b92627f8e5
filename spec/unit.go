package spec

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that is written as 5s, 1m30s or 250ms. As text
// it is always above zero: zero is what a setting has that was left out.
type Duration time.Duration

// Duration returns the value for package time.
func (d Duration) Duration() time.Duration { return time.Duration(d) }

// UnmarshalText reads the form of time.ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	value, err := time.ParseDuration(string(text))
	switch {
	case err != nil && isDigits(string(text)):
		return fmt.Errorf("%s has no unit; write %ss for seconds", text, text)
	case err != nil:
		return fmt.Errorf("%q is not a duration; write one such as 5s, 250ms or 1m30s", text)
	case value == 0:
		return errors.New("0 is not a duration that can be set; leave the setting out for its default")
	case value < 0:
		return fmt.Errorf("%s is a negative duration", text)
	}
	*d = Duration(value)
	return nil
}

// MarshalText writes the shortest form that UnmarshalText reads: 1m, not 1m0s.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the same form.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Bytes is a number of bytes that is written as 16MiB, 512KiB or 1000. As
// text it is always above zero: zero is what a setting has that was left out.
type Bytes int64

// units are the IEC 80000-13 prefixes, the largest first.
var units = []struct {
	name  string
	shift uint
}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"B", 0}}

// UnmarshalText reads a whole number and a unit: B (or none), KiB, MiB, GiB
// or TiB. KB and MB are refused, for half of their readers mean the other thing.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, unit := string(text), ""
	if i := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		number, unit = number[:i], strings.TrimSpace(number[i:])
	}
	shift, known := uint(0), unit == ""
	for _, u := range units {
		if u.name == unit {
			shift, known = u.shift, true
		}
	}
	value, err := strconv.ParseInt(number, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) || known && err == nil && value > math.MaxInt64>>shift:
		return fmt.Errorf("%s is larger than any size can be", text)
	case err != nil || strings.HasPrefix(unit, "."):
		return fmt.Errorf("%q is not a size; write a whole number with a unit, such as 16MiB", text)
	case !known:
		return fmt.Errorf("%q is not a unit of size; use B, KiB, MiB, GiB or TiB", unit)
	case value == 0:
		return errors.New("0 is not a size that can be set; leave the setting out for its default")
	}
	*b = Bytes(value << shift)
	return nil
}

// MarshalText writes the largest unit that divides the size, as in 16MiB.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String returns the same form.
func (b Bytes) String() string {
	for _, u := range units {
		if b != 0 && int64(b)%(1<<u.shift) == 0 {
			return strconv.FormatInt(int64(b)>>u.shift, 10) + u.name
		}
	}
	return "0B"
}

// Time is a moment that is written as RFC 3339 has it: 2026-11-22T18:00:00Z.
// Its zero value is no moment at all.
type Time struct{ at time.Time }

// Time returns the value for package time.
func (t Time) Time() time.Time { return t.at }

// IsZero reports whether no moment was set.
func (t Time) IsZero() bool { return t.at.IsZero() }

// UnmarshalText reads RFC 3339 with a zone; "" is no moment.
func (t *Time) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Time{}
		return nil
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is not a moment; write one such as %s", text, "2026-11-22T18:00:00Z")
	}
	t.at = at.UTC()
	return nil
}

// MarshalText writes the form that UnmarshalText reads, in UTC.
func (t Time) MarshalText() ([]byte, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.at.AppendFormat(nil, time.RFC3339), nil
}

// Rounded returns the size with one decimal in the largest unit that is not
// above it: for people, not to be read back.
func (b Bytes) Rounded() string {
	for _, u := range units[:len(units)-1] {
		if int64(b) >= 1<<u.shift {
			return fmt.Sprintf("%.1f%s", float64(b)/float64(int64(1)<<u.shift), u.name)
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
