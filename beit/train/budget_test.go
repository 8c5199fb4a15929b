package train

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// A run within a budget of operations takes at most those, and so many that one more step for each epoch would be too many.
func TestFLOPBudget(t *testing.T) {
	m := tokenizer.Method
	whole := trained(t, m, tiny(t, m), Env{}) // two epochs
	spent := workOf(t, whole.Dir)
	for _, part := range []float64{0.4, 0.75, 1.6} {
		budget := spent[0] + part*(spent[1]-spent[0])
		cfg := tiny(t, m)
		cfg.Train.FLOPBudget = budget
		res := trained(t, m, cfg, Env{})
		work := workOf(t, res.Dir)
		got, c := work[len(work)-1], res.Config.Train
		step := (spent[1] - spent[0]) / 5
		if got > budget || got+float64(c.Epochs)*step <= budget || res.Steps != c.Epochs*c.EpochSteps {
			t.Errorf("budget %g: %g operations in %d epochs of %d steps of %g", budget, got, c.Epochs, c.EpochSteps, step)
		}
	}
	cfg := tiny(t, m)
	cfg.Train.FLOPBudget = 1e6
	if _, err := Run(t.Context(), newDir(t), m, cfg, opening(Env{})); err == nil || !strings.Contains(err.Error(), "it pays for none") {
		t.Errorf("a budget below the preparation: error %v", err)
	}
}

// Epochs may end before all images were seen. Such a run is resumed like any other.
func TestEpochSteps(t *testing.T) {
	m := dino.Method
	cfg := tiny(t, m, "train.epoch_steps=3", "train.epochs=4", "log.every=2")
	whole := trained(t, m, cfg, Env{})
	if whole.Steps != 12 {
		t.Errorf("%d steps, want 4 epochs of 3", whole.Steps)
	}
	dir := newDir(t)
	stopIn(t, dir, m, cfg, "train", 5)
	if _, err := resumed(dir, Env{}); err != nil {
		t.Fatal(err)
	}
	sameRuns(t, "stopped in an epoch of three steps", whole.Dir, dir, m)
	cfg = tiny(t, m, "train.epoch_steps=6")
	if _, err := Run(t.Context(), newDir(t), m, cfg, opening(Env{})); err == nil || !strings.Contains(err.Error(), "the training images give 5 steps") {
		t.Errorf("more steps than the images give: error %v", err)
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		steps            float64
		most             int
		epochs, perEpoch int
	}{{10, 5, 2, 5}, {11, 5, 2, 5}, {14, 5, 3, 4}, {501, 2, 250, 2}, {7.5, 1, 7, 1}, {4.9, 5, 1, 4}, {0.3, 5, 1, 1}, {156 * 6.5, 156, 7, 144}} {
		if epochs, perEpoch := Split(c.steps, c.most); epochs != c.epochs || perEpoch != c.perEpoch {
			t.Errorf("%g steps, at most %d an epoch: %d epochs of %d", c.steps, c.most, epochs, perEpoch)
		}
	}
}
