package train

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/google/go-cmp/cmp"
)

func TestConfigRoundTrip(t *testing.T) {
	for _, stage := range Stages() {
		for _, name := range Presets(stage) {
			want, err := Configure(stage, name, "", []string{"seed=7", "train.time_budget=4m30s", `data.path=C:\pictures "of" mine`})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(file, []byte(want.TOML()), 0o666); err != nil {
				t.Fatal(err)
			}
			got, err := Configure(stage, "", file, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s %s (-want +got):\n%s", stage, name, d)
			}
			if got.Train.TimeBudget != 270*time.Second || changedKeys(want, got) != nil {
				t.Errorf("%s %s: time budget %s, changed keys %v", stage, name, got.Train.TimeBudget, changedKeys(want, got))
			}
		}
	}
}

func TestConfigureOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "own.toml")
	text := "preset = \"small64\"\n[train]\nepochs = 3\nlr = 0.5\n[tokenizer.model]\ncodes = 99\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := Configure(Tokenizer, "", file, []string{"train.lr = 0.25", "tokenizer.model.code_dim=8"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Preset != "small64" || c.Train.Epochs != 3 || c.Train.LR != 0.25 || c.Tokenizer.Model.Codes != 99 || c.Tokenizer.Model.Encoder.ImageSize != 64 {
		t.Errorf("got %s", c.TOML())
	}
	if c.Tokenizer.Model.Decoder.Channels != 8 {
		t.Errorf("decoder.channels = %d did not follow code_dim = 8", c.Tokenizer.Model.Decoder.Channels)
	}
	if c, err = Configure(Tokenizer, "small32", file, nil); err != nil || c.Preset != "small32" || c.Tokenizer.Model.Encoder.ImageSize != 32 {
		t.Errorf("the caller's preset: %v, error %v", c.Preset, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		stage  Stage
		preset string
		file   string
		set    []string
		want   string
	}{
		{"stage", "tokeniser", "", "", nil, `did you mean "tokenizer"`},
		{"preset", Pretrain, "smal32", "", nil, `did you mean "small32"`},
		{"key in a file", Tokenizer, "", "[train]\nepoch = 3\n", nil, "unknown key train.epoch in stage tokenizer; did you mean train.epochs?"},
		{"table in a file", Tokenizer, "", "[trian]\n", nil, "unknown key trian"},
		{"key of the other stage", Tokenizer, "", "[pretrain]\ntarget = \"codes\"\n", nil, "unknown key pretrain"},
		{"other stage", Tokenizer, "", "stage = \"pretrain\"\n", nil, `this run is of stage "tokenizer"`},
		{"syntax", Tokenizer, "", "[train\n", nil, "own.toml"},
		{"type", Tokenizer, "", "[train]\nepochs = \"many\"\n", nil, "epochs"},
		{"assigned key", Tokenizer, "", "", []string{"tokenizer.model.encoder.dept=3"}, "did you mean tokenizer.model.encoder.depth?"},
		{"no assignment", Tokenizer, "", "", []string{"train.epochs"}, "key=value"},
		{"assigned type", Tokenizer, "", "", []string{"train.epochs=many"}, "is not a whole number"},
		{"assigned duration", Tokenizer, "", "", []string{"train.time_budget=4"}, "is not a duration"},
		{"assigned preset", Tokenizer, "", "", []string{"preset=small64"}, "cannot be assigned"},
		{"value", Tokenizer, "", "", []string{"data.augment=flip"}, "data.augment"},
		{"not a number", Tokenizer, "", "", []string{"train.lr=NaN"}, "train.lr"},
		{"accum", Tokenizer, "", "", []string{"train.accum=3"}, "train.accum"},
		{"model", Pretrain, "", "", []string{"pretrain.model.vit.heads=5"}, "width = 192"},
		{"mask", Pretrain, "", "", []string{"pretrain.mask.count=64"}, "pretrain.mask.count"},
		{"epochs", Tokenizer, "", "", []string{"train.epochs=999999999999999999"}, "train.epochs"},
		{"codes", Tokenizer, "", "", []string{"tokenizer.model.codes=16777216", "tokenizer.model.code_dim=1024"}, "tokenizer.model.codes: 16777216 x 1024"},
		{"width", Tokenizer, "", "", []string{"tokenizer.model.decoder.width=300000"}, "tokenizer.model.decoder: 1 blocks of width 300000"},
		{"width whose square overflows", Pretrain, "", "", []string{"pretrain.model.vit.width=6000000000"}, "pretrain.model.vit.width"},
		{"depth", Pretrain, "", "", []string{"pretrain.model.vit.depth=10000000"}, "10000000 blocks"},
		{"vocabulary", Pretrain, "", "", []string{"pretrain.model.vocab=16000000", "pretrain.model.vit.width=768"}, "pretrain.model.vocab: 16000000 x 768"},
		{"patches", Pretrain, "", "", []string{"pretrain.model.vit.image_size=32000"}, "8000 x 8000 patches"},
		{"augmentation of a teacher", Teacher, "", "", []string{"data.augment=crop"}, "data.augment"},
		{"small crops", Teacher, "", "", []string{"teacher.crops.small_size=15"}, "teacher.crops.small_size = 15"},
		{"number of crops", Teacher, "", "", []string{"teacher.crops.small=65"}, "teacher.crops.small"},
		{"split of crops", Teacher, "", "", []string{"teacher.crops.split=0.05"}, "teacher.crops.split"},
		{"temperature", Teacher, "", "", []string{"teacher.model.teacher_temp=0"}, "teacher_temp"},
		{"outputs", Teacher, "", "", []string{"teacher.model.outputs=16777216", "teacher.model.bottleneck=4096"}, "teacher.model.outputs: 16777216 x 4096"},
		{"shape of a teacher", Teacher, "", "", []string{"teacher.model.vit.layer_scale=0.1"}, "layer_scale"},
		{"patch", Tokenizer, "", "", []string{"tokenizer.model.encoder.image_size=65536", "tokenizer.model.encoder.patch_size=65536"}, "patch_size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := ""
			if c.file != "" {
				file = filepath.Join(t.TempDir(), "own.toml")
				if err := os.WriteFile(file, []byte(c.file), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Configure(c.stage, c.preset, file, c.set)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, c.want)
			}
		})
	}
}

// Masks have the model's patches, whoever filled in the configuration.
func TestMaskOfAnotherGrid(t *testing.T) {
	cfg := tiny(t, Pretrain)
	cfg.Pretrain.Mask.Rows, cfg.Pretrain.Mask.Cols = 2, 8
	if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "pretrain.mask.rows = 2, pretrain.mask.cols = 8: must both be 4") {
		t.Errorf("error %v", err)
	}
}

// TestReferencePreset compares with the configuration of the run of the authors' code.
func TestReferencePreset(t *testing.T) {
	tok, err := Configure(Tokenizer, Reference32, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := tok.Tokenizer; c.Teacher != "hog-ref" || c.Reseed || max(kMeansLeast*c.Model.Codes, c.KMeansTokens) > 128*64 || c.Model.TargetDim != 30 {
		t.Errorf("tokenizer %+v", c)
	}
	if tok.Data.Augment != "pad-crop" || tok.Data.Pad != 4 || !tok.Data.Eval.Whole || tok.Train.Epochs != 8 || tok.Train.Clip != 0 || tok.Train.lrFactor() != 1 {
		t.Errorf("data %+v, train %+v", tok.Data, tok.Train)
	}
	pre, err := Configure(Pretrain, Reference32, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := pre.Pretrain.Model; m.EarlyLayer != 4 || m.HeadLayers != 2 || !m.SharedHead || m.ViT.LayerScale != 0.1 || m.ViT.AbsPos || m.ViT.RelPos != "shared" {
		t.Errorf("model %+v", m)
	}
	if p := pre.Pretrain; p.Mask.Count != 26 || p.Mask.MinBlock != 4 || pre.Train.Clip != 3 || pre.Train.Beta2 != 0.98 || pre.Train.Epochs != 10 {
		t.Errorf("mask %+v, train %+v", p.Mask, pre.Train)
	}
	s := newSchedule(pre.Train, 156)
	peak := 1.5e-3
	for step, want := range map[int]float64{
		0: 0, 1: peak / 156, 155: peak * 155 / 156, 156: peak, 858: 1e-5 + (peak-1e-5)/2,
	} {
		if got := s.at(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("learning rate at step %d: %g, want %g", step, got, want)
		}
	}
}

func TestLRFactor(t *testing.T) {
	for _, c := range []struct {
		scaling string
		batch   int
		want    float64
	}{{"none", 32, 1}, {"linear", 32, 0.25}, {"sqrt", 32, 0.5}, {"sqrt", 128, 1}} {
		var k TrainConfig
		k.LRScaling, k.LRBatch, k.Batch = c.scaling, 128, c.batch
		if got := k.lrFactor(); got != c.want {
			t.Errorf("%s at batch %d: %g, want %g", c.scaling, c.batch, got, c.want)
		}
	}
}

func TestShortRunsWarmUpHalfway(t *testing.T) {
	var c TrainConfig
	c.LR, c.Epochs, c.WarmupEpochs, c.LRBatch, c.Batch = 1, 1, 1, 1, 1
	s := newSchedule(c, 100)
	if s.at(49) != 1 || s.at(99) > 0.01 {
		t.Errorf("rates %g at step 49, %g at step 99", s.at(49), s.at(99))
	}
}

// A published recipe keeps a warm-up that takes more than half of it.
func TestPublishedWarmUpIsKept(t *testing.T) {
	c, err := Configure(Finetune, "base_21k", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := newSchedule(c.Train, 100); s.at(1999) != 5e-5 || s.at(1499) >= 5e-5 || s.at(2200) >= 5e-5 {
		t.Errorf("rates %g at the end of the warm-up of 2000 steps, %g before, %g after", s.at(1999), s.at(1499), s.at(2200))
	}
}

// Pictures are shown to a classifier as suits the size that it is fine-tuned at, unless someone says otherwise.
func TestPresentationFollowsSize(t *testing.T) {
	res := trained(t, tiny(t, Finetune, "train.epochs=1"), Env{})
	file := filepath.Join(t.TempDir(), "own.toml")
	if err := os.WriteFile(file, []byte("[data]\naugment = \"none\"\n[finetune.model]\nimage_size = 384\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	from := "init_from=" + res.Dir
	for _, c := range []struct {
		preset, file string
		set          []string
		augment      string
		whole        bool
	}{
		{"small32", "", []string{"finetune.model.image_size=64"}, augmentCrop, false},
		{"base_300e", "", []string{"finetune.model.image_size=384"}, augmentCrop, true},
		{"base_300e", "", []string{"finetune.model.image_size=384", "data.eval.whole=false"}, augmentCrop, false},
		{"base_300e", "", []string{"finetune.model.image_size=32"}, augmentPad, true},
		{"base_300e", file, nil, augmentNone, true},
		{"", "", []string{from}, augmentPad, true},
		{"", "", []string{from, "finetune.model.image_size=48"}, augmentCrop, false},
		{"", "", []string{from, "finetune.model.image_size=48", "data.augment=pad-crop"}, augmentPad, false},
		{"", "", []string{from, "finetune.model.image_size=384"}, augmentCrop, true},
	} {
		cfg, err := Configure(Finetune, c.preset, c.file, c.set)
		if err != nil {
			t.Fatal(err)
		}
		if d := cfg.Data; d.Augment != c.augment || d.Eval.Whole != c.whole {
			t.Errorf("%s %s: augment %s, whole %v, want %s, %v", c.preset, c.set, d.Augment, d.Eval.Whole, c.augment, c.whole)
		}
	}
}

// data.upright decides whether EXIF orientation counts, for training and validation pictures.
func TestUprightPictures(t *testing.T) {
	content, err := os.ReadFile("../data/testdata/pillow/turn5.png")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.png"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set  string
		w, h int
	}{{"data.upright=false", 37, 29}, {"data.upright=true", 29, 37}} {
		train, val, done, err := OpenPictures(tiny(t, Tokenizer, "data.path="+dir, "data.eval_path="+dir, c.set))
		if err != nil {
			t.Fatal(err)
		}
		for _, ds := range []data.Dataset{train, val} {
			if m, err := data.Decoded(ds, 0); err != nil || m.W != c.w || m.H != c.h {
				t.Errorf("%s: %v, want %dx%d: %v", c.set, m.Bounds(), c.w, c.h, err)
			}
		}
		if err := done(); err != nil {
			t.Error(err)
		}
	}
}
