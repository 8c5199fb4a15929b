package mae_test

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// A run writes its figures, and its model has all parameters and both tables.
func TestRun(t *testing.T) {
	for _, set := range [][]string{nil, {"mae.norm_pixels=false"}} {
		res := runtest.Train(t, mae.Method, runtest.Tiny(t, mae.Method, set...), train.Env{})
		for _, r := range traintest.Metrics(t, res.Dir) {
			if v := r.Values["loss_pixels"]; !(v > 0) || r.Kind == run.KindVal && !(r.Values["loss_mean_colour"] > 0 && r.Values["prediction_spread"] > 0) {
				t.Errorf("%v: %s record %v", set, r.Kind, r.Values)
			}
		}
		if res.Final.Kind != run.KindVal || filepath.Base(res.Model) != "autoencoder.safetensors" {
			t.Errorf("result %+v", res)
		}
		f, err := state.OpenSafetensors(res.Model)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if names := f.Names(); len(names) != 2*12+6+12+8 {
			t.Errorf("the finished model has %d tensors: %v", len(names), names)
		}
	}
}

// Interrupted and resumed, a run ends with the same bytes.
func TestResume(t *testing.T) {
	c := runtest.Tiny(t, mae.Method, "log.every=3", "train.accumulation_steps=2")
	want := traintest.Contents(t, runtest.Train(t, mae.Method, c, train.Env{}).Dir, mae.Method)
	for _, after := range []int{1, 4, 7} {
		dir := filepath.Join(t.TempDir(), "run")
		runtest.Stopped(t, "train", after, func(ctx context.Context, env train.Env) error {
			_, err := train.Run(ctx, dir, mae.Method, c, env)
			return err
		})
		if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{}, nil); err != nil {
			t.Fatal(err)
		}
		if d := traintest.Differing(want, traintest.Contents(t, dir, mae.Method)); d != nil {
			t.Errorf("stopped after step %d: different %v", after, d)
		}
	}
}

// Eight images are learned by heart: nearly all of what the mean colour gets wrong is right.
func TestOverfitsEightImages(t *testing.T) {
	images := data.Procedural(8, 16, 3)
	c := runtest.Tiny(t, mae.Method, "train.epochs=1000", "train.lr=3e-3", "train.warmup_epochs=10", "train.batch=8", "data.augment=none",
		"mae.model.vit.drop_path=0", "mae.model.vit.width=64", "mae.model.decoder.width=64", "mae.norm_pixels=false", "log.eval_every=1000",
		"log.checkpoint_epochs=1000", "log.knn_every=0")
	res := runtest.Train(t, mae.Method, c, train.Env{Source: &data.Source{Train: images, Val: images}})
	v := res.Final.Values
	if !(v["loss_pixels"] < 0.25*v["loss_mean_colour"]) {
		t.Errorf("loss %g after 1000 steps, the mean colour's %g", v["loss_pixels"], v["loss_mean_colour"])
	}
	t.Logf("loss %g, mean colour %g", v["loss_pixels"], v["loss_mean_colour"])
}

// A run starts from another's model and takes all of it.
func TestStart(t *testing.T) {
	first := runtest.Train(t, mae.Method, runtest.Tiny(t, mae.Method), train.Env{})
	want, _ := traintest.ModelTensors(t, first.Model)
	for _, path := range []string{first.Dir, traintest.Checkpoints(t, first.Dir)[1]} {
		c := runtest.Tiny(t, mae.Method, "init_from="+path, "train.epochs=1", "train.lr=0", "train.min_lr=0", "seed=5")
		got, _ := traintest.ModelTensors(t, runtest.Train(t, mae.Method, c, train.Env{}).Model)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("from %s:\n%s", path, d)
		}
	}
}

// Validation has the same masks whatever the batch, and in each validation.
func TestValidationOfAnotherBatch(t *testing.T) {
	var got []float64
	for _, set := range []string{"data.eval.batch=4", "data.eval.batch=7"} {
		res := runtest.Train(t, mae.Method, runtest.Tiny(t, mae.Method, set, "train.epochs=1"), train.Env{})
		got = append(got, res.Final.Values["loss_pixels"])
	}
	if math.Abs(got[0]-got[1]) > 1e-5 {
		t.Errorf("losses %v", got)
	}
}

// The finished model gives features.
func TestFeatures(t *testing.T) {
	res := runtest.Train(t, mae.Method, runtest.Tiny(t, mae.Method), train.Env{})
	e := runtest.Encoder(t, tensor.CPU(), res.Dir)
	if e.Width() != 32 || e.Model.Kind != mae.Kind || e.ViT.Depth != 2 {
		t.Errorf("encoder of width %d, kind %s, %+v", e.Width(), e.Model.Kind, e.ViT)
	}
}

// allTokens are those of an image.
func allTokens(e beit.Encoder) []float32 {
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	images := tape.Own(tensor.FromSlice(tensor.CPU(), traintest.Pixels(3*16*16), 1, 3, 16, 16))
	return e.AllTokens(nn.Context{Tape: tape}, images).Value().Float32s()
}

// A classifier starts as a run's encoder, or as what is exported of it: with mean pooling, absolute positions and no relative ones.
func TestFineTunes(t *testing.T) {
	first := runtest.Train(t, mae.Method, runtest.Tiny(t, mae.Method, "mae.model.vit.width=64", "mae.model.vit.heads=1"), train.Env{})
	exported := filepath.Join(t.TempDir(), "encoder.pth")
	if _, _, err := runtest.Open(t, first.Dir).Encoder().Convert(t.Context(), exported, weights.Official, nil); err != nil {
		t.Fatal(err)
	}
	want, _ := traintest.ModelTensors(t, first.Model)
	for _, from := range []string{first.Dir, exported, traintest.Checkpoints(t, first.Dir)[1]} {
		c, start, err := finetune.Method.Configure("small32", "", []string{
			"precision=highest", "data.path=procedural:40", "train.batch=8", "train.epochs=1", "train.lr=0", "train.min_lr=0", "train.weight_decay=0",
			"init_from=" + from, "data.eval.batch=4", "data.augment=none",
		}, model.Opener())
		if err != nil {
			t.Fatal(err)
		}
		start.Close()
		v := finetune.SectionOf(c).Model
		if !v.MeanPool || !v.AbsPos || v.RelPos != beit.RelPosNone || v.LayerScale != 0 || v.Width != 64 || v.ImageSize != 16 {
			t.Errorf("from %s: %+v", from, v)
		}
		got, _ := traintest.ModelTensors(t, runtest.Train(t, finetune.Method, c, train.Env{}).Model)
		values := map[string][]float32{}
		for _, n := range got {
			values[n.Name] = n.Float32s
		}
		for _, n := range want {
			switch {
			case strings.HasPrefix(n.Name, "decoder_"), n.Name == "mask_token", strings.HasPrefix(n.Name, "norm."):
			case strings.HasSuffix(n.Name, "attn.qkv.bias"):
				for third, name := range map[int]string{0: "q_bias", 2: "v_bias"} {
					if bias := values[strings.TrimSuffix(n.Name, "qkv.bias")+name]; !slices.Equal(bias, n.Float32s[64*third:64*(third+1)]) {
						t.Errorf("from %s: %s does not start as %s", from, name, n.Name)
					}
				}
			case !slices.Equal(values[n.Name], n.Float32s):
				t.Errorf("from %s: %s does not start as the encoder's", from, n.Name)
			}
		}
	}
}

// Its encoder teaches a tokenizer.
func TestTeaches(t *testing.T) {
	dir := runtest.Folder(t, mae.Method)
	c := runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher=run", "tokenizer.teacher_run="+dir, "train.epochs=1")
	res := runtest.Train(t, tokenizer.Method, c, train.Env{})
	if dim := tokenizer.SectionOf(res.Config).Model.TargetDim; dim != 32 {
		t.Errorf("%d dimensions, want the encoder's width 32", dim)
	}
}
