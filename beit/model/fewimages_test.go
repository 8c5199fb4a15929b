package model_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/tokenizer"
)

// fitted is what FitImages changes in a configuration.
func fitted(t *testing.T, c *config.Config, n int) []string {
	t.Helper()
	changed := c.FitImages(n)
	if err := c.Check(); err != nil {
		t.Errorf("%s %s for %d images: %v", c.Method, c.Preset, n, err)
	}
	return changed
}

// own is a configuration of the tokenizer with a preset and assignments.
func own(t *testing.T, preset string, set ...string) *config.Config {
	t.Helper()
	c, err := config.Configure(tokenizer.Method.Spec, preset, "", set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFitImages(t *testing.T) {
	for n, want := range map[int]string{
		20: "train.epochs 179 (8), train.batch 16 (128), train.warmup_epochs 35 (1), log.every 1 (20), log.checkpoint_epochs 9 (1), log.eval_every 9 (1), log.knn_every 9 (5), " +
			"tokenizer.model.codes 64 (512)",
		200: "train.epochs 57 (8), train.batch 32 (128), train.warmup_epochs 7 (1), log.every 6 (20), log.checkpoint_epochs 3 (1), log.eval_every 3 (1), " +
			"tokenizer.model.codes 128 (512)",
		2000:  "train.epochs 18 (8), train.batch 64 (128), train.warmup_epochs 2 (1), tokenizer.model.codes 256 (512)",
		20000: "",
	} {
		if d := cmp.Diff(want, strings.Join(fitted(t, own(t, "small32"), n), ", ")); d != "" {
			t.Errorf("%d images (-want +got):\n%s", n, d)
		}
	}
	for n := 1; n < 20000; n = 3*n + 1 {
		for _, m := range model.Methods() {
			for _, name := range m.Presets {
				c, err := config.Configure(m.Spec, name, "", nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				before := c.Clone()
				changed := fitted(t, c, n)
				steps := max(1, n/min(n, c.Train.Batch))
				switch own := slices.Contains([]string{"tiny32", "mini32", "small32", "small64", "small128", "small224"}, strings.TrimSuffix(strings.TrimSuffix(name, "_beit1"), "_peco")); {
				case !own || n >= 10000:
					if changed != nil || !config.Equal(before, c) {
						t.Errorf("%s %s for %d images: changed %v", m.Name, name, n, changed)
					}
				case c.Log.Every > steps || c.Train.WarmupEpochs > max(1, before.Train.WarmupEpochs, c.Train.Epochs/5) || c.Train.Batch > before.Train.Batch:
					t.Errorf("%s %s for %d images: log.every %d, warm-up %d of %d epochs of %d steps", m.Name, name, n, c.Log.Every, c.Train.WarmupEpochs,
						c.Train.Epochs, steps)
				}
			}
		}
	}
}

// What somebody assigned stays, on the command line or in a file, by an old name too.
func TestFitImagesKeepsAssignments(t *testing.T) {
	c := own(t, "small64", "tokenizer.model.codes=300", "train.batch=100", "train.epochs=3", "train.warmup_epochs=2", "log.every=7", "log.eval_every=2")
	if changed := fitted(t, c, 200); changed != nil {
		t.Errorf("changed %v", changed)
	}
	c = own(t, "small64", "train.epochs=3", "train.accum=64") // by which 32 images cannot be divided
	if d := cmp.Diff([]string{"log.every 1 (20)", "tokenizer.model.codes 128 (512)"}, fitted(t, c, 200)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, set := range [][]string{{"train.epoch_steps=4"}, {"train.epoch_steps=0"}} {
		if changed := fitted(t, own(t, "small64", set...), 200); changed != nil {
			t.Errorf("%v: changed %v", set, changed)
		}
	}
	for _, set := range [][]string{{"train.time_budget=1m"}, {"train.flop_budget=1e12"}} {
		if c := own(t, "small64", set...); len(fitted(t, c, 200)) != 3 || c.Train.Epochs != 20 {
			t.Errorf("%v: %d epochs", set, c.Train.Epochs)
		}
	}
	whole := own(t, "small32")
	read, err := config.Read(tokenizer.Method.Spec, whole.TOML(), "a run")
	if err != nil || fitted(t, read, 200) != nil {
		t.Errorf("a whole configuration is changed, error %v", err)
	}
	file := filepath.Join(t.TempDir(), "own.toml")
	if err := os.WriteFile(file, []byte("[train]\nbatch = 128\n[tokenizer.model]\ncodes = 512\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err = config.Configure(tokenizer.Method.Spec, "", file, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fitted(t, c, 200); c.Train.Batch != 128 || tokenizer.SectionOf(c).Model.Codes != 512 {
		t.Errorf("batch %d, %d codes in place of those of the file", c.Train.Batch, tokenizer.SectionOf(c).Model.Codes)
	}
}

// A classifier from trained weights keeps its epochs, and one from random weights needs more.
func TestFitImagesOfFineTuning(t *testing.T) {
	for init, want := range map[string]int{"": 141, "backbone": 20} {
		c := finetune.Method.Preset("small32")
		c.InitFrom = init
		if fitted(t, c, 200); c.Train.Epochs != want || c.Train.Batch != 32 {
			t.Errorf("from %q: %d epochs with batches of %d, want %d", init, c.Train.Epochs, c.Train.Batch, want)
		}
	}
}

func TestHoldOut(t *testing.T) {
	for _, c := range []struct {
		preset string
		set    []string
		want   float64
	}{
		{"small32", nil, 0.1}, {"small32", []string{"data.val_fraction=0"}, 0}, {"small32", []string{"data.val_fraction=0.3"}, 0.3},
		{"small32", []string{"train.epoch_steps=4"}, 0}, {config.ReferencePreset, nil, 0},
		{"small64_peco", nil, 0.1}, {"base_peco", nil, 0},
	} {
		cfg := own(t, c.preset, c.set...)
		if held := cfg.HoldOut(); cfg.Data.ValFraction != c.want || held != (len(c.set) == 0 && c.want > 0) {
			t.Errorf("%s %v: fraction %g, held out %v", c.preset, c.set, cfg.Data.ValFraction, held)
		}
	}
}
