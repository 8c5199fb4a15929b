package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/internal/eventstest"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// read turns a file into lines "time step tag value".
func read(log []byte) (lines []string, err error) {
	list, err := eventstest.Scalars(log)
	for _, s := range list {
		lines = append(lines, fmt.Sprintf("%s %d %s %v", s.Wall.Format("15:04:05.000"), s.Step, s.Tag, s.Value))
	}
	return lines, err
}

var noon = time.Date(2026, 11, 29, 12, 0, 0, 123e6, time.UTC)

func someRecords() []run.Record {
	return []run.Record{
		{Kind: run.KindStep, Epoch: 1, Step: 2, Time: noon, Values: map[string]float64{"lr": 0.5, "loss": 0.25}},
		{Kind: run.KindEpoch, Epoch: 1, Step: 300, Time: noon.Add(time.Second), Values: map[string]float64{"loss": math.NaN(), "norm": math.Inf(1)}},
		{Kind: run.KindVal, Epoch: 0, Step: 0, Time: noon.Add(2 * time.Second), Values: map[string]float64{"top1": 1e300}},
		{Kind: run.KindVal, Epoch: 1, Step: 300, Time: noon.Add(3 * time.Second)},
	}
}

// open writes a file with known records and more.
func open(t *testing.T, dir string, tag TagFunc, known, more []run.Record) []byte {
	t.Helper()
	w, err := Open(dir, known, tag, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range more {
		if err := w.Append(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, File))
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// The first bytes of every file that TensorFlow writes: a length of 24, its checksum, the field wall_time.
func TestBeginsLikeTensorFlows(t *testing.T) {
	got := open(t, t.TempDir(), nil, nil, nil)
	if want := []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7fK\"\x09"); !bytes.HasPrefix(got, want) || len(got) != 40 {
		t.Errorf("begins with %q, want %q", got[:len(want)], want)
	}
}

// Records have their own times, whether they were known or are new, and a file that is opened again has them once.
func TestRecords(t *testing.T) {
	dir := t.TempDir()
	want := []string{
		"12:00:00.123 2 step/loss 0.25", "12:00:00.123 2 step/lr 0.5", "12:00:01.123 300 epoch/loss NaN", "12:00:01.123 300 epoch/norm +Inf",
		"12:00:02.123 0 val/top1 +Inf",
	}
	list := someRecords()
	for known := range list {
		got, err := read(open(t, dir, nil, list[:known], list[known:]))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%d known: error %v, -want +got\n%s", known, err, diff)
		}
	}
	got, err := read(open(t, dir, func(kind, key string) string {
		if key == "loss" {
			return ""
		}
		return strings.ToUpper(kind + "." + key)
	}, list[:2], list[2:]))
	want = []string{"12:00:00.123 2 STEP.LR 0.5", "12:00:01.123 300 EPOCH.NORM +Inf", "12:00:02.123 0 VAL.TOP1 +Inf"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("with tags: error %v, -want +got\n%s", err, diff)
	}
}

// A record of an older run, which has no time, gets the present one.
func TestNoTime(t *testing.T) {
	before := time.Now()
	log := open(t, t.TempDir(), nil, []run.Record{{Kind: "step", Step: 1, Values: map[string]float64{"loss": 1}}}, nil)
	list, err := eventstest.Scalars(log)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if at := list[0].Wall; at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("time %v", at)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir, nil, someRecords(), nil)
	full := func(path string, write func(io.Writer) error) error {
		for room := range len(before) {
			if err := write(&limited{room}); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("room for %d bytes: error %v", room, err)
			}
		}
		return state.WriteFileAtomic(path, func(io.Writer) error { return syscall.ENOSPC })
	}
	if _, err := Open(dir, someRecords(), nil, full); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), filepath.Join(dir, File)) {
		t.Errorf("error %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, File)); !bytes.Equal(before, after) || err != nil {
		t.Errorf("the file changed; error %v", err)
	}
	w := &Writer{failing{}, DefaultTag}
	if err := w.Append(someRecords()[0]); !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "events: ") {
		t.Errorf("error %v", err)
	}
	w, err := Open(dir, nil, nil, func(string, func(io.Writer) error) error { return os.Remove(filepath.Join(dir, File)) })
	if err == nil {
		w.Close()
		t.Error("a file that is gone was opened")
	}
}

// limited is a disk with room for a number of bytes.
type limited struct{ room int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.room {
		return 0, syscall.ENOSPC
	}
	l.room -= len(b)
	return len(b), nil
}

type failing struct{ io.WriteCloser }

func (failing) Write([]byte) (int, error) { return 0, syscall.ENOSPC }
