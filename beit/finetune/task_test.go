package finetune

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/tensor"
)

// The number that tells the stream of mixup and CutMix apart stays as it is: old runs would continue with another.
func TestStreams(t *testing.T) {
	if streamMix != 0x747261696e08 {
		t.Errorf("streamMix = %#x", streamMix)
	}
}

// tinyTask is a task in an environment without the training loop.
func tinyTask(t *testing.T, set ...string) *task {
	t.Helper()
	return traintest.Task(t, traintest.Env(t, Method, traintest.Tiny(t, Method, set...), nil)).(*task)
}

func TestLayerDecayGroups(t *testing.T) {
	task := tinyTask(t, "finetune.layer_decay=0.5")
	got := map[string]float64{}
	for _, p := range task.Set().Params() {
		got[p.Name] = task.LRScale(p)
	}
	for name, want := range map[string]float64{ // of depth 2: 0.5^(3-id)
		"cls_token": 0.125, "patch_embed.proj.weight": 0.125, "blocks.0.attn.qkv.weight": 0.25, "blocks.0.attn.relative_position_bias_table": 0.25,
		"blocks.1.gamma_2": 0.5, "fc_norm.weight": 1, "head.bias": 1,
	} {
		if got[name] != want {
			t.Errorf("%s has the factor %g, want %g", name, got[name], want)
		}
	}
}

// An accuracy counts as the best once its model is in the file.
func TestBestThatCannotBeWritten(t *testing.T) {
	task := tinyTask(t)
	full, written := true, ""
	task.SaveModel = func(file string) error {
		if full {
			return syscall.ENOSPC
		}
		written = file
		return nil
	}
	task.state.Best = -1
	if _, err := task.Validate(context.Background()); !errors.Is(err, syscall.ENOSPC) || task.state.Best != -1 {
		t.Errorf("error %v, best accuracy %g", err, task.state.Best)
	}
	full = false
	if _, err := task.Validate(context.Background()); err != nil || task.state.Best < 0 {
		t.Errorf("error %v, best accuracy %g", err, task.state.Best)
	}
	if filepath.Base(written) != run.BestFile {
		t.Errorf("wrote %q", written)
	}
}

// TestEMA follows the moving average of one number over steps.
func TestEMA(t *testing.T) {
	task := tinyTask(t, "finetune.ema=0.75")
	task.set.Values().Fill(2)
	if err := task.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []float32{2.5, 2.875} { // 0.75·2 + 0.25·4, then 0.75·2.5 + 0.25·4
		task.set.Values().Fill(4)
		task.Update(0, nil)
		if got := task.Finished()[0].Value.Float32s()[0]; got != want {
			t.Errorf("average %g, want %g", got, want)
		}
	}
}

// Inspect sees the images that Forward trained on.
func TestInspectMixes(t *testing.T) {
	task := tinyTask(t, "finetune.mixup=0.8", "finetune.cutmix=1")
	first := func(use func(b *data.Batch)) {
		for b, err := range task.Loader.Batches(context.Background(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			use(b)
			break
		}
		task.Tape.Reset()
	}
	var want, got []float32
	var loss float32
	first(func(b *data.Batch) {
		l, _ := task.Forward(task.Context(), b)
		loss = l.Value().Item()
		images, _ := b.Tensor("image")
		want = slices.Clone(images)
	})
	first(func(b *data.Batch) {
		l := task.Inspect(task.Context(), b, func(name string, x *tensor.Tensor) {
			if name == "images" {
				got = x.Float32s()
			}
		})
		if l.Value().Item() != loss {
			t.Errorf("loss %g, in training %g", l.Value().Item(), loss)
		}
	})
	if len(got) == 0 || !slices.Equal(want, got) {
		t.Error("other images than in training")
	}
}

// Small shifts by no pixel show the whole image, as with the other methods.
func TestPadOfNothing(t *testing.T) {
	c := traintest.Tiny(t, Method, "data.augment="+config.AugmentPad, "data.pad=0", "data.jitter=0", "finetune.rand_magnitude=0", "finetune.erase=0")
	sample, err := data.Procedural(1, 16, 1).Sample(0)
	if err != nil {
		t.Fatal(err)
	}
	plain, mirrored, got := make([]float32, 3*16*16), make([]float32, 3*16*16), make([]float32, 3*16*16)
	data.ToFloat(plain, sample.RGB(), data.ImageNet, false)
	data.ToFloat(mirrored, sample.RGB(), data.ImageNet, true)
	for seed := range uint64(10) {
		Method.Train(c).Apply(data.Tensors{{Float32: got}}, sample, tensor.NewRand(seed))
		if !slices.Equal(got, plain) && !slices.Equal(got, mirrored) {
			t.Fatalf("seed %d: neither the image nor its mirror image", seed)
		}
	}
}

func TestLabelFraction(t *testing.T) {
	e := traintest.Env(t, Method, traintest.Tiny(t, Method, "data.path=procedural:100", "data.label_fraction=0.3"), nil)
	n := make([]int, 10)
	for i := range e.Train.Len() {
		n[e.Train.Label(i)]++
	}
	if slices.Max(n) != 3 || slices.Min(n) != 3 || e.Val.Len() != 20 {
		t.Errorf("%v of each class, %d for validation", n, e.Val.Len())
	}
}
