package spec

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestDuration_readsWhatPeopleWrite(t *testing.T) {
	tests := []struct {
		text, wrong string
		want        time.Duration
	}{
		{"5s", "", 5 * time.Second},
		{"1m30s", "", 90 * time.Second},
		{"250ms", "", 250 * time.Millisecond},
		{"2h", "", 2 * time.Hour},
		{"5", "write 5s", 0},
		{"", "not a duration", 0},
		{"five", "not a duration", 0},
		{"0s", "leave the setting out", 0},
		{"0", "leave the setting out", 0},
		{"-5s", "negative", 0},
	}
	for _, test := range tests {
		var d Duration
		err := d.UnmarshalText([]byte(test.text))
		checkUnit(t, test.text, err, test.wrong)
		if time.Duration(d) != test.want {
			t.Errorf("%q: %v, want %v", test.text, time.Duration(d), test.want)
		}
	}
}

func TestBytes_readsWhatPeopleWrite(t *testing.T) {
	tests := []struct {
		text, wrong string
		want        Bytes
	}{
		{"16MiB", "", 16 << 20},
		{"1 GiB", "", 1 << 30},
		{"512KiB", "", 512 << 10},
		{"2TiB", "", 2 << 40},
		{"1000", "", 1000},
		{"7B", "", 7},
		{"16MB", "use B, KiB", 0},
		{"16 mib", "use B, KiB", 0},
		{"1.5GiB", "whole number", 0},
		{"-1", "whole number", 0},
		{"", "whole number", 0},
		{"MiB", "whole number", 0},
		{"0", "leave the setting out", 0},
		{"9000000TiB", "larger than any", 0},
		{"99999999999999999999", "larger than any", 0},
	}
	for _, test := range tests {
		var b Bytes
		err := b.UnmarshalText([]byte(test.text))
		checkUnit(t, test.text, err, test.wrong)
		if b != test.want {
			t.Errorf("%q: %d, want %d", test.text, b, test.want)
		}
	}
}

func checkUnit(t *testing.T, text string, err error, wrong string) {
	t.Helper()
	if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
		t.Errorf("%q: error %v, want %q", text, err, wrong)
	}
}

func TestUnits_areWrittenShortAndReadBack(t *testing.T) {
	for _, want := range []string{"1ms", "5s", "1m", "1m30s", "1h", "1h0m1s", "2h5m", "10m", "20h"} {
		var d Duration
		if err := d.UnmarshalText([]byte(want)); err != nil || d.String() != want {
			t.Errorf("%s became %s (%v)", want, d, err)
		}
	}
	for _, want := range []string{"1B", "1000B", "1KiB", "1025B", "16MiB", "3GiB", "1TiB"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(want)); err != nil || b.String() != want {
			t.Errorf("%s became %s (%v)", want, b, err)
		}
	}
}

func TestZoneSpec_isTheSameInJSON(t *testing.T) {
	const text = `{"name":"example.com","origin":{"url":"http://127.0.0.1","connect_timeout":"1m"},"cache":{"max_object":"1MiB"}}`
	var z ZoneSpec
	if err := json.Unmarshal([]byte(text), &z); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(z)
	if err != nil || string(again) != text {
		t.Errorf("%s (%v), want %s", again, err, text)
	}
}
