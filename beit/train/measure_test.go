package train

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn/state"
)

// What is measured of a run is what the run then has: as many images and steps, and the operations of a step. A run leaves no record of it.
func TestMeasure(t *testing.T) {
	tok := tokenizerRun(t)
	for _, m := range model.Methods() {
		t.Run(m.Name, func(t *testing.T) {
			set := fromTokenizer(m, tok)
			if m == pretrain.Method || m == tokenizer.Method {
				set = append(set, "init_from="+tok)
			}
			cfg := tiny(t, m, set...)
			dir := t.TempDir()
			got, err := Measure(t.Context(), dir, m, cfg, opening(Env{}))
			if err != nil {
				t.Fatal(err)
			}
			whole := trained(t, m, cfg, Env{})
			work := workOf(t, whole.Dir)
			steps := float64(whole.Steps / whole.Config.Train.Epochs)
			if flops := (work[1] - work[0]) / steps; math.Abs(got.Step.FLOPs/flops-1) > 1e-3 { // what a step does besides is in the run alone
				t.Errorf("a step takes %g operations, and was measured to take %g", flops, got.Step.FLOPs)
			}
			if float64(got.StepsPerEpoch) != steps || got.Batch != whole.Config.Train.Batch || got.Train < got.Batch*got.StepsPerEpoch || got.Val < 1 {
				t.Errorf("measured %+v of a run of %g steps an epoch", got, steps)
			}
			if got.Step.Seconds <= 0 || got.Validation <= 0 || got.Checkpoint <= 0 {
				t.Errorf("measured %+v: something takes no time", got)
			}
			if list := traintest.Checkpoints(t, dir); len(list) != 1 || run.Finished(dir, m.ModelFile) {
				t.Errorf("checkpoints %v", list)
			}
		})
	}
}

// The price of a step has nothing of codes that are made once and kept: they have a price of their own, until they are there.
func TestKeptCodesAreNoPartOfAStep(t *testing.T) {
	cfg := tiny(t, pretrain.Method, "data.augment=none", "pretrain.target=dalle", "pretrain.tokenizer="+traintest.DALLE(t),
		"pretrain.model.aggregation.depth=0", "pretrain.visible=0")
	l, err := newLoop(t.Context(), newDir(t), pretrain.Method, cfg, opening(Env{}), state.WriteFileAtomic)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	var steps, once [2]Price
	for i := range steps {
		l.task.Set().ZeroGrad()
		if steps[i], once[i], err = l.microBatch(t.Context(), l.env.Loader, sample{timed: 1, least: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if steps[0].FLOPs != steps[1].FLOPs || steps[0].FLOPs <= 0 || once[0].FLOPs <= 0 || once[0].Seconds <= 0 || once[1] != (Price{}) {
		t.Errorf("a step takes %v, and %v where codes are kept; they take %v, and %v", steps[0], steps[1], once[0], once[1])
	}
}

func TestMeasureIsInterrupted(t *testing.T) {
	m := tokenizer.Method
	ctx, cancel := context.WithCancel(t.Context())
	env := opening(Env{Reporter: &traintest.Reporter{OnProgress: func(p method.Progress) {
		if p.Phase == "speed" {
			cancel()
		}
	}}})
	if _, err := Measure(ctx, t.TempDir(), m, tiny(t, m), env); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
