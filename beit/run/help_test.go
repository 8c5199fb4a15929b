package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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

var noon = time.Date(2026, 11, 29, 12, 0, 0, 123e6, time.UTC)

// someRecords are records as a run writes them, with what JSON has no numbers for.
func someRecords() []Record {
	return []Record{
		{KindStep, 1, 2, noon, map[string]float64{"loss": 0.91, "lr": 1e-5, "img_per_s": 100}},
		{KindStep, 1, 4, noon.Add(time.Second), map[string]float64{"loss": math.NaN(), "grad_norm": math.Inf(1), "margin": math.Inf(-1)}},
		{KindEpoch, 1, 5, noon.Add(2 * time.Second), map[string]float64{"loss": math.Copysign(0, -1)}},
		{KindVal, 1, 5, noon.Add(3 * time.Second), map[string]float64{"top1": 5e-324, "a \"quoted\" <name> *J": math.MaxFloat64}},
		{KindStep, 2, 6, noon.Add(4 * time.Second), map[string]float64{}},
	}
}

// writeMetrics makes a metrics file of records and returns its text.
func writeMetrics(t testing.TB, dir string, list ...Record) []byte {
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
	return mustRead(t, filepath.Join(dir, MetricsFile))
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWrite(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// diffRecords compares records with their times; NaN is equal to NaN, and 0 is not -0.
func diffRecords(want, got []Record) string {
	if len(want) == len(got) && bytes.Equal(mustJSON(want), mustJSON(got)) {
		return ""
	}
	signs := cmp.Comparer(func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
	})
	return cmp.Diff(want, got, signs, cmpopts.EquateEmpty())
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// flips calls check with each bit of text damaged in turn.
func flips(text []byte, check func(bit int, damaged []byte)) {
	for bit := range 8 * len(text) {
		b := bytes.Clone(text)
		b[bit/8] ^= 1 << (bit % 8)
		check(bit, b)
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

// wantError says whether err is one line that has all these texts.
func wantError(err error, texts ...string) bool {
	if err == nil || strings.Contains(err.Error(), "\n") {
		return false
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			return false
		}
	}
	return true
}
