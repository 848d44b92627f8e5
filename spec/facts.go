package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Hours is a time of day on some days of the week, in UTC.
type Hours struct {
	Days     [7]bool // by time.Weekday; of a time that goes past midnight, the day it begins
	From, To int     // minutes since midnight; To is the first that is not in it
}

// Contains reports whether a moment is in it.
func (h Hours) Contains(at time.Time) bool {
	at = at.UTC()
	minute, day := at.Hour()*60+at.Minute(), int(at.Weekday())
	if h.From < h.To {
		return h.Days[day] && minute >= h.From && minute < h.To
	}
	return h.Days[day] && minute >= h.From || h.Days[(day+6)%7] && minute < h.To
}

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseHours reads "22:00-06:00", "mon-fri 08:00-18:00" or "sat,sun
// 00:00-24:00". Wrong is what to write instead.
func ParseHours(text string) (h Hours, wrong string) {
	wrong = fmt.Sprintf("%q is not a time of day; write one such as 22:00-06:00 or mon-fri 08:00-18:00", text)
	days, span, found := strings.Cut(text, " ")
	if !found {
		days, span = "sun-sat", days
	}
	for part := range strings.SplitSeq(days, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := weekday(first), weekday(last)
		if from < 0 || to < 0 {
			return Hours{}, wrong
		}
		for day := from; ; day = (day + 1) % 7 {
			h.Days[day] = true
			if day == to {
				break
			}
		}
	}
	from, to, found := strings.Cut(span, "-")
	var fromOK, toOK bool
	h.From, fromOK = minutes(from)
	h.To, toOK = minutes(to)
	if !found || !fromOK || !toOK || h.From == h.To || h.From == 24*60 {
		return Hours{}, wrong
	}
	return h, ""
}

func weekday(name string) int {
	for i, day := range weekdays {
		if day == name {
			return i
		}
	}
	return -1
}

// minutes reads 08:00 to 24:00.
func minutes(text string) (int, bool) {
	if len(text) != len("00:00") || text[2] != ':' {
		return 0, false
	}
	hour, errHour := strconv.ParseUint(text[:2], 10, 8)
	minute, errMinute := strconv.ParseUint(text[3:], 10, 8)
	total := int(hour*60 + minute)
	return total, errHour == nil && errMinute == nil && minute < 60 && total <= 24*60
}

// Status is one status code or several: 404, 5xx or 500-599.
type Status string

// UnmarshalText takes any text; Validate says what is wrong with it.
func (s *Status) UnmarshalText(text []byte) error {
	*s = Status(text)
	return nil
}

// ParseStatus reads 404, 5xx or 500-599.
func ParseStatus(status Status) (low, high int, wrong string) {
	text := string(status)
	first, last, isRange := strings.Cut(text, "-")
	if class, is := strings.CutSuffix(text, "xx"); is {
		first, last, isRange = class+"00", class+"99", true
	}
	if !isRange {
		last = first
	}
	low, errLow := strconv.Atoi(first)
	high, errHigh := strconv.Atoi(last)
	if errLow != nil || errHigh != nil || low < 100 || high > 599 || low > high || len(first) != 3 || len(last) != 3 {
		return 0, 0, fmt.Sprintf("%q is not a status; write one such as 404, 5xx or 500-599", text)
	}
	return low, high, ""
}

// ParseNetwork reads the number of a network: AS64500 or 64500.
func ParseNetwork(text string) (number uint32, wrong string) {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimPrefix(text, "AS"), "as"), 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Sprintf("%q is not the number of a network; write one such as AS64500", text)
	}
	return uint32(n), ""
}

// ParseCountry reads two letters (ISO 3166-1) and returns them in upper case.
func ParseCountry(text string) (code [2]byte, wrong string) {
	if len(text) == 2 {
		code = [2]byte{text[0] &^ 0x20, text[1] &^ 0x20}
	}
	if len(text) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z' {
		return [2]byte{}, fmt.Sprintf("%q is not a country; write two letters such as DE", text)
	}
	return code, ""
}
