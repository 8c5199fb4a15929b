package config

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Config is the whole configuration of a run. Its TOML form is a run's config.toml.
type Config struct {
	Method    string `toml:"method" paper:"-" help:"what the run trains"`
	Preset    string `toml:"preset" paper:"-" help:"what the other values began as"`
	Seed      uint64 `toml:"seed" paper:"-" help:"of everything that is random; below 2^63"`
	Precision string `toml:"precision" paper:"-" oneof:"auto highest high medium" alias:"fp32=highest bf16=medium" absent:"highest" help:"of matmuls: highest (or fp32) is float32, medium (or bf16) 16 bits with sums in float32; auto becomes the faster of them on this processor when the run begins"`
	InitFrom  string `toml:"init_from" path:"model" resume:"free" help:"model file or run folder whose weights the run starts with; empty: random init"`
	InitKey   string `toml:"init_key" resume:"free" help:"which model of the file at init_from, where it has several: the key it stands under, or what its names begin with"`

	Data    Data    `toml:"data"`
	Train   Train   `toml:"train"`
	Log     Log     `toml:"log"`
	Section Section `toml:"-"` // the method's own, under its name

	Notes    []string `toml:"-"` // old names that were met while reading, and their new ones
	Assigned []string `toml:"-"` // keys that a file or an assignment gave a value
}

// Section is the part of a configuration that only one method has: a pointer to a struct of plain values.
type Section interface {
	// Check reports what is wrong with the section's values, beyond the limits in their tags. All of c may be looked at.
	Check(c *Config, k *Checker)
}

// Deriver is a Section whose keys determine others.
type Deriver interface {
	// Derive fills in the keys that others determine.
	Derive()
}

// Channeled is a Section whose network may see images of other channels than red, green and blue.
type Channeled interface {
	// Channels is their number.
	Channels() int
}

// Channels is the number of channels of the images that the network sees.
func (c *Config) Channels() int {
	if s, ok := c.Section.(Channeled); ok {
		return s.Channels()
	}
	return 3
}

// Raw reports whether images keep the values of their files: they have other channels than red, green and blue, or 16 bits.
func (c *Config) Raw() bool { return c.Channels() != 3 || c.Data.Keep16Bits }

// Data says which images a run sees and how.
type Data struct {
	Path          Paths   `toml:"path" path:"images" resume:"free" help:"folder, archive, list or image, several of them in a list, or shapes:N, procedural:N for N synthetic images"`
	EvalPath      Paths   `toml:"eval_path" path:"images" resume:"free" help:"validation images, where path holds none"`
	ValFraction   float64 `toml:"val_fraction" paper:"-" range:"[0,1)" help:"part of the training images set aside where there are no validation images; 0: none"`
	ValFromTrain  bool    `toml:"val_from_train" paper:"-" absent:"false" help:"set val_fraction of the training images aside although there are validation images, which are not read then"`
	Seed          uint64  `toml:"seed" paper:"-" absent:"0" help:"of synthetic images and of the choice of images, below 2^63; 0: seed"`
	Limit         int     `toml:"limit" paper:"-" range:"[0,)" help:"use at most this many training images, chosen at random; 0: all"`
	LabelFraction float64 `toml:"label_fraction" paper:"-" range:"(0,1]" help:"part of each class's training images that is used; 1: all, with labels or without"`
	Workers       int     `toml:"workers" range:"[0,1024]" absent:"0" resume:"free" help:"images read and decoded at the same time; 0: as many as there are threads, which also compute. Results do not depend on it"`
	CacheMB       int     `toml:"cache_mb" range:"[0,)" resume:"free" help:"decoded images kept in memory"`
	MaxUnreadable float64 `toml:"max_unreadable" range:"(0,1]" resume:"free" help:"part of an epoch's images that may be unreadable"`
	MaxPixels     int     `toml:"max_pixels" range:"[1,1e9]" resume:"free" help:"width times height of an image, at most; larger ones are unreadable"`
	Reduce        bool    `toml:"reduce" absent:"false" help:"in training and its own validation alone: decode images at 1/2, 1/4 or 1/8 of their size where no crop needs more, as Pillow's draft does; the reference code does not"`
	ExifTranspose bool    `toml:"exif_transpose" absent:"false" help:"turn images as their EXIF orientation says, which the reference code does not: small presets do, published ones do not"`
	Keep16Bits    bool    `toml:"keep_16_bits" paper:"-" absent:"false" help:"of red, green and blue images with 16 bits a channel keep all, not the higher 8 alone; images of other channels always keep them"`
	Augment       string  `toml:"augment" help:"crop: colour jitter and random resized crop; pad-crop: small shifts; none; multi-crop in method dino alone"`
	Jitter        float64 `toml:"jitter" range:"[0,1]" help:"strength of colour jitter with crop and multi-crop; in method finetune where rand_magnitude is 0"`
	Pad           int     `toml:"pad" paper:"-" range:"[0,)" help:"pixels with pad-crop"`
	Eval          Eval    `toml:"eval"`
}

// ImageSeed is the seed of synthetic images and of the choice of images.
func (c *Config) ImageSeed() uint64 { return cmp.Or(c.Data.Seed, c.Seed) }

// PrecisionAuto is the Precision of a run that has not begun yet: the device decides between the others.
const PrecisionAuto = "auto"

// Augmentations that Data.Augment names.
const (
	AugmentCrop  = "crop"
	AugmentPad   = "pad-crop"
	AugmentNone  = "none"
	AugmentMulti = "multi-crop"
)

// Eval says how images are shown in validation.
type Eval struct {
	Whole bool `toml:"whole" help:"the largest central square; else the central part, 7/8 of its side"`
	Batch int  `toml:"batch" paper:"-" range:"[1,)" help:"images in a batch of validation"`
	Limit int  `toml:"limit" paper:"-" range:"[0,)" help:"use at most this many validation images; 0: all"`
}

// Train holds optimisation and schedule.
type Train struct {
	Epochs            int           `toml:"epochs" range:"[1,)" resume:"end" help:"passes over the training images; a resumed run goes on to the new end"`
	Batch             int           `toml:"batch" range:"[1,)" help:"images in a step"`
	LR                float64       `toml:"lr" range:"[0,)" help:"peak learning rate"`
	MinLR             float64       `toml:"min_lr" range:"[0,)" help:"learning rate at the end of the cosine"`
	WarmupEpochs      int           `toml:"warmup_epochs" range:"[0,)" help:"in which the learning rate rises; where they would fill the whole run, half of it"`
	Beta1             float64       `toml:"beta1" range:"[0,1)" help:"of AdamW"`
	Beta2             float64       `toml:"beta2" range:"[0,1)" help:"of AdamW"`
	Eps               float64       `toml:"eps" range:"[1e-30,1)" help:"of AdamW"`
	Decay             float64       `toml:"weight_decay" range:"[0,)" help:"of AdamW"`
	Clip              float64       `toml:"clip" range:"[0,)" help:"bound on the gradient's 2-norm; 0: none"`
	MinCropScale      float64       `toml:"min_crop_scale" range:"(0,1]" help:"smallest area of a random crop"`
	AccumulationSteps int           `toml:"accumulation_steps" paper:"-" range:"[1,)" help:"gradient accumulation: parts that the images of a step are processed in, to save memory"`
	LRScaling         string        `toml:"lr_scaling" oneof:"none linear sqrt" help:"of lr with batch/lr_batch"`
	LRBatch           int           `toml:"lr_batch" range:"[1,)" help:"the batch that lr is meant for"`
	WarmupSteps       int           `toml:"warmup_steps" range:"[0,)" absent:"0" help:"steps in which the learning rate rises, in place of warmup_epochs; 0: those count"`
	Poly              bool          `toml:"poly" absent:"false" help:"the learning rate falls along a straight line to min_lr, and rises before from a millionth, as in the recipes for segmentation; else along a cosine"`
	WarmupOffset      bool          `toml:"warmup_offset" help:"the warm-up of w steps is lr·t/w, as in the reference run; else lr·t/(w-1)"`
	EpochSteps        int           `toml:"epoch_steps" paper:"-" range:"[0,)" absent:"0" help:"steps of an epoch, where it is to end before all images were seen; 0: as many as the images give"`
	TimeBudget        time.Duration `toml:"time_budget" paper:"-" range:"[0,)" help:"chooses epochs and epoch_steps by the measured speed; 0: they count"`
	FLOPBudget        float64       `toml:"flop_budget" paper:"-" range:"[0,)" absent:"0" help:"chooses epochs and epoch_steps by the counted floating-point operations, preparation included; 0: they count"`

	CheckpointActivations bool `toml:"checkpoint_activations" resume:"free" help:"recompute each block in backward: the same result with less memory, more time"`
}

// Log says what a run writes, and when.
type Log struct {
	Every            int           `toml:"every" paper:"-" range:"[1,)" resume:"free" help:"steps between step records"`
	Checkpoint       int           `toml:"checkpoint" paper:"-" range:"[0,)" resume:"free" help:"steps between checkpoints, besides those at the ends of epochs; 0: none"`
	CheckpointEvery  time.Duration `toml:"checkpoint_every" range:"[0,)" resume:"free" help:"time between checkpoints, besides the others; 0: none"`
	CheckpointEpochs int           `toml:"checkpoint_epochs" range:"[1,)" absent:"1" resume:"free" help:"epochs between the checkpoints at the ends of epochs; the last epoch always has one"`
	Keep             int           `toml:"keep" range:"[1,)" resume:"free" help:"checkpoints kept"`
	EvalEvery        int           `toml:"eval_every" paper:"-" range:"[1,)" resume:"free" help:"epochs between validations; the last epoch always has one"`
	KNNEvery         int           `toml:"knn_every" range:"[0,)" absent:"0" resume:"free" help:"epochs between measurements of k-NN accuracy, where images have labels that the run does not learn from; the first and the last epoch always have one; 0: none"`
}

// New returns the configuration that all presets begin with, for a method with its section.
func New(method string, s Section) *Config {
	return &Config{
		Method: method, Seed: 1, Precision: tensor.Highest.String(), Section: s,
		Data:  Data{CacheMB: 512, LabelFraction: 1, MaxUnreadable: 0.1, MaxPixels: data.DefaultLimits.Pixels, Augment: AugmentCrop, Pad: 4, Eval: Eval{Batch: 128}},
		Train: Train{AccumulationSteps: 1, LRScaling: "none"},
		Log:   Log{Every: 20, CheckpointEvery: 10 * time.Minute, CheckpointEpochs: 1, Keep: 3, EvalEvery: 1, KNNEvery: 5},
	}
}

// Clone returns a copy that shares nothing with c.
func (c *Config) Clone() *Config {
	d := *c
	section := reflect.New(reflect.TypeOf(c.Section).Elem())
	section.Elem().Set(reflect.ValueOf(c.Section).Elem())
	d.Section = section.Interface().(Section)
	d.Notes, d.Assigned = slices.Clone(c.Notes), slices.Clone(c.Assigned)
	return &d
}

// TOML is the configuration as text that Read reads back.
func (c *Config) TOML() string {
	var buf bytes.Buffer
	e := toml.NewEncoder(&buf)
	e.Indent = ""
	err := e.Encode(c)
	if err == nil {
		buf.WriteByte('\n')
		err = e.Encode(map[string]any{c.Method: c.Section})
	}
	if err != nil {
		panic(fmt.Sprintf("config: TOML: %v", err)) // every field has a TOML form
	}
	return buf.String()
}

// LRFactor is what the configured learning rate is multiplied by, for a batch other than the one that it is meant for.
func (t Train) LRFactor() float64 {
	ratio := float64(t.Batch) / float64(t.LRBatch)
	switch t.LRScaling {
	case "linear":
		return ratio
	case "sqrt":
		return math.Sqrt(ratio)
	}
	return 1
}

// ReferencePreset is the preset of the run of the authors' code that small32 is compared with.
const ReferencePreset = "reference32"

// ShowSmall shows images of 32 pixels whole: a crop of one leaves too few of them.
func (c *Config) ShowSmall() { c.Data.Augment, c.Data.Eval.Whole = AugmentPad, true }

// Short makes a recipe one for minutes, and returns it: with batches of 64 images it has twice as many steps as with the usual 128.
func (c *Config) Short() *Config {
	c.Train.Batch, c.Train.LRBatch = 64, 64
	return c
}
