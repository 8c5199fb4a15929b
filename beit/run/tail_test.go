package run

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/nn/state"
)

// tail collects what Tail yields until it yielded n things.
func tail(t *testing.T, dir string, n int) (list []Record, errs []error) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for rec, err := range Tail(ctx, dir, time.Millisecond) {
		if err != nil {
			errs = append(errs, err)
		} else {
			list = append(list, rec)
		}
		if len(list)+len(errs) == n {
			return list, errs
		}
	}
	t.Fatalf("only %d records and errors %v", len(list), errs)
	return nil, nil
}

func TestTailOfWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	want := someRecords()
	text := writeMetrics(t, dir, want...)
	got, errs := tail(t, dir, len(want))
	if diff := diffRecords(want, got); diff != "" || errs != nil {
		t.Error(errs, diff)
	}
	// A damaged line stands between the records.
	name := filepath.Join(dir, MetricsFile)
	mustWrite(t, name, []byte(strings.Replace(string(text), "Infinity", "Jnfinity", 1)))
	got, errs = tail(t, dir, len(want))
	if diff := diffRecords(append(want[:1:1], want[2:]...), got); diff != "" || len(errs) != 1 || !wantError(errs[0], name+": line 2: ") {
		t.Error(errs, diff)
	}
}

// TestTailOfAWriter follows a run that begins late, is killed in the middle of a line, cut back, goes on, and is cut back a second time to
// less than a watcher has read.
func TestTailOfAWriter(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	const steps = 120
	at := func(step int) Record {
		return Record{Kind: KindStep, Epoch: 1, Step: step, Values: map[string]float64{"loss": 1 / float64(step)}}
	}
	failed := make(chan error, 1)
	go func() {
		failed <- func() error {
			time.Sleep(5 * time.Millisecond)
			if err := os.Mkdir(dir, 0o777); err != nil {
				return err
			}
			for _, part := range [][2]int{{0, 50}, {20, 80}, {10, 70}, {70, steps}} {
				m, known, damaged, err := OpenMetrics(dir, part[0], 1, state.WriteFileAtomic)
				if err != nil || len(known) != part[0] || damaged != nil {
					return errors.Join(err, errors.Join(damaged...), errors.New("cut back"))
				}
				for step := part[0] + 1; step <= part[1]; step++ {
					if err := m.Append(at(step)); err != nil {
						return err
					}
					if step%7 == 0 {
						time.Sleep(2 * time.Millisecond)
					}
				}
				if _, err := m.file.Write([]byte(`{"epoch":1,"kind":"st`)); err != nil {
					return err
				}
				time.Sleep(3 * time.Millisecond)
				if err := m.Close(); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	got, errs := tail(t, dir, steps)
	if err := <-failed; err != nil || errs != nil {
		t.Fatal(err, errs)
	}
	for i, rec := range got {
		if rec.Step != i+1 || rec.Values["loss"] != 1/float64(i+1) {
			t.Fatalf("record %d is %+v", i, rec)
		}
	}
}

// TestTailEnds: with its context, also while it waits, and with the loop.
func TestTailEnds(t *testing.T) {
	dir := t.TempDir()
	writeMetrics(t, dir, someRecords()...)
	for range Tail(t.Context(), dir, time.Hour) {
		break
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	n := 0
	for _, err := range Tail(ctx, dir, time.Hour) {
		if err != nil {
			t.Error(err)
		}
		if n++; n == len(someRecords()) {
			time.AfterFunc(5*time.Millisecond, stop)
		}
	}
	if n != len(someRecords()) {
		t.Errorf("%d records", n)
	}
	for rec := range Tail(ctx, dir, 0) {
		t.Errorf("%+v after the end", rec)
	}
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	n = 0
	for range Tail(ctx, dir, time.Hour) {
		n++
		stop()
	}
	if n != 1 {
		t.Errorf("%d records, the context ended at the first", n)
	}
}

// TestTailOfAFolder: what cannot be read ends it.
func TestTailOfAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, MetricsFile), 0o777); err != nil {
		t.Fatal(err)
	}
	var errs []error
	for _, err := range Tail(t.Context(), dir, time.Millisecond) {
		errs = append(errs, err)
	}
	var path *fs.PathError
	if len(errs) != 1 || !errors.As(errs[0], &path) || !wantError(errs[0], dir) {
		t.Errorf("errors %v", errs)
	}
}
