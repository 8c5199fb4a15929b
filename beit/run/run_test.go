package run

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gobeit/gobeit/nn/state"
)

// someRecords are records as a run writes them, with what JSON has no numbers for.
func someRecords() []Record {
	at := time.Date(2026, 11, 29, 12, 0, 0, 123e6, time.UTC)
	return []Record{
		{KindStep, 1, 2, at, map[string]float64{"loss": 0.91, "lr": 1e-5, "img_per_s": 100}},
		{KindStep, 1, 4, at.Add(time.Second), map[string]float64{"loss": math.NaN(), "grad_norm": math.Inf(1), "margin": math.Inf(-1)}},
		{KindEpoch, 1, 5, at.Add(2 * time.Second), map[string]float64{"loss": math.Copysign(0, -1)}},
		{KindVal, 1, 5, at.Add(3 * time.Second), map[string]float64{"top1": 5e-324, "a \"quoted\" <name>": math.MaxFloat64}},
		{KindStep, 2, 6, at.Add(4 * time.Second), map[string]float64{}},
	}
}

// writeMetrics makes a metrics file of records.
func writeMetrics(t *testing.T, dir string, list ...Record) {
	t.Helper()
	m, _, _, err := OpenMetrics(dir, 0, 0, state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range list {
		if err := m.Append(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(m.Sync(), m.Close()); err != nil {
		t.Fatal(err)
	}
}

// full is the WriteFunc of a disk that is full.
func full(path string, write func(io.Writer) error) error {
	return state.WriteFileAtomic(path, func(w io.Writer) error {
		if err := write(io.Discard); err != nil {
			return err
		}
		return syscall.ENOSPC
	})
}

func TestMetricsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	want := someRecords()
	writeMetrics(t, dir, want...)
	got, err := ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
	if !math.Signbit(got[2].Values["loss"]) {
		t.Error("-0 became 0")
	}
}

func TestConfigRoundTrip(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := ReadConfig(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a config: error %v", err)
	}
	if err := WriteConfig(dir, "seed = 1", state.WriteFileAtomic); err != nil {
		t.Fatal(err)
	}
	text, changed, err := ReadConfig(dir)
	if text != "seed = 1\n" || changed || err != nil {
		t.Errorf("read %q, changed %v, error %v", text, changed, err)
	}
}

func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if Busy(dir) {
		t.Error("a folder that is not there is busy")
	}
	l, err := Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteStatus(dir, Status{State: StateRunning, PID: 77, Host: "here"}); err != nil {
		t.Fatal(err)
	}
	_, err = Claim(dir)
	var busy *BusyError
	if !errors.As(err, &busy) || busy.PID != 77 || !strings.Contains(err.Error(), "a run is under way in "+dir) || !strings.Contains(err.Error(), "process 77 on here") {
		t.Errorf("second claim: error %v", err)
	}
	if s, err := ReadStatus(dir); err != nil || s.State != StateRunning || !Busy(dir) {
		t.Errorf("status %+v, error %v, busy %v", s, err, Busy(dir))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadStatus(dir); err != nil || s.State != StateKilled || Busy(dir) {
		t.Errorf("status %+v, error %v, busy %v", s, err, Busy(dir))
	}
	if l, err = Claim(dir); err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestTailOfWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	want := someRecords()
	writeMetrics(t, dir, want...)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var got []Record
	for rec, err := range Tail(ctx, dir, time.Millisecond) {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, rec); len(got) == len(want) {
			stop()
		}
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

func TestCheckpoints(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[1]*?")
	if err := Prepare(dir); err != nil {
		t.Fatal(err)
	}
	for _, step := range []int{10, 5, 20} {
		err := WriteCheckpoint(dir, step, nil, []state.Named{{Name: "x", DType: state.F32, Shape: []int{1}, Float32s: []float32{float32(step)}}}, state.WriteFileAtomic)
		if err != nil {
			t.Fatal(err)
		}
	}
	name := CheckpointPath(dir, 20)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, damaged, err := OpenCheckpoint(dir)
	if err != nil || len(damaged) != 1 || !strings.Contains(damaged[0].Error(), name) || StepOf(f.Name()) != 10 {
		t.Fatalf("damaged %v, error %v", damaged, err)
	}
	f.Close()
	if err := Prune(dir, 1, 10); err != nil {
		t.Fatal(err)
	}
	list, err := Checkpoints(dir)
	if diff := cmp.Diff([]string{CheckpointPath(dir, 10)}, list); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
