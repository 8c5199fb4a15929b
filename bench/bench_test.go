package bench

import (
	"context"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// BenchmarkSuite runs every case; choose with -bench 'Suite/MatMul', leave out the slow ones with -short.
func BenchmarkSuite(b *testing.B) {
	dev := tensor.CPU()
	for _, c := range Suite() {
		b.Run(c.Name+"/dev="+dev.Name(), func(b *testing.B) {
			if c.Slow && testing.Short() {
				b.Skip("takes more than a second a run")
			}
			run, release := c.Setup(dev)
			defer release()
			run()
			b.ReportAllocs()
			for b.Loop() {
				run()
				if err := dev.Sync(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			seconds := b.Elapsed().Seconds() / float64(b.N)
			report := func(v float64, unit string) {
				if v > 0 {
					b.ReportMetric(v/seconds, unit)
				}
			}
			report(c.FLOPs/1e9, "GFLOP/s")
			report(float64(c.Codes)/1e6, "Mcodes/s")
			report(float64(c.Images), "images/s")
		})
	}
}

// Rates that do not apply to a case are 0.
func TestMeasure(t *testing.T) {
	c := Suite()[1]
	r, err := Measure(t.Context(), tensor.CPU(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != c.Name || r.Runs < 5 || r.Best <= 0 || r.Median < r.Best || r.GFLOPs <= 0 || r.Mcodes != 0 || r.Images != 0 {
		t.Errorf("%+v", r)
	}
}

// Training steps can be run more than once, and free their memory.
func TestStepsRun(t *testing.T) {
	for _, c := range []Case{tokenizerStep("small32", 4, tensor.Medium), mimStep("small32", 4, tensor.Highest, false)} {
		t.Run(c.Name, func(t *testing.T) {
			dev := tensor.CPU()
			before := dev.MemStats().InUse
			run, release := c.Setup(dev)
			run()
			run()
			release()
			if err := dev.Sync(t.Context()); err != nil {
				t.Error(err)
			}
			if after := dev.MemStats().InUse; after > before+1<<20 {
				t.Errorf("%d bytes are in use after release, %d before", after, before)
			}
		})
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Suite() {
		if seen[c.Name] {
			t.Errorf("%s twice", c.Name)
		}
		seen[c.Name] = true
	}
}

// The fraction of the peak is at most 1, up to the noise of two measurements.
func TestShareOfPeak(t *testing.T) {
	c := Suite()[0]
	r, err := Measure(context.Background(), tensor.CPU(), c, 5)
	if err != nil {
		t.Fatal(err)
	}
	if r.OfPeak <= 0 || r.OfPeak > 1.5 {
		t.Errorf("%s at %.3g GFLOP/s is %.3g of the peak", r.Name, r.GFLOPs, r.OfPeak)
	}
	if got := tensor.CoreFLOPs(tensor.NewPlanner(), tensor.Highest); got != 0 {
		t.Errorf("a device that is no CPU does %g", got)
	}
}
