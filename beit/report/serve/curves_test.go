package serve

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/run"
)

// loss is the series of the training loss among the charts of c.
func loss(t *testing.T, c *curves) ([]float64, []float64) {
	t.Helper()
	for _, chart := range c.charts() {
		for _, s := range chart.Series {
			if s.Name == "loss" {
				return s.X[0], s.Y
			}
		}
	}
	t.Fatal("there is no loss")
	return nil, nil
}

// However long a run is, a series stays small, and the peaks of a long run are still there.
func TestCurvesStayBounded(t *testing.T) {
	c := newCurves(finetune.Method.AllMetrics())
	status := run.Status{Total: 200000, Epochs: 100}
	const peak, dip = 12345, 77777
	for step := 1; step <= 100000; step++ {
		v := 1 + 0.1*math.Sin(float64(step))
		switch step {
		case peak:
			v = 50
		case dip:
			v = -50
		}
		r := stepRecord(step, v)
		r.Values["a stranger's key"] = v
		c.add(r, status)
	}
	for _, l := range c.lines {
		for kind, s := range l.kinds {
			if len(s.points) >= maxPoints || cap(s.points) > 4*maxPoints {
				t.Errorf("%s of %s has %d points, room for %d", l.metric.Key, kind, len(s.points), cap(s.points))
			}
		}
	}
	x, y := loss(t, c)
	if len(y) < maxPoints/2 {
		t.Errorf("only %d points are left", len(y))
	}
	found := map[float64]float64{}
	for i := range x {
		if i > 0 && x[i] <= x[i-1] {
			t.Fatalf("step %g comes after %g", x[i], x[i-1])
		}
		found[x[i]] = y[i]
	}
	if found[peak] != 50 || found[dip] != -50 {
		t.Errorf("the peak is %g, the lowest value %g", found[peak], found[dip])
	}
}

// What add says it adds is what charts return later.
func TestCurvesAddWhatChartsShow(t *testing.T) {
	grown, whole := newCurves(finetune.Method.AllMetrics()), newCurves(finetune.Method.AllMetrics())
	status := run.Status{Total: 5000, Epochs: 50}
	shown, renewals := grown.charts(), 0
	for step := 1; step <= 2500; step++ {
		records := []run.Record{stepRecord(step, float64(step%7))}
		if step%100 == 0 {
			records = append(records, run.Record{Kind: run.KindVal, Epoch: step / 100, Step: step, Values: map[string]float64{"top1": 0.5, "loss": math.NaN()}})
		}
		for _, r := range records {
			whole.add(r, status)
			gained, renewed := grown.add(r, status)
			if renewed {
				shown = grown.charts()
				renewals++
				continue
			}
			for _, p := range gained {
				s := &shown[p.at[0]].Series[p.at[1]]
				s.Y = append(s.Y, p.y)
				for a, x := range p.x {
					s.X[a] = append(s.X[a], x)
				}
			}
		}
	}
	if renewals > 12 {
		t.Errorf("all curves were sent %d times", renewals)
	}
	for i, want := range whole.charts() {
		for j, s := range want.Series {
			got := shown[i].Series[j]
			if got.Name != s.Name || len(got.Y) != len(s.Y) || len(got.X[1]) != len(s.Y) {
				t.Fatalf("%s: %d values of %s, want %d of %s", want.Title, len(got.Y), got.Name, len(s.Y), s.Name)
			}
			for k := range s.Y {
				if got.Y[k] != s.Y[k] || got.X[0][k] != s.X[0][k] || got.X[1][k] != s.X[1][k] {
					t.Fatalf("%s: value %d of %s differs", want.Title, k, s.Name)
				}
			}
		}
	}
}

// A short run has hardly a step record: then the line is that of its epochs.
func TestCurvesOfEpochs(t *testing.T) {
	c := newCurves(finetune.Method.AllMetrics())
	r := stepRecord(1, 3)
	c.add(r, run.Status{})
	c.charts()
	renewed := false
	for epoch := 1; epoch <= 2; epoch++ {
		r.Kind, r.Step = run.KindEpoch, epoch
		_, now := c.add(r, run.Status{})
		renewed = renewed || now
	}
	if x, _ := loss(t, c); len(x) != 2 || !renewed {
		t.Errorf("%d values, renewed %v", len(x), renewed)
	}
}
