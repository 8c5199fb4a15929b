package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
)

// Reference32 is the preset of the run of the authors' code that small32 is compared with.
const Reference32 = "reference32"

// Presets lists the presets of a stage.
func Presets(stage Stage) []string {
	var names []string
	switch stage {
	case Teacher:
		return beit.DistillPresets()
	case Finetune:
		return beit.FineTuningPresets()
	case Pretrain:
		names = beit.MIMPresets()
	default:
		names = beit.TokenizerPresets()
	}
	names = append(names, Reference32)
	slices.Sort(names)
	return names
}

// preset returns the configuration that a preset's name stands for.
func preset(stage Stage, name string) (Config, error) {
	if !slices.Contains(Stages(), stage) {
		var names []string
		for _, s := range Stages() {
			names = append(names, string(s))
		}
		return Config{}, fmt.Errorf("stage %q does not exist; did you mean %q?", stage, beit.Nearest(string(stage), names))
	}
	if !slices.Contains(Presets(stage), name) {
		return Config{}, fmt.Errorf("%s preset %q does not exist; did you mean %q?", stage, name, beit.Nearest(name, Presets(stage)))
	}
	recipe := name
	if name == Reference32 {
		recipe = "small32"
	}
	small := strings.HasPrefix(recipe, "small")
	c := Config{
		Stage: stage, Preset: name, Seed: 1, Precision: "highest",
		Data: DataConfig{CacheMB: 512, Labelled: 1, Unreadable: 0.1, Augment: augmentCrop, Pad: 4, Eval: EvalConfig{Batch: 128}},
		Log:  LogConfig{Every: 20, Keep: 3, EvalEvery: 1},
	}
	if recipe == "small32" { // a crop of a picture of 32 pixels leaves too few of them
		c.Data.Augment, c.Data.Eval.Whole = augmentPad, true
	}
	var err error
	switch stage {
	case Tokenizer:
		err = c.tokenizerPreset(recipe, small)
	case Teacher:
		err = c.teacherPreset(recipe)
	case Finetune:
		err = c.finetunePreset(recipe, small)
	default:
		err = c.pretrainPreset(recipe, small)
	}
	c.Train.Accum, c.Train.LRBatch = 1, c.Train.Batch
	if name == Reference32 {
		c.asReference()
	}
	return c, err
}

func (c *Config) tokenizerPreset(name string, small bool) error {
	r, err := beit.TokenizerPreset(name)
	c.Train.Training = r.Train
	c.Tokenizer = &TokenizerConfig{Teacher: r.Teacher, Model: r.Model, Reseed: small}
	c.Train.LRScaling = "linear"
	if small {
		c.Train.LRScaling = "sqrt"
		c.Tokenizer.KMeansTokens = 32 * r.Model.Codes
	}
	return err
}

func (c *Config) pretrainPreset(name string, small bool) error {
	r, err := beit.MIMPreset(name)
	c.Train.Training = r.Train
	c.Pretrain = &PretrainConfig{Target: targetCodes, Mask: r.Mask, Model: r.Model}
	c.Data.Jitter = 0.4
	c.Train.LRScaling = "none"
	if small {
		c.Train.LRScaling = "sqrt"
	}
	return err
}

func (c *Config) teacherPreset(name string) error {
	r, err := beit.DistillPreset(name)
	c.Train.Training = r.Train
	c.Teacher = &TeacherConfig{Crops: r.Crops, TempEpochs: r.TempEpochs, HoldEpochs: r.HoldEpochs, Model: r.Model}
	c.Data.Augment, c.Data.Jitter = augmentMulti, 0.4
	c.Train.LRScaling = "sqrt"
	return err
}

func (c *Config) finetunePreset(name string, small bool) error {
	r, err := beit.FineTuningPreset(name)
	c.Train.Training = r.Train
	c.Finetune = &FinetuneConfig{
		Network: networkViT, Norm: normImageNet, LayerDecay: r.LayerDecay, Smoothing: r.Smoothing, Mixup: r.Mixup, Cutmix: r.Cutmix,
		RandMagnitude: r.RandMagnitude, RandOps: r.RandOps, Erase: r.Erase, Model: r.Model,
	}
	c.Data.Jitter = 0.4
	c.Train.LRScaling = "none"
	if small {
		c.Train.LRScaling = "sqrt"
	}
	return err
}

// asReference turns small32 into what reference-run.md describes.
func (c *Config) asReference() {
	c.Train.OpenWarmup = true
	if c.Stage == Tokenizer {
		c.Train.Epochs = 8
		c.Tokenizer.Teacher, c.Tokenizer.Model.TargetDim = "hog-ref", 30
		c.Tokenizer.Reseed, c.Tokenizer.KMeansTokens = false, 0 // the first batch holds more than 4·codes tokens
		return
	}
	c.Train.Epochs = 10
	c.Pretrain.Mask.MinBlock = 4
	c.Pretrain.Model.EarlyLayer, c.Pretrain.Model.HeadLayers = 4, 2
	c.Pretrain.Model.LibraryInit = true // as the authors' code leaves the aggregation blocks
}
