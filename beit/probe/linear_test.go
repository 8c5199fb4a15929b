package probe

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gobeit/gobeit/tensor"
)

// Batches are normalised by their own statistics, others by the running ones, as torch.nn.BatchNorm1d(2, affine=False, eps=1e-6) does. The
// values are worked out by hand: a batch of four rows, one of two, and then one row in evaluation.
func TestBatchNorm(t *testing.T) {
	dev := tensor.CPU()
	n := newBatchNorm(2)
	run := func(f func(*tensor.Tensor) *tensor.Tensor, rows int, values ...float32) []float32 {
		x := tensor.FromSlice(dev, values, rows, 2)
		defer x.Release()
		y := f(x)
		defer y.Release()
		return y.Float32s()
	}
	near := cmpopts.EquateApprox(0, 1e-4)
	got := run(n.batch, 4, 1, 10, 2, 10, 3, 10, 4, 50)
	// Mean 2.5 and 20, variance 1.25 and 300.
	want := []float32{-1.34164, -0.57735, -0.44721, -0.57735, 0.44721, -0.57735, 1.34164, 1.73205}
	if d := cmp.Diff(want, got, near); d != "" {
		t.Errorf("first batch:\n%s", d)
	}
	run(n.batch, 2, 0, 0, 2, 4)
	// Running means: 0.9·(0.1·2.5) + 0.1·1 and 0.9·(0.1·20) + 0.1·2; variances: 0.9·(0.9 + 0.1·5/3) + 0.1·2 and 0.9·(0.9 + 0.1·400) + 0.1·8.
	wantMean, wantVariance := []float64{0.325, 2}, []float64{1.16, 37.61}
	if d := cmp.Diff(wantMean, n.mean, near) + cmp.Diff(wantVariance, n.variance, near); d != "" {
		t.Errorf("running statistics:\n%s", d)
	}
	for name, f := range map[string]func(*tensor.Tensor) *tensor.Tensor{"evaluation": n.running, "a batch of one": n.batch} {
		got := run(f, 1, 1, 8)
		want := []float32{float32(0.675 / math.Sqrt(1.16)), float32(6 / math.Sqrt(37.61))}
		if d := cmp.Diff(want, got, near); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	if d := cmp.Diff(wantMean, n.mean, near); d != "" {
		t.Errorf("a batch of one moved the running means:\n%s", d)
	}
}

// Batch normalisation makes clouds of very different scales as easy as standardising does.
func TestLinearWithBatchNorm(t *testing.T) {
	train, val := clouds(2000, 24, 10, 0.3, 1), clouds(500, 24, 10, 0.3, 2)
	cfg := LinearDefaults
	cfg.Norm, cfg.Seeds = NormBatch, 1
	r, err := Linear(t.Context(), tensor.CPU(), train, val, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Top1 < 0.98 {
		t.Errorf("scores of an easy task: %+v", r)
	}
}

// Of several learning rates the one that suits the training images is taken, whatever the validation images say.
func TestLinearChoosesLR(t *testing.T) {
	train, val := clouds(500, 24, 10, 0.5, 1), clouds(200, 24, 10, 0.5, 2)
	cfg := LinearConfig{Epochs: 3, Batch: 100, LRs: []float64{1e-9, 1e-2, 1e-8}, Decay: 1e-3, Seeds: 2, Norm: NormStandardize}
	r, err := Linear(t.Context(), tensor.CPU(), train, val, cfg)
	if err != nil {
		t.Fatal(err)
	}
	one := cfg
	one.LRs = []float64{1e-2}
	alone, err := Linear(t.Context(), tensor.CPU(), train, val, one)
	if err != nil {
		t.Fatal(err)
	}
	if r.LR != 1e-2 || r.Top1 < 0.8 || !cmp.Equal(r, alone) {
		t.Errorf("%+v, and with that rate alone %+v", r, alone)
	}
	slices.Reverse(val.Labels)
	wrong, err := Linear(t.Context(), tensor.CPU(), train, val, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if wrong.LR != r.LR || wrong.Top1 > 0.5 {
		t.Errorf("with other labels of validation: %+v", wrong)
	}
	few := train.rows([]int{0})
	if _, err := Linear(t.Context(), tensor.CPU(), few, val, cfg); err == nil {
		t.Error("one training image: no error")
	}
}

func TestSpread(t *testing.T) {
	r := LinearResult{Score: Score{Top1: 0.5}, Seeds: []Score{{Top1: 0.4}, {Top1: 0.6}}}
	if s := r.Spread(); math.Abs(s-math.Sqrt(0.02)) > 1e-12 {
		t.Errorf("spread %g, want %g", s, math.Sqrt(0.02))
	}
	if s := (LinearResult{Seeds: []Score{{Top1: 0.4}}}).Spread(); s != 0 {
		t.Errorf("spread of one %g", s)
	}
}
