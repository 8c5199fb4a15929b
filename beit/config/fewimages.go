package config

import (
	"fmt"
	"math"
	"slices"
)

// ownPresets are the presets for images of one's own. The others are the recipes of published runs, which stay as they are.
var ownPresets = []string{
	"tiny32", "mini32", "small32", "small64", "small128", "small224", "small32_beit1", "small64_beit1", "small128_beit1", "small224_beit1",
	"small32_peco", "small64_peco",
}

// manyImages is the number of training images from which on nothing of these presets changes.
const manyImages = 10000

// Few is what suits fewer training images than Below. A preset that has less of something keeps it.
type Few struct {
	Below int
	Codes int // of a codebook: a code that only patches of a few images have tells images apart, and nothing that they have in common
	Batch int // so many that an epoch has about six steps or more, and k-means and the mean of a step see several images
}

// few is the rule of FitImages for codes and batch.
var few = []Few{
	{Below: 100, Codes: 64, Batch: 16},
	{Below: 1000, Codes: 128, Batch: 32},
	{Below: 5000, Codes: 256, Batch: 64},
	{Below: manyImages, Codes: 512, Batch: 128},
}

// The rest of the rule. The number of epochs grows with the root of how many images are missing: a tenth of the images are seen three times as
// often, and the run takes a third of the time.
const (
	leastWarmup = 40  // steps: the moments of the optimiser are means of some dozens
	mostWarmup  = 0.2 // of the epochs
	fewEvals    = 20  // validations, measurements of k-NN accuracy, and checkpoints at the ends of epochs: not every short epoch needs them
	heldOut     = 0.1 // of the images, for validation
)

// ImageFitter is a Section with keys that follow from the number of training images. Those that are free may be changed.
type ImageFitter interface {
	FitImages(to Few, free func(key string) bool)
}

// EpochKeeper is a Section that may keep its epochs however few images there are: few images that trained weights see often are learned by heart.
type EpochKeeper interface {
	KeepsEpochs(c *Config) bool
}

// follows says whether keys that nobody assigned follow from the images: in a preset for images of one's own, unless somebody planned the steps.
func (c *Config) follows() bool {
	return slices.Contains(ownPresets, c.Preset) && !c.assigned("train.epoch_steps")
}

// HoldOut sets a part of the images aside for validation, and says so, where nobody said how many and the preset is one for images of one's own.
func (c *Config) HoldOut() bool {
	if !c.follows() || c.assigned("data.val_fraction") {
		return false
	}
	c.Data.ValFraction = heldOut
	return true
}

// FitImages gives keys that nobody assigned the values that suit n training images, where the preset is one for images of one's own. It lists the
// keys that changed, each with its value and that of the preset.
func (c *Config) FitImages(n int) (changed []string) {
	if !c.follows() || n >= manyImages {
		return nil
	}
	free := func(key string) bool { return !c.assigned(key) }
	preset := c.Clone()
	to := few[slices.IndexFunc(few, func(f Few) bool { return n < f.Below })]
	if s, ok := c.Section.(ImageFitter); ok {
		s.FitImages(to, free)
	}
	t := &c.Train
	if free("train.batch") && to.Batch%t.AccumulationSteps == 0 {
		t.Batch = min(t.Batch, to.Batch)
	}
	perEpoch := max(1, n/t.Batch)
	if free("log.every") {
		c.Log.Every = min(c.Log.Every, perEpoch)
	}
	if t.TimeBudget == 0 && t.FLOPBudget == 0 { // which choose epochs
		c.fitEpochs(n, perEpoch, free)
	}
	now := c.fields()
	for i, f := range preset.fields() {
		if !f.value.Equal(now[i].value) {
			changed = append(changed, fmt.Sprintf("%s %v (%v)", f.key, now[i].value, f.value))
		}
	}
	return changed
}

// fitEpochs is the part of FitImages for epochs and what is counted in them.
func (c *Config) fitEpochs(n, perEpoch int, free func(key string) bool) {
	t := &c.Train
	if k, ok := c.Section.(EpochKeeper); free("train.epochs") && !(ok && k.KeepsEpochs(c)) {
		t.Epochs = int(math.Round(float64(t.Epochs) * math.Sqrt(manyImages/float64(n))))
	}
	if free("train.warmup_epochs") {
		enough := (leastWarmup + perEpoch - 1) / perEpoch
		t.WarmupEpochs = max(t.WarmupEpochs, min(enough, int(mostWarmup*float64(t.Epochs))))
	}
	every := (t.Epochs + fewEvals - 1) / fewEvals
	if free("log.eval_every") {
		c.Log.EvalEvery = max(c.Log.EvalEvery, every)
	}
	if free("log.knn_every") && c.Log.KNNEvery > 0 {
		c.Log.KNNEvery = max(c.Log.KNNEvery, every)
	}
	if free("log.checkpoint_epochs") {
		c.Log.CheckpointEpochs = max(c.Log.CheckpointEpochs, every)
	}
}
