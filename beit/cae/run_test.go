package cae_test

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
	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tinyOf configures a tiny run that learns from a tokenizer.
func tinyOf(t *testing.T, tok string, set ...string) *config.Config {
	t.Helper()
	return runtest.Tiny(t, cae.Method, append([]string{"cae.tokenizer=" + tok}, set...)...)
}

// A run writes its figures, and its model has all parameters and the positions, without the encoder's copy.
func TestRun(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	res := runtest.Train(t, cae.Method, tinyOf(t, tok), train.Env{})
	for _, r := range traintest.Metrics(t, res.Dir) {
		if v := r.Values["loss_mim"] + r.Values["loss_latents"]; math.Abs(v-r.Values["loss"]) > 1e-5 || !(r.Values["loss_latents"] > 0) {
			t.Errorf("%s record %v", r.Kind, r.Values)
		}
		if r.Kind == run.KindVal && !(r.Values["loss_mean_latent"] > 0 && r.Values["unigram_entropy"] > 0 && r.Values["perplexity"] > 1) {
			t.Errorf("%s record %v", r.Kind, r.Values)
		}
	}
	if res.Final.Kind != run.KindVal || filepath.Base(res.Model) != "context.safetensors" {
		t.Errorf("result %+v", res)
	}
	f, err := state.OpenSafetensors(res.Model)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const encoder, regressor, decoder = 6 + 2*15, 2 * 21, 2 * 15
	if names := f.Names(); len(names) != encoder+regressor+decoder+4+1+4+2 {
		t.Errorf("the finished model has %d tensors: %v", len(names), names)
	}
	if vocab := cae.SectionOf(res.Config).Model.Vocab; vocab != 32 {
		t.Errorf("%d outputs, want the tokenizer's 32 codes", vocab)
	}
}

// Interrupted and resumed, a run ends with the same bytes.
func TestResume(t *testing.T) {
	c := tinyOf(t, runtest.Folder(t, tokenizer.Method), "log.every=3", "train.accumulation_steps=2")
	want := traintest.Contents(t, runtest.Train(t, cae.Method, c, train.Env{}).Dir, cae.Method)
	for _, after := range []int{1, 4, 7} {
		dir := filepath.Join(t.TempDir(), "run")
		runtest.Stopped(t, "train", after, func(ctx context.Context, env train.Env) error {
			_, err := train.Run(ctx, dir, cae.Method, c, env)
			return err
		})
		if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{Open: model.Opener()}, nil); err != nil {
			t.Fatal(err)
		}
		if d := traintest.Differing(want, traintest.Contents(t, dir, cae.Method)); d != nil {
			t.Errorf("stopped after step %d: different %v", after, d)
		}
	}
}

// After a run the encoder's copy is what the encoder was before the last update, however many micro-batches a step has.
func TestCopyLagsOneUpdate(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	for _, parts := range []string{"1", "2"} {
		res := runtest.Train(t, cae.Method, tinyOf(t, tok, "train.accumulation_steps="+parts, "log.checkpoint=1", "log.keep=2"), train.Env{})
		list := traintest.Checkpoints(t, res.Dir)
		values := func(path string) map[string][]float32 {
			tensors, _ := traintest.ModelTensors(t, path)
			all := map[string][]float32{}
			for _, n := range tensors {
				all[n.Name] = n.Float32s
			}
			return all
		}
		before, after := values(list[len(list)-2]), values(list[len(list)-1])
		same, moved := 0, 0
		for name, v := range after {
			rest, ok := strings.CutPrefix(name, "teacher.")
			if !ok {
				continue
			}
			if same++; !slices.Equal(v, before["encoder."+rest]) {
				t.Errorf("%s parts: %s is not the encoder's of the step before", parts, name)
			}
			if !slices.Equal(v, after["encoder."+rest]) {
				moved++
			}
		}
		if same != 36 || moved < 30 {
			t.Errorf("%s parts: %d tensors of the copy, of which %d are not the encoder's of now", parts, same, moved)
		}
	}
}

// Eight images are learned by heart: nearly all codes, and latents better than by their image's mean. Those depend on the
// masks, which are others in each epoch.
func TestOverfitsEightImages(t *testing.T) {
	images := data.Procedural(8, 16, 3)
	tok := runtest.Folder(t, tokenizer.Method)
	c := tinyOf(t, tok, "train.epochs=800", "train.lr=3e-3", "train.warmup_epochs=10", "train.batch=8", "data.augment=none", "cae.model.vit.drop_path=0",
		"cae.model.vit.width=64", "cae.model.neck.width=64", "log.eval_every=800", "log.checkpoint_epochs=800", "log.knn_every=0")
	res := runtest.Train(t, cae.Method, c, train.Env{Source: &data.Source{Train: images, Val: images}})
	v := res.Final.Values
	if !(v["loss_mim"] < 0.1*v["unigram_entropy"] && v["acc_mim"] > 0.95 && v["loss_latents"] < 0.8*v["loss_mean_latent"]) {
		t.Errorf("after 800 steps %v", v)
	}
	t.Logf("%v", v)
}

// A run starts from another's model and takes all of it.
func TestStart(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	first := runtest.Train(t, cae.Method, tinyOf(t, tok), train.Env{})
	want, _ := traintest.ModelTensors(t, first.Model)
	for _, path := range []string{first.Dir, traintest.Checkpoints(t, first.Dir)[1]} {
		c := tinyOf(t, tok, "init_from="+path, "train.epochs=1", "train.lr=0", "train.min_lr=0", "seed=5")
		got, _ := traintest.ModelTensors(t, runtest.Train(t, cae.Method, c, train.Env{}).Model)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("from %s:\n%s", path, d)
		}
	}
}

// Validation has the same masks whatever the batch.
func TestValidationOfAnotherBatch(t *testing.T) {
	var got []map[string]float64
	tok := runtest.Folder(t, tokenizer.Method)
	for _, set := range []string{"data.eval.batch=4", "data.eval.batch=7"} {
		got = append(got, runtest.Train(t, cae.Method, tinyOf(t, tok, set, "train.epochs=1"), train.Env{}).Final.Values)
	}
	for _, key := range []string{"loss", "loss_mim", "loss_latents", "loss_mean_latent", "acc_mim", "acc_nearest_patch", "unigram_entropy"} {
		if math.Abs(got[0][key]-got[1][key]) > 1e-5 {
			t.Errorf("%s: %g and %g", key, got[0][key], got[1][key])
		}
	}
}

// allTokens are those of an image of the encoder's size.
func allTokens(e *model.Encoder) []float32 {
	tape, side := autograd.NewTape(tensor.CPU()), e.ViT.ImageSize
	defer tape.Reset()
	images := tape.Own(tensor.FromSlice(tensor.CPU(), traintest.Pixels(3*side*side), 1, 3, side, side))
	return e.AllTokens(nn.Context{Tape: tape}, images).Value().Float32s()
}

// wide are the sizes of an encoder whose file tells the number of heads.
var wide = []string{"cae.model.vit.width=64", "cae.model.vit.heads=1"}

// A classifier starts as a run's encoder, or as what is exported of it: with mean pooling, absolute positions and, where it is asked for, new tables of
// relative ones.
func TestFineTunes(t *testing.T) {
	first := runtest.Train(t, cae.Method, tinyOf(t, runtest.Folder(t, tokenizer.Method), wide...), train.Env{})
	exported := filepath.Join(t.TempDir(), "encoder.pth")
	if _, _, err := runtest.Open(t, first.Dir).Encoder().Convert(t.Context(), exported, weights.Official, nil); err != nil {
		t.Fatal(err)
	}
	want, _ := traintest.ModelTensors(t, first.Model)
	for _, from := range []string{first.Dir, exported, traintest.Checkpoints(t, first.Dir)[1]} {
		for _, pos := range []beit.RelPos{beit.RelPosNone, beit.RelPosBlock} {
			c, start, err := finetune.Method.Configure("small32", "", []string{
				"precision=highest", "data.path=procedural:40", "train.batch=8", "train.epochs=1", "train.lr=0", "train.min_lr=0", "train.weight_decay=0",
				"init_from=" + from, "data.eval.batch=4", "data.augment=none", "finetune.model.rel_pos=" + string(pos),
			}, model.Opener())
			if err != nil {
				t.Fatal(err)
			}
			start.Close()
			v := finetune.SectionOf(c).Model
			if !v.MeanPool || !v.AbsPos || v.RelPos != pos || v.LayerScale == 0 || v.Width != 64 || v.ImageSize != 16 {
				t.Errorf("from %s: %+v", from, v)
			}
			got, _ := traintest.ModelTensors(t, runtest.Train(t, finetune.Method, c, train.Env{}).Model)
			values, tables := map[string][]float32{}, 0
			for _, n := range got {
				values[n.Name] = n.Float32s
				if strings.HasSuffix(n.Name, "relative_position_bias_table") {
					tables++
				}
			}
			if tables != map[beit.RelPos]int{beit.RelPosNone: 0, beit.RelPosBlock: 2}[pos] {
				t.Errorf("from %s: %d tables with rel_pos = %s", from, tables, pos)
			}
			for _, n := range want {
				name, ok := strings.CutPrefix(n.Name, "encoder.")
				if ok && !strings.HasPrefix(name, "norm.") && !slices.Equal(values[name], n.Float32s) {
					t.Errorf("from %s: %s does not start as the encoder's", from, name)
				}
			}
		}
	}
}

// The preset after CAE has tables for a model that has none; other presets have none.
func TestFineTuningPreset(t *testing.T) {
	dir := runtest.Folder(t, cae.Method, append([]string{"cae.tokenizer=" + runtest.Folder(t, tokenizer.Method)}, wide...)...)
	for preset, want := range map[string]beit.RelPos{"base_cae": beit.RelPosBlock, "base_1600e": beit.RelPosNone} {
		c, start, err := finetune.Method.Configure(preset, "", []string{"data.path=procedural:40", "init_from=" + dir, "data.pad=2"}, model.Opener())
		if err != nil {
			t.Fatal(err)
		}
		start.Close()
		if got := finetune.SectionOf(c).Model.RelPos; got != want {
			t.Errorf("%s: rel_pos %s, want %s", preset, got, want)
		}
	}
}

// Its encoder teaches a tokenizer, and gives features.
func TestTeaches(t *testing.T) {
	dir := runtest.Folder(t, cae.Method, "cae.tokenizer="+runtest.Folder(t, tokenizer.Method))
	c := runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher=run", "tokenizer.teacher_run="+dir, "train.epochs=1")
	res := runtest.Train(t, tokenizer.Method, c, train.Env{})
	if dim := tokenizer.SectionOf(res.Config).Model.TargetDim; dim != 32 {
		t.Errorf("%d dimensions, want the encoder's width 32", dim)
	}
	e := runtest.Encoder(t, tensor.CPU(), dir)
	if e.Width() != 32 || e.Model.Kind != cae.Kind || e.ViT.Depth != 2 {
		t.Errorf("encoder of width %d, kind %s, %+v", e.Width(), e.Model.Kind, e.ViT)
	}
}

// A tokenizer for other patches is refused, with both shapes.
func TestTokenizerOfOtherPatches(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	c := tinyOf(t, tok, "cae.model.vit.patch_size=8")
	_, err := train.Run(context.Background(), filepath.Join(t.TempDir(), "run"), cae.Method, c, train.Env{Open: model.Opener()})
	if err == nil || !strings.Contains(err.Error(), "cae.tokenizer: ") || !strings.Contains(err.Error(), "4 x 4 patches, the model images of 16 in 2 x 2") {
		t.Errorf("error %v", err)
	}
}
