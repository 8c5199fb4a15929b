package pretrain_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// tinyDALLE configures a run of BEiT v1.
func tinyDALLE(t *testing.T, set ...string) *config.Config {
	t.Helper()
	return runtest.Tiny(t, pretrain.Method, append([]string{
		"pretrain.target=dalle", "pretrain.tokenizer=" + traintest.DALLE(t), "pretrain.model.aggregation.depth=0", "pretrain.visible=0",
	}, set...)...)
}

// A run interrupted anywhere and resumed has the bytes of one that was not, with codes that are kept and with those of random crops.
func TestDALLERun(t *testing.T) {
	for _, augment := range []string{config.AugmentCrop, config.AugmentNone} {
		c := tinyDALLE(t, "data.augment="+augment)
		res := runtest.Train(t, pretrain.Method, c, train.Env{})
		for _, key := range []string{"loss_mim", "acc_mim", "unigram_entropy", "acc_nearest_patch", "codes_used", "perplexity"} {
			if v, ok := res.Final.Values[key]; !ok || v < 0 {
				t.Errorf("%s: validation lacks %s: %+v", augment, key, res.Final)
			}
		}
		m := runtest.Open(t, res.Model)
		if s := pretrain.SectionOf(m.Config); s.Model.Vocab != 23 {
			t.Errorf("%s: %d outputs, want 23", augment, s.Model.Vocab)
		}
		if _, _, err := model.Predicts(m); err == nil || !strings.Contains(err.Error(), "the codes of DALL-E's encoder") {
			t.Errorf("%s: for predictions of a tokenizer's codes: error %v", augment, err)
		}
		r := &traintest.Reporter{OnProgress: func(p method.Progress) {
			if p.Phase == "encode" {
				t.Errorf("%s: a finished run makes codes once more", augment)
			}
		}}
		if _, err := train.Resume(context.Background(), res.Dir, model.Methods(), train.Env{Open: model.Opener(), Reporter: r}, nil); err != nil {
			t.Fatal(err)
		}
		sameWhenStopped(t, res.Dir, []int{3, 7}, func() *config.Config { return tinyDALLE(t, "data.augment="+augment) })
	}
}

// sameWhenStopped wants runs that are stopped after some steps and resumed to leave the bytes of the whole run in a folder.
func sameWhenStopped(t *testing.T, whole string, steps []int, configured func() *config.Config) {
	t.Helper()
	want := traintest.Contents(t, whole, pretrain.Method)
	for _, after := range steps {
		dir := filepath.Join(t.TempDir(), "stopped")
		runtest.Stopped(t, "train", after, func(ctx context.Context, env train.Env) error {
			_, err := train.Run(ctx, dir, pretrain.Method, configured(), env)
			return err
		})
		if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{Open: model.Opener()}, nil); err != nil {
			t.Fatal(err)
		}
		if d := traintest.Differing(want, traintest.Contents(t, dir, pretrain.Method)); d != nil {
			t.Errorf("stopped after step %d: different %v", after, d)
		}
	}
}

// What does not go together is refused in a line that says what to do.
func TestDALLEErrors(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	for _, c := range []struct{ set, want string }{
		{"pretrain.shuffle_codes=true", `pretrain.shuffle_codes: must be false with pretrain.target = "dalle"`},
		{"pretrain.from_tokenizer=true", `pretrain.from_tokenizer: must be false with pretrain.target = "dalle"`},
		{"data.augment=pad-crop", `data.augment = "pad-crop": must be "crop" or "none" with pretrain.target = "dalle"`},
	} {
		bad := tinyDALLE(t)
		if err := bad.Set(c.set); err != nil {
			t.Fatal(err)
		}
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.set, err, c.want)
		}
	}
	for _, c := range []struct{ set, want string }{
		{"pretrain.tokenizer=" + tok, `pretrain.target = "dalle" needs DALL-E's encoder ('beit pull dalle-encoder')`},
		{"pretrain.target=codes", "its codes are learned with --method beit1"},
	} {
		_, err := train.Run(context.Background(), filepath.Join(t.TempDir(), "run"), pretrain.Method, tinyDALLE(t, c.set), train.Env{Open: model.Opener()})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", c.set, err, c.want)
		}
	}
}

// The estimate of memory has the codes that are kept, in 16 bits each: those of validation images, and of training images that are always shown alike.
func TestMemoryOfKeptCodes(t *testing.T) {
	images := train.Env{Open: model.Opener(), Source: &data.Source{Train: data.Procedural(40, 16, 1), Val: data.Procedural(10, 16, 2)}}
	const each = 16*2 + 1 // patches
	for augment, want := range map[string]int64{config.AugmentCrop: 10 * each, config.AugmentNone: 50 * each} {
		mem, err := train.EstimateMemory(t.Context(), pretrain.Method, tinyDALLE(t, "data.augment="+augment, "data.cache_mb=0"), images)
		if err != nil || mem.Cache != want {
			t.Errorf("%s: %d bytes are kept, want %d; error %v", augment, mem.Cache, want, err)
		}
	}
	shuffled := runtest.Tiny(t, pretrain.Method, "pretrain.shuffle_codes=true", "data.cache_mb=0", "pretrain.tokenizer="+runtest.Folder(t, tokenizer.Method))
	if mem, err := train.EstimateMemory(t.Context(), pretrain.Method, shuffled, images); err != nil || mem.Cache != 50*16*4 {
		t.Errorf("shuffled codes: %d bytes are kept, error %v", mem.Cache, err)
	}
}

// The encoder sees 8 pixels for each of the network's patches, of the same part of the image, by Lanczos and not normalised.
func TestDALLEView(t *testing.T) {
	c, _, err := pretrain.Method.Configure("base_beit1", "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.View{
		{Name: method.FieldImage, Size: 224, Filter: data.Bicubic, Norm: data.ImageNet}, {Name: method.FieldTarget, Size: 112, Filter: data.Lanczos, Norm: data.Unit},
	}
	if d := cmp.Diff(want, pretrain.Method.Train(c).(*data.RandomCrop).Views); d != "" {
		t.Errorf("views (-want +got):\n%s", d)
	}
}

// TestBEiT1Presets compares with the commands of beit/README.md for ImageNet-1k, written down apart from this code.
func TestBEiT1Presets(t *testing.T) {
	for name, want := range map[string]struct {
		width, depth, heads int
		layerScale          float64
	}{"base_beit1": {768, 12, 12, 0.1}, "large_beit1": {1024, 24, 16, 1e-5}} {
		c, s := pretrain.Method.Preset(name), section(name)
		v := s.Model.ViT
		if v.Width != want.width || v.Depth != want.depth || v.Heads != want.heads || v.LayerScale != want.layerScale || v.DropPath != 0.1 ||
			v.RelPos != beit.RelPosShared || v.AbsPos || v.ImageSize != 224 || v.PatchSize != 16 {
			t.Errorf("%s: %+v", name, v)
		}
		if s.Target != "dalle" || s.Model.Vocab != 8192 || s.Model.Aggregation.Depth != 0 || s.Visible != 0 || s.FromTokenizer ||
			s.Mask != (beit.MaskConfig{Rows: 14, Cols: 14, Count: 75, MinBlock: 16}) {
			t.Errorf("%s: %+v", name, s)
		}
		train := config.Train{
			Epochs: 800, Batch: 2048, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
			Decay: 0.05, Clip: 3, MinCropScale: 0.08, AccumulationSteps: 1, LRScaling: "none", LRBatch: 2048,
		}
		if d := cmp.Diff(train, c.Train); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if c.Data.Augment != "crop" || c.Data.Jitter != 0.4 {
			t.Errorf("%s: images are shown as %+v", name, c.Data)
		}
	}
	for _, name := range []string{"small32", "small64", "small128", "small224"} {
		if images := pretrain.Method.Cost(pretrain.Method.Preset(name + "_beit1")).Images; images != method.OwnImages {
			t.Errorf("%s_beit1 is for %v images", name, images)
		}
		v1, v2 := section(name+"_beit1"), section(name)
		if v1.Model.ViT != v2.Model.ViT || v1.Model.Vocab != v2.Model.Vocab || v1.Mask != v2.Mask || v1.Target != "codes" || v1.Model.Aggregation.Depth != 0 ||
			v1.Visible != 0 || v1.FromTokenizer || pretrain.TokenizerPreset(name+"_beit1") != name {
			t.Errorf("%s_beit1: %+v", name, v1)
		}
	}
}

// Labels cost 1.5 forward passes of the student with random crops, and next to nothing where an image's codes are kept.
func TestDALLECost(t *testing.T) {
	c := pretrain.Method.Preset("base_beit1")
	crops := pretrain.Method.Cost(c).FLOPs
	c.Data.Augment = config.AugmentNone
	kept := pretrain.Method.Cost(c).FLOPs
	s := pretrain.SectionOf(c)
	if ratio := (crops - kept) / s.Model.ViT.FLOPs(); ratio < 1.4 || ratio > 1.6 {
		t.Errorf("labels take %g forward passes", ratio)
	}
	if want := 799. / 800 * beit.PublishedDALLE.FLOPs(112); !(crops-kept > 0.999*want && crops-kept < 1.001*want) {
		t.Errorf("kept codes save %g, want %g", crops-kept, want)
	}
}
