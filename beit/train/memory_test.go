package train

import (
	"context"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// What EstimateMemory says is near what a run's device then holds, with every method.
func TestEstimateIsNearTheTruth(t *testing.T) {
	type run struct {
		name string
		of   *method.Method
		set  []string
	}
	tok := tokenizerRun(t)
	runs := []run{{"pretrain/pixels", pretrain.Method, pixelCodes}}
	for _, m := range model.Methods() {
		runs = append(runs, run{m.Name, m, fromTokenizer(m, tok)})
	}
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			m, set := r.of, append([]string{"train.epochs=1", "train.batch=64"}, r.set...) // all images, so that k-NN accuracy is planned with as many
			cfg := tiny(t, m, set...)
			env := opening(Env{Source: &data.Source{Train: traintest.Tinted{N: 64, Seed: 1}}})
			if m == segment.Method { // it needs masks
				env.Source.Train = data.Procedural(64, 16, 1)
			}
			mem, err := EstimateMemory(context.Background(), m, cfg, env)
			if err != nil {
				t.Fatal(err)
			}
			env.Device = tensor.NewDevice(tensor.CPU().Backend()) // a pool of its own
			trained(t, m, cfg, env)
			if held := env.Device.MemStats().Held; float64(mem.Peak()) < 0.9*float64(held) || float64(mem.Peak()) > 1.1*float64(held) {
				t.Errorf("estimated %d bytes, %d for the model and %d for a step; %d were held", mem.Peak(), mem.Model, mem.Step, held)
			}
		})
	}
}

func TestMemoryIsFlat(t *testing.T) {
	tok := tokenizerRun(t)
	for _, m := range model.Methods() {
		t.Run(m.Name, func(t *testing.T) {
			held := map[int]int64{}
			set := append([]string{"train.epochs=8", "log.eval_every=100", "data.val_fraction=0"}, fromTokenizer(m, tok)...)
			// A device of its own: on the shared one, what other tests left behind may be freed in the meantime.
			dev := tensor.NewDevice(tensor.CPU().Backend())
			env := opening(Env{Device: dev, Source: &data.Source{Train: data.Procedural(40, 16, 1)}})
			l, err := newLoop(t.Context(), t.TempDir(), m, tiny(t, m, set...), env, state.WriteFileAtomic)
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			l.reporter = &traintest.Reporter{OnProgress: func(p method.Progress) {
				if p.Phase == "train" {
					held[p.Done] = dev.MemStats().InUse
				}
			}}
			if _, err := l.fresh(context.Background()); err != nil {
				t.Fatal(err)
			}
			// The optimiser's moments and the scalars of one step are there from the first step on; the reseeder's ring fills until step 8.
			if held[9] != held[39] {
				t.Errorf("%d bytes in use after step 9, %d after step 39", held[9], held[39])
			}
		})
	}
}

// Runs that recompute each block in the backward pass end with the same bytes, and need less memory.
func TestCheckpointActivations(t *testing.T) {
	tok := tokenizerRun(t)
	for _, m := range model.Methods() {
		t.Run(m.Name, func(t *testing.T) {
			var hashes [2]string
			var peaks [2]int64
			for i, on := range []string{"false", "true"} {
				set := append([]string{"train.epochs=1", "train.checkpoint_activations=" + on}, fromTokenizer(m, tok)...)
				cfg := tiny(t, m, set...)
				mem, err := EstimateMemory(context.Background(), m, cfg, opening(Env{}))
				if err != nil {
					t.Fatal(err)
				}
				peaks[i] = mem.Step
				hashes[i] = hashTensors(t, trained(t, m, cfg, opening(Env{})).Model, "")
			}
			if hashes[0] != hashes[1] {
				t.Error("the models differ")
			}
			if peaks[1] >= peaks[0] {
				t.Errorf("a step takes %d bytes, and %d without", peaks[1], peaks[0])
			}
		})
	}
}
