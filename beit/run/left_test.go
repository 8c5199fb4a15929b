package run

import (
	"testing"
	"time"
)

func TestLeft(t *testing.T) {
	// A record every 10 steps, each step 2 s; the process began after 50 steps and an hour of pause.
	var list []Record
	for step := 10; step <= 100; step += 10 {
		at := noon.Add(time.Duration(step) * 2 * time.Second)
		if step > 50 {
			at = at.Add(time.Hour)
		}
		list = append(list, Record{Kind: KindStep, Epoch: 1, Step: step, Time: at})
	}
	running := Status{State: StateRunning, Step: 105, Total: 200, Began: noon.Add(time.Hour)}
	for name, c := range map[string]struct {
		change  func(s *Status)
		records []Record
		want    time.Duration
	}{
		"by the last records": {func(*Status) {}, list, 190 * time.Second},
		"no record":           {func(*Status) {}, nil, 0},
		"one record":          {func(*Status) {}, list[9:], 0},
		"one step":            {func(*Status) {}, []Record{list[9], list[9]}, 0},
		"no times":            {func(*Status) {}, []Record{{Step: 1}, {Step: 2}}, 0},
		"of before":           {func(*Status) {}, list[:5], 0},
		"interrupted":         {func(s *Status) { s.State = StateInterrupted }, list, 0},
		"at its end":          {func(s *Status) { s.Step = 200 }, list, 0},
	} {
		s := running
		if c.change(&s); s.Left(c.records) != c.want {
			t.Errorf("%s: %v, want %v", name, s.Left(c.records), c.want)
		}
	}
	// The speed of the last records counts.
	var slower []Record
	for i := range 3 * leftRecords {
		at := noon.Add(2 * time.Hour).Add(time.Duration(i) * time.Second)
		if i > 2*leftRecords {
			at = at.Add(time.Duration(i-2*leftRecords) * 2 * time.Second)
		}
		slower = append(slower, Record{Kind: KindStep, Step: i + 1, Time: at})
	}
	if got, want := running.Left(slower), 95*3*time.Second; got != want {
		t.Errorf("slower: %v, want %v", got, want)
	}
}
