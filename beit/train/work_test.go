package train

import (
	"testing"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// workOf are the operations that the epoch records of a run tell.
func workOf(t *testing.T, dir string) (list []float64) {
	t.Helper()
	records, err := run.ReadMetrics(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Kind == run.KindEpoch {
			list = append(list, r.Values[method.KeyFLOPs])
		}
	}
	return list
}

// Every epoch takes as much work, whether it is followed by validation or not, and interrupted or not.
func TestWorkOfEpochs(t *testing.T) {
	for m, cfg := range resumable(t) {
		t.Run(m.Name, func(t *testing.T) {
			cfg.Train.Epochs, cfg.Log.EvalEvery = 3, 2
			whole := workOf(t, trained(t, m, cfg, Env{}).Dir)
			if len(whole) != 3 {
				t.Fatalf("work of %d epochs", len(whole))
			}
			second, third := whole[1]-whole[0], whole[2]-whole[1]
			if second <= 0 || second != third || whole[0] < 0.99*second { // dino holds a layer in the first, and others prepare
				t.Errorf("after three epochs %v operations: %g and %g for the last two", whole, second, third)
			}
			dir := newDir(t)
			stopIn(t, dir, m, cfg, "train", 4)
			if _, err := resumed(dir, Env{}); err != nil {
				t.Fatal(err)
			}
			if got := workOf(t, dir); got[2] != whole[2] {
				t.Errorf("interrupted: %v, whole: %v", got, whole)
			}
		})
	}
}
