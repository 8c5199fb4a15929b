package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/run"
)

// received is an event as a browser gets it.
type received struct{ id, kind, data string }

// follow opens a stream and sends its events to a channel, which is closed when the stream ends.
func follow(t *testing.T, url, lastID string) (events <-chan received, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	write(t, err)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	write(t, err)
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("status %s, content type %s", answer.Status, got)
	}
	to := make(chan received, 10000)
	go func() {
		defer close(to)
		defer answer.Body.Close()
		var e received
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 10<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.kind = value
			case "data":
				e.data = value
			case "":
				if e.kind != "" {
					to <- e
				}
				e = received{id: e.id}
			}
		}
	}()
	return to, cancel
}

// await returns the next event for which ok says so.
func await(t *testing.T, events <-chan received, what string, ok func(e received) bool) received {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case e, open := <-events:
			if !open {
				t.Fatalf("the stream ended before %s", what)
			}
			if ok(e) {
				return e
			}
		case <-late:
			t.Fatalf("no %s came", what)
		}
	}
}

func kind(name string) func(received) bool { return func(e received) bool { return e.kind == name } }

// state waits for a status of this state.
func state(s run.State) func(received) bool {
	return func(e received) bool {
		var p progress
		return e.kind == "status" && json.Unmarshal([]byte(e.data), &p) == nil && p.State == s
	}
}

// A page gets all curves, then what the run adds, and after a broken connection only what it has missed. A run that is resumed, damaged and deleted
// is shown as that.
func TestEventsOfARunThatGrows(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", `<b>"run" & `)
	running := run.Status{State: run.StateRunning, Step: 20, Total: 220, Epoch: 1, Epochs: 2, Began: began}
	makeRun(t, dir, running, stepRecord(10, 3), stepRecord(20, 2))
	lock := claim(t, dir)
	_, server := start(t, root)
	url := server.URL + place(eventsPath, `a/<b>"run" & `)
	events, stop := follow(t, url, "")
	if e := await(t, events, "running", state(run.StateRunning)); !strings.Contains(e.data, `"left":"3m20s"`) {
		t.Errorf("status %s", e.data)
	}
	if e := await(t, events, "all curves", kind("charts")); !strings.Contains(e.data, "[3,2]") {
		t.Errorf("curves %s", e.data)
	}
	add(t, dir, stepRecord(30, 1.5))
	e := await(t, events, "a point", kind("points"))
	if !strings.Contains(e.data, ",30,0.") || !strings.Contains(e.data, ",1.5]") {
		t.Errorf("points %s", e.data)
	}
	stop()

	add(t, dir, stepRecord(40, 1.25))
	events, stop = follow(t, url, e.id)
	for e := range events {
		if e.kind == "charts" || strings.Contains(e.data, ",1.5]") {
			t.Fatalf("a page that had seen them got again: %s %s", e.kind, e.data)
		}
		if e.kind == "points" && strings.Contains(e.data, ",40,") {
			break
		}
	}

	makeRun(t, dir, running, stepRecord(10, 7)) // in place of the old one
	await(t, events, "curves of the resumed run", func(e received) bool { return e.kind == "charts" && strings.Contains(e.data, `"y":[7]`) })
	put(t, dir, run.StatusFile, "{")
	await(t, events, "damage", state("damaged"))
	write(t, run.WriteStatus(dir, running))
	put(t, dir, run.MetricsFile, "what is this?\n")
	await(t, events, "a damaged line", func(e received) bool { return strings.Contains(e.data, run.MetricsFile) })
	lock.Close()
	write(t, os.RemoveAll(dir))
	await(t, events, "the end", state(stateGone))
	stop()
}

// A page that follows a run from its beginning has what a page has that comes later, also after curves were thinned out.
func TestEventsAfterThinning(t *testing.T) {
	dir := t.TempDir()
	makeRun(t, dir, run.Status{State: run.StateFinished})
	f := newFeed(dir)
	var lines []run.Line
	for step := range maxPoints + 10 {
		lines = append(lines, run.Line{Record: stepRecord(step, 1)})
	}
	seen := -1
	for part := range len(lines) / 10 {
		f.take(lines[10*part:10*part+10], false, run.Status{}, nil)
		text, last, _, err := f.since(seen)
		write(t, err)
		whole := strings.Contains(string(text), "event: charts")
		if thinned := part == maxPoints/10-1; whole != (seen < 0 || thinned) {
			t.Errorf("part %d: all curves: %v", part, whole)
		}
		seen = last
	}
	if len(f.events) > keptEvents {
		t.Errorf("%d events are kept", len(f.events))
	}
}

// Many pages follow one run: its files are read once for all, and what they hold is given back when they leave.
func TestManyPages(t *testing.T) {
	root := t.TempDir()
	makeRun(t, filepath.Join(root, "run"), run.Status{State: run.StateFinished}, stepRecord(10, 3))
	s, server := start(t, root)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	open := func() int {
		r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events/run", nil)
		write(t, err)
		answer, err := client.Do(r)
		write(t, err)
		return answer.StatusCode
	}
	for i := range maxStreams {
		if got := open(); got != http.StatusOK {
			t.Fatalf("page %d: status %d", i, got)
		}
	}
	if got := open(); got != http.StatusServiceUnavailable {
		t.Errorf("one page too many: status %d", got)
	}
	s.feeds.mu.Lock()
	if n := len(s.feeds.byDir); n != 1 {
		t.Errorf("%d feeds", n)
	}
	s.feeds.mu.Unlock()
	stop()
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s.feeds.mu.Lock()
		left := s.feeds.streams
		s.feeds.mu.Unlock()
		if left == 0 {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%d pages never left", left)
		}
	}
}

// A page may name any event.
func TestNumberOf(t *testing.T) {
	f := newFeed(t.TempDir())
	for name, want := range map[string]int{
		"": -1, "7": -1, "x-7": -1, fmt.Sprintf("%d-7", f.birth): 7, fmt.Sprintf("%d--7", f.birth): -1, fmt.Sprintf("%d-7", f.birth+1): -1,
		fmt.Sprintf("%d-99999999999999999999", f.birth): -1,
	} {
		if got := f.numberOf(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}
