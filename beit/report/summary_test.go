package report

import (
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/run"
)

// A run lasts from its first sign to its last. A time that a file does not have is none of them.
func TestDuration(t *testing.T) {
	at := func(minutes int) time.Time { return time.Date(2030, 1, 2, 3, minutes, 0, 0, time.UTC) }
	records := []run.Record{{Step: 1}, {Step: 2, Time: at(5)}, {Step: 3, Time: at(9)}}
	for name, c := range map[string]struct {
		run  Run
		want string
	}{
		"nothing":                {Run{}, ""},
		"records":                {Run{Records: records}, "4m00s"},
		"records and a status":   {Run{Records: records, Status: &run.Status{Began: at(3), Updated: at(10)}}, "7m00s"},
		"a status without times": {Run{Records: records, Status: &run.Status{}}, "4m00s"},
		"an end alone":           {Run{Status: &run.Status{Updated: at(10)}}, ""},
	} {
		if got := clock(c.run.duration()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
