package bench

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// find returns the first case of a benchmark.
func find(t *testing.T, benchmark string) Case {
	for _, c := range Suite(tensor.CPU()) {
		if c.Benchmark == benchmark {
			return c
		}
	}
	t.Fatalf("there is no case of %s", benchmark)
	return Case{}
}

// Rates that do not apply to a case are 0. The fraction of the peak is at most 1, up to the noise of two measurements.
func TestMeasure(t *testing.T) {
	for _, c := range []Case{find(t, MatMul), find(t, CodebookLookup)} {
		r, err := Measure(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		if r.Name != c.Name() || r.Runs < 5 || r.Best <= 0 || r.Median < r.Best || r.GFLOPs <= 0 || (r.Tokens > 0) != (c.Tokens > 0) || r.Images != 0 {
			t.Errorf("%+v", r)
		}
		if r.OfPeak <= 0 || r.OfPeak > 1.5 {
			t.Errorf("%s at %.3g GFLOP/s is %.3g of the peak", r.Name, r.GFLOPs, r.OfPeak)
		}
	}
}

// A device that is no CPU has no known peak.
func TestPeakOfOtherDevices(t *testing.T) {
	if got := Peak(tensor.NewPlanner(), tensor.Highest); got != 0 {
		t.Errorf("%g", got)
	}
}

// The speed of training is a number of operations a second, and an interruption ends its measurement.
func TestTrainingSpeed(t *testing.T) {
	dev := tensor.CPU()
	before := dev.MemStats().InUse
	if speed, err := TrainingSpeed(t.Context(), dev); err != nil || !(speed > 1e6) {
		t.Errorf("%g operations a second, error %v", speed, err)
	}
	if held := dev.MemStats().InUse - before; held != 0 {
		t.Errorf("%d bytes are not given back", held)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := TrainingSpeed(ctx, dev); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: error %v", err)
	}
}

// Runs that a clock of 15.6 ms shows as 0 are repeated as often as by an exact one, but for what it cannot tell.
func TestRepeats(t *testing.T) {
	const step = 15600 * time.Microsecond
	for _, run := range []time.Duration{10 * time.Microsecond, 300 * time.Microsecond, 7 * time.Millisecond, 40 * time.Millisecond, time.Second} {
		n, err := repeats(func(n int) (time.Duration, error) { return time.Duration(n) * run / step * step, nil })
		if want := max(1, int(sample/run)); err != nil || n < want/2 || n > 2*want {
			t.Errorf("%v: %d runs, want about %d; %v", run, n, want, err)
		}
	}
}
