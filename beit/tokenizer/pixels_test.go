package tokenizer_test

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/dino"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
)

// A tokenizer of pixels has their figures, goes on with the same bytes when it was interrupted, is measured with baselines, and serves pretraining.
func TestPixels(t *testing.T) {
	m := tokenizer.Method
	through := []string{"tokenizer.perceptual=0.5", "tokenizer.teacher_run=" + runtest.Folder(t, dino.Method)}
	for name, set := range map[string][]string{"pixels alone": nil, "perceptual": through} {
		t.Run(name, func(t *testing.T) {
			cfg := runtest.Tiny(t, m, append(set, "tokenizer.teacher=pixels", "train.accumulation_steps=2")...)
			res := runtest.Train(t, m, cfg, train.Env{})
			for _, r := range traintest.Metrics(t, res.Dir) {
				v := r.Values
				if got := v["loss_pixels"] + 0.5*v["loss_perceptual"]; !(v["loss_pixels"] > 0) || math.Abs(got-v["loss_reconstruction"]) > 1e-5 || (v["loss_perceptual"] > 0) != (set != nil) {
					t.Errorf("%s record: %v", r.Kind, v)
				}
			}
			if got := tokenizer.SectionOf(res.Config).Model.TargetDim; got != 3*4*4 {
				t.Errorf("target_dim = %d", got)
			}

			dir := filepath.Join(t.TempDir(), "run")
			runtest.Stopped(t, "train", 7, func(ctx context.Context, env train.Env) error {
				_, err := train.Run(ctx, dir, m, cfg, env)
				return err
			})
			if _, err := train.Resume(context.Background(), dir, model.Methods(), train.Env{Open: model.Opener()}, nil); err != nil {
				t.Fatal(err)
			}
			if d := traintest.Differing(traintest.Contents(t, res.Dir, m), traintest.Contents(t, dir, m)); d != nil {
				t.Errorf("interrupted: different %v", d)
			}

			tok := built(t, res.Dir)
			teacher, err := tok.OpenTeacher(model.Opener())
			if err != nil {
				t.Fatal(err)
			}
			defer teacher.Release()
			rep, err := tokenizer.Evaluate(t.Context(), traintest.Env(t, m, res.Config, nil), tok.VQKD, teacher)
			if err != nil {
				t.Fatal(err)
			}
			if rep.Pixels != res.Final.Values["loss_pixels"] || !(0 < rep.KMeans && rep.KMeans < rep.Constant && rep.MeanColour < 2*rep.Constant) {
				t.Errorf("evaluation %+v, the run's last validation %v", rep, res.Final.Values)
			}
			runtest.Folder(t, pretrain.Method, "pretrain.tokenizer="+res.Dir, "train.epochs=1")
			cfg = runtest.Tiny(t, pretrain.Method, "pretrain.tokenizer="+res.Dir, "pretrain.target=features")
			_, err = train.Run(t.Context(), t.TempDir(), pretrain.Method, cfg, train.Env{Open: model.Opener()})
			if err == nil || !strings.Contains(err.Error(), "the tokenizer rebuilds pixels and has no teacher") {
				t.Errorf("features of pixels: error %v", err)
			}
		})
	}
}

// Eight images are learned by heart: much of what the mean colour gets wrong is right, and they look more alike to the frozen network.
func TestPixelsOfEightImages(t *testing.T) {
	images := data.Procedural(8, 16, 3)
	cfg := runtest.Tiny(t, tokenizer.Method, "tokenizer.teacher=pixels", "tokenizer.perceptual=0.1", "tokenizer.teacher_run="+runtest.Folder(t, dino.Method),
		"train.epochs=600", "train.lr=3e-3", "train.warmup_epochs=10", "train.batch=8", "data.augment=none", "log.eval_every=600", "log.checkpoint_epochs=600",
		"log.knn_every=0", "tokenizer.model.encoder.width=64", "tokenizer.model.decoder.width=64", "tokenizer.model.codes=128", "tokenizer.kmeans_tokens=128")
	res := runtest.Train(t, tokenizer.Method, cfg, train.Env{Source: &data.Source{Train: images, Val: images}})
	first, last := traintest.Metrics(t, res.Dir)[0].Values, res.Final.Values
	if !(last["loss_pixels"] < 0.25*last["loss_mean_colour"] && last["loss_perceptual"] < 0.5*first["loss_perceptual"]) {
		t.Errorf("the first step %v, the last validation %v", first, last)
	}
	t.Log(last)
}

// What a perceptual loss needs, and what has none.
func TestPixelsRefused(t *testing.T) {
	tok := runtest.Folder(t, tokenizer.Method)
	for set, want := range map[string]string{
		"tokenizer.teacher=pixels tokenizer.perceptual=1":                                                                   "tokenizer.teacher_run: name the run or file of a teacher",
		"tokenizer.teacher=pixels tokenizer.perceptual=1 tokenizer.model.encoder.patch_size=8 tokenizer.teacher_run=" + tok: "tokenizer.teacher_run: ",
	} {
		cfg := runtest.Tiny(t, tokenizer.Method, strings.Fields(set)...)
		_, err := train.Run(t.Context(), filepath.Join(t.TempDir(), "run"), tokenizer.Method, cfg, train.Env{Open: model.Opener()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", set, err, want)
		}
	}
	for set, want := range map[string]string{
		"tokenizer.perceptual=1":                                   "tokenizer.perceptual = 1: the decoder rebuilds no pixels: set tokenizer.teacher=pixels",
		"tokenizer.teacher=pixels tokenizer.teacher_run=runs/dino": "tokenizer.teacher_run: pixels alone are compared",
	} {
		if _, _, err := tokenizer.Method.Configure("tiny32", "", strings.Fields(set), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", set, err, want)
		}
	}
}
