package segment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/experiment"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/tensor"
)

// Eight images are learned by heart: nearly all pixels are right. The finished model, opened from its file, finds the same.
func TestOverfits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute under the race detector")
	}
	images := data.Shapes(8, 32, 1)
	c := runtest.Tiny(t, segment.Method, "data.augment=none", "train.batch=8", "train.epochs=120", "train.lr=1e-2", "train.weight_decay=0", "train.warmup_epochs=5",
		"log.eval_every=120", "log.every=40", "segment.layer_decay=1", "segment.model.dropout=0", "segment.model.vit.drop_path=0",
		"segment.model.head_channels=32", "segment.model.aux_channels=0", "segment.augment.long=32", "segment.augment.short=32", "segment.model.vit.patch_size=4")
	res := runtest.Train(t, segment.Method, c, train.Env{Source: &data.Source{Train: images, Val: images}})
	v := res.Final.Values
	if v["pixel_accuracy"] < 0.95 || v["miou"] < 0.7 || v["best_miou"] != v["miou"] {
		t.Errorf("%v", v)
	}
	if _, err := os.Stat(filepath.Join(res.Dir, run.BestFile)); err != nil {
		t.Error(err)
	}
	m := runtest.Open(t, res.Dir)
	built, err := segment.Build(tensor.CPU(), m, "")
	if err != nil {
		t.Fatal(err)
	}
	defer built.Set.Release()
	if len(built.Names()) != 11 || built.Names()[0] != "ground" {
		t.Errorf("classes %v", built.Names())
	}
	env := experiment.EvalEnv(experiment.Env{}, segment.Method, m.Config, m.Config.Data.Eval, nil, images)
	report, err := segment.Evaluate(t.Context(), env, built.Segmenter, built.View, images, nil)
	if err != nil || report.MeanIoU != v["miou"] || report.PixelAcc != v["pixel_accuracy"] {
		t.Errorf("the file gives %g, %g, error %v; the run %g, %g", report.MeanIoU, report.PixelAcc, err, v["miou"], v["pixel_accuracy"])
	}
	if _, err := segment.Build(tensor.CPU(), m, "0,0,0,0"); err != nil {
		t.Error(err)
	}
}

// A segmenter starts from what each method leaves: all tensors of the backbone are loaded.
func TestStartsFromAnyRun(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	first := runtest.Train(t, segment.Method, runtest.Tiny(t, segment.Method), train.Env{}).Dir
	for name, path := range map[string]string{
		"tokenizer": tok, "pretrain": runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+tok), "dino": runtest.Folder(t, dino.Method), "mae": runtest.Folder(t, mae.Method),
		"finetune": runtest.Folder(t, finetune.Method), "segment": first,
	} {
		t.Run(name, func(t *testing.T) {
			c, start, err := segment.Method.Configure("", "", []string{
				"init_from=" + path, "data.path=procedural:16", "train.batch=8", "train.epochs=1", "segment.model.head_channels=8", "segment.model.vit.image_size=32",
				"segment.model.aux_channels=6", "precision=highest",
			}, model.Opener())
			if err != nil {
				t.Fatal(err)
			}
			defer start.Close()
			s := segment.SectionOf(c)
			if s.Model.ViT.Width != 32 || s.Model.ViT.Depth != 2 || s.Model.ViT.RelPos == beit.RelPosShared || s.Augment.Short != 32 {
				t.Errorf("%+v", s)
			}
			want, err := start.Encoder().Backbone()
			if err != nil {
				t.Fatal(err)
			}
			v := want.ViT
			if s.Model.ViT.PatchSize != v.PatchSize {
				t.Errorf("patches of %d, the model has %d", s.Model.ViT.PatchSize, v.PatchSize)
			}
			res := runtest.Train(t, segment.Method, c, train.Env{})
			if res.Diverged != "" {
				t.Error(res.Diverged)
			}
		})
	}
}

// The card of a run's file describes the network, and reads back.
func TestCard(t *testing.T) {
	res := runtest.Train(t, segment.Method, runtest.Tiny(t, segment.Method, "segment.model.taps=0,0,1,1"), train.Env{})
	m := runtest.Open(t, res.Model)
	n, ok := m.Network.(*beit.SegmenterConfig)
	if !ok {
		t.Fatalf("%T", m.Network)
	}
	if d := cmp.Diff(segment.SectionOf(res.Config).Model, *n); d != "" {
		t.Error(d)
	}
	var _ *method.Model = m
}

// Images of other channels have a normalisation for each, and a preset does without what needs red, green and blue.
func TestChannels(t *testing.T) {
	configure := func(set ...string) (*config.Config, error) {
		c, _, err := segment.Method.Configure("tiny32", "", append(set, "data.path=images"), model.Opener())
		return c, err
	}
	c, err := configure("segment.model.vit.channels=4")
	if err != nil {
		t.Fatal(err)
	}
	if in := segment.Method.Card(c).Input; in.Bands == nil || in.View().Channels() != 4 || segment.SectionOf(c).Augment.Distort || len(c.Notes) != 1 {
		t.Errorf("input %+v, notes %q", in, c.Notes)
	}
	if c, err = configure("segment.model.vit.channels=4", "segment.augment.distort=false"); err != nil || len(c.Notes) != 0 {
		t.Errorf("distortion that is off already: notes %q, error %v", c.Notes, err)
	}
	for want, set := range map[string][]string{
		"from 1 to 16":             {"segment.model.vit.channels=17"},
		"distort to false":         {"data.keep_16_bits=true", "segment.augment.distort=true"},
		"one for each of 4":        {"segment.model.vit.channels=4", "segment.norm=1,2/3,4"},
		"takes squares alone":      {"segment.model.vit.image_size=96x128"},
		"segment.norm: \"purple\"": {"segment.norm=purple"},
	} {
		if _, err := configure(set...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v", set, err)
		}
	}
}
